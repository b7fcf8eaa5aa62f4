"""Decisions become durable before the caller goes on, or the caller hears that they did not."""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import ARTEFACT, grant, refusal, soon

from consent.decision import Artefact
from consent.errors import ConfigError, NotRecorded
from consent.log import open_recorder
from consent.log.record import intact
from consent.log.recorder import Log

Child = Callable[..., "subprocess.Popen[str]"]


def rows(path: Path, query: str = "SELECT * FROM record ORDER BY rowid") -> list[dict[str, Any]]:
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query)]


def test_a_recorded_decision_lies_in_the_database_with_its_leaf(log: Log, path: Path) -> None:
    decision = grant()
    log.record(decision, timeout=2)
    (row,) = rows(path)
    assert json.loads(row["payload"])["record_id"] == decision.record_id
    assert row["receipt"].hex() == decision.receipt_id
    assert intact(payload=row["payload"], salt=row["salt"], entry=row["entry"], leaf=row["leaf"])


def test_the_queue_of_the_unsealed_is_filled_in_the_same_transaction(path: Path) -> None:
    with closing(open_recorder(f"sqlite:///{path}?origin=news.example&spool=off")) as log:
        log.archive(ARTEFACT)
        log.record(grant(), timeout=2)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TRIGGER no BEFORE INSERT ON unsealed BEGIN SELECT RAISE(ABORT, 'no'); END")
        with pytest.raises(NotRecorded):
            log.record(grant(), timeout=2)
        assert len(rows(path)) == 1


def test_a_refusal_has_no_receipt_and_no_time_of_day(log: Log, path: Path) -> None:
    log.record(refusal(), timeout=2)
    (row,) = rows(path)
    assert row["receipt"] is None
    assert row["received_at"] % 86_400_000_000 == 0
    assert rows(path, "SELECT * FROM unsealed WHERE received_at % 86400000000") == []


def test_the_same_decision_again_is_no_work_and_no_error(log: Log, path: Path) -> None:
    first, second = grant(), refusal()
    for _ in range(10):
        log.record(first, timeout=2)
        log.record(second, timeout=2)
    assert len(rows(path)) == 2


def test_another_decision_with_a_used_id_is_refused(log: Log, path: Path) -> None:
    decision = grant()
    log.record(decision, timeout=2)
    with pytest.raises(NotRecorded):
        log.record(grant(record_id=decision.record_id), timeout=2)
    assert len(rows(path)) == 1


def test_records_of_one_receipt_name_the_one_before_and_no_other_receipts(log: Log, path: Path) -> None:
    receipt, other = "a" * 32, "b" * 32
    decisions = [grant(receipt_id=each) for each in (receipt, other, receipt, receipt, other)]
    for decision in decisions:
        log.record(decision, timeout=2)
    log.record(refusal(), timeout=2)
    prev = {p["record_id"]: p["prev_record_id"] for p in (json.loads(row["payload"]) for row in rows(path))}
    ids = [decision.record_id for decision in decisions]
    assert [prev[each] for each in ids] == [None, None, ids[0], ids[2], ids[1]]
    assert sum(value is None for value in prev.values()) == 3


def test_what_was_not_archived_can_not_be_granted(log: Log, path: Path) -> None:
    other = Artefact.of({"html": "never archived"})
    with pytest.raises(NotRecorded):
        log.record(grant(artefact=other.digest), timeout=2)
    assert rows(path) == []
    log.archive(other)
    log.record(grant(artefact=other.digest), timeout=2)
    log.record(grant(artefact=""), timeout=2)
    assert len(rows(path)) == 2


def test_an_artefact_is_archived_once_and_found_by_another_log(log: Log, path: Path) -> None:
    log.archive(ARTEFACT)
    with closing(open_recorder(f"sqlite:///{path}?spool=off")) as second:
        second.archive(ARTEFACT)
        assert len(rows(path, "SELECT * FROM artefact")) == 1
    with closing(open_recorder(f"sqlite:///{path}?spool=off")) as third:
        assert third.artefact(ARTEFACT.digest) == ARTEFACT
        for unknown in ("0" * 64, "", "x" * 64, "../consent.db", ARTEFACT.digest.upper()):
            assert third.artefact(unknown) is None


