"""Where the notice and the settings link go: the places a parser opens the body and closes the page's own footer."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

Insert = bytes | Callable[[str | None], bytes]
"""Markup to insert, ASCII; or what makes it, given the page's own language (``None`` where it names none)."""

HEAD: Final = frozenset(
    (
        b"html",
        b"head",
        b"base",
        b"basefont",
        b"bgsound",
        b"link",
        b"meta",
        b"title",
        b"noframes",
        b"noscript",
        b"script",
        b"style",
        b"template",
    )
)
SECTION: Final = re.compile(rb"<(/?)(?:article|aside|main|nav|section)(?=[\t\n\f\r />])")
LANDMARKS: Final = frozenset((b"footer", b"body", b"template"))


class Place:
    """Tells, tag by tag, where each thing goes; each is placed at most once.

    ``before_body`` is true until the parser would open the body; while it is, every tag has to be shown to
    :meth:`opens_body`, because anything may open it.
    """

    __slots__ = ("_depth", "_footer", "_insert", "_inside", "_lower", "_passed", "_template", "before_body", "lang")

    def __init__(self, insert: Insert, footer: Insert) -> None:
        self._insert = insert
        self._footer = footer
        self._depth = 0
        self._inside = False
        self._template = 0
        self._lower = b""
        self._passed: list[tuple[int, int]] = []
        self.before_body = bool(insert)
        self.lang: str | None = None

    @property
    def wants_footer(self) -> bool:
        return bool(self._footer)

    @property
    def in_template(self) -> bool:
        return bool(self._template)

    def note_language(self, lang: str) -> None:
        """The ``lang`` of the page's first ``<html>``; empty says nothing."""
        self.lang = self.lang or lang.strip() or None

    def frameset(self) -> None:
        """A frameset takes the body's place, but not in a template: nothing is inserted."""
        if not self._template:
            self._insert = self._footer = b""
            self.before_body = False

    def in_head(self, name: bytes, *, closes: bool) -> bool:
        """Whether the parser stays before the body at this tag, looking at templates too."""
        if name == b"template":
            self._template = max(0, self._template + (-1 if closes else 1))
            return True
        if self._template:
            return True
        if closes:
            return name not in (b"body", b"html", b"br")
        return name in HEAD

    def read(self, lower: bytes) -> None:
        """Another piece of the page begins, in lower case."""
        self._lower = lower
        self._passed.clear()

    def passed(self, start: int, end: int) -> None:
        """The piece's text from ``start`` to ``end`` was passed over; sections open and close in it."""
        if start < end:
            self._passed.append((start, end))

    def count(self) -> None:
        """Count the sections that are open, by which a footer is the page's: none is behind the end of ``main``."""
        spans, self._passed = self._passed, []
        if self._template:
            return
        for index in range(len(spans) - 1, -1, -1):
            start, end = spans[index]
            reset = self._lower.rfind(b"</main>", start, end)
            if reset >= 0:
                self._depth = 0
                spans = [(reset + 7, end), *spans[index + 1 :]]
                break
        for start, end in spans:
            for match in SECTION.finditer(self._lower, start, end):
                self._depth = max(0, self._depth + (-1 if match[1] else 1))

    def landmark(self, name: bytes, *, closes: bool) -> bool:
        """Takes note of a landmark; true where the settings link goes before this tag."""
        if name == b"template":
            self.count()
            self._template = max(0, self._template + (-1 if closes else 1))
        if self._template:
            return False
        if name == b"footer":
            self.count()
            if closes and self._inside and not self._depth:
                return True
            self._inside = (not closes and not self._depth) or (self._inside and bool(self._depth))
        return name == b"body" and closes

    def notice(self) -> bytes:
        """What is inserted where the body opens; asked once."""
        self.before_body = False
        markup, self._insert = self._made(self._insert), b""
        return markup

    def settings(self) -> bytes:
        """What is inserted in the footer; asked once."""
        markup, self._footer = self._made(self._footer), b""
        return markup

    def _made(self, insert: Insert) -> bytes:
        return insert(self.lang) if callable(insert) else insert
