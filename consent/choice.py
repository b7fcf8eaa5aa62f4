"""What a visitor answered, what their browser signals, and what follows from both.

:func:`decide` is the only place that turns answers into permissions. Standard library only; no I/O, no clock.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fnmatch import fnmatchcase

from consent.errors import UnknownKeyError
from consent.policy import Policy, Service

_log = logging.getLogger("consent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """What the browser says by itself: Global Privacy Control and Do Not Track (W3C GPC, ``Sec-GPC``)."""

    gpc: bool = False
    dnt: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A visitor's answers. ``asked`` are the keys that were put to them, ``granted`` those they allowed.

    Keys are services or categories. ``asked=None`` means everything the policy asks now. ``version`` is the
    material version that was answered, ``None`` the present one. ``day`` is the UTC day of the choice.
    """

    made: bool = True
    asked: frozenset[str] | None = None
    granted: frozenset[str] = frozenset()
    version: str | None = None
    day: date | None = None
    gpc_override: bool = False
    receipt: str | None = None

    @classmethod
    def none(cls) -> Choice:
        """Nobody has been asked, or nobody answered."""
        return cls(made=False, asked=frozenset())

    @classmethod
    def refusing(cls) -> Choice:
        """Everything that is asked was refused."""
        return cls()

    @classmethod
    def granting(cls, *keys: str) -> Choice:
        """These services or categories were granted and the rest refused."""
        return cls(granted=frozenset(keys))


@dataclass(frozen=True, slots=True, kw_only=True)
class Permissions:
    """What this visitor's page may do, by service: ``granted``, ``refused``, or ``unasked`` (neither yet).

    ``allowed`` are the services that may run: necessary ones, granted ones, and those requested by being on their
    own route. ``gpc_denied`` are grants that a Global Privacy Control signal overrules for now.
    """

    policy: Policy
    allowed: frozenset[str]
    granted: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    unasked: frozenset[str] = frozenset()
    gpc_denied: frozenset[str] = frozenset()
    debug: bool = False

    def allows(self, key: str) -> bool:
        """Whether the service, or every service of the category, may run.

        An unknown key raises :class:`UnknownKeyError` when ``debug`` is on and is otherwise denied and logged. A
        category without services allows nothing, except the necessary one.
        """
        try:
            services = self.policy.services_of(key)
        except UnknownKeyError as error:
            if self.debug:
                raise
            _log.warning("%s Denied.", error)
            return False
        if not services:
            return self.policy.category(key).is_necessary
        return all(service.key in self.allowed for service in services)

    def state(self, key: str) -> str:
        """``"granted"``, ``"refused"`` or ``"not asked"`` for one service."""
        if key in self.granted:
            return "granted"
        return "refused" if key in self.refused else "not asked"

    def plus(self, *services: str) -> Permissions:
        """The same with these services allowed as well: for one embed, loaded once."""
        return replace(self, allowed=self.allowed | self.policy.expand(services))


def decide(
    policy: Policy, choice: Choice, signals: Signals, *, today: date | None = None, path: str = "/"
) -> Permissions:
    """What may run for this visitor, on this path, today.

    Everything optional is denied unless a valid answer allows it. An answer counts while it is younger than the
    policy's life time (with ``today=None`` its age isn't looked at), was given under a known material version, and
    its service asks nothing more than it did then. A Global Privacy Control signal denies the services with
    ``gpc`` unless the visitor, having seen it, granted them (``gpc_override``). Never raises.
    """
    answered, granted = answers(policy, choice, today=today)
    optional = frozenset(service.key for service in policy.optional)
    signalled = (
        frozenset(s.key for s in policy.optional if s.gpc) if signals.gpc and not choice.gpc_override else frozenset()
    )
    return Permissions(
        policy=policy,
        allowed=frozenset(
            service.key
            for service in policy.services
            if service.is_necessary or requested(service, path) or service.key in granted - signalled
        ),
        granted=granted - signalled,
        refused=(answered - granted) | (granted & signalled),
        unasked=optional - answered,
        gpc_denied=granted & signalled,
    )


def answers(policy: Policy, choice: Choice, *, today: date | None = None) -> tuple[frozenset[str], frozenset[str]]:
    """The optional services this choice still answers, and those among them that it grants."""
    if not choice.made or expired(policy, choice, today):
        return frozenset(), frozenset()
    surviving = policy.surviving(choice.version or policy.current.version)
    asked = surviving if choice.asked is None else policy.expand(choice.asked) & surviving
    return asked, policy.expand(choice.granted) & asked


def expired(policy: Policy, choice: Choice, today: date | None) -> bool:
    """Whether the choice is past its life time, or dated more than a day ahead of ``today``."""
    if choice.day is None or today is None:
        return False
    return not choice.day - timedelta(days=1) <= today < choice.day + timedelta(days=policy.ask.lifetime_days)


def requested(service: Service, path: str) -> bool:
    """Whether being on ``path`` is itself the request for this service (ePrivacy Directive Art. 5(3))."""
    return matches(path, service.on_request)


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Whether a URL path is one of these routes; ``*`` as in a glob, and a final slash makes no difference."""
    bare = path.rstrip("/") or "/"
    return any(fnmatchcase(path, pattern) or fnmatchcase(bare, pattern) for pattern in patterns)
