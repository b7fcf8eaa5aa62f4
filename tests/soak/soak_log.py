"""Rounds of killed writers and sealers on SQLite and PostgreSQL, as long as is asked for; every count is printed.

``python tests/soak/soak_log.py --seconds 300 [--seed 1] [--records 10000000]``: with ``--records`` a bundle of so many
records is verified as well, and how much memory that took is said. Exit code 1 if anything was lost or doubled.
"""

from __future__ import annotations

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "log"))
import log_postgres
from conftest import ARTEFACT, grant, put, refusal
from log_postgres import Cluster
from log_rounds import Tally, drawn, play

from consent.log import sealer
from consent.log.address import Address
from consent.log.bundle import write
from consent.log.keyring import Keyring
from consent.log.store import Store

ROUNDS_A_LOG = 20  # then a new one, so that a round's reckoning stays short


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


@contextmanager
def places() -> Iterator[dict[str, Cluster | None]]:
    """The databases that there are on this machine."""
    cluster = Cluster() if log_postgres.programs() else None
    try:
        yield {"SQLite": None, **({"PostgreSQL": cluster} if cluster else {})}
    finally:
        if cluster:
            cluster.remove()


def rounds(seconds: float, seed: int, folder: Path) -> bool:
    """Kill until the time is over; whether nothing was lost."""
    chance, good, number = random.Random(seed), True, 0
    with places() as databases:
        for name, cluster in databases.items():
            end, totals = time.monotonic() + seconds / len(databases), Tally()
            while time.monotonic() < end and good:
                number += 1
                place = folder / f"{name}{number}"
                place.mkdir()
                url = cluster.url(f"soak{number}", place) if cluster else f"sqlite:///{place}/consent.db"
                tally, acknowledged = Tally(), set[str]()
                for _ in range(ROUNDS_A_LOG):
                    play(url, tally, acknowledged, drawn(chance))
                    good = good and tally.good
                    if not good or time.monotonic() > end:
                        break
                totals.rounds += tally.rounds
                totals.kills += tally.kills
                totals.acknowledged += tally.acknowledged
                totals.unacknowledged += tally.unacknowledged
                totals.points.update(tally.points)
                if not good:
                    say(f"{name}, log {number}: {tally}")
            say(
                f"{name:<12}{totals.rounds} rounds, {totals.kills} kills, {totals.acknowledged} acknowledged, 0 lost, "
                f"0 doubled, dense, 0 bad roots; {totals.unacknowledged} recorded without having been acknowledged"
                if good
                else f"{name:<12}FAILED"
            )
            say("            " + ", ".join(f"{point} {n}" for point, n in sorted(totals.points.items()) if n))
    return good


MEASURE = (
    "import re, resource, sys, time\nsys.path.insert(0, '.')\nimport verify\nbegin = time.monotonic()\n"
    "report = verify.verify(sys.argv[1])\ntaken = time.monotonic() - begin\n"
    "own = int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])\n"
    "most = max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
    "print(report.good, report.records, round(report.records / taken), most // 1024)\n"
)


def audit(count: int, folder: Path) -> bool:
    """Record, seal and bundle so many decisions, and verify them with the bundle's own program."""
    path = folder / "large.db"
    store = Store(Address.of(f"sqlite:///{path}"))
    with store.transaction() as connection:
        store.archive(connection, [ARTEFACT])
    store._connection.exec_driver_sql("PRAGMA synchronous=OFF")  # this is about reading
    for done in range(0, count, 1000):
        put(store, *(grant() for _ in range(600)), *(refusal() for _ in range(400)))
        if done % 100_000 == 0:
            while sealer.seal(store):
                pass
            if sys.stderr.isatty():
                sys.stderr.write(f"\r{done} of {count} recorded ")
    while sealer.seal(store):
        pass
    sealer.sign(store, Keyring.of(str(path)))
    out = folder / "large.tar"
    write(store, out)
    store.close()
    subprocess.run(["tar", "-xf", out.name, "verify.py"], cwd=folder, check=True)
    said = subprocess.run(
        [sys.executable, "-c", MEASURE, out.name], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.split()
    good, records, speed, most = said
    say(f"Audit       {records} records, {int(speed):,} a second, at most {most} MB in one process; good: {good}")
    return good == "True"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--records", type=int, default=0)
    options = parser.parse_args()
    say(f"seed {options.seed}")
    with tempfile.TemporaryDirectory() as name:
        good = rounds(options.seconds, options.seed, Path(name)) if options.seconds else True
        if options.records:
            good = audit(options.records, Path(name)) and good
    say(f"Memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
