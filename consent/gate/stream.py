"""The pass over a page: finds what may fetch, makes sure it is really a tag, and inserts what makes it inert.

Most tags are of no interest and are never looked at: one expression finds the *candidates*, and only where something
would be done to one is it decided whether it is a tag at all, or text inside a comment or an attribute. Where the gate
is compiled, what is of no interest is left behind tag by tag instead (:mod:`consent.gate.skim`). Whatever the pieces a
page comes in, the result is the same, and at most one tag or script is held back.
"""

from __future__ import annotations

import re
from typing import Final

from consent.gate.candidates import CALLS, CONTENT
from consent.gate.placement import SECTION, step_of
from consent.gate.skim import BEFORE_BODY, IN_BODY, IN_NOSCRIPT, Skimmer
from consent.gate.tags import Tags
from consent.gate.tokens import TAG, in_text, reach
from consent.gate.worlds import HEAD_RUN

_LONGEST_SECTION: Final = 12
"""No tag of a section is longer up to where its name ends, in bytes."""
_NOSCRIPT: Final = [b"noscript"]
_BEGINS: Final = re.compile(rb"[a-zA-Z/!?]|\Z")


class Stream(Tags):
    """One page on its way: feed it the pieces, close it, and send what both return."""

    def _step(self) -> bool:
        """Deal with the next thing that may matter; false when the piece holds no more."""
        place = self._place
        if place.before_body and not self._in_noscript:
            return self._before_body()
        if self._skimmer is not None:
            in_step = self._known == self._position and not (self._world or self._doubt)
            if in_step and (not self._fences or self._fences == _NOSCRIPT):
                return self._skim(self._skimmer)
            if self._skimming:
                self._search()
        at, mark = self._usual()
        nearest = at if at < mark else mark
        fence = self._fence() if self._fences else -1
        if 0 <= fence < nearest:
            nearest = fence
        if place.wants_footer:
            place.passed(self._counted, nearest)
            self._counted = nearest
        if nearest == fence:
            return self._pass_fence(fence)
        if mark < at:
            return self._look(mark)
        if at == self._size:
            return False
        if (self._fences or self._doubt) and self._repeats(at, mark):
            return True
        if self._buffer[at + 1] == 0x21:
            return (self._real(at) and self._declaration(at)) or self._goes_on()
        return self._tag(at, sure=False)

    def _skim(self, skimmer: Skimmer) -> bool:
        """Leave behind what needs no look, and look at what follows it."""
        place = self._place
        self._skimming = True
        fence = self._fence() if self._fences else -1
        end = fence if fence >= 0 else self._size
        at = skimmer.past(self._buffer, self._position, end, IN_NOSCRIPT if self._fences else IN_BODY, place)
        self._known = self._position = self._counted = at
        if at == fence:
            return self._leave(fence)
        if at == self._size:
            return False
        section = SECTION.match(self._buffer[at : at + _LONGEST_SECTION].lower()) if place.wants_footer else None
        goes_on = self._token(at)
        if section and self._hold < 0 and self._eof < 0 and not self._mode:
            place.section(step_of(section))
        return goes_on

    def _usual(self) -> tuple[int, int]:
        """Leave behind comments, and the scripts, style sheets and titles in which there is nothing to find.

        Returns where the next candidate is, and the next mark.
        """
        marks, places = self._marks, self._tags if self._world else self._candidates
        at, mark = places.after(self._position), marks.after(self._position)
        if self._world or self._fences or self._doubt or self._page.relative_matters:
            return at, mark
        footer, buffer = self._place.wants_footer, self._buffer
        while at < mark and at < self._size:
            if buffer[at + 1] == 0x21:
                end = self._comment_end(at) if buffer.startswith(b"<!--", at) else -1
            else:
                end = self._quiet_end(at, mark)
            if end < 0 or not in_text(buffer, self._known, at):
                break
            if footer:
                self._place.passed(self._counted, at)
            self._known = self._position = self._counted = end
            at = places.after(end)
            if mark < end:
                mark = marks.after(end)
        return at, mark

    def _look(self, at: int) -> bool:
        """There is a mark at ``at``, which means something if it is inside a tag."""
        buffer = self._buffer
        self._position = at + 1
        start = buffer.rfind(b"<", self._known, at)
        if start < 0:
            return self._to_next_tag(at)
        idle = buffer[at] == 0x28 and not self._is_call(at)
        if idle and at < self._calm:
            return True
        if in_text(buffer, self._known, start):
            self._known = start
            match = TAG.match(buffer, start)
            if match is not None:
                if match.end() <= at:
                    return self._to_next_tag(at)
                if idle and not self._page.may_matter(self._lower[start : match.end()]):
                    self._calm = match.end()
                    return True
                return self._tag(start, sure=True, match=match)
        start, end = reach(buffer, self._known, at)
        if start == at:
            self._known = at
            return True
        fence = self._fence()
        if fence >= 0 and not 0 <= end <= fence:
            return self._cut(start, fence)
        if end < 0:
            return self._unfinished(start)
        if buffer[start + 1 : start + 2].isalpha():
            self._known = start
            return self._tag(start, sure=True)
        self._known = self._position = end
        return True

    def _to_next_tag(self, at: int) -> bool:
        """What is at ``at`` is in text, and so is all that follows up to the next tag."""
        following = self._buffer.find(b"<", at)
        self._position = following if following >= 0 else self._size
        return True

    def _is_call(self, at: int) -> bool:
        """Whether the parenthesis seems to belong to a style sheet's address or to a script that matters."""
        near = self._lower[max(0, at - 80) : at + 80]
        if CALLS.search(self._lower, max(0, at - 24), at):
            return True
        return self._page.may_matter(near)

    def _before_body(self) -> bool:
        buffer = self._buffer
        if self._fresh and buffer.startswith(b"\xef\xbb\xbf"):
            self._position = self._known = 3
        self._fresh = False
        at = self._past_usual_head()
        if at < 0:
            return False
        if self._fences and self._fence() == at:
            return self._leave(at)
        if buffer[at] == 0x3C and _BEGINS.match(buffer, at + 1):
            return self._token(at)
        if not self._place.in_template:
            self._insert(at, self._place.notice())
        else:
            following = buffer.find(b"<", at + 1)
            self._known = self._position = following if following >= 0 else self._size
        return True

    def _past_usual_head(self) -> int:
        """Leave behind what heads usually hold and nobody has to look at; returns where something else is, or -1."""
        if self._skimmer is not None:
            if not (self._fences or self._foreign):
                at = self._skimmer.past(self._buffer, self._position, self._size, BEFORE_BODY, self._place)
                self._skimming = True
                self._known = self._position = at
                return at if at < self._size else -1
            if self._skimming:
                self._search()
        marks, lower = self._marks, self._lower
        while True:
            found = CONTENT.search(lower, self._position)
            if found is None:
                return -1
            at = self._known = self._position = found.start()
            if self._fences or self._foreign or self._page.relative_matters:
                return at
            mark = marks.after(at)
            run = HEAD_RUN.match(lower, at, mark)
            end = run.end() if run else self._quiet_end(at, mark)
            if end < 0:
                return at
            self._known = self._position = end
