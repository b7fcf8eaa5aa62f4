"""One record with the proof that it is in the tree, as a text that stands by itself (C2SP tlog-proof).

Its ``extra`` line has the record's content and salt. That line is not authenticated by the format, so whoever checks
a proof computes the leaf from it, as :func:`verify` does.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select

from consent.errors import NoteError, ProofError
from consent.log import checkpoint, merkle, note, sealer, tables
from consent.log.record import canonical, commitment, public_entry
from consent.log.store import Store

HEADER: Final = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """A record that a signed tree holds at ``index``; ``payload`` is its content."""

    origin: str
    size: int
    index: int
    payload: dict[str, Any]


def render(*, index: int, proof: Sequence[bytes], signed: str, extra: bytes) -> str:
    """The text of a proof from its parts: the leaf's index, its inclusion proof, and a signed checkpoint."""
    hashes = "".join(f"{b64encode(each).decode()}\n" for each in proof)
    return f"{HEADER}\nextra {b64encode(extra).decode()}\nindex {index}\n{hashes}\n{signed}"


def verify(text: str, vkeys: Iterable[str]) -> Proven:
    """Check a proof against the keys of a log that is trusted, and give the record.

    Raises :class:`ProofError` for anything but the one true shape, and :class:`NoteError` if no key has signed.
    """
    head, gap, signed = text.partition("\n\n")
    lines = head.split("\n")
    if not gap or len(lines) < 3 or lines[0] != HEADER:
        raise ProofError(f"A proof begins with {HEADER}, an extra line and an index, and ends with a checkpoint.")
    extra, index = _named(lines[1], "extra"), _named(lines[2], "index")
    if not index.isdecimal() or not index.isascii() or str(int(index)) != index:
        raise ProofError("The proof's index is no whole number.")
    proof = [_unbase64(line) for line in lines[3:]]
    seal = checkpoint.parse(note.verify(signed, list(vkeys)).text)
    try:
        content = json.loads(_unbase64(extra))
        payload, salt = canonical(content["payload"]), _unbase64(content["salt"])
        entry = public_entry(content["payload"], commitment(salt, payload), origin=seal.origin)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProofError(f"The proof's extra line holds no record: {error!r}.") from error
    merkle.verify_inclusion(int(index), seal.size, merkle.leaf_hash(entry), proof, seal.root)
    return Proven(origin=seal.origin, size=seal.size, index=int(index), payload=content["payload"])


def proofs(store: Store, receipt: bytes) -> list[tuple[int, str]]:
    """A proof for each sealed record of the receipt, by its leaf's index; raises :class:`NoteError` without a seal."""
    leaf, record = tables.leaf, tables.record
    with store.reading() as connection:
        newest = sealer.signed(store, connection)
        if newest is None:
            raise NoteError("The log has no signed checkpoint yet.")
        size, signed = newest
        query = (
            select(leaf.c.leaf_index, record.c.payload, record.c.salt)
            .join(record, (record.c.log_id == leaf.c.log_id) & (record.c.event_id == leaf.c.event_id))
            .where(leaf.c.log_id == store.log_id, record.c.receipt == receipt, leaf.c.leaf_index < size)
            .order_by(leaf.c.leaf_index)
        )
        stored = sealer.tiles(store, connection)
        return [
            (
                row.leaf_index,
                render(
                    index=row.leaf_index,
                    proof=stored.inclusion_proof(row.leaf_index, size),
                    signed=signed,
                    extra=canonical({"payload": json.loads(row.payload), "salt": b64encode(row.salt).decode()}),
                ),
            )
            for row in connection.execute(query).all()
        ]


def _named(line: str, name: str) -> str:
    word, gap, value = line.partition(" ")
    if word != name or not gap or not value:
        raise ProofError(f"The proof lacks its {name} line.")
    return value


def _unbase64(text: str) -> bytes:
    try:
        data = b64decode(text, validate=True)
    except ValueError:
        data = b""
    if not data or b64encode(data).decode() != text:
        raise ProofError("A part of the proof is not canonical base64.")
    return data
