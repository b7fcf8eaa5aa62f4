"""How fast the consent log is, measured in one run on this machine: ``python tests/bench/bench_log.py``.

Ratios within a run say more than the figures do. The emulated disk adds 4 ms to each commit, as a disk does that
really waits; a caller is a thread that records one decision after another and waits for each.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "log"))
from conftest import ARTEFACT, grant, put

from consent.decision import Decision
from consent.log import merkle, open_recorder, sealer, verifier
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
                    many, crowded = callers(Path(place), 128, 20)
            else:
                one, waits = callers(Path(place), 1, 300)
                many, crowded = callers(Path(place), 128, 20)
        line(f"One caller, {name}: decisions a second", f"{one:,.0f}")
        line(f"One caller, {name}: wait, median / p99", f"{percentile(waits, 0.5)} / {percentile(waits, 0.99)}")
        line(f"128 callers, {name}: decisions a second", f"{many:,.0f} ({many / one:.1f} x)")
        line(f"128 callers, {name}: wait, median / p99", f"{percentile(crowded, 0.5)} / {percentile(crowded, 0.99)}")


def tree() -> None:
    leaves = [merkle.leaf_hash(number.to_bytes(8, "big")) for number in range(200_000)]
    grown = merkle.CompactRange()
    line(
        "Appending to the tree, leaves a second",
        f"{len(leaves) / timed(lambda: [grown.append(e) for e in leaves]):,.0f}",
    )
    proof = merkle.inclusion_proof(12_345, leaves)
    root = grown.root()
    check = timed(
        lambda: [merkle.verify_inclusion(12_345, len(leaves), leaves[12_345], proof, root) for _ in range(5000)]
    )
    line("Verifying one inclusion proof among 200,000", f"{check / 5000 * 1e6:.1f} us")


def sealing(folder: Path, count: int) -> None:
    path = folder / "sealing.db"
    store = Store(Address.of(f"sqlite:///{path}"))
    with store.transaction() as connection:
        store.archive(connection, [ARTEFACT])
    batches = [[grant() for _ in range(500)] for _ in range(count // 500)]
    line(
        "Writing in transactions of 500, decisions a second",
        f"{count / timed(lambda: [put(store, *b) for b in batches]):,.0f}",
    )
    before = used(store)

    def seal() -> None:
        while sealer.seal(store):
            pass

    line(f"Sealing a backlog of {count:,}, leaves a second", f"{count / timed(seal):,.0f}")
    line("What the tree adds (leaves, tiles; less the queue), bytes a leaf", f"{(used(store) - before) / count:.0f}")
    line("The database, bytes a decision", f"{used(store) / count:.0f}")
    sealer.sign(store, Keyring.of(str(path)))
    out = folder / "bundle.tar"
    line("Writing a bundle, records a second", f"{count / timed(lambda: write(store, out)):,.0f}")
    line("Verifying a bundle, records a second", f"{count / timed(lambda: verifier.verify(str(out))):,.0f}")
    store.close()


def used(store: Store) -> int:
    """Bytes in use in the database, without free pages."""
    with store.reading() as connection:
        size, pages, free = (
            connection.exec_driver_sql(f"PRAGMA {name}").scalar() or 0
            for name in ("page_size", "page_count", "freelist_count")
        )
    return int(size * (pages - free))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        recording(Path(name))
        tree()
        sealing(Path(name), int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
