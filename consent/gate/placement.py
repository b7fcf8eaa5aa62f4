"""Where the notice and the settings link go: the places a parser opens the body and closes the page's own footer."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from consent.gate.tokens import RAW_END, RAW_TEXT, TAG, in_text, language, script_end, token_end

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
SECTIONS: Final = frozenset((b"article", b"aside", b"main", b"nav", b"section"))
SECTION: Final = re.compile(rb"<(/?)(?:" + b"|".join(sorted(SECTIONS)) + rb")(?=[\t\n\f\r />])")
_OPENING: Final = re.compile(rb"<(?:(" + b"|".join(sorted(RAW_TEXT)) + rb")(?=[\t\n\f\r />])|[a-z/!?])")
LANDMARKS: Final = frozenset((b"footer", b"body", b"template"))
_EXACT: Final = -1
"""Where a tag is passed and not a text, by the step that it is."""


class Place:
    """Tells, tag by tag, where each thing goes; each is placed at most once.

    ``before_body`` is true until the parser would open the body; while it is, every tag has to be shown to
    :meth:`opens_body`, because anything may open it.
    """

    __slots__ = (
        "_beyond", "_depth", "_footer", "_insert", "_inside", "_known", "_lower", "_passed", "_template", "_uncounted",
        "before_body", "codec", "lang",
    )  # fmt: skip

    def __init__(self, insert: Insert, footer: Insert, codec: str) -> None:
        self._insert = insert
        self._footer = footer
        self._depth = 0
        self._inside = False
        self._template = 0
        self._passed: list[tuple[int, int]] = []
        self.read(bytes)
        self.before_body = bool(insert)
        self.codec = codec
        self.lang: str | None = None

    @property
    def wants_footer(self) -> bool:
        return bool(self._footer)

    @property
    def in_template(self) -> bool:
        return bool(self._template)

    def note_html(self, tag: bytes) -> None:
        """The page's language is the ``lang`` of its first ``<html>`` that has one."""
        if self.lang is None:
            self.lang = language(tag, self.codec).strip() or None

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

    def read(self, lower: Callable[[], bytes]) -> None:
        """Another piece of the page begins; ``lower`` gives it in lower case."""
        self._lower = lower
        self._passed.clear()
        self._uncounted = self._known = self._beyond = 0

    def passed(self, start: int, end: int) -> None:
        """The piece's text from ``start`` to ``end`` was passed over; sections open and close in it."""
        if start < end:
            self._passed.append((start, end))

    def section(self, step: int) -> None:
        """The tag of a section was passed, by its step (see :func:`step_of`)."""
        self._passed.append((_EXACT, step))

    def count(self) -> None:
        """Count the sections that are open, by which a footer is the page's: none is behind the end of ``main``."""
        first, self._uncounted = self._uncounted, len(self._passed)
        if self._template or first == self._uncounted:
            return
        spans = self._passed[first:]
        for index in range(len(spans) - 1, -1, -1):
            start, end = spans[index]
            if start == _EXACT:
                if not end:
                    spans = spans[index:]
                    break
                continue
            lower = self._lower()
            main = lower.rfind(b"</main>", start, end)
            if main >= 0:
                if in_text(lower, self._known, main):
                    spans = [(main, end), *spans[index + 1 :]]
                break
        for start, end in spans:
            if start == _EXACT:
                self._go(end)
                continue
            lower = self._lower()
            for match in SECTION.finditer(lower, start, end):
                if self._is_tag(lower, match.start()):
                    self._go(step_of(match))

    def _go(self, step: int) -> None:
        self._depth = max(0, self._depth + step) if step else 0

    def _is_tag(self, lower: bytes, at: int) -> bool:
        """Whether what looks like a tag in the passed text is one, whole, and not a value inside another."""
        if at < self._beyond:
            return False
        if not in_text(lower, self._known, at):
            self._walk(lower, at)
            if at < self._beyond:
                return False
        self._known = at
        return TAG.match(lower, at) is not None  # what is unfinished comes again with the next piece

    def _walk(self, lower: bytes, at: int) -> None:
        """Read tag by tag as far as ``at``, and from text elements only where they end."""
        while match := _OPENING.search(lower, self._known, at):
            start = self._known = match.start()
            end = token_end(lower, start)
            if end >= 0 and (name := match[1]) is not None:
                end = _text_end(lower, name, end)
            self._beyond = end if end >= 0 else len(lower)
            if self._beyond > at:
                return
            self._known = self._beyond

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


def step_of(section: re.Match[bytes]) -> int:
    """What the tag of a section counts: 1 where it opens one, -1 where it closes one, 0 at the end of ``main``."""
    if not section[1]:
        return 1
    return 0 if section[0] == b"</main" else -1


def _text_end(lower: bytes, name: bytes, start: int) -> int:
    """Where the text of a text element of this ``name`` ends that begins at ``start``; -1 where it isn't closed."""
    if name == b"script":
        return script_end(lower, start)[0]
    close = RAW_END[name].search(lower, start)
    return close.start() if close else -1