@pytest.mark.usefixtures("log")
def test_a_damaged_artefact_is_not_given_back(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE artefact SET content = '{}'")
    with closing(open_recorder(f"sqlite:///{path}?spool=off")) as second, pytest.raises(NotRecorded):
        second.artefact(ARTEFACT.digest)


@pytest.mark.parametrize("content", [{"a": {1}}, {"a": "\ud800"}])
def test_an_artefact_that_is_no_json_is_refused(log: Log, content: Any) -> None:
    with pytest.raises(NotRecorded):
        log.archive(Artefact(content=content, digest="0" * 64))


def test_an_artefact_with_a_wrong_digest_is_refused(log: Log) -> None:
    with pytest.raises(NotRecorded):
        log.archive(Artefact(content={"html": "x"}, digest="0" * 64))


def test_the_database_is_set_up_to_last_and_to_forget(log: Log, path: Path) -> None:
    log.record(grant(), timeout=2)
    assert log._store is not None
    with log._store.reading() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "secure_delete")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1}
    assert path.stat().st_mode & 0o777 == 0o600


def test_many_threads_share_transactions_and_lose_nothing(log: Log, path: Path) -> None:
    decisions = [grant() for _ in range(400)]
    commits = 0
    append = log._write

    def counting(*arguments: Any) -> bool:
        nonlocal commits
        commits += 1
        return append(*arguments)

    log._write = counting  # type: ignore[method-assign]
    threads = [
        threading.Thread(
            target=lambda some: [log.record(decision, timeout=5) for decision in some], args=(decisions[n::40],)
        )
        for n in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {json.loads(row["payload"])["record_id"] for row in rows(path)} == {d.record_id for d in decisions}
    assert commits < 200


def test_a_decision_survives_a_kill_right_after_it_was_acknowledged(child: Child, path: Path) -> None:
    process = child(
        "log = open_recorder(f'sqlite:///{sys.argv[1]}')\nlog.archive(ARTEFACT)\n"
        "while True:\n    decision = grant()\n    log.record(decision, timeout=5)\n"
        "    print(decision.record_id, flush=True)\n",
        path,
    )
    assert process.stdout
    acknowledged = [process.stdout.readline().strip() for _ in range(20)]
    process.send_signal(signal.SIGKILL)
    acknowledged += process.stdout.read().split()
    process.wait()
    stored = {json.loads(row["payload"])["record_id"] for row in rows(path)}
    assert {each for each in acknowledged if len(each) == 36} <= stored
    assert len(rows(path, "SELECT * FROM unsealed")) == len(stored)


def test_a_decision_killed_before_its_commit_is_not_there(child: Child, path: Path) -> None:
    process = child(
        "from consent.log.store import Store\nimport os, signal\n"
        "log = open_recorder(f'sqlite:///{sys.argv[1]}')\nlog.archive(ARTEFACT)\nlog.record(grant(), timeout=5)\n"
        "append = Store.append\n"
        "def killed(*arguments):\n    append(*arguments)\n    os.kill(os.getpid(), signal.SIGKILL)\n"
        "Store.append = killed\nlog.record(grant(), timeout=5)\nprint('acknowledged')\n",
        path,
    )
    assert process.communicate(timeout=20)[0] == ""
    assert process.returncode == -signal.SIGKILL
    assert len(rows(path)) == 1


@pytest.fixture
def locked(log: Log, path: Path) -> Iterator[sqlite3.Connection]:
    """Somebody else's write transaction."""
    log.record(grant(), timeout=2)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection


def test_a_locked_database_means_not_recorded_in_time_and_recovers(
    log: Log, path: Path, locked: sqlite3.Connection
) -> None:
    begun = time.monotonic()
    with pytest.raises(NotRecorded):
        log.record(grant(), timeout=0.5)
    assert 0.4 < time.monotonic() - begun < 1.0
    locked.execute("ROLLBACK")
    log.record(grant(), timeout=2)
    time.sleep(0.2)
    assert len(rows(path)) == 2, "the decision that was given up must not appear later"


def test_a_decision_waits_for_a_lock_that_ends_in_time(log: Log, path: Path, locked: sqlite3.Connection) -> None:
    thread = threading.Thread(target=log.record, args=(grant(),), kwargs={"timeout": 5})
    thread.start()
    time.sleep(0.3)
    locked.execute("ROLLBACK")
    thread.join()
    assert len(rows(path)) == 2


@pytest.mark.usefixtures("locked")
def test_an_archived_artefact_is_read_while_the_database_is_locked(path: Path) -> None:
    with closing(open_recorder(f"sqlite:///{path}?spool=off")) as second:
        assert second.artefact(ARTEFACT.digest) == ARTEFACT


def test_a_full_disk_means_not_recorded_and_recovers(log: Log, path: Path) -> None:
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    acknowledged, refused = [], 0
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (160_000, hard))
        for _ in range(200):
            decision, begun = grant(), time.monotonic()
            try:
                log.record(decision, timeout=2)
            except NotRecorded:
                refused += 1
                assert time.monotonic() - begun < 2
            else:
                acknowledged.append(decision.record_id)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert acknowledged
    assert refused
    log.record(grant(), timeout=2)
    assert {json.loads(row["payload"])["record_id"] for row in rows(path)} >= set(acknowledged)
    assert rows(path, "PRAGMA integrity_check") == [{"integrity_check": "ok"}]


