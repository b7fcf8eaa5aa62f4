"""One page on its way to one visitor: what its URLs, style sheets and scripts may do there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from consent.choice import Permissions
from consent.gate import css, inline
from consent.gate.charset import readings, ways
from consent.gate.dataurls import DATA_URL, Content, bodies, contents
from consent.gate.evidence import marks, searches
from consent.gate.literals import Literals
from consent.gate.match import SERVICE, UNDECLARED, Matcher, Verdict
from consent.gate.references import decode
from consent.gate.search import Search
from consent.gate.srcset import candidates
from consent.gate.urls import Url, alone, resolve, squeezed
from consent.policy import Service

if TYPE_CHECKING:
    from consent.gate.starttag import StartTag

_SHEET = re.compile(r"data:[^,]*css", re.IGNORECASE)
_MARKUP = re.compile(r"text/|multipart/|message/|.*(?:html|xml|xsl|script)")
"""The types, in lower case, that a browser may open as a document with something in it, or take for code."""
_DEPTH = 8

_ADDRESS = re.compile(r"[a-zA-Z][a-zA-Z0-9+.\-]*:|[./\\]")
_WHOLE = re.compile(r"https?://[!-~]{,400}\Z")
_JUDGED = 2048
_SHORT = 256
"""The longest style sheet that is read at once, in bytes; of others it is seen first whether they name anybody."""
_MANY = 256
"""As many places of a style sheet as are looked at before it is read."""
_QUOTE = re.compile(rb"[\"'`]")
_JOINED = re.compile(rb"[\"'`]\s*+\+\s*+[\"'`]")
_QUOTES = 32
"""As many quotation marks of a ``javascript:`` URL with markup in it as are looked behind; one with more is blocked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """One thing that was blocked, or an undeclared third party that passes (``blocked=False``).

    ``url`` is absolute and ``host`` what it would have contacted; both are empty for an inline script.
    """

    service: str | None
    host: str
    url: str
    tag: str
    blocked: bool


def untold(tag: str) -> Blocked:
    """What is said of what is in another document too deep, or in such a way that nobody can tell what it holds."""
    return Blocked(service=None, host="nested", url="", tag=tag, blocked=True)


_UNKNOWN = Blocked(service=None, host="", url="", tag="", blocked=False)


