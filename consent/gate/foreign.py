"""Scripts and style sheets in SVG, as a parser of HTML reads them there: with references, tags and comments in them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from html import unescape
from typing import Final

from consent.gate.elements import Outcome, disarm
from consent.gate.page import Blocked, Page
from consent.gate.scripts import applies, imports, inline_script, is_read_whole
from consent.gate.tokens import NAME, TAG, Attribute, is_empty

_TOKEN: Final = re.compile(
    rb"<!--(?:-?>|[\s\S]*?(?:--!?>|\Z))|<!\[CDATA\[(?P<data>[\s\S]*?)(?:\]\]>|\Z)|(?:" + TAG.pattern
    + rb")|</?[a-zA-Z][\s\S]*+|<[/!?][^>]*+>?|(?P<text><?[^<]*+)"
)  # fmt: skip
_MANY: Final = 64
"""As many addresses of a style sheet with markup in it as are looked at; one with more is blocked whole."""
_MARKUP: Final = re.compile(rb"<(?:[a-zA-Z/?]|!(?!\[CDATA\[))")


def script(page: Page, attributes: list[Attribute], body: bytes) -> Outcome | None:
    """What the text of a script does, and what is to be done to its start tag; ``None`` if all read it alike."""
    if _is_plain(body):
        return None
    outcome = inline_script(page, attributes, _text(body, page.codec), "utf-8")
    if not outcome.inert_script and _MARKUP.search(body) and applies(page, b"script", attributes):
        said = next(filter(None, (page.telling(one, "utf-8") for one in _loose(body, page.codec))), [])
        if said or is_read_whole(page, attributes):
            outcome.said += [finding for _, finding in said]
            disarm(outcome, attributes)
    return outcome


def sheet(page: Page, attributes: list[Attribute], body: bytes) -> list[Blocked]:
    """What a style sheet fetches that not all read alike."""
    if _is_plain(body):
        return []
    has_markup = _MARKUP.search(body) is not None and imports(page, attributes, _everything(body, page.codec))
    if has_markup and (page.relative_matters or body.count(b"//") + body.count(b"\\") > _MANY):
        return [Blocked(service=None, host="nested", url="", tag="style", blocked=True)]
    text = _text(body, page.codec)
    said = page.sheet(text, "style", codec="utf-8") if imports(page, attributes, text) else []
    if has_markup:
        said += [found for one in _loose(body, page.codec) for found in page.loose(one, "utf-8")]
    return [finding for _, finding in said]


def _is_plain(body: bytes) -> bool:
    return b"&" not in body and b"<" not in body


def _text(body: bytes, codec: str, *, direct: bool = False) -> bytes:
    """The text without comments and tags, in UTF-8, which has every character that a reference may name.

    ``direct`` leaves out what is in the elements, too.
    """
    parts: list[str] = []
    within: list[bytes] = []  # the elements that are open
    count: Counter[bytes] = Counter()
    for match in _TOKEN.finditer(body):
        token = match[0]
        if tag := NAME.match(token):
            name = tag[1].lower()
            if token[1] == 0x2F:
                _close(name, within, count)
            elif not is_empty(token, 0, len(token)):
                within.append(name)
                count[name] += 1
        elif not (direct and within):
            text, data = match["text"], match["data"]
            parts.append(unescape(text.decode(codec, "replace")) if text else (data or b"").decode(codec, "replace"))
    return "".join(parts).encode("utf-8", "replace")


def _close(name: bytes, within: list[bytes], count: Counter[bytes]) -> None:
    """An end tag closes the last element of its name, if there is one, and all that is in it."""
    if not count[name]:
        return
    last = b""
    while last != name:
        last = within.pop()
        count[last] -= 1


def _everything(body: bytes, codec: str) -> bytes:
    return unescape(body.decode(codec, "replace")).encode("utf-8", "replace")


def _loose(body: bytes, codec: str) -> Iterator[bytes]:
    """What has markup in it as it may have to be read, where strings and comments can't be told from what counts.

    Whether the text in an element is the style sheet's depends on the element. And comments and values are closed where
    text ends that another reader takes for markup, before an end tag; then what was in there counts.
    """
    yield _everything(body.replace(b"</", b'"</'), codec)
    text = _text(body, codec)
    yield text
    direct = _text(body, codec, direct=True)
    if direct != text:
        yield direct
