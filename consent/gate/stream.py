"""The pass over a page: finds what may fetch, makes sure it is really a tag, and inserts what makes it inert.

Most tags are of no interest and are never looked at: one expression finds the *candidates*, and only where something
would be done to one is it decided whether it is a tag at all, or text inside a comment or an attribute. Whatever the
pieces a page comes in, the result is the same, and at most one tag or script is held back.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from consent.gate import elements
from consent.gate.css import INERT
from consent.gate.embed import Embed, embed_of
from consent.gate.page import Blocked, Page
from consent.gate.placement import LANDMARKS, Insert, Place
from consent.gate.tokens import (
    ATTRIBUTE,
    ATTRIBUTE_BODY,
    BEGUN,
    COMMENT_END,
    NAME,
    RAW_END,
    RAW_TEXT,
    TAG,
    TAG_END,
    Attribute,
    attributes,
    comment_end,
    in_text,
    reach,
    script_end,
    token_end,
)

LIMIT: Final = 65536
"""The longest tag that is read as a whole, in bytes."""
CODE_LIMIT: Final = 262144
"""The most of one inline script or style sheet that is held back to be read as a whole, in bytes."""

_WATCHED = {*elements.URLS, *elements.SPECIAL, *RAW_TEXT, b"noscript", b"svg", b"math", b"select", b"frameset"}
_ENDS = (b"svg", b"math", b"select", b"object")


def _finder(opening: set[bytes], closing: tuple[bytes, ...]) -> re.Pattern[bytes]:
    # Longer names first, grouped by first letter, so that the common ``<a`` and ``<p`` fail at once.
    groups: dict[bytes, list[bytes]] = {}
    for name in sorted(opening):
        groups.setdefault(name[:1], []).append(name[1:])
    body = b"|".join(first + b"(?:" + b"|".join(rest) + b")" for first, rest in sorted(groups.items()))
    return re.compile(rb"<(?:(?:" + body + rb"|/(?:" + b"|".join(closing) + rb"))(?=[\t\n\f\r />]|\Z)|!(?:--|\[cdata\[))")


CANDIDATE: Final = _finder(_WATCHED, _ENDS)
CANDIDATE_OR_LANDMARK: Final = _finder(_WATCHED | LANDMARKS, (*_ENDS, *sorted(LANDMARKS)))
_INTEGRATION = frozenset((b"foreignobject", b"desc", b"mi", b"mo", b"mn", b"ms", b"mtext", b"annotation-xml"))
_BREAKOUT = frozenset(
    b"b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing menu meta "
    b"nobr ol p pre ruby s small span strong strike sub sup table tt u ul var".split()
)
_IN_SVG: Final = _finder(_WATCHED | LANDMARKS | _INTEGRATION | _BREAKOUT, (*_ENDS, *sorted(LANDMARKS | _INTEGRATION)))
_SUSPECT = re.compile(rb"//|[\\&(:]|/[\t\n\r]+/")
_HARMLESS = re.compile(
    rb"(?:[\t\n\f\r /]*+(?!on|src|href|xlink|style|poster|data|ping|background|attributionsrc|imagesrcset|action|formaction"
    rb"|fill|stroke|filter|mask|clip|cursor|marker)" + ATTRIBUTE_BODY + rb"(?=[\t\n\f\r ]*+[^\t\n\f\r ]))*+",
    re.IGNORECASE,
)
_UNQUOTED_END = re.compile(rb"[\t\n\f\r >]")
_CONTENT = re.compile(rb"[^\t\n\f\r ]")
_RARE = (
    re.compile(rb"\((?<!\(\()"),
    re.compile(rb"(?:ping|attributionsrc|background)[\t\n\f\r ]*+="),
    re.compile(rb"&(?:lpar|#0*40(?![0-9])|#x0*28(?![0-9a-f]))"),
)
_CDATA_END = re.compile(rb"]]>")
_BOOKED = frozenset((*RAW_TEXT, b"html", b"base", b"svg", b"math", b"body", b"frameset", b"select", b"noscript", b"template", *LANDMARKS))
_CALLS = re.compile(rb"(?:url|image|image-set|cross-fade|src)\Z|[\\&]")


class Stream:
    """One page on its way: feed it the pieces, close it, and send what both return."""

    def __init__(
        self,
        page: Page,
        *,
        insert: Insert = b"",
        footer: Insert = b"",
        placeholder: Callable[[Embed], bytes] | None = None,
        report: Callable[[Blocked], None] | None = None,
    ) -> None:
        self._page = page
        self._place = Place(insert, footer)
        self._placeholder = placeholder
        self._report = report
        self._candidate = CANDIDATE_OR_LANDMARK if footer else CANDIDATE
        self._rest = b""
        self._mode = ""
        self._raw = b""
        self._skipping = b""
        self._script = 0
        self._fences: list[re.Pattern[bytes]] = []
        self._foreign = 0
        self._integration = 0
        self._ignoring = False
        self._in_object = False
        self._after = b""
        self._fresh = True
        self._open = False
        self._out: list[bytes] = []
        self._start(b"", final=False)

    def feed(self, data: bytes) -> bytes:
        """Take the next piece; returns what can be sent by now."""
        if not data:
            return b""
        return self._run(self._rest + data if self._rest else data, final=False)

    def close(self) -> bytes:
        """The page ends here; returns what was still held back."""
        return self._run(self._rest, final=True)

    def whole(self, html: bytes) -> bytes:
        """The whole page at once; ``html`` itself where nothing is to be changed."""
        return self._run(html, final=True)

    def _start(self, buffer: bytes, *, final: bool) -> None:
        self._buffer = buffer
        self._lower = buffer.lower()
        self._size = len(buffer)
        self._final = final
        self._done = 0
        self._known = 0
        self._position = 0
        self._hold = -1
        self._eof = -1
        self._found = -1
        self._finder = self._candidate
        self._fence_spots: dict[re.Pattern[bytes], int] = {}
        self._rare = [-1, -1, -1]

    def _run(self, buffer: bytes, *, final: bool) -> bytes:
        self._start(buffer, final=final)
        if not self._mode or self._resume():
            while self._step():
                pass
            if self._hold < 0 and not self._mode:
                self._settle()
        if final:
            self._finish()
        keep = self._size if final or self._hold < 0 else self._hold
        self._rest = buffer[keep:]
        if not self._out:
            return buffer if keep == self._size and not self._done else buffer[self._done : keep]
        self._out.append(buffer[self._done : keep])
        result = b"".join(self._out)
        self._out.clear()
        return result

    def _insert(self, at: int, markup: bytes) -> None:
        if markup:
            self._out.append(self._buffer[self._done : at])
            self._out.append(markup)
            self._done = at

    def _suspend(self, mode: str, keep: int) -> bool:
        """Go on in ``mode`` from ``keep`` with the next piece; always false: nothing more to do with this one."""
        self._mode = mode
        self._hold = min(keep, self._size)
        self._known = self._hold
        return False

    def _wait(self, at: int) -> bool:
        """Hold back everything from ``at``; always false."""
        self._hold = at
        return False

    # -- where we are: in text, or inside something ---------------------------------------------------------------

    def _real(self, at: int) -> bool:
        """Whether a tag really begins at ``at``; if not, ``_position`` is behind what is there instead."""
        if in_text(self._buffer, self._known, at):
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
        else:
            self._known = self._position = end
        return False

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
        if NAME.match(self._buffer, start):
            return self._giant(start)
        return self._suspend("bogus", self._size)

    def _fence(self) -> int:
        """Where the element ends whose text another reader may take for markup, or -1 (see :meth:`_cut`)."""
        if not self._fences:
            return -1
        nearest = self._size + 1
        for fence in self._fences:
            spot = self._fence_spots.get(fence, -1)
            if spot < self._known:
                match = fence.search(self._buffer, self._known)
                self._fence_spots[fence] = spot = match.start() if match else self._size + 1
            nearest = min(nearest, spot)
        return nearest if nearest <= self._size else -1

    def _push(self, fence: re.Pattern[bytes], after: int) -> None:
        if not self._page.denies_nothing and fence not in self._fences:
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
        while self._fences:
            passed = self._fences.pop().match(self._buffer, fence)
            if passed:
                self._known = self._position = max(passed.end(), fence) if passed[0] == b"]]>" else fence
                break
        return True

    def _cut(self, start: int, fence: int, *, leave: bool = True) -> bool:
        """Close what is open at the fence, so that every reader is in text behind it.

        With scripting ``<noscript>`` holds text up to its end tag, without it holds markup: a comment in it that goes
        on behind the end tag hides there from one what the other fetches. What is inserted is text to one of them.
        """
        buffer = self._buffer
        if buffer.startswith(b"<!--", start):
            closer = b"-->"
        elif not (name := NAME.match(buffer, start, fence)):
            closer = b">"
        else:
            closers = (b">", b'">', b"'>")
            closer = next((c for c in closers if TAG.fullmatch(buffer[start:fence] + c)), b">")
            tag = buffer[start:fence] + closer
            kind = name[1].lower()
            if buffer[start + 1] != 0x2F:
                found = [
                    Attribute(a.name, a.value, a.at + start, a.value_at + start)
                    for a in attributes(tag, name.end() - start, len(tag))
                ]
                self._apply(start, name.end(), kind, found, elements.judge(self._page, kind, found))
                if kind in RAW_TEXT:
                    closer += b"</" + kind + b">"
        self._insert(fence, closer)
        self._known = self._position = fence
        return self._leave(fence) if leave else self._position < self._size

    # -- one step -------------------------------------------------------------------------------------------------

    def _step(self) -> bool:
        """Deal with the next thing that may matter; false when the piece holds no more."""
        if self._place.before_body:
            return self._before_body()
        at = self._next_candidate()
        rare = self._next_rare(at)
        if self._fences:
            fence = self._fence()
            if 0 <= fence <= min(at, rare):
                return self._pass_fence(fence)
        if rare < at:
            return self._look(rare)
        if at == self._size:
            return False
        if self._buffer[at + 1] == 0x21:
            return (self._real(at) and self._declaration(at)) or self._goes_on()
        return self._tag(at, sure=False)

    def _goes_on(self) -> bool:
        return self._hold < 0 and not self._mode and self._position < self._size

    def _next_candidate(self) -> int:
        finder = _IN_SVG if self._foreign else self._candidate
        if self._found < self._position or self._finder is not finder:
            match = finder.search(self._lower, self._position)
            self._found = match.start() if match else self._size
            self._finder = finder
        return self._found

    def _next_rare(self, limit: int) -> int:
        nearest = limit
        for index, pattern in enumerate(_RARE):
            at = self._rare[index]
            if at < self._position:
                match = pattern.search(self._lower, self._position)
                self._rare[index] = at = match.start() if match else self._size + 1
            nearest = min(nearest, at)
        return nearest

    def _look(self, at: int) -> bool:
        """An attribute that any tag may have, or what looks like one, is at ``at``."""
        self._position = at + 1
        if self._buffer[at] == 0x28 and not self._is_call(at):
            return True
        if in_text(self._buffer, self._known, at):
            self._known = at
            return True
        start, end = reach(self._buffer, self._known, at)
        if start == at:
            self._known = at
            return True
        fence = self._fence()
        if fence >= 0 and not 0 <= end <= fence:
            return self._cut(start, fence)
        if end < 0:
            return self._unfinished(start)
        if self._buffer[start + 1 : start + 2].isalpha():
            self._known = start
            return self._tag(start, sure=True)
        self._known = self._position = end
        return True

    def _is_call(self, at: int) -> bool:
        """Whether the parenthesis may belong to a style sheet's address or to a script that matters."""
        near = self._lower[max(0, at - 80) : at + 80]
        if _CALLS.search(self._lower, max(0, at - 24), at):
            return True
        return self._page.may_matter(near)

    def _before_body(self) -> bool:
        buffer = self._buffer
        if self._fresh and buffer.startswith(b"\xef\xbb\xbf"):
            self._position = self._known = 3
        self._fresh = False
        found = _CONTENT.search(buffer, self._position)
        if found is None:
            return False
        at = found.start()
        self._known = self._position = at
        if NAME.match(buffer, at):
            return self._tag(at, sure=True)
        if buffer.startswith(b"<!--", at):
            return self._declaration(at)
        end = token_end(buffer, at) if buffer[at] == 0x3C else at
        if end < 0:
            return self._unfinished(at)
        if end > at + 1:
            self._known = self._position = end
        elif not self._place.in_template:
            self._insert(at, self._place.notice())
        else:
            self._known = self._position = at + 1
        return True

    def _declaration(self, at: int) -> bool:
        """A comment, or a CDATA section, begins at ``at``."""
        buffer = self._buffer
        fence = self._fence()
        if not buffer.startswith(b"<!--", at):
            end = buffer.find(b">", at) + 1
            if not end:
                return self._unfinished(at)
            if self._foreign and buffer[end - 3 : end] != b"]]>":
                self._push(_CDATA_END, end)
            else:
                self._known = self._position = end
            return True
        end = comment_end(buffer, at)
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

    # -- one tag --------------------------------------------------------------------------------------------------

    def _tag(self, at: int, *, sure: bool) -> bool:
        """A tag seems to begin at ``at``; ``sure`` where it is known to."""
        buffer = self._buffer
        match = TAG.match(buffer, at)
        end = match.end() if match else -1
        fence = self._fence() if self._fences else -1
        if match is None or (0 <= fence < end) or (end - at > LIMIT and not self._fences):
            if not sure and not self._real(at):
                return self._goes_on()
            if 0 <= fence and not 0 <= end <= fence:
                return self._cut(at, fence)
            return self._unfinished(at) if match is None else self._giant(at)
        name = match[1].lower()
        name_end = match.end(1)
        closes = buffer[at + 1] == 0x2F
        found: list[Attribute] = []
        outcome = None
        if not closes and (self._page.relative_matters or _SUSPECT.search(buffer, name_end, end)):
            found = attributes(buffer, name_end, end)
            outcome = elements.judge(self._page, name, found)
        if not sure:
            idle = not closes and name not in _BOOKED and not self._foreign
            if idle and (outcome is None or not outcome.said):
                self._position = name_end
                return True
            if not self._real(at):
                return self._goes_on()
        if self._foreign:
            self._leave_foreign(name, closes=closes, empty=buffer[end - 2] == 0x2F)
        self._position = self._known = end
        if self._place.before_body:
            self._open_body(name, at, end, closes)
        elif self._place.wants_footer and name in LANDMARKS and self._place.landmark(name, closes=closes):
            self._insert(at, self._place.settings())
        if closes:
            self._closed(name)
            return True
        if name in _BOOKED:
            found = found or attributes(buffer, name_end, end)
            return self._opened(name, at, name_end, end, found, outcome)
        if outcome is not None:
            self._apply(at, name_end, name, found, outcome)
        return True

    def _open_body(self, name: bytes, at: int, end: int, closes: bool) -> None:
        place = self._place
        if place.in_head(name, closes=closes):
            return
        if name == b"frameset":
            place.frameset()
        elif name == b"body" and not closes:
            self._after = place.notice()
        else:
            self._insert(at, place.notice())

    def _leave_foreign(self, name: bytes, *, closes: bool, empty: bool) -> None:
        """An HTML element's start tag ends SVG and MathML, unless an element that takes HTML is open in it."""
        if name in _INTEGRATION:
            self._integration = max(0, self._integration + (-1 if closes else not empty))
        elif name in _BREAKOUT and not closes and not self._integration and RAW_END[b"title"] not in self._fences:
            self._foreign = 0

    def _closed(self, name: bytes) -> None:
        if name in (b"svg", b"math"):
            self._foreign = max(0, self._foreign - 1)
            self._integration *= bool(self._foreign)
        elif name == b"select":
            self._ignoring = False
        elif name == b"object":
            self._in_object = False

    def _opened(
        self, name: bytes, at: int, name_end: int, end: int, found: list[Attribute], outcome: elements.Outcome | None
    ) -> bool:
        """An element that changes how what follows is read."""
        if name in (b"script", b"style"):
            return self._code(name, at, name_end, end, found, outcome)
        if outcome is not None:
            self._apply(at, name_end, name, found, outcome)
        if name == b"html":
            self._place.note_language(self._page.text(next((a.value for a in found if a.name == b"lang"), b"")))
        elif name == b"base":
            elements.bases(self._page, [a for a in found if not (outcome and a in outcome.renamed)])
        elif name in (b"svg", b"math"):
            self._foreign += self._buffer[end - 2] != 0x2F
        elif name == b"body" and self._after:
            self._insert(end, self._after)
            self._after = b""
        elif name in (b"select", b"frameset"):
            self._ignoring = True  # of most elements, so that their text is markup
            if name == b"frameset":
                self._place.frameset()
        elif name == b"noscript":
            if RAW_END[b"noscript"] not in self._fences:
                self._push(RAW_END[b"noscript"], end)
        elif name in RAW_TEXT:
            return self._raw_text(name, end)
        return True

    def _raw_text(self, name: bytes, end: int) -> bool:
        """Skip the text of an element whose content is no markup (but see :meth:`_cut` for SVG)."""
        if self._foreign or self._ignoring:
            self._push(RAW_END[name], end)
            return True
        if name == b"plaintext":
            self._open = True
            return self._suspend("plaintext", self._size)
        close = RAW_END[name].search(self._buffer, end)
        fence = self._fence()
        if fence >= 0 and not (close and close.start() <= fence):
            self._insert(fence, b"</" + name + b">")
            return self._leave(fence)
        if close:
            self._known = self._position = close.start()
            return True
        self._raw = name
        return self._suspend("raw", max(end, self._size - 16))

    def _code(
        self, name: bytes, at: int, name_end: int, end: int, found: list[Attribute], outcome: elements.Outcome | None
    ) -> bool:
        """A script or a style sheet: its text decides about its start tag, so both are read together."""
        buffer, page = self._buffer, self._page
        outcome = outcome or elements.Outcome()
        as_markup = self._foreign > 0 or (self._ignoring and name == b"style")
        if as_markup and RAW_END[name] in self._fences:
            self._apply(at, name_end, name, found, outcome)
            return True  # inside another of its kind, whose text was read already
        if as_markup or name == b"style":
            close_match = RAW_END[name].search(buffer, end)
            close = close_match.start() if close_match else -1
            state, position = 0, max(end, self._size - 16)
        else:
            close, state, position = script_end(buffer, end)
        fence = self._fence()
        cut = fence >= 0 and not 0 <= close <= fence
        if cut:
            close = fence
        read = self._size if close < 0 else close
        if close < 0 and not self._final and read - end < CODE_LIMIT:
            self._known = self._position = at
            return self._wait(at)
        body = buffer[end : min(read, end + CODE_LIMIT)]
        inner: list[tuple[int, bytes]] = []
        if name == b"style":
            sheet = page.sheet(buffer[end:read], "style")
            outcome.said += [said for _, said in sheet]
            inner = [(end + offset, INERT) for offset, said in sheet if said.blocked]
        elif not any(a.name == b"src" for a in found) or self._foreign:
            more = elements.inline_script(page, found, body)
            outcome.said += more.said
            outcome.renamed += more.renamed
            outcome.inert_script |= more.inert_script
        self._apply(at, name_end, name, found, outcome)
        if as_markup and not cut and b"<" in body and not inner:
            self._push(RAW_END[name], end)
            return True
        for position_, markup in inner:
            self._insert(position_, markup)
        if cut:
            self._insert(fence, b"</" + name + b">")
            return self._leave(fence)
        if close >= 0:
            self._known = self._position = close
            return True
        self._raw, self._script = name, state
        return self._suspend("script" if name == b"script" and not as_markup else "raw", position)

    def _apply(self, at: int, name_end: int, name: bytes, found: list[Attribute], outcome: elements.Outcome) -> None:
        """Report what was found in one start tag, and insert what makes it inert."""
        page = self._page
        for said in outcome.said:
            page.tell(said, self._report)
        if not outcome.blocks and not any(said.blocked for said in outcome.said):
            return
        markup = b""
        if outcome.embed and self._placeholder and not self._foreign and not (self._in_object and name == b"embed"):
            embed = embed_of(page, name, found, outcome.embed, self._place.lang)
            markup = self._placeholder(embed) if embed else b""
            self._insert(at, markup)
            self._in_object = self._in_object or (name == b"object" and bool(markup))
        for position, text in outcome.insertions(name_end, inert=bool(markup)):
            self._insert(position, text)

    # -- what goes on over pieces ---------------------------------------------------------------------------------

    def _giant(self, at: int) -> bool:
        """A tag that is longer than the limit: it is read attribute by attribute, and fails closed.

        Where that can't make the element harmless, its name is changed too.
        """
        name = NAME.match(self._buffer, at)
        if name is None:
            return self._suspend("bogus", self._size)
        self._raw = name[1].lower()
        self._skipping = b""
        closes = self._buffer[at + 1] == 0x2F
        watched = self._raw in elements.URLS or self._raw in elements.SPECIAL or self._raw in RAW_TEXT
        if not closes and watched and self._raw not in elements.BY_ATTRIBUTE:
            self._insert(at + 1, elements.PREFIX)
        if self._place.before_body and not self._place.in_head(self._raw, closes=closes):
            self._insert(at, self._place.notice())
        return self._go_through(name.end())

    def _go_through(self, position: int) -> bool:
        """Read the attributes of a giant tag from ``position``; true when its end was found."""
        buffer = self._buffer
        while True:
            if self._skipping:
                ends = _UNQUOTED_END.search(buffer, position) if self._skipping == b" " else None
                position = ends.start() if ends else buffer.find(self._skipping, position) + 1
                if not ends and not (position and self._skipping != b" "):
                    return self._suspend("giant", self._size)
                self._skipping = b""
            if end := TAG_END.match(buffer, position):
                self._known = self._position = end.end()
                return True
            position = _HARMLESS.match(buffer, position).end()  # type: ignore[union-attr]  # it always matches
            if end := TAG_END.match(buffer, position):
                continue
            match = ATTRIBUTE.match(buffer, position)
            length = (match.end() if match else self._size) - position
            if match and _CONTENT.search(buffer, match.end()) and length <= LIMIT:
                for found in attributes(buffer, position, match.end() + 1):
                    for at, markup in elements.judge_alone(self._page, self._raw, found):
                        self._insert(at, markup)
                position = match.end()
            elif length <= LIMIT or not (begun := BEGUN.match(buffer, position)):
                return self._suspend("giant", position)
            else:
                if elements.is_risky(begun[1].lower(), buffer[begun.end() : begun.end() + 11]):
                    self._insert(begun.start(1), elements.PREFIX)
                self._skipping = begun[2] or b" "
                position = begun.end()

    def _resume(self) -> bool:
        """Go on inside what the last piece ended in; true when its end was found."""
        mode, self._mode = self._mode, ""
        buffer = self._buffer
        if mode == "plaintext":
            return self._suspend(mode, self._size)
        end, closer = -1, b""
        if mode == "giant":
            return self._go_through(0)
        if mode == "script":
            end, self._script, position = script_end(buffer, 0, self._script)
        elif mode == "raw":
            match = RAW_END[self._raw].search(buffer)
            end, closer = (match.start() if match else -1), b"</" + self._raw + b">"
            position = self._size - 16
        elif mode == "comment":
            comment = COMMENT_END.search(buffer)
            end, closer = (comment.end() if comment else -1), b"-->"
            position = self._size - 16
        else:
            end = buffer.find(b">") + 1 or -1
            position = self._size
        if mode == "script":
            closer = b"</script>"
        fence = self._fence()
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

    def _settle(self) -> None:
        """No candidate is left: hold back what may be the beginning of one."""
        if self._final:
            return
        last = self._buffer.rfind(b"<", self._known)
        if last >= 0 and self._real(last) and token_end(self._buffer, last) < 0:
            self._unfinished(last)
        if self._fences and self._hold < 0 and not self._mode:
            self._wait(max(self._known, self._size - 2))

    def _finish(self) -> None:
        """The page is over: what has found no better place goes to its end."""
        if self._open or self._mode:
            return
        at = self._size if self._eof < 0 else self._eof
        if self._place.before_body:
            self._insert(at, self._place.notice())
        if self._place.wants_footer:
            self._insert(at, self._place.settings())
