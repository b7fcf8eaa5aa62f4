"""Where a page may reach for somebody else: the few marks without which no address leaves the site.

An address that goes to another host has two slashes, or something that a browser turns into them: a backslash, a
character reference, a tab or newline between them, or a scheme without them. These marks are far rarer than tags, and
each is found by an expression that begins with a literal, which costs next to nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

_SCHEME: Final = re.compile(
    rb":(?!//)(?:(?<=ttp:)|(?<=tps:)|(?<=ipt:)|(?<=ata:)(?!image/(?:gif|png|jpeg|webp|avif|x-icon)[;,])|(?<=ftp:)"
    rb"|(?<=ws:)|(?<=wss:)|(?<=[\t\n\r]:)|(?<=[\t\n\r].:)|(?<=[\t\n\r]..:))"
)
_REFERENCE: Final = re.compile(
    rb"&(?:amp;?)*+(?:#(?!0*(?:34|39|60|62)(?![0-9])|x0*(?:22|27|3c|3e)(?![0-9a-f]))"
    rb"(?:0*+(?:1[01][0-9]|12[0-7]|[0-9]{1,2})(?![0-9])|x0*+[0-7]?[0-9a-f](?![0-9a-f]))|sol|bsol|colon|tab;|newline|lpar)"
)
_BREAK: Final = re.compile(rb"\n/")
_RARE: Final = tuple((sign[:1], re.compile(re.escape(sign))) for sign in (b"\\", b"\t/", b"\r/"))
CALL: Final = re.compile(rb"\(")
_TRIES: Final = 128
# What may be an address only where the site's own paths may belong to a service.
_OWN: Final = (
    CALL,
    re.compile(rb"&(?:lpar|#0*40(?![0-9])|#x0*28(?![0-9a-f]))"),
    re.compile(rb"ping[\t\n\f\r ]*+="),
    re.compile(rb"attributionsrc[\t\n\f\r ]*+="),
    re.compile(rb"background[\t\n\f\r ]*+="),
)


@lru_cache(maxsize=256)
def _slashes(hosts: tuple[str, ...]) -> re.Pattern[bytes]:
    """Two slashes that are not before one of the site's own hosts, nor the name of a namespace, nor a plain link.

    A host ends at a slash: in ``"//harbour.example'@other.example"`` it is another's user.
    """
    own = b"|".join(re.escape(host.encode("ascii", "replace")) for host in hosts)
    foreign = rb"(?!(?:" + own + rb")/)" if own else b""
    return re.compile(
        rb"//(?<!xmlns=\"http://)(?<!<a href=\"http://)(?<!<a href=\"https://)(?<!xlink=\"http://)" + foreign
    )


Expressions = tuple[tuple[bytes, re.Pattern[bytes]], ...]
"""Each with the character that it begins with, where that is rare on many pages and found sooner by itself."""


def patterns(hosts: Iterable[str], *, code: bool, relative: bool) -> Expressions:
    """The expressions, for lower-case text, by which everything that matters is found.

    ``hosts`` are the site's own; ``code`` says whether calls in event handlers matter, and ``relative`` whether
    addresses without a host do.
    """
    found = ((b"", _slashes(tuple(hosts))), (b":", _SCHEME), (b"&", _REFERENCE), (b"", _BREAK))
    if relative:
        return found + tuple((b"", expression) for expression in _OWN)
    return (*found, (b"", CALL)) if code else found


class Marks:
    """The marks in one piece of text, asked for in order."""

    __slots__ = ("_at", "_nearest", "_patterns", "_size", "_text")

    def __init__(self, expressions: Expressions, text: bytes) -> None:
        self._patterns = expressions + tuple([(b"", mark) for sign, mark in _RARE if sign in text])
        self._text = text
        self._size = len(text) + 1
        self._at = [-1] * len(self._patterns)
        self._nearest = -1

    def after(self, position: int) -> int:
        """Where the first mark at or behind ``position`` is; more than the length of the text where there is none."""
        if self._nearest >= position:
            return self._nearest
        at = self._at
        for index, (sign, expression) in enumerate(self._patterns):
            if at[index] < position:
                if sign:
                    at[index] = self._next(sign, expression, position)
                else:
                    match = expression.search(self._text, position)
                    at[index] = match.start() if match else self._size
        self._nearest = nearest = min(at)
        return nearest

    def _next(self, sign: bytes, expression: re.Pattern[bytes], position: int) -> int:
        text = self._text
        for _ in range(_TRIES):
            position = text.find(sign, position)
            if position < 0:
                return self._size
            if expression.match(text, position):
                return position
            position += 1
        match = expression.search(text, position)
        return match.start() if match else self._size
