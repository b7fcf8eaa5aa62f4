"""What single signs may mean, for a page that is read byte by byte (see :mod:`consent.gate.skim`).

Each answer is on the safe side: what may mean something does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mypy_extensions import i64


def table(signs: bytes) -> bytes:
    """Which bytes are among ``signs``."""
    return bytes(number in signs for number in range(256))


SPACE: Final = table(b"\t\n\f\r ")
BREAK: Final = table(b"\t\n\r")
"""What a browser leaves out of an address."""
LETTER: Final = table(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
BETWEEN: Final = table(b"\t\n\f\r /")
NAME_ENDS: Final = table(b"\t\n\f\r />")
_ATTRIBUTE_ENDS: Final = table(b"\t\n\f\r />=")
LAST_END: Final = 0x3E
"""The last of what ends a name, by its number: letters are behind it, and need no table."""
SCHEME_ENDS: Final = table(b"\t\n\rpstaPSTA")
"""What is before the colon of a scheme that matters."""
_ESCAPED: Final = table(b":/\\\r" + bytes(range(33)) + b"htpswHTPSW")
_GAP: Final = table(b"\t\n\v\f\r (" + bytes(range(0x80, 0x100)))
_QUOTES: Final = table(b"\"'`/<-")
_ELSEWHERE: Final = table(b":/\\\t\n\r")
_ALONE: Final = table(b"),")
"""What follows a module's name that isn't put together."""
_WORD: Final = table(b"_$.0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_PICTURES: Final = tuple(b"image/" + kind for kind in (b"gif;", b"png;", b"jpeg;", b"webp;", b"gif,", b"png,"))
_CALLED: Final = tuple(before + b"url(" + quote for before in (b":", b": ", b",", b", ") for quote in (b"", b'"', b"'"))
_LISTED: Final = tuple(between + quote for between in (b":", b": ", b",", b", ", b"[") for quote in (b'"', b"'"))
_NAMED: Final = (b'src="', b"src='", b"src=", b'srcset="', b"srcset='", b'poster="', b"poster='")
PICTURED: Final = tuple(before + b"data:" for before in (*_NAMED, *_CALLED, *_LISTED))
"""How the address of a picture begins, with what is before it, that nobody takes for a style sheet.

