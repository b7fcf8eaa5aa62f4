"""How the log is doing, in a table that says what to look at."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from click.testing import CliRunner, Result
from conftest import grant, put, refusal

from consent.log import sealer, tables
from consent.log.address import Address
from consent.log.commands import log as command
from consent.log.keyring import Keyring
from consent.log.record import Draft
from consent.log.spool import Spool
from consent.log.status import status
from consent.log.store import Store


def seal(store: Store, path: Path) -> None:
    sealer.seal(store)
    sealer.sign(store, Keyring.of(str(path)))


def run(path: Path, *arguments: str) -> Result:
    return CliRunner().invoke(command, ["status", "--url", f"sqlite:///{path}", *arguments])


def test_a_log_in_order_says_so(store: Store, path: Path) -> None:
    put(store, grant(), refusal())
    seal(store, path)
    result = run(path)
    assert result.exit_code == 0
    assert "Signed         2 leaves" in result.output
    assert "Guard          2 leaves" in result.output
    assert "Look at" not in result.output
    data = json.loads(run(path, "--json").output)
    assert (data["size"], data["spooled"], data["gaps"], data["findings"]) == (2, 0, {}, [])


def test_what_waits_too_long_is_a_finding(store: Store, path: Path) -> None:
    put(store, grant())
    assert run(path).exit_code == 0, "it has been waiting for no time"
    now = datetime.now(UTC)
    later = Store(Address.of(f"sqlite:///{path}"), now=lambda: now + timedelta(seconds=61))
    (finding,) = status(later, Keyring.of(str(path))).findings
    assert "sealed for 61 seconds" in finding
    later.close()


def test_refusals_that_wait_are_known_to_when_their_day_is_over(store: Store, path: Path) -> None:
    put(store, refusal())
    now = datetime.now(UTC)
    for days, findings in ((0, 0), (2, 1)):
        later = Store(Address.of(f"sqlite:///{path}"), now=lambda days=days: now + timedelta(days=days))  # type: ignore[misc]
        assert len(status(later, Keyring.of(str(path))).findings) == findings
        later.close()


def test_what_is_spooled_or_refused_is_a_finding(store: Store, path: Path) -> None:
    spool = Spool(f"{path}.spool")
    spool.keep(Draft.of(grant()))
    spool.set_aside([Draft.of(grant())])
    found = status(store, Keyring.of(str(path)))
    assert (found.spooled, found.refused, len(found.findings)) == (1, 1, 2)
    result = run(path)
    assert result.exit_code == 1
    assert "1 records wait in the spool" in result.output


def test_answers_that_were_posted_and_not_recorded_are_counted(store: Store, path: Path) -> None:
    put(store, grant(), refusal())
    seal(store, path)
    today = datetime.now(UTC).date().isoformat()
    with store.transaction() as connection:
        for what, n in (("posted", 4), ("repeated", 2)):
            connection.execute(tables.tally.insert().values(log_id=store.log_id, day=today, what=what, detail="", n=n))
    assert status(store, Keyring.of(str(path))).gaps == {}
    with store.transaction() as connection:
        connection.execute(tables.tally.update().where(tables.tally.c.what == "posted").values(n=7))
    found = status(store, Keyring.of(str(path)))
    assert found.gaps == {today: 3}
    assert "3 answers were posted and not recorded" in found.findings[0]


def test_a_restored_backup_is_a_finding(store: Store, path: Path) -> None:
    put(store, grant())
    seal(store, path)
    backup = path.with_suffix(".backup")
    with closing(sqlite3.connect(path)) as old, closing(sqlite3.connect(backup)) as new:
        old.backup(new)
    put(store, grant())
    seal(store, path)
    store.close()
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    shutil.copy(backup, path)
    result = run(path)
    assert result.exit_code == 1
    assert "was an old backup restored?" in result.output


def test_a_log_that_can_not_be_read_is_said(tmp_path: Path) -> None:
    assert run(tmp_path / "none.db").exit_code == 2
