"""The spool: what the database can't take is on disk before it is acknowledged, and gets there once, later."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import ARTEFACT, grant, refusal, soon

from consent.decision import Artefact, Decision
from consent.errors import NotRecorded
from consent.log import open_recorder
from consent.log.address import Address
from consent.log.commands import log as command
from consent.log.record import Draft
from consent.log.recorder import Log
from consent.log.spool import MOST_BYTES, Spool, refused, waiting
from consent.log.store import Store


@pytest.fixture
def log(path: Path) -> Iterator[Log]:
    log = open_recorder(f"sqlite:///{path}")
    log.archive(ARTEFACT)
    yield log
    log.close()


@pytest.fixture
def locked(log: Log) -> Iterator[sqlite3.Connection]:
    """Somebody else's transaction, which keeps every writer out until it ends."""
    path = str(log.address)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection


def folder(path: Path) -> str:
    return f"{path}.spool"


def recorded(path: Path, decisions: list[Decision]) -> int:
    """How many of the decisions are in the database; none may be there twice."""
    with closing(sqlite3.connect(path)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'record'").fetchone():
            return 0  # the file is there before its tables
        ids = [row[0].hex() for row in connection.execute("SELECT event_id FROM record")]
    assert len(ids) == len(set(ids))
    return sum(decision.record_id.replace("-", "") in ids for decision in decisions)


def test_a_locked_database_gets_its_decisions_later(log: Log, locked: sqlite3.Connection, path: Path) -> None:
    decisions = [grant(), refusal(), grant()]
    began = time.monotonic()
    for decision in decisions:
        log.record(decision, timeout=0.4)
    assert time.monotonic() - began < 2.5, "only the first one waits for the database"
    assert recorded(path, decisions) == 0
    assert sum(len(found.items) for found in waiting(folder(path))) == 3
    locked.execute("ROLLBACK")
    assert soon(lambda: recorded(path, decisions) == 3)
    assert soon(lambda: waiting(folder(path)) == [])


def test_without_a_spool_the_same_is_not_recorded(path: Path) -> None:
    with closing(open_recorder(f"sqlite:///{path}?spool=off")) as log:
        log.archive(ARTEFACT)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            with pytest.raises(NotRecorded):
                log.record(grant(), timeout=0.3)


def test_the_notice_that_was_shown_is_spooled_with_the_decision(path: Path) -> None:
    """A site whose database is away when it starts."""
    path.parent.mkdir()
    path.mkdir()  # no database can be here
    other = Artefact.of({"html": "<p>Another</p>", "texts": {}})
    with closing(open_recorder(f"sqlite:///{path}")) as log:
        log.archive(other)
        decision = grant(artefact=other.digest)
        log.record(decision, timeout=0.4)
        path.rmdir()
        assert soon(lambda: path.is_file() and recorded(path, [decision]) == 1)
    with closing(Store(Address.of(f"sqlite:///{path}"))) as store:
        assert store.artefact(other.digest) == other


def test_what_a_killed_process_had_spooled_the_next_one_hands_over(
    path: Path, child: Callable[..., subprocess.Popen[str]]
) -> None:
    path.parent.mkdir()
    path.mkdir()
    process = child(
        "log = open_recorder(f'sqlite:///{sys.argv[1]}')\nlog.archive(ARTEFACT)\n"
        "for _ in range(5):\n    decision = grant()\n    log.record(decision, timeout=0.4)\n"
        "    print(decision.record_id, flush=True)\n"
        "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n",
        path,
    )
    ids = process.communicate(timeout=30)[0].split()
    assert len(ids) == 5
    (left,) = waiting(folder(path))
    path.rmdir()
    decisions = [grant(record_id=each) for each in ids]
    with closing(open_recorder(f"sqlite:///{path}")) as log:
        log.record(refusal(artefact=""), timeout=5)
        assert soon(lambda: recorded(path, decisions) == 5)
    assert not left.path.exists()


def test_the_spool_of_a_living_process_is_left_to_it(log: Log, locked: sqlite3.Connection, path: Path) -> None:
    log.record(grant(), timeout=0.4)
    other = Spool(folder(path))
    assert list(other.orphans()) == []
    locked.execute("ROLLBACK")


def frames(tmp_path: Path, count: int) -> tuple[Path, list[Draft], list[int]]:
    """A spool file with some drafts, and where each ends."""
    spool = Spool(str(tmp_path / "s"))
    drafts, ends = [Draft.of(grant()) for _ in range(count)], []
    for draft in drafts:
        spool.keep(draft)
        ends.append(spool._size)
    (found,) = waiting(str(tmp_path / "s"))
    data = found.path.read_bytes()
    spool.close()
    found.path.write_bytes(data)
    return found.path, drafts, ends


def ids(path: Path) -> list[object]:
    return [item.event_id for found in waiting(str(path.parent)) for item in found.items if isinstance(item, Draft)]


def test_a_tail_that_was_torn_off_at_any_byte_costs_only_itself(tmp_path: Path) -> None:
    path, drafts, ends = frames(tmp_path, 3)
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        whole = sum(end <= length for end in ends)
        assert ids(path) == [draft.event_id for draft in drafts[:whole]], length


def test_a_flipped_bit_costs_only_the_frame_that_it_is_in(tmp_path: Path) -> None:
    path, drafts, ends = frames(tmp_path, 3)
    data = path.read_bytes()
    for at in range(0, len(data), 7):
        path.write_bytes(data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :])
        hit = sum(end <= at for end in ends)
        assert ids(path) == [draft.event_id for number, draft in enumerate(drafts) if number != hit], at


