"""Counts by day, and the records for other tools."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from conftest import grant, put, refusal

from consent.log import sealer, verifier
from consent.log.bundle import write
from consent.log.commands import log as command
from consent.log.erase import erase
from consent.log.export import COLUMNS, _cell
from consent.log.figures import categories, days
from consent.log.keyring import Keyring
from consent.log.store import Store

RECEIPT = "a1" * 16


@pytest.fixture
def sealed(store: Store, path: Path) -> Store:
    """Two days: three grants, one of them in part, and five refusals; then a grant and its withdrawal."""
    for day, decisions in (
        (1, [{}, {}, {"event": "partial"}]),
        (2, [{"receipt_id": RECEIPT}, {"receipt_id": RECEIPT, "event": "withdrawn", "decisions": {"video": False}}]),
    ):
        noon = datetime(2026, 7, day, 12, tzinfo=UTC)
        store.now = lambda noon=noon: noon  # type: ignore[misc]
        put(store, *(grant(occurred_at=noon, **changes) for changes in decisions))
        put(store, *(refusal(occurred_at=noon) for _ in range(5 if day == 1 else 0)))
        sealer.seal(store)
        sealer.sign(store, Keyring.of(str(path)))
    return store


def run(path: Path, *arguments: object) -> Result:
    return CliRunner().invoke(command, [*map(str, arguments), "--url", f"sqlite:///{path}"])


def test_the_days_are_counted_and_the_verifier_counts_the_same(sealed: Store, path: Path) -> None:
    first, second = days(sealed)
    assert (first.day, first.allowed, first.refused, first.ended) == ("2026-07-01", 3, 5, 0)
    assert first.rate == pytest.approx(3 / 8)
    assert (second.allowed, second.refused, second.ended, second.rate) == (1, 0, 1, 1.0)
    assert categories(sealed) == {"analytics": (0, 4), "video": (4, 5)}
    out = path.with_suffix(".tar")
    write(sealed, out)
    recounted = verifier.verify(str(out)).counts
    assert sum(recounted.values()) == sum(sum(day.events.values()) for day in days(sealed)) == 10


@pytest.mark.usefixtures("sealed")
def test_the_table_has_a_bar_for_each_day(path: Path) -> None:
    lines = run(path, "stats").output.splitlines()
    assert lines[0].split()[:2] == ["Day", "(UTC)"]
    assert lines[1].startswith("2026-07-01  3        5        0      38%")
    assert lines[1].count("█") == 15
    assert lines[1].count("░") == 25
    assert lines[2].count("█") == 5
    assert lines[3].startswith("all         4        5        1      44%")


@pytest.mark.usefixtures("sealed")
def test_statistics_for_machines_and_for_some_days(path: Path) -> None:
    data = json.loads(run(path, "stats", "--json", "--from", "2026-07-02").output)
    assert data["days"] == [{"day": "2026-07-02", "granted": 1, "withdrawn": 1, "rate": 1.0}]
    assert run(path, "stats", "--from", "2030-01-01").output == "Nothing is sealed for these days.\n"
    assert run(path, "stats", "--from", "2026-07-02", "--to", "2026-07-01").exit_code == 3


@pytest.mark.usefixtures("sealed")
def test_json_lines_have_every_decision_in_the_order_of_the_tree(path: Path) -> None:
    result = run(path, "export", "-", "--format", "jsonl")
    rows = [json.loads(line) for line in result.output.splitlines()]
    assert [row["leaf"] for row in rows] == list(range(10))
    assert tuple(rows[0]) == COLUMNS
    assert rows[8]["receipt"] == RECEIPT
    assert rows[8]["services_granted"] == ["youtube"]
    assert {row["event"] for row in rows} == {"granted", "partial", "refused", "withdrawn"}


def test_what_was_erased_is_exported_without_a_person(sealed: Store, path: Path) -> None:
    erase(sealed, bytes.fromhex(RECEIPT))
    rows = [json.loads(line) for line in run(path, "export", "-", "--format", "jsonl").output.splitlines()]
    assert len(rows) == 10, "the erasure's own leaf is no decision"
    erased = [row for row in rows if row["erased"]]
    assert [(row["leaf"], row["receipt"], row["granted"]) for row in erased] == [(8, None, ["video"]), (9, None, [])]


@pytest.mark.usefixtures("sealed")
def test_csv_and_parquet_say_the_same_as_json_lines(path: Path, tmp_path: Path) -> None:
    for name in ("out.csv", "out.parquet", "out.jsonl"):
        result = run(path, "export", tmp_path / name)
        assert result.exit_code == 0, result.output
        assert result.output == f"{tmp_path / name}: 10 records.\n"
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert pq.read_table(tmp_path / "out.parquet").to_pylist() == lines
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["leaf"] for row in rows] == [str(line["leaf"]) for line in lines]
    assert [row["granted"] for row in rows] == [" ".join(line["granted"]) for line in lines]
    assert not list(tmp_path.glob("*.new"))


@pytest.mark.usefixtures("sealed")
def test_only_the_days_that_are_asked_for_are_exported(path: Path) -> None:
    result = run(path, "export", "-", "--format", "csv", "--from", "2026-07-02", "--to", "2026-07-02")
    assert len(list(csv.reader(io.StringIO(result.output)))) == 3


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert _cell(text) == f"'{text}"
    assert _cell([text, "b"]).startswith("'")
    assert _cell("plain=1") == "plain=1"


@pytest.mark.usefixtures("sealed")
def test_an_unknown_form_is_wrong_usage(path: Path, tmp_path: Path) -> None:
    assert run(path, "export", tmp_path / "out.xlsx").exit_code == 3
    assert list(tmp_path.glob("out*")) == []
