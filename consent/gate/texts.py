"""What is text to a parser: scripts, style sheets, and the elements that hold no markup."""

from __future__ import annotations

import re
from collections import Counter, deque
from operator import itemgetter
from typing import Final

from consent.gate import elements, foreign, scripts
from consent.gate.candidates import CODE_LIMIT, QUIET
from consent.gate.css import INERT, NEAR, cut_off
from consent.gate.elements import Outcome
from consent.gate.page import Blocked, untold
from consent.gate.reader import Reader
from consent.gate.signs import end_tag
from consent.gate.signs import script_end as script_end_at_once
from consent.gate.starttag import StartTag
from consent.gate.tokens import COMMENT_END, RAW_END, Attribute, in_text, script_end
from consent.gate.worlds import TEXTUAL

_OVERLAP: Final = 4096
"""The longest address or call that is seen whatever the pieces it comes in, in bytes."""
_MOST_NESTED: Final = 8
"""As many scripts or style sheets in another of their kind as are read; what is read twice is twice the work."""
_CLOSED: Final = re.compile(rb"(?:</(?:style|script|title|textarea|xmp|iframe|noembed|noframes)>){1,8}+")
"""What an earlier reading put before an element's own end."""
_END_TAG: Final = 16
"""The most of an end tag that may be there before it is recognised, in bytes."""


