"""Which bytes of a page are its markup: encodings that hide ASCII are read through, or fail closed."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import Final

from consent.gate.stream import Stream

_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([^\s\"';]+)", re.IGNORECASE)
_ALIASES: Final = {
    "ascii": "cp1252", "us-ascii": "cp1252", "iso-8859-1": "cp1252", "latin1": "cp1252", "iso8859-1": "cp1252",
    "utf-16": "utf-16-le", "unicode": "utf-16-le", "ucs-2": "utf-16-le", "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be", "iso-2022-jp": "iso2022_jp", "csiso2022jp": "iso2022_jp",
    "shift_jis": "cp932", "sjis": "cp932", "euc-kr": "cp949", "gb2312": "gb18030", "gbk": "gb18030",
}  # fmt: skip
_READ_THROUGH: Final = frozenset(("utf-16-le", "utf-16-be", "iso2022_jp"))
_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_XML: Final = ((b"<\x00?\x00", "utf-16-le"), (b"\x00<\x00?", "utf-16-be"))
_ESCAPE = b"\x1b"


@dataclass(frozen=True, slots=True)
class Encoding:
    """What a page is written in, by its byte order mark, then by its header; ``declared`` if either says so."""

    codec: str
    declared: bool

    @classmethod
    def of(cls, content_type: str, start: bytes) -> Encoding:
        """The encoding of a body that begins with ``start`` (its first four bytes)."""
        for mark, codec in _MARKS:
            if start.startswith(mark):
                return cls(codec, True)
        match = _CHARSET.search(content_type)
        if match is None:
            for sign, codec in _XML:
                if start.startswith(sign):
                    return cls(codec, True)
            return cls("utf-8", False)
        label = match[1].lower()
        try:
            return cls(_ALIASES.get(label) or codecs.lookup(label).name, True)
        except LookupError:
            return cls("cp1252", False)

    @property
    def text(self) -> str:
        """What attribute values are read as, once the page is read through."""
        return "utf-8" if self.transcoded else self.codec

    @property
    def transcoded(self) -> bool:
        return self.codec in _READ_THROUGH

    def guarded(self, data: bytes) -> bytes:
        """The bytes without the escapes by which an undeclared page would become ISO-2022-JP."""
        return data if self.declared or _ESCAPE not in data else data.replace(_ESCAPE, b" ")


class Transcoder:
    """A stream over a page in any encoding: UTF-16 and ISO-2022-JP are read as UTF-8 and written back.

    Where they can't be read, nothing more of the page is sent.
    """

    def __init__(self, stream: Stream, content_type: str) -> None:
        self._stream = stream
        self._content_type = content_type
        self._head: bytes | None = b""
        self._encoding = Encoding("utf-8", True)
        self._decoder: codecs.IncrementalDecoder | None = None
        self._encoder: codecs.IncrementalEncoder | None = None
        self._utf8 = codecs.getincrementaldecoder("utf-8")("surrogatepass")  # pieces may end inside a character
        self._broken = False

    def feed(self, data: bytes) -> bytes:
        """Take the next piece; returns what can be sent by now."""
        if self._head is not None:
            data = self._head + data
            if len(data) < 4:
                self._head = data
                return b""
            self._begin(data)
        return self._pass(data, final=False)

    def close(self) -> bytes:
        """The page ends here; returns what was still held back."""
        result = b""
        if self._head is not None:
            data = self._head
            self._begin(data)
            result = self._pass(data, final=False)
        return result + self._pass(b"", final=True)

    def _begin(self, data: bytes) -> None:
        self._head = None
        self._encoding = Encoding.of(self._content_type, data[:4])
        self._stream.read_as(self._encoding.text)
        if self._encoding.transcoded:
            errors = "surrogatepass" if self._encoding.codec.startswith("utf-16") else "strict"
            self._decoder = codecs.getincrementaldecoder(self._encoding.codec)(errors)
            self._encoder = codecs.getincrementalencoder(self._encoding.codec)(
                errors if errors != "strict" else "xmlcharrefreplace"
            )

    def _pass(self, data: bytes, *, final: bool) -> bytes:
        stream = self._stream
        if self._decoder is None or self._encoder is None:
            sent = stream.feed(self._encoding.guarded(data))
            return sent + stream.close() if final else sent
        if self._broken:
            return b""
        try:
            text = self._decoder.decode(data, final).encode("utf-8", "surrogatepass")
        except UnicodeError:
            self._broken = True
            return b""
        sent = stream.feed(text)
        if final:
            sent += stream.close()
        return self._encoder.encode(self._utf8.decode(sent, final), final)
