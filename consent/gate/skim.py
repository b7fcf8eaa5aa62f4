"""Leaves behind what needs no look: text, tags that reach for nobody, comments, icons, lists of options, quiet scripts.

It reads a page tag by tag and byte by byte, which is worth it where the gate is compiled and a byte costs a nanosecond.
It decides nothing: what may reach for somebody, or isn't written as usual, is left to the rest of the gate, from where
it begins. Interpreted it does the same, though far more slowly than the searches do that take its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from consent.gate import css
from consent.gate.candidates import CODE_LIMIT, LIMIT, RISKY_NAMES
from consent.gate.elements import READ
from consent.gate.inline import imports_from_elsewhere
from consent.gate.kinds import (
    ENDED,
    FETCHES,
    HEAD,
    HTML,
    LANDMARK,
    META,
    ODD,
    OPTION,
    SCRIPT,
    SECTION,
    SELECT,
    SHAPE,
    STYLE,
    SVG,
    TEXT,
    kind_of,
)
from consent.gate.placement import Place
from consent.gate.search import Words
from consent.gate.signs import (
    BETWEEN,
    BREAK,
    LAST_END,
    LETTER,
    NAME_ENDS,
    SCHEME_ENDS,
    SPACE,
    ahead,
    declaration_end,
    ends_scheme,
    may_import,
    names_module,
    refers,
    script_end,
    stands,
    table,
    text_end,
)

if TYPE_CHECKING:
    from mypy_extensions import i64

COMPILED: Final = not __file__.endswith(".py")
"""Whether this is machine code."""

_ATTRIBUTE_ENDS: Final = table(b"\t\n\f\r />=\"'<")
_QUOTED_SIGNS: Final = table(b"\"'/:&\\(")
_BARE_SIGNS: Final = table(b"\t\n\f\r >\"'<=`/:&\\(")
_MEANING: Final = table(b"/:&\\(")
_SHEET_SIGNS: Final = table(b"/:&\\\0")
_ADDRESS: Final = table(b"/#?.hHmMtT")
"""How an address begins that is no script."""
_WIDTH: Final = 32
_READ: Final = bytes(
    place // _WIDTH == 0x6F & 31
    or any(name[0] & 31 == place // _WIDTH and min(len(name), _WIDTH - 1) == place % _WIDTH for name in READ)
    for place in range(32 * _WIDTH)
)
"""By the first letter of an attribute's name, and its length: whether anybody reads its value. All with ``o`` are."""
_LINKS: Final = frozenset((b"href", b"xlink:href", b"action", b"formaction"))
_NOTHING: Final = tuple(
    b"javascript:" + code + quote for code in (b"", b";", b"void(0)", b"void(0);", b"void 0;") for quote in (b'"', b"'")
)
"""A script that does nothing, with the quote behind it."""
_PLAIN_TYPE: Final = re.compile(rb"(?:(?:text|application)/[a-z0-9+.\-]*|module|)[\"'\t\n\f\r >]", re.IGNORECASE)
"""The value of a ``type``, up to what ends it, by which a script is code, or data that nobody reads."""
_SHORT: Final = 2048
"""In a script that is shorter, in bytes, looking at each of them takes less time than an automaton needs to begin."""
IN_BODY: Final = 0
BEFORE_BODY: Final = 1
IN_NOSCRIPT: Final = 2
_MARK: Final = 1
_CALL: Final = 2


