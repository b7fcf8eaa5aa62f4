"""What each element fetches, and how its start tag is made inert: by insertions only.

An attribute is renamed by putting ``data-consent-`` before its name, every duplicate of it too, because a browser's
preload scanner may take another one than its parser.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape
from typing import Final

from consent.gate.css import INERT
from consent.gate.page import Blocked, Page
from consent.gate.tokens import Attribute
from consent.gate.urls import Url, resolve, squeezed

PREFIX: Final = b"data-consent-"
_HREF: Final = frozenset((b"href", b"xlink:href"))
URLS: Final[dict[bytes, frozenset[bytes]]] = {
    b"audio": frozenset((b"src",)),
    b"bgsound": frozenset((b"src",)),
    b"cursor": _HREF,
    b"embed": frozenset((b"src", b"code")),
    b"feimage": _HREF,
    b"font-face-uri": _HREF,
    b"fencedframe": frozenset((b"src",)),
    b"frame": frozenset((b"src",)),
    b"html": frozenset((b"manifest",)),
    b"iframe": frozenset((b"src",)),
    b"image": frozenset((b"src", b"href", b"xlink:href")),
    b"img": frozenset((b"src",)),
    b"model": frozenset((b"src",)),
    b"object": frozenset((b"data", b"codebase", b"classid", b"archive")),
    b"portal": frozenset((b"src",)),
    b"script": frozenset((b"src", b"href", b"xlink:href")),
    b"source": frozenset((b"src",)),
    b"track": frozenset((b"src",)),
    b"use": _HREF,
    b"video": frozenset((b"src", b"poster")),
}
SPECIAL: Final[frozenset[bytes]] = frozenset((b"animate", b"base", b"input", b"link", b"meta", b"set"))
_DOCUMENTS: Final = frozenset((b"iframe", b"frame", b"object", b"embed", b"portal", b"fencedframe"))
_EMBEDS: Final = {b"iframe": b"src", b"object": b"data", b"embed": b"src", b"video": b"src", b"audio": b"src"}
FETCHING_LINKS: Final = frozenset(
    [
        "stylesheet",
        "preload",
        "modulepreload",
        "prefetch",
        "prerender",
        "preconnect",
        "dns-prefetch",
        "icon",
        "apple-touch-icon",
        "apple-touch-icon-precomposed",
        "apple-touch-startup-image",
        "mask-icon",
        "fluid-icon",
        "manifest",
        "import",
        "serviceworker",
        "compression-dictionary",
        "subresource",
        "next",
        "next-prefetch",
    ]
)
_SVG_PAINT: Final = frozenset(
    (
        b"fill",
        b"stroke",
        b"filter",
        b"mask",
        b"clip-path",
        b"cursor",
        b"marker",
        b"marker-start",
        b"marker-mid",
        b"marker-end",
        b"mask-image",
        b"background-image",
    )
)
_RISKY: Final = frozenset(
    (
        b"src",
        b"srcset",
        b"href",
        b"xlink:href",
        b"style",
        b"srcdoc",
        b"poster",
        b"data",
        b"ping",
        b"background",
        b"attributionsrc",
        b"imagesrcset",
        b"action",
        b"formaction",
    )
)
BY_ATTRIBUTE: Final[frozenset[bytes]] = frozenset(
    (b"img", b"image", b"feimage", b"source", b"input", b"video", b"audio", b"track", b"body", b"html")
)
"""The fetching elements that are harmless once their single attributes are, however long the tag."""
READ: Final = frozenset[bytes]().union(*URLS.values()) | _SVG_PAINT | frozenset(
    b"action attributionsrc background by content formaction from href http-equiv imagesrcset ping rel srcdoc srcset "
    b"style to type values xlink:href".split()
)
"""The attributes that an element is fetched from, or that say whether; those that begin with ``on`` are read too."""
_DELAY = re.compile(r"\s*+[0-9.]*+\s*+[;,]?+\s*+(?:url\s*+=\s*+)?", re.IGNORECASE)
_JAVASCRIPT = re.compile(
    r"[\x00-\x20]*j[\t\n\r]*a[\t\n\r]*v[\t\n\r]*a[\t\n\r]*s[\t\n\r]*c[\t\n\r]*r[\t\n\r]*i[\t\n\r]*p[\t\n\r]*t[\t\n\r]*:",
    re.IGNORECASE,
)
_DATA = re.compile(r"data:", re.IGNORECASE)
_ABROAD = re.compile(r"[a-zA-Z]+:|[/\\]{2}")
_LOCAL_SCHEMES = re.compile(r"[\x00-\x20]*(?:d[\t\n\r]*a|j[\t\n\r]*a)", re.IGNORECASE)


@dataclass(slots=True)
class Outcome:
    """What is to be done to one start tag. ``edits`` are insertions, in order; ``said`` is for the report."""

    said: list[Blocked] = field(default_factory=list)
    renamed: list[Attribute] = field(default_factory=list)
    edits: list[tuple[int, bytes]] = field(default_factory=list)
    embed: Blocked | None = None
    inert_script: bool = False

    @property
    def blocks(self) -> bool:
        return bool(self.renamed or self.edits or self.inert_script)

    def copy(self) -> Outcome:
        """The same, to be gone on with."""
        return Outcome(list(self.said), list(self.renamed), list(self.edits), self.embed, self.inert_script)

    def rename(self, attribute: Attribute, said: list[Blocked]) -> None:
        """Say ``said``, and rename the attribute if any of it is blocked."""
        self.said += said
        if any(finding.blocked for finding in said):
            self.renamed.append(attribute)

    def insertions(self, page: Page, name_end: int, *, inert: bool = False) -> list[tuple[int, bytes]]:
        """The insertions for the tag whose name ends at ``name_end``, in order; ``inert`` hides the element too."""
        head = b' type="text/plain"' if self.inert_script else b""
        head += marker(page, self.said)
        if inert:
            head += b" data-consent-inert hidden"
        unique = {attribute.at for attribute in self.renamed}
        return [(name_end, head), *sorted([*((at, PREFIX) for at in unique), *self.edits])]


def marker(page: Page, said: list[Blocked]) -> bytes:
    """The attributes that say whose an inert element is: the service and its category, or an undeclared host."""
    first = next((finding for finding in said if finding.blocked), None)
    if first is None:
        return b""
    if first.service is None:
        return _undeclared(first.host)
    return _service(first.service, page.permissions.policy.service(first.service).category)


@lru_cache(maxsize=1024)
def _undeclared(host: str) -> bytes:
    return b' data-consent-undeclared="%b"' % _attribute(host)


@lru_cache(maxsize=1024)
def _service(key: str, category: str) -> bytes:
    return b' data-consent-service="%b" data-consent-category="%b"' % (_attribute(key), _attribute(category))


def _attribute(value: str) -> bytes:
    return escape(value).encode("ascii", "xmlcharrefreplace")


def judge(page: Page, name: bytes, attributes: list[Attribute]) -> Outcome:
    """What the start tag ``name`` with these attributes would fetch or run, and what is to be done about it."""
    outcome = Outcome()
    tag = name.decode("ascii", "replace")
    urls = URLS.get(name, ())
    for attribute in attributes:
        key = attribute.name
        if not attribute.value:
            continue
        if key in urls:
            _address(page, outcome, attribute, name, tag)
        elif key == b"srcset":
            if name in (b"img", b"source", b"image"):
                outcome.rename(attribute, page.judge_srcset(page.text(attribute.value), tag))
        elif key == b"srcdoc":
            if name == b"iframe":
                _srcdoc(page, outcome, attribute)
        elif key == b"style" or key in _SVG_PAINT:
            _style(page, outcome, attribute, tag)
        elif key.startswith(b"on"):
            outcome.rename(attribute, _each(page.script(code, tag, "utf-8") for code in page.codes(attribute.value)))
        elif key in (b"ping", b"attributionsrc"):
            outcome.rename(attribute, page.judge_each(page.text(attribute.value).split(), tag))
        elif key == b"background":
            outcome.rename(attribute, page.judge_each([page.text(attribute.value)], tag))
        elif key in (b"href", b"xlink:href", b"action", b"formaction") and name != b"link":
            _javascript(page, outcome, attribute, tag)
    if name in SPECIAL:
        _SPECIAL[name](page, outcome, attributes, tag)
    elif name == b"script" and outcome.renamed:
        disarm(outcome, attributes)
    return outcome


def judge_alone(page: Page, name: bytes, attribute: Attribute) -> list[tuple[int, bytes]]:
    """The insertions for one attribute of a tag that is too long to be read as a whole."""
    outcome = judge(page, b"img" if name == b"input" else name, [attribute])
    for said in outcome.said:
        page.tell(said, None)
    if not outcome.blocks:
        return []
    return [(attribute.at, marker(page, outcome.said).lstrip() + b" "), *outcome.insertions(page, attribute.at)[1:]]


def is_risky(element: bytes, name: bytes, value: bytes) -> bool:
    """Whether an attribute of this name, too long to be read, may fetch or run; an image in a ``data:`` URL doesn't."""
    pictures = (b"src", b"href", b"xlink:href") if element in (b"image", b"feimage") else (b"src",)
    if name in pictures and value[:11].lower() == b"data:image/":
        return False
    return name in _RISKY or name in _SVG_PAINT or name.startswith(b"on")


