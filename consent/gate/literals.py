"""What in a script is no code: its strings, templates, comments and regular expressions (ECMAScript 12).

Whether a slash divides or begins a regular expression, and whether ``<!--`` begins a comment, a parser alone knows. So
all readings are followed at once, and a place is hidden only where it is hidden in each of them.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import lru_cache
from typing import Final

_MARK = re.compile(
    rb"(?P<line>\r\n?|\n)|(?P<separator>\xe2\x80[\xa8\xa9])|(?P<html><!--|-->)|(?P<code>\$\{)|(?P<slash>/)"
    rb"|(?P<quote>[\"'])|[`\\\[\]]|(?<=\\)[\s\S]"
)
_SIGNS: Final = {"line": "\n", "separator": "u", "html": "!", "code": "$"}
_WORDS: Final = b"await case default delete do else extends in instanceof new of return throw typeof void yield"
_EXPECTING = re.compile(b"|".join(rb"(?<=" + word + rb")" for word in _WORDS.split()))
"""The words that a regular expression may follow."""
_BEGINS: Final = frozenset(b"(,=:[!&|?{;*%~^<>")
"""A slash right behind these begins a regular expression."""
_DIVIDES: Final = frozenset(b"]\"'`$_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
"""A slash right behind these divides."""
_LETTERS: Final = frozenset(b"abcdefghijklmnopqrstuvwxyz")
_AFTER_STRING = re.compile(rb"(?!(?:in|instanceof|as|with|assert|from|of)(?![\w$]))[\w$\"']")
"""What can't stand right behind a string."""
_AFTER_REGEXP = re.compile(rb"[dgimsuvy]*+(?![\w$\\]|[\t ]*+[\"'])")
"""What can stand right behind a regular expression."""
_OPENED: Final = {"/": "L", "*": "C", "+": "O", "r": "R", "d": "K", "?": "KR"}
_UNESCAPED: Final = {"d": "D", "s": "S", "t": "T", "r": "R", "q": "Q"}


class Literals:
    """The literals and comments of one script, found when first asked for."""

    __slots__ = ("_at", "_script", "_states")

    def __init__(self, script: bytes) -> None:
        self._script = script
        self._at: list[int] = []
        self._states: list[str] = []

    def hide(self, position: int, *, comments: bool = False) -> bool:
        """Whether what is at ``position`` is no code; with ``comments``, whether it is in a comment."""
        if not self._at:
            self._read()
        states = self._states[bisect_right(self._at, position) - 1]
        return all(state in "LCO" for state in states) if comments else not ("K" in states or "A" in states)

    def _read(self) -> None:
        script = self._script
        states = "KL" if script.startswith(b"#!") else "K"
        self._at.append(0)
        self._states.append(states)
        for match in _MARK.finditer(script):
            kind = match.lastgroup
            moved = _moved(states, chr(match[0][0]) if kind is None else _sign(kind, script, match, states))
            if moved != states:
                states = moved
                self._at.append(match.end())
                self._states.append(states)
                if states == "A":
                    return


def _sign(kind: str, script: bytes, match: re.Match[bytes], states: str) -> str:
    """What a mark may mean to these states."""
    if kind == "quote":
        ends = ("D" in states or "S" in states) and not _AFTER_STRING.match(script, match.end())
        return match[0].decode() + ("e" if ends else "")
    if kind != "slash":
        return _SIGNS[kind]
    at = match.start()
    sign = "/"
    if "K" in states:
        sign += _opens(script, at)
    if "C" in states and script[at - 1 : at] == b"*":
        sign += "c"
    if "R" in states and _AFTER_REGEXP.match(script, at + 1):
        sign += "e"
    return sign


def _opens(script: bytes, at: int) -> str:
    """What the slash at ``at`` begins in code: a comment, a regular expression, a division, or nobody knows."""
    if script.startswith((b"/", b"*"), at + 1):
        if script.startswith(b"/", at + 1):
            return "/"
        return "+" if script.startswith(b"/", at + 2) else "*"
    before = script[at - 1] if at else 0x3B
    if before in _BEGINS:
        return "r"
    if before in _DIVIDES or (before in _LETTERS and not _EXPECTING.match(script, at)):
        return "d"
    return "?"


@lru_cache(maxsize=4096)
def _moved(states: str, sign: str) -> str:
    return "".join(sorted({state for before in states for state in _move(before, sign)})) or "A"


def _move(state: str, sign: str) -> str:
    """What a sign makes of one state; nothing where a script that is read so far has an error there.

    K is code; D, S and T are strings in double, single and backward quotes; L and C are comments of a line and of a
    block, and O is one just opened by ``/*/``; R is a regular expression, and Q a class in it. In lower case they are
    behind a backslash. A is anything, as code and text can't be told apart behind ``${`` without a parser.
    """
    first = sign[0]
    if state in "AO":
        return "A" if state == "A" else "C"
    if state in _UNESCAPED:
        return "" if state in "rq" and first in "\nu" else _UNESCAPED[state]
    if state == "K":
        if first == "/":
            return _OPENED[sign[1]]
        return {'"': "D", "'": "S", "`": "T", "!": "KL"}.get(first, "K")
    if state == "L":
        return "K" if first in "\nu" else "L"
    if state == "C":
        return "K" if first == "/" and "c" in sign else "C"
    if first == "\\":
        return state.lower()
    if state in "DS":
        if first == ('"' if state == "D" else "'"):
            return "K" if sign.endswith("e") else ""
        return "" if first == "\n" else state
    if state == "T":
        return {"`": "K", "$": "A"}.get(first, "T")
    if first in "\nu":
        return ""
    if state == "Q":
        return "R" if first == "]" else "Q"
    if first == "/":
        return "K" if sign.endswith("e") else ""
    return "Q" if first == "[" else "R"
