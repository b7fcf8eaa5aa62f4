"""Ends what has been kept long enough (GDPR Art. 5(1)(e)): whole records, and before them the content of refusals.

Both are announced in the tree first, and done only when the announcement is sealed and signed, so that at no moment
content is missing without a leaf that says why. What is left over from an interrupted run is done by the next.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, func, select

from consent.log import sealer, tables
from consent.log.announcement import announce
from consent.log.erase import forget
from consent.log.extract import carried
from consent.log.keyring import Keyring
from consent.log.record import canonical
from consent.log.store import Store
from consent.log.tiles import WIDTH

REDUCED: Final = ("refused",)  # events whose content ends early; what a receipt belongs to is kept with it
_STEP: Final = 16 * WIDTH  # leaves that one transaction takes: the site goes on recording in between


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What came of it: leaves taken away at the beginning, refusals reduced to counts, notices nobody cites."""

    leaves: int = 0
    refusals: int = 0
    artefacts: int = 0


def prune(
    store: Store,
    keyring: Keyring,
    *,
    before: date | None = None,
    refusals_before: date | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Pruned:
    """Take away whole tiles of records from before a day, and what refusals from before another day said.

    A tile with one younger record stays. Raises :class:`~consent.log.sealer.SigningError` where the log can't be
    signed, and :class:`~consent.log.erase.EraseError` where copies of what is gone could not be removed yet.
    """
    _signed(store, keyring)
    refusals = _reduce(store, keyring, refusals_before) if refusals_before is not None else 0
    leaves = _cut(store, keyring, before, progress) if before is not None else 0
    artefacts = _uncited(store, before) if before is not None else 0
    forget(store)
    return Pruned(leaves=leaves, refusals=refusals, artefacts=artefacts)


def due(store: Store, *, before: date | None = None, refusals_before: date | None = None) -> Pruned:
    """What :func:`prune` would do now, as far as it is sealed; notices are not counted."""
    with store.reading() as connection:
        leaves = 0
        if before is not None:
            leaves = max(0, _boundary(store, connection, before) - _begun(store, connection))
        refusals = 0
        if refusals_before is not None:
            query = select(func.count()).select_from(tables.record).where(*_refusals(store, refusals_before))
            refusals = connection.execute(query).scalar_one()
    return Pruned(leaves=leaves, refusals=refusals)


def _signed(store: Store, keyring: Keyring) -> None:
    while sealer.seal(store):
        pass
    sealer.sign(store, keyring)


def _refusals(store: Store, until: date) -> tuple[Any, ...]:
    """Which records a reduction takes: sealed ones alone, since an announcement speaks of the leaves before it."""
    record, unsealed = tables.record, tables.unsealed
    waiting = select(unsealed.c.event_id).where(unsealed.c.log_id == store.log_id)
    return (
        record.c.log_id == store.log_id,
        record.c.event.in_(REDUCED),
        record.c.day < until.isoformat(),
        record.c.payload.is_not(None),
        record.c.event_id.not_in(waiting),
    )


def _reduce(store: Store, keyring: Keyring, until: date) -> int:
    with store.transaction() as connection:
        query = select(func.count()).select_from(tables.record).where(*_refusals(store, until))
        if not connection.execute(query).scalar_one():
            return 0
        announce(store, connection, "retention", {"until": until.isoformat(), "e": list(REDUCED)})
    _signed(store, keyring)
    reduced = 0
    while True:
        with store.transaction() as connection:
            some = select(tables.record.c.event_id).where(*_refusals(store, until)).limit(_STEP)
            gone = connection.execute(
                tables.record.update()
                .where(tables.record.c.log_id == store.log_id, tables.record.c.event_id.in_(some))
                .values(payload=None, salt=None)
            ).rowcount
        reduced += gone
        if not gone:
            return reduced


def _cut(store: Store, keyring: Keyring, before: date, progress: Callable[[int, int], None] | None) -> int:
    with store.reading() as connection:
        begun, end = _begun(store, connection), _boundary(store, connection, before)
        kept = _kept(store, connection, begun, end) if end > begun else b""
    if end > begun:
        with store.transaction() as connection:
            digest = b64encode(hashlib.sha256(kept).digest()).decode()
            announce(store, connection, "prune", {"to": end, "h": digest})
        _signed(store, keyring)
        with store.transaction() as connection:
            table = tables.pruned
            where = table.c.log_id == store.log_id
            if connection.execute(table.update().where(where).values(size=end, kept=kept)).rowcount == 0:
                connection.execute(table.insert().values(log_id=store.log_id, size=end, kept=kept))
    for done in _away(store, max(begun, end)):
        if progress is not None:
            progress(done, max(begun, end))
    return max(0, end - begun)


def _begun(store: Store, connection: Connection) -> int:
    table = tables.pruned
    return connection.execute(select(table.c.size).where(table.c.log_id == store.log_id)).scalar() or 0


def _boundary(store: Store, connection: Connection, before: date) -> int:
    """How many leaves of whole tiles at the beginning are all from before that day, and signed."""
    leaf, record, checkpoint = tables.leaf, tables.record, tables.checkpoint
    young = (
        select(func.min(leaf.c.leaf_index))
        .join(record, (record.c.log_id == leaf.c.log_id) & (record.c.event_id == leaf.c.event_id))
        .where(leaf.c.log_id == store.log_id, record.c.day >= before.isoformat())
    )
    signed = select(func.max(checkpoint.c.size)).where(
        checkpoint.c.log_id == store.log_id, checkpoint.c.note.is_not(None)
    )
    size = connection.execute(signed).scalar() or 0
    first = connection.execute(young).scalar()
    return int(min(size, size if first is None else first)) // WIDTH * WIDTH


def _kept(store: Store, connection: Connection, begun: int, end: int) -> bytes:
    """What stays of the leaves before ``end``: their counts by day, and the keys that they announced."""
    before = sealer.parsed(carried(store, connection))
    counts = Counter({(day, event, choices): n for day, event, choices, n in before.get("daily", ())})
    keys = list(before.get("keys", ()))
    leaf, record = tables.leaf, tables.record
    query = (
        select(record.c.entry)
        .join_from(leaf, record, (record.c.log_id == leaf.c.log_id) & (record.c.event_id == leaf.c.event_id))
        .where(leaf.c.log_id == store.log_id, leaf.c.leaf_index >= begun, leaf.c.leaf_index < end)
        .order_by(leaf.c.leaf_index)
        .execution_options(yield_per=1000)
    )
    for entry in connection.execute(query).scalars():
        key = sealer.counted(entry)
        if key is not None:
            counts[key] += 1
        elif (fields := sealer.parsed(entry))["k"] == "key":
            keys.append(fields["vkey"])
    return canonical({"daily": sorted([*key, n] for key, n in counts.items()), "keys": keys})


def _away(store: Store, end: int) -> Iterator[int]:
    """Take away records, leaves and tiles before ``end``, step by step; yields how far it is."""
    leaf, record, tile, checkpoint = tables.leaf, tables.record, tables.tile, tables.checkpoint
    with store.reading() as connection:
        start = connection.execute(select(func.min(leaf.c.leaf_index)).where(leaf.c.log_id == store.log_id)).scalar()
        sizes = connection.execute(select(checkpoint.c.size).where(checkpoint.c.log_id == store.log_id)).scalars()
        edges = {size // WIDTH for size in sizes if size % WIDTH}  # a checkpoint ends in them: proofs need them
    for first in range(end if start is None else start, end, _STEP):
        last = min(end, first + _STEP)
        with store.transaction() as connection:
            here = (leaf.c.log_id == store.log_id, leaf.c.leaf_index >= first, leaf.c.leaf_index < last)
            ids = select(leaf.c.event_id).where(*here)
            connection.execute(record.delete().where(record.c.log_id == store.log_id, record.c.event_id.in_(ids)))
            connection.execute(leaf.delete().where(*here))
            connection.execute(
                tile.delete().where(
                    tile.c.log_id == store.log_id,
                    tile.c.level == 0,
                    tile.c.tile_index.in_([n for n in range(first // WIDTH, last // WIDTH) if n not in edges]),
                )
            )
        yield last


def _uncited(store: Store, before: date) -> int:
    """Take away notices from before that day which no record cites."""
    artefact, record = tables.artefact, tables.record
    cited = select(record.c.artefact).where(record.c.log_id == store.log_id, record.c.artefact.is_not(None))
    with store.transaction() as connection:
        return connection.execute(
            artefact.delete().where(
                artefact.c.log_id == store.log_id,
                artefact.c.archived_on < before.isoformat(),
                artefact.c.digest.not_in(cited),
            )
        ).rowcount
