"""Events of which only the number is kept, by day: in memory at first, then added up in the database.

A process that is killed loses what it counted in the last seconds; nothing that anybody was promised is in here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime
from threading import Lock
from typing import Final

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from consent.log import tables
from consent.log.store import Store

MOST_DETAILS: Final = 500  # kept apart for each kind of event, day and process; the rest counts under OTHERS
OTHERS: Final = "…"
Key = tuple[str, str, str]


class Tally:
    """What was counted and isn't written yet; safe to share among threads."""

    def __init__(self) -> None:
        self._counts: Counter[Key] = Counter()
        self._details: Counter[tuple[str, str]] = Counter()
        self._lock = Lock()

    def __bool__(self) -> bool:
        return bool(self._counts)

    def add(self, what: str, detail: str) -> None:
        """One more event of today (UTC)."""
        day = datetime.now(UTC).date().isoformat()
        what, detail = what[:20], detail[:300]
        with self._lock:
            if (day, what, detail) not in self._counts:
                if self._details[day, what] >= MOST_DETAILS:
                    detail = OTHERS
                else:
                    self._details[day, what] += 1
            self._counts[day, what, detail] += 1

    def take(self) -> Counter[Key]:
        """Everything that isn't written yet; whoever takes it writes it, or gives it back."""
        with self._lock:
            taken, self._counts = self._counts, Counter()
            if len(self._details) > 100:  # days that are over
                self._details.clear()
        return taken

    def give_back(self, counts: Mapping[Key, int]) -> None:
        """What could not be written after all."""
        with self._lock:
            self._counts.update(counts)


def write(store: Store, connection: Connection, counts: Mapping[Key, int]) -> None:
    """Add these numbers to those in the database, as part of a transaction."""
    rows = [
        {"log_id": store.log_id, "day": day, "what": what, "detail": detail, "n": n}
        for (day, what, detail), n in sorted(counts.items())
    ]
    if rows:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        new = dialect.insert(tables.tally)
        keys = [column.name for column in tables.tally.primary_key]
        more = new.on_conflict_do_update(index_elements=keys, set_={"n": tables.tally.c.n + new.excluded.n})
        connection.execute(more, rows)


def read(store: Store, what: str) -> list[tuple[date, str, int]]:
    """What was counted, by day and detail."""
    table = tables.tally
    query = select(table.c.day, table.c.detail, table.c.n).where(table.c.log_id == store.log_id, table.c.what == what)
    with store.reading() as connection:
        found = connection.execute(query.order_by(table.c.day, table.c.detail)).all()
    return [(date.fromisoformat(row.day), row.detail, row.n) for row in found]
