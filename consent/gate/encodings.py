"""Pages whose encoding hides ASCII are read through, or fail closed."""

from __future__ import annotations

import codecs

from consent.gate.charset import Encoding
from consent.gate.pieces import Pieces


class Transcoder:
    """A stream over a page in any encoding: UTF-16 and ISO-2022-JP are read as UTF-8 and written back.

    Where they can't be read, nothing more of the page is sent.
    """

    def __init__(self, stream: Pieces, content_type: str) -> None:
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
