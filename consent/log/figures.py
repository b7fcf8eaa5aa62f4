"""How visitors answered, day by day, out of counts that the verifier recounts; no record is read for it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select

from consent.log import tables
from consent.log.store import Store

ALLOWING = ("granted", "partial", "signal_override")
REFUSING = ("refused",)
ENDING = ("withdrawn", "signal_opt_out", "expired", "objected")


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What was answered on one day, by event."""

    day: str
    events: Mapping[str, int]

    @property
    def allowed(self) -> int:
        """Answers that allowed something."""
        return sum(self.events.get(event, 0) for event in ALLOWING)

    @property
    def refused(self) -> int:
        """Answers that allowed nothing."""
        return sum(self.events.get(event, 0) for event in REFUSING)

    @property
    def ended(self) -> int:
        """Consents that came to an end."""
        return sum(self.events.get(event, 0) for event in ENDING)

    @property
    def rate(self) -> float | None:
        """The share of the answers that allowed something; ``None`` on a day without one."""
        answers = self.allowed + self.refused
        return self.allowed / answers if answers else None


def days(store: Store, *, first: date | None = None, last: date | None = None) -> list[Day]:
    """The days that have sealed records, oldest first."""
    table = tables.daily
    query = (
        select(table.c.day, table.c.event, func.sum(table.c.n).label("n"))
        .where(table.c.log_id == store.log_id, *_within(table.c.day, first, last))
        .group_by(table.c.day, table.c.event)
        .order_by(table.c.day)
    )
    found: dict[str, dict[str, int]] = {}
    with store.reading() as connection:
        for row in connection.execute(query):
            found.setdefault(row.day, {})[row.event] = int(row.n)
    return [Day(day=day, events=events) for day, events in found.items()]


def categories(store: Store, *, first: date | None = None, last: date | None = None) -> dict[str, tuple[int, int]]:
    """For each category how often it was allowed and how often refused."""
    table = tables.daily
    query = (
        select(table.c.choices, func.sum(table.c.n).label("n"))
        .where(
            table.c.log_id == store.log_id,
            table.c.event.in_((*ALLOWING, *REFUSING, "changed")),
            *_within(table.c.day, first, last),
        )
        .group_by(table.c.choices)
    )
    granted, refused = Counter[str](), Counter[str]()
    with store.reading() as connection:
        for row in connection.execute(query):
            choices = json.loads(row.choices)
            for key in choices["g"]:
                granted[key] += int(row.n)
            for key in choices["r"]:
                refused[key] += int(row.n)
    return {key: (granted[key], refused[key]) for key in sorted({*granted, *refused})}


def _within(column: Any, first: date | None, last: date | None) -> list[Any]:
    return [
        *([column >= first.isoformat()] if first is not None else []),
        *([column <= last.isoformat()] if last is not None else []),
    ]
