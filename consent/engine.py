"""The story of a request: open, close, choose. Nobody else decides anything."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final, Self

from consent import headers
from consent._version import __version__
from consent.answer import SIGNAL
from consent.banner import Banner
from consent.choice import Choice, Permissions, Signals, decide
from consent.choosing import Chooser
from consent.closing import Closer, Closing
from consent.config import load
from consent.decision import Recorder
from consent.errors import ConfigError
from consent.exchange import Request, Response
from consent.exhibits import Exhibits
from consent.forms import Form
from consent.gate import Gate
from consent.headers import Fields
from consent.jar import Jar
from consent.market import profile
from consent.pages import Pages
from consent.policy import Policy
from consent.register import Register
from consent.token import Token
from consent.visit import Visit

MODES: Final = ("", "observe", "closed")


class Engine:
    """Opens visits, closes responses, and takes choices, for one site."""

    def __init__(
        self,
        policy: Policy,
        *,
        secret_key: str | bytes | Sequence[str | bytes],
        recorder: Recorder,
        https: bool | str = "auto",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        debug: bool = False,
        templates: Path | None = None,
    ) -> None:
        self.policy = policy
        self.debug = debug
        self.mode = os.environ.get("CONSENT_MODE", "")
        if self.mode not in MODES:
            raise ConfigError.of("E902", f"CONSENT_MODE is {self.mode!r}.", "Set it to observe or closed, or unset it.")
        if https not in (True, False, "auto"):
            raise ConfigError.of("E903", f"https is {https!r}.", 'Pass True (visitors come by https), False or "auto".')
        self.market = profile(policy.site.market)
        self.signalled = frozenset(service.key for service in policy.optional if service.gpc)
        self.software = f"consentry {__version__}"
        self.token = Token(secret_key)
        self.jar = Jar(policy, self.token)
        self.gate = Gate(policy)
        self.banner = Banner(policy, templates=templates)
        self.exhibits = Exhibits(recorder)
        self.recorder = recorder
        self.pages = Pages(self)
        self.closer = Closer(self, clock=clock)
        self.register = Register(self, recorder, clock=clock)
        self._chooser = Chooser(self, self.register)
        self._https = https
        self._clock = clock

    @classmethod
    def starting(
        cls,
        policy: Policy | str | Path,
        *,
        secret_key: str | bytes | Sequence[str | bytes],
        log: str | Recorder | None,
        https: bool | str = "auto",
        debug: bool = False,
        templates: Path | None = None,
    ) -> Self:
        """The engine for a site as adapters start it: the policy loaded, the log opened.

        ``templates`` is a folder whose files replace those of the same name among our own; it is trusted.

        Raises :class:`ConfigError` with what is wrong and how to mend it.
        """
        loaded = policy if isinstance(policy, Policy) else load(policy)
        if log is None:
            raise ConfigError.of(
                "E904",
                "There is no consent log, and nothing may be granted without proof (GDPR Art. 7(1)).",
                'Pass log="sqlite:////path/to/consent.db", or log="memory://" in tests.',
            )
        if isinstance(log, str):
            from consent.log import open_recorder

            log = open_recorder(log)
        elif not callable(getattr(log, "record", None)):
            raise ConfigError.of(
                "E906", f"The consent log is {log!r}.", 'Pass an address such as "sqlite:////path/to/consent.db".'
            )
        return cls(loaded, secret_key=secret_key, recorder=log, https=https, debug=debug, templates=templates)

    def open(self, request: Request) -> Visit:
        """What this visitor allows, from cookie, signals and policy. Whatever is wrong with either means: nothing."""
        if self._https is True:
            request = replace(request, scheme="https")
        signals = headers.signals(request.fields.get("sec-gpc"), request.fields.get("dnt"))
        visit = Visit(self, request, signals=signals, message=self.jar.said(request))
        return visit if visit.endpoint is not None else self.pass_on(visit)

    def pass_on(self, visit: Visit) -> Visit:
        """The visit as the application may know it, also of a path below our own that we don't answer."""
        if self.policy.ask.pages == "shared":
            return self._anonymous(visit)
        if visit.signals.gpc and not visit.message and visit.permissions.gpc_denied:
            visit.message = SIGNAL
        return visit

    def permit(self, choice: Choice, signals: Signals, *, path: str) -> Permissions:
        """What may run on this path for whoever answered and signals this."""
        counts = Choice.none() if self.mode == "closed" else choice
        permissions = decide(self.policy, counts, signals, today=self.today(), path=path)
        return replace(permissions, debug=True) if self.debug else permissions

    def _anonymous(self, visit: Visit) -> Visit:
        """The visit as everybody's: nothing in the page may depend on who asks for it."""
        return Visit(self, visit.request, choice=Choice.none(), signals=Signals(), visitor=visit)

    def revisit(self, visit: Visit, choice: Choice) -> Visit:
        """The same visit after another choice."""
        permissions = decide(self.policy, choice, visit.signals, today=self.today(), path=visit.request.path)
        return Visit(self, visit.request, choice=choice, signals=visit.signals, permissions=permissions)

    def app_fields(self, visit: Visit) -> dict[str, str]:
        """The request fields that the application must see otherwise: lower-case name to new value, empty to drop.

        Cookies of refused services are hidden; validators of another visitor's page are not honoured where that would
        show it, and understood where somebody writes (RFC 9110 section 13.1); and only encodings are asked for that
        the gate can read.
        """
        request, changed = visit.request, dict[str, str]()
        if self.mode == "observe":
            return changed
        if jar := request.get("cookie"):
            closer = self.closer
            shown = headers.hide_cookies(
                jar, lambda name: closer.knows(name) and closer.hides(name, visit.app_permissions)
            )
            if shown != jar:
                changed["cookie"] = shown
        if tags := request.get("if-match"):
            changed["if-match"] = headers.original_tags(tags)
        if request.method not in ("GET", "HEAD"):
            if tags := request.get("if-none-match"):
                changed["if-none-match"] = headers.original_tags(tags)
        elif visit.may_be_page:
            changed |= self._validators(visit)
        if visit.may_be_page and (coding := request.get("accept-encoding")):
            changed["accept-encoding"] = "gzip" if headers.takes_gzip(coding) else "identity"
        return changed

    def _validators(self, visit: Visit) -> dict[str, str]:
        """The validators to ask the application with: of what is known to be no page, or of this visitor's page."""
        request = visit.request
        tags, date = request.get("if-none-match"), request.get("if-modified-since")
        if not (tags or date):
            return {}
        visit.has_other, known = self.closer.others.known(request)
        if visit.has_other:
            return known
        return {"if-none-match": tags and headers.own_validators(tags, visit.variant), "if-modified-since": ""}

    def close(self, visit: Visit, status: int, fields: Fields) -> Closing:
        """The response as this visitor may get it: cookies filtered, policy tightened, private, and gated."""
        return self.closer.close(visit, status, fields)

    def choose(self, visit: Visit, form: Form) -> Response:
        """Take a visitor's answer: recorded durably first, then signed into the cookie, then confirmed."""
        return self._chooser.choose(visit, form)

    def heed(self, visit: Visit) -> Fields:
        """End what the browser's privacy signal ends for this visitor: the fields that take the grant back."""
        return self._chooser.heed(visit)

    def seen(self, visit: Visit) -> Fields:
        """The field by which shared pages hide their notice from this visitor, or show it again."""
        version = "" if visit.asking else self.policy.current.version
        return self.jar.see(visit.choice, visit.request, version=version, today=self.today())

    def today(self) -> date:
        """The present UTC day."""
        return self._clock().date()
