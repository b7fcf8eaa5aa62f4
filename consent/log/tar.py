"""Writes a tar of plain files, each streamed: what a bundle is made of, and nothing that its verifier refuses."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Final

_BLOCK: Final = tarfile.BLOCKSIZE
_TIME: Final = 0  # of every part: the file's own age says nothing, and equal logs make equal bundles


class Tar:
    """A tar on a file that can be written anywhere."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def add(self, name: str, data: bytes) -> None:
        """One part at once."""
        with self.part(name) as write:
            write(data)

    @contextmanager
    def part(self, name: str) -> Iterator[Callable[[bytes], int]]:
        """One part piece by piece: its header is written when its size is known."""
        file, start = self._file, self._file.tell()
        file.write(bytes(_BLOCK))
        yield file.write
        member = tarfile.TarInfo(name)
        member.size, member.mtime, member.mode = file.tell() - start - _BLOCK, _TIME, 0o644
        file.write(bytes(-member.size % _BLOCK))
        end = file.tell()
        file.seek(start)
        file.write(member.tobuf(tarfile.USTAR_FORMAT))
        file.seek(end)

    def close(self) -> None:
        """Write the two empty blocks with which a tar ends; the file stays open."""
        self._file.write(bytes(2 * _BLOCK))
