"""The gate: a page for one visitor, with everything inert that they have not agreed to."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from consent.choice import Permissions
from consent.gate.charset import Encoding
from consent.gate.embed import Embed
from consent.gate.encodings import Transcoder
from consent.gate.inline import Signatures
from consent.gate.markup import KINDS, Markup
from consent.gate.match import Matcher, Verdict
from consent.gate.page import Blocked, Page, untold
from consent.gate.placement import Insert
from consent.gate.stream import Stream
from consent.gate.urls import parse_base, resolve
from consent.names import HOST, as_key
from consent.policy import Policy, Service

_log = logging.getLogger("consent")
_DEPTH: Final = 8
_TOLD: Final = 1000
_KEPT: Final = 256


class Gate:
    """A policy, compiled once to rewrite any number of pages; thread-safe.

    Only insertions are made, so that every byte of the page is still there, in its order. The same page, twice
    rewritten, is as after the first time.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._matcher = Matcher(policy)
        self._signatures = Signatures(policy)
        self._told: set[str] = set()
        self._pages: dict[tuple[frozenset[str], str, str, int | None, str], Page] = {}

    def rewrite(
        self,
        html: bytes,
        permissions: Permissions,
        *,
        base_url: str,
        content_type: str = "text/html; charset=utf-8",
        insert: Insert = b"",
        footer: Insert = b"",
        placeholder: Callable[[Embed], bytes] | None = None,
        report: Callable[[Blocked], None] | None = None,
    ) -> bytes:
        """The whole body for this visitor; ``html`` itself where nothing is to be changed.

        ``insert`` goes where the body opens and ``footer`` into the page's own footer: ASCII markup, or what makes it
        from the page's language. ``placeholder`` makes the markup before a blocked :class:`Embed`; empty means none.
        ``report`` hears of each thing blocked and of each undeclared one that passes. A body in an encoding that
        can't be read is answered with an empty one.
        """
        encoding = Encoding.of(content_type, html[:4])
        stream = _reader(content_type)(
            self._page(permissions, base_url, encoding.text),
            insert=insert, footer=footer, placeholder=placeholder, report=report,
        )  # fmt: skip
        if encoding.transcoded:
            transcoder = Transcoder(stream, content_type)
            return transcoder.feed(html) + transcoder.close()
        return stream.whole(encoding.guarded(html))

    def stream(
        self,
        permissions: Permissions,
        *,
        base_url: str,
        content_type: str = "text/html; charset=utf-8",
        insert: Insert = b"",
        footer: Insert = b"",
        placeholder: Callable[[Embed], bytes] | None = None,
        report: Callable[[Blocked], None] | None = None,
    ) -> Transcoder:
        """The same in pieces, with ``feed(bytes) -> bytes`` and ``close() -> bytes``; holds back one tag at most."""
        page = self._page(permissions, base_url, Encoding.of(content_type, b"").text)
        stream = _reader(content_type)(page, insert=insert, footer=footer, placeholder=placeholder, report=report)
        return Transcoder(stream, content_type)

    def verdict(self, url: str, *, base_url: str) -> Verdict:
        """Whose ``url`` is on the page at ``base_url``: local, first-party, a service's, or undeclared."""
        base = parse_base(base_url)
        target = resolve(url, base)
        return self._matcher.verdict(target, own=base.host) if target else Verdict(kind="local")

    def service_of(self, url: str, *, base_url: str) -> Service | None:
        """The service that ``url`` belongs to, or ``None``."""
        services = self.verdict(url, base_url=base_url).services
        return services[0] if services else None

    def page(self, permissions: Permissions, *, base_url: str) -> Page:
        """What is permitted on one page, for those who gate something else of it than its body."""
        return self._page(permissions, base_url, "utf-8")

    def _page(self, permissions: Permissions, base_url: str, codec: str) -> Page:
        base = parse_base(base_url)
        kind = permissions.allowed, base.scheme, base.host, base.port, codec
        known = self._pages.get(kind)
        if known is not None:
            return known.at(base)
        page = Page(
            self._matcher, self._signatures, permissions, self.policy.ask.undeclared, [base],
            codec, nested=self._nested, told=self._tell,
        )  # fmt: skip
        if len(self._pages) >= _KEPT:
            self._pages.clear()
        self._pages[kind] = page
        return page

    def _nested(self, html: bytes, outer: Page, codec: str, kind: str) -> tuple[bytes, list[Blocked]]:
        """A document inside a document, and what in it is blocked or undeclared; too deep a one is blocked whole."""
        if outer.depth >= _DEPTH:
            return b"", [untold("iframe")]
        said: list[Blocked] = []
        return _reader(kind)(outer.within(codec), report=said.append).whole(html), said

    def _tell(self, finding: Blocked) -> None:
        if finding.host in self._told or len(self._told) >= _TOLD:
            return
        self._told.add(finding.host)
        if not finding.url:
            _log.warning("The page has what can't be told before it is loaded (%s); it was made inert.", finding.host)
            return
        blocked = "; it was blocked" if finding.blocked else ""
        if not HOST.fullmatch(finding.host):
            _log.warning(
                "The page loads from %s, which consent.toml does not declare%s. It can't, as that is no host name.",
                finding.host, blocked,
            )  # fmt: skip
            return
        _log.warning(
            "The page loads from %s, which consent.toml does not declare%s. To declare it, add:\n"
            '[[service]]\nkey = "%s"\ncategory = "functional"\nname = "%s"\npurpose = "…"\nprovider = "…"\n'
            'load = ["%s"]',
            finding.host, blocked, as_key(finding.host, taken=self.policy.keys), finding.host, finding.host,
        )  # fmt: skip


@lru_cache(maxsize=256)
def _reader(content_type: str) -> type[Stream | Markup]:
    return Markup if KINDS.match(content_type) else Stream
