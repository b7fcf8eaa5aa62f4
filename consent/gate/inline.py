"""What gives an inline script away: a service's tokens in its code, and the modules it imports."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from consent.gate.literals import Literals
from consent.policy import Policy, Service

_LEXEME = re.compile(r"[A-Za-z_$][\w$]*|\d\w*|['\"`]|\s+|.", re.DOTALL)
_IDENTIFIER = re.compile(r"[A-Za-z_$][\w$]*")
_CODE = re.compile(r"[\w$.\s=]+\(?|[A-Za-z_$][\w$.]*\(.*", re.DOTALL)
IMPORT_WORDS = (
    rb"import(?:(?<![\w$.]import)|(?<=\.\.\.import))(?:\s*+\.\s*+(?:source|defer)(?![\w$]))?+",
    rb"from(?<![\w$.]from)",
)
"""What a module's name follows. Behind a dot ``import`` is a property's name, and behind three it is spread."""
_IMPORTS = (
    (re.compile(IMPORT_WORDS[0]), re.compile(rb"[\s(\x80-\xff]*+"), re.compile(rb"/[/*]|<!--|-->")),
    (re.compile(IMPORT_WORDS[1]), re.compile(rb"[\s\x80-\xff]*+"), re.compile(rb"/[/*]")),
)
"""Each with what may be between: a space, also one that is not ASCII, and a comment, by its beginning.

A comment may begin as in HTML (ECMAScript annex B.1.1), but not in a module, which alone has ``from``.
"""
_BETWEEN = (
    r"(?:[\s\x80-\xff]|/\*(?:[^*]|\*(?!/)){0,256}\*/"
    r"|(?://|<!--|-->)(?:[^\n\r\xe2]|\xe2(?!\x80[\xa8\xa9])){0,256}(?:[\n\r]|\xe2\x80[\xa8\xa9]))*+"
)
"""What may be between the parts of a token that is code: white space, and comments that are no longer than usual."""
_CALLS = (
    rf"\??\.{_BETWEEN}(?:call|apply|bind)(?![\w$])"
    rf"|(?:\?\.{_BETWEEN})?\[{_BETWEEN}[\"'`](?:call|apply|bind)[\"'`]{_BETWEEN}\]"
)
"""The functions of a function that call it."""
_LINE_END = re.compile(rb"[\n\r]|\xe2\x80[\xa8\xa9]|\Z")
_COMMENT_ENDS = dict.fromkeys((b"//", b"<!--", b"-->"), _LINE_END) | {b"/*": re.compile(rb"\*/|\Z")}
_SPECIFIER = re.compile(
    rb"""\"((?:[^\"\\\n\r]|\\(?:\r\n|[\s\S]))*+)\"|'((?:[^'\\\n\r]|\\(?:\r\n|[\s\S]))*+)'|`((?:[^`\\]|\\[\s\S])*+)`"""
)
_PART = re.compile(_SPECIFIER.pattern + rb"|[()]|/\*(?:[^*]|\*(?!/))*+\*/|(?://|<!--)[^\n\r]*+")
"""A string, a parenthesis, or a comment that hides some of them."""
_PATTERN = rb"(?<![\w$)\]}\"'`])/(?:[^\\/\[\n\r]|\\.|\[(?:[^\]\\\n\r]|\\.)*+\])++/"
_PART_OR_PATTERN = re.compile(_PART.pattern + rb"|" + _PATTERN)
"""The same, or a regular expression, if it isn't a division."""
_JOIN = re.compile(rb"[\s+()]*+")
"""What is between strings that are one when they are put together."""
_ALONE = re.compile(rb"\s*+[),]")
"""What follows a name that isn't put together."""
_ELSEWHERE = re.compile(rb"[a-zA-Z][a-zA-Z0-9+.\-]*+:|//|[\\\t\n\r]")
_FOUR = re.compile(rb"[\x81-\xfe][0-9][\x81-\xfe][0-9]")
_UNICODE = re.compile(rb"\\u(?:\{0*([0-9a-fA-F]{2})\}|00([0-9a-fA-F]{2}))|\\x([0-9a-fA-F]{2})")
_MADE = 256
"""So many bytes are looked at for strings where a module's name is put together."""
_FEW = 16
"""As many different escapes as are replaced one after the other, which takes less time than each by itself."""
_ESCAPE = re.compile(
    r"\\(?:u\{0*([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([0-3][0-7]{0,2}|[4-7][0-7]?)"
    r"|(\r\n|[\n\r\u2028\u2029])|([\s\S]))"
)
_CONTROLS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


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

    def needles(self, allowed: frozenset[str]) -> tuple[bytes, ...]:
        """The longest word of each denied service's token: without one of them no token is there."""
        return tuple(dict.fromkeys(token.needle for token in self._tokens if token.service.key not in allowed))

    def anywhere(self, script: bytes) -> Iterator[tuple[int, Service]]:
        """Where each service's token is first, be it in a string or a comment."""
        plain = _plain(script) if self._tokens else script
        escape = None if plain is script else _UNICODE.search(script)
        for token in self._tokens:
            if match := token.pattern.search(script):
                yield match.start(), token.service
            elif escape and token.pattern.search(plain):
                yield escape.start(), token.service

    def services(self, script: bytes, literals: Literals) -> Iterator[Service]:
        """The services whose tokens are in this script, each once, in the order of the policy."""
        seen: set[str] = set()
        plain = _plain(script)
        for token in self._tokens:
            if token.service.key in seen or token.needle not in plain:
                continue
            places = [match.start() for match in token.pattern.finditer(script)]
            escaped = plain is not script and len(token.pattern.findall(plain)) > len(places)
            if escaped or not all(literals.hide(place, comments=not token.code) for place in places):
                seen.add(token.service.key)
                yield token.service


