"""Tags as bytes: where they begin, where they end, and their attributes, by the HTML standard's tokenizer (13.2.5).

Nothing here decodes, decides or copies more than it must; every expression is possessive, so that no input costs
more than linear time.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from consent.gate.references import decode

_NAME = rb"(?:=[^\t\n\f\r />=]*+|[^\t\n\f\r />=]++)"
_EQUALS = rb"[\t\n\f\r ]*+=[\t\n\f\r ]*+"
_NO_VALUE = rb"(?![\t\n\f\r ]*+=)"
ATTRIBUTE_BODY: Final = (
    _NAME + rb"(?:" + _EQUALS + rb"""(?:"[^"]*+"|'[^']*+'|(?!["'])[^\t\n\f\r >]*+)|""" + _NO_VALUE + rb")"
)
TAG: Final = re.compile(rb"</?([a-zA-Z][^\t\n\f\r />]*+)(?:[\t\n\f\r /]*+" + ATTRIBUTE_BODY + rb")*+[\t\n\f\r /]*+>")
NAME: Final = re.compile(rb"</?([a-zA-Z][^\t\n\f\r />]*+)")
ATTRIBUTE: Final = re.compile(
    rb"[\t\n\f\r /]*+(" + _NAME + rb")(?:" + _EQUALS
    + rb"""(?:"([^"]*+)"|'([^']*+)'|((?!["'])[^\t\n\f\r >]*+))|""" + _NO_VALUE + rb")"
)  # fmt: skip
_OPENING = re.compile(rb"<(?:!--|[!?]|/?[a-zA-Z]|/)")
_DOUBTFUL = re.compile(rb"""<[a-zA-Z/!?]|["']""")
TAG_END: Final = re.compile(rb"[\t\n\f\r /]*+>")
BEGUN: Final = re.compile(
    rb"""[\t\n\f\r /]*+(=[^\t\n\f\r />=]*+|[^\t\n\f\r />=]++)(?:[\t\n\f\r ]*+=[\t\n\f\r ]*+(["']?+))?"""
)
COMMENT_END: Final = re.compile(rb"--!?>")
_SCRIPT_STEP = re.compile(rb"<!--|-->|<(/?)script(?=[\t\n\f\r />])")
_SCRIPT_TURN = re.compile(rb"<(?:!--|(/)script(?=[\t\n\f\r />]))")
"""The same where only these two matter; it begins with a letter, which is found far faster."""
_SPACE = b"\t\n\f\r "

RAW_TEXT: Final = frozenset(
    (b"script", b"style", b"textarea", b"title", b"xmp", b"iframe", b"noembed", b"noframes", b"plaintext")
)
RAW_END: Final = {name: re.compile(rb"</" + name + rb"(?=[\t\n\f\r />])") for name in (*RAW_TEXT, b"noscript")}
"""For lower-case text, as an expression that ignores case is a hundred times slower."""


class Attribute(NamedTuple):
    """One attribute as it stands in the tag: its lower-case name, its raw value, and where both begin."""

    name: bytes
    value: bytes
    at: int
    value_at: int


def attributes(buffer: bytes, start: int, end: int) -> list[Attribute]:
    """Every attribute between the tag name's end and the closing ``>`` at ``end - 1``, duplicates included."""
    found = []
    for match in ATTRIBUTE.finditer(buffer, start, end - 1):
        group = match.lastindex or 1
        if group == 1:
            found.append(Attribute(match[1].lower(), b"", match.start(1), match.end(1)))
        else:
            found.append(Attribute(match[1].lower(), match[group], match.start(1), match.start(group)))
    return found


@lru_cache(maxsize=256)
def language(tag: bytes, codec: str) -> str:
    """The first ``lang`` of a start tag; empty where it has none."""
    name = NAME.match(tag)
    found = attributes(tag, name.end() if name else 0, len(tag))
    return decode(next((a.value for a in found if a.name == b"lang"), b"").decode(codec, "replace"))


def is_empty(buffer: bytes, start: int, end: int) -> bool:
    """Whether the tag from ``start`` to ``end`` closes itself; the slash of ``<svg a=/>`` belongs to the value."""
    if buffer[end - 2] != 0x2F:
        return False
    name = NAME.match(buffer, start, end)
    found = attributes(buffer, name.end() if name else start, end)
    return not found or found[-1].value_at + len(found[-1].value) < end - 1