Whatever it says that it is, it may be one in a ``link``, or behind ``@import``; in a ``script`` it is one.
"""
_BEFORE: Final = max(map(len, PICTURED))
_IMPORTS: Final = (b"import", b"from")
_NEAR: Final = 256
"""So many bytes are read one by one before it is worth it to search."""


def ahead(buffer: bytes, sign: i64, start: i64, size: i64) -> i64:
    """Where this sign is next from ``start`` on, or ``size``."""
    near: i64 = start + _NEAR
    if near > size:
        near = size
    at: i64 = start
    while at < near and buffer[at] != sign:
        at += 1
    if at < near or at >= size:
        return at
    at = buffer.find(sign, at, size)
    return at if at >= 0 else size


def ends_scheme(buffer: bytes, at: i64, size: i64) -> bool:
    """Whether the colon at ``at``, behind one of :data:`SCHEME_ENDS`, may end a scheme without slashes behind it."""
    if at < 3 or (at + 2 < size and buffer[at + 1] == 0x2F and buffer[at + 2] == 0x2F):
        return False
    last: i64 = buffer[at - 1]
    before: i64 = buffer[at - 2]
    if BREAK[last] or BREAK[before]:
        return True
    last |= 0x20
    before |= 0x20
    if last == 0x73:
        return before in (0x70, 0x73, 0x77)
    if last == 0x70:
        return before == 0x74
    if last == 0x74:
        return before == 0x70
    if before != 0x74:
        return False
    if not buffer.startswith(_PICTURES, at + 1):
        return True
    return not buffer[max(0, at + 1 - _BEFORE) : at + 1].endswith(PICTURED)


def refers(buffer: bytes, at: i64, size: i64) -> bool:
    """Whether a character reference, from behind its ampersand on, may stand for a sign that matters."""
    while at + 3 < size and buffer[at] | 0x20 == 0x61:  # amp
        if buffer[at + 1] | 0x20 != 0x6D or buffer[at + 2] | 0x20 != 0x70:
            return False
        at += 4 if buffer[at + 3] == 0x3B else 3
    if at + 2 >= size:
        return True
    sign: i64 = buffer[at] | 0x20
    second: i64 = buffer[at + 1] | 0x20
    if sign != 0x23:
        third: i64 = buffer[at + 2] | 0x20
        if sign in (0x73, 0x63):
            return second == 0x6F and third == 0x6C  # sol, colon
        if sign == 0x62:
            return second == 0x73 and third == 0x6F  # bsol
        if sign == 0x74:
            return second == 0x61 and third == 0x62  # tab
        if sign == 0x6E:
            return second == 0x65 and third == 0x77  # newline
        return sign == 0x6C and second == 0x70 and third == 0x61  # lpar
    at += 1
    base: i64 = 10
    if second == 0x78:
        base = 16
        at += 1
    number: i64 = 0
    while at < size and number < 128:
        sign = buffer[at]
        if 0x30 <= sign <= 0x39:
            number = number * base + sign - 0x30
        elif base == 16 and 0x61 <= sign | 0x20 <= 0x66:
            number = number * 16 + (sign | 0x20) - 0x57
        else:
            break
        at += 1
    return number < 128 and number not in (34, 39, 60, 62)


def stands(buffer: bytes, at: i64, end: i64) -> bool:
    """Whether an escape in a style sheet, from behind its backslash on, may stand for what an address begins with."""
    number: i64 = 0
    digits: i64 = 0
    while at < end and digits < 6:
        sign: i64 = buffer[at]
        if 0x30 <= sign <= 0x39:
            number = number * 16 + sign - 0x30
        elif 0x61 <= sign | 0x20 <= 0x66:
            number = number * 16 + (sign | 0x20) - 0x57
        else:
            break
        digits += 1
        at += 1
    if digits:
        return number < 128 and not (number == 9 and at < end and buffer[at] in (0x3B, 0x7D))
    return at >= end or bool(_ESCAPED[buffer[at]])


def _is_no_word(buffer: bytes, at: i64) -> bool:
    """Whether what is before ``at`` only looks like a word: three dots, or a character that ends in a digit."""
    if at > 2 and buffer[at - 1] == 0x2E:
        return buffer[at - 2] == 0x2E and buffer[at - 3] == 0x2E
    return at > 1 and buffer[at - 1] <= 0x39 and buffer[at - 2] > 0x80


def may_import(buffer: bytes, at: i64, end: i64) -> bool:
    """Whether the ``import`` or ``from`` in a script at ``at`` may name a module that is elsewhere."""
    if at and _WORD[buffer[at - 1]] and not _is_no_word(buffer, at):
        return False
    at += 4 if buffer[at] == 0x66 else 6
    opened: i64 = 0
    while at < end and (_GAP[buffer[at]] or (buffer[at - 1] > 0x80 and 0x30 <= buffer[at] <= 0x39)):
        if buffer[at] == 0x28:
            opened += 1
        at += 1
    if at + 1 < end and buffer[at] == 0x2E:
        return buffer[at + 1] != 0x6D  # ``import.meta`` is none
    if at >= end or not _QUOTES[buffer[at]]:
        return opened > 0  # its name is put together
    quote: i64 = buffer[at]
    if quote in (0x2F, 0x3C, 0x2D):
        return True  # a comment, as it may be
    at += 1
    elsewhere = False
    while at < end:
        sign: i64 = buffer[at]
        if sign == quote:
            return elsewhere or opened > 1 or (opened == 1 and at + 1 < end and not _ALONE[buffer[at + 1]])
        if _ELSEWHERE[sign]:
            if sign == 0x5C:
                return True
            if sign in (0x0A, 0x0D) and quote != 0x60:
                break  # no string goes on behind the end of its line
            elsewhere = elsewhere or sign != 0x2F or buffer[at - 1] == 0x2F
        at += 1
    return opened > 0


def names_module(buffer: bytes, start: i64, end: i64) -> bool:
    """Whether an ``import`` or ``from`` in the script between ``start`` and ``end`` may name one that is elsewhere."""
    at: i64 = start + 1
    while at + 1 < end:
        if buffer[at] == 0x6D:  # both words have an m
            word: i64 = -1
            if buffer[at - 1] == 0x69:
                word = at - 1 if buffer[at + 1] == 0x70 else -1
            elif buffer[at - 1] == 0x6F and at - 3 >= start:
                word = at - 3 if buffer[at - 2] == 0x72 else -1
            if word >= start and buffer.startswith(_IMPORTS, word) and may_import(buffer, word, end):
                return True
        at += 1
    return False


def name_start(buffer: bytes, at: i64, size: i64) -> i64:
    """Where the name begins of the tag at ``at``, where a ``<`` is; -1 where that begins none, or is the last byte."""
    at += 1
    if at < size and buffer[at] == 0x2F:
        at += 1
    return at if at < size and LETTER[buffer[at]] else -1


def name_end(buffer: bytes, start: i64, size: i64) -> i64:
    """Where the name ends of the tag whose name begins at ``start``."""
    at: i64 = start
    while at < size and (buffer[at] > LAST_END or not NAME_ENDS[buffer[at]]):
        at += 1
    return at


def tag_end(buffer: bytes, start: i64, size: i64) -> i64:
    """Where the tag ends whose name ends at ``start``; -1 where it doesn't. As :data:`~consent.gate.tokens.TAG`."""
    between, ends, space = BETWEEN, _ATTRIBUTE_ENDS, SPACE
    at: i64 = start
    while True:
        while at < size and between[buffer[at]]:
            at += 1
        if at >= size:
            return -1
        if buffer[at] == 0x3E:
            return at + 1
        at += 1  # whatever a name begins with, be it an equals sign
        while at < size and (buffer[at] > LAST_END or not ends[buffer[at]]):
            at += 1
        while at < size and space[buffer[at]]:
            at += 1
        if at >= size:
            return -1
        if buffer[at] != 0x3D:
            continue
        at += 1
        while at < size and space[buffer[at]]:
            at += 1
        if at >= size:
            return -1
        quote: i64 = buffer[at]
        if quote in (0x22, 0x27):
            at += 1
            while at < size and buffer[at] != quote:
                at += 1
            if at >= size:
                return -1
            at += 1
        else:
            while at < size and buffer[at] != 0x3E and not space[buffer[at]]:
                at += 1


