"""The URLs a style sheet fetches: ``url()``, ``@import``, ``image-set()`` (CSS Syntax 3, CSS Images 4)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from consent.gate.urls import squeezed

INERT: Final = b"data-consent:"
"""What is put before a URL in a style sheet: a scheme that no browser fetches."""

_ESCAPED = rb"\\[0-9a-fA-F]{1,6}(?:\r\n|[\t\n\r\f ])?|\\[^\n\r\f0-9a-fA-F]"
_DOUBLE = rb"(?:[^\"\\\n\r\f]|" + _ESCAPED + rb"|\\(?:\r\n|[\n\r\f]))*+"
_SINGLE = rb"(?:[^'\\\n\r\f]|" + _ESCAPED + rb"|\\(?:\r\n|[\n\r\f]))*+"
_STRING = rb"(?:\"" + _DOUBLE + rb"\"?|'" + _SINGLE + rb"'?)"
_WORD = rb"(?:[a-zA-Z_\-\x80-\xff]|" + _ESCAPED + rb")(?:[a-zA-Z0-9_\-\x80-\xff]|" + _ESCAPED + rb")*+"
_SKIP = rb"(?:[\t\n\r\f ]++|/\*[\s\S]*?(?:\*/|\Z))*+"
_STEP = re.compile(
    rb"/\*[\s\S]*?(?:\*/|\Z)"
    rb"|(?P<string>" + _STRING + rb")"
    rb"|@(?P<at>" + _WORD + rb")"
    rb"|(?P<word>" + _WORD + rb")(?P<call>\()?"
    rb"|[()]"
)
# Where nothing is escaped, only these few things matter, and what lies between them costs next to nothing.
_PLAIN_STEP = re.compile(
    rb"/\*[\s\S]*?(?:\*/|\Z)"
    rb"|(?P<string>" + _STRING + rb")"
    rb"|@(?P<at>(?:import|namespace)(?![\w\-]))"
    rb"|(?P<word>(?<![\w\-])[a-z\-]*(?:url|src|image|image-set|cross-fade))?(?P<call>\()"
    rb"|\)",
    re.IGNORECASE,
)
_BARE = rb"(?:[^\"'()\\\t\n\r\f ]|" + _ESCAPED + rb")"
_URL = re.compile(rb"[\t\n\r\f ]*+(?:(?P<quoted>" + _STRING + rb")|(?P<bare>" + _BARE + rb"*+))")
_CLOSED = re.compile(rb"[\t\n\r\f ]*+(?:\)|\Z)")
_REMNANTS = re.compile(rb"(?:[^)\\]|\\[\s\S])*+\)?")
_PREFIX = re.compile(rb"(?:" + _SKIP + _WORD + rb"(?!\())?+")
_TARGET = re.compile(_SKIP + rb"(?:(?P<string>" + _STRING + rb")|(?P<word>" + _WORD + rb")\()")
_ESCAPE = re.compile(r"\\(?:([0-9a-fA-F]{1,6})(?:\r\n|[\t\n\r\f ])?|(\r\n|[\n\r\f])|([\s\S]))")
_REACHING = rb"(?=[\x00-\x20]*+(?:[a-zA-Z\t]*+[:\\]|[/\\]))"
_LOOSE = re.compile(
    rb"[\"'(\t\n\r\f ](?:(?<=\")(?<!\\.)(?=(?P<double>"
    + _DOUBLE
    + rb"))|(?<=')(?<!\\.)(?=(?P<single>"
    + _SINGLE
    + rb"))"
    rb"|(?<=[(\t\n\r\f ])(?=(?i:[a-z/]{0,6}\\|https?:|//|ftp:|wss?:|data:))(?P<bare>" + _BARE + rb"*+))"
)
_ENDS_TWICE: Final = b"**/"
# Firefox's search for imports goes on to the next star behind each, so that a comment that ends so ends later.
_SCANNED = re.compile(
    rb"(?:[\t\n\r\f ]++|/\*(?:[^*]|\*[^/])*+\*/|@charset[^;]*+;)*+"
    rb"@import(?:[\t\n\r\f ]|/\*(?:[^*]|\*[^/])*+\*/)*+(?:url\([\t\n\r\f ]*+)?+"
    rb"(?:(?P<quote>[\"'])(?P<quoted>[^\"']*+)|(?P<bare>[^\"');\t\n\r\f ]++))[^;]*+;?+",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"(?:https?|ftp|wss?|data):|[/\\]{2}", re.IGNORECASE)
_NEAR: Final = 64
_FETCHING = frozenset(("image-set", "-webkit-image-set", "image", "src", "cross-fade", "-webkit-cross-fade"))


class Fetched(NamedTuple):
    """What a style sheet fetches: where its URL begins, the URL without escapes, and whether it is another sheet."""

    at: int
    url: str
    imported: bool


def urls(sheet: bytes, codec: str) -> Iterator[Fetched]:
    """Each URL the sheet fetches.

    A string counts only where CSS takes a string for an address; ``content: "https://…"`` and ``@namespace`` don't.
    """
    if _ENDS_TWICE in sheet:
        yield from _scanned(sheet, codec)
    step = _STEP if b"\\" in sheet else _PLAIN_STEP
    fetching = [False]
    position, rule, target = 0, "", -1
    while match := step.search(sheet, position):
        position = match.end()
        if match["string"] is not None:
            if fetching[-1]:
                yield Fetched(match.start() + 1, _quoted(match["string"], codec), False)
        elif match["at"] is not None:
            rule = unescaped(match["at"]).lower()
            if rule in ("import", "namespace"):
                start = position if rule == "import" else _end(_PREFIX, sheet, position)
                found = _TARGET.match(sheet, start)
                if found and found["string"]:
                    if rule == "import":
                        yield Fetched(found.start("string") + 1, _quoted(found["string"], codec), True)
                    position = found.end()
                elif found:
                    target = found.start("word")
        elif match["call"]:
            name = unescaped(match["word"] or b"").lower()
            if name == "url" and (address := _URL.match(sheet, position)):
                text, bare = address["quoted"], address["bare"]
                of_rule = match.start("word") == target
                if of_rule and rule == "namespace":
                    pass
                elif text:
                    yield Fetched(address.start("quoted") + 1, _quoted(text, codec), of_rule)
                elif bare:
                    yield Fetched(address.start("bare"), unescaped(bare, codec), of_rule)
                position = max(address.end(), position)
                if text or _CLOSED.match(sheet, position):
                    fetching.append(False)
                else:  # a bad url: what is left of it, quotes and all, goes up to the next parenthesis
                    position = _end(_REMNANTS, sheet, position)
            else:
                fetching.append(name in _FETCHING or (fetching[-1] and name not in ("type", "format")))
        elif match[0] == b"(":
            fetching.append(fetching[-1])
        elif match[0] == b")" and len(fetching) > 1:
            fetching.pop()


def _scanned(sheet: bytes, codec: str) -> Iterator[Fetched]:
    """Each import that a scanner finds that is mistaken about where a comment ends."""
    position = 0
    while match := _SCANNED.match(sheet, position):
        position = match.end()
        part = "bare" if match["quote"] is None else "quoted"
        yield Fetched(match.start(part), match[part].decode(codec, "replace"), True)


def _end(pattern: re.Pattern[bytes], sheet: bytes, position: int) -> int:
    match = pattern.match(sheet, position)
    return match.end() if match else position


def loose(part: bytes, codec: str) -> Iterator[Fetched]:
    """Each address in a part of a style sheet, wherever it stands."""
    for match in _LOOSE.finditer(part):
        url = unescaped(match["double"] or match["single"] or match["bare"] or b"", codec)
        if _ADDRESS.match(squeezed(url)):
            near = part[max(0, match.start() - _NEAR) : match.start()].lower()
            yield Fetched(match.start() + 1, url, b"import" in near or b"\\" in near)


def _quoted(text: bytes, codec: str) -> str:
    return unescaped(text.strip(text[:1]), codec)


def unescaped(text: bytes, codec: str = "latin-1") -> str:
    """The text as CSS reads it: with its escapes undone."""
    plain = text.decode(codec, "replace")
    return _ESCAPE.sub(_character, plain) if "\\" in plain else plain


def _character(match: re.Match[str]) -> str:
    if match[1]:
        code = int(match[1], 16)
        return chr(code if 0 < code < 0xD800 or 0xDFFF < code < 0x110000 else 0xFFFD)
    return match[3] or ""