@pytest.mark.parametrize("where", ["/proc/consent/consent.db", "/dev/null/consent.db", "/dev/full", "/"])
def test_an_impossible_place_means_not_recorded(where: str) -> None:
    with closing(open_recorder(f"sqlite:///{where.rstrip('/') or '/tmp'}?spool=off")) as log:
        begun = time.monotonic()
        with pytest.raises(NotRecorded):
            log.record(grant(), timeout=1)
        with pytest.raises(NotRecorded):
            log.archive(ARTEFACT)
        with pytest.raises(NotRecorded):
            log.artefact(ARTEFACT.digest)
        assert time.monotonic() - begun < 4


def test_a_file_that_is_no_database_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("Dear diary, " * 1000)
    with closing(open_recorder(f"sqlite:///{path}?spool=off")) as log, pytest.raises(NotRecorded):
        log.record(grant(), timeout=1)
    assert path.read_text().startswith("Dear diary, Dear")


def test_a_read_only_database_means_not_recorded_and_recovers(child: Child, log: Log, path: Path) -> None:
    log.record(grant(), timeout=2)
    log.close()
    for each in (path.parent, *path.parent.iterdir(), *path.parent.parents[:4]):
        if each.stat().st_uid == os.getuid() and os.getuid() == 0 and each != Path("/"):
            each.chmod(each.stat().st_mode | 0o055 if each.is_dir() else 0o444)
    path.chmod(0o444)
    path.parent.chmod(0o555)
    process = child(
        "import os\n"
        "if os.getuid() == 0:\n    os.setgid(65534)\n    os.setuid(65534)\n"
        "log = open_recorder(f'sqlite:///{sys.argv[1]}')\n"
        "try:\n    log.record(grant(), timeout=1)\n"
        "except Exception as error:\n    print(type(error).__name__)\n"
        "else:\n    print('recorded')\n",
        path,
    )
    assert process.communicate(timeout=20)[0].strip() == "NotRecorded"
    path.parent.chmod(0o755)
    path.chmod(0o600)
    log.record(grant(), timeout=2)
    assert len(rows(path)) == 2


def test_a_deleted_database_is_made_anew_with_what_was_shown(log: Log, path: Path) -> None:
    log.record(grant(), timeout=2)
    for file in list(path.parent.iterdir()):
        file.unlink()
    path.parent.rmdir()
    log.record(grant(), timeout=2)
    assert len(rows(path)) == 1
    assert len(rows(path, "SELECT * FROM artefact")) == 1


def test_a_database_deleted_during_the_commit_does_not_count(log: Log, path: Path, monkeypatch: Any) -> None:
    append = type(log._store).append if log._store else None
    assert append

    def deleting(*arguments: Any) -> Any:
        outcomes = append(*arguments)
        path.unlink()
        return outcomes

    monkeypatch.setattr("consent.log.store.Store.append", deleting)
    with pytest.raises(NotRecorded):
        log.record(grant(), timeout=2)


def test_an_unforeseen_failure_is_not_recorded_too(log: Log, monkeypatch: Any, caplog: Any) -> None:
    monkeypatch.setattr("consent.log.store.Store.append", lambda *_: 1 / 0)
    with pytest.raises(NotRecorded):
        log.record(grant(), timeout=2)
    assert "should not" in caplog.text
    monkeypatch.undo()
    log.record(grant(), timeout=2)


def test_a_flood_is_turned_away(log: Log, monkeypatch: Any) -> None:
    monkeypatch.setattr("consent.log.writer.MOST_WAITING", 0)
    with pytest.raises(NotRecorded):
        log.record(grant(), timeout=2)


