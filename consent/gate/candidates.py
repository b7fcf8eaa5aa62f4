"""What the pass over a page looks for: the few names and characters that may matter, each found by one expression."""

from __future__ import annotations

import re
from typing import Final

from consent.gate import elements
from consent.gate.placement import LANDMARKS
from consent.gate.search import Search
from consent.gate.tokens import ATTRIBUTE_BODY, RAW_END, RAW_TEXT
from consent.gate.worlds import ICON

LIMIT: Final = 65536
"""The longest tag that is read as a whole, in bytes."""
CODE_LIMIT: Final = 65536
"""The most of one inline script or style sheet that is held back to be read as a whole, in bytes."""

STRUCTURE: Final = frozenset(
    {*RAW_TEXT, b"base", b"col", b"frameset", b"html", b"math", b"noscript", b"select", b"template"}
)
FETCHING: Final = frozenset({*elements.URLS, *elements.SPECIAL})
_BOUNDARY = rb"(?=[\t\n\f\r />]|\Z)"


def _finder(opening: frozenset[bytes], closing: set[bytes]) -> Search:
    # Grouped by first letter, so that the common ``<a`` and ``<p`` fail at once.
    groups: dict[bytes, list[bytes]] = {}
    for name in sorted(opening):
        groups.setdefault(name[:1], []).append(name[1:])
    body = b"|".join(first + b"(?:" + b"|".join(rest) + b")" for first, rest in sorted(groups.items()))
    ends = b"|/(?:" + b"|".join(sorted(closing)) + b")" if closing else b""
    expression = re.compile(
        rb"<(?:(?:" + body + ends + rb")" + _BOUNDARY + rb"|svg" + _BOUNDARY + rb"(?!" + ICON + rb")|!(?:--|\[cdata\[))"
    )
    literals = {b"svg", b"!--", b"![cdata[", *opening, *(b"/" + name for name in closing)}
    return Search(expression, {b"<" + name: 0 for name in literals})


EVERY: Final = Search(re.compile(rb"<(?:/?[a-z]|!(?:--|\[cdata\[))"))
"""Any tag, for where each of them matters."""
FINDERS: Final = {
    (relative, footer): _finder(
        STRUCTURE | (FETCHING if relative else set()) | (LANDMARKS if footer else set()),
        {b"object", b"template", *(LANDMARKS if footer else ())},
    )
    for relative in (False, True)
    for footer in (False, True)
}
"""What changes how a page is read, for its lower-case text: with what fetches addresses, and with landmarks."""
RISKY_NAMES: Final = tuple(
    b"style on ping background attributionsrc fill stroke filter mask clip cursor marker "
    b"href xlink:href action formaction".split()
)
"""How the attributes begin by which a tag that fetches nothing by itself may fetch or run."""
_PLAIN_LINK = rb"(?![\t\n\f\r ]*+=[\t\n\f\r ]*+[\"']?https?://)"
RISKY: Final = re.compile(
    rb"[\t\n\f\r \"'/](?:"
    + b"|".join(name + _PLAIN_LINK if name.endswith(b"href") else name for name in RISKY_NAMES)
    + rb")"
)
"""Where such an attribute may be; a plain link is none."""
HARMLESS: Final = re.compile(
    rb"(?:[\t\n\f\r /]*+(?!on|src|href|xlink|style|poster|data|ping|background|attributionsrc|imagesrcset|action"
    rb"|formaction|fill|stroke|filter|mask|clip|cursor|marker)" + ATTRIBUTE_BODY + rb"(?=[\t\n\f\r ]*+[^\t\n\f\r ]))*+",
    re.IGNORECASE,
)
_USUAL: Final = (
    rb"(?:[\t\n\f\r ]++(?:async|defer|nomodule|crossorigin|id|nonce|class|media|integrity|lang|dir|prefix"
    rb"|data-[a-z\-]++|src|type(?==\"(?:module|text/javascript|text/css|application/(?:ld\+)?json)\"))(?:=\"[^\"]*+\")?+)*+>"
)
QUIET: Final = re.compile(
    rb"<(?:(style|title)" + _USUAL + rb"[^<]*+(?=</\1[\t\n\f\r />])|(script|html)" + _USUAL + rb")"
)
"""The start tag, in lower-case text, of an element that is written as usual; with its text, if that has no ``<``."""
UNQUOTED_END: Final = re.compile(rb"[\t\n\f\r >]")
CONTENT: Final = re.compile(rb"[^\t\n\f\r ]")
RENAMED: Final = (FETCHING | STRUCTURE | {b"svg"}) - elements.BY_ATTRIBUTE - {b"template"}
"""The elements that, in a tag too long to be read, may fetch more than each attribute does, or change what follows."""
BOOKED: Final = LANDMARKS | STRUCTURE | {b"svg"}
CALLS: Final = re.compile(rb"(?:url|image|image-set|cross-fade|src)\Z|[\\&]")
CDATA: Final = b"cdata"
PAIRED_CDATA: Final = b"cdata, in pairs of bytes"
"""The same where a bracket may be the second half of a character."""
FENCES: Final = {CDATA: re.compile(rb"]]>"), PAIRED_CDATA: re.compile(rb"(?<![\x81-\xfe])]]>"), **RAW_END}
"""Where that ends which one reader takes for text, and another for markup: by its element, or one of those two."""
CLOSERS: Final = {CDATA: b"]]>", PAIRED_CDATA: b"]]>", **{name: b"</" + name + b">" for name in RAW_TEXT}}
