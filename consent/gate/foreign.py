"""Scripts and style sheets in SVG, as a parser of HTML reads them there: with references, tags and comments in them."""

from __future__ import annotations

import re
from html import unescape
from typing import Final

from consent.gate.elements import Outcome, disarm
from consent.gate.page import Blocked, Page
from consent.gate.scripts import applies, imports, inline_script, is_read_whole
from consent.gate.tokens import TAG, Attribute

_TOKEN: Final = re.compile(
    rb"<!--(?:-?>|[\s\S]*?(?:--!?>|\Z))|<!\[CDATA\[(?P<data>[\s\S]*?)(?:\]\]>|\Z)|(?:" + TAG.pattern
    + rb")|</?[a-zA-Z][\s\S]*+|<[/!?][^>]*+>?|(?P<text><?[^<]*+)"
)  # fmt: skip
_MARKUP: Final = re.compile(rb"<(?:[a-zA-Z/?]|!(?!\[CDATA\[))")


def script(page: Page, attributes: list[Attribute], body: bytes) -> Outcome | None:
    """What the text of a script does, and what is to be done to its start tag; ``None`` if all read it alike."""
    if _is_plain(body):
        return None
    outcome = inline_script(page, attributes, _text(body, page.codec), "utf-8")
    if not outcome.inert_script and _MARKUP.search(body) and applies(page, b"script", attributes):
        said = [finding for _, finding in page.telling(_everything(body, page.codec), "utf-8")]
        if said or is_read_whole(page, attributes):
            outcome.said += said
            disarm(outcome, attributes)
    return outcome


def sheet(page: Page, attributes: list[Attribute], body: bytes) -> list[Blocked]:
    """What a style sheet fetches that not all read alike."""
    if _is_plain(body):
        return []
    text = _text(body, page.codec)
    said = page.sheet(text, "style", codec="utf-8") if imports(page, attributes, text) else []
    everything = _everything(body, page.codec) if _MARKUP.search(body) else b""
    if everything and imports(page, attributes, everything):
        said += page.loose(everything, "utf-8")
        if page.relative_matters:
            said.append((0, Blocked(service=None, host="nested", url="", tag="style", blocked=True)))
    return [finding for _, finding in said]


def _is_plain(body: bytes) -> bool:
    return b"&" not in body and b"<" not in body


def _text(body: bytes, codec: str) -> bytes:
    """The text without comments and tags, in UTF-8, which has every character that a reference may name."""
    parts = (
        unescape(match["text"].decode(codec, "replace"))
        if match["text"]
        else (match["data"] or b"").decode(codec, "replace")
        for match in _TOKEN.finditer(body)
    )
    return "".join(parts).encode("utf-8", "replace")


def _everything(body: bytes, codec: str) -> bytes:
    """The text with all that is between its tags, in them, and in comments, where that can't be told apart.

    Of the text in an element in a style sheet it depends on the element whether it is the sheet's. Comments and values
    are closed where text ends that another reader takes for markup, and then what was in there counts.
    """
    return unescape(body.decode(codec, "replace")).encode("utf-8", "replace")