def disarm(outcome: Outcome, attributes: list[Attribute]) -> None:
    """Make the script inert for every reader: a first ``type`` that never runs, and none of its own, nor a source."""
    outcome.inert_script = True
    outcome.renamed += [a for a in attributes if a.name in (b"type", b"src", b"href", b"xlink:href")]


def _address(page: Page, outcome: Outcome, attribute: Attribute, name: bytes, tag: str) -> None:
    text = page.text(attribute.value)
    if _LOCAL_SCHEMES.match(text):
        if name in _DOCUMENTS:
            outcome.rename(attribute, _each(page.document(way, tag) for way in page.texts(attribute.value)))
        elif name == b"script":
            outcome.rename(attribute, _each(page.module(way, tag) for way in page.texts(attribute.value)))
        if re.match(r"[\x00-\x20]*(?:data|javascript):", text, re.IGNORECASE):
            return
    said = page.judge_each(text.split() if attribute.name == b"archive" else [text], tag)
    outcome.rename(attribute, said)
    if outcome.embed is None and _EMBEDS.get(name) == attribute.name:
        outcome.embed = next((finding for finding in said if finding.blocked), None)


def _style(page: Page, outcome: Outcome, attribute: Attribute, tag: str) -> None:
    raw = attribute.value
    if b"(" not in raw and b"&" not in raw:
        return
    if b"&" in raw:
        outcome.rename(attribute, _each(_sheet(page, sheet, tag) for sheet in page.codes(raw)))
        return
    found = page.sheet(raw, tag)
    outcome.said += [finding for _, finding in found]
    outcome.edits += [(attribute.value_at + at, INERT) for at, finding in found if finding.blocked]


