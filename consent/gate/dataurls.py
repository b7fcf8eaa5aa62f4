"""Documents, scripts and style sheets that are in their own address: ``data:`` URLs (RFC 2397, WHATWG Fetch)."""

from __future__ import annotations

import binascii
import json
import re
from collections.abc import Iterator
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from consent.gate.charset import Encoding
from consent.gate.urls import squeezed

DATA_URL: Final = re.compile(r"data:([^,;#]*)([^,#]*),([^#]*)", re.IGNORECASE)
_BASE64: Final = re.compile(r";\s*base64\s*(?:;|(\Z))", re.IGNORECASE)
_STRING: Final = re.compile(rb'"((?:[^"\\\n]|\\.)*+)"')


class Content(NamedTuple):
    """What a ``data:`` URL holds, as the gate reads it; ``hidden`` where browsers may read something else in it."""

    kind: str
    body: bytes
    codec: str
    hidden: bool


def contents(text: str, *, linked: bool = False) -> Iterator[Content]:
    """What a ``data:`` URL holds, in each way in which browsers read it.

    What is ``linked``, a style sheet or a script, may be written as what links to it says, or as that is itself.
    """
    match = DATA_URL.match(squeezed(text))
    if match is None:
        return
    kind = match[1].strip().lower()
    for body in _bodies(match):
        encoding = Encoding.of(match[1] + match[2], body[: 3 if linked else 4])  # only documents may begin as XML does
        for read, codec in encoding.of_code(body) if linked else [encoding.through(body)]:
            yield Content(kind, read, codec, encoding.hides(body))


def bodies(text: str) -> list[bytes]:
    """What a ``data:`` URL holds, as it is."""
    match = DATA_URL.match(squeezed(text))
    return _bodies(match) if match else []


def _bodies(match: re.Match[str]) -> list[bytes]:
    """The bytes of a ``data:`` URL: ``base64`` need not be last for all browsers."""
    body = unquote_to_bytes(match[3])
    base64 = _BASE64.search(match[2])
    found = [_from_base64(body) if base64 else body]
    if base64 and base64[1] is None:
        found.append(body)
    return found


def strings(text: bytes) -> list[str]:
    """The strings in a JSON text, be it well formed or not."""
    found = []
    for match in _STRING.finditer(text):
        try:
            found.append(str(json.loads(b'"' + match[1] + b'"')))
        except ValueError:
            found.append(match[1].decode("utf-8", "replace"))
    return found


def _from_base64(body: bytes) -> bytes:
    """As forgiving as a browser: whitespace and missing padding don't matter; what is not Base64 is empty."""
    body = b"".join(body.split()).rstrip(b"=")
    try:
        return binascii.a2b_base64(body + b"=" * (-len(body) % 4))
    except binascii.Error:
        return b""
