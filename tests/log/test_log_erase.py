"""Erasure: the person's data is gone from every byte on disk, the evidence about everybody else stays."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import grant, put, refusal

from consent.log import sealer, verifier
from consent.log.bundle import write
from consent.log.commands import log as command
from consent.log.erase import EraseError, erase
from consent.log.keyring import Keyring
from consent.log.store import Store

RECEIPT = "e7" * 16


@pytest.fixture
def erasable(store: Store, path: Path) -> Store:
    """A sealed log with two records of one receipt among others, and a third of it that is not sealed yet."""
    put(store, grant(receipt_id=RECEIPT), *(grant() for _ in range(30)))
    put(store, grant(receipt_id=RECEIPT), refusal())
    sealer.seal(store)
    sealer.sign(store, Keyring.of(str(path)))
    put(store, grant(receipt_id=RECEIPT, event="withdrawn"))
    return store


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def on_disk(path: Path) -> bytes:
    """Every byte that the log has in its folder."""
    return b"".join(file.read_bytes() for file in sorted(path.parent.iterdir()))


def checked(store: Store, path: Path) -> verifier.Report:
    sealer.sign(store, Keyring.of(str(path)))
    out = path.with_suffix(".tar")
    write(store, out)
    report = verifier.verify(str(out))
    out.unlink()
    return report


def secrets_of(store: Store) -> list[bytes]:
    """What must not be found any more: receipt, ids, salts and payloads, in each form in which they are stored."""
    history = store.history(bytes.fromhex(RECEIPT))
    assert len(history) == 3
    found = [bytes.fromhex(RECEIPT), RECEIPT.encode()]
    for stored in history:
        assert stored.payload
        assert stored.salt
        found += [stored.event_id, stored.salt, stored.payload, json.loads(stored.payload)["record_id"].encode()]
    return found


def test_not_one_byte_of_what_was_erased_stays_on_disk(erasable: Store, path: Path) -> None:
    hidden = secrets_of(erasable)
    before = on_disk(path)
    assert all(secret in before for secret in hidden), "the search must be able to find them"
    assert len(erase(erasable, bytes.fromhex(RECEIPT))) == 3
    after = on_disk(path)
    assert [secret for secret in hidden if secret in after] == []
    assert erasable.history(bytes.fromhex(RECEIPT)) == []


def test_what_remains_verifies_and_the_erased_are_counted(erasable: Store, path: Path) -> None:
    assert checked(erasable, path).erased == 0
    indices = erase(erasable, bytes.fromhex(RECEIPT))
    report = checked(erasable, path)
    assert (report.good, report.erased, report.size) == (True, 3, 35)
    with closing(sqlite3.connect(path)) as connection:
        (entry,) = connection.execute("SELECT entry FROM record WHERE event = 'erasure'").fetchone()
        assert json.loads(entry)["i"] == indices
        assert connection.execute("SELECT sum(n) FROM daily").fetchone() == (34,), "the counts of the days stay"


def test_a_record_that_is_hidden_besides_is_not_taken_for_erased(erasable: Store, path: Path) -> None:
    erase(erasable, bytes.fromhex(RECEIPT))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE record SET payload = NULL, salt = NULL WHERE event = 'refused'")
    report = checked(erasable, path)
    assert report.erased == 3
    assert [what for _, what in report.problems] == ["its content is missing, and no erasure leaf says why"]


def test_content_that_comes_back_after_its_erasure_is_a_finding(erasable: Store, path: Path) -> None:
    first = erasable.history(bytes.fromhex(RECEIPT))[0]
    index = erase(erasable, bytes.fromhex(RECEIPT))[0]
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "UPDATE record SET payload = ?, salt = ? WHERE entry = ?", (first.payload, first.salt, first.entry)
        )
    report = checked(erasable, path)
    assert report.problems == [(index, "an erasure leaf says that it was erased, but its content is here")]


def test_a_reader_that_keeps_the_old_pages_is_said(erasable: Store, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM record").fetchone()
        with pytest.raises(EraseError):
            erase(erasable, bytes.fromhex(RECEIPT))
        reader.execute("ROLLBACK")
    hidden = bytes.fromhex(RECEIPT)
    assert hidden in on_disk(path)
    assert erase(erasable, hidden) == []
    assert hidden not in on_disk(path)


def test_the_command_erases_once_and_then_finds_nothing(erasable: Store, path: Path) -> None:
    erasable.close()
    url = f"sqlite:///{path}"
    assert run("erase", RECEIPT, "--url", url).output.startswith("3 records are erased: leaves ")
    assert run("show", RECEIPT, "--url", url).exit_code == 1
    again = run("erase", RECEIPT, "--url", url, "--json")
    assert (again.exit_code, json.loads(again.stdout)) == (1, {"erased": []})
    assert run("verify", "--url", url).exit_code == 0


@pytest.mark.parametrize(("receipt", "code"), [("x", 3), ("0" * 32, 2)])
def test_erase_makes_no_database(tmp_path: Path, receipt: str, code: int) -> None:
    assert run("erase", receipt, "--url", f"sqlite:///{tmp_path}/none.db").exit_code == code
    assert list(tmp_path.iterdir()) == []