def _javascript(page: Page, outcome: Outcome, attribute: Attribute, tag: str) -> None:
    text = page.text(attribute.value)
    if _JAVASCRIPT.match(text):
        outcome.rename(attribute, _each(page.document(way, tag) for way in page.texts(attribute.value)))


def _srcdoc(page: Page, outcome: Outcome, attribute: Attribute) -> None:
    outcome.rename(attribute, _each(page.inside(inner, "utf-8") for inner in page.codes(attribute.value)))


def _sheet(page: Page, sheet: bytes, tag: str) -> list[Blocked]:
    return [finding for _, finding in page.sheet(sheet, tag, codec="utf-8")]


def _each(found: Iterable[list[Blocked]]) -> list[Blocked]:
    """What has to be said of any way in which a value is read, once."""
    return list(dict.fromkeys(finding for said in found for finding in said))


def _link(page: Page, outcome: Outcome, attributes: list[Attribute], tag: str) -> None:
    rels = [a for a in attributes if a.name == b"rel"]
    kinds = {kind for rel in rels for kind in page.text(rel.value).lower().split()}
    searches = "search" in kinds and any(
        a.name == b"type" and "opensearch" in page.text(a.value).lower() for a in attributes
    )
    if not (searches or kinds & FETCHING_LINKS):
        return
    before = len(outcome.renamed)
    for attribute in attributes:
        if attribute.name == b"href" and attribute.value:
            outcome.rename(attribute, linked(page, kinds, page.text(attribute.value), tag))
        elif attribute.name == b"imagesrcset":
            outcome.rename(attribute, page.judge_srcset(page.text(attribute.value), tag))
    if len(outcome.renamed) > before:
        outcome.renamed += rels
        outcome.renamed += [a for a in attributes if a.name in (b"href", b"imagesrcset")]


