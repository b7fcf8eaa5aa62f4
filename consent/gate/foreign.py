"""Scripts and style sheets in SVG, as a parser of HTML reads them there: with references, tags and comments in them."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from consent.gate import scripts
from consent.gate.charset import ways
from consent.gate.elements import Outcome, disarm
from consent.gate.page import Blocked, Page, untold
from consent.gate.references import unescape
from consent.gate.scripts import applies, imports, inline_script, is_read_whole
from consent.gate.tokens import ATTRIBUTE_BODY, Attribute, is_empty

_TOKEN: Final = re.compile(
    rb"<!--(?:-?>|[\s\S]*?(?:--!?>|\Z))|<!\[CDATA\[(?P<data>[\s\S]*?)(?:\]\]>|\Z)"
    rb"|(?P<tag></?(?P<name>[a-zA-Z][^\t\n\f\r />]*+)"
    rb"(?:(?:[\t\n\f\r /]*+" + ATTRIBUTE_BODY + rb")*+[\t\n\f\r /]*+>|[\s\S]*+))|<[/!?][^>]*+>?|(?P<text><?[^<]*+)"
)  # fmt: skip
_MANY: Final = 64
"""As many addresses of a style sheet with markup in it as are looked at; one with more is blocked whole."""
_NAMES: Final = re.compile(rb"[/\\&:]")
"""What an address has, however it is written."""
_OTHERWISE: Final = re.compile(rb"[&<]")
"""What is read otherwise than in a script or a style sheet elsewhere."""
_MARKUP: Final = re.compile(rb"<(?:[a-zA-Z/?]|!(?!\[CDATA\[))")


def script(page: Page, attributes: list[Attribute], body: bytes) -> Outcome | None:
    """What the text of a script does, and what is to be done to its start tag; ``None`` if all read it alike."""
    if not _OTHERWISE.search(body):
        return None
    outcome = Outcome()
    for way in ways(body, page.codec):
        outcome = _script(page, attributes, way)
        if outcome.inert_script:
            break
    return outcome


def _script(page: Page, attributes: list[Attribute], body: bytes) -> Outcome:
    flat, direct = _texts(body, page.codec)
    outcome = inline_script(page, attributes, flat, "utf-8")
    if not outcome.inert_script and _MARKUP.search(body) and applies(page, b"script", attributes):
        loose = dict.fromkeys((_everything(body, page.codec), flat, direct))
        said = next(filter(None, (page.telling(text, "utf-8") for text in loose)), [])
        if said or is_read_whole(page, attributes):
            outcome.said += [finding for _, finding in said]
            disarm(outcome, attributes)
    return outcome


def sheet(page: Page, attributes: list[Attribute], body: bytes) -> list[Blocked]:
    """What a style sheet fetches that not all read alike."""
    if not (_OTHERWISE.search(body) and _NAMES.search(body)):
        return []
    said: Counter[Blocked] = Counter()
    for way in ways(body, page.codec):
        said |= Counter(_sheet(page, attributes, way))
    return list(said.elements())


def _sheet(page: Page, attributes: list[Attribute], body: bytes) -> list[Blocked]:
    everything = _everything(body, page.codec)
    has_markup = _MARKUP.search(body) is not None and imports(page, attributes, everything)
    if has_markup and (page.relative_matters or body.count(b"//") + body.count(b"\\") > _MANY):
        return [untold("style")]
    flat, direct = _texts(body, page.codec)
    said = page.sheet(flat, "style", codec="utf-8") if imports(page, attributes, flat) else []
    if has_markup:
        loose = dict.fromkeys((everything, flat, direct))
        said += [found for text in loose for found in page.loose(text, "utf-8")]
    return [finding for _, finding in said]


def scanned(page: Page, body: bytes) -> list[Blocked]:
    """As :func:`consent.gate.scripts.scanned`, for each of the texts that a style sheet may have."""
    if not (_OTHERWISE.search(body) and _NAMES.search(body)):
        return []
    texts = dict.fromkeys(
        text for way in ways(body, page.codec) for text in (_everything(way, page.codec), *_texts(way, page.codec))
    )
    return next(filter(None, (scripts.scanned(page, text, "utf-8") for text in texts)), [])


def _everything(body: bytes, codec: str) -> bytes:
    """All of it: comments and values are closed where text ends that others take for markup, before an end tag.

    Then what was in there counts.
    """
    return unescape(body.replace(b"</", b'"</').decode(codec, "replace")).encode("utf-8", "replace")


def _texts(body: bytes, codec: str) -> tuple[bytes, bytes]:
    """The text without comments and tags, and the same without what is in its elements.

    Which of them is a script's or a style sheet's depends on the elements. They are in UTF-8, which has every character
    that a reference may name.
    """
    flat: list[str] = []
    direct: list[str] = []
    within: list[bytes] = []  # the elements that are open
    count: Counter[bytes] = Counter()
    for match in _TOKEN.finditer(body):
        if tag := match["tag"]:
            name = match["name"].lower()
            if tag[1] == 0x2F:
                _close(name, within, count)
            elif not is_empty(tag, 0, len(tag)):
                within.append(name)
                count[name] += 1
            continue
        text, data = match["text"], match["data"]
        part = unescape(text.decode(codec, "replace")) if text else (data or b"").decode(codec, "replace")
        flat.append(part)
        if not within:
            direct.append(part)
    return "".join(flat).encode("utf-8", "replace"), "".join(direct).encode("utf-8", "replace")


def _close(name: bytes, within: list[bytes], count: Counter[bytes]) -> None:
    """An end tag closes the last element of its name, if there is one, and all that is in it."""
    if not count[name]:
        return
    last = b""
    while last != name:
        last = within.pop()
        count[last] -= 1
