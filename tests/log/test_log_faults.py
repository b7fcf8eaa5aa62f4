"""Processes killed at every step, full disks, torn files: what was acknowledged is there, once, and verifies.

The long form is ``make soak``. Each check here is shown to find the fault that it looks for.
"""

from __future__ import annotations

import errno
import os
import random
import resource
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from conftest import ARTEFACT, grant, put, soon
from log_postgres import Cluster
from log_rounds import Tally, drawn, play, reckon, victim
from log_victim import SEAL_POINTS, WRITE_POINTS

from consent.errors import NotRecorded
from consent.log import keyring as keyring_room
from consent.log import open_recorder, sealer
from consent.log.database import Sqlite
from consent.log.keyring import Keyring
from consent.log.spool import waiting
from consent.log.store import Store


@pytest.fixture
def url(path: Path) -> str:
    return f"sqlite:///{path}"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    cluster = Cluster()
    yield cluster
    cluster.remove()


def test_a_writer_killed_at_any_point_has_lost_nothing_that_it_said(url: str) -> None:
    tally, acknowledged = Tally(), set[str]()
    play(url, tally, acknowledged, [("write", point, 17, 0.0) for point in ("append", "appended", "committed")])
    assert (tally.kills, tally.good, tally.lost) == (3, True, [])
    assert tally.acknowledged > 3


def test_a_writer_killed_in_its_spool_has_lost_nothing_that_it_said(url: str, path: Path) -> None:
    path.parent.mkdir()
    path.mkdir()  # there can't be a database here for now
    processes = [victim("write", url, point, 17) for point in ("torn-spool", "spooled")]
    said = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [-9, -9]
    acknowledged = {line for text in said for line in text.split()}
    assert len(acknowledged) >= 3
    assert sum(found.torn for found in waiting(f"{path}.spool")) > 0
    path.rmdir()
    tally = Tally()
    reckon(url, tally, acknowledged)
    assert tally.good, tally


@pytest.mark.parametrize("points", [SEAL_POINTS[:5], SEAL_POINTS[5:]])
def test_sealers_killed_at_every_point_while_others_write_and_seal(url: str, points: tuple[str, ...]) -> None:
    tally, acknowledged = Tally(), set[str]()
    cast = [("seal", point, 1, 0.0) for point in points]
    play(url, tally, acknowledged, [*cast, ("write", "-", 1, -1.0), ("write", "-", 1, 24.0), ("seal", "-", 1, 0.0)])
    assert tally.good, tally
    assert tally.kills >= 2, tally.points
    assert tally.acknowledged >= 50


def test_random_rounds_on_postgresql(cluster: Cluster, tmp_path: Path) -> None:
    tally, acknowledged, chance = Tally(), set[str](), random.Random(20)
    url = cluster.url("faults", tmp_path)
    for _ in range(2):
        play(url, tally, acknowledged, drawn(chance, writers=2))
    assert tally.good, tally
    assert tally.kills >= 2


def test_every_point_is_one_that_the_victim_comes_by(url: str) -> None:
    """A point that nobody comes by would prove nothing: each kills by itself."""
    reckon(url, Tally(), set())
    store = Store(open_recorder(url).address)
    for point in SEAL_POINTS:
        put(store, grant(artefact=""))
        process = victim("seal", url, point, 1)
        process.communicate(timeout=60)
        assert process.returncode == -9, point
    store.close()
    assert set(WRITE_POINTS) == {"append", "appended", "committed", "torn-spool", "spooled"}  # each tried above


@pytest.mark.parametrize(
    ("statement", "field"),
    [
        ("DELETE FROM record WHERE event_id = (SELECT event_id FROM leaf WHERE leaf_index = 1)", "lost"),
        ("UPDATE leaf SET leaf_index = 99 WHERE leaf_index = 1", "holes"),
        ("UPDATE record SET leaf = zeroblob(32) WHERE day > ''", "bad_roots"),
    ],
)
def test_the_reckoning_finds_what_it_looks_for(url: str, path: Path, statement: str, field: str) -> None:
    with closing(open_recorder(url)) as log:
        log.archive(ARTEFACT)
        decisions = [grant() for _ in range(4)]
        for decision in decisions:
            log.record(decision, timeout=5)
    acknowledged = {decision.record_id for decision in decisions}
    tally = Tally()
    reckon(url, tally, acknowledged)
    assert tally.good
    with closing(sqlite3.connect(path)) as connection, connection:
        assert connection.execute(statement).rowcount
    reckon(url, tally, acknowledged)
    assert not tally.good
    assert getattr(tally, field)


