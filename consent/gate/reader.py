"""Where in a page a place is: in text, or inside a tag, a comment, or what one reader only takes for text."""

from __future__ import annotations

import re

from consent.gate import elements
from consent.gate.candidates import (
    CDATA,
    CLOSERS,
    CONTENT,
    FENCES,
    HARMLESS,
    LIMIT,
    PAIRED_CDATA,
    RENAMED,
    UNQUOTED_END,
)
from consent.gate.embed import embed_of
from consent.gate.pieces import Pieces
from consent.gate.signs import end_tag
from consent.gate.starttag import StartTag, read
from consent.gate.tokens import (
    ATTRIBUTE,
    BEGUN,
    NAME,
    RAW_TEXT,
    TAG,
    TAG_END,
    attributes,
    in_text,
    reach,
)
from consent.gate.worlds import FOREIGN, PLAIN

_LONGEST_END = 16
"""No end tag's name is longer, with what comes before and behind it, in bytes."""
_BEGUN_END = re.compile(rb"</[a-zA-Z]++\Z")


class Reader(Pieces):
    """Knows what is text and what is not, and brings readers together that disagree about it."""

    def _apply(self, at: int, name: bytes, start: StartTag) -> None:
        """Report what was found in the start tag at ``at``, and insert what makes it inert."""
        page, outcome, insertions = self._page, start.outcome, start.insertions
        for said in outcome.said:
            page.tell(said, self._report)
        if not insertions:
            return
        if outcome.embed and self._placeholder and not self._world and not (self._in_object and name == b"embed"):
            embed = embed_of(page, name, start.found, outcome.embed, self._place.lang)
            markup = self._placeholder(embed) if embed else b""
            if markup:
                self._insert(at, markup)
                self._in_object = self._in_object or name == b"object"
                insertions = outcome.insertions(page, start.name_end, inert=True)
        if self._pending:
            for position, text in insertions:
                self._insert(at + position, text)
        else:
            out, source, done = self._out, self._source, self._done
            for position, text in insertions:
                out += (source[done : at + position], text)
                done = at + position
            self._done = done

    # -- where we are: in text, or inside something ---------------------------------------------------------------

    def _unfinished(self, start: int) -> bool:
        """The tag or declaration at ``start`` goes on in the next piece, if there is one."""
        if self._final:
            self._eof = start
            self._position = self._known = self._size
            return False
        if self._size - start <= LIMIT:
            return self._wait(start)
        if self._fences:
            return self._cut(start, self._size, leave=False)
        name = NAME.match(self._buffer, start)
        return self._giant(start, name.end()) if name else self._suspend("bogus", self._size)

    def _fence(self) -> int:
        """Where the element ends whose text another reader may take for markup, or -1 (see :meth:`_cut`)."""
        if not self._fences:
            return -1
        nearest = self._size + 1
        for fence in self._fences:
            spot = self._fence_spots.get(fence, -1)
            if spot < self._known:
                self._fence_spots[fence] = spot = self._fence_after(fence)
            nearest = min(nearest, spot)
        return nearest if nearest <= self._size else -1

    def _fence_after(self, fence: bytes) -> int:
        if self._skimming and fence == b"noscript":
            at = end_tag(self._buffer, self._known, fence, self._size)
            return at if at >= 0 else self._size + 1
        # Half a character before this piece is one that the expression doesn't see.
        halved = fence == PAIRED_CDATA and not self._known and 0x81 <= self._before < 0xFF
        match = FENCES[fence].search(self._lower, 1 if halved else self._known)
        return match.start() if match else self._size + 1

    @property
    def _in_noscript(self) -> bool:
        """Whether a ``<noscript>`` is open: what is in it is text with scripting, and opens no body."""
        return b"noscript" in self._fences

    def _push(self, fence: bytes, after: int) -> None:
        if (not self._page.denies_nothing or self._place.before_body) and fence not in self._fences:
            self._fences.append(fence)
        self._known = self._position = after

    def _pass_fence(self, fence: int) -> bool:
        """Everything before the fence is read; both readers agree behind it."""
        if not in_text(self._buffer, self._known, fence):
            start, _ = reach(self._buffer, self._known, fence)
            if start != fence:
                return self._cut(start, fence)
        return self._leave(fence)

    def _leave(self, fence: int) -> bool:
        ends_here = False
        while not ends_here:
            left = self._fences.pop()
            if left == b"noscript" and self._world:
                self._doubt = True
                self._world.clear()
            elif left == b"script" and self._escaped:
                self._insert(fence, b"-->")
                self._escaped = False
            ends_here = not self._fences or bool(FENCES[left].match(self._buffer[fence : fence + _LONGEST_END].lower()))
            if not ends_here:
                self._insert(fence, CLOSERS.get(left, b""))
        if not self._fences:
            self._nested = 0
        self._known = self._position = fence + len(b"]]>") if left in (CDATA, PAIRED_CDATA) else fence
        return True

    def _cut(self, start: int, fence: int, *, leave: bool = True) -> bool:
        """Close what is open at the fence, so that every reader is in text behind it.

        With scripting ``<noscript>`` holds text up to its end tag, without it holds markup: a comment in it that goes
        on behind the end tag hides there from one what the other fetches. What is inserted is text to one of them.
        """
        buffer = self._buffer
        is_end = _BEGUN_END.search(buffer, max(start, fence - _LONGEST_END), fence) is not None
        closer = b"=>" if is_end else b">"  # so that what is cut off is no end tag
        if buffer.startswith(b"<!--", start):
            closer = b"-->"
        elif buffer[start : start + 9].lower() == b"<![cdata[":
            closer = b"" if buffer.startswith(b"]]>", fence) else b"]]>"  # which may be the end of both
        elif name := NAME.match(buffer, start, fence):
            closers = (closer, b'">', b"'>")
            closer = next((c for c in closers if TAG.fullmatch(buffer[start:fence] + c)), closer)
            tag = buffer[start:fence] + closer
            kind = name[1].lower()
            if buffer[start + 1] != 0x2F:
                self._note_template(kind)
                self._apply(start, kind, read(self._page, tag, kind, name.end() - start))
                if kind in RAW_TEXT and kind not in self._fences:
                    closer += b"</" + kind + b">"
            if self._world:
                self._be_in_doubt()  # this tag may change how what follows is read
        self._insert(fence, closer)
        self._known = self._position = fence
        return self._leave(fence) if leave else self._position < self._size

    @property
    def _foreign(self) -> bool:
        """Whether text elements may be markup here, as in SVG."""
        return self._doubt or bool(self._world and self._world[-1] in FOREIGN)

    # -- what goes on over pieces

    def _giant(self, at: int, name_end: int) -> bool:
        """A tag that is longer than the limit: it is read attribute by attribute, and fails closed.

        Where that can't make the element harmless, or it would change how what follows is read, its name is changed
        too.
        """
        closes = self._buffer[at + 1] == 0x2F
        self._raw = self._buffer[at + (2 if closes else 1) : name_end].lower()
        self._skipping = b""
        if self._place.before_body and not self._place.in_head(self._raw, closes=closes):
            self._insert(at, self._place.notice())
        renamed = self._raw in RENAMED and not closes
        if renamed:
            self._insert(at + 1, elements.PREFIX)
        elif not closes:
            self._note_template(self._raw)
        if self._world and (renamed or self._raw not in PLAIN[self._world[-1]]):
            self._be_in_doubt()
        return self._go_through(name_end)

    def _note_template(self, name: bytes) -> None:
        """In a template a parser ignores most elements behind ``col``, so that their text is markup to it."""
        if name == b"template":
            self._templates += 1
        elif name == b"col" and self._templates:
            self._be_in_doubt()

    def _be_in_doubt(self) -> None:
        self._doubt = True
        self._world.clear()

    def _go_through(self, position: int) -> bool:
        """Read the attributes of a giant tag from ``position``; true when its end was found."""
        buffer = self._buffer
        while True:
            if self._skipping:
                ends = UNQUOTED_END.search(buffer, position) if self._skipping == b" " else None
                position = ends.start() if ends else buffer.find(self._skipping, position) + 1
                if not ends and not (position and self._skipping != b" "):
                    return self._suspend("giant", self._size)
                self._skipping = b""
            if end := TAG_END.match(buffer, position):
                self._known = self._position = end.end()
                return True
            position = HARMLESS.match(buffer, position).end()  # type: ignore[union-attr]  # it always matches
            if end := TAG_END.match(buffer, position):
                continue
            match = ATTRIBUTE.match(buffer, position)
            length = (match.end() if match else self._size) - position
            if match and CONTENT.search(buffer, match.end()) and length <= LIMIT:
                for found in attributes(buffer, position, match.end() + 1):
                    for at, markup in elements.judge_alone(self._page, self._raw, found):
                        self._insert(at, markup)
                position = match.end()
            elif length <= LIMIT or not (begun := BEGUN.match(buffer, position)):
                return self._suspend("giant", position)
            else:
                if elements.is_risky(self._raw, begun[1].lower(), buffer[begun.end() : begun.end() + 11]):
                    self._insert(begun.start(1), elements.PREFIX)
                self._skipping = begun[2] or b" "
                position = begun.end()
