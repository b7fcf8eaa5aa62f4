"""Documents, scripts and style sheets that are in their own address: ``data:`` URLs (RFC 2397, WHATWG Fetch)."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from consent.gate.charset import Encoding
from consent.gate.urls import squeezed

DATA_URL: Final = re.compile(r"data:([^,;#]*)([^,#]*),([^#]*)", re.IGNORECASE)
_BASE64: Final = re.compile(r";\s*base64\s*(?:;|(\Z))", re.IGNORECASE)


class Content(NamedTuple):
    """What a ``data:`` URL holds, as the gate reads it."""

    kind: str
    body: bytes
    codec: str


def contents(text: str) -> Iterator[Content]:
    """What a ``data:`` URL holds, as each browser reads it: ``base64`` need not be last for all of them."""
    match = DATA_URL.match(squeezed(text))
    if match is None:
        return
    body = unquote_to_bytes(match[3])
    base64 = _BASE64.search(match[2])
    bodies = [_from_base64(body) if base64 else body]
    if base64 and base64[1] is None:
        bodies.append(body)
    for content in bodies:
        read, codec = Encoding.of(match[1] + match[2], content[:4]).through(content)
        yield Content(match[1].strip().lower(), read, codec)


def _from_base64(body: bytes) -> bytes:
    """As forgiving as a browser: whitespace and missing padding don't matter; what is not Base64 is empty."""
    body = b"".join(body.split()).rstrip(b"=")
    try:
        return binascii.a2b_base64(body + b"=" * (-len(body) % 4))
    except binascii.Error:
        return b""
