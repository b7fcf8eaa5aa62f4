"""The end of a visit: the application's response as this visitor may get it."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from consent import csp, headers
from consent.answer import SIGNAL
from consent.banner import address
from consent.body import XML, Body, Replaced, Stream, Watched, Way
from consent.choice import Choice, Permissions, Signals
from consent.coding import can_unpack, codings
from consent.exchange import Request
from consent.gate import Blocked, Embed
from consent.gate.fields import gate_fields
from consent.headers import CookieRules, Fields
from consent.revalidation import Others
from consent.visit import REPORT, Visit

if TYPE_CHECKING:
    from consent.engine import Engine

_VARY: Final = ("Cookie", "Sec-GPC", "Sec-Fetch-Dest", "Accept-Language")
_MOST_TOLD: Final = 1000
_HTML: Final = frozenset({"text/html", "application/xhtml+xml"})
# What a browser looks into before it believes it (WHATWG MIME Sniffing, section 7; the last is Firefox's own name).
_UNKNOWN: Final = frozenset({"", "unknown/unknown", "application/unknown", "application/x-unknown-content-type"})
# Documents that can load things where they are opened, and data or pictures elsewhere.
_XML: Final = frozenset({XML, "application/xml", "text/xsl"})
# Pictures that replace each other, and pages in Firefox and WebKit, which hold them to the policy of the whole.
_PARTS: Final = "multipart/x-mixed-replace"
# Scripts that run outside of every page, under the policy that they come with.
_WORKERS: Final = frozenset({"worker", "sharedworker", "serviceworker"})
_MARKUP: Final = re.compile(r"html|xml", re.IGNORECASE)
_PAGE_FILE: Final = re.compile(r"\.(?:x?html?|xml|svgz?|xsl)(?:\?|\Z)", re.IGNORECASE)
_XSL: Final = re.compile(r"\A\s*text/xsl", re.IGNORECASE)  # Chromium's name for it, and nobody else's
_OPENED: Final = frozenset({"document", "iframe", "frame", "object", "embed"})
# Fields that a browser follows, whatever it is that comes with them.
_CONTACTING: Final = frozenset({
    "link", "refresh", "speculation-rules", "reporting-endpoints", "report-to", "nel", "content-security-policy",
    "content-security-policy-report-only",
})  # fmt: skip
# Fields by which a server in front sends a file of its own instead of the body (nginx, Apache, lighttpd, LiteSpeed).
_ELSEWHERE: Final = ("x-accel-redirect", "x-sendfile", "x-lighttpd-send-file", "x-litespeed-location")
OF_THE_BODY: Final = (
    "content-length", "content-encoding", "accept-ranges", "content-md5", "digest", "repr-digest", "content-digest",
)  # fmt: skip
_log = logging.getLogger("consent")


@dataclass(frozen=True, slots=True)
class Closing:
    """How a response goes out: its fields, and what its body must pass through, if anything."""

    fields: Fields
    body: Way | None


class Closer:
    """Filters cookies, tightens the policy, makes pages private, and opens the gate for HTML bodies."""

    def __init__(self, engine: Engine, *, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._clock = clock
        self._rules = CookieRules(engine.policy)
        self._csp_name = csp.header_name(engine.policy)
        self._declared = frozenset(service.key for service in engine.policy.services)
        self._told: set[str] = set()
        self.others = Others()

        @lru_cache(maxsize=512)
        def tightening(allowed: frozenset[str], host: str, report_uri: str) -> str:
            permissions = Permissions(policy=engine.policy, allowed=allowed)
            return csp.tightening(engine.policy, permissions, host=host, report_uri=report_uri)

        self._tightening = tightening
        self.knows = lru_cache(maxsize=1024)(self._knows)

    def close(self, visit: Visit, status: int, fields: Fields) -> Closing:
        """The response as this visitor may get it. ``fields`` are the application's."""
        observing = self._engine.mode == "observe"
        kind, content_type = headers.content_type(fields)
        is_xml = kind in _XML or kind.endswith("+xml")
        is_page = kind in _HTML or (is_xml and _opens(visit)) or (kind in _UNKNOWN and status not in (204, 304))
        if observing:
            return Closing(fields, self._observed(visit, fields, content_type) if kind in _HTML else None)
        fields = self._own_cookies(visit, fields, is_page=is_page)
        if kind and content_type != headers.first(fields, "content-type"):
            fields = _typed(fields, content_type)
        if not is_page and (status != 304 or visit.has_other or not visit.may_be_page):
            if status == 200 and visit.may_be_page:
                self.others.note(visit.request, fields)
            return Closing(self._other_fields(visit, fields, is_xml=is_xml or kind == _PARTS), None)
        fields = self._page_fields(visit, status, fields)
        if status == 206 and not visit.request.get("range"):
            status = 200  # a part that nobody asked for is shown as a page
        if status < 200 or status in (204, 206, 304) or headers.is_download(fields):
            return Closing(fields, None)
        file = next((value for name, value in fields if name.lower() in _ELSEWHERE), "")
        if file and (kind not in _UNKNOWN or _PAGE_FILE.search(file)):
            return self._ungated(visit, fields, f"was to be sent by the server in front, from {file!r}")
        if visit.is_top_level is not False and _is_shown(visit.request, status):
            fields = [*fields, *self._said(visit)]
        return self._gated(visit, fields, kind, content_type)

    def informational(self, visit: Visit, fields: Fields) -> Fields:
        """What may be sent of these fields ahead of the response (RFC 8297): browsers follow links in them at once."""
        if self._engine.mode == "observe":
            return fields
        fields = self._own_cookies(visit, fields, is_page=True)
        return gate_fields(self._engine.gate, fields, visit.permissions, base_url=visit.request.base_url)

    def handshake(self, visit: Visit, fields: Fields) -> Fields:
        """The fields by which a websocket is accepted, without the cookies of refused services."""
        return fields if self._engine.mode == "observe" else self._own_cookies(visit, fields, is_page=False)

    def page_policy(self, visit: Visit, path: str) -> str:
        """The policy that a page of this ``path`` would be loaded with now; ``""`` where none is enforced."""
        if self._csp_name != csp.ENFORCED or self._engine.mode == "observe":
            return ""
        allowed = self._engine.permit(visit.choice, visit.signals, path=path).allowed
        return self._tightening(allowed, visit.request.host, "")

    def _knows(self, name: str) -> bool:
        """Whether any service declares a cookie of this name."""
        return bool(self._rules.services(name))

    def hides(self, name: str, permissions: Permissions) -> bool:
        """Whether a cookie of this name is kept from the application, as its services are all refused."""
        return self._rules.denies(name, permissions)

    def expiry(self, visit: Visit) -> Fields:
        """Set-Cookie fields that end what refused services have left in this visitor's jar."""
        request = visit.request
        jar = request.get("cookie")
        if not jar:
            return []
        names = [name for name, _ in headers.cookies(jar) if self.hides(name, visit.permissions)]
        return headers.expirations(names, self._rules, host=request.hostname, secure=request.scheme == "https")

    def _own_cookies(self, visit: Visit, fields: Fields, *, is_page: bool) -> Fields:
        if "set-cookie" not in [name.lower() for name, _ in fields]:
            return fields
        permissions = visit.permissions if is_page else visit.visitor
        now = self._clock()
        return [
            (name, value)
            for name, value in fields
            if name.lower() != "set-cookie" or headers.deletes(value, now=now) or self._may_set(value, permissions)
        ]

    def _may_set(self, set_cookie: str, permissions: Permissions) -> bool:
        name = headers.cookie_name(set_cookie)
        if not self._rules.services(name):
            self._tell(
                f"cookie {name}",
                f"The site sets a cookie {name!r} that no service declares; it passes. Declare it in a [[service]]: "
                f'storage = [{{ name = "{name}", kind = "cookie", lasts = "…", purpose = "…" }}]',
            )
        return not self.hides(name, permissions)

    def _other_fields(self, visit: Visit, fields: Fields, *, is_xml: bool) -> Fields:
        """The fields of what isn't a page: as it is the same for everybody, it may name whom everybody may contact.

        XML that may be kept as data must not be what somebody opens later, as that would be a page. A worker is held to
        what its visitor allows; but a service worker to what is declared, as it stays when an answer changes, and
        fetches for pages that have policies of their own.
        """
        destination = visit.request.get("sec-fetch-dest")
        if destination in _WORKERS and self._csp_name:
            is_common = visit.shared or destination == "serviceworker"
            if not is_common:
                fields = headers.private(fields, ("Cookie", "Sec-GPC"))
            policy = self._policy(visit, self._declared if is_common else visit.permissions.allowed)
            fields = [*headers.varied(fields, ("Sec-Fetch-Dest",)), policy]
        if not is_xml and _CONTACTING.isdisjoint([name.lower() for name, _ in fields]):
            return fields
        anybody = self._engine.permit(Choice.none(), Signals(), path=visit.request.path)
        fields = gate_fields(self._engine.gate, fields, anybody, base_url=visit.request.base_url)
        if not is_xml:
            return fields
        fields = headers.varied(fields, ("Sec-Fetch-Dest",) if destination else ("Sec-Fetch-Dest", "Accept"))
        return [*fields, self._policy(visit, anybody.allowed)] if self._csp_name else fields

    def _page_fields(self, visit: Visit, status: int, fields: Fields) -> Fields:
        if not visit.shared:
            fields = headers.private(fields, _VARY)
        fields = gate_fields(self._engine.gate, fields, visit.permissions, base_url=visit.request.base_url)
        etag = headers.first(fields, "etag")
        if etag is not None:
            fields = [*headers.without(fields, "etag"), ("ETag", headers.tag_variant(etag, visit.variant))]
        if status == 304:
            fields = headers.without(fields, *OF_THE_BODY)
        elif self._csp_name:  # on a shared page everything declared, as its script brings it alive
            fields.append(self._policy(visit, self._declared if visit.shared else visit.permissions.allowed))
        return fields if visit.shared else [*fields, *self.expiry(visit)]

    def _policy(self, visit: Visit, allowed: frozenset[str]) -> tuple[str, str]:
        return (self._csp_name or "", self._tightening(allowed, visit.request.host, f"{visit.prefix}{REPORT}"))

    def _gated(self, visit: Visit, fields: Fields, kind: str, content_type: str) -> Closing:
        packed = codings(headers.joined(fields, "content-encoding"))
        read_as = _XSL.sub(XML, content_type) or "text/html"
        visit.app_locale = visit.app_locale or headers.first(fields, "content-language")
        if not can_unpack(packed):
            return self._ungated(visit, fields, f"came from the application as {', '.join(packed)!r}")
        fields = headers.without(fields, *OF_THE_BODY)
        body = Body(
            lambda is_document, told: self._stream(visit, told or read_as, is_document),
            packed=packed,
            sniff=kind in _UNKNOWN,
            settled=visit.is_top_level is not None,
            unreadable=self._unreadable(visit) if packed else b"",
        )
        return Closing(fields, body)

    def _ungated(self, visit: Visit, fields: Fields, how: str) -> Closing:
        """A plain message in place of a page that can't be gated."""
        _log.error("A page %s, which can't be read and so not gated.", how)
        return Closing(headers.without(fields, *OF_THE_BODY, *_ELSEWHERE), Replaced(self._unreadable(visit)))

    def _said(self, visit: Visit) -> Fields:
        """What follows from a page that a visitor will see: its message isn't said again."""
        if visit.message == SIGNAL:
            return self._engine.heed(visit)
        if visit.signals.gpc and self._engine.signalled:
            self._engine.register.count("gpc")
        return self._engine.jar.unsay(visit.request) if visit.message else []

    def _unreadable(self, visit: Visit) -> bytes:
        return self._engine.banner.plain(visit.view(), "unreadable").encode()

    def _observed(self, visit: Visit, fields: Fields, content_type: str) -> Way | None:
        packed = codings(headers.joined(fields, "content-encoding"))
        if not can_unpack(packed):
            return None
        would = self._engine.gate.stream(
            visit.permissions, base_url=visit.request.base_url, content_type=content_type, report=self._would_block
        )
        return Watched(Body(lambda *_: would, packed=packed))

    def _stream(self, visit: Visit, content_type: str, is_document: bool | None) -> Stream:
        engine = self._engine
        top_level = visit.is_top_level if visit.is_top_level is not None else is_document
        inserts = bool(top_level) and bool(engine.policy.optional) and "xml" not in content_type
        return engine.gate.stream(
            visit.permissions,
            base_url=visit.request.base_url,
            content_type=content_type,
            insert=visit.inserted if inserts else b"",
            footer=visit.footer if inserts else b"",
            placeholder=lambda embed: self._placeholder(visit, embed),
        )

    def _placeholder(self, visit: Visit, embed: Embed) -> bytes:
        if not address.is_web(embed.url):
            return b""  # nobody could load it by agreeing
        view = visit.view(embed.lang)
        self._engine.exhibits.keep(self._engine.banner.artefact(view))
        return self._engine.banner.placeholder(view, embed)

    def _would_block(self, found: Blocked) -> None:
        if found.blocked:
            owner = found.service or "undeclared"
            self._tell(f"observe {owner} {found.host}", f"Would block <{found.tag}> from {found.host} ({owner}).")

    def _tell(self, key: str, text: str) -> None:
        if key not in self._told and len(self._told) < _MOST_TOLD:
            self._told.add(key)
            _log.warning("%s", text)


def _is_shown(request: Request, status: int) -> bool:
    """Whether somebody sees the page that is sent now."""
    return request.method != "HEAD" and not 300 <= status < 400 and "prefetch" not in request.get("sec-purpose")


def _typed(fields: Fields, content_type: str) -> Fields:
    """The fields with one Content-Type that all browsers read alike, where some would read a page."""
    if not _MARKUP.search(headers.joined(fields, "content-type")):
        return fields
    return [*headers.without(fields, "content-type"), ("Content-Type", content_type)]


def _opens(visit: Visit) -> bool:
    """Whether the browser will open the response as a document; old ones say what they accept, and nothing else."""
    if destination := visit.request.get("sec-fetch-dest"):
        return destination in _OPENED
    return "text/html" in visit.request.get("accept")
