"""The tree in tiles of 256 hashes: what a log stores of it, and how proofs come out of that (C2SP tlog-tiles).

Hash ``j`` of level ``L`` is the root over the ``256**L`` leaves from ``j * 256**L`` on, kept only when all of them
are there; a tile is 256 neighbouring hashes of one level. Standard library only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from consent.errors import ProofError
from consent.log import merkle

WIDTH: Final = 256
BITS: Final = 8
Read = Callable[[int, int], bytes]  # the hashes of a tile by level and index; empty if there is none


@dataclass(slots=True)
class Tiles:
    """The tiles of one log behind a function that reads them, each read once; ``changed`` are those to be stored."""

    read: Read
    changed: dict[tuple[int, int], bytes] = field(default_factory=dict)
    _seen: dict[tuple[int, int], bytes] = field(default_factory=dict)

    def tile(self, level: int, index: int) -> bytes:
        """The hashes of a tile as one string."""
        place = (level, index)
        if place not in self._seen:
            self._seen[place] = self.read(level, index)
        return self._seen[place]

    def append(self, size: int, leaves: Iterable[bytes]) -> None:
        """Add leaf hashes to a tree of ``size`` leaves, and the hashes above that this completes."""
        level, hashes = 0, list(leaves)
        while hashes:
            first = size >> (BITS * level)
            completed = []
            for start in range(first // WIDTH, (first + len(hashes) - 1) // WIDTH + 1):
                begin = max(first, start * WIDTH)
                data = self.tile(level, start) if begin % WIDTH else b""
                if len(data) != begin % WIDTH * merkle.HASH_SIZE:
                    raise ProofError(f"Tile {start} of level {level} does not have the hashes that its tree has.")
                data += b"".join(hashes[begin - first : (start + 1) * WIDTH - first])
                self._seen[level, start] = self.changed[level, start] = data
                if len(data) == WIDTH * merkle.HASH_SIZE:
                    completed.append(merkle.root(split(data)))
            level, hashes = level + 1, completed

    def root_of(self, start: int, end: int) -> bytes:
        """The root over the leaves from ``start`` up to ``end``, where ``start`` is the beginning of a subtree."""
        tree = merkle.CompactRange(size=end - start)
        while start < end:
            bits = (end - start).bit_length() - 1
            tree.hashes.append(self._perfect(start, bits))
            start += 1 << bits
        return tree.root()

    def inclusion_proof(self, index: int, size: int) -> list[bytes]:
        """As :func:`consent.log.merkle.inclusion_proof`, in the tree of ``size`` leaves."""
        return merkle.inclusion_path(index, size, self.root_of)

    def consistency_proof(self, size1: int, size2: int) -> list[bytes]:
        """As :func:`consent.log.merkle.consistency_proof`, in the tree of ``size2`` leaves."""
        return merkle.consistency_path(size1, size2, self.root_of)

    def _perfect(self, start: int, bits: int) -> bytes:
        """The root over the ``2**bits`` leaves from ``start`` on."""
        level, rest = divmod(bits, BITS)
        first = start >> (BITS * level)
        offset = first % WIDTH * merkle.HASH_SIZE
        data = self.tile(level, first // WIDTH)[offset : offset + (merkle.HASH_SIZE << rest)]
        if len(data) != merkle.HASH_SIZE << rest:
            raise ProofError(f"Tile {first // WIDTH} of level {level} lacks hashes.")
        return merkle.root(split(data))


def split(data: bytes) -> list[bytes]:
    """The hashes in a tile's string."""
    return [data[at : at + merkle.HASH_SIZE] for at in range(0, len(data), merkle.HASH_SIZE)]


def path(level: int, index: int, width: int = WIDTH) -> str:
    """Where a tile lies in a log (C2SP tlog-tiles): ``tile/0/x001/234``, narrower ones with ``.p/WIDTH``."""
    groups = [f"{index % 1000:03}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03}")
    return f"tile/{level}/{'/'.join(reversed(groups))}" + (f".p/{width}" if width < WIDTH else "")