CROWDED = (
    "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))\n"
    "import signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    "from consent.errors import NotRecorded\n"
    "log = open_recorder(f'sqlite:///{sys.argv[1]}')\nlog.archive(ARTEFACT)\nrefused = 0\n"
    "for _ in range(1500):\n"
    "    decision = grant()\n"
    "    try:\n        log.record(decision, timeout=1)\n        print(decision.record_id, flush=True)\n"
    "    except NotRecorded:\n        refused += 1\n"
    "    if refused > 3:\n        break\n"
    "print('refused', refused, flush=True)\n"
)


def test_when_the_disk_is_full_what_was_acknowledged_is_there(
    path: Path, url: str, child: Callable[..., subprocess.Popen[str]]
) -> None:
    """No file may grow beyond 300 kB: first the database and its write-ahead log are full, then the spool."""
    said = child(CROWDED, path).communicate(timeout=120)[0].split()
    assert said[-2:] == ["refused", "4"]
    acknowledged = set(said[:-2])
    assert len(acknowledged) > 200
    assert sum(len(found.items) for found in waiting(f"{path}.spool")) > 50
    tally = Tally()
    reckon(url, tally, acknowledged)
    assert tally.good, tally.lost[:3]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 300_000


def test_a_database_that_turned_read_only_loses_nothing(path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(open_recorder(url)) as log:
        log.archive(ARTEFACT)
        log.record(first := grant(), timeout=5)
    engine = Sqlite.engine
    with closing(open_recorder(url)) as log:
        monkeypatch.setattr(Sqlite, "engine", lambda self, **_: engine(self, readonly=True))
        log.archive(ARTEFACT)
        log.record(second := grant(), timeout=1)
        assert sum(len(found.items) for found in waiting(f"{path}.spool")) == 1
        monkeypatch.undo()
        assert soon(lambda: waiting(f"{path}.spool") == [])
    tally = Tally()
    reckon(url, tally, {first.record_id, second.record_id})
    assert tally.good


@pytest.mark.parametrize("name", ["keep", "generate"])
def test_no_room_for_the_guard_or_the_key_means_no_signature_and_no_harm(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    keyring = Keyring.of(str(path))
    put(store, grant())
    sealer.seal(store)
    if name == "keep":
        sealer.sign(store, keyring)
        put(store, grant())
        sealer.seal(store)
    before = keyring.guard_file.read_text() if keyring.guard_file.exists() else None
    fsync = os.fsync

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(keyring_room.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        sealer.sign(store, keyring)
    monkeypatch.setattr(keyring_room.os, "fsync", fsync)
    assert (keyring.guard_file.read_text() if keyring.guard_file.exists() else None) == before
    assert list(path.parent.glob("*.new")) == []
    assert sealer.sign(store, keyring) is not None


def test_a_server_stopped_and_started_under_load_loses_nothing(
    cluster: Cluster, tmp_path: Path, child: Callable[..., subprocess.Popen[str]]
) -> None:
    url = cluster.url("load", tmp_path)
    writer = child(
        "import time\nlog = open_recorder(sys.argv[1])\nlog.archive(ARTEFACT)\nend = time.monotonic() + 5\n"
        "while time.monotonic() < end:\n"
        "    decision = grant()\n    log.record(decision, timeout=2)\n    print(decision.record_id, flush=True)\n"
        "    time.sleep(0.005)\n"
        "time.sleep(3)\nlog.close()\n",
        url,
    )
    lines: list[str] = []
    assert writer.stdout
    while len(lines) < 50:
        lines.append(writer.stdout.readline().strip())
    for _ in range(2):
        cluster.stop()
        while len(waiting(f"{tmp_path}/spool")) == 0 and writer.poll() is None:
            lines.append(writer.stdout.readline().strip())
        cluster.start()
    rest, _ = writer.communicate(timeout=60)
    acknowledged = {*lines, *rest.split()}
    assert len(acknowledged) > 200
    tally = Tally()
    reckon(url, tally, acknowledged)
    assert tally.good, (len(acknowledged), tally.lost[:3])


def test_nothing_but_not_recorded_comes_out_whatever_the_store_raises(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors: list[Any] = [
        MemoryError(),
        RuntimeError("odd"),
        KeyError("x"),
        OSError(5, "Input/output error"),
        ValueError(),
    ]
    with closing(open_recorder(f"sqlite:///{path}?spool=off")) as log:
        log.archive(ARTEFACT)
        append = Store.append

        def failing(*_: Any) -> Any:
            raise errors.pop()

        monkeypatch.setattr(Store, "append", failing)
        while errors:
            with pytest.raises(NotRecorded):
                log.record(grant(), timeout=1)
        monkeypatch.setattr(Store, "append", append)
        log.record(grant(), timeout=5)