def closes(buffer: bytes, at: i64, name: bytes, size: i64) -> bool:
    """Whether the ``<`` at ``at`` begins the end tag of this name."""
    length: i64 = len(name)
    begun: i64 = at + 2
    end: i64 = begun + length
    if end >= size or buffer[at + 1] != 0x2F or not NAME_ENDS[buffer[end]]:
        return False
    number: i64 = 0
    while number < length:
        if buffer[begun + number] | 0x20 != name[number]:
            return False
        number += 1
    return True


def text_end(buffer: bytes, start: i64, name: bytes, size: i64) -> i64:
    """Where the text of this element ends that begins at ``start``; -1 for no end, or something like a tag in it."""
    end: i64 = ahead(buffer, 0x3C, start, size)
    return end if end < size and closes(buffer, end, name, size) else -1


def end_tag(buffer: bytes, start: i64, name: bytes, size: i64) -> i64:
    """Where the first end tag of this name is from ``start`` on; -1 where there is none, or not enough of it."""
    at: i64 = start
    while True:
        at = ahead(buffer, 0x3C, at, size)
        if at >= size:
            return -1
        if closes(buffer, at, name, size):
            return at
        at += 1


def script_end(buffer: bytes, start: i64, size: i64) -> i64:
    """Where the text of a script ends that begins at ``start``; -1 where it takes a closer look, or isn't there."""
    at: i64 = start
    escaped = False
    while True:
        at = ahead(buffer, 0x3C, at, size)
        if at + 8 >= size:
            return -1
        sign: i64 = buffer[at + 1]
        if sign == 0x2F:
            if closes(buffer, at, b"script", size):
                return at
        elif sign == 0x21:
            escaped = escaped or (buffer[at + 2] == 0x2D and buffer[at + 3] == 0x2D)
        elif escaped and sign | 0x20 == 0x73 and buffer[at + 1 : at + 7].lower() == b"script":
            return -1
        at += 1


def declaration_end(buffer: bytes, start: i64, size: i64) -> i64:
    """Where the comment or declaration at ``start`` ends; -1 where it doesn't, or isn't as usual."""
    at: i64 = start + 4
    if at >= size:
        return -1
    if buffer[start + 2] != 0x2D or buffer[start + 3] != 0x2D:
        return buffer.find(b">", start, size) + 1 or -1
    if buffer[at] == 0x3E or (buffer[at] == 0x2D and at + 1 < size and buffer[at + 1] == 0x3E):
        return -1
    while True:
        at = ahead(buffer, 0x2D, at, size)
        if at >= size:
            return -1
        dashes: i64 = at
        while at < size and buffer[at] == 0x2D:
            at += 1
        if at + 1 >= size:
            return at + 1 if at < size and at - dashes > 1 and buffer[at] == 0x3E else -1
        if at - dashes > 1:
            if buffer[at] == 0x3E:
                return at + 1
            if buffer[at] == 0x21 and buffer[at + 1] == 0x3E:
                return at + 2
