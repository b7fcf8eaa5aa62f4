"""What ``consent log`` prints, and the exit code that scripts go by."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from conftest import ARTEFACT, grant
from sqlalchemy import create_engine, inspect

from consent.errors import NotRecorded
from consent.log import open_recorder, tables
from consent.log.address import Address
from consent.log.commands import log as command
from consent.log.recorder import Log
from consent.log.upgrade import MIGRATIONS, migrate, upgrade

RECEIPT = "5f" * 16


def run(*arguments: str, **options: Any) -> Result:
    return CliRunner().invoke(command, list(arguments), **options)


@pytest.fixture
def url(log: Log, path: Path) -> str:
    log.record(grant(receipt_id=RECEIPT), timeout=2)
    log.record(
        grant(receipt_id=RECEIPT, event="withdrawn", action="withdraw_all", services={"youtube": False}), timeout=2
    )
    log.record(grant(), timeout=2)
    return f"sqlite:///{path}"


def test_show_prints_the_history_of_one_receipt_in_order(url: str) -> None:
    result = run("show", RECEIPT, "--url", url)
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0].startswith(f"Receipt {RECEIPT} in the log ")
    assert [line.split()[2] for line in lines[2:]] == ["granted", "withdrawn"]
    assert "youtube" in lines[2]
    assert "matomo" in lines[2]
    assert len({line.index("Event") if number == 0 else 21 for number, line in enumerate(lines[1:])}) == 1
    assert "\x1b" not in result.output


def test_show_is_coloured_on_a_terminal(url: str) -> None:
    assert "\x1b[32mgranted" in run("show", RECEIPT, "--url", url, color=True).output


def test_show_takes_a_receipt_as_people_copy_it(url: str) -> None:
    spelled = f" {RECEIPT[:8]}-{RECEIPT[8:].upper()} "
    assert run("show", spelled, "--url", url).output == run("show", RECEIPT, "--url", url).output


def test_show_gives_the_records_as_json(url: str) -> None:
    data = json.loads(run("show", RECEIPT, "--url", url, "--json").output)
    assert data["receipt"] == RECEIPT
    assert [record["payload"]["event"] for record in data["records"]] == ["granted", "withdrawn"]
    assert all(record["intact"] for record in data["records"])


def test_show_reads_while_the_site_writes(url: str, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        assert run("show", RECEIPT, "--url", url).exit_code == 0


def test_show_finds_the_log_where_the_environment_says_or_below_the_current_directory(
    url: str, path: Path, monkeypatch: Any
) -> None:
    assert run("show", RECEIPT, env={"CONSENT_LOG": url}).exit_code == 0
    monkeypatch.chdir(path.parent.parent)
    assert run("show", RECEIPT, env={"CONSENT_LOG": ""}).exit_code == 0


def test_an_unknown_receipt_is_a_finding(url: str) -> None:
    result = run("show", "0" * 32, "--url", url)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no record" in result.stderr


def test_an_edited_record_is_a_finding_and_named(url: str, path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "UPDATE record SET payload = replace(payload, 'denied', 'granted') WHERE event = 'withdrawn'"
        )
    result = run("show", RECEIPT, "--url", url)
    assert result.exit_code == 1
    assert [line.split()[-1] for line in result.stdout.splitlines()[2:]] == ["yes", "NO"]
    assert "1 of 2 records are not as they were written" in result.stderr


def test_a_record_edited_into_nonsense_is_still_shown(url: str, path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE record SET payload = 'nonsense', entry = x'ff' WHERE event = 'withdrawn'")
    result = run("show", RECEIPT, "--url", url)
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1].split()[-1] == "NO"
    data = json.loads(run("show", RECEIPT, "--url", url, "--json").stdout)
    assert [record["intact"] for record in data["records"]] == [True, False]


def test_a_record_that_lost_its_content_is_a_finding(url: str, path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE record SET payload = NULL, salt = NULL WHERE event = 'withdrawn'")
    assert run("show", RECEIPT, "--url", url).exit_code == 1
    assert json.loads(run("show", RECEIPT, "--url", url, "--json").stdout)["records"][1]["payload"] is None


@pytest.mark.parametrize("content", [None, b"", b"no database " * 500])
def test_a_database_that_can_not_be_read_is_said(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "consent.db"
    if content is not None:
        path.write_bytes(content)
    result = run("show", RECEIPT, "--url", f"sqlite:///{path}")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "can't be read" in result.stderr
    assert path.exists() == (content is not None), "looking must not make a log"


def test_a_log_of_another_name_is_not_made_by_looking(url: str) -> None:
    result = run("show", RECEIPT, "--url", f"{url}?origin=other.example")
    assert result.exit_code == 2
    assert "other.example" in result.stderr


@pytest.mark.parametrize("arguments", [("xyz",), (RECEIPT, "--url", "redis://"), (RECEIPT, "--url", "memory://")])
def test_wrong_usage_has_its_own_exit_code(arguments: tuple[str, ...]) -> None:
    assert run("show", *arguments).exit_code == 3


# ── the schema and its migrations ──


def dump(path: Path) -> list[tuple[str, ...]]:
    """What every table and index is, in words that do not depend on how its SQL was spelled."""
    engine = create_engine(f"sqlite:///{path}")
    found = inspect(engine)
    described = []
    for table in sorted(found.get_table_names()):
        described += [
            (table, column["name"], str(column["type"]), str(column["nullable"])) for column in found.get_columns(table)
        ]
        described += [(table, "key", str(found.get_pk_constraint(table)))]
        described += [(table, "foreign", str(key)) for key in found.get_foreign_keys(table)]
        described += sorted((table, "index", str(index)) for index in found.get_indexes(table))
        described += [(table, "unique", str(unique)) for unique in found.get_unique_constraints(table)]
    engine.dispose()
    return described


def migrated(path: Path, *, to: str) -> Path:
    """A database that the migrations made."""
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        migrate(connection, to=to)
    engine.dispose()
    return path


@pytest.mark.usefixtures("log")
def test_a_new_database_is_what_the_migrations_make(path: Path, tmp_path: Path) -> None:
    assert dump(path) == dump(migrated(tmp_path / "migrated.db", to="head"))


def test_the_head_is_the_newest_migration() -> None:
    assert max(file.stem[:4] for file in (MIGRATIONS / "versions").glob("*.py")) == tables.HEAD


def test_an_older_database_says_to_upgrade_and_keeps_its_records(url: str, log: Log, path: Path) -> None:
    log.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
    with pytest.raises(NotRecorded, match="consent log upgrade"):
        log.record(grant(), timeout=2)
    assert "consent log upgrade" in run("show", RECEIPT, "--url", url).stderr


def test_a_database_of_a_newer_library_is_left_alone(log: Log, path: Path) -> None:
    log.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(NotRecorded, match="newer"):
        log.record(grant(), timeout=2)


def test_upgrade_brings_an_empty_file_to_the_present_schema(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    result = run("upgrade", "--url", f"sqlite:///{path}")
    assert (result.exit_code, result.output) == (0, f"The log went from schema none to {tables.HEAD}.\n")
    with closing(open_recorder(f"sqlite:///{path}")) as log:
        log.archive(ARTEFACT)
        log.record(grant(), timeout=2)


def test_upgrade_of_an_upgraded_database_changes_nothing(url: str, path: Path) -> None:
    before = path.read_bytes()
    assert "already" in run("upgrade", "--url", url).output
    assert json.loads(run("upgrade", "--url", url, "--json").output) == {"before": tables.HEAD, "after": tables.HEAD}
    assert path.read_bytes() == before


def test_upgrade_makes_no_database(tmp_path: Path) -> None:
    assert run("upgrade", "--url", f"sqlite:///{tmp_path}/none.db").exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_upgrade_can_go_to_one_version(tmp_path: Path) -> None:
    (tmp_path / "some.db").touch()
    assert upgrade(Address.of(f"sqlite:///{tmp_path}/some.db"), to="0001") == (None, "0001")
