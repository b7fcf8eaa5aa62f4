"""A page in pieces: what is held back, and what is sent.

Whatever the pieces a page comes in, the result is the same, and at most one tag, script or style sheet is held back.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import ClassVar, Final

from consent.gate.candidates import EVERY, FINDERS
from consent.gate.embed import Embed
from consent.gate.evidence import marks
from consent.gate.page import Blocked, Page
from consent.gate.placement import Insert, Place
from consent.gate.search import WINDOW, Spots
from consent.gate.skim import COMPILED, Skimmer, skimmer

_FEW: Final = 512
"""So many bytes are searched first where little will be."""
_COPIED: Final = 16384


class Pieces(ABC):
    """Holds a page's pieces and sends what is decided; what is to be done, others say in :meth:`_step`."""

    _takes_html: ClassVar[bool] = True
    """Whether a placeholder, which is HTML, can stand in this page."""
    skims: ClassVar[bool] = COMPILED
    """Whether what needs no look is left behind tag by tag, and not searched for what does."""

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
        self._place = Place(insert, footer, page.codec)
        self._placeholder = placeholder if self._takes_html else None
        self._report = report
        self._rest = b""
        self._before = 0  # the byte before those that are held back
        self._mode = ""
        self._raw = b""
        self._skipping = b""
        self._script = 0
        self._fences: list[bytes] = []
        self._world: list[bytes] = []
        self._doubt = False
        self._escaped = False
        self._nested = 0
        self._reading = b""
        self._near = b""  # the last of what was read of a long style sheet
        self._in_object = False
        self._templates = 0
        self._after = b""
        self._fresh = True
        self._open = False
        self._out: list[bytes | memoryview] = []
        # Insertions into a style sheet in SVG, whose text is read once more as markup: they wait for their turn.
        self._pending: deque[tuple[int, bytes]] = deque()

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

    def read_as(self, codec: str) -> None:
        """The page turns out to be written in ``codec``."""
        self._page = self._page.read_as(codec)
        self._place.codec = codec

    def _start(self, buffer: bytes, *, final: bool) -> None:
        self._buffer = buffer
        self._lowered: bytes | None = None
        self._size = len(buffer)
        # What goes out is cut from a view where a copy would cost more.
        self._source = memoryview(buffer) if self._size > _COPIED else buffer
        self._final = final
        self._done = 0
        self._known = 0
        self._position = 0
        self._hold = -1
        self._eof = -1
        self._counted = 0
        self._calm = 0
        self._dashes = (-1, -1)
        self._fence_spots: dict[bytes, int] = {}
        self._place.read(self._in_lower_case)
        self._weigh()

    @property
    def _lower(self) -> bytes:
        """The piece in lower case, made when first asked for."""
        lowered = self._lowered
        if lowered is None:
            lowered = self._lowered = self._buffer.lower()
        return lowered

    def _in_lower_case(self) -> bytes:
        return self._lower

    def _weigh(self) -> None:
        """What matters on this page changes with its ``base``."""
        page = self._page
        self._skimmer: Skimmer | None = None
        if self.skims and not page.relative_matters:
            self._skimmer = skimmer(page.hosts, page.needles)
        self._skimming = self._skimmer is not None
        self._searched = False
        if not self._skimming:
            self._search()

    def _search(self) -> None:
        """From here on it is searched for what may matter; what was found once is not looked for again."""
        self._skimming = False
        if self._searched:
            return
        self._searched = True
        page, lower, start = self._page, self._lower, self._position
        window = _FEW if self._skimmer is not None else WINDOW
        self._marks = marks(page.searches, lower, start, window=window)
        self._candidates = Spots(FINDERS[page.relative_matters, self._place.wants_footer], lower, start, window)
        self._tags = Spots(EVERY, lower, start)

    def _run(self, buffer: bytes, *, final: bool) -> bytes:
        self._start(buffer, final=final)
        if not self._mode or self._resume():
            self._counted = self._position
            while self._step():
                self._counted = self._position
            if self._hold < 0 and not self._mode:
                self._settle()
        if self._place.wants_footer and not self._place.before_body and not final:
            if not self._mode:
                self._place.passed(self._counted, self._size if self._hold < 0 else self._hold)
            self._place.count()
        if final:
            self._finish()
        keep = self._size if final or self._hold < 0 else self._hold
        self._insert(keep, b"")
        if self._pending:
            self._pending = deque((at - keep, markup) for at, markup in self._pending)
        self._rest = buffer[keep:]
        if keep:
            self._before = buffer[keep - 1]
        if not self._out:
            return buffer if keep == self._size and not self._done else buffer[self._done : keep]
        self._out.append(self._source[self._done : keep])
        result = b"".join(self._out)
        self._out.clear()
        return result

    def _insert(self, at: int, markup: bytes) -> None:
        while self._pending and self._pending[0][0] <= at:
            self._put(*self._pending.popleft())
        if markup:
            self._put(at, markup)

    def _put(self, at: int, markup: bytes) -> None:
        self._out.append(self._source[self._done : at])
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

    def _finish(self) -> None:
        """The page is over: what has found no better place goes to its end."""
        if self._open or self._mode:
            return
        at = self._size if self._eof < 0 else self._eof
        if self._place.before_body:
            self._insert(at, self._place.notice())
        if self._place.wants_footer:
            self._insert(at, self._place.settings())

    @abstractmethod
    def _step(self) -> bool:
        """Deal with the next thing that may matter; false when the piece holds no more."""

    @abstractmethod
    def _resume(self) -> bool:
        """Go on inside what the last piece ended in; true when its end was found."""

    @abstractmethod
    def _settle(self) -> None:
        """No candidate is left: hold back what may be the beginning of one."""