def comment_end(buffer: bytes, start: int) -> int:
    """The position after the comment whose ``<!--`` is at ``start``, or -1 where it is not closed yet."""
    after = start + 4
    if buffer.startswith(b">", after):
        return after + 1
    if buffer.startswith(b"->", after):
        return after + 2
    match = COMMENT_END.search(buffer, after)
    return match.end() if match else -1


def script_end(lower: bytes, start: int, state: int = 0, *, stop: int | None = None) -> tuple[int, int, int]:
    """Where ``</script`` ends the lower-case script text that goes on at ``start``, as ``(end, state, position)``.

    ``state`` is 0 in plain script data, 1 in an escaped part (``<!--``) and 2 in a double escaped one (``<script``
    inside). With ``end`` -1 the text is unfinished: go on from ``position`` with ``state`` when there is more. What is
    behind ``stop`` isn't looked at.
    """
    stop = len(lower) if stop is None else stop
    if not state:
        close = RAW_END[b"script"].search(lower, start, stop)
        if close and lower.find(b"<!--", start, close.start()) < 0:
            return close.start(), 0, close.start()
    position = start
    while match := (_SCRIPT_STEP if state else _SCRIPT_TURN).search(lower, position, stop):
        position = match.end()
        if match[1] is None:
            if match[0] == b"-->":
                state = 0
            else:
                state = state or 1
                position -= 2  # ``<!-->`` opens and closes, also what is open already: its dashes count twice
        elif match[1] and state != 2:
            return match.start(), 0, match.start()
        else:
            state = 1 if match[1] else 2
    return -1, state, max(position, stop - 8, start)


def in_text(buffer: bytes, known: int, position: int) -> bool:
    """Whether it is certain at a glance that ``position`` is in text, and not inside a tag.

    ``known`` is an earlier position in text. A position inside a quoted value follows that value's opening quote,
    which follows ``=``; one elsewhere inside a tag has no ``>`` between it and that tag's ``<``, or only in a
    quoted value before it. ``False`` means that only :func:`reach` can tell.
    """
    gap = buffer.rfind(b">", known, position) + 1 or known
    between = position - gap
    if between and (between > 1 or buffer[gap] > 0x20) and _DOUBTFUL.search(buffer, gap, position):
        return False
    at = buffer.rfind(b'"', known, position)
    if at > known and _opens(buffer, known, at):
        return False
    at = buffer.rfind(b"'", known, position)
    return at <= known or not _opens(buffer, known, at)


def _opens(buffer: bytes, known: int, at: int) -> bool:
    """Whether the quote at ``at`` may open an attribute's value: it follows ``=``."""
    before = at - 1
    while before > known and buffer[before] in _SPACE:
        before -= 1
    return buffer[before] == 0x3D


def reach(buffer: bytes, known: int, position: int) -> tuple[int, int]:
    """Reads tag by tag from ``known`` (in text) up to ``position``.

    Returns ``(position, position)`` where that is in text, else the start and the end of the tag, comment or
    declaration around it; the end is -1 where the buffer ends before it does.
    """
    while True:
        match = _OPENING.search(buffer, known, position + 1)
        if match is None or match.start() >= position:
            return position, position
        start = match.start()
        end = token_end(buffer, start)
        if end < 0 or end > position:
            return start, end
        known = end


def token_end(buffer: bytes, start: int) -> int:
    """The position after the tag, comment or declaration that begins with ``<`` at ``start``; -1 if unfinished."""
    if buffer.startswith(b"<!--", start):
        return comment_end(buffer, start)
    follows = buffer[start + 1 : start + 3]
    if follows[:1].isalpha() or (follows[:1] == b"/" and follows[1:].isalpha()):
        match = TAG.match(buffer, start)
        return match.end() if match else -1
    if follows[:1] in (b"!", b"?") or (len(follows) == 2 and follows[:1] == b"/"):
        return buffer.find(b">", start) + 1 or -1
    return -1 if len(follows) < 2 and follows in (b"", b"/") else start + 1
