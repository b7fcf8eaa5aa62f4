"""What an element is to :mod:`consent.gate.skim`, found by its name byte by byte."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from consent.gate.candidates import FETCHING, STRUCTURE
from consent.gate.placement import LANDMARKS, SECTIONS
from consent.gate.worlds import PLAIN, SHAPES

if TYPE_CHECKING:
    from mypy_extensions import i64

# An element may be several of these.
FETCHES: Final = 1
ODD: Final = 2
ENDED: Final = 4
LANDMARK: Final = 8
SECTION: Final = 16
SHAPE: Final = 32
OPTION: Final = 64
HEAD: Final = 128
TEXT: Final = 256
SCRIPT: Final = 512
STYLE: Final = 1024
SVG: Final = 2048
SELECT: Final = 4096
META: Final = 8192
HTML: Final = 16384
_MEMBERS: Final[tuple[tuple[int, frozenset[bytes]], ...]] = (
    (FETCHES, FETCHING),
    (ODD, STRUCTURE - {b"html", b"script", b"style", b"title", b"textarea", b"select"}),
    (ENDED, frozenset((b"object", b"template"))),
    (LANDMARK, LANDMARKS),
    (SECTION, SECTIONS),
    (SHAPE, SHAPES),
    (OPTION, PLAIN[b"select"] - {b"script"}),
    (HEAD, frozenset((b"html", b"meta", b"link", b"title", b"script", b"style", b"head"))),
    (TEXT, frozenset((b"title", b"textarea"))),
    (SCRIPT, frozenset((b"script",))),
    (STYLE, frozenset((b"style",))),
    (SVG, frozenset((b"svg",))),
    (SELECT, frozenset((b"select",))),
    (META, frozenset((b"meta",))),
    (HTML, frozenset((b"html",))),
)
KINDS: Final = {name: sum(kind for kind, names in _MEMBERS if name in names) for _, some in _MEMBERS for name in some}
_NAMES: Final = sorted(KINDS)
_LONGEST: Final = 16
"""The room for a name, in bytes."""


def slot(first: i64, second: i64, last: i64, length: i64) -> i64:
    """The place in a table of a name with these letters; no two of the names above share one."""
    return (first & 31) * 37 + (second & 31) + (last & 31) * 2 + length


def _slots() -> bytes:
    table = bytearray(slot(31, 31, 31, _LONGEST) + 1)
    for number, name in enumerate(_NAMES):
        table[slot(name[0], name[min(1, len(name) - 1)], name[-1], len(name))] = number + 1
    return bytes(table)


_SLOTS: Final = _slots()
_LENGTHS: Final = bytes(len(name) for name in [b"", *_NAMES])
_LETTERS: Final = b"".join(name.ljust(_LONGEST, b"\0") for name in [b"", *_NAMES])
_LOW: Final = bytes(KINDS.get(name, 0) & 255 for name in [b"", *_NAMES])
_HIGH: Final = bytes(KINDS.get(name, 0) >> 8 for name in [b"", *_NAMES])


def kind_of(buffer: bytes, start: i64, end: i64) -> i64:
    """What the element is whose name is between ``start`` and ``end``; 0 for nothing of the above."""
    length: i64 = end - start
    if length > _LONGEST:
        return 0
    second: i64 = start + 1 if length > 1 else start
    number: i64 = _SLOTS[slot(buffer[start], buffer[second], buffer[end - 1], length)]
    if not number or length != _LENGTHS[number]:
        return 0
    at: i64 = number * _LONGEST - start
    while start < end:
        if buffer[start] | 0x20 != _LETTERS[at + start]:
            return 0
        start += 1
    low: i64 = _LOW[number]
    high: i64 = _HIGH[number]
    return high * 256 + low
