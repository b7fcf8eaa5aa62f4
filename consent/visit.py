"""One request's state: who is visiting, what they allow, and the pieces of page that are made for them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from consent.answer import SIGNAL
from consent.banner import View
from consent.choice import Choice, Permissions, Signals, answers, matches
from consent.exchange import Request
from consent.locale import negotiate

if TYPE_CHECKING:
    from consent.engine import Engine

MESSAGES = frozenset(
    {"accepted", "refused", "saved", "withdrawn", "embedded", "not-recorded", "outdated", "cross-site", "erased",
     "not-erased"}
)  # fmt: skip
"""What the cookie may say that takes a message to the next page. That a signal was heeded, each page finds out."""
SIGNAL_RESOURCE = "/.well-known/gpc.json"
REPORT = "report"
_ASSET_TYPES = ("text/css", "image/", "audio/", "video/", "font/")
_ASSET = re.compile(
    r"\.(?:css|m?js|json|map|wasm|png|jpe?g|gif|webp|avif|ico|woff2?|ttf|otf|mp[34]|webm|ogg|pdf|zip)\Z", re.IGNORECASE
)


class Visit:
    """What the engine knows of one request, and what a template may ask of it.

    The strings that :meth:`notice` and its like return are safe HTML. ``choice`` and ``permissions`` are worked out
    when somebody first asks for them: most requests are for files, which don't depend on them. ``has_other`` says that
    what the browser asks to have confirmed is known to be no page. ``app_locale`` is the language that the application
    chose for this page, or that one of ours was asked for in.
    """

    def __init__(
        self,
        engine: Engine,
        request: Request,
        *,
        signals: Signals,
        choice: Choice | None = None,
        permissions: Permissions | None = None,
        message: str = "",
        visitor: Visit | None = None,
    ) -> None:
        self.engine = engine
        self.request = request
        self.signals = signals
        if choice is not None:
            self.choice = choice
        if permissions is not None:
            self.permissions = permissions
        self.message = message if message in MESSAGES else ""
        self.shared = visitor is not None
        self._visitor = visitor
        self.has_other = False
        self.app_locale: str | None = None
        self.placed: set[str] = set()
        self._views: dict[str | None, View] = {}

    @cached_property
    def choice(self) -> Choice:
        """What the visitor's cookie says they answered."""
        return self.engine.jar.read(self.request)

    @cached_property
    def permissions(self) -> Permissions:
        """What may run on this page."""
        return self.engine.permit(self.choice, self.signals, path=self.request.path)

    @property
    def visitor(self) -> Permissions:
        """What the visitor allows, also where the page is everybody's."""
        return self.permissions if self._visitor is None else self._visitor.permissions

    @property
    def prefix(self) -> str:
        """The path below which our own pages are, ``SCRIPT_NAME`` included, as it stands in an address."""
        return self.request.mount + self.engine.policy.ask.prefix

    @property
    def endpoint(self) -> str | None:
        """The part of the path after the prefix if this request is for us, else ``None``."""
        prefix, path = self.engine.policy.ask.prefix, self.request.path
        if path == SIGNAL_RESOURCE and not self.request.root and self.engine.signalled:
            return path
        if path == prefix.rstrip("/"):
            return ""
        return path.removeprefix(prefix) if path.startswith(prefix) else None

    @property
    def takes_body(self) -> bool:
        """Whether the body of this request is for us to read."""
        return self.endpoint in ("", REPORT)

    @property
    def records_at_close(self) -> bool:
        """Whether closing this visit may have a decision recorded, which takes as long as the disk does."""
        return self.message == SIGNAL

    @property
    def may_archive(self) -> bool:
        """Whether the page may show what has to be archived first, which takes as long as the disk does."""
        return len(self.permissions.allowed) < len(self.engine.policy.services)

    @property
    def is_top_level(self) -> bool | None:
        """Whether the page will be a tab's own document; ``None`` if only its markup can tell."""
        if self.shared:
            return None
        if destination := self.request.get("sec-fetch-dest"):
            return destination == "document"
        if any(self.request.get(name) for name in ("hx-request", "turbo-frame", "x-requested-with")):
            return False
        return None

    @property
    def may_be_page(self) -> bool:
        """Whether the browser may show the response as HTML, so that validators and encodings need care.

        Browsers of before 2023 don't say what they want it for; then what they accept and the path's ending tell.
        """
        if destination := self.request.get("sec-fetch-dest"):
            return destination in ("document", "iframe", "frame", "object", "embed", "empty")
        return not (self.request.get("accept").startswith(_ASSET_TYPES) or _ASSET.search(self.request.path))

    @cached_property
    def asking(self) -> tuple[str, ...]:
        """The optional services to ask about now, in the policy's order: what is unanswered, or newly signalled."""
        open_questions = self.permissions.unasked | self.permissions.gpc_denied
        if self.signals.gpc and self.engine.market.signal_settles:
            open_questions -= self.engine.signalled
        return tuple(key for key in self.engine.policy.current.keys if key in open_questions)

    @property
    def app_permissions(self) -> Permissions:
        """What the application may know: on shared pages nothing of the visitor, as others will read what it writes."""
        return self.permissions if self.may_be_page else self.visitor

    @property
    def wants_notice(self) -> bool:
        """Whether a notice belongs on this page by itself."""
        policy = self.engine.policy
        return (
            bool(self.asking)
            and policy.ask.placement == "auto"
            and self.engine.mode != "closed"
            and not matches(self.request.path, policy.ask.skip)
        )

    @cached_property
    def variant(self) -> str:
        """Ten hex digits that differ wherever the same page would differ for two visitors."""
        facts = (
            self.engine.policy.digest(),
            self.engine.software,
            sorted(self.permissions.allowed),
            self.asking,
            self.message,
            self.signals.gpc,
            "" if self.shared else self.request.get("accept-language"),
            "" if self.shared else self.request.get("sec-fetch-dest"),
        )
        return hashlib.sha256(repr(facts).encode()).hexdigest()[:10]

    def view(self, page_language: str | None = None, **changes: Any) -> View:
        """What the banner needs to know to write for this visitor, on a page in ``page_language``.

        The same one throughout a page, as it numbers the page's frames.
        """
        if changes:
            return replace(self.view(page_language), **changes)
        if page_language not in self._views:
            self._views[page_language] = self._make_view(page_language)
        return self._views[page_language]

    def _make_view(self, page_language: str | None) -> View:
        policy, request = self.engine.policy, self.request
        locale = negotiate(
            policy,
            page=page_language,
            app=self.app_locale,
            accept_language="" if self.shared else request.get("accept-language"),
        )
        standing = self._standing_choice
        return View(
            locale=locale,
            permissions=self.permissions,
            choice=standing,
            prefix=self.prefix,
            next=request.target.partition("?")[0] if self.shared else request.target,
            asking=self.asking,
            message=self.message,
            gpc=self.signals.gpc,
            host=request.host,
            receipt=standing.receipt or "",
            scope=policy.ask.cookie_domain,
            shared=self.shared,
            gpc_denied=tuple(key for key in policy.current.keys if key in self._signalled),
        )

    @property
    def _signalled(self) -> frozenset[str]:
        """The services that the browser's signal keeps off."""
        return self.engine.signalled - self.permissions.allowed if self.signals.gpc else frozenset()

    @cached_property
    def _standing_choice(self) -> Choice:
        answered, _ = answers(self.engine.policy, self.choice, today=self.engine.today())
        return self.choice if answered else Choice.none()

    # For the gate

    def inserted(self, lang: str | None) -> bytes:
        """What stands first in the body of this page, whose own language is ``lang``."""
        if "notice" in self.placed or self.engine.policy.ask.placement == "template":
            return b"" if "head" in self.placed else self.engine.banner.head(self.view(lang))
        return self._top(lang, notice=self.wants_notice)

    def footer(self, lang: str | None) -> bytes:
        """The settings link, unless a template has placed one."""
        if "settings" in self.placed or self.engine.policy.ask.placement == "template":
            return b""
        return self.engine.banner.settings_link(self.view(lang))

    def _top(self, lang: str | None, *, notice: bool) -> bytes:
        view, banner = self.view(lang), self.engine.banner
        parts = [banner.head(view)]
        if view.message:
            parts.append(banner.confirmation(view))
        if notice:
            self.engine.exhibits.keep(banner.artefact(view))
            parts.append(banner.notice(view))
        return b"".join(parts)

    # For templates

    def allows(self, key: str) -> bool:
        """Whether the service, or every service of the category, may run; see :meth:`Permissions.allows`."""
        return self.permissions.allows(key)

    def notice(self, lang: str | None = None) -> str:
        """The notice, or the confirmation of the answer just given, or nothing: for ``placement = "template"``."""
        self.placed |= {"head", "notice"}
        return self._top(lang, notice=bool(self.asking) and self.engine.mode != "closed").decode("ascii")

    def settings_link(self, lang: str | None = None) -> str:
        """A link to the preferences page; once placed, none is put into the footer."""
        self.placed.add("settings")
        return self.engine.banner.settings_link(self.view(lang)).decode("ascii")

    def embed(self, key: str, ident_or_url: str, *, lang: str | None = None, **attributes: str) -> str:
        """A service's embed if it is allowed, else its placeholder of the same size."""
        self.engine.policy.service(key)
        view = self.view(lang)
        if not self.permissions.allows(key):
            self.engine.exhibits.keep(self.engine.banner.artefact(view))
        return self.engine.banner.embed(view, key, ident_or_url, **attributes).decode("ascii")

    def declaration(self, lang: str | None = None) -> str:
        """The table of all services and what they store, for the privacy page."""
        return self.engine.banner.declaration(self.view(lang)).decode("ascii")
