"""On which line of a TOML text each key, table and list element stands; ``tomllib`` doesn't say.

The text must already be valid TOML: this reads just enough of the grammar to keep count.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right

Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*'""")
_STRING = re.compile(
    r'''"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*\'''',
    re.DOTALL,
)
_BARE = re.compile(r"[^,\]}\n#]*")


def positions(text: str) -> dict[Path, int]:
    """The line, counted from 1, of every path in a valid TOML text.

    ``("service", 0, "load", 2)`` is the third pattern of the first ``[[service]]``. A table's line is that of its
    header, or of the first key that implies it.
    """
    return _Reader(text).read()


class _Reader:
    """One pass over one text; ``at`` is the offset reached."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Path, int] = {}
        self._breaks = [match.start() for match in re.finditer("\n", text)]
        self._last: dict[Path, int] = {}  # an array of tables -> the index of its open element

    def read(self) -> dict[Path, int]:
        table: Path = ()
        while self._skip(_BLANK) < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
        return self.lines

    def _header(self) -> Path:
        brackets = 2 if self.text.startswith("[[", self.at) else 1
        line = self._line()
        self.at += brackets
        keys = self._dotted()
        self.at += brackets
        path: Path = ()
        for number, key in enumerate(keys, start=1):
            path += (key,)
            self.lines.setdefault(path, line)
            if brackets == 2 and number == len(keys):
                self._last[path] = self._last.get(path, -1) + 1
            if path in self._last:
                path += (self._last[path],)
                self.lines.setdefault(path, line)
        return path

    def _pair(self, table: Path) -> None:
        line = self._line()
        path = table
        for key in self._dotted():
            path += (key,)
            self.lines.setdefault(path, line)
        self.at += 1  # the equals sign
        self._skip(_SPACE)
        self._value(path)

    def _value(self, path: Path) -> None:
        first = self.text[self.at]
        if first == "[":
            self._list(path)
        elif first == "{":
            self._inline_table(path)
        else:
            self._skip(_STRING if first in "\"'" else _BARE)

    def _list(self, path: Path) -> None:
        self.at += 1
        number = 0
        while self._next() != "]":
            self.lines[*path, number] = self._line()
            self._value((*path, number))
            number += 1
            if self._next() == ",":
                self.at += 1
        self.at += 1

    def _inline_table(self, path: Path) -> None:
        self.at += 1
        while self._next() != "}":
            self._pair(path)
            if self._next() == ",":
                self.at += 1
        self.at += 1

    def _dotted(self) -> list[str]:
        keys = []
        while True:
            self._skip(_SPACE)
            start = self.at
            raw = self.text[start : self._skip(_KEY)]
            keys.append(next(iter(tomllib.loads(f"{raw} = 0"))))
            if self.text[self._skip(_SPACE)] != ".":
                return keys
            self.at += 1

    def _next(self) -> str:
        return self.text[self._skip(_BLANK)]

    def _skip(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self.text, self.at)
        if match is None:
            raise ValueError(f"not TOML at offset {self.at}")
        self.at = match.end()
        return self.at

    def _line(self) -> int:
        return bisect_right(self._breaks, self.at - 1) + 1