def test_without_threads_nothing_is_recorded(path: Path, monkeypatch: Any) -> None:
    log = open_recorder(f"sqlite:///{path}?spool=off")

    def none_left(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", none_left)
        with pytest.raises(NotRecorded):
            log.record(refusal(artefact=""), timeout=2)
    log.record(refusal(artefact=""), timeout=2)
    assert len(rows(path)) == 1
    log.close()


def test_an_idle_log_gives_its_database_back_and_takes_it_again(log: Log, path: Path, monkeypatch: Any) -> None:
    log.close()
    monkeypatch.setattr("consent.log.writer.IDLE_SECONDS", 0.05)
    log.record(grant(), timeout=2)
    assert soon(lambda: log._thread is None and log._store is None)
    assert not path.with_name("consent.db-wal").exists()
    log.record(grant(), timeout=2)
    assert len(rows(path)) == 2


def test_a_closed_log_can_be_used_again(log: Log, path: Path) -> None:
    for _ in range(3):
        log.record(grant(), timeout=2)
        log.close()
    assert len(rows(path)) == 3


def test_parent_and_children_of_a_fork_record_side_by_side(child: Child, path: Path) -> None:
    process = child(
        "import os, threading\n"
        "log = open_recorder(f'sqlite:///{sys.argv[1]}')\nlog.archive(ARTEFACT)\n"
        "stop = threading.Event()\nown = []\n"
        "def busy():\n    while not stop.is_set():\n"
        "        log.record(grant(locale='en'), timeout=5)\n        own.append(1)\n"
        "threads = [threading.Thread(target=busy) for _ in range(4)]\n"
        "for thread in threads: thread.start()\n"
        "children = []\n"
        "for _ in range(6):\n"
        "    pid = os.fork()\n"
        "    if pid == 0:\n"
        "        for _ in range(10): log.record(grant(locale='fr'), timeout=5)\n"
        "        os._exit(0)\n"
        "    children.append(pid)\n"
        "assert all(os.waitpid(pid, 0)[1] == 0 for pid in children)\n"
        "stop.set()\nfor thread in threads: thread.join()\n"
        "log.record(grant(locale='en'), timeout=5)\nprint(len(own) + 1)\n",
        path,
    )
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    locales = [json.loads(row["payload"])["locale"] for row in rows(path)]
    assert locales.count("fr") == 60
    assert locales.count("en") == int(out)
    assert rows(path, "PRAGMA integrity_check") == [{"integrity_check": "ok"}]


def test_a_log_in_memory_serves_tests_and_survives_idleness(monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setattr("consent.log.writer.IDLE_SECONDS", 0.05)
    monkeypatch.chdir(tmp_path)
    log = open_recorder("memory://")
    log.archive(ARTEFACT)
    decision = grant()
    log.record(decision, timeout=2)
    assert soon(lambda: log._thread is None)
    log.record(decision, timeout=2)
    assert log._store is not None
    assert len(log._store.history(bytes.fromhex(decision.receipt_id or ""))) == 1
    assert list(tmp_path.iterdir()) == []
    log.close()


def test_two_sites_share_a_database_and_not_their_records(path: Path) -> None:
    decision = grant()
    for origin in ("one.example", "two.example"):
        with closing(open_recorder(f"sqlite:///{path}?origin={origin}")) as log:
            with pytest.raises(NotRecorded):
                log.record(decision, timeout=2)
            log.archive(ARTEFACT)
            log.record(decision, timeout=2)
    assert [row["log_id"] for row in rows(path)] == [1, 2]
    assert [json.loads(row["entry"])["s"] for row in rows(path)] == ["one.example", "two.example"]


def test_the_clock_going_back_leaves_a_receipt_in_order(log: Log) -> None:
    receipt = "c" * 32
    log.record(grant(receipt_id=receipt), timeout=2)
    assert log._store is not None
    log._store.now = lambda: datetime(2020, 1, 1, tzinfo=UTC)
    second = grant(receipt_id=receipt)
    log.record(second, timeout=2)
    assert json.loads(log._store.history(bytes.fromhex(receipt))[-1].payload or b"{}")["record_id"] == second.record_id


@pytest.mark.parametrize(
    "url",
    ["", "consent.db", "sqlite://", "sqlite:///", "sqlite:////tmp/", "mysql://x/y", "sqlite:///x.db?spool=", "memory:", "memory://x",
     "sqlite:///x.db?origin=", "sqlite:///x.db?mode=ro", "sqlite:///x.db?origin=a b", None, 5],
)  # fmt: skip
def test_an_address_that_can_not_be_one_says_how_to_write_it(url: Any) -> None:
    with pytest.raises(ConfigError, match=r"sqlite:///relative/path\.db"):
        open_recorder(url)


def test_a_relative_address_stays_where_it_was_meant(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    log = open_recorder("sqlite:///instance/consent.db")
    monkeypatch.chdir("/")
    log.record(grant(artefact=""), timeout=2)
    log.close()
    assert len(rows(tmp_path / "instance" / "consent.db")) == 1


def test_importing_the_log_and_its_tree_loads_no_database_and_no_cryptography() -> None:
    text = (
        "import sys, consent.log, consent.log.merkle, consent.log.note, consent.log.checkpoint, consent.log.record\n"
        "assert not {'sqlalchemy', 'cryptography', 'alembic', 'click'} & set(sys.modules), 'loaded too much'\n"
        "from consent.log import open_recorder\nopen_recorder('memory://')\nassert 'sqlalchemy' in sys.modules\n"
        "assert not {'alembic', 'cryptography'} & set(sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", text], check=False).returncode == 0