def test_a_draft_comes_back_as_it_was(tmp_path: Path) -> None:
    spool = Spool(str(tmp_path / "s"))
    items = [Draft.of(grant()), Draft.of(refusal()), ARTEFACT]
    for item in items:
        spool.keep(item)
    (found,) = waiting(str(tmp_path / "s"))
    assert found.items == items
    assert (os.stat(found.path).st_mode & 0o777, os.stat(tmp_path / "s").st_mode & 0o777) == (0o600, 0o700)


def test_what_is_kept_while_the_rest_is_handed_over_stays(tmp_path: Path) -> None:
    spool = Spool(str(tmp_path / "s"))
    spool.keep(Draft.of(grant()))
    taken = spool.own()
    assert taken is not None
    spool.keep(Draft.of(grant()))
    spool.handed_over(taken)
    again = spool.own()
    assert again is not None
    assert len(again.items) == 2
    spool.handed_over(again)
    assert spool.own() is None
    assert not spool.waits()


def test_a_full_spool_refuses_and_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_BYTES == 64 << 20
    monkeypatch.setattr("consent.log.spool.MOST_BYTES", 3000)
    spool = Spool(str(tmp_path / "s"))
    spool.keep(Draft.of(grant()))
    with pytest.raises(NotRecorded, match="is full"):
        _fill(spool)
    assert spool.full
    taken = spool.own()
    assert taken is not None
    assert 1 <= len(taken.items) < 10
    spool.handed_over(taken)
    spool.keep(Draft.of(grant()))
    assert not spool.full


def _fill(spool: Spool) -> None:
    for _ in range(9):
        spool.keep(Draft.of(grant()))


def test_a_disk_that_is_full_in_the_middle_of_a_frame_leaves_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(str(tmp_path / "s"))
    spool.keep(first := Draft.of(grant()))
    write = os.write

    def short(file: int, data: bytes) -> int:
        if len(data) > 600:
            return write(file, bytes(data)[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", short)
    with pytest.raises(NotRecorded, match="No space left"):
        spool.keep(Draft.of(grant()))
    monkeypatch.undo()
    spool.keep(last := Draft.of(grant()))
    (found,) = waiting(str(tmp_path / "s"))
    assert (found.items, found.torn) == ([first, last], 0)


def test_when_neither_disk_takes_it_nothing_is_granted(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    path.mkdir()
    (tmp_path / "file").write_text("not a folder")
    with closing(open_recorder(f"sqlite:///{path}?spool={tmp_path}/file/spool")) as log:
        with pytest.raises(NotRecorded, match="nor the spool"):
            log.archive(ARTEFACT)
        with pytest.raises(NotRecorded, match="nor the spool"):
            log.record(grant(), timeout=0.4)


def test_what_the_database_refuses_for_good_is_set_aside(path: Path, log: Log, locked: sqlite3.Connection) -> None:
    stranger = grant(artefact="ab" * 32)  # of a notice that nobody archived
    log.record(stranger, timeout=0.4)
    log.record(good := grant(), timeout=0.4)
    locked.execute("ROLLBACK")
    assert soon(lambda: recorded(path, [good]) == 1 and waiting(folder(path)) == [])
    assert recorded(path, [stranger]) == 0
    assert refused(folder(path)) == 1


def test_a_child_process_has_a_spool_of_its_own(path: Path, log: Log, locked: sqlite3.Connection) -> None:
    log.record(grant(), timeout=0.4)
    pid = os.fork()
    if pid == 0:
        try:
            log.record(grant(), timeout=0.4)
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0
    files = waiting(folder(path))
    assert [len(found.items) for found in files] == [1, 1]
    locked.execute("ROLLBACK")
    with closing(open_recorder(f"sqlite:///{path}")) as other:
        other.record(refusal(), timeout=5)
        assert soon(lambda: waiting(folder(path)) == [])


def test_an_erasure_reaches_what_still_waits_in_the_spool(path: Path, log: Log, locked: sqlite3.Connection) -> None:
    receipt = "4e" * 16
    log.record(grant(receipt_id=receipt), timeout=0.4)
    result = CliRunner().invoke(command, ["erase", receipt, "--url", f"sqlite:///{path}", "--json"])
    assert result.exit_code == 2, "the database is locked"
    locked.execute("ROLLBACK")
    assert log.erase(receipt) is True
    assert log.erase(receipt) is False
    assert receipt.encode() not in b"".join(file.read_bytes() for file in Path(folder(path)).iterdir())


def test_the_command_says_that_some_of_a_receipt_still_wait(path: Path, log: Log) -> None:
    receipt = "5e" * 16
    log.record(grant(receipt_id=receipt), timeout=5)
    spool = Spool(folder(path))
    spool.keep(Draft.of(grant(receipt_id=receipt)))
    result = CliRunner().invoke(command, ["erase", receipt, "--url", f"sqlite:///{path}"])
    assert result.exit_code == 1
    assert "1 more wait in the spool" in result.stderr
    spool.close()
