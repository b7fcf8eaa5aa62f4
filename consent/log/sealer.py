"""Puts what was recorded into the tree, and signs the tree only once it is committed.

Sealing is one transaction: whoever holds the write lock moves rows from the queue to the end of the tree and steps
the head by compare-and-swap. Signing is another, so that no checkpoint ever speaks of a tree that was rolled back;
a crash between the two leaves an unsigned checkpoint, which the next sealer signs with the same bytes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from consent.errors import ConsentError, ProofError
from consent.log import merkle, note, tables
from consent.log.checkpoint import Checkpoint
from consent.log.keyring import Keyring
from consent.log.record import canonical
from consent.log.store import Store
from consent.log.tiles import Tiles

BATCH: Final = 5_000
_CHUNK: Final = 500


class SigningError(ConsentError):
    """Signing the log's tree could show two histories, or its key is missing; nothing was signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """How far the tree goes."""

    size: int
    root: bytes
    sealed_at: int


def head(store: Store, connection: Connection) -> Head:
    """The committed head of the tree; size zero before the first seal."""
    size, tree, sealed_at = _read_head(store, connection)
    return Head(size=size, root=tree.root(), sealed_at=sealed_at)


def signed(store: Store, connection: Connection) -> tuple[int, str] | None:
    """Size and note of the newest signed checkpoint."""
    table = tables.checkpoint
    query = (
        select(table.c.size, table.c.note)
        .where(table.c.log_id == store.log_id, table.c.note.is_not(None))
        .order_by(table.c.size.desc())
        .limit(1)
    )
    row = connection.execute(query).first()
    return None if row is None else (row.size, row.note)


def tiles(store: Store, connection: Connection) -> Tiles:
    """The stored tiles of the log."""
    table = tables.tile

    def read(level: int, index: int) -> bytes:
        query = select(table.c.hashes).where(
            table.c.log_id == store.log_id, table.c.level == level, table.c.tile_index == index
        )
        hashes = connection.execute(query).scalar()
        return hashes if isinstance(hashes, bytes) else b""

    return Tiles(read)


def seal(store: Store, *, limit: int = BATCH) -> int:
    """Put at most ``limit`` waiting records into the tree in one transaction; how many there were."""
    unsealed, record = tables.unsealed, tables.record
    with store.transaction() as connection:
        _alone(store, connection)
        query = (
            select(unsealed.c.event_id, record.c.leaf, record.c.entry)
            .join(record, (record.c.log_id == unsealed.c.log_id) & (record.c.event_id == unsealed.c.event_id))
            .where(unsealed.c.log_id == store.log_id)
            .order_by(unsealed.c.received_at, unsealed.c.event_id)
            .limit(limit)
        )
        rows = connection.execute(query).all()
        if rows:
            _extend(store, connection, rows)
        return len(rows)


def sign(store: Store, keyring: Keyring) -> str | None:
    """Sign the newest checkpoint if it is not signed yet, and give the note.

    It takes the place of the day's earlier ones, but for those that an authority has stamped: more would tell at
    which time of the day a leaf was sealed.
    Raises :class:`SigningError` when the guard knows of a tree that this one does not continue, or when the key that
    signed before is gone.
    """
    table = tables.checkpoint
    newest = select(table).where(table.c.log_id == store.log_id).order_by(table.c.size.desc()).limit(1)
    with store.reading() as connection:
        row = connection.execute(newest).first()
    if row is None or row.note is not None:
        return None
    with store.transaction() as connection:
        _alone(store, connection)  # nobody else may sign, and move the guard, meanwhile
        row = connection.execute(newest).one()
        made = Checkpoint(store.origin, row.size, row.root)
        check_continues(store, connection, made, keyring.guard(store.origin))
        text = note.sign(made.text(), _signers(store, connection, made, keyring))
        keyring.keep(made)
        connection.execute(
            table.update().where(table.c.log_id == store.log_id, table.c.size == row.size).values(note=text)
        )
        anchored = select(tables.anchor.c.size).where(tables.anchor.c.log_id == store.log_id)
        connection.execute(
            table.delete().where(
                table.c.log_id == store.log_id,
                table.c.day == row.day,
                table.c.size < row.size,
                table.c.size.not_in(anchored),
            )
        )
    return text


def _alone(store: Store, connection: Connection) -> None:
    """Wait until no other process seals or signs this log, by the lock of its row; what was committed then shows."""
    connection.execute(select(tables.log.c.log_id).where(tables.log.c.log_id == store.log_id).with_for_update())


def _extend(store: Store, connection: Connection, rows: Sequence[Any]) -> None:
    size, tree, _ = _read_head(store, connection)
    stored = tiles(store, connection)
    stored.append(size, [row.leaf for row in rows])
    for row in rows:
        tree.append(row.leaf)
    now = store.now()
    _step_head(store, connection, size, tree, now)
    _place(store, connection, size, rows)
    _store_tiles(store, connection, stored)
    _checkpoint(store, connection, tree, now)
    _count(store, connection, rows)


def _read_head(store: Store, connection: Connection) -> tuple[int, merkle.CompactRange, int]:
    table = tables.head
    row = connection.execute(select(table).where(table.c.log_id == store.log_id)).first()
    if row is None:
        return 0, merkle.CompactRange(), 0
    return row.size, merkle.CompactRange.from_bytes(row.size, row.frontier), row.sealed_at


