"""The next place in a text at which something begins that may matter there.

With ``ahocorasick_rs`` (the extra ``fast``) an automaton finds all literals at once, several times as fast as an
expression that looks at each of them; without it the expression finds them by itself. What is found is the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

try:
    from ahocorasick_rs import BytesAhoCorasick, MatchKind

    _installed = True
except ImportError:
    _installed = False

AUTOMATA: Final = _installed
"""Whether there are automata here."""
WINDOW: Final = 65536
"""The most that an automaton reads at once, in bytes, as a hostile page may be nothing but hits."""
_TRIES = 128


class Search:
    """What to look for, compiled once.

    Every match of ``expression`` begins at one of ``literals``, so many characters behind the beginning of that literal
    as is said with it. ``known`` are longer literals around those that are found often: where in each a match may
    begin, or ``None`` if none does. ``sign`` is the character that every match begins with, where that is rare on most
    pages.
    """

    __slots__ = ("_ahead", "_automaton", "_back", "_offsets", "expression", "found", "sign")

    def __init__(
        self,
        expression: re.Pattern[bytes],
        literals: Mapping[bytes, int] | None = None,
        *,
        known: Mapping[bytes, int | None] | None = None,
        sign: bytes = b"",
    ) -> None:
        self.expression = expression
        self.sign = sign
        self.found = bool(AUTOMATA and literals)
        if self.found and literals:
            known = known or {}
            longest_first = sorted({*literals, *known}, key=len, reverse=True)
            self._ahead = len(longest_first[0])
            self._back = max(literals.values())
            self._offsets = [_offsets(literal, literals, known) for literal in longest_first]
            self._automaton = BytesAhoCorasick(longest_first, matchkind=MatchKind.LeftmostFirst)

    def hits(self, text: bytes, start: int, length: int) -> tuple[list[int], int]:
        """Where a match may begin in the next ``length`` bytes of ``text`` from ``start`` on, and where those end."""
        end = start + length
        begin = start - self._back if start > self._back else 0
        part = text if not begin and len(text) <= end else memoryview(text)[begin : end + self._ahead]
        offsets = self._offsets
        found = self._automaton.find_matches_as_indexes(part)
        return [begin + at + offset for index, at, _ in found for offset in offsets[index]], end


def _offsets(literal: bytes, literals: Mapping[bytes, int], known: Mapping[bytes, int | None]) -> list[int]:
    """Where matches may begin from a literal's place on: its own, and those of others that begin inside it.

    The automaton doesn't report a literal that begins inside another. It reports the longest of those that begin at one
    place, so that what would make a longer one of this isn't there.
    """
    own = known[literal] if literal in known else literals[literal]
    found = set() if own is None else {own}
    longer = tuple(one for one in (*literals, *known) if len(one) > len(literal) and one.startswith(literal))
    for at in range(1, len(literal)):
        rest = literal[at:]
        for other, where in literals.items():
            ends_inside = rest.startswith(other) and literal not in known
            goes_on = len(other) > len(rest) and other.startswith(rest)
            if ends_inside or (goes_on and not (literal[:at] + other).startswith(longer)):
                found.add(at + where)
    return sorted(found)


class Words:
    """Some words, as they are written, in a part of a text."""

    __slots__ = ("_automaton", "_words")

    def __init__(self, words: tuple[bytes, ...]) -> None:
        self._words = words
        self._automaton = BytesAhoCorasick(words) if AUTOMATA and len(words) > 1 else None

    def within(self, text: bytes, start: int, end: int) -> bool:
        """Whether one of them is there between ``start`` and ``end``."""
        if self._automaton is not None:
            return bool(self._automaton.find_matches_as_indexes(memoryview(text)[start:end]))
        for word in self._words:  # noqa: SIM110  # a generator takes longer than the search
            if text.find(word, start, end) >= 0:
                return True
        return False

    def places(self, text: bytes, start: int, end: int) -> list[int]:
        """Where they are between ``start`` and ``end``, if none begins inside another."""
        if self._automaton is not None:
            return [start + at for _, at, _ in self._automaton.find_matches_as_indexes(memoryview(text)[start:end])]
        found = []
        for word in self._words:
            at = text.find(word, start, end)
            while at >= 0:
                found.append(at)
                at = text.find(word, at + len(word), end)
        return found


class Spots:
    """The places in one text that a search finds, asked for in order, from ``start`` on.

    An automaton reads ``window`` bytes first, and again behind what wasn't asked for; then more and more.
    """

    __slots__ = ("_at", "_first", "_hits", "_index", "_read", "_search", "_size", "_text", "_window")

    def __init__(self, search: Search, text: bytes, start: int = 0, window: int = WINDOW) -> None:
        self._search = search
        self._text = text
        self._size = len(text)
        self._at = -1
        self._hits: list[int] = []
        self._index = 0
        self._read = start
        self._first = self._window = window

    def after(self, position: int) -> int:
        """The first place at or behind ``position``; the length of the text where there is none."""
        if self._at >= position:
            return self._at
        if self._search.found:
            at = self._hit(position)
        elif self._search.sign:
            at = self._sign(position)
        else:
            match = self._search.expression.search(self._text, position)
            at = match.start() if match else self._size
        self._at = at
        return at

    def _hit(self, position: int) -> int:
        search, text, size = self._search, self._text, self._size
        hits, index = self._hits, self._index
        while True:
            while index < len(hits):
                at = hits[index]
                if at >= position and search.expression.match(text, at):
                    self._index = index
                    return at
                index += 1
            if self._read >= size:
                self._index = index
                return size
            if self._read < position:
                self._read, self._window = position, self._first
            hits, self._read = search.hits(text, self._read, self._window)
            self._window = min(self._window * 2, WINDOW)
            self._hits, index = hits, 0

    def _sign(self, position: int) -> int:
        expression, sign, text = self._search.expression, self._search.sign, self._text
        for _ in range(_TRIES):
            position = text.find(sign, position)
            if position < 0:
                return self._size
            if expression.match(text, position):
                return position
            position += 1
        match = expression.search(text, position)
        return match.start() if match else self._size


class Marks:
    """The places that any of several searches finds, asked for in order."""

    __slots__ = ("_nearest", "_size", "_spots")

    def __init__(self, searches: Iterable[Search], text: bytes, start: int = 0, window: int = WINDOW) -> None:
        self._spots = [Spots(search, text, start, window) for search in searches]
        self._size = len(text)
        self._nearest = -1

    def after(self, position: int) -> int:
        """The first place at or behind ``position``; the length of the text where there is none."""
        nearest = self._nearest
        if nearest < position:
            nearest = self._size
            for spots in self._spots:
                at = spots.after(position)
                if at < nearest:
                    nearest = at
            self._nearest = nearest
        return nearest
