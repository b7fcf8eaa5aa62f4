"""Leaves that are no decisions: what was erased, reduced or pruned, and with which key the log goes on.

An announcement is an entry without a commitment, open for everyone to read; the verifier lets content be missing only
where one says so. Whatever it has the log do is done by whoever announces it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC
from typing import Any

from sqlalchemy import Connection

from consent.log import tables
from consent.log.merkle import leaf_hash
from consent.log.record import canonical
from consent.log.store import Store


def announce(store: Store, connection: Connection, kind: str, fields: Mapping[str, Any]) -> None:
    """Queue a leaf of this kind with its fields and the day; it is in the tree after the next seal."""
    now = store.now().astimezone(UTC)
    day = now.date().isoformat()
    entry = canonical({"v": 1, "s": store.origin, "k": kind, "d": day, **fields})
    key = {
        "log_id": store.log_id,
        "event_id": secrets.token_bytes(16),
        "received_at": int(now.timestamp() * 1_000_000),
    }
    connection.execute(tables.record.insert().values(**key, day=day, event=kind, entry=entry, leaf=leaf_hash(entry)))
    connection.execute(tables.unsealed.insert().values(**key))
