"""The Merkle tree of RFC 9162, section 2.1: roots, proofs, and verifiers that refuse every malformed shape.

Standard library only. Verifiers raise :class:`consent.errors.ProofError` and nothing else, whatever they are given;
they read like the RFC so that an auditor can hold one against the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from consent.errors import ProofError

HASH_SIZE: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
_sha256 = hashlib.sha256


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one entry, SHA-256 of 0x00 and its bytes."""
    return _sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an interior node, SHA-256 of 0x01 and its two children."""
    return _sha256(b"\x01" + left + right).digest()


def root(leaf_hashes: Iterable[bytes]) -> bytes:
    """The tree hash over these leaf hashes, in order; of none, the SHA-256 of nothing."""
    tree = CompactRange()
    for leaf in leaf_hashes:
        tree.append(leaf)
    return tree.root()


@dataclass(slots=True)
class CompactRange:
    """The right edge of a growing tree: all that is needed to append and to know the root.

    ``hashes`` are the roots of the perfect subtrees that make up ``size`` leaves, largest first: as many as
    ``size`` has one-bits, so 64 leaves need one and a billion at most thirty.
    """

    size: int = 0
    hashes: list[bytes] = field(default_factory=list)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash at the right."""
        size, hashes = self.size, self.hashes
        while size & 1:
            leaf = _sha256(b"\x01" + hashes.pop() + leaf).digest()
            size >>= 1
        hashes.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The tree hash of what was appended so far."""
        if not self.hashes:
            return EMPTY_ROOT
        right = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            right = node_hash(left, right)
        return right

    def to_bytes(self) -> bytes:
        """The hashes as one string, for storing beside ``size``."""
        return b"".join(self.hashes)

    @classmethod
    def from_bytes(cls, size: int, data: bytes) -> CompactRange:
        """The inverse of :meth:`to_bytes`; raises :class:`ProofError` when the two do not fit each other."""
        _whole(size, "size", least=0)
        if not isinstance(data, bytes) or len(data) != HASH_SIZE * size.bit_count():
            raise ProofError(f"A tree of {size} leaves needs {size.bit_count()} hashes at its right edge.")
        return cls(size=size, hashes=[data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE)])


def inclusion_proof(index: int, leaf_hashes: Sequence[bytes]) -> list[bytes]:
    """The sibling hashes that lead from leaf ``index`` to the root, lowest first (RFC 9162, 2.1.3.1)."""
    return inclusion_path(index, len(leaf_hashes), lambda start, end: root(leaf_hashes[start:end]))


def consistency_proof(size1: int, leaf_hashes: Sequence[bytes]) -> list[bytes]:
    """The hashes that show the first ``size1`` leaves to be a prefix of all of them (RFC 9162, 2.1.4.1)."""
    return consistency_path(size1, len(leaf_hashes), lambda start, end: root(leaf_hashes[start:end]))


def inclusion_path(index: int, size: int, root_of: Callable[[int, int], bytes]) -> list[bytes]:
    """:func:`inclusion_proof` where ``root_of`` gives the root over the leaves from one index up to another."""
    _whole(size, "size", least=1)
    if _whole(index, "index", least=0) >= size:
        raise ProofError(f"There is no leaf {index} in a tree of {size}.")
    start, end, proof = 0, size, list[bytes]()
    while end - start > 1:
        split = start + _split(end - start)
        if index < split:
            proof.append(root_of(split, end))
            end = split
        else:
            proof.append(root_of(start, split))
            start = split
    return proof[::-1]


def consistency_path(size1: int, size2: int, root_of: Callable[[int, int], bytes]) -> list[bytes]:
    """:func:`consistency_proof` where ``root_of`` gives the root over the leaves from one index up to another."""
    if not _whole(size1, "size1", least=1) <= size2:
        raise ProofError(f"A tree of {size2} leaves has no prefix of {size1}.")
    start, end, whole, proof = 0, size2, True, list[bytes]()
    while size1 != end:
        split = start + _split(end - start)
        if size1 <= split:
            proof.append(root_of(split, end))
            end = split
        else:
            proof.append(root_of(start, split))
            start, whole = split, False
    if not whole:
        proof.append(root_of(start, end))
    return proof[::-1]


def verify_inclusion(index: int, size: int, leaf_hash: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Check that ``leaf_hash`` is leaf ``index`` of the tree of ``size`` leaves with this ``root``, or raise.

    RFC 9162, 2.1.3.2. A tree of no leaves includes nothing, so ``size`` is at least one.
    """
    _whole(size, "size", least=1)
    if _whole(index, "index", least=0) >= size:
        raise ProofError(f"There is no leaf {index} in a tree of {size}.")
    _hash(leaf_hash, "leaf hash")
    _hash(root, "root")
    _path(proof, inclusion_length(index, size))
    fn, sn, r = index, size - 1, leaf_hash
    for p in proof:
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node_hash(r, p)
        fn, sn = fn >> 1, sn >> 1
    if r != root:
        raise ProofError(f"The proof leads from leaf {index} of {size} to another root.")


