"""How fast the consent log is, measured in one run on this machine: ``python tests/bench/bench_log.py``.

Ratios within a run say more than the figures do. The emulated disk adds 4 ms to each commit, as a disk does that
really waits; a caller is a thread that records one decision after another and waits for each.
"""

from __future__ import annotations

import json
import multiprocessing
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "log"))
import log_postgres
from conftest import ARTEFACT, grant

from consent.decision import Decision
from consent.log import figures, merkle, open_recorder, sealer, tables, verifier
from consent.log.address import Address
from consent.log.bundle import write
from consent.log.keyring import Keyring
from consent.log.record import Draft
from consent.log.store import Store

SLOW = 0.004  # seconds that an emulated commit takes longer


def timed(action: Callable[[], object]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def line(what: str, figure: str) -> None:
    print(f"{what:<66}{figure:>22}", flush=True)  # noqa: T201


@contextmanager
def slow_commits() -> Iterator[None]:
    """Every write transaction takes 4 ms longer, while its lock is held."""
    transaction = Store.transaction

    @contextmanager
    def slower(self: Store) -> Iterator[Any]:
        with transaction(self) as connection:
            yield connection
            time.sleep(SLOW)

    Store.transaction = slower  # type: ignore[method-assign]
    try:
        yield
    finally:
        Store.transaction = transaction  # type: ignore[method-assign]


def callers(folder: Path, count: int, each: int) -> tuple[float, list[float]]:
    """Decisions a second, and how long each waited, with so many callers."""
    log = open_recorder(f"sqlite:///{folder}/callers{count}.db?seal=off")
    log.archive(ARTEFACT)
    work, waits = [[grant() for _ in range(each)] for _ in range(count)], list[float]()

    def call(decisions: list[Decision]) -> None:
        for decision in decisions:
            waits.append(timed(lambda decision=decision: log.record(decision, timeout=30)))  # type: ignore[misc]

    threads = [threading.Thread(target=call, args=(decisions,)) for decisions in work]
    taken = timed(lambda: ([thread.start() for thread in threads], [thread.join() for thread in threads]))
    log.close()
    return count * each / taken, sorted(waits)


def percentile(waits: list[float], share: float) -> str:
    return f"{waits[min(len(waits) - 1, int(len(waits) * share))] * 1000:.1f} ms"


def recording(folder: Path) -> None:
    drafts = [grant() for _ in range(2000)]
    taken = statistics.median(timed(lambda decision=decision: Draft.of(decision)) for decision in drafts)  # type: ignore[misc]
    line("In the caller's thread, before it waits (schema check), median", f"{taken * 1e6:.0f} us")
    for name, slow in (("this disk", False), ("4 ms more a commit", True)):
        with tempfile.TemporaryDirectory(dir=folder) as place:
            if slow:
                with slow_commits():
                    one, waits = callers(Path(place), 1, 100)
                    many, crowded = callers(Path(place), 128, 30)
            else:
                one, waits = callers(Path(place), 1, 300)
                many, crowded = callers(Path(place), 128, 30)
        line(f"One caller, {name}: decisions a second", f"{one:,.0f}")
        line(f"One caller, {name}: wait, median / p99", f"{percentile(waits, 0.5)} / {percentile(waits, 0.99)}")
        line(f"128 callers, {name}: decisions a second", f"{many:,.0f} ({many / one:.1f} x)")
        line(f"128 callers, {name}: wait, median / p99", f"{percentile(crowded, 0.5)} / {percentile(crowded, 0.99)}")


def tree() -> None:
    leaves = [merkle.leaf_hash(number.to_bytes(8, "big")) for number in range(200_000)]
    grown = merkle.CompactRange()
    ours = len(leaves) / timed(lambda: [grown.append(e) for e in leaves])
    line("Appending to the tree, leaves a second", f"{ours:,.0f}")
    try:
        from pymerkle import InmemoryTree
    except ImportError:
        line("pymerkle, the same", "not installed")
    else:
        theirs = InmemoryTree(algorithm="sha256")
        some = [number.to_bytes(8, "big") for number in range(20_000)]
        speed = len(some) / timed(lambda: [theirs.append_entry(each) for each in some])
        line("pymerkle, 20,000 in memory (ours / theirs)", f"{speed:,.0f} ({ours / speed:.0f} x)")
    proof = merkle.inclusion_proof(12_345, leaves)
    root = grown.root()
    check = timed(
        lambda: [merkle.verify_inclusion(12_345, len(leaves), leaves[12_345], proof, root) for _ in range(5000)]
    )
    line("Verifying one inclusion proof among 200,000", f"{check / 5000 * 1e6:.1f} us")


def sealing(folder: Path, count: int) -> None:
    path = folder / "sealing.db"
    store = Store(Address.of(f"sqlite:///{path}"))
    filled(store, count, "SQLite")
    sealer.sign(store, Keyring.of(str(path)))
    out = folder / "bundle.tar"
    line("Writing a bundle, records a second", f"{count / timed(lambda: write(store, out)):,.0f}")
    for processes in (1, 2):
        taken = timed(lambda processes=processes: verifier.verify(str(out), processes=processes))  # type: ignore[misc]
        line(f"Verifying it, records a second, {processes} process{'es' * (processes > 1)}", f"{count / taken:,.0f}")
    store.close()


def filled(store: Store, count: int, name: str) -> None:
    """Record so many decisions and seal them, with the figures of both."""
    with store.transaction() as connection:
        store.archive(connection, [ARTEFACT])
    batches = [[Draft.of(grant()) for _ in range(500)] for _ in range(count // 500)]

    def record() -> None:
        for batch in batches:
            with store.transaction() as connection:
                store.append(connection, batch, {})

    line(f"{name}, in transactions of 500, decisions a second", f"{count / timed(record):,.0f}")
    before = used(store)

    def seal() -> None:
        while sealer.seal(store):
            pass

    line(f"{name}, sealing a backlog of {count:,}, leaves a second", f"{count / timed(seal):,.0f}")
    with store.reading() as connection:
        tiles = connection.exec_driver_sql("SELECT SUM(LENGTH(hashes)) FROM tile").scalar() or 0
    line(f"{name}, hashes of the tree, bytes a leaf", f"{float(tiles) / count:.1f}")
    if before:
        line(f"{name}, what sealing adds with the leaf table, bytes a leaf", f"{(used(store) - before) / count:.0f}")
        line(f"{name}, all, bytes a decision", f"{used(store) / count:.0f}")


def rollup(folder: Path) -> None:
    """A year's rates, out of as many rows as ten million decisions leave: the counts of days don't grow with them."""
    store = Store(Address.of(f"sqlite:///{folder}/rollup.db"))
    day = date(2025, 1, 1)
    rows = [
        {
            "log_id": store.log_id, "day": (day + timedelta(days=number // 12)).isoformat(),
            "event": ("granted", "partial", "refused", "withdrawn")[number % 4], "n": 2283,
            "choices": json.dumps({"g": ["video", "analytics", "donations"][: number % 3 + 1], "r": []}),
        }
        for number in range(365 * 12)
    ]  # fmt: skip
    with store.transaction() as connection:
        connection.execute(tables.daily.insert(), rows)
    taken = statistics.median(timed(lambda: figures.days(store)) for _ in range(9))
    total = sum(sum(each.events.values()) for each in figures.days(store))
    line(f"A year's rates by day, of {total:,} decisions", f"{taken * 1000:.1f} ms")
    store.close()


def postgresql(folder: Path, count: int) -> None:
    """16 writers beside a hash chain computed at insert; a backlog; how long sealing takes at 1,000 a second."""
    if log_postgres.programs() is None:
        line("PostgreSQL", "not installed")
        return
    cluster = log_postgres.Cluster()
    try:
        url = cluster.url("bench", folder)
        store = Store(Address.of(url))
        with store.transaction() as connection:
            store.archive(connection, [ARTEFACT])
            connection.exec_driver_sql("CREATE TABLE chain (n serial PRIMARY KEY, hash bytea)")
        plain, chained = crowd(url, 200, False), crowd(url, 25, True)
        line("PostgreSQL, 16 writers in 4 processes, decisions a second", f"{plain:,.0f}")
        line("The same with a hash chain at insert (ours / chain)", f"{chained:,.0f} ({plain / chained:.1f} x)")
        other = Store(Address.of(url.replace("origin=news.example", "origin=backlog.example")))
        filled(other, count, "PostgreSQL")
        other.close()
        lags(url, store)
        store.close()
    finally:
        cluster.remove()


def crowd(url: str, each: int, chain: bool) -> float:
    """Decisions a second of 16 writers in four processes: as the recorder writes, or chained as each is inserted."""
    begin = multiprocessing.get_context("spawn").Barrier(5)
    processes = [
        multiprocessing.get_context("spawn").Process(target=_four, args=(url, each, chain, begin)) for _ in range(4)
    ]
    for process in processes:
        process.start()
    begin.wait(60)
    taken = timed(lambda: [process.join() for process in processes])
    if any(process.exitcode for process in processes):
        raise RuntimeError("a writer has failed")
    return 16 * each / taken


def _four(url: str, each: int, chain: bool, begin: Any) -> None:
    work = [[grant() for _ in range(each)] for _ in range(4)]
    log = open_recorder(f"{url}&seal=off")
    log.archive(ARTEFACT)
    stores = [Store(Address.of(url)) for _ in range(4)] if chain else []

    def chained(store: Store, decisions: list[Decision]) -> None:
        for decision in decisions:
            draft = Draft.of(decision)
            with store.transaction() as connection:
                connection.exec_driver_sql("LOCK TABLE chain IN EXCLUSIVE MODE")
                last = connection.exec_driver_sql("SELECT hash FROM chain ORDER BY n DESC LIMIT 1").scalar() or b""
                digest = merkle.leaf_hash(last + draft.payload(None))
                connection.exec_driver_sql("INSERT INTO chain (hash) VALUES (%s)", (digest,))
                store.append(connection, [draft], {})

    def recorded(decisions: list[Decision]) -> None:
        for decision in decisions:
            log.record(decision, timeout=30)

    threads = [
        threading.Thread(target=chained, args=(stores[number], work[number]))
        if chain
        else threading.Thread(target=recorded, args=(work[number],))
        for number in range(4)
    ]
    begin.wait(60)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()


def lags(url: str, store: Store) -> None:
    """How long decisions wait for their seal while 1,000 a second come in, for five seconds."""
    log, seen, put_at = open_recorder(f"{url}&seal=off"), list[float](), list[float]()
    log.archive(ARTEFACT)
    stop = threading.Event()

    def seal() -> None:
        sealing = Store(Address.of(url))
        while not stop.is_set() or len(seen) < len(put_at):
            count = sealer.seal(sealing, limit=1000)
            now = time.monotonic()
            seen.extend(now - at for at in put_at[len(seen) : len(seen) + count])
            stop.wait(0.0 if count else 0.05)
        sealing.close()

    while sealer.seal(store):
        pass
    thread = threading.Thread(target=seal)
    thread.start()
    begun = time.monotonic()

    def come(first: int) -> None:
        for number in range(first, 5000, 20):
            time.sleep(max(0.0, begun + number / 1000 - time.monotonic()))
            log.record(grant(), timeout=5)
            put_at.append(time.monotonic())

    callers = [threading.Thread(target=come, args=(first,)) for first in range(20)]
    taken = timed(lambda: ([each.start() for each in callers], [each.join() for each in callers]))
    stop.set()
    thread.join()
    log.close()
    line(f"PostgreSQL, seal lag at {5000 / taken:,.0f} a second, p99", percentile(sorted(seen), 0.99))


def used(store: Store) -> int:
    """Bytes in use in the database, without free pages; 0 where that can't be told."""
    if store.address.server:
        return 0
    with store.reading() as connection:
        size, pages, free = (
            connection.exec_driver_sql(f"PRAGMA {name}").scalar() or 0
            for name in ("page_size", "page_count", "freelist_count")
        )
    return int(size * (pages - free))


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as name:
        recording(Path(name))
        tree()
        sealing(Path(name), count)
        rollup(Path(name))
        postgresql(Path(name), count // 5)
