"""Rounds in which several writers and sealers are killed somewhere, and what must be true after each."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from conftest import refusal
from log_victim import SEAL_POINTS, WRITE_POINTS
from sqlalchemy import select

from consent.log import merkle, open_recorder, sealer, tables, verifier
from consent.log.address import Address
from consent.log.bundle import write
from consent.log.keyring import Keyring
from consent.log.spool import waiting
from consent.log.store import Store

VICTIM = Path(__file__).with_name("log_victim.py")
CLOCKS = (0, 0, -1, 24)  # hours


@dataclass
class Tally:
    """What all rounds came to."""

    rounds: int = 0
    kills: int = 0
    acknowledged: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: int = 0
    holes: int = 0
    bad_roots: int = 0
    left_over: int = 0
    unacknowledged: int = 0
    points: Counter[str] = field(default_factory=Counter)

    @property
    def good(self) -> bool:
        return not (self.lost or self.doubled or self.holes or self.bad_roots or self.left_over)


def victim(role: str, url: str, point: str, nth: int, *, hours: float = 0, count: int = 25) -> subprocess.Popen[str]:
    """Start a process that is killed when it comes to the point for the nth time."""
    return subprocess.Popen(
        [sys.executable, str(VICTIM), role, url, point, str(nth), str(hours), str(count)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def play(url: str, tally: Tally, acknowledged: set[str], cast: list[tuple[str, str, int, float]]) -> None:
    """One round with these processes (role, point, nth, hours), and the reckoning."""
    processes = [victim(role, url, point, nth, hours=hours) for role, point, nth, hours in cast]
    for process, (role, point, _, _) in zip(processes, cast, strict=True):
        said, errors = process.communicate(timeout=120)
        killed = process.returncode == -9
        if process.returncode not in (0, -9):
            raise AssertionError(f"{role} at {point} ended with {process.returncode}:\n{errors}")
        tally.kills += killed
        tally.points[point] += killed
        if role == "write":
            acknowledged |= {line for line in said.split() if line != "end"}
    tally.rounds += 1
    reckon(url, tally, acknowledged)


def reckon(url: str, tally: Tally, acknowledged: set[str]) -> None:
    """Hand over what was spooled, seal, and compare the log with what was acknowledged."""
    with closing(open_recorder(url)) as log:
        log.record(last := refusal(artefact=""), timeout=30)
    acknowledged.add(last.record_id)
    address = Address.of(url)
    with closing(Store(address, wait=20)) as store:
        while sealer.seal(store):
            pass
        sealer.sign(store, Keyring.of(address.keys))
        with store.reading() as connection:
            ids = [str(UUID(bytes=row.event_id)) for row in connection.execute(
                select(tables.record.c.event_id).where(tables.record.c.log_id == store.log_id)
            )]  # fmt: skip
            rows = connection.execute(
                select(tables.leaf.c.leaf_index, tables.record.c.leaf)
                .join(
                    tables.record,
                    (tables.record.c.log_id == tables.leaf.c.log_id)
                    & (tables.record.c.event_id == tables.leaf.c.event_id),
                )
                .where(tables.leaf.c.log_id == store.log_id)
                .order_by(tables.leaf.c.leaf_index)
            ).all()
            head = sealer.head(store, connection)
        out = Path(address.keys).with_suffix(".tar")
        write(store, out)
    spooled = sum(len(found.items) for found in waiting(address.spool))
    tally.acknowledged = len(acknowledged)
    tally.lost = sorted(acknowledged - set(ids))
    tally.doubled = len(ids) - len(set(ids))
    tally.holes = sum(index != row.leaf_index for index, row in enumerate(rows)) + abs(len(rows) - len(ids))
    tally.bad_roots = int(merkle.root([row.leaf for row in rows]) != head.root)
    tally.bad_roots += not verifier.verify(str(out)).good
    tally.left_over = spooled
    tally.unacknowledged = len(set(ids) - acknowledged)


def drawn(chance: random.Random, writers: int = 4, sealers: int = 2) -> list[tuple[str, str, int, float]]:
    """The cast of a random round."""
    return [
        *(
            ("write", chance.choice(WRITE_POINTS), chance.randrange(1, 40), chance.choice(CLOCKS))
            for _ in range(writers)
        ),
        *(("seal", chance.choice(SEAL_POINTS), chance.randrange(1, 6), 0.0) for _ in range(sealers)),
    ]