class Texts(Reader):
    """Reads the text of elements that hold no markup, and says what it fetches or runs."""

    def _quiet_end(self, at: int, mark: int) -> int:
        """Where the element or text ends that begins at ``at`` if it is a usual one that holds nothing to be found.

        The first mark behind ``at`` is at ``mark``; -1 where something may be found, or nothing of the kind begins.
        """
        lower = self._lower
        element = QUIET.match(lower, at)
        if element is None or mark < (begun := element.end()):
            return -1
        name = element[2]
        if name is None:
            return begun if begun - at <= CODE_LIMIT else -1
        if name == b"html":
            self._place.note_html(self._buffer[at:begun])
            return begun
        if lower.find(b"data:", at, begun) >= 0:
            return -1  # what seems to be a picture is code in a script
        close = RAW_END[name].search(lower, begun, begun + CODE_LIMIT)
        if close is None:
            return -1
        end = close.start()
        if begun == end:
            return end
        find = lower.find  # several times as fast as ``in``
        if find(b"import", begun, end) >= 0 or find(b"from", begun, end) >= 0 or find(b"<!--", begun, end) >= 0:
            return -1
        words = self._page.words
        if words and find(b"\\", begun, end) >= 0:
            return -1
        for word in words:
            if find(word, begun, end) >= 0:
                return -1
        return end

    def _repeats(self, at: int, mark: int) -> bool:
        """Whether an element begins inside another of its kind, and names nobody; it is left behind."""
        element = QUIET.match(self._lower, at)
        if element is None or element[1] not in self._fences:
            return False
        end = element.end()
        if 0 <= self._fence() < end or mark < end or not in_text(self._buffer, self._known, at):
            return False
        self._known = self._position = end
        return True

    def _raw_text(self, name: bytes, end: int) -> bool:
        """Skip the text of an element whose content is no markup (but see :meth:`_cut` for SVG)."""
        if self._foreign:
            if name not in TEXTUAL.get(self._world[-1] if self._world else b"", ()):
                self._push(name, end)
            return True
        if name == b"plaintext":
            if self._fences:
                return True  # it is text to one reader only, and that one has none of what follows
            self._open = True
            return self._suspend("plaintext", self._size)
        close = self._end_tag(name, end)
        fence = self._fence()
        if fence >= 0 and not 0 <= close <= fence:
            self._insert(fence, b"</" + name + b">")
            return self._leave(fence)
        if close >= 0:
            self._known = self._position = close
            return True
        self._raw = name
        return self._suspend("raw", max(end, self._size - 16))

    def _code(self, name: bytes, at: int, end: int, start: StartTag) -> bool:
        """A script or a style sheet: its text decides about its start tag, so both are read together."""
        as_markup = self._foreign
        if start.outcome.inert_script and not as_markup and not self._fences:
            self._apply(at, name, start)  # it comes from elsewhere and is stopped; its own text never runs
            return self._skip_script(end)
        buffer, page, found = self._buffer, self._page, start.found
        outcome = start.outcome.copy()
        nested = as_markup and name in self._fences
        position = max(end, self._size - 16)
        fence = self._fence()
        if nested:
            spot = self._fence_spots[name]
            close = spot if spot <= self._size else -1
        elif as_markup or name == b"style":
            close = self._end_tag(name, end)
        else:
            close, self._script, position = self._script_end(end)
        cut = fence >= 0 and not 0 <= close <= fence
        closed = cut and _CLOSED.fullmatch(buffer, fence, close) is not None
        if cut:
            close = fence
        read = self._size if close < 0 else close
        if close < 0 and not self._final and read - end <= CODE_LIMIT + _END_TAG:
            self._known = self._position = at
            return self._wait(at)
        if nested:
            self._nested += 1
            if self._nested > _MOST_NESTED:
                return self._unread(name, at, end, start)
        if as_markup and name == b"script" and not nested and self._lower.find(b"<!--", end, read) >= 0:
            self._escaped = self._escaped or self._is_escaped(end, close, cut=cut)
        long = read - end > CODE_LIMIT + (_END_TAG if close < 0 and not self._final else 0)
        body = buffer[end : min(read, end + CODE_LIMIT)]
        seam = end + CODE_LIMIT - _OVERLAP if long else read
        inner: list[tuple[int, bytes]] = []
        marked = page.relative_matters or self._is_marked(end, read) or (as_markup and b"<" in body)
        if name == b"style":
            if (marked or long) and scripts.is_read(page, name, found, body):
                inner = self._read_sheet(found, body, end, seam, outcome, as_markup=as_markup, long=long)
        elif marked or page.words or any(a.name == b"type" for a in found):
            self._read_script(found, body, outcome, as_markup=as_markup)
        if long and not outcome.inert_script and scripts.is_read(page, name, found, body):
            if as_markup or self._fences or page.relative_matters or scripts.is_read_whole(page, found):
                elements.disarm(outcome, found)
            elif name == b"script" and scripts.far_import(page, body, seam - end) >= 0:
                outcome.said.append(untold("script"))
                elements.disarm(outcome, found)
            else:
                self._reading = name
        if name == b"style" and outcome.inert_script and inner[:1] != [(end, scripts.SCAN_END)]:
            inner.insert(0, (end, scripts.SCAN_END))
        self._apply(at, name, StartTag.of(page, start.name_end, found, outcome))
        if nested or (as_markup and b"<" in buffer[end:read]):
            self._pending = deque(sorted((*self._pending, *inner)))
            self._push(name, end)
            return True
        for position_, markup in inner:
            self._insert(position_, markup)
        if cut:
            is_script = name == b"script"
            if not closed:
                self._insert(fence, self._script_closer(end, 0, fence) if is_script else b"</" + name + b">")
            return self._leave(fence)
        self._raw = name
        if self._reading:
            if name == b"script":
                _, self._script, seam = script_end(self._lower, end, stop=seam)
            return self._read_on(seam)
        if close >= 0:
            self._known = self._position = close
            return True
        return self._suspend("script" if name == b"script" and not as_markup else "raw", position)

    def _read_sheet(
        self,
        found: list[Attribute],
        body: bytes,
        start: int,
        seam: int,
        outcome: Outcome,
        *,
        as_markup: bool,
        long: bool,
    ) -> list[tuple[int, bytes]]:
        """Add to ``outcome`` what the style sheet from ``start`` to ``seam`` fetches; returns what makes that inert."""
        scanned = scripts.scanned(self._page, body, goes_on=long)
        if as_markup and not scanned:
            scanned = foreign.scanned(self._page, body)
        sheet = self._page.sheet(body, "style")
        hidden = foreign.sheet(self._page, found, body) if as_markup else []
        if Counter(said.url for said in hidden if said.blocked) - Counter(said.url for _, said in sheet):
            outcome.said += hidden
            elements.disarm(outcome, found)
        waiting = {place for place, _ in self._pending}
        there = [(start + at, said) for at, said in sheet if start + at < seam and start + at not in waiting]
        if long and not self._page.denies_nothing and 0 <= (cut := cut_off(body, self._page.codec)) < seam - start:
            there.append((start + cut, untold("style")))
        outcome.said += [said for _, said in there]
        outcome.said += scanned
        begins = [(start, scripts.SCAN_END)] if scanned else []
        return begins + [(place, INERT) for place, said in there if said.blocked]

    def _read_script(self, found: list[Attribute], body: bytes, outcome: Outcome, *, as_markup: bool) -> None:
        """Add to ``outcome`` what the text of a script does."""
        if any(a.name == b"src" for a in found) and not as_markup:
            return
        more = scripts.inline_script(self._page, found, body)
        if as_markup and not more.inert_script:
            more = foreign.script(self._page, found, body) or more
        outcome.said += more.said
        outcome.renamed += more.renamed
        outcome.inert_script |= more.inert_script

    def _is_escaped(self, start: int, close: int, *, cut: bool) -> bool:
        """Whether the text of a script in SVG, which others read as markup, ends elsewhere for who reads it as text."""
        if cut:
            return script_end(self._lower, start, stop=close)[1] > 0
        text = self._lower[start : close + 9] if close >= 0 else b"<!--"
        return script_end(text, 0)[0] != close - start

    def _unread(self, name: bytes, at: int, end: int, start: StartTag) -> bool:
        """A script or a style sheet inside another is made inert and not read, but for the markup in it."""
        page, found, outcome = self._page, start.found, start.outcome.copy()
        if scripts.is_read(page, name, found, self._buffer[end : end + len(scripts.SCAN_END)]):
            elements.disarm(outcome, found)
        self._apply(at, name, StartTag.of(page, start.name_end, found, outcome))
        if outcome.inert_script and name == b"style":
            self._insert(end, scripts.SCAN_END)
        return True

    def _is_marked(self, start: int, end: int) -> bool:
        """Whether something between these places may reach for somebody else."""
        return self._skimming or self._marks.after(start) < end

    def _script_end(self, start: int) -> tuple[int, int, int]:
        """As :func:`script_end` for a script that begins at ``start``."""
        if self._skimming:
            end = script_end_at_once(self._buffer, start, self._size)
            if end >= 0:
                return end, 0, end
        return script_end(self._lower, start)

    def _end_tag(self, name: bytes, start: int) -> int:
        """Where the end tag of this name is from ``start`` on, or -1."""
        if self._skimming:
            return end_tag(self._buffer, start, name, self._size)
        close = RAW_END[name].search(self._lower, start)
        return close.start() if close else -1

    def _skip_script(self, end: int) -> bool:
        """Leave behind the text of a script, which begins at ``end`` and means nothing."""
        close, self._script, position = self._script_end(end)
        if close < 0:
            self._raw = b"script"
            return self._suspend("script", position)
        self._known = self._position = close
        return True

    def _read_on(self, start: int) -> bool:
        """The text of a script or style sheet that is too long to be read as a whole goes on at ``start``."""
        lower = self._lower
        if self._raw == b"script":
            end, _, stop = script_end(lower, start, self._script)
        else:
            close = RAW_END[self._raw].search(lower, start)
            end = stop = close.start() if close else -1
        if end < 0:
            stop = self._size if self._final else max(start, self._size - _OVERLAP)
        if self._raw == b"script":
            text = self._buffer[start : end if end >= 0 else self._size]
            told = [(at, said) for at, said in self._page.telling(text) if start + at < stop]
            far = scripts.far_import(self._page, text, stop - start)
            if far >= 0:
                told = sorted([(far, untold("script")), *told], key=itemgetter(0))
            for at, said in told[:1]:
                return self._break_off(start, start + at, said)
            if end < 0:
                _, self._script, stop = script_end(lower, start, self._script, stop=stop)
        else:
            near = self._buffer[max(0, start - NEAR) : start] or self._near
            text = near + self._buffer[start : end if end >= 0 else self._size]
            begun = start - len(near)
            found = dict(self._page.loose(text)) | dict(scripts.cut_imports(self._page, text))
            for at, said in sorted(found.items(), key=itemgetter(0)):
                if start <= begun + at < stop:
                    self._page.tell(said, self._report)
                    self._insert(begun + at, INERT if said.blocked else b"")
            self._near = (near + self._buffer[start:stop])[-NEAR:]
        if end >= 0:
            self._reading = b""
            self._known = self._position = end
            return True
        if self._final:
            self._open = True
            self._mode = "code"
            return False
        return self._suspend("code", stop)

    def _break_off(self, start: int, at: int, said: Blocked) -> bool:
        """End a script before what gives it away, and make its rest another that doesn't run."""
        self._page.tell(said, self._report)
        closer = self._script_closer(start, self._script, at)
        self._insert(at, closer + b'<script type="text/plain"' + elements.marker(self._page, [said]) + b">")
        self._reading = b""
        end, self._script, position = script_end(self._lower, at)
        if end >= 0:
            self._known = self._position = end
            return True
        return self._suspend("script", position)

    def _script_closer(self, start: int, state: int, at: int) -> bytes:
        """What ends at ``at`` the text of a script that goes on at ``start`` in ``state`` (see :func:`script_end`)."""
        return b"--></script>" if script_end(self._lower, start, state, stop=at)[1] else b"</script>"

    def _resume(self) -> bool:
        """Go on inside what the last piece ended in; true when its end was found."""
        mode, self._mode = self._mode, ""
        buffer = self._buffer
        if mode == "plaintext":
            return self._suspend(mode, self._size)
        if mode == "code":
            return self._read_on(0)
        end, closer = -1, b""
        fence = self._fence()
        if mode == "giant":
            return self._go_through(0)
        if mode == "script":
            closer = self._script_closer(0, self._script, fence) if fence >= 0 else b""
            end, self._script, position = script_end(self._lower, 0, self._script)
        elif mode == "raw":
            match = RAW_END[self._raw].search(self._lower)
            end, closer = (match.start() if match else -1), b"</" + self._raw + b">"
            position = self._size - 16
        elif mode == "comment":
            comment = COMMENT_END.search(buffer)
            end, closer = (comment.end() if comment else -1), b"-->"
            position = self._size - 16
        else:
            end = buffer.find(b">") + 1 or -1
            position = self._size
        if fence >= 0 and closer and not 0 <= end <= fence:
            self._insert(fence, closer)
            return self._leave(fence)
        if end >= 0:
            self._known = self._position = end
            return True
        if self._final:
            self._open = True
            self._mode = mode
            return False
        return self._suspend(mode, max(0, position))
