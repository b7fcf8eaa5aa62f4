"""A response body on its way through the gate: decoded, recognised, rewritten, piece by piece."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from consent.coding import DAMAGE, unpacker

_LOOK: Final = 1024  # bytes in which a document shows itself (as WHATWG MIME sniffing does with 1445)
_FAR: Final = 4096  # a licence comment may stand before the doctype
_BEFORE: Final = rb"(?:\xef\xbb\xbf)?+(?:\s++|<!--(?:[^-]|-(?!->))*+-->|<\?[^>]*+>)*+"
_AHEAD: Final = re.compile(_BEFORE)
_DOCUMENT: Final = re.compile(_BEFORE + rb"<(?:!doctype\s+html|html[\s>])", re.IGNORECASE)
_SPACES: Final = re.compile(rb"\s++")
_OPENINGS: Final = (b"<!doctype html", b"<html ", b"<!--")
# Chromium looks for no end of the tag's name, Firefox for more names than the standard.
_HTML: Final = re.compile(rb"[\t\n\f\r ]*+<[!?a-z]", re.IGNORECASE)
_XML: Final = re.compile(rb"[\t\n\f\r ]*+<\?xml", re.IGNORECASE)
XML: Final = "text/xml"


class Stream(Protocol):
    """The gate's stream: bytes in, bytes out."""

    def feed(self, data: bytes, /) -> bytes:
        """Rewrite as much as is certain."""

    def close(self) -> bytes:
        """Rewrite the rest."""


class Way(Protocol):
    """What a body passes through on its way out, one of those below."""

    def feed(self, data: bytes, /) -> Iterator[bytes]:
        """What is ready, one piece or more, each made when it is asked for: so that a few bytes may stand for many."""

    def close(self) -> bytes:
        """The rest."""


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
        self._unpack = unpacker(packed) if packed else None
        self._sniff = sniff
        self._look = sniff or not settled
        self._settled = settled
        self._unreadable = unreadable
        self._held = b""
        self._stream: Stream | None = None
        self._verbatim = False
        self._broken = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take in bytes as the application sent them, give out what is ready for the visitor."""
        if self._broken:
            yield b""
        elif self._unpack is None or not data:
            yield self._plain(data)
        else:
            try:
                for piece in self._unpack(data):
                    yield self._plain(piece)
            except DAMAGE:
                # What can't be read can't be gated: the page ends here, with a plain message.
                self._broken = True
                yield self.close() + self._unreadable

    def _plain(self, data: bytes) -> bytes:
        if self._stream is not None:
            return self._stream.feed(data)
        if self._verbatim:
            return data
        self._held += data
        if self._look and len(self._held) < _LOOK and _may_show_itself(self._held):
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


def _may_show_itself(beginning: bytes) -> bool:
    """Whether more of the body may still tell that it is a document: only what stands before one has come yet."""
    if _is_document(beginning):
        return False
    rest = beginning[_AHEAD.match(beginning).end() :].lower()  # type: ignore[union-attr]  # it always matches
    if rest.startswith((b"<!--", b"<?")) or b"\xef\xbb\xbf".startswith(rest[:3]):
        return True
    opening = _SPACES.sub(b" ", rest)
    return any(sign.startswith(opening) for sign in _OPENINGS)


def _is_document(beginning: bytes) -> bool:
    return _DOCUMENT.match(beginning[:_FAR]) is not None


class Watched:
    """Shows a body to the gate and passes it on unchanged: for ``CONSENT_MODE=observe``."""

    def __init__(self, body: Body) -> None:
        self._body = body

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The same bytes."""
        for _ in self._body.feed(data):
            pass
        yield data

    def close(self) -> bytes:
        """Nothing."""
        self._body.close()
        return b""


class Replaced:
    """Stands in for a page that can't be read: a plain message instead of something ungated."""

    def __init__(self, page: bytes) -> None:
        self._page = page

    def feed(self, data: bytes) -> Iterator[bytes]:  # noqa: ARG002 — what can't be read is dropped
        """Nothing."""
        yield b""

    def close(self) -> bytes:
        """The message."""
        return self._page
