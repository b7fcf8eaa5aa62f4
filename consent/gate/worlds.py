"""Where markup is read by other rules: SVG, MathML, ``select``, as long as it is certain what all readers make of it.

A parser with scripting, one without, an older one, and the scanner that reads ahead of a parser disagree about much of
what such a place may hold. What they agree on is listed here. Anything else leaves a page *in doubt* for its rest: text
elements are then read as text and as markup alike (see :meth:`~consent.gate.reader.Reader._cut`).
"""

from __future__ import annotations

import re
from typing import Final

FOREIGN: Final = frozenset((b"svg", b"math"))
_SVG: Final = frozenset(
    b"a animate animatemotion animatetransform circle clippath cursor defs discard ellipse feblend fecolormatrix "
    b"fecomponenttransfer fecomposite feconvolvematrix fediffuselighting fedisplacementmap fedistantlight fedropshadow "
    b"feflood fefunca fefuncb fefuncg fefuncr fegaussianblur feimage femerge femergenode femorphology feoffset "
    b"fepointlight fespecularlighting fespotlight fetile feturbulence filter g hatch hatchpath image line "
    b"lineargradient marker mask metadata mpath path pattern polygon polyline radialgradient rect script set "
    b"stop style switch symbol text textpath tspan use view".split()
)
_MATH: Final = frozenset(
    b"annotation maction math menclose merror mfenced mfrac mmultiscripts mover mpadded mphantom mprescripts mroot "
    b"mrow mspace msqrt mstyle msub msubsup msup mtable mtd mtr munder munderover none semantics".split()
)
PLAIN: Final = {b"svg": _SVG, b"math": _MATH, b"select": frozenset((b"option", b"optgroup", b"hr", b"script"))}
"""By the element they are in: the elements that change nothing about how what follows is read."""
TEXTUAL: Final = {
    b"svg": frozenset((b"title", b"desc")),
    b"math": frozenset((b"mi", b"mo", b"mn", b"ms", b"mtext")),
    b"select": frozenset[bytes](),
}
"""The elements that take HTML again, and change nothing as long as they hold no more than text."""
BREAKOUT: Final = frozenset(
    b"b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing menu meta "
    b"nobr ol p pre ruby s small span strong strike sub sup table tt u ul var".split()
)
"""The start tags that end SVG and MathML."""
TEXT_ONLY: Final = {
    name: re.compile(rb"[^<]*+</" + name + rb"[\t\n\f\r ]*+>", re.IGNORECASE)
    for names in TEXTUAL.values()
    for name in names
}
_ATTRIBUTES = rb"(?=[\t\n\f\r />])(?:[^\"'=<>]++(?<=[a-z0-9\-])=\"[^\"]*+\")*+[^\"'=<>]*+>"
SHAPES: Final = frozenset(
    b"path g circle rect line polyline polygon ellipse defs clippath use symbol stop lineargradient title".split()
)
"""What a plain icon holds."""
_SHAPE = rb"(?:" + b"|".join(sorted(SHAPES - {b"title"}, reverse=True)) + rb")"
ICON: Final = (
    _ATTRIBUTES
    + rb"(?:[^<]*+<(?:"
    + _SHAPE
    + _ATTRIBUTES
    + rb"|/"
    + _SHAPE
    + rb">|title>[^<]*+</title>))*+[^<]*+</svg>"
)
"""What follows ``<svg`` in the lower-case text of a plain icon, which needs no closer look."""
HEAD_RUN: Final = re.compile(
    rb"(?:[\t\n\f\r ]*+<(?:(?:meta|link|head)"
    + _ATTRIBUTES
    + rb"|/(?:head|title|style|script)>|title>[^<]*+(?=</title>)))++"
)
"""Links, metadata and titles in the lower-case text of a head, as they are usually written."""
