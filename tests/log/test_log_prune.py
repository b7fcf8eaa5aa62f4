"""Retention: what was kept long enough is gone from the disk, and what remains still verifies."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import ARTEFACT, grant, put, refusal

from consent.decision import Artefact
from consent.log import sealer, verifier
from consent.log.bundle import write
from consent.log.commands import log as command
from consent.log.erase import erase
from consent.log.figures import days
from consent.log.keyring import Keyring
from consent.log.prune import due, prune
from consent.log.store import Store
from consent.log.tlogproof import proofs
from consent.log.tlogproof import verify as verify_proof

PER_DAY = 100
RECEIPT = "3d" * 16


@pytest.fixture
def aged(store: Store, path: Path) -> Store:
    """Ten days with a hundred records each and a checkpoint a day; every tenth is a refusal."""
    for day in range(1, 11):
        noon = datetime(2026, 7, day, 12, tzinfo=UTC)
        store.now = lambda noon=noon: noon  # type: ignore[misc]
        put(store, *(grant(occurred_at=noon) for _ in range(PER_DAY - 11)), grant(occurred_at=noon, receipt_id=RECEIPT))
        put(store, *(refusal(occurred_at=noon) for _ in range(10)))
        sealer.seal(store)
        sealer.sign(store, Keyring.of(str(path)))
    return store


def checked(store: Store, path: Path, **options: object) -> verifier.Report:
    out = path.with_suffix(".tar")
    write(store, out, **options)  # type: ignore[arg-type]
    return verifier.verify(str(out))


def cut(store: Store, path: Path, day: int) -> int:
    return prune(store, Keyring.of(str(path)), before=date(2026, 7, day)).leaves


def on_disk(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(path.parent.iterdir()) if file.suffix != ".tar")


def payloads(store: Store, where: str) -> list[bytes]:
    with store.reading() as connection:
        found = connection.exec_driver_sql(
            "SELECT payload FROM record JOIN leaf USING (log_id, event_id) WHERE payload IS NOT NULL "
            f"AND receipt IS NOT x'{RECEIPT}' AND {where}"  # its later records name the earlier ones
        )
        return [json.loads(row[0])["record_id"].encode() for row in found]


def test_whole_tiles_go_and_the_rest_verifies_with_all_its_counts(aged: Store, path: Path) -> None:
    before = checked(aged, path)
    hidden = payloads(aged, "leaf_index < 512")
    assert len(hidden) == 507
    assert all(each in on_disk(path) for each in hidden)
    assert cut(aged, path, 7) == 512, "six hundred leaves are old, two tiles are whole"
    assert [each for each in hidden if each in on_disk(path)] == []
    after = checked(aged, path)
    assert (after.good, after.problems, after.pruned, after.size) == (True, [], 512, before.size + 1)
    assert after.records == before.size + 1 - 512
    assert {day.day: sum(day.events.values()) for day in days(aged)} == {
        f"2026-07-{day:02}": PER_DAY for day in range(1, 11)
    }


def test_pruned_twice_and_erased_in_between_still_verifies(aged: Store, path: Path) -> None:
    assert cut(aged, path, 4) == 256
    assert len(erase(aged, bytes.fromhex(RECEIPT))) in (7, 8)  # of the days that are still there
    sealer.sign(aged, Keyring.of(str(path)))
    assert cut(aged, path, 9) == 512
    assert cut(aged, path, 9) == 0
    report = checked(aged, path)
    assert (report.good, report.problems, report.pruned) == (True, [], 768)


def test_every_kept_checkpoint_is_proved_and_so_is_every_kept_record(aged: Store, path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        kept = connection.execute("SELECT size, note FROM checkpoint ORDER BY size").fetchall()
    assert [size for size, _ in kept] == [PER_DAY * day for day in range(1, 11)]
    cut(aged, path, 9)
    out = path.with_suffix(".tar")
    write(aged, out)
    report = verifier.verify(str(out), kept=[note for _, note in kept])
    assert (report.good, report.problems) == (True, [])
    assert report.checkpoints[:9] == [size for size, _ in kept[:9]], "the last day has a later one"
    (vkey,) = report.keys
    made = proofs(aged, bytes.fromhex(RECEIPT))
    assert [verify_proof(text, [vkey]).index for _, text in made] == [index for index, _ in made]
    assert len(made) in (2, 3)  # of the last days, wherever in its day each came


def test_what_is_missing_without_a_prune_leaf_is_tampering(aged: Store, path: Path) -> None:
    cut(aged, path, 4)
    with aged.transaction() as connection:
        connection.exec_driver_sql("UPDATE pruned SET size = 512")
    assert "no prune leaf" in checked(aged, path).problems[0][1]


def test_changed_counts_of_what_was_pruned_are_tampering(aged: Store, path: Path) -> None:
    cut(aged, path, 4)
    assert checked(aged, path).good
    with aged.transaction() as connection:
        connection.exec_driver_sql("UPDATE pruned SET kept = replace(kept, '10]', '11]')")
    assert not checked(aged, path).good


def test_some_days_of_a_pruned_log_are_proved_by_themselves(aged: Store, path: Path) -> None:
    cut(aged, path, 4)
    report = checked(aged, path, days=(date(2026, 7, 9), date(2026, 7, 9)))
    assert (report.good, report.problems) == (True, [])
    assert checked(aged, path, receipt=bytes.fromhex(RECEIPT)).good


def test_refusals_lose_their_content_and_keep_their_counts(aged: Store, path: Path) -> None:
    old = payloads(aged, "event = 'refused' AND day < '2026-07-06'")
    young = payloads(aged, "event = 'refused' AND day >= '2026-07-06'")
    counts = checked(aged, path).counts
    done = prune(aged, Keyring.of(str(path)), refusals_before=date(2026, 7, 6))
    assert (done.refusals, done.leaves) == (50, 0)
    disk = on_disk(path)
    assert [each for each in old if each in disk] == []
    assert all(each in disk for each in young)
    report = checked(aged, path)
    assert (report.good, report.reduced, report.counts) == (True, 50, counts)
    assert prune(aged, Keyring.of(str(path)), refusals_before=date(2026, 7, 6)).refusals == 0


def test_a_grant_that_is_emptied_with_the_refusals_is_tampering(aged: Store, path: Path) -> None:
    prune(aged, Keyring.of(str(path)), refusals_before=date(2026, 7, 6))
    with aged.transaction() as connection:
        connection.exec_driver_sql(
            "UPDATE record SET payload = NULL, salt = NULL WHERE event = 'granted' AND day = '2026-07-01'"
        )
    assert checked(aged, path).problem_count == PER_DAY - 10


def test_a_notice_stays_while_a_record_cites_it(aged: Store, path: Path) -> None:
    other = Artefact.of({"html": "<p>Never shown</p>", "texts": {}})
    with aged.transaction() as connection:
        aged.archive(connection, [other])
        connection.exec_driver_sql("UPDATE artefact SET archived_on = '2026-01-01'")
    assert prune(aged, Keyring.of(str(path)), before=date(2026, 7, 5)).artefacts == 1
    assert aged.artefact(other.digest) is None
    assert aged.artefact(ARTEFACT.digest) is not None


def test_a_prune_that_was_interrupted_is_finished_by_the_next(
    aged: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import consent.log.prune as room

    monkeypatch.setattr(room, "_away", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        cut(aged, path, 7)
    monkeypatch.undo()
    hidden = payloads(aged, "leaf_index < 512")
    assert len(hidden) == 507
    assert checked(aged, path).good
    assert cut(aged, path, 7) == 0
    assert [each for each in hidden if each in on_disk(path)] == []
    assert checked(aged, path).good


def test_recording_and_sealing_go_on_after_everything_was_pruned(aged: Store, path: Path) -> None:
    cut(aged, path, 11)
    for _ in range(3):
        put(aged, *(grant() for _ in range(200)))
        sealer.seal(aged)
        sealer.sign(aged, Keyring.of(str(path)))
    report = checked(aged, path)
    assert (report.good, report.problems, report.pruned) == (True, [], 768)


def test_nothing_is_done_that_is_not_due(aged: Store, path: Path) -> None:
    assert due(aged, before=date(2026, 7, 7), refusals_before=date(2026, 7, 6)).leaves == 512
    assert due(aged, before=date(2026, 7, 7), refusals_before=date(2026, 7, 6)).refusals == 50
    size = checked(aged, path).size
    assert cut(aged, path, 2) == 0
    assert checked(aged, path).size == size


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


@pytest.mark.usefixtures("aged")
def test_the_command_takes_a_length_of_time_or_a_day(path: Path) -> None:
    url = ("--url", f"sqlite:///{path}")
    dry = run("prune", "--keep", "2026-07-07", "--dry-run", *url)
    assert dry.output == "512 leaves would be pruned, 0 refusals would be reduced to their counts.\n"
    assert run("prune", "--keep", "90 years", *url).output.startswith("0 leaves are pruned")
    assert json.loads(run("prune", "--keep", "2026-07-07", "--json", *url).output)["leaves"] == 512
    assert run("prune", *url).exit_code == 3
    assert run("prune", "--keep", "forever", *url).exit_code == 3
    assert run("prune", "--keep", "soon", *url).exit_code == 3
    far = datetime.now(UTC).date() + timedelta(days=400)
    assert run("prune", "--keep", far, "--dry-run", *url).exit_code == 0, "a day to come means up to today"


def test_a_tenth_erased_and_half_pruned_the_rest_verifies_and_no_byte_is_left(store: Store, path: Path) -> None:
    gone, kept = list[bytes](), list[bytes]()
    receipts = [f"{number:032x}" for number in range(104)]
    for day in range(1, 3):
        noon = datetime(2026, 7, day, 12, tzinfo=UTC)
        store.now = lambda noon=noon: noon  # type: ignore[misc]
        decisions = [
            grant(occurred_at=noon, **({"receipt_id": receipts[n // 10 + 52 * (day - 1)]} if n % 10 == 0 else {}))
            for n in range(512)
        ]
        put(store, *decisions)
        sealer.seal(store)
        sealer.sign(store, Keyring.of(str(path)))
        for number, decision in enumerate(decisions):
            (gone if day == 1 or number % 10 == 0 else kept).append(decision.record_id.encode())
    assert all(each in on_disk(path) for each in [*gone, *kept])
    erased = [index for receipt in receipts for index in erase(store, bytes.fromhex(receipt))]
    sealer.sign(store, Keyring.of(str(path)))
    assert len(erased) >= 102
    assert cut(store, path, 2) == 512
    disk = on_disk(path)
    assert [each for each in gone if each in disk] == []
    assert all(each in disk for each in kept)
    assert [receipt for receipt in receipts if receipt.encode() in disk] == []
    report = checked(store, path)
    assert (report.good, report.problems, report.pruned) == (True, [], 512)
    assert report.erased == sum(index >= 512 for index in erased)