class Skimmer:
    """What may matter on a site's pages where relative addresses don't.

    ``hosts`` are the site's own; ``needles`` the words of which an inline script has one if it is a denied service's.
    """

    __slots__ = ("_call", "_hosts", "_imports", "_words")

    def __init__(self, hosts: Iterable[str], needles: tuple[bytes, ...]) -> None:
        self._hosts = tuple(host.encode("ascii", "replace") + b"/" for host in hosts)
        self._call: i64 = _CALL if needles else 0
        self._imports = Words((b"import", b"from"))
        self._words = Words((*needles, b"\\u", b"\\x") if needles else ())

    def past(self, buffer: bytes, start: i64, size: i64, where: i64, place: Place) -> int:
        """The first place from ``start`` on, which is in text, where something needs a look; or ``size``, the end.

        Before the body text needs one too, in ``noscript`` a long script or style sheet, and landmarks where there is
        something for the footer. ``place`` is told of the tags of sections then, and of ``html``.
        """
        letter, space, name_ends = LETTER, SPACE, NAME_ENDS
        at: i64 = start
        room: i64 = 0
        in_head = where == BEFORE_BODY
        counts = place.wants_footer and not in_head
        begun: i64 = start  # where a look has to begin: at this tag, or at the one whose room this is
        while True:
            if in_head:
                while at < size and space[buffer[at]]:
                    at += 1
                if at < size and buffer[at] != 0x3C:
                    return at
            else:
                at = ahead(buffer, 0x3C, at, size)
            if at >= size:
                return begun if room else size
            if not room:
                begun = at
            tag_at: i64 = at
            name_at: i64 = at + 1
            if name_at >= size:
                return begun
            sign: i64 = buffer[name_at]
            closing = sign == 0x2F
            if closing:
                name_at += 1
                if name_at >= size:
                    return begun
                sign = buffer[name_at]
            if not letter[sign]:
                if closing or room or sign == 0x3F:
                    return begun
                if sign == 0x21:
                    at = declaration_end(buffer, at, size)
                    if at < 0:
                        return begun
                elif in_head:
                    return begun
                else:
                    at = name_at
                continue
            at = name_at + 1
            while at < size:
                next_sign: i64 = buffer[at]
                if next_sign <= LAST_END and name_ends[next_sign]:
                    break
                at += 1
            if at >= size:
                return begun
            name_end: i64 = at
            kind: i64 = kind_of(buffer, name_at, at)
            if room:
                if closing and kind & room:
                    if buffer[at] != 0x3E:
                        return begun
                    at += 1
                    room = 0
                    continue
                if not kind & (SHAPE if room == SVG else OPTION):
                    return begun
            elif in_head and not kind & HEAD:
                return begun
            if closing:
                if buffer[at] != 0x3E or kind & ENDED or (in_head and kind & HTML):
                    return begun
                at += 1
            else:
                if kind & ODD:
                    return begun
                if buffer[at] == 0x3E:
                    at += 1
                else:
                    at = self._tag_end(buffer, tag_at, at, size, kind)
                    if at < 0:
                        return begun
            if not kind:
                continue
            if counts and not room:
                if kind & LANDMARK:
                    return begun
                if kind & SECTION:
                    place.section(1 if not closing else 0 if sign | 0x20 == 0x6D else -1)
            if closing:
                continue
            if kind & HTML:
                place.note_html(buffer[tag_at:at])
            if kind & (SVG | SELECT):
                if buffer[at - 2] == 0x2F:
                    return begun
                room = kind & (SVG | SELECT)
            elif kind & TEXT:
                at = text_end(buffer, at, buffer[name_at:name_end].lower(), size)
                if at < 0:
                    return begun
            elif kind & SCRIPT:
                code_at: i64 = at
                at = self._script_end(buffer, at, size)
                if at < 0 or (where == IN_NOSCRIPT and at - code_at > CODE_LIMIT):
                    return begun
            elif kind & STYLE:
                code_at = at
                at = self._sheet_end(buffer, at, size)
                if at < 0 or (where == IN_NOSCRIPT and at - code_at > CODE_LIMIT):
                    return begun

    def _tag_end(self, buffer: bytes, start: i64, name_end: i64, size: i64, kind: i64) -> i64:
        """Where the start tag from ``start`` ends that reaches for nobody; -1 where it may, or isn't as usual."""
        between, ends, quoted, bare, meaning = BETWEEN, _ATTRIBUTE_ENDS, _QUOTED_SIGNS, _BARE_SIGNS, _MEANING
        at: i64 = name_end
        sign: i64 = 0
        refreshes = False
        while True:
            while at < size and between[buffer[at]]:
                at += 1
            if at >= size:
                return -1
            if buffer[at] == 0x3E:
                at += 1
                if at - start > LIMIT or (refreshes and buffer[start:at].lower().find(b"http-equiv") >= 0):
                    return -1
                return at
            name_at: i64 = at
            while at < size:
                sign = buffer[at]
                if sign <= LAST_END and ends[sign]:
                    break
                at += 1
            attribute_end: i64 = at
            while at < size and SPACE[buffer[at]]:
                at += 1
            if at >= size or attribute_end == name_at:
                return -1
            sign = buffer[at]
            if sign != 0x3D:
                if sign in (0x22, 0x27, 0x3C):
                    return -1
                continue
            at += 1
            while at < size and SPACE[buffer[at]]:
                at += 1
            if at >= size:
                return -1
            length: i64 = attribute_end - name_at
            if length >= _WIDTH:
                length = _WIDTH - 1
            first: i64 = buffer[name_at] & 31
            is_read = bool(_READ[first * _WIDTH + length])
            quote: i64 = buffer[at]
            value_at: i64 = at
            marked: i64 = 0
            if quote in (0x22, 0x27):
                at += 1
                value_at = at
                if length == 4 and first == 8 and not kind & (FETCHES | SCRIPT) and at < size and _ADDRESS[buffer[at]]:
                    is_read = False  # the ``href`` of a plain link
                if is_read:
                    while at < size:
                        sign = buffer[at]
                        if (sign <= 0x3A or sign == 0x5C) and quoted[sign]:
                            if sign == quote:
                                break
                            if meaning[sign]:
                                marked |= self._means(buffer, at, size, sign)
                        at += 1
                else:
                    while at < size and buffer[at] != quote:
                        at += 1
                if at >= size:
                    return -1
                at += 1
            else:
                while at < size:
                    sign = buffer[at]
                    if bare[sign]:
                        if sign == 0x3E or SPACE[sign]:
                            break
                        if not meaning[sign]:
                            return -1
                        marked |= self._means(buffer, at, size, sign)
                    at += 1
                if at >= size:
                    return -1
            if not is_read:
                continue
            if kind & SCRIPT and length == 4 and first == 20 and not _is_type_plain(buffer, name_at, value_at, at):
                return -1
            if kind & SCRIPT and buffer.startswith(b"data:", value_at):
                return -1
            if not marked:
                continue
            name = buffer[name_at:attribute_end].lower()
            if not marked & _MARK:
                if name.startswith(b"on"):
                    return -1
            elif not kind & (FETCHES | SCRIPT):
                if not name.startswith(RISKY_NAMES):
                    continue
                if name not in _LINKS or not (
                    _ADDRESS[buffer[value_at]] or buffer[value_at:at].lower().startswith(_NOTHING)
                ):
                    return -1
            elif name == b"content":
                refreshes = refreshes or bool(kind & META)
            elif name in READ or name.startswith(b"on"):
                return -1

    def _means(self, buffer: bytes, at: i64, size: i64, sign: i64) -> i64:
        """What the sign at ``at`` in a value may mean: the beginning of an address elsewhere, or a call."""
        before: i64 = buffer[at - 1]
        if sign == 0x2F:
            if before == 0x2F:
                return 0 if self._is_own(buffer, at + 1, size) else _MARK
            return _MARK if BREAK[before] else 0
        if sign == 0x3A:
            return _MARK if SCHEME_ENDS[before] and ends_scheme(buffer, at, size) else 0
        if sign == 0x28:
            return self._call
        if sign == 0x26:
            return _MARK if refers(buffer, at + 1, size) else 0
        return _MARK

    def _is_own(self, buffer: bytes, start: i64, size: i64) -> bool:
        """Whether one of the site's own hosts is at ``start``, and ends there with a slash."""
        for host in self._hosts:
            length: i64 = len(host)
            at: i64 = 0
            if start + length <= size:
                while at < length and buffer[start + at] == host[at]:
                    at += 1
                if at == length:
                    return True
        return False

    def _script_end(self, buffer: bytes, begun: i64, size: i64) -> i64:
        """Where the text ends of a script that begins at ``begun`` and gives nobody away; -1 where it needs a look."""
        end: i64 = script_end(buffer, begun, size)
        if end <= begun:
            return end
        if self._words.within(buffer, begun, end):
            return -1
        if end - begun < _SHORT:
            names = names_module(buffer, begun, end)
        else:
            names = any(may_import(buffer, place, end) for place in self._imports.places(buffer, begun, end))
        return -1 if names and imports_from_elsewhere(buffer[begun:end]) else end

    def _sheet_end(self, buffer: bytes, begun: i64, size: i64) -> i64:
        """Where the style sheet ends that begins at ``begun`` and names nobody; -1 where it needs a look."""
        end: i64 = text_end(buffer, begun, b"style", size)
        if end - begun > CODE_LIMIT and not css.is_scanned_alike(buffer[begun : begun + CODE_LIMIT], goes_on=True):
            return -1
        signs = _SHEET_SIGNS
        escapes = False
        at: i64 = begun
        while at < end:
            sign: i64 = buffer[at]
            if signs[sign]:
                before: i64 = buffer[at - 1]
                if sign == 0x5C:
                    if stands(buffer, at + 1, end):
                        return -1
                    escapes = True
                elif sign == 0x2F and buffer[at + 1] == 0x2A and BREAK[before]:
                    at += 1  # a comment begins
                elif (sign != 0x3A or SCHEME_ENDS[before]) and self._means(buffer, at, size, sign):
                    return -1
            at += 1
        return -1 if escapes and css.may_import(buffer[begun:end].lower()) else end


@lru_cache(maxsize=256)
def skimmer(hosts: tuple[str, ...], needles: tuple[bytes, ...]) -> Skimmer:
    """The one for these hosts and needles, made once."""
    return Skimmer(hosts, needles)


def _is_type_plain(buffer: bytes, name_at: i64, value_at: i64, end: i64) -> bool:
    """Whether an attribute of a script isn't one by which its text means something else than code, or nothing."""
    if buffer[name_at : name_at + 4].lower() != b"type":
        return True
    return _PLAIN_TYPE.match(buffer, value_at, end + 1) is not None
