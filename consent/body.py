"""A response body on its way through the gate: decoded, recognised, rewritten, piece by piece."""

from __future__ import annotations

import importlib.util
import re
import zlib
from collections.abc import Callable
from functools import partial, reduce
from typing import Any, Final, Protocol

# Not a dependency: applications that send Brotli by themselves have it.
_brotli: Final[Any] = importlib.import_module("brotli") if importlib.util.find_spec("brotli") else None
_DECODABLE: Final = frozenset({"gzip", "x-gzip", "deflate"} | ({"br"} if _brotli else set()))
# What some browser undoes. Anything else in a Content-Encoding ("none", "utf-8") they all pass over.
_CODINGS: Final = frozenset({"gzip", "x-gzip", "deflate", "compress", "x-compress", "br", "zstd", "dcb", "dcz"})
_DAMAGE: Final = (zlib.error, _brotli.error) if _brotli else (zlib.error,)
_LOOK: Final = 1024  # bytes in which a document shows itself (as WHATWG MIME sniffing does with 1445)
_FAR: Final = 4096  # a licence comment may stand before the doctype
_DOCUMENT: Final = re.compile(
    rb"(?:\xef\xbb\xbf)?+(?:\s++|<!--(?:[^-]|-(?!->))*+-->|<\?[^>]*+>)*+<(?:!doctype\s+html|html[\s>])", re.IGNORECASE
)
# Chromium looks for no end of the tag's name, Firefox for more names than the standard.
_HTML: Final = re.compile(rb"[\t\n\f\r ]*+<[!?a-z]", re.IGNORECASE)
_XML: Final = re.compile(rb"[\t\n\f\r ]*+<\?xml", re.IGNORECASE)
XML: Final = "text/xml"


def codings(said: str) -> tuple[str, ...]:
    """What a Content-Encoding says a body was packed with, in order, as far as a browser would unpack it."""
    return tuple(coding for part in said.lower().split(",") if (coding := part.strip()) in _CODINGS)


def can_unpack(packed: tuple[str, ...]) -> bool:
    """Whether a body packed so can be read here."""
    return _DECODABLE.issuperset(packed)


class Stream(Protocol):
    """What a body passes through, the gate's stream or one of those below: bytes in, bytes out."""

    def feed(self, data: bytes, /) -> bytes:
        """Rewrite as much as is certain."""

    def close(self) -> bytes:
        """Rewrite the rest."""


class Body:
    """Feeds a response body through the gate.

    A body that turns out not to be ``packed`` so ends with ``unreadable``. ``open_stream(is_document, kind)`` makes
    the stream once the beginning is known: ``is_document`` is ``None`` if the request has already settled that, and
    ``kind`` is the media type if the beginning tells it. With ``sniff`` a body without a Content-Type that can't be a
    page passes as it is.
    """

    def __init__(
        self,
        open_stream: Callable[[bool | None, str], Stream],
        *,
        packed: tuple[str, ...] = (),
        sniff: bool = False,
        settled: bool = True,
        unreadable: bytes = b"",
    ) -> None:
        self._open = open_stream
        self._decode = _decoder(packed)
        self._sniff = sniff
        self._look = sniff or not settled
        self._settled = settled
        self._unreadable = unreadable
        self._held = b""
        self._stream: Stream | None = None
        self._verbatim = False
        self._broken = False

    def feed(self, data: bytes) -> bytes:
        """Take in bytes as the application sent them, give out what is ready for the visitor."""
        if self._broken:
            return b""
        try:
            data = self._decode(data)
        except _DAMAGE:
            # What can't be read can't be gated: the page ends here, with a plain message.
            self._broken = True
            return self.close() + self._unreadable
        if self._stream is not None:
            return self._stream.feed(data)
        if self._verbatim:
            return data
        self._held += data
        if self._look and len(self._held) < _LOOK and not _is_document(self._held):
            return b""
        return self._begin()

    def close(self) -> bytes:
        """Give out the rest; call it once, after the last :meth:`feed`."""
        rest = self._begin() if self._held else b""
        stream, self._stream = self._stream, None
        return rest + (stream.close() if stream is not None else b"")

    def _begin(self) -> bytes:
        held, self._held = self._held, b""
        if not held:
            return b""
        if self._sniff and not (_HTML.match(held) or _is_document(held)):
            self._verbatim = True
            return held
        kind = XML if self._sniff and _XML.match(held) else ""
        self._stream = self._open(None if self._settled else _is_document(held), kind)
        return self._stream.feed(held)


def _is_document(beginning: bytes) -> bool:
    return _DOCUMENT.match(beginning[:_FAR]) is not None


def _decoder(packed: tuple[str, ...]) -> Callable[[bytes], bytes]:
    steps = [_step(coding) for coding in reversed(packed)]
    return partial(reduce, lambda data, step: step(data), steps) if steps else bytes


def _step(coding: str) -> Callable[[bytes], bytes]:
    if coding == "br":
        decode: Callable[[bytes], bytes] = _brotli.Decompressor().process
        return decode
    return _Deflate().decompress if coding == "deflate" else _Gzip().decompress


class _Gzip:
    """``gzip`` as servers send it: one member or several (RFC 1952 section 2.2); zeros after the last are padding."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)

    def decompress(self, data: bytes) -> bytes:
        out = []
        while data:
            if self._member.eof:
                data = data.lstrip(b"\0")
                if not data:
                    break
                self._member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
            out.append(self._member.decompress(data))
            data = self._member.unused_data
        return b"".join(out)


class _Deflate:
    """``deflate`` as servers send it: with the zlib wrapper, or raw against the standard (RFC 9110 section 8.4.1.2)."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj()
        self._begun = False

    def decompress(self, data: bytes) -> bytes:
        if not data:
            return b""
        if not self._begun and data[0] & 0x0F != zlib.DEFLATED:
            self._stream = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
        self._begun = True
        return self._stream.decompress(data)


class Watched:
    """Shows a body to the gate and passes it on unchanged: for ``CONSENT_MODE=observe``."""

    def __init__(self, body: Body) -> None:
        self._body = body

    def feed(self, data: bytes) -> bytes:
        """The same bytes."""
        self._body.feed(data)
        return data

    def close(self) -> bytes:
        """Nothing."""
        self._body.close()
        return b""


class Replaced:
    """Stands in for a page that can't be read: a plain message instead of something ungated."""

    def __init__(self, page: bytes) -> None:
        self._page = page

    def feed(self, data: bytes) -> bytes:  # noqa: ARG002 — what can't be read is dropped
        """Nothing."""
        return b""

    def close(self) -> bytes:
        """The message."""
        return self._page
