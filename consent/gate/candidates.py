"""What the pass over a page looks for: the few names and characters that may matter, each found by one expression."""

from __future__ import annotations

import re
from typing import Final

from consent.gate import elements
from consent.gate.placement import LANDMARKS
from consent.gate.tokens import ATTRIBUTE_BODY, RAW_END, RAW_TEXT

LIMIT: Final = 65536
"""The longest tag that is read as a whole, in bytes."""
CODE_LIMIT: Final = 262144
"""The most of one inline script or style sheet that is held back to be read as a whole, in bytes."""

_WATCHED = {*elements.URLS, *elements.SPECIAL, *RAW_TEXT, b"noscript", b"svg", b"math", b"select", b"frameset"}
_ENDS = (b"svg", b"math", b"select", b"object")


def _finder(opening: set[bytes], closing: tuple[bytes, ...]) -> re.Pattern[bytes]:
    # Longer names first, grouped by first letter, so that the common ``<a`` and ``<p`` fail at once.
    groups: dict[bytes, list[bytes]] = {}
    for name in sorted(opening):
        groups.setdefault(name[:1], []).append(name[1:])
    body = b"|".join(first + b"(?:" + b"|".join(rest) + b")" for first, rest in sorted(groups.items()))
    return re.compile(
        rb"<(?:(?:" + body + rb"|/(?:" + b"|".join(closing) + rb"))(?=[\t\n\f\r />]|\Z)|!(?:--|\[cdata\[))"
    )


CANDIDATE: Final = _finder(_WATCHED, _ENDS)
CANDIDATE_OR_LANDMARK: Final = _finder(_WATCHED | LANDMARKS, (*_ENDS, *sorted(LANDMARKS)))
INTEGRATION: Final = frozenset((b"foreignobject", b"desc", b"mi", b"mo", b"mn", b"ms", b"mtext", b"annotation-xml"))
BREAKOUT: Final = frozenset(
    b"b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing menu meta "
    b"nobr ol p pre ruby s small span strong strike sub sup table tt u ul var".split()
)
IN_SVG: Final = _finder(_WATCHED | LANDMARKS | INTEGRATION | BREAKOUT, (*_ENDS, *sorted(LANDMARKS | INTEGRATION)))
SUSPECT: Final = re.compile(rb"//|[\\&(:]|/[\t\n\r]+/")
HARMLESS: Final = re.compile(
    rb"(?:[\t\n\f\r /]*+(?!on|src|href|xlink|style|poster|data|ping|background|attributionsrc|imagesrcset|action"
    rb"|formaction|fill|stroke|filter|mask|clip|cursor|marker)" + ATTRIBUTE_BODY + rb"(?=[\t\n\f\r ]*+[^\t\n\f\r ]))*+",
    re.IGNORECASE,
)
UNQUOTED_END: Final = re.compile(rb"[\t\n\f\r >]")
CONTENT: Final = re.compile(rb"[^\t\n\f\r ]")
# Attributes that any tag may have are found by what their values must hold, or by their names.
RARE: Final = (
    re.compile(rb"\((?<!\(\()"),
    re.compile(rb"ping[\t\n\f\r ]*+="),
    re.compile(rb"attributionsrc[\t\n\f\r ]*+="),
    re.compile(rb"background[\t\n\f\r ]*+="),
    re.compile(rb"&(?:lpar|#0*40(?![0-9])|#x0*28(?![0-9a-f]))"),
)
CDATA_END: Final = re.compile(rb"]]>")
BOOKED: Final = LANDMARKS | RAW_TEXT | {b"html", b"base", b"svg", b"math", b"frameset", b"select", b"noscript"}
CALLS: Final = re.compile(rb"(?:url|image|image-set|cross-fade|src)\Z|[\\&]")
CLOSERS: Final = {RAW_END[name]: b"</" + name + b">" for name in RAW_TEXT}