@dataclass(slots=True)
class Page:
    """What a page may do; a relative URL is judged against all of ``bases``.

    Pages share one as long as they are alike: where a ``base`` element or an encoding makes a difference, a page goes
    on with another. ``tags`` are the start tags that were judged on it.
    """

    matcher: Matcher
    signatures: inline.Signatures
    permissions: Permissions
    undeclared: str
    bases: list[Url]
    codec: str = "utf-8"
    nested: Callable[[bytes, Page, str, str], tuple[bytes, list[Blocked]]] | None = None
    depth: int = 0
    told: Callable[[Blocked], None] | None = None
    denies_nothing: bool = False
    baseless: bool = False
    """Whether the base may be none, as a ``data:`` URL is: what is relative elsewhere may lead to a host here."""
    needles: tuple[bytes, ...] = ()
    """What inline scripts are looked through for."""
    words: tuple[bytes, ...] = ()
    """The same in lower case."""
    judged: dict[tuple[str, str], Blocked | None] = field(default_factory=dict)
    tags: dict[bytes, StartTag] = field(default_factory=dict)
    inner: dict[tuple[int, str, int, str], list[Blocked]] = field(default_factory=dict)
    """What was found in ``data:`` URLs, by the hash of each, as one may be long."""
    relative_matters: bool = field(init=False)
    searches: tuple[Search, ...] = field(init=False)
    hosts: tuple[str, ...] = field(init=False)
    """The site's own hosts, of which no service claims a part."""

    def __post_init__(self) -> None:
        policy = self.permissions.policy
        self.denies_nothing = self.undeclared != "block" and all(
            s.key in self.permissions.allowed for s in policy.services
        )
        self.needles = self.signatures.needles(self.permissions.allowed)
        self.words = tuple({needle.lower() for needle in self.needles})
        self._weigh()

    def at(self, base: Url) -> Page:
        """The same for a page of this host at ``base``; where it is makes a difference to relative URLs that matter."""
        if not self.relative_matters:
            return self
        page = self._again()
        page.bases = [base]
        return page

    def read_as(self, codec: str) -> Page:
        """The same, written in ``codec``."""
        if codec == self.codec:
            return self
        page = self._again()
        page.codec = codec
        return page

    def with_bases(self, urls: list[Url]) -> Page:
        """The same where relative URLs may go to these places too."""
        places = [url for url in urls if url.host]
        page = self if len(places) == len(urls) else self.in_itself()
        bases = list(dict.fromkeys((*self.bases, *places)))
        if len(bases) > len(self.bases):
            page = page._again()
            page.bases = bases
            page._weigh()
        return page

    def within(self, codec: str) -> Page:
        """The same for a document inside this one; nobody is told of what it reaches for."""
        page = self._again()
        page.codec = codec
        page.depth += 1
        page.told = None
        page.inner = self.inner
        return page

    def in_itself(self) -> Page:
        """The same for what is in its own address, or under a base of that kind."""
        if self.baseless:
            return self
        page = self._again()
        page.baseless = True
        page.inner = self.inner
        return page

    def _again(self) -> Page:
        page = copy(self)
        page.tags = {}
        page.inner = {}
        return page

    def _weigh(self) -> None:
        own = self.bases[0].host
        self.relative_matters = self.matcher.claims(url.host for url in self.bases) or any(
            not self.matcher.is_first_party(url.host, own) for url in self.bases
        )
        self.hosts = self.matcher.own_hosts(own)
        self.searches = searches(self.hosts, code=bool(self.words), relative=self.relative_matters)

    def text(self, raw: bytes) -> str:
        """A raw attribute value as the browser reads it."""
        return decode(raw.decode(self.codec, "replace"))

    def texts(self, raw: bytes) -> list[str]:
        """The same in each way in which it may have to be read, as code or as a document in it."""
        return list(dict.fromkeys(map(self.text, ways(raw, self.codec))))

    def codes(self, raw: bytes) -> list[bytes]:
        """The same, in UTF-8."""
        return [text.encode("utf-8", "replace") for text in self.texts(raw)]

    def resolve(self, text: str) -> Iterator[Url]:
        """Where ``text`` may lead: to one place, or to several where the page has more than one base."""
        seen: list[Url] = []
        for base in (*reversed(self.bases), None) if self.baseless else reversed(self.bases):
            url = resolve(text, base)
            if url is not None and url not in seen:
                seen.append(url)
                yield url

    def judge(self, text: str, tag: str) -> Blocked | None:
        """What has to be said of a URL: blocked, passing though undeclared, or ``None`` for nothing."""
        if len(self.bases) > 1 or not _WHOLE.match(text):
            return self._judged(text, tag)
        known = self.judged
        finding = known.get((text, tag), _UNKNOWN)
        if finding is _UNKNOWN:
            finding = self._judged(text, tag)
            if len(known) >= _JUDGED:
                known.clear()
            known[text, tag] = finding
        return finding

    def _judged(self, text: str, tag: str) -> Blocked | None:
        passing = None
        for url in self.resolve(text):
            finding = self.finding(self.matcher.verdict(url, own=self.bases[0].host), tag)
            if finding is not None and finding.blocked:
                return finding
            passing = passing or finding
        return passing

    def finding(self, verdict: Verdict, tag: str) -> Blocked | None:
        """What a verdict means for this visitor."""
        if verdict.kind == SERVICE:
            if any(service.key in self.permissions.allowed for service in verdict.services):
                return None
            key = verdict.services[0].key
            return Blocked(service=key, host=verdict.host, url=verdict.url, tag=tag, blocked=True)
        if verdict.kind == UNDECLARED:
            blocked = self.undeclared == "block"
            return Blocked(service=None, host=verdict.host, url=verdict.url, tag=tag, blocked=blocked)
        return None

    def judge_each(self, texts: Iterator[str] | list[str], tag: str) -> list[Blocked]:
        """What has to be said of each of these URLs."""
        return [finding for text in texts if (finding := self.judge(text, tag)) is not None]

    def judge_srcset(self, text: str, tag: str) -> list[Blocked]:
        return self.judge_each(candidates(text), tag)

    def sheet(self, raw: bytes, tag: str, depth: int = 0, codec: str = "") -> list[tuple[int, Blocked]]:
        """What a style sheet would fetch, with the position of each URL in it."""
        codec = codec or self.codec
        found: dict[int, Blocked] = {}
        for text in readings(raw, codec):
            if len(text) > _SHORT and not self._reaches(text, tag, codec):
                continue
            for fetched in css.urls(text, codec):
                finding = self._fetched(fetched, tag, depth)
                if finding is not None:
                    found.setdefault(fetched.at, finding)
        return sorted(found.items(), key=itemgetter(0))

    def _reaches(self, sheet: bytes, tag: str, codec: str) -> bool:
        """Whether anything has to be said of an address in this style sheet, wherever it stands; most have none."""
        if self.relative_matters or css.ENDS_TWICE in sheet:
            return True
        lower = sheet.lower()
        if css.may_import(lower) or lower.count(b"//") + lower.count(b"\\") > _MANY:
            return True
        places = marks(self.searches, lower, is_sheet=True)
        if places.after(0) == len(lower):
            return False
        return any(
            number > _MANY or _SHEET.match(squeezed(fetched.url)) or self.judge(fetched.url, tag)
            for number, fetched in enumerate(css.loose(sheet, codec, places))
        )

    def _fetched(self, fetched: css.Fetched, tag: str, depth: int) -> Blocked | None:
        url = squeezed(fetched.url)
        if _SHEET.match(url) or (fetched.imported and DATA_URL.match(url)):
            return next(iter(self.inner_sheet(fetched.url, tag, depth + 1)), None)
        return self.judge(fetched.url, tag)

    def inner_sheet(self, text: str, tag: str, depth: int = 1) -> list[Blocked]:
        """What a style sheet in a ``data:`` URL would fetch, what is blocked first; too deep a one is blocked whole.

        Its type doesn't matter: to a page in quirks mode anything is a style sheet.
        """
        return self._once(text, tag, depth, "sheet")

    def _once(self, text: str, tag: str, depth: int, use: str) -> list[Blocked]:
        """What is in a ``data:`` URL, what is blocked first; read once, in however many ways what it is in is read."""
        if use != "document" and depth > _DEPTH:
            return [untold(tag)]
        key = hash(text), tag, depth, use
        known = self.inner.get(key)
        if known is None:
            said: list[Blocked] = []
            page = self.in_itself()
            for data in contents(text, linked=use != "document"):
                said += page._opened(data, tag) if use == "document" else page._code(data, tag, depth, use)
            known = sorted(dict.fromkeys(said), key=lambda finding: not finding.blocked)
            if len(self.inner) >= _JUDGED:
                self.inner.clear()
            self.inner[key] = known
        return known

    def _code(self, data: Content, tag: str, depth: int, use: str) -> list[Blocked]:
        said = self._unseen(tag) if data.hidden else []
        if use == "script":
            said += self.script(data.body, tag, data.codec, depth)
        if use == "sheet" or "css" in data.kind:
            said += (found for _, found in self.sheet(data.body, tag, depth, data.codec))
        return said

    def script(self, text: bytes, tag: str, codec: str = "", depth: int = 0) -> list[Blocked]:
        """What an inline script would do: the denied services it gives itself away for, and denied imports."""
        codec = codec or self.codec
        found: dict[Blocked, None] = {}
        for reading in readings(text, codec):
            literals = Literals(reading)
            if self.words:
                services = self.signatures.services(reading, literals)
                found |= {self._inline(service, tag): None for service in services if self._denied(service)}
            for at, said in self._imported(reading, tag, codec, depth):
                if said not in found and not literals.hide(at):
                    found[said] = None
        return list(found)

    def _imported(self, script: bytes, tag: str, codec: str, depth: int = 0) -> Iterator[tuple[int, Blocked]]:
        """What has to be said of each module that is imported, though perhaps in a string or a comment."""
        known: dict[bytes, list[Blocked]] = {}
        for at, specifier in inline.imports(script):
            if specifier not in known:
                known[specifier] = self.module(inline.unescaped(specifier.decode(codec, "replace")), tag, depth + 1)
            for said in known[specifier]:
                yield at, said

    def module(self, name: str, tag: str, depth: int = 0) -> list[Blocked]:
        """What has to be said of a module or script by its address; one without a scheme or a path is just a name.

        In a ``data:`` URL it is read whatever type it says it has: browsers do so. As a module it may be a style sheet
        too. Too deep a one is blocked whole.
        """
        plain = squeezed(name)
        if not DATA_URL.match(plain):
            return self.judge_each([alone(plain)], tag) if _ADDRESS.match(plain) else []
        return self._once(name, tag, depth, "script")

    def manifest(self, text: str, tag: str) -> list[Blocked]:
        """What has to be said of the addresses in a web manifest in a ``data:`` URL; what is none is blocked whole."""
        said: list[Blocked] = []
        page = self.in_itself()
        for body in filter(None, bodies(text)):
            try:
                values = [json.loads(body.decode("utf-8-sig", "replace"), object_pairs_hook=list)]
            except (ValueError, RecursionError):
                said += self._unseen(tag)
                continue
            while values:
                value = values.pop()
                if isinstance(value, (list, tuple)):
                    values += value
                elif isinstance(value, str) and _ADDRESS.match(squeezed(value)):
                    said += page.judge_each([value], tag)
        return list(dict.fromkeys(said))

    def _unseen(self, tag: str) -> list[Blocked]:
        """What has to be said of something that may reach for anybody, as nobody can tell what it holds."""
        return [] if self.denies_nothing else [untold(tag)]

    def telling(self, text: bytes, codec: str = "") -> list[tuple[int, Blocked]]:
        """Where a part of a long script gives itself away; strings and comments count, as a part can't tell."""
        found = [
            (at, self._inline(service, "script"))
            for at, service in self.signatures.anywhere(text)
            if self._denied(service)
        ]
        found += [(at, said) for at, said in self._imported(text, "script", codec or self.codec) if said.blocked]
        return sorted(found, key=itemgetter(0))

    def loose(self, text: bytes, codec: str = "") -> list[tuple[int, Blocked]]:
        """What a part of a long style sheet would fetch, whatever is around it, with the position of each URL."""
        codec = codec or self.codec
        found = []
        known: dict[tuple[str, bool], Blocked | None] = {}
        for fetched in css.loose(text, codec, marks(self.searches, text.lower(), is_sheet=True)):
            key = fetched.url, fetched.imported
            if key not in known:
                known[key] = self._fetched(fetched, "style", 0)
            if (finding := known[key]) is not None:
                found.append((fetched.at, finding))
        return found

    def _denied(self, service: Service) -> bool:
        return service.key not in self.permissions.allowed

    @staticmethod
    def _inline(service: Service, tag: str) -> Blocked:
        return Blocked(service=service.key, host="", url="", tag=tag, blocked=True)

    def may_matter(self, near: bytes) -> bool:
        """Whether an event handler with this lower-case text is worth reading: a denied service's word is in it."""
        return b"import" in near or any(word in near for word in self.words)

    def tell(self, finding: Blocked, report: Callable[[Blocked], None] | None) -> None:
        """Report a finding, and tell the developer of an undeclared host the first time."""
        if report is not None:
            report(finding)
        if finding.service is None and self.told is not None:
            self.told(finding)

    def document(self, text: str, tag: str) -> list[Blocked]:
        """What a ``data:`` or ``javascript:`` URL, opened as a document, would do."""
        scheme, _, rest = squeezed(text).partition(":")
        if scheme.lower() == "javascript":
            code = unquote_to_bytes(rest)
            return self.script(code, tag, "utf-8") + self._written(code, tag)
        return self._once(text, tag, self.depth, "document")

    def _written(self, code: bytes, tag: str) -> list[Blocked]:
        """What the strings in a script would do as documents: the last one may become the page."""
        text = _JOINED.sub(b"", inline.unescaped(code.decode("utf-8", "replace")).encode())
        if b"<" not in text:
            return []
        starts = [0, *(match.end() for match in _QUOTE.finditer(text))]
        if len(starts) > _QUOTES:
            return [untold(tag)]
        return [said for start in starts for said in self.inside(text[start:], "utf-8")]

    def _opened(self, data: Content, tag: str) -> list[Blocked]:
        if data.kind in ("", "text/plain"):
            return []
        if data.hidden and _MARKUP.match(data.kind):
            return self._unseen(tag)
        if "javascript" in data.kind or "ecmascript" in data.kind:
            return self.script(data.body, tag, data.codec)
        if data.kind == "text/css":
            return [finding for _, finding in self.sheet(data.body, tag, codec=data.codec)]
        return self.inside(data.body, data.codec, data.kind)

    def inside(self, html: bytes, codec: str = "", kind: str = "text/html") -> list[Blocked]:
        """What a document inside this one would do; in this one's encoding, if not said otherwise."""
        return self.nested(html, self, codec or self.codec, kind)[1] if self.nested else []
