"""Content codings: what a body was packed with, and taking that off again, a bounded piece at a time."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import Any, Final, Protocol


def _found(*names: str) -> Any:
    for name in names:
        with suppress(ImportError):
            return import_module(name)
    return None


# Not dependencies: applications that send these by themselves have them.
_brotli: Final = _found("brotli")
_zstd: Final = _found("compression.zstd", "backports.zstd")
_READABLE: Final = frozenset(
    {"gzip", "x-gzip", "deflate"} | ({"br"} if _brotli else set()) | ({"zstd"} if _zstd else set())
)
# What some browser undoes. Anything else in a Content-Encoding ("none", "utf-8") they all pass over.
_CODINGS: Final = frozenset({"gzip", "x-gzip", "deflate", "compress", "x-compress", "br", "zstd", "dcb", "dcz"})
_MOST: Final = 1 << 18  # bytes that are unpacked at once, whatever a few packed ones stand for
_SLICE: Final = 1 << 14  # packed bytes that are looked at at once, as each end of a member copies what follows it
_LAYERS: Final = 8  # no page is packed more often, and each layer may multiply by a thousand
_WINDOW: Final = 23  # 8 MB, the most that zstd may have on the web (RFC 9659 section 3)
_REMEMBERED: Final = 1 << 18  # packed bytes that are kept, to find out how far a damaged body can be read
_SUMS: Final = ("incorrect data check", "incorrect length check")

DAMAGE: Final[tuple[type[Exception], ...]] = (
    zlib.error, *([_brotli.error] if _brotli else []), *([_zstd.ZstdError] if _zstd else []),
)  # fmt: skip
"""What unpacking raises where a body isn't packed as it says."""


def codings(said: str) -> tuple[str, ...]:
    """What a Content-Encoding says a body was packed with, in order, as far as a browser would unpack it."""
    return tuple(coding for part in said.lower().split(",") if (coding := part.strip()) in _CODINGS)


def can_unpack(packed: tuple[str, ...]) -> bool:
    """Whether a body packed so can be read here."""
    return len(packed) <= _LAYERS and _READABLE.issuperset(packed)


def unpacker(packed: tuple[str, ...]) -> Callable[[bytes], Iterator[bytes]]:
    """Takes in bytes as they were sent and gives out what they stand for, in pieces of some 256 KB at most.

    It works only as far as it is asked, so that a body that unpacks to gigabytes is never held whole. Raises one of
    ``DAMAGE``.
    """
    steps = [_Step(_READERS[coding]) for coding in reversed(packed)]

    def unpack(data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), _SLICE):
            pieces: Iterable[bytes] = (data[start : start + _SLICE],)
            for step in steps:
                pieces = _through(step, pieces)
            yield from pieces

    return unpack


def _through(step: Callable[[bytes], Iterator[bytes]], pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        yield from step(piece)


class _Reader(Protocol):
    """Takes one coding off. What is damaged raises one of ``DAMAGE``, and is no good afterwards."""

    @property
    def has_whole(self) -> bool:
        """Whether what was read so far may be all there is."""

    def __call__(self, data: bytes, /) -> Iterator[bytes]:
        """What ``data`` stands for, after all that came before it."""


class _Step:
    """Gives out all that stands before the damage, however the body was cut into pieces.

    The packages lose what they have read of a piece that ends badly. So a new reader is given what came before, and
    then that piece byte by byte; where more came before than is kept, the piece is lost. As in browsers, what follows
    a whole body is nothing. Nor do wrong sums at its end say that it can't be read: it has been given out by then.
    """

    def __init__(self, begin: Callable[[], _Reader]) -> None:
        self._begin = begin
        self._reader = begin()
        self._past: bytearray | None = bytearray()
        self._is_over = False

    def __call__(self, data: bytes) -> Iterator[bytes]:
        if self._is_over:
            return
        try:
            yield from self._read(data)
        except DAMAGE as error:
            self._is_over = True
            if not (self._reader.has_whole or (self._past is not None and str(error).endswith(_SUMS))):
                raise

    def _read(self, data: bytes) -> Iterator[bytes]:
        given = 0
        try:
            for out in self._reader(data):
                given += len(out)
                yield out
        except DAMAGE:
            if self._past is None:
                raise
            yield from self._read_again(bytes(self._past), data, given=given)
        if self._past is not None and len(self._past) + len(data) <= _REMEMBERED:
            self._past += data
        else:
            self._past = None

    def _read_again(self, past: bytes, data: bytes, *, given: int) -> Iterator[bytes]:
        self._reader = self._begin()
        for _ in self._reader(past):
            pass
        for at in range(len(data)):
            for out in self._reader(data[at : at + 1]):
                if fresh := out[given:]:
                    yield fresh
                given -= min(given, len(out))


class _Members:
    """What is packed in one member or several: ``gzip`` (RFC 1952 section 2.2), ``zstd`` (RFC 8878 section 3)."""

    def __init__(self, begin: Callable[[], Any], *, padding: bytes = b"") -> None:
        self._begin = begin
        self._padding = padding  # what may follow the last
        self._member = begin()
        self.has_whole = False

    def __call__(self, data: bytes) -> Iterator[bytes]:
        is_full = False
        while data or is_full:
            if self._member.eof:
                data = data.lstrip(self._padding) if self._padding else data
                if not data:
                    return
                self._member = self._begin()
                self.has_whole = True
            out = self._member.decompress(data, _MOST)
            is_full = len(out) == _MOST
            data = self._member.unused_data if self._member.eof else getattr(self._member, "unconsumed_tail", b"")
            yield out


class _Deflate:
    """``deflate`` as servers send it: with the zlib wrapper, or raw against the standard (RFC 9110 section 8.4.1.2)."""

    has_whole = False

    def __init__(self) -> None:
        self._stream = zlib.decompressobj()
        self._begun = False

    def __call__(self, data: bytes) -> Iterator[bytes]:
        if data and not self._begun:
            self._begun = True
            if data[0] & 0x0F != zlib.DEFLATED:
                self._stream = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
        is_full = False
        while (data or is_full) and not self._stream.eof:
            out = self._stream.decompress(data, _MOST)
            is_full = len(out) == _MOST
            data = self._stream.unconsumed_tail
            yield out


class _Brotli:
    """``br`` (RFC 7932), held back as far as the installed package can: from its version 1.2 on."""

    has_whole = False

    def __init__(self) -> None:
        self._stream = _brotli.Decompressor()
        self._bounded = hasattr(self._stream, "can_accept_more_data")

    def __call__(self, data: bytes) -> Iterator[bytes]:
        if self._stream.is_finished():
            return
        if not self._bounded:
            yield self._stream.process(data)
            return
        while out := self._stream.process(data, output_buffer_limit=_MOST):
            yield out
            data = b""


def _zstd_frame() -> Any:
    return _zstd.ZstdDecompressor(options={_zstd.DecompressionParameter.window_log_max: _WINDOW})


_gzip: Final = partial(_Members, partial(zlib.decompressobj, wbits=zlib.MAX_WBITS | 16), padding=b"\0")
_READERS: Final[dict[str, Callable[[], _Reader]]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _Deflate,
    "br": _Brotli,
    "zstd": partial(_Members, _zstd_frame),
}
