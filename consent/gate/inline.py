"""What gives an inline script away: a service's tokens in its code, and the modules it imports."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from consent.policy import Policy, Service

_LEXEME = re.compile(r"[A-Za-z_$][\w$]*|\d\w*|['\"`]|\s+|.", re.DOTALL)
_IDENTIFIER = re.compile(r"[A-Za-z_$][\w$]*")
_CODE = re.compile(r"[\w$.\s=]+\(?|[A-Za-z_$][\w$.]*\(.*", re.DOTALL)
_TEXT = re.compile(
    rb"""(?P<comment>//[^\n\r]*+|/\*[\s\S]*?(?:\*/|\Z))"""
    rb"""|"(?:[^"\\\n\r]|\\[\s\S])*+"?|'(?:[^'\\\n\r]|\\[\s\S])*+'?|`(?:[^`\\$]|\\[\s\S]|\$(?!\{))*+(?P<open>`|\$\{|\Z)"""
    rb"""|(?:(?<=[(,=:\[!&|?{};+\-*%~^<>\n])|(?<=return)|(?<=typeof)|\A)[\t ]*+"""
    rb"""/(?![/*])(?:[^/\\\n\r\[]|\\[^\n\r]|\[(?:[^\]\\\n\r]|\\[^\n\r]){0,500}+\])++/"""
)
_IMPORTS = (re.compile(rb"import(?<![\w$.]import)"), re.compile(rb"from(?<![\w$.]from)"))
_SPACE = re.compile(rb"\s*+")
_SPECIFIER = re.compile(rb"""(["'`])([^"'`\n\r]++)\1""")
_UNICODE = re.compile(rb"\\u(?:\{0*([0-9a-fA-F]{2})\}|00([0-9a-fA-F]{2}))|\\x([0-9a-fA-F]{2})")


class _Token(NamedTuple):
    needle: bytes
    pattern: re.Pattern[bytes]
    code: bool
    service: Service


class Signatures:
    """The ``inline`` tokens of a policy, compiled once.

    A token matches as whole words (``http.push(`` is not ``tp.push(``), however it is spaced, quoted or indexed
    (``window["_paq"].push(``). One that is code doesn't count inside a string or a comment; one that is text (it
    has a quote, a hyphen or a slash) counts in strings.
    """

    def __init__(self, policy: Policy) -> None:
        self._tokens = tuple(
            _compile(text, service) for service in policy.services for text in service.inline if text.strip()
        )

    def words(self, allowed: frozenset[str]) -> tuple[bytes, ...]:
        """The longest word of each denied service's token, lower case: without one of them no token is there."""
        return tuple({token.needle.lower() for token in self._tokens if token.service.key not in allowed})

    def anywhere(self, script: bytes) -> Iterator[tuple[int, Service]]:
        """Where each service's token is first, be it in a string or a comment."""
        escape = _UNICODE.search(script)
        plain = _UNICODE.sub(_character, script) if escape else script
        for token in self._tokens:
            if match := token.pattern.search(script):
                yield match.start(), token.service
            elif escape and token.pattern.search(plain):
                yield escape.start(), token.service

    def services(self, script: bytes) -> Iterator[Service]:
        """The services whose tokens are in this script, each once, in the order of the policy."""
        seen: set[str] = set()
        plain = _UNICODE.sub(_character, script) if b"\\u" in script or b"\\x" in script else script
        texts: dict[int, list[tuple[int, int, bool]]] = {}
        for token in self._tokens:
            if token.service.key in seen:
                continue
            for number, body in enumerate((script,) if plain is script else (script, plain)):
                if token.needle not in body:
                    continue
                for match in token.pattern.finditer(body):
                    spans = texts.get(number)
                    if spans is None:
                        spans = texts[number] = list(_texts(body))
                    if not _hidden(spans, match.start(), token.code):
                        seen.add(token.service.key)
                        break
                if token.service.key in seen:
                    yield token.service
                    break


