"""The URLs a style sheet fetches: ``url()``, ``@import``, ``image-set()`` (CSS Syntax 3, CSS Images 4)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

INERT: Final = b"data-consent:"
"""What is put before a URL in a style sheet: a scheme that no browser fetches."""

_STRING = rb"""(?:"(?:[^"\\\n\r\f]|\\[\s\S])*+"?|'(?:[^'\\\n\r\f]|\\[\s\S])*+'?)"""
_ESCAPED = rb"\\[0-9a-fA-F]{1,6}[\t\n\r\f ]?|\\[^\n\r\f0-9a-fA-F]"
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
_URL = re.compile(rb"[\t\n\r\f ]*+(?:(?P<quoted>" + _STRING + rb")|(?P<bare>(?:[^\"'()\\\t\n\r\f ]|\\[\s\S])*+))")
_CLOSED = re.compile(rb"[\t\n\r\f ]*+(?:\)|\Z)")
_REMNANTS = re.compile(rb"(?:[^)\\]|\\[\s\S])*+\)?")
_IMPORTED = re.compile(_SKIP + rb"(?P<string>" + _STRING + rb")")
_ESCAPE = re.compile(rb"\\(?:([0-9a-fA-F]{1,6})(?:\r\n|[\t\n\r\f ])?|(\r\n|[\n\r\f])|([\s\S]))")
_LOOSE = re.compile(rb"""[("'\t\n\r\f ]((?:[a-z/]{0,6}\\|https?:|//|ftp:|wss?:)[^"'()\t\n\r\f ]*+)""", re.IGNORECASE)
_FETCHING = frozenset((b"image-set", b"-webkit-image-set", b"image", b"src", b"cross-fade", b"-webkit-cross-fade"))


def urls(sheet: bytes) -> Iterator[tuple[int, bytes]]:
    """Each URL the sheet fetches: where it begins, and its text with the escapes undone.

    A string counts only where CSS takes a string for an address; ``content: "https://…"`` and ``@namespace`` don't.
    """
    step = _STEP if b"\\" in sheet else _PLAIN_STEP
    fetching = [False]
    position, namespace = 0, False
    while match := step.search(sheet, position):
        position = match.end()
        if match["string"] is not None:
            if fetching[-1]:
                yield match.start() + 1, _unescaped(match["string"].strip(match["string"][:1]))
        elif match["at"] is not None:
            rule = _unescaped(match["at"]).lower()
            namespace = rule == b"namespace"
            if rule == b"import" and (imported := _IMPORTED.match(sheet, position)):
                text = imported["string"]
                yield imported.start("string") + 1, _unescaped(text.strip(text[:1]))
                position = imported.end()
        elif match["call"]:
            name = _unescaped(match["word"] or b"").lower()
            if name == b"url" and (address := _URL.match(sheet, position)):
                text = address["quoted"]
                if namespace:
                    pass
                elif text:
                    yield address.start("quoted") + 1, _unescaped(text.strip(text[:1]))
                elif address["bare"]:
                    yield address.start("bare"), _unescaped(address["bare"])
                position = max(address.end(), position)
                namespace = False
                if text or _CLOSED.match(sheet, position):
                    fetching.append(False)
                else:  # a bad url: what is left of it, quotes and all, goes up to the next parenthesis
                    position = _end(_REMNANTS, sheet, position)
            else:
                fetching.append(name in _FETCHING or (fetching[-1] and name not in (b"type", b"format")))
        elif match[0] == b"(":
            fetching.append(fetching[-1])
        elif match[0] == b")" and len(fetching) > 1:
            fetching.pop()


def _end(pattern: re.Pattern[bytes], sheet: bytes, position: int) -> int:
    match = pattern.match(sheet, position)
    return match.end() if match else position


def loose(part: bytes) -> Iterator[tuple[int, bytes]]:
    """Each address in a part of a style sheet, wherever it stands: where it begins, and its text."""
    for match in _LOOSE.finditer(part):
        yield match.start(1), _unescaped(match[1])


def _unescaped(text: bytes) -> bytes:
    return _ESCAPE.sub(_character, text) if b"\\" in text else text


def _character(match: re.Match[bytes]) -> bytes:
    if match[1]:
        code = int(match[1], 16)
        return chr(code if 0 < code < 0xD800 or 0xDFFF < code < 0x110000 else 0xFFFD).encode()
    return match[3] or b""
