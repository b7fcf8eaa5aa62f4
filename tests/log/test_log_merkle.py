"""The tree and its verifiers, against the RFC's recursive definition, known vectors, and every malformed shape."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.errors import ProofError
from consent.log import merkle

# The inputs and roots of the Certificate Transparency reference implementation.
ENTRIES = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [merkle.leaf_hash(b"%d" % number) for number in range(40)]


def recursive_root(leaves: list[bytes]) -> bytes:
    """RFC 9162, 2.1.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + recursive_root(leaves[:split]) + recursive_root(leaves[split:])).digest()


def recursive_path(index: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 9162, 2.1.3.1."""
    if len(leaves) == 1:
        return []
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if index < split:
        return [*recursive_path(index, leaves[:split]), recursive_root(leaves[split:])]
    return [*recursive_path(index - split, leaves[split:]), recursive_root(leaves[:split])]


def recursive_consistency(size: int, leaves: list[bytes], whole: bool = True) -> list[bytes]:
    """RFC 9162, 2.1.4.1."""
    if size == len(leaves):
        return [] if whole else [recursive_root(leaves)]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if size <= split:
        return [*recursive_consistency(size, leaves[:split], whole), recursive_root(leaves[split:])]
    return [*recursive_consistency(size - split, leaves[split:], False), recursive_root(leaves[:split])]


def test_root_of_nothing_is_the_hash_of_nothing() -> None:
    assert merkle.root([]) == hashlib.sha256(b"").digest() == merkle.EMPTY_ROOT


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_the_reference_implementation(size: int) -> None:
    assert merkle.root(map(merkle.leaf_hash, ENTRIES[:size])).hex() == ROOTS[size - 1]


@pytest.mark.parametrize("size", range(1, 41))
def test_roots_and_proofs_are_those_of_the_recursive_definition(size: int) -> None:
    leaves = LEAVES[:size]
    root = merkle.root(leaves)
    assert root == recursive_root(leaves)
    for index in range(size):
        proof = merkle.inclusion_proof(index, leaves)
        assert proof == recursive_path(index, leaves)
        assert len(proof) == merkle.inclusion_length(index, size)
        merkle.verify_inclusion(index, size, leaves[index], proof, root)
    for earlier in range(1, size + 1):
        proof = merkle.consistency_proof(earlier, leaves)
        assert proof == recursive_consistency(earlier, leaves)
        assert len(proof) == merkle.consistency_length(earlier, size)
        merkle.verify_consistency(earlier, size, merkle.root(leaves[:earlier]), root, proof)


def test_an_inclusion_proof_serves_no_other_leaf_index_or_size() -> None:
    for size in range(1, 20):
        leaves, root = LEAVES[:size], merkle.root(LEAVES[:size])
        for index in range(size):
            proof = merkle.inclusion_proof(index, leaves)
            for other in range(size):
                if other != index:
                    with pytest.raises(ProofError):
                        merkle.verify_inclusion(other, size, leaves[index], proof, root)
                    with pytest.raises(ProofError):
                        merkle.verify_inclusion(index, size, leaves[other], proof, root)
            for wrong in (proof[:-1], [*proof, root], [root, *proof], [bytes(32)] * len(proof) or [root]):
                if wrong != proof:
                    with pytest.raises(ProofError):
                        merkle.verify_inclusion(index, size, leaves[index], wrong, root)


def test_a_consistency_proof_serves_no_other_trees() -> None:
    for size in range(1, 20):
        root = merkle.root(LEAVES[:size])
        for earlier in range(1, size + 1):
            proof, before = merkle.consistency_proof(earlier, LEAVES[:size]), merkle.root(LEAVES[:earlier])
            others = merkle.root(LEAVES[1 : earlier + 1])
            for first, second in ((others, root), (before, others), (others, others)):
                if (first, second) != (before, root) and (earlier, first) != (size, second):
                    with pytest.raises(ProofError):
                        merkle.verify_consistency(earlier, size, first, second, proof)
            for wrong in (proof[:-1], [*proof, root], [root, *proof], [bytes(32)] * len(proof) or [root]):
                if wrong != proof:
                    with pytest.raises(ProofError):
                        merkle.verify_consistency(earlier, size, before, root, wrong)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_changed_byte_of_a_proof_is_noticed(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 40))
    index = data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion_proof(index, LEAVES[:size])
    at, byte, bit = (data.draw(st.integers(0, top)) for top in (len(proof) - 1, 31, 7))
    proof[at] = bytes(value ^ (1 << bit if number == byte else 0) for number, value in enumerate(proof[at]))
    with pytest.raises(ProofError):
        merkle.verify_inclusion(index, size, LEAVES[index], proof, merkle.root(LEAVES[:size]))


SOME = LEAVES[0]


@pytest.mark.parametrize(
    ("index", "size", "leaf", "proof", "root"),
    [
        (0, 0, SOME, [], merkle.EMPTY_ROOT),
        (1, 1, SOME, [], SOME),
        (-1, 1, SOME, [], SOME),
        (0, -1, SOME, [], SOME),
        (True, 2, SOME, [SOME], SOME),
        (0, True, SOME, [], SOME),
        (0.0, 1, SOME, [], SOME),
        ("0", 1, SOME, [], SOME),
        (None, 1, SOME, [], SOME),
        (0, None, SOME, [], SOME),
        (0, 1 << 63, SOME, [SOME] * 63, SOME),
        (0, 1, SOME[:31], [], SOME[:31]),
        (0, 1, SOME + b"\0", [], SOME + b"\0"),
        (0, 1, b"", [], b""),
        (0, 1, SOME.hex(), [], SOME.hex()),
        (0, 1, bytearray(SOME), [], SOME),
        (0, 1, None, [], None),
        (0, 1, SOME, [], b""),
        (0, 1, SOME, [b""], SOME),
        (0, 1, SOME, None, SOME),
        (0, 1, SOME, b"", SOME),
        (0, 1, SOME, {}, SOME),
        (0, 2, SOME, [], SOME),
        (0, 2, SOME, [None], SOME),
        (0, 2, SOME, [SOME[:31]], SOME),
        (0, 2, SOME, SOME, SOME),
        (0, 2, SOME, "x", SOME),
    ],
)
def test_a_malformed_inclusion_proof_is_refused(index: Any, size: Any, leaf: Any, proof: Any, root: Any) -> None:
    with pytest.raises(ProofError):
        merkle.verify_inclusion(index, size, leaf, proof, root)


@pytest.mark.parametrize(
    ("size1", "size2", "root1", "root2", "proof"),
    [
        (0, 0, merkle.EMPTY_ROOT, merkle.EMPTY_ROOT, []),
        (0, 1, merkle.EMPTY_ROOT, SOME, []),
        (1, 0, SOME, merkle.EMPTY_ROOT, []),
        (2, 1, SOME, SOME, []),
        (-1, 1, SOME, SOME, []),
        (True, 1, SOME, SOME, []),
        (1, "1", SOME, SOME, []),
        (None, 1, SOME, SOME, []),
        (1, 1 << 63, SOME, SOME, []),
        (1, 1, SOME, LEAVES[1], []),
        (1, 1, SOME, SOME, [SOME]),
        (1, 1, b"", b"", []),
        (1, 1, SOME[:31], SOME[:31], []),
        (1, 1, SOME, None, []),
        (1, 1, SOME, SOME, None),
        (1, 1, SOME, SOME, b""),
        (1, 2, SOME, LEAVES[1], []),
        (1, 2, SOME, LEAVES[1], [b""]),
        (1, 2, SOME, LEAVES[1], [None]),
        (1, 2, SOME, LEAVES[1], SOME),
        (3, 4, SOME, LEAVES[1], [SOME, SOME]),
    ],
)
def test_a_malformed_consistency_proof_is_refused(size1: Any, size2: Any, root1: Any, root2: Any, proof: Any) -> None:
    with pytest.raises(ProofError):
        merkle.verify_consistency(size1, size2, root1, root2, proof)


def test_a_proof_may_be_a_tuple() -> None:
    merkle.verify_inclusion(0, 2, LEAVES[0], tuple(LEAVES[1:2]), merkle.root(LEAVES[:2]))
    merkle.verify_consistency(1, 2, LEAVES[0], merkle.root(LEAVES[:2]), tuple(LEAVES[1:2]))


@pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 3), (-1, 3), (True, 3)])
def test_there_is_no_proof_of_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ProofError):
        merkle.inclusion_proof(index, LEAVES[:size])


@pytest.mark.parametrize(("earlier", "size"), [(0, 3), (4, 3), (-1, 3)])
def test_there_is_no_consistency_with_a_larger_or_empty_tree(earlier: int, size: int) -> None:
    with pytest.raises(ProofError):
        merkle.consistency_proof(earlier, LEAVES[:size])


@given(st.integers(0, 40), st.integers(0, 40))
def test_a_compact_range_continues_where_it_was_stored(before: int, after: int) -> None:
    tree = merkle.CompactRange()
    for leaf in LEAVES[:before]:
        tree.append(leaf)
    again = merkle.CompactRange.from_bytes(before, tree.to_bytes())
    for leaf in LEAVES[before : before + after]:
        again.append(leaf)
    assert again.root() == merkle.root(LEAVES[: before + after])


@pytest.mark.parametrize(("size", "data"), [(1, b""), (0, SOME), (3, SOME), (-1, b""), (1, "x" * 32), (2, SOME[:31])])
def test_a_compact_range_that_does_not_fit_its_size_is_refused(size: int, data: Any) -> None:
    with pytest.raises(ProofError):
        merkle.CompactRange.from_bytes(size, data)