def imports(script: bytes) -> Iterator[tuple[int, bytes]]:
    """What a script imports, statically or by ``import()``: where, and the module's specifier as it is written.

    Those in strings and comments are among them.
    """
    for word, space, comment in _IMPORTS:
        gaps = _Gaps(script, space, comment)
        known: dict[int, list[bytes]] = {}
        for match in word.finditer(script):
            position = gaps.after(match.end())
            if position not in known:
                known[position] = _specifiers(script, match.end(), position)
            for specifier in known[position]:
                yield match.start(), specifier


def _specifiers(script: bytes, after: int, position: int) -> list[bytes]:
    """The module that is named at ``position``; of an ``import()`` all its strings, where it puts a name together."""
    depth = script[after:position].count(b"(")
    specifier = _SPECIFIER.match(script, position)
    is_made = depth > 1 or (depth and not (specifier and _ALONE.match(script, specifier.end())))
    if specifier and not is_made and b"${" not in specifier[0]:
        return [specifier[specifier.lastindex or 0]]
    made = script[position : position + _MADE] if depth else b""
    ways = [made]
    if b"${" in made:  # what is in a template, as code and as strings between
        ways += [made.replace(b"`", b" "), made.replace(b"${", b"`").replace(b"}", b"`")]
    readings = (_PART, _PART_OR_PATTERN) if b"/" in made else (_PART,)
    return list(dict.fromkeys(said for way in ways for parts in readings for said in _strings(way, depth, parts)))


def _strings(made: bytes, depth: int, parts: re.Pattern[bytes]) -> Iterator[bytes]:
    """The strings in front of the parenthesis that closes so many, and what they are together."""
    joined, end = b"", 0
    for part in parts.finditer(made):
        if part.lastindex:
            said = part[part.lastindex]
            joined = joined + said if _JOIN.fullmatch(made, end, part.start()) else said
            end = part.end()
            yield from dict.fromkeys((said, joined))
        elif part[0] in b"()":
            depth += 1 if part[0] == b"(" else -1
            if not depth:
                return


