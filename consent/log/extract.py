"""What a bundle takes from the database: signed checkpoints, anchors, records, what was shown and counted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from sqlalchemy import Connection, Select, func, select

from consent.errors import ConsentError
from consent.log import tables
from consent.log.store import Store
from consent.log.tiles import WIDTH


class BundleError(ConsentError):
    """There is nothing to put into a bundle."""


def notes(store: Store, connection: Connection) -> dict[int, str]:
    """The signed checkpoints, by the size of their tree."""
    table = tables.checkpoint
    query = select(table.c.size, table.c.note).where(table.c.log_id == store.log_id, table.c.note.is_not(None))
    return {row.size: row.note for row in connection.execute(query)}


def anchors(store: Store, connection: Connection) -> list[Any]:
    """What others have attested of checkpoints, by size and authority."""
    table = tables.anchor
    query = select(table).where(table.c.log_id == store.log_id).order_by(table.c.size, table.c.authority)
    return list(connection.execute(query))


def pruned(store: Store, connection: Connection) -> int:
    """How many leaves at the beginning of the log are pruned."""
    query = select(tables.pruned.c.size).where(tables.pruned.c.log_id == store.log_id)
    return connection.execute(query).scalar() or 0


def carried(store: Store, connection: Connection) -> bytes:
    """What is kept of pruned leaves, as the prune leaf commits to it."""
    query = select(tables.pruned.c.kept).where(tables.pruned.c.log_id == store.log_id)
    return as_bytes(connection.execute(query).scalar() or b"{}")


def leaves_of(store: Store, connection: Connection, days: tuple[date, date], size: int, pruned: int) -> tuple[int, int]:
    """The whole tiles that hold every sealed record of these days."""
    record, leaf = tables.record, tables.leaf
    query = (
        select(func.min(leaf.c.leaf_index), func.max(leaf.c.leaf_index))
        .join(record, (record.c.log_id == leaf.c.log_id) & (record.c.event_id == leaf.c.event_id))
        .where(
            record.c.log_id == store.log_id,
            record.c.day.between(days[0].isoformat(), days[1].isoformat()),
            leaf.c.leaf_index < size,
        )
    )
    low, high = connection.execute(query).one()
    if low is None:
        raise BundleError(f"The log has no sealed record of the days {days[0]} to {days[1]}.")
    return max(pruned, low // WIDTH * WIDTH), min(size, (high // WIDTH + 1) * WIDTH)


def records() -> Select[Any]:
    """Leaves with their records."""
    record, leaf = tables.record, tables.leaf
    return select(
        leaf.c.leaf_index, record.c.entry, record.c.payload, record.c.salt, record.c.artefact, record.c.leaf
    ).join_from(leaf, record, (record.c.log_id == leaf.c.log_id) & (record.c.event_id == leaf.c.event_id), isouter=True)


def rows(store: Store, connection: Connection, indices: range) -> Iterator[tuple[int, Any]]:
    """Each leaf's index with its record, or ``None`` where the database has none."""
    leaf, expected = tables.leaf, indices.start
    query = (
        records()
        .where(
            leaf.c.log_id == store.log_id,
            leaf.c.leaf_index >= indices.start,
            leaf.c.leaf_index < indices.stop,
        )
        .order_by(leaf.c.leaf_index)
        .execution_options(yield_per=1000)
    )
    for row in connection.execute(query):
        while expected < row.leaf_index:
            yield expected, None
            expected += 1
        yield expected, row
        expected += 1
    for index in range(expected, indices.stop):
        yield index, None


def daily(store: Store, connection: Connection) -> list[list[Any]]:
    """The counts as the log keeps them, for the verifier to count again."""
    table = tables.daily
    query = select(table.c.day, table.c.event, table.c.choices, table.c.n).where(table.c.log_id == store.log_id)
    return sorted(list(row) for row in connection.execute(query))


def artefact(store: Store, connection: Connection, digest: bytes) -> bytes | None:
    """What was shown, as it was archived."""
    table = tables.artefact
    query = select(table.c.content).where(table.c.log_id == store.log_id, table.c.digest == digest)
    content = connection.execute(query).scalar()
    return None if content is None else as_bytes(content)


def as_bytes(value: bytes | str) -> bytes:
    """What a column of bytes holds: SQLite lets whoever edits it put a text there, and that is evidence too."""
    return value.encode() if isinstance(value, str) else bytes(value)
