"""Erases what is personal about one receipt, and leaves the tree as it was (GDPR Art. 17).

Content, salt, receipt and record id go; the public entry stays, which has a commitment that nobody can open without
the salt, and the day. A new leaf says which leaves were erased, so that nothing can be hidden by calling it erased.
"""

from __future__ import annotations

import secrets
from typing import Any, Final

from sqlalchemy import Connection, select

from consent.errors import ConsentError
from consent.log import sealer, tables
from consent.log.announcement import announce
from consent.log.store import Store

BASIS: Final = "GDPR Art. 17"
_DAY: Final = 86_400_000_000  # microseconds


class EraseError(ConsentError):
    """What was to be erased is gone from the records, but may still be found in the database's files."""


def erase(store: Store, receipt: bytes) -> list[int]:
    """Erase every record of the receipt in one transaction; the leaves that it was about, none if there are none.

    Raises :class:`EraseError` when another process reads so long that the write-ahead log can't be emptied: then
    :func:`forget` has to be called again. Backups, and copies that others have, can't be erased from here.
    """
    while sealer.seal(store):
        pass  # a leaf is named by its index, which a record has only once it is sealed
    with store.transaction() as connection:
        rows = _rows(store, connection, receipt)
        for row in rows:
            _blank(store, connection, row)
        if rows:
            announce(store, connection, "erasure", {"i": [row.leaf_index for row in rows], "b": BASIS})
    if rows:
        sealer.seal(store)
    forget(store)
    return [row.leaf_index for row in rows]


def forget(store: Store) -> None:
    """Remove earlier versions of what was erased from the database's files; raises :class:`EraseError`."""
    with store.reading() as connection:
        scrubbed = store.database.scrub(connection)
    if not scrubbed:
        raise EraseError("The records are erased, but another process keeps the write-ahead log busy: erase once more.")


def _rows(store: Store, connection: Connection, receipt: bytes) -> list[Any]:
    record, leaf = tables.record, tables.leaf
    query = (
        select(record.c.event_id, record.c.received_at, leaf.c.leaf_index)
        .join(leaf, (record.c.log_id == leaf.c.log_id) & (record.c.event_id == leaf.c.event_id))
        .where(record.c.log_id == store.log_id, record.c.receipt == receipt)
        .order_by(leaf.c.leaf_index)
    )
    return list(connection.execute(query))


def _blank(store: Store, connection: Connection, row: Any) -> None:
    surrogate = secrets.token_bytes(16)  # ties the leaf to its entry, and to nothing else
    for table, values in (
        (
            tables.record,
            {"payload": None, "salt": None, "receipt": None, "received_at": row.received_at // _DAY * _DAY},
        ),
        (tables.leaf, {}),
    ):
        connection.execute(
            table.update()
            .where(table.c.log_id == store.log_id, table.c.event_id == row.event_id)
            .values(event_id=surrogate, **values)
        )