def imports(script: bytes, *, anywhere: bool = False) -> list[tuple[int, bytes]]:
    """What an inline script imports, statically or by ``import()``: where, and the module's specifier.

    With ``anywhere`` those in strings and comments are in the list as well.
    """
    spans: list[tuple[int, int, bool]] | None = None
    found = []
    gaps = _Gaps(script)
    for word in _IMPORTS:
        for match in word.finditer(script):
            position = gaps.after(match.end())
            if script.startswith(b"(", position):
                position = gaps.after(position + 1)
            specifier = _SPECIFIER.match(script, position)
            if specifier is None:
                continue
            if spans is None:
                spans = [] if anywhere else list(_texts(script))
            if not _hidden(spans, match.start(), True):
                found.append((match.start(), _UNICODE.sub(_character, specifier[2])))
    return found


class _Gaps:
    """Skips white space and comments; where comments end is looked for once."""

    def __init__(self, script: bytes) -> None:
        self._script = script
        self._end = -1

    def after(self, position: int) -> int:
        while True:
            space = _SPACE.match(self._script, position)
            position = space.end() if space else position
            if not self._script.startswith(b"/*", position):
                return position
            if self._end < position + 4:
                self._end = self._script.find(b"*/", position + 2) + 2
                if self._end == 1:
                    self._end = len(self._script)
            position = self._end


def _compile(text: str, service: Service) -> _Token:
    text = text.strip()
    code = bool(_CODE.fullmatch(text))
    lexemes = [lexeme for lexeme in _LEXEME.findall(text) if not (code and lexeme.isspace())]
    parts: list[str] = []
    for index, lexeme in enumerate(lexemes):
        follows_dot = index > 0 and lexemes[index - 1] == "."
        word = re.escape(lexeme)
        if code and lexeme == "." and index + 1 < len(lexemes) and _IDENTIFIER.fullmatch(lexemes[index + 1]):
            continue
        if code and _IDENTIFIER.fullmatch(lexeme) and (index == 0 or follows_dot):
            indexed = rf"(?:\?\.\s*)?\[\s*[\"'`]{word}[\"'`]\s*\]"
            plain = rf"(?:\??\.\s*{word})" if follows_dot else rf"(?<![\w$\\]){word}"
            parts.append(rf"(?:{plain}(?![\w$])|{indexed})")
        elif lexeme in "'\"`":
            parts.append("[\"'`]")
        else:
            parts.append(r"\s+" if lexeme.isspace() else word)
    pattern = (r"\s*" if code else "").join(parts)
    if not code:
        before = r"(?<![\w$])" if re.match(r"[\w$]", text) else ""
        after = r"(?![\w$])" if re.search(r"[\w$]$", text) else ""
        pattern = before + pattern + after
    needle = max(_IDENTIFIER.findall(text) or [text], key=len)
    return _Token(needle.encode(), re.compile(pattern.encode()), code, service)


def _texts(script: bytes) -> Iterator[tuple[int, int, bool]]:
    """Where the strings, comments and regular expressions of a script are: start, end, and whether it is a comment.

    A template with ``${`` ends the list: code and text can't be told apart behind it without a parser, and what is
    not in the list counts as code.
    """
    for match in _TEXT.finditer(script):
        if match["open"] == b"${":
            return
        yield match.start(), match.end(), match["comment"] is not None


def _hidden(spans: list[tuple[int, int, bool]], position: int, code: bool) -> bool:
    low, high = 0, len(spans)
    while low < high:
        middle = (low + high) // 2
        if spans[middle][0] <= position:
            low = middle + 1
        else:
            high = middle
    if low == 0:
        return False
    start, end, comment = spans[low - 1]
    return start < position < end and (comment or code)


def _character(match: re.Match[bytes]) -> bytes:
    return bytes([int(match[1] or match[2] or match[3], 16)])
