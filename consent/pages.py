"""Our own pages below ``/consent/``: preferences, the wrapper around an embed, state, and static files."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, unquote

from consent import csp, reports
from consent.banner import address
from consent.errors import NotRecorded
from consent.exchange import PLAIN, Response, local_target
from consent.flood import WINDOW
from consent.forms import parse_form
from consent.headers import Fields
from consent.market import SIGNAL_READ_ON
from consent.register import FORMS
from consent.visit import REPORT, SIGNAL_RESOURCE

if TYPE_CHECKING:
    from consent.engine import Engine
    from consent.visit import Visit

_OWN_CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'; "
    "require-trusted-types-for 'script'; trusted-types consentry"
)
_log = logging.getLogger("consent")
_YEAR: Final = "public, max-age=31536000, immutable"


class Pages:
    """Answers requests for our own endpoints; knows no markup and decides nothing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def answer(self, visit: Visit, body: bytes = b"") -> Response | None:
        """The response if this request is for us, else ``None``. ``body`` is that of a POST."""
        content_type = visit.request.get("content-type")
        visit.app_locale = (parse_qs(visit.request.query).get("lang") or [""])[0] or None
        match visit.endpoint, visit.request.method:
            case "", "GET" | "HEAD":
                return self.preferences(visit)
            case "", "POST":
                return self._engine.choose(visit, parse_form(content_type, body))
            case "report", "POST":
                return self._report(content_type, body)
            case "state", "GET" | "HEAD":
                return self._state(visit)
            case "embed", "GET" | "HEAD":
                return self._embed(visit)
            case "receipt", "GET" | "HEAD":
                return self._receipt(visit)
            case name, "GET" | "HEAD" if name == SIGNAL_RESOURCE:
                return self._signal()
            case (("" | "state" | "embed" | "receipt" | "report"), _):
                allowed = {"": "GET, HEAD, POST", REPORT: "POST"}.get(visit.endpoint or "", "GET, HEAD")
                return Response(status=405, fields=[("Allow", allowed), *PLAIN])
            case str(name), "GET" | "HEAD" if name.startswith("static/"):
                return self._static(name.removeprefix("static/"))
        return None

    def preferences(self, visit: Visit) -> Response:
        """The preferences page: everything that can be allowed or refused, and the present state of it."""
        engine, query = self._engine, parse_qs(visit.request.query)
        target = local_target((query.get("next") or [""])[0], fallback=visit.prefix)
        view = visit.view(next=target).asking_all(engine.policy)
        engine.exhibits.keep(engine.banner.artefact(view))
        spoken = engine.jar.unsay(visit.request) if visit.message else []
        return self._html(engine.banner.preferences(view), 200, [*spoken, *engine.closer.expiry(visit)])

    def message(self, visit: Visit, title: str, *, status: int, **changes: str) -> Response:
        """A plain page that says what happened and what to do, and asks again where that helps."""
        engine = self._engine
        fields: Fields = []
        if title == "cross-site":
            changes["token"], fields = engine.jar.introduce(visit.request)
        elif status == 429:
            fields = [("Retry-After", str(round(WINDOW)))]
        view = visit.view(next=visit.prefix, **changes)
        engine.exhibits.keep(engine.banner.artefact(view.asking_all(engine.policy)))
        return self._html(engine.banner.plain(view, title), status, fields)

    def _html(self, page: str, status: int, more: list[tuple[str, str]]) -> Response:
        return Response(
            status=status,
            fields=[
                ("Content-Type", "text/html; charset=utf-8"),
                ("Cache-Control", "no-store"),
                ("Content-Security-Policy", _OWN_CSP),
                ("Referrer-Policy", "same-origin"),
                ("X-Content-Type-Options", "nosniff"),
                ("X-Robots-Tag", "noindex"),
                *more,
            ],
            body=page.encode(),
        )

    def _state(self, visit: Visit) -> Response:
        """What a page's script asks for; the one response on which shared pages set and end cookies.

        With a ``path`` below the site's root as the query it says that page's policy as well.
        """
        engine, fields = self._engine, [("Content-Type", "application/json"), ("Cache-Control", "no-store")]
        if visit.permissions.gpc_denied:
            fields += engine.heed(visit)
        if engine.policy.ask.pages == "shared":
            fields += [*engine.seen(visit), *engine.closer.expiry(visit)]
        state = {
            "granted": sorted(visit.permissions.granted),
            "version": engine.policy.current.version,
            "chosen": visit.choice.made,
            "asking": bool(visit.asking),
        }
        for path in parse_qs(visit.request.query).get("path", [])[:1]:
            page, root = unquote(path), visit.request.root
            inner = page.removeprefix(root) if page.startswith(f"{root}/") else page
            state["policy"] = engine.closer.page_policy(visit, inner)
        return Response(status=200, fields=fields, body=json.dumps(state).encode())

    def _report(self, content_type: str, body: bytes) -> Response:
        """Count what the second policy stopped. Whoever sends it, and whatever: never an error."""
        for violation in reports.read(content_type, body):
            self._engine.register.count("csp", str(violation))
        return Response(status=204, fields=[("Cache-Control", "no-store")])

    def _receipt(self, visit: Visit) -> Response:
        """A visitor's own records as a file. The receipt's number is read from the cookie and never from a URL."""
        form = (parse_qs(visit.request.query).get("form") or ["text"])[0]
        view = visit.view()
        if form not in FORMS or not view.receipt:
            return self.message(visit, "no-receipt", status=404)
        try:
            body = self._engine.register.receipt(view.receipt, form, locale=view.locale)
        except NotRecorded as error:
            _log.error("A receipt could not be read: %s", error)
            return self.message(visit, "not-recorded", status=503)
        if body is None:
            return self.message(visit, "no-receipt", status=404)
        kind, ending = FORMS[form]
        fields = [
            ("Content-Type", kind),
            ("Content-Disposition", f'attachment; filename="consent-receipt.{ending}"'),
            ("Cache-Control", "no-store"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            ("X-Content-Type-Options", "nosniff"),
        ]
        return Response(status=200, fields=fields, body=body)

    def _signal(self) -> Response:
        """The statement that Global Privacy Control is followed (W3C GPC, support resource)."""
        state = {"gpc": True, "lastUpdate": SIGNAL_READ_ON.isoformat()}
        fields = [("Content-Type", "application/json"), ("Cache-Control", "public, max-age=86400")]
        return Response(status=200, fields=fields, body=json.dumps(state).encode())

    def _static(self, name: str) -> Response:
        found = self._engine.banner.static(name)
        if found is None:
            return Response(status=404, fields=PLAIN)
        body, content_type = found
        fields = [("Content-Type", content_type), ("Cache-Control", _YEAR), ("X-Content-Type-Options", "nosniff")]
        return Response(status=200, fields=fields, body=body)

    def _embed(self, visit: Visit) -> Response:
        query = parse_qs(visit.request.query)
        key, asked, leave = ((query.get(name) or [""])[0] for name in ("service", "url", "token"))
        engine = self._engine
        url = address.declared(engine.gate, key, asked, base_url=visit.request.base_url)
        if not url:
            return self.message(visit, "unknown-embed", status=400)
        service = engine.policy.service(key)
        scope = engine.jar.scope(visit.request)
        if key not in visit.permissions.allowed and not engine.token.permits(
            leave, key, url, scope=scope, today=engine.today()
        ):
            return self.message(visit, "not-granted", status=403)
        page = engine.banner.wrapper(
            service=key, url=url, title=service.name, locale=visit.view().locale, prefix=visit.prefix
        )
        return Response(
            status=200,
            fields=[
                ("Content-Type", "text/html; charset=utf-8"),
                ("Cache-Control", "no-store"),
                ("Content-Security-Policy", csp.for_embed(service, url)),
                ("Referrer-Policy", "strict-origin-when-cross-origin"),
                ("X-Content-Type-Options", "nosniff"),
                ("X-Robots-Tag", "noindex"),
            ],
            body=page.encode(),
        )