def linked(page: Page, kinds: set[str], text: str, tag: str) -> list[Blocked]:
    """What a link of these kinds would fetch; what is in a ``data:`` URL is read as what the link says it is."""
    if not _DATA.match(squeezed(text)):
        return page.judge_each([text], tag)
    readers: dict[str, Callable[[str, str], list[Blocked]]]
    readers = {"stylesheet": page.inner_sheet, "modulepreload": page.module, "manifest": page.manifest}
    found = [reader(text, tag) for kind, reader in readers.items() if kind in kinds] or [page.document(text, tag)]
    return [finding for said in found for finding in said]


def _meta(page: Page, outcome: Outcome, attributes: list[Attribute], tag: str) -> None:
    kinds = [a for a in attributes if a.name == b"http-equiv"]
    if not any(page.text(a.value).strip().lower() == "refresh" for a in kinds):
        return
    said: list[Blocked] = []
    for attribute in attributes:
        if attribute.name == b"content":
            said += refresh(page, page.text(attribute.value), tag)
    for attribute in kinds:
        outcome.rename(attribute, said if attribute is kinds[0] else [f for f in said if f.blocked])


def refresh(page: Page, content: str, tag: str) -> list[Blocked]:
    """What a ``Refresh`` value leads to."""
    said: list[Blocked] = []
    for target in filter(None, _targets(content)):
        opens = _JAVASCRIPT.match(target) or _DATA.match(squeezed(target))
        said += page.document(target, tag) if opens else page.judge_each([target], tag)
    return said


def _targets(content: str) -> list[str]:
    """Where a ``Refresh`` value leads: a target in quotes ends at the next one, in Chromium at the last one."""
    rest = _DELAY.sub("", content, count=1)
    quote = rest[:1]
    if quote not in ("'", '"'):
        return [rest]
    ends = {end: None for end in (rest.find(quote, 1), rest.rfind(quote, 1)) if end > 0}
    return [rest[1:end] for end in ends] or [rest[1:]]


def _base(page: Page, outcome: Outcome, attributes: list[Attribute], tag: str) -> None:
    for attribute in attributes:
        if attribute.name == b"href":
            text = page.text(attribute.value)
            outcome.rename(attribute, page.judge_each([text], tag))


def bases(page: Page, start: list[Attribute], outcome: Outcome) -> list[Url]:
    """Where the ``href`` of a ``base`` element that stays leads relative URLs, be it at a host or not."""
    kept = (a for a in start if a.name == b"href" and a not in outcome.renamed)
    urls = (resolve(page.text(attribute.value), page.bases[0]) for attribute in kept)
    return [url for url in urls if url is not None]


def _input(page: Page, outcome: Outcome, attributes: list[Attribute], tag: str) -> None:
    if any(a.name == b"type" and page.text(a.value).strip().lower() == "image" for a in attributes):
        for attribute in attributes:
            if attribute.name == b"src" and attribute.value:
                outcome.rename(attribute, page.judge_each([page.text(attribute.value)], tag))


def _animation(page: Page, outcome: Outcome, attributes: list[Attribute], tag: str) -> None:
    leads = page.relative_matters and any(
        a.name == b"attributename" and page.text(a.value).strip().endswith("href") for a in attributes
    )
    for attribute in attributes:
        if attribute.name in (b"to", b"from", b"by", b"values"):
            text = page.text(attribute.value)
            said = page.judge_each([part for part in text.split(";") if leads or _ABROAD.match(squeezed(part))], tag)
            # Browsers take a list of values apart before they read any: a quote in one hides nothing in the next.
            sheets = [part for sheet in page.codes(attribute.value) for part in (sheet, *sheet.split(b";"))]
            said += _each(_sheet(page, sheet, tag) for sheet in dict.fromkeys(sheets) if b"(" in sheet)
            for part in (text, *text.split(";")):
                said += page.document(part, tag) if _JAVASCRIPT.match(part) else []
            outcome.rename(attribute, said)


_SPECIAL: Final = {
    b"animate": _animation,
    b"base": _base,
    b"input": _input,
    b"link": _link,
    b"meta": _meta,
    b"set": _animation,
}
