"""What a page is written in: by its byte order mark, else by its header (WHATWG Encoding and MIME Sniffing)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from consent.gate.labels import CODECS

_PARAMETER: Final = re.compile(r';[\t\n\r ]*+([^;=]*+)(?:=(?:"((?:[^"\\]|\\.)*+)"?[^;]*+|([^;]*+)))?', re.DOTALL)
_ESCAPE: Final = b"\x1b"
_ESCAPED: Final = "iso2022_jp"
_READ_THROUGH: Final = frozenset(("utf-16-le", "utf-16-be", _ESCAPED))
_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_XML: Final = ((b"<\x00?\x00", "utf-16-le"), (b"\x00<\x00?", "utf-16-be"))
_UNDECLARED: Final = {"utf-8": "utf8", "cp1252": "windows-1252"}
"""Other names of the codecs, for pages that may still say otherwise."""
_TRAIL: Final = re.compile(rb"[\x81-\xfe](?:[@\[-`{-~]|[0-9][\x81-\xfe][0-9])")
_SEPARATOR: Final = re.compile(rb"\xe2\x80[\xa8\xa9]")
"""What ends a line in UTF-8, and in nothing else."""
_LINES: Final = {b"\x816\xa65": b"\xe2\x80\xa8\x80", b"\x816\xa66": b"\xe2\x80\xa9\x80"}
"""The separators of lines and paragraphs in GB18030, and of the same length what those are in UTF-8."""
_BIG5_MORE: Final = frozenset(map(bytes.fromhex, ["877b", "877c", "877d", "877e", "8e7e", "9b7b", "9f60", "fa5f"]))
"""What is in Big5 by the standard and not in the codec, and ends in a sign."""
_PAIRS: Final = {
    "cp932": re.compile(rb"[\x81-\x9f\xe0-\xfc][@-~\x80-\xfc]"),
    "gb18030": re.compile(rb"[\x81-\xfe](?:[0-9][\x81-\xfe][0-9]|[@-~\x80-\xfe])"),
    "big5hkscs": re.compile(rb"[\x81-\xfe][@-~\x80-\xff]"),
}
"""The encodings in which what looks like punctuation may be the second half of a character."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """The codec that reads a page; ``declared`` where its mark or its header says so: nothing in it can overrule."""

    codec: str
    declared: bool

    @classmethod
    def of(cls, content_type: str, start: bytes) -> Encoding:
        """The encoding of a body that begins with ``start`` (its first four bytes)."""
        for mark, codec in _MARKS:
            if start.startswith(mark):
                return cls(codec, True)
        said = _said(content_type)
        if not said.declared:
            for sign, codec in _XML:
                if start.startswith(sign):
                    return cls(codec, True)
        return said

    @property
    def text(self) -> str:
        """What attribute values are read as, once the page is read through; see :func:`readings`."""
        if self.transcoded:
            return "utf-8"
        return self.codec if self.declared else _UNDECLARED[self.codec]

    @property
    def transcoded(self) -> bool:
        """Whether the encoding hides ASCII, so that the page has to be read through."""
        return self.codec in _READ_THROUGH

    def guarded(self, data: bytes) -> bytes:
        """The bytes without the escapes by which an undeclared page would become ISO-2022-JP."""
        return data if self.declared or _ESCAPE not in data else data.replace(_ESCAPE, b" ")

    def hides(self, body: bytes) -> bool:
        """Whether the body may be in ISO-2022-JP and has its escapes, which are read by each browser as it likes."""
        return _ESCAPE in body and (not self.declared or self.codec == _ESCAPED)

    def through(self, body: bytes) -> tuple[bytes, str]:
        """A whole body as the gate reads it, and the codec for its values."""
        return (_recoded(body, self.codec), "utf-8") if self.transcoded else (body, self.text)

    def of_code(self, body: bytes) -> list[tuple[bytes, str]]:
        """The same for a style sheet or script, in each way in which it may be read.

        A module is in UTF-8 whatever it says. Others that don't say it are in what the element that names them says,
        or the page that they are on: in UTF-16 too, where what is ASCII has zeros beside it.
        """
        body = body.removeprefix(_MARKS[0][0])
        ways = [self.through(body)]
        if self.codec != "utf-8" and (self.transcoded or not body.isascii()):
            ways.append((body, "utf-8"))
        if not self.declared and b"\0" in body:
            ways += ((_recoded(body, codec), "utf-8") for codec in ("utf-16-le", "utf-16-be"))
        return ways


def _recoded(body: bytes, codec: str) -> bytes:
    return body.decode(codec, "replace").removeprefix("\ufeff").encode()


@lru_cache(maxsize=256)
def _said(content_type: str) -> Encoding:
    """What a header says of the encoding; what it names by no known label is read as a browser reads the unlabelled."""
    label = _label(content_type)
    if label in CODECS:
        return Encoding(CODECS[label], True)
    return Encoding("cp1252" if label else "utf-8", False)


def is_open(codec: str) -> bool:
    """Whether a page read by this codec may still say that it is written in another."""
    return codec in _UNDECLARED.values()


def may_pair(codec: str) -> bool:
    """Whether what looks like punctuation may be the second half of a character on a page read by this codec."""
    return is_open(codec) or codec in _PAIRS


def ways(text: bytes, codec: str) -> list[bytes]:
    """What is still to be decoded, as it may have to be read; as it is where the page can't say anything else."""
    return readings(text, codec) if is_open(codec) else [text]


def readings(text: bytes, codec: str) -> list[bytes]:
    """The style sheet or script as it may have to be read: what is ASCII there means what it says.

    Each is as long as ``text``. There are several where the page may still say that it is written in one of the
    encodings whose characters may end in a backslash.
    """
    matters = _TRAIL.search(text) or _SEPARATOR.search(text)
    if not matters or codec == "utf-8":
        return [text]
    if not is_open(codec):
        return [_masked(text, codec)]
    return list(dict.fromkeys((text, *(_masked(text, other) for other in (codec, *_PAIRS)))))


def _masked(text: bytes, codec: str) -> bytes:
    """The text without what only looks as if it were ASCII, or a separator, to who doesn't know the encoding."""
    if codec == "gb18030":
        return _PAIRS[codec].sub(lambda match: _mask(match[0], codec), text)
    if codec in _PAIRS:
        text = _PAIRS[codec].sub(lambda match: _mask(match[0], codec), text)
    return _SEPARATOR.sub(b"\x80\x80\x80", text)


@lru_cache(maxsize=8192)
def _mask(pair: bytes, codec: str) -> bytes:
    """The character without what looks like ASCII in it; where there is none, browsers keep the second byte."""
    if len(pair) > 2:
        return _LINES.get(pair, b"\x80\x80\x80\x80")
    if codec == "big5hkscs" and pair in _BIG5_MORE:
        return pair[:1] + b"\x80"
    if pair[-1] >= 0x80:
        return b"\x80\x80" if b"\xe2" in pair else pair  # so that no separator comes about
    try:
        pair.decode(codec)
    except UnicodeDecodeError:
        return pair
    return pair[:1] + b"\x80"


def _label(content_type: str) -> str:
    """The first ``charset`` of a header; one with a space before its equals sign, or in single quotes, is none."""
    for match in _PARAMETER.finditer(content_type):
        value = (match[2] or match[3] or "").strip("\t\n\f\r ")
        if match[1].lower() == "charset" and value:
            return value.lower()
    return ""
