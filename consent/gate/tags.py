"""What begins with ``<``: whether it really does, and what is to be done about it."""

from __future__ import annotations

import re

from consent.gate import elements
from consent.gate.candidates import BOOKED, CDATA, FENCES, FETCHING, LIMIT, PAIRED_CDATA, RISKY
from consent.gate.charset import may_pair
from consent.gate.placement import LANDMARKS
from consent.gate.signs import name_end, name_start, tag_end
from consent.gate.starttag import StartTag, read
from consent.gate.texts import Texts
from consent.gate.tokens import (
    COMMENT_END,
    RAW_TEXT,
    TAG,
    comment_end,
    in_text,
    is_empty,
    reach,
    token_end,
)
from consent.gate.worlds import BREAKOUT, FOREIGN, PLAIN, TEXT_ONLY, TEXTUAL


class Tags(Texts):
    """Deals with one tag, comment or declaration of an HTML page."""

    def _token(self, at: int) -> bool:
        """A tag, a comment or a declaration begins at ``at``, or text."""
        buffer = self._buffer
        if name_start(buffer, at, self._size) >= 0:
            return self._tag(at, sure=True)
        if buffer.startswith(b"<!--", at) or buffer[at : at + 9].lower() == b"<![cdata[":
            return self._declaration(at)
        end = token_end(buffer, at)
        fence = self._fence() if self._fences else -1
        if fence >= 0 and not 0 <= end <= fence:
            return self._cut(at, fence)
        if end < 0:
            return self._unfinished(at)
        self._known = self._position = end
        return True

    def _declaration(self, at: int) -> bool:
        """A comment, or a CDATA section, begins at ``at``."""
        buffer = self._buffer
        fence = self._fence()
        if not buffer.startswith(b"<!--", at):
            end = buffer.find(b">", at) + 1
            if fence >= 0 and not 0 < end <= fence:
                return self._cut(at, fence)
            if not end:
                return self._unfinished(at)
            cdata = PAIRED_CDATA if may_pair(self._page.codec) else CDATA
            if self._foreign and not FENCES[cdata].match(buffer, end - 3):
                self._be_in_doubt()  # the scanner that reads ahead of the parser sees markup in there
                self._push(cdata, end)
            else:
                self._known = self._position = end
            return True
        end = self._comment_end(at)
        if fence >= 0 and not 0 <= end <= fence:
            return self._cut(at, fence)
        if end >= 0:
            self._known = self._position = end
            return True
        if self._final:
            self._open = True
            self._known = self._position = self._size
            return False
        if self._size - at < 32:
            return self._wait(at)
        return self._suspend("comment", self._size - 16)

    def _comment_end(self, at: int) -> int:
        """As :func:`comment_end`, but what was looked for once is not looked for again."""
        after = at + 4
        if self._buffer.startswith((b">", b"->"), after):
            return comment_end(self._buffer, at)
        if self._dashes[0] < after:
            match = COMMENT_END.search(self._buffer, after)
            self._dashes = (match.start(), match.end()) if match else (self._size + 1, -1)
        return self._dashes[1]

    def _goes_on(self) -> bool:
        return self._hold < 0 and not self._mode and self._position < self._size

    def _real(self, at: int) -> bool:
        """Whether a tag really begins at ``at``; if not, what is there instead is dealt with."""
        if at == self._known or in_text(self._buffer, self._known, at):
            self._known = at
            return True
        start, end = reach(self._buffer, self._known, at)
        if start == at:
            self._known = at
            return True
        fence = self._fence()
        if fence >= 0 and not 0 <= end <= fence:
            self._cut(start, fence)
        elif end < 0:
            self._unfinished(start)
        elif self._buffer[start + 1 : start + 2].isalpha():
            self._known = start
            self._tag(start, sure=True)
        else:
            self._known = self._position = end
        return False

    def _settle(self) -> None:
        """No candidate is left: hold back what may be the beginning of one."""
        if self._final and not (self._place.before_body or self._place.wants_footer):
            return
        last = self._buffer.rfind(b"<", self._known)
        if last >= 0 and self._real(last) and token_end(self._buffer, last) < 0:
            self._unfinished(last)
        if self._fences and self._hold < 0 and not self._mode and not self._final:
            self._wait(max(self._known, self._size - 2))

    def _tag(self, at: int, *, sure: bool, match: re.Match[bytes] | None = None) -> bool:
        """A tag seems to begin at ``at``; ``sure`` where it is known to, with ``match`` if it was read already."""
        buffer = self._buffer
        closes = buffer[at + 1] == 0x2F
        name_at = at + 2 if closes else at + 1
        if match is not None:
            name_ends, end = match.end(1), match.end()
        else:
            name_ends, end = self._ends(at, name_at)
        fence = self._fence() if self._fences else -1
        if end < 0 or (0 <= fence < end) or (end - at > LIMIT and not self._fences):
            if not sure and not self._real(at):
                return self._goes_on()
            if fence >= 0 and not 0 <= end <= fence:
                return self._cut(at, fence)
            return self._unfinished(at) if end < 0 else self._giant(at, name_ends)
        name = buffer[name_at:name_ends].lower()
        start = None
        if not closes and (name in BOOKED or self._may_fetch(name, name_ends, end)):
            start = read(self._page, buffer[at:end], name, name_ends - at)
        if not sure:
            idle = not closes and name not in BOOKED and not self._world
            if idle and (start is None or not start.outcome.said):
                self._position = name_ends
                return True
            if not self._real(at):
                return self._goes_on()
        if self._world and not self._inhabit(name, at, end, closes=closes):
            return self._wait(at)
        self._position = self._known = end
        if self._place.before_body:
            if not self._in_noscript:
                self._open_body(name, at, closes)
        elif self._place.wants_footer and name in LANDMARKS and self._place.landmark(name, closes=closes):
            self._insert(at, self._place.settings())
        if closes:
            if name == b"object":
                self._in_object = False
            elif name == b"template" and self._templates and not (self._fences or self._doubt):
                self._templates -= 1
            return True
        if start is not None:
            if name in BOOKED:
                return self._opened(name, at, end, start)
            if start.outcome.said:
                self._apply(at, name, start)
        return True

    def _ends(self, at: int, name_at: int) -> tuple[int, int]:
        """Where the name that begins at ``name_at`` ends, and where the tag at ``at`` does; -1 if it is unfinished."""
        buffer, size = self._buffer, self._size
        if self._skimming:
            after = name_end(buffer, name_at, size)
            return after, tag_end(buffer, after, size)
        match = TAG.match(buffer, at)
        return (match.end(1), match.end()) if match else (name_at, -1)

    def _may_fetch(self, name: bytes, name_end: int, end: int) -> bool:
        """Whether the tag is worth reading: without a mark in it, it reaches for nobody else."""
        if self._page.relative_matters or self._skimming:
            return True
        if self._marks.after(name_end) >= end:
            return False
        return name in FETCHING or RISKY.search(self._lower, name_end, end) is not None

    def _open_body(self, name: bytes, at: int, closes: bool) -> None:
        place = self._place
        if place.in_head(name, closes=closes):
            return
        if name == b"frameset":
            place.frameset()
        elif name == b"body" and not closes:
            self._after = place.notice()
        else:
            self._insert(at, place.notice())

    def _inhabit(self, name: bytes, at: int, end: int, *, closes: bool) -> bool:
        """Take note of a tag in SVG, MathML or ``select``; false where more of its text has to be there first."""
        world = self._world
        inside = world[-1]
        if name in TEXTUAL[inside] and not closes and not is_empty(self._buffer, at, end):
            if TEXT_ONLY[name].match(self._buffer, end):
                return True
            if not self._final and self._size - at < LIMIT:
                tag = self._buffer.find(b"<", end)
                if tag < 0 or self._buffer.find(b">", tag) < 0:
                    return False
            self._be_in_doubt()
        elif name == inside and closes:
            world.pop()
        elif name in FOREIGN and inside in FOREIGN and not closes:
            if not is_empty(self._buffer, at, end):
                world.append(name)
        elif name in BREAKOUT and inside in FOREIGN and not closes and len(world) == 1:
            world.clear()
        elif name not in PLAIN[inside] and name not in TEXTUAL[inside]:
            self._be_in_doubt()
        return True

    def _opened(self, name: bytes, at: int, end: int, start: StartTag) -> bool:
        """An element that changes how what follows is read."""
        if name in (b"script", b"style"):
            return self._code(name, at, end, start)
        if start.outcome.said:
            self._apply(at, name, start)
        if name == b"html":
            self._place.note_html(self._buffer[at:end])
        elif name == b"base":
            self._base(start)
        elif name in FOREIGN or name == b"select":
            if not self._world and not self._doubt and not (name in FOREIGN and is_empty(self._buffer, at, end)):
                self._world.append(name)
        elif name == b"body" and self._after:
            self._insert(end, self._after)
            self._after = b""
        elif name == b"frameset":
            self._be_in_doubt()  # it ignores most elements, so that their text is markup
            if not (self._place.before_body and self._in_noscript):
                self._place.frameset()
        elif name == b"noscript":
            if not self._in_noscript:
                self._push(name, end)
        elif name in RAW_TEXT:
            return self._raw_text(name, end)
        else:
            self._note_template(name)
        return True

    def _base(self, start: StartTag) -> None:
        before = self._page
        self._page = before.with_bases(elements.bases(before, start.found, start.outcome))
        if self._page is not before:
            self._weigh()
