"""How a log is doing: what waits where, whether it is signed, and whether all that was posted was recorded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, func, select

from consent.errors import ConsentError
from consent.log import sealer, spool, tables, tally, verifier
from consent.log.checkpoint import Checkpoint
from consent.log.keyring import Keyring
from consent.log.store import Store

MERGE_SECONDS: Final = 60  # the longest that a record may wait to be sealed
GAP_DAYS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What there is to see; ``findings`` say in sentences what somebody should look at."""

    origin: str
    size: int
    signed: int
    sealed_at: datetime | None
    waiting: int
    lag: float
    guard: int | None
    spooled: int
    spool_bytes: int
    refused: int
    anchored: int
    pruned: int
    gaps: dict[str, int]
    findings: list[str]


def status(store: Store, keyring: Keyring, *, today: date | None = None) -> Status:
    """Look at the log, its keys and its spool; changes nothing. ``lag`` is in seconds."""
    now = store.now().astimezone(UTC)
    since = (today or now.date()) - timedelta(days=GAP_DAYS)
    with store.reading() as connection:
        head = sealer.head(store, connection)
        waiting, lag = _queue(store, connection, now)
        record = tables.record
        table = tables.checkpoint
        signed = connection.execute(
            select(func.max(table.c.size)).where(table.c.log_id == store.log_id, table.c.note.is_not(None))
        ).scalar()
        anchored = connection.execute(
            select(func.max(tables.anchor.c.size)).where(tables.anchor.c.log_id == store.log_id)
        ).scalar()
        pruned = connection.execute(select(tables.pruned.c.size).where(tables.pruned.c.log_id == store.log_id)).scalar()
        query = (
            select(record.c.day, func.count().label("n"))
            .where(
                record.c.log_id == store.log_id,
                record.c.day >= since.isoformat(),
                record.c.event.not_in(verifier.SPECIAL),
            )
            .group_by(record.c.day)
        )
        recorded = {row.day: row.n for row in connection.execute(query)}
    files = spool.waiting(store.address.spool) if store.address.spool else []
    gaps = _gaps(store, recorded, since)
    guard, trouble = _guarded(store, keyring, head)
    found = Status(
        origin=store.origin,
        size=head.size,
        signed=signed or 0,
        sealed_at=datetime.fromtimestamp(head.sealed_at / 1_000_000, UTC) if head.sealed_at else None,
        waiting=waiting,
        lag=lag,
        guard=guard,
        spooled=sum(len(each.items) for each in files),
        spool_bytes=sum(each.end for each in files),
        refused=spool.refused(store.address.spool) if store.address.spool else 0,
        anchored=anchored or 0,
        pruned=pruned or 0,
        gaps=gaps,
        findings=trouble,
    )
    found.findings.extend(_findings(found))
    return found


def _queue(store: Store, connection: Connection, now: datetime) -> tuple[int, float]:
    """How many records wait to be sealed, and for how many seconds at least.

    Those without a receipt are stored with their day alone, so they are known to wait only when that day is over.
    """
    unsealed, record = tables.unsealed, tables.record
    joined = (record.c.log_id == unsealed.c.log_id) & (record.c.event_id == unsealed.c.event_id)
    query = (
        select(record.c.receipt.is_not(None).label("exact"), func.count(), func.min(unsealed.c.received_at))
        .join_from(unsealed, record, joined)
        .where(unsealed.c.log_id == store.log_id)
        .group_by(record.c.receipt.is_not(None))
    )
    waiting, lag = 0, 0.0
    for exact, count, oldest in connection.execute(query):
        waiting += count
        lag = max(lag, now.timestamp() - oldest / 1_000_000 - (0 if exact else 86_400))
    return waiting, lag


def _findings(found: Status) -> list[str]:
    sentences = [
        (found.spooled, f"{found.spooled} records wait in the spool: the database could not be used."),
        (found.refused, f"{found.refused} records were refused by the database, and lie in the spool for a person."),
        (found.lag > MERGE_SECONDS, f"Records wait to be sealed for {found.lag:.0f} seconds: does a sealer run?"),
        (found.signed < found.size, f"{found.size - found.signed} sealed leaves are not signed."),
        (
            found.gaps,
            f"{sum(found.gaps.values())} answers were posted and not recorded, on {', '.join(found.gaps)}.",
        ),
    ]
    return [sentence for true, sentence in sentences if true]


def _gaps(store: Store, recorded: dict[str, int], since: date) -> dict[str, int]:
    """By day, how many more answers were posted than recorded; those that were repeated have no record on purpose."""
    posted: dict[str, int] = {}
    for what, sign in (("posted", 1), ("repeated", -1)):
        for day, _, n in tally.read(store, what):
            if day >= since:
                posted[day.isoformat()] = posted.get(day.isoformat(), 0) + sign * n
    missing = {day: n - recorded.get(day, 0) for day, n in sorted(posted.items())}
    return {day: n for day, n in missing.items() if n > 0}


def _guarded(store: Store, keyring: Keyring, head: sealer.Head) -> tuple[int | None, list[str]]:
    """How far the guard knows the log to be signed, and what is wrong with that."""
    try:
        guard = keyring.guard(store.origin)
        if guard is None:
            return None, []
        with store.reading() as connection:
            sealer.check_continues(store, connection, Checkpoint(store.origin, head.size, head.root), guard)
    except (ConsentError, OSError) as error:
        return None, [f"The guard: {error}"]
    return guard.size, []
