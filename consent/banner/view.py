"""What a rendering depends on: who looks, at which page, and what stands there instead of something blocked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Protocol

from consent.choice import Choice, Permissions, Signals, decide
from consent.policy import Policy, Service


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One visitor on one page; make a new one for each request.

    ``next`` is the page's own path and query, to which a form post returns. ``asking`` are the optional services to
    ask about now, in the policy's order. ``token`` goes into every form and is there for visitors whose browser
    doesn't say where a post comes from. ``receipt`` is the visitor's receipt id, if anything is granted; ``scope`` the
    cookie domain, if the choice counts beyond this host; ``shared`` whether everybody gets this same page;
    ``gpc_denied`` the services that the browser's privacy signal keeps off. ``frames`` numbers the page's placeholders.
    """

    locale: str
    permissions: Permissions
    choice: Choice
    prefix: str
    next: str
    asking: tuple[str, ...]
    message: str = ""
    gpc: bool = False
    host: str = ""
    token: str = ""
    receipt: str = ""
    scope: str = ""
    shared: bool = False
    gpc_denied: tuple[str, ...] = ()
    frames: Iterator[int] = field(default_factory=lambda: count(1), compare=False, repr=False)

    @classmethod
    def neutral(cls, policy: Policy, *, locale: str, asking: tuple[str, ...] = (), gpc: bool = False) -> View:
        """What everybody is shown who has not answered yet: nothing in it belongs to a visitor or a page."""
        nobody = Choice.none()
        return cls(
            locale=locale,
            permissions=decide(policy, nobody, Signals(gpc=gpc)),
            choice=nobody,
            prefix=policy.ask.prefix,
            next="/",
            asking=asking or tuple(service.key for service in policy.optional),
            gpc=gpc,
        )

    def asking_all(self, policy: Policy) -> View:
        """The same view, asking about every optional service."""
        return replace(self, asking=tuple(service.key for service in policy.optional))


class Embed(Protocol):
    """Something visible that was blocked; the gate's ``Embed`` is one."""

    @property
    def service(self) -> Service | None: ...
    @property
    def url(self) -> str: ...
    @property
    def width(self) -> str: ...
    @property
    def height(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def allow(self) -> str: ...
    @property
    def style(self) -> str: ...
    @property
    def poster(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """An embed that a template's author wrote with ``consent.embed``."""

    service: Service
    url: str
    width: str = ""
    height: str = ""
    title: str = ""
    allow: str = ""
    style: str = ""
    poster: str = ""