def _step_head(store: Store, connection: Connection, before: int, tree: merkle.CompactRange, now: datetime) -> None:
    """Move the head on from ``before``, or fail: where no lock holds, the second of two sealers must lose."""
    table = tables.head
    values = {"size": tree.size, "frontier": tree.to_bytes(), "sealed_at": int(now.timestamp() * 1_000_000)}
    if before == 0:
        connection.execute(table.insert().values(log_id=store.log_id, **values))
        return
    moved = connection.execute(
        table.update().where(table.c.log_id == store.log_id, table.c.size == before).values(**values)
    )
    if moved.rowcount != 1:
        raise ProofError("Another sealer moved the head of the tree.")


def _place(store: Store, connection: Connection, size: int, rows: Sequence[Any]) -> None:
    connection.execute(
        tables.leaf.insert(),
        [
            {"log_id": store.log_id, "leaf_index": size + number, "event_id": row.event_id}
            for number, row in enumerate(rows)
        ],
    )
    table, gone = tables.unsealed, 0
    for start in range(0, len(rows), _CHUNK):
        some = [row.event_id for row in rows[start : start + _CHUNK]]
        gone += connection.execute(
            table.delete().where(table.c.log_id == store.log_id, table.c.event_id.in_(some))
        ).rowcount
    if gone != len(rows):
        raise ProofError("Another sealer took rows from the queue.")


def _store_tiles(store: Store, connection: Connection, stored: Tiles) -> None:
    table = tables.tile
    for (level, index), hashes in stored.changed.items():
        where = (table.c.log_id == store.log_id, table.c.level == level, table.c.tile_index == index)
        if connection.execute(table.update().where(*where).values(hashes=hashes)).rowcount == 0:
            connection.execute(table.insert().values(log_id=store.log_id, level=level, tile_index=index, hashes=hashes))


def _checkpoint(store: Store, connection: Connection, tree: merkle.CompactRange, now: datetime) -> None:
    table, day = tables.checkpoint, now.astimezone(UTC).date().isoformat()
    connection.execute(table.delete().where(table.c.log_id == store.log_id, table.c.day == day, table.c.note.is_(None)))
    connection.execute(table.insert().values(log_id=store.log_id, size=tree.size, root=tree.root(), day=day))


def _count(store: Store, connection: Connection, rows: Sequence[Any]) -> None:
    """Add the entries to the counts of their days."""
    table = tables.daily
    counts = Counter(key for row in rows if (key := counted(row.entry)) is not None)
    for (day, event, choices), n in counts.items():
        where = (
            table.c.log_id == store.log_id,
            table.c.day == day,
            table.c.event == event,
            table.c.choices == choices,
        )
        if connection.execute(table.update().where(*where).values(n=table.c.n + n)).rowcount == 0:
            connection.execute(table.insert().values(log_id=store.log_id, day=day, event=event, choices=choices, n=n))


def parsed(entry: bytes) -> dict[str, Any]:
    """An entry, or what is kept of pruned ones, as data; raises ``ValueError``."""
    fields = json.loads(entry)
    if not isinstance(fields, dict):
        raise ValueError("an object is due")
    return fields


def counted(entry: bytes) -> tuple[str, str, str] | None:
    """Under which day, event and choices an entry is counted; ``None`` for one that is no decision."""
    fields = json.loads(entry)
    if "g" not in fields:
        return None
    return fields["d"], fields["k"], canonical({"g": fields["g"], "r": fields["r"]}).decode()


def check_continues(store: Store, connection: Connection, made: Checkpoint, guard: Checkpoint | None) -> None:
    """Check that a tree has the one that was signed before as its beginning, or raise :class:`SigningError`."""
    if guard is None:
        return
    try:
        proof = tiles(store, connection).consistency_proof(guard.size, made.size)
        merkle.verify_consistency(guard.size, made.size, guard.root, made.root, proof)
    except ProofError as error:
        raise SigningError(
            f"A tree of {guard.size} leaves was signed before, and this one of {made.size} does not continue it: "
            f"was an old backup restored? {error}"
        ) from error


def _signers(store: Store, connection: Connection, made: Checkpoint, keyring: Keyring) -> list[note.Signer]:
    """The log's newest key, made at the first signature, and before it those that still sign along."""
    table = tables.log_key
    query = select(table.c.vkey).where(table.c.log_id == store.log_id).order_by(table.c.first_size)
    known = list(connection.execute(query).scalars())
    held = {signer.vkey: signer for signer in keyring.signers(store.origin)}
    if not known:
        signer = next(iter(held.values()), None) or keyring.generate(store.origin)
        connection.execute(table.insert().values(log_id=store.log_id, vkey=signer.vkey, first_size=made.size))
        return [signer]
    if not held:
        raise SigningError(f"The signing key of {store.origin} is missing: {keyring.key_file}.")
    if known[-1] not in held:
        raise SigningError(f"The signing key in {keyring.key_file} is not the one that signed this log before.")
    until = overlap(store, connection) if len(known) > 1 else ""
    older = [held[vkey] for vkey in known[:-1] if vkey in held]
    if store.now().astimezone(UTC).date().isoformat() <= until:
        return [*older[-1:], held[known[-1]]]
    for signer in older:
        keyring.drop(signer)
    return [held[known[-1]]]


def overlap(store: Store, connection: Connection) -> str:
    """The last day on which the key that was replaced signs along, as its successor's leaf says."""
    record = tables.record
    query = (
        select(record.c.entry)
        .where(record.c.log_id == store.log_id, record.c.event == "key")
        .order_by(record.c.received_at.desc())
        .limit(1)
    )
    entry = connection.execute(query).scalar()
    return str(json.loads(entry)["until"]) if entry else ""
