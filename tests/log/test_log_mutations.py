"""Every column of every table of the evidence changed, one at a time: the offline verifier finds each that matters.

The columns that it does not find are listed with the reason; a column that is in neither list fails the test, so that
a new one has to be judged.
"""

from __future__ import annotations

import secrets
import shutil
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import ARTEFACT, grant, put, refusal
from log_authority import Authority

from consent.log import sealer, tables, verifier
from consent.log.address import Address
from consent.log.anchor import anchor
from consent.log.announcement import announce
from consent.log.commands import log as command
from consent.log.erase import erase
from consent.log.keyring import Keyring
from consent.log.prune import prune
from consent.log.store import Store

RECEIPT = "5b" * 16

# What a change of these shows, or why it shows nothing: they say nothing to an auditor, or are not handed out.
SILENT = {
    "alembic_version.version_num": "how the database is laid out, not what is in it",
    "log.log_id": "which rows belong together; changed alone, the log is empty",
    "log.created_on": "for the operator; not in the bundle",
    "artefact.log_id": "as log.log_id: then the notice is missing, which is found below as a deletion",
    "artefact.archived_on": "for retention; not in the bundle",
    "record.received_at": "the order of what waits; the tree has the order that counts",
    "record.day": "an index; the entry has the day that counts",
    "record.event": "an index; the entry has the event that counts",
    "record.receipt": "an index; the payload has the receipt that counts",
    "record.artefact": "an index; the entry has the notice that counts",
    "record.leaf": "a copy; the verifier computes the leaf from the entry",
    "unsealed.log_id": "not sealed yet, so not in a bundle",
    "unsealed.event_id": "not sealed yet, so not in a bundle",
    "unsealed.received_at": "not sealed yet, so not in a bundle",
    "head.log_id": "where the sealer goes on; the checkpoints count",
    "head.size": "where the sealer goes on; the checkpoints count",
    "head.frontier": "where the sealer goes on; the checkpoints count",
    "head.sealed_at": "where the sealer goes on; the checkpoints count",
    "checkpoint.root": "a copy; the signed note has the root that counts",
    "checkpoint.day": "for keeping one a day; not in the bundle",
    "log_key.first_size": "the order in which keys are listed; their leaves count",
    "tally.log_id": "counts of what is no decision; not in the bundle",
    "tally.day": "counts of what is no decision; not in the bundle",
    "tally.what": "counts of what is no decision; not in the bundle",
    "tally.detail": "counts of what is no decision; not in the bundle",
    "tally.n": "counts of what is no decision; not in the bundle",
    "anchor.size": "a stamp that is moved away is a stamp that is left out",
    "anchor.authority": "where the stamp came from; the stamp itself says whose it is",
    "anchor.log_id": "as log.log_id: the stamp is left out, which shows as a log without one",
    "checkpoint.log_id": "as log.log_id: no checkpoint, no bundle",
    "log_key.log_id": "as log.log_id; who trusts a key brings it along",
    "tile.level": "a tile that is moved away is one that is taken away, below",
    "tile.tile_index": "a tile that is moved away is one that is taken away, below",
    "tile.log_id": "the verifier computes the hashes of what is there from the records",
}
COLUMNS = [f"{table.name}.{column.name}" for table in tables.metadata.sorted_tables for column in table.columns]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log with all that there is: refusals, grants, an erasure, a reduction, a pruning, a stamp, something new."""
    folder = tmp_path_factory.mktemp("original")
    path, authority = folder / "consent.db", Authority(folder / "authority")
    store, keyring = Store(Address.of(f"sqlite:///{path}?origin=news.example/consent")), Keyring.of(str(path))
    with store.transaction() as connection:
        store.archive(connection, [ARTEFACT])
    for day in range(1, 7):
        noon = datetime(2026, 7, day, 12, tzinfo=UTC)
        store.now = lambda noon=noon: noon  # type: ignore[misc]
        put(store, *(grant(occurred_at=noon) for _ in range(60)), grant(occurred_at=noon, receipt_id=RECEIPT))
        put(store, *(refusal(occurred_at=noon) for _ in range(60)))
        sealer.seal(store)
        sealer.sign(store, keyring)
    prune(store, keyring, before=date(2026, 7, 4), refusals_before=date(2026, 7, 5))
    erase(store, bytes.fromhex(RECEIPT))
    sealer.sign(store, keyring)
    anchor(store, "https://stamps.example/", ask=lambda _, request: authority.stamp(request))
    with store.transaction() as connection:
        connection.execute(
            tables.tally.insert().values(
                log_id=store.log_id, day="2026-07-01", what="csp", detail="img-src evil.example", n=3
            )
        )
        announce(store, connection, "retention", {"until": "2020-01-01", "e": ["refused"]})
    store.close()
    return path


def altered(original: Path, folder: Path, *statements: str) -> Path:
    """A copy of the database in which these statements were run."""
    path = folder / f"{secrets.token_hex(4)}.db"
    with closing(sqlite3.connect(original)) as old, closing(sqlite3.connect(path)) as new:
        old.backup(new)
        for statement in statements:
            assert new.execute(statement).rowcount, statement
        new.commit()
    return path


def verified(path: Path, vkey: str | None = None) -> tuple[int, str]:
    """Exit code and words of the bundle's own verifier, or of the command that made no bundle."""
    out = path.with_suffix(".tar")
    made = CliRunner().invoke(command, ["bundle", str(out), "--url", f"sqlite:///{path}"])
    if made.exit_code:
        return made.exit_code, made.output
    with tarfile.open(out) as tar:
        script = tar.extractfile("verify.py")
        assert script is not None
        (path.parent / "verify.py").write_bytes(script.read())
    trust = ["--key", vkey] if vkey else []
    result = subprocess.run(
        [sys.executable, "-I", "verify.py", out.name, *trust], cwd=path.parent, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert "Traceback" not in result.stderr
    return result.returncode, result.stdout + result.stderr


def changes(path: Path, column: str) -> Iterator[str]:
    """Statements that change this column of one row: first, last and, where there are many, one in the middle."""
    table, _, name = column.partition(".")
    with closing(sqlite3.connect(path)) as connection:
        key = ", ".join(str(part.name) for part in tables.metadata.tables[table].primary_key)
        rows = connection.execute(f"SELECT {name}, {key} FROM {table} WHERE {name} IS NOT NULL ORDER BY {key}")
        found = rows.fetchall()
    names = key.split(", ")
    for number in sorted({0, len(found) // 2, len(found) - 1} if found else ()):
        value, *place = found[number]
        where = " AND ".join(f"{each} = {_literal(part)}" for each, part in zip(names, place, strict=True))
        yield f"UPDATE {table} SET {name} = {_literal(_other(value))} WHERE {where}"


def _literal(value: object) -> str:
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"


def _other(value: object) -> object:
    if isinstance(value, bytes):
        at = len(value) - 1 if value[:1] == b"0" else len(value) // 2  # of a stamp, its signature
        return value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :]
    if isinstance(value, int):
        return value + 1_000_003
    text = str(value)
    middle = len(text) // 2
    if not text:
        return "something"
    return text[:middle] + chr(ord(text[middle]) ^ 1) + text[middle + 1 :]


def test_the_log_that_is_changed_below_is_good(original: Path, tmp_path: Path) -> None:
    code, said = verified(altered(original, tmp_path))
    assert code == 0, said
    for word in (
        "Pruned         the first 256",
        "Reduced        106 refusals",
        "Erased         4 by right",
        "Anchored       7",
    ):
        assert word in said, said


@pytest.mark.parametrize("column", [column for column in COLUMNS if column not in SILENT])
def test_a_change_of_this_column_is_found(original: Path, tmp_path: Path, column: str) -> None:
    statements = list(changes(original, column))
    assert statements
    tried = 0
    for statement in statements:
        try:
            path = altered(original, tmp_path, statement)
        except sqlite3.IntegrityError:  # the database itself refuses it
            continue
        tried += 1
        code, said = verified(path)
        assert code == 2 or (code == 1 and "BAD" in said), f"{statement}\n{said}"
    assert tried


@pytest.mark.parametrize(
    "column", [column for column in SILENT if not column.endswith("log_id") and column[:5] != "tile."]
)
def test_a_change_of_this_column_shows_nothing_and_hides_nothing(original: Path, tmp_path: Path, column: str) -> None:
    for statement in list(changes(original, column))[:1]:
        with suppress(sqlite3.IntegrityError):
            code, said = verified(altered(original, tmp_path, statement))
            assert (code, "BAD" in said) in ((0, False), (2, False)), f"{statement}\n{said}"


ROWS = ("record", "leaf", "artefact", "checkpoint", "daily", "pruned")


@pytest.mark.parametrize("table", ROWS)
def test_a_row_that_is_taken_away_is_found(original: Path, tmp_path: Path, table: str) -> None:
    key = ", ".join(str(part.name) for part in tables.metadata.tables[table].primary_key)
    joined = "JOIN leaf USING (log_id, event_id)" if table == "record" else ""
    with closing(sqlite3.connect(original)) as connection:
        row = connection.execute(f"SELECT {key} FROM {table} {joined} ORDER BY {key} DESC LIMIT 1").fetchone()
    place = " AND ".join(f"{name} = {_literal(part)}" for name, part in zip(key.split(", "), row, strict=True))
    code, said = verified(altered(original, tmp_path, f"DELETE FROM {table} WHERE {place}"))
    assert code != 0, said


def test_a_tile_is_missed_only_where_nothing_else_tells_its_hashes(original: Path, tmp_path: Path) -> None:
    assert verified(altered(original, tmp_path, "DELETE FROM tile WHERE level = 0 AND tile_index = 2"))[0] == 0
    code, said = verified(altered(original, tmp_path, "DELETE FROM tile WHERE level = 0 AND tile_index = 0"))
    assert (code, "the checkpoint of 121 leaves can't be compared" in said) == (1, True), "its leaves are pruned"
    assert verified(altered(original, tmp_path, "DELETE FROM tile WHERE tile_index = 0"))[0] == 1


def test_a_record_that_is_put_in_is_found(original: Path, tmp_path: Path) -> None:
    """Between others, where its leaf shifts the rest; at the end, where no checkpoint speaks of it."""
    columns = "log_id, event_id, received_at, day, event, receipt, artefact, payload, salt, entry, leaf"
    copied = columns.replace("event_id", "randomblob(16)")
    row = f"INSERT INTO record ({columns}) SELECT {copied} FROM record WHERE event = 'granted' LIMIT 1"
    middle = altered(
        original, tmp_path, row,
        "UPDATE leaf SET leaf_index = -leaf_index - 1 WHERE leaf_index >= 400",
        "UPDATE leaf SET leaf_index = -leaf_index WHERE leaf_index < 0",
        "INSERT INTO leaf SELECT log_id, 400, event_id FROM record ORDER BY rowid DESC LIMIT 1",
    )  # fmt: skip
    code, said = verified(middle)
    assert code == 1
    assert "record 400:" in said


def test_a_record_posing_as_erased_or_as_reduced_is_found(original: Path, tmp_path: Path) -> None:
    for event, day in (("granted", "2026-07-06"), ("refused", "2026-07-06"), ("granted", "2026-07-04")):
        path = altered(
            original, tmp_path,
            "UPDATE record SET payload = NULL, salt = NULL, receipt = NULL WHERE event_id = (SELECT event_id "
            "FROM record JOIN leaf USING (log_id, event_id)"
            f" WHERE event = '{event}' AND day = '{day}' AND payload NOT NULL LIMIT 1)",
        )  # fmt: skip
        code, said = verified(path)
        assert code == 1, said
        assert "no erasure leaf says why" in said


def test_an_announcement_made_up_for_a_hidden_record_is_found(original: Path, tmp_path: Path) -> None:
    """The leaf of an erasure is in the tree: changed so that it names one more, it is another leaf."""
    path = altered(
        original, tmp_path, "UPDATE record SET entry = replace(entry, '\"i\":[', '\"i\":[300,') WHERE event = 'erasure'"
    )
    assert verified(path)[0] == 1


def test_two_histories_are_told_apart_by_a_checkpoint_of_one(original: Path, tmp_path: Path) -> None:
    """Both are signed with the true key and good by themselves; side by side they are not one log."""
    one, other = (altered(original, tmp_path) for _ in range(2))
    kept = []
    for path in (one, other):
        for suffix in (".key", ".guard"):
            shutil.copy(f"{original}{suffix}", f"{path}{suffix}")
        store = Store(Address.of(f"sqlite:///{path}"))
        put(store, grant(occurred_at=datetime.now(UTC)))
        while sealer.seal(store):
            pass
        kept.append(str(sealer.sign(store, Keyring.of(str(path)))))
        store.close()
        assert verified(path)[0] == 0
    out = one.with_suffix(".tar")
    assert verifier.verify(str(out), kept=kept[:1]).good
    report = verifier.verify(str(out), kept=kept[1:])
    assert any("another history" in what for _, what in report.problems)


def test_every_column_is_judged() -> None:
    assert set(SILENT) <= set(COLUMNS)