def verify_consistency(size1: int, size2: int, root1: bytes, root2: bytes, proof: Sequence[bytes]) -> None:
    """Check that the tree of ``size1`` leaves with ``root1`` is a prefix of that of ``size2`` with ``root2``, or raise.

    RFC 9162, 2.1.4.2. Every tree continues the empty one, so a size of zero would prove nothing and is refused.
    """
    _whole(size1, "size1", least=1)
    _whole(size2, "size2", least=1)
    if size1 > size2:
        raise ProofError(f"A tree of {size1} leaves can't be a prefix of one of {size2}.")
    _hash(root1, "first root")
    _hash(root2, "second root")
    _path(proof, consistency_length(size1, size2))
    if size1 == size2:
        if root1 != root2:
            raise ProofError(f"Two trees of {size1} leaves have different roots.")
        return
    path = list(proof)
    if size1 & (size1 - 1) == 0:
        path.insert(0, root1)
    fn, sn = size1 - 1, size2 - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        if fn & 1 or fn == sn:
            fr, sr = node_hash(c, fr), node_hash(c, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, c)
        fn, sn = fn >> 1, sn >> 1
    if fr != root1:
        raise ProofError(f"The proof leads to another root for the first {size1} leaves.")
    if sr != root2:
        raise ProofError(f"The proof leads to another root for all {size2} leaves.")


def inclusion_length(index: int, size: int) -> int:
    """How many hashes the inclusion proof of leaf ``index`` in a tree of ``size`` leaves has."""
    inner = (index ^ (size - 1)).bit_length()
    return inner + (index >> inner).bit_count()


def consistency_length(size1: int, size2: int) -> int:
    """How many hashes the consistency proof between trees of ``size1`` and ``size2`` leaves has."""
    if size1 == size2:
        return 0
    shift = (size1 & -size1).bit_length() - 1
    seed = 0 if size1 & (size1 - 1) == 0 else 1
    return seed + inclusion_length((size1 - 1) >> shift, ((size2 - 1) >> shift) + 1)


def _split(size: int) -> int:
    """The largest power of two smaller than ``size``, which is at least 2."""
    return 1 << ((size - 1).bit_length() - 1)


def _whole(value: Any, name: str, *, least: int) -> int:
    if type(value) is not int or not least <= value < 1 << 63:
        raise ProofError(f"The {name} must be a whole number from {least} on.")
    return value


def _hash(value: Any, name: str) -> None:
    if not isinstance(value, bytes) or len(value) != HASH_SIZE:
        raise ProofError(f"The {name} must be {HASH_SIZE} bytes.")


def _path(proof: Any, length: int) -> None:
    if not isinstance(proof, list | tuple):
        raise ProofError("The proof must be a list of hashes.")
    if len(proof) != length:
        raise ProofError(f"The proof has {len(proof)} hashes where {length} are due.")
    for number, value in enumerate(proof):
        _hash(value, f"proof's hash {number}")