def imports_from_elsewhere(script: bytes) -> bool:
    """Whether a script imports what may not be on the site's own host, be it in a string or a comment."""
    script = _FOUR.sub(b"\x80\x80\x80\x80", script)  # characters of GB18030, whose digits are none
    return any(_ELSEWHERE.search(specifier) for _, specifier in imports(script))


def unescaped(text: str) -> str:
    """What a string literal says, without its quotes."""
    return _ESCAPE.sub(_said, text) if "\\" in text else text


def _said(match: re.Match[str]) -> str:
    digits = match[1] or match[2] or match[3]
    if digits or match[4]:
        code = int(digits, 16) if digits else int(match[4], 8)
        return chr(code) if code < 0xD800 or 0xDFFF < code < 0x110000 else "\ufffd"
    return "" if match[5] else _CONTROLS.get(match[6], match[6])


class _Gaps:
    """Skips white space and comments; what was skipped once is not skipped again."""

    def __init__(self, script: bytes, space: re.Pattern[bytes], comment: re.Pattern[bytes]) -> None:
        self._script = script
        self._space = space
        self._comment = comment
        self._known: dict[int, int] = {}
        self._looked = dict.fromkeys(_COMMENT_ENDS, (1, 0, 0))

    def after(self, position: int) -> int:
        """What follows the gap at ``position``; where a comment in it ends, the rest of the gap is known."""
        passed = []
        while True:
            space = self._space.match(self._script, position)
            position = space.end() if space else position
            comment = self._comment.match(self._script, position)
            if comment is None:
                break
            position = self._comment_end(comment[0], comment.end())
            if position in self._known:
                position = self._known[position]
                break
            passed.append(position)
        self._known.update(dict.fromkeys(passed, position))
        return position

    def _comment_end(self, kind: bytes, position: int) -> int:
        """Where a comment of this kind ends; ``_looked`` has from where to where the nearest end was looked for."""
        since, found, end = self._looked[kind]
        if not since <= position <= found:
            match = _COMMENT_ENDS[kind].search(self._script, position)
            found, end = match.span() if match else (position, position)
            self._looked[kind] = position, found, end
        return end


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
            indexed = rf"(?:\?\.{_BETWEEN})?\[{_BETWEEN}[\"'`]{word}[\"'`]{_BETWEEN}\]"
            plain = rf"(?:\??\.{_BETWEEN}{word})" if follows_dot else rf"(?<![\w$\\]){word}"
            parts.append(rf"(?:{plain}(?![\w$])|{indexed})")
        elif code and lexeme == "(":
            parts.append(rf"(?:(?:\)|{_CALLS}){_BETWEEN})*+(?:(?:\?\.{_BETWEEN})?\(|`)")
        elif lexeme in "'\"`":
            parts.append("[\"'`]")
        else:
            parts.append(r"\s+" if lexeme.isspace() else word)
    pattern = (_BETWEEN if code else "").join(parts)
    if not code:
        before = r"(?<![\w$])" if re.match(r"[\w$]", text) else ""
        after = r"(?![\w$])" if re.search(r"[\w$]$", text) else ""
        pattern = before + pattern + after
    needle = max(_IDENTIFIER.findall(text) or [text], key=len)
    return _Token(needle.encode(), re.compile(pattern.encode()), code, service)


def _plain(script: bytes) -> bytes:
    """The script with its escapes of Latin letters and signs undone; the same object if there are none."""
    if script.find(b"\\u") < 0 and script.find(b"\\x") < 0:
        return script
    different = {match[0] for match in _UNICODE.finditer(script)}
    if len(different) > _FEW:
        return _UNICODE.sub(_character, script)
    for escape in sorted(different):
        script = script.replace(escape, _UNICODE.sub(_character, escape))
    return script


def _character(match: re.Match[bytes]) -> bytes:
    return bytes([int(match[1] or match[2] or match[3], 16)])
