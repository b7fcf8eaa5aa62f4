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
_CERTAIN: Final = re.compile(
    r"[\x00-\x20]*+data:[^,;#\t\n\r]*+(?:;charset=[a-z0-9_.:\-]++)?+(?:;base64)?+,", re.ASCII | re.IGNORECASE
)
"""The address of a content about whose encoding all browsers agree; they take other parameters apart as they like."""
_BASE64: Final = re.compile(r";\s*base64\s*(?:;|\Z)", re.ASCII | re.IGNORECASE)
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
    certain = _CERTAIN.match(text) is not None
    for kind, parameters, body in _held(text, certain=certain):
        start = body[: 3 if linked else 4]  # only documents may begin as XML does
        encodings = [Encoding.of(kind + parameters, start)]
        if not certain:
            encodings.append(Encoding.of("", start))
        for encoding in dict.fromkeys(encodings):
            for read, codec in encoding.of_code(body) if linked or not certain else [encoding.through(body)]:
                yield Content(kind.strip().lower(), read, codec, encoding.hides(body))


def bodies(text: str) -> list[bytes]:
    """What a ``data:`` URL holds, as it is."""
    return [body for _, _, body in _held(text, certain=_CERTAIN.match(text) is not None)]


def _held(text: str, *, certain: bool) -> list[tuple[str, str, bytes]]:
    """The type, the parameters and the bytes of a ``data:`` URL.

    In Chromium tabs and newlines stay in it. For some browsers ``base64`` need not be last, or may have other space
    around it than blanks.
    """
    scheme, colon, rest = text.partition(":")
    found: dict[tuple[str, str, bytes], None] = {}
    for address in dict.fromkeys((squeezed(text), squeezed(scheme) + colon + rest)):
        match = DATA_URL.match(address)
        if match is None:
            continue
        kind, parameters, body = match[1], match[2], unquote_to_bytes(match[3])
        base64 = _BASE64.search(parameters)
        found[kind, parameters, _from_base64(body) if base64 else body] = None
        if base64 and not certain:
            found[kind, parameters, body] = None
    return list(found)


def strings(text: bytes) -> list[str]:
    """The strings in a JSON text, be it well formed or not."""
    found = []
    for match in _STRING.finditer(text):
        said = match[1].decode("utf-8", "replace")
        try:
            found.append(str(json.loads(f'"{said}"')))
        except ValueError:
            found.append(said)
    return found


def _from_base64(body: bytes) -> bytes:
    """As forgiving as a browser: whitespace and missing padding don't matter; what is not Base64 is empty."""
    body = b"".join(body.split()).rstrip(b"=")
    try:
        return binascii.a2b_base64(body + b"=" * (-len(body) % 4))
    except binascii.Error:
        return b""
