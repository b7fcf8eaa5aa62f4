"""Events that are only counted: added up by day, written down with other work or when there is none."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from conftest import ARTEFACT, grant

from consent.log import open_recorder
from consent.log.tally import MOST_DETAILS, OTHERS


def today() -> date:
    return datetime.now(UTC).date()


@pytest.mark.parametrize("where", ["memory", "file"])
def test_events_add_up_by_day_and_detail(tmp_path: Path, where: str) -> None:
    log = open_recorder("memory://" if where == "memory" else f"sqlite:///{tmp_path / 'log.db'}")
    for _ in range(3):
        log.tally("csp", "img-src evil.example")
    log.tally("csp", "font-src evil.example")
    log.tally("gpc")
    assert log.tallies("csp") == [(today(), "font-src evil.example", 1), (today(), "img-src evil.example", 3)]
    log.tally("gpc")
    assert log.tallies("gpc") == [(today(), "", 2)]
    assert log.tallies("flood") == []
    log.close()


def test_counts_of_several_processes_add_up_and_survive_closing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'log.db'}"
    for _ in range(2):
        log = open_recorder(url)
        log.tally("posted")
        log.close()
    again = open_recorder(url)
    assert again.tallies("posted") == [(today(), "", 2)]
    again.close()


def test_endless_details_count_together(tmp_path: Path) -> None:
    log = open_recorder(f"sqlite:///{tmp_path / 'log.db'}")
    for number in range(MOST_DETAILS + 20):
        log.tally("csp", f"img-src h{number}.example")
    found = {detail: n for _, detail, n in log.tallies("csp")}
    assert len(found) == MOST_DETAILS + 1
    assert found[OTHERS] == 20
    log.close()


def test_counting_neither_waits_nor_raises_where_the_database_cannot_be_used(tmp_path: Path) -> None:
    folder = tmp_path / "log.db"
    folder.mkdir()
    log = open_recorder(f"sqlite:///{folder}")
    begun = time.monotonic()
    for _ in range(1000):
        log.tally("posted")
    assert time.monotonic() - begun < 1
    log.close()


def test_a_receipt_is_read_and_erased_through_the_recorder(tmp_path: Path) -> None:
    log = open_recorder(f"sqlite:///{tmp_path / 'log.db'}")
    log.archive(ARTEFACT)
    decision = grant()
    log.record(decision, timeout=2)
    assert decision.receipt_id
    for form in ("kantara", "iso27560", "text"):
        found = log.receipt(decision.receipt_id, form)
        assert found
        assert decision.receipt_id.encode() in found
    assert log.receipt("0" * 32, "text") is None
    assert not log.erase("0" * 32)
    assert log.erase(decision.receipt_id)
    assert log.receipt(decision.receipt_id, "text") is None
    assert not log.erase(decision.receipt_id)
    log.close()
