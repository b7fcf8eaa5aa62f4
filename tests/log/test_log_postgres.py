"""The log on PostgreSQL: everything that it does on SQLite, and several processes at once."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import ARTEFACT, grant, put, refusal, soon
from log_postgres import Cluster
from sqlalchemy.exc import SQLAlchemyError

from consent.errors import ConfigError
from consent.log import merkle, open_recorder, sealer, tables, verifier
from consent.log.address import Address
from consent.log.bundle import write
from consent.log.commands import log as command
from consent.log.erase import erase
from consent.log.export import export
from consent.log.figures import days
from consent.log.keyring import Keyring
from consent.log.prune import prune
from consent.log.rotation import rotate
from consent.log.store import Store
from consent.log.tlogproof import proofs
from consent.log.upgrade import upgrade

RECEIPT = "9c" * 16
_numbers = iter(range(1000))


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    cluster = Cluster()
    yield cluster
    cluster.remove()


@pytest.fixture
def url(cluster: Cluster, tmp_path: Path) -> str:
    return cluster.url(f"log{next(_numbers)}", tmp_path)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    store = Store(Address.of(url))
    with store.transaction() as connection:
        store.archive(connection, [ARTEFACT])
    yield store
    store.close()


def keyring(store: Store) -> Keyring:
    return Keyring.of(store.address.keys)


def seal(store: Store) -> None:
    while sealer.seal(store):
        pass
    sealer.sign(store, keyring(store))


def checked(store: Store, tmp_path: Path) -> verifier.Report:
    out = tmp_path / "bundle.tar"
    write(store, out)
    return verifier.verify(str(out))


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_decisions_are_recorded_sealed_and_proved(url: str, tmp_path: Path) -> None:
    with closing(open_recorder(url)) as log:
        log.archive(ARTEFACT)
        log.record(grant(receipt_id=RECEIPT), timeout=5)
        log.record(decision := grant(receipt_id=RECEIPT, event="withdrawn"), timeout=5)
        log.record(decision, timeout=5)
        log.record(refusal(), timeout=5)
        log.tally("posted")
        log.tally("posted")
        assert [n for _, _, n in log.tallies("posted")] == [2]
        assert b"KI-CR-v1.1.0" in (log.receipt(RECEIPT, "kantara") or b"")
        assert log.artefact(ARTEFACT.digest) is not None
    out = tmp_path / "out.tar"
    assert run("seal", "--url", url).exit_code == 0
    assert run("bundle", out, "--url", url).exit_code == 0
    report = verifier.verify(str(out))
    assert (report.good, report.size) == (True, 3)
    shown = run("show", RECEIPT, "--url", url)
    assert shown.exit_code == 0
    assert shown.output.count("yes") == 2


def test_erased_pruned_rotated_and_counted_it_still_verifies(store: Store, tmp_path: Path) -> None:
    for day in range(1, 8):
        noon = datetime(2026, 7, day, 12, tzinfo=UTC)
        store.now = lambda noon=noon: noon  # type: ignore[misc]
        put(store, *(grant(occurred_at=noon) for _ in range(60)), grant(occurred_at=noon, receipt_id=RECEIPT))
        put(store, *(refusal(occurred_at=noon) for _ in range(40)))
        seal(store)
    done = prune(store, keyring(store), before=date(2026, 7, 4), refusals_before=date(2026, 7, 6))
    assert done.leaves == 256
    rotate(store, keyring(store))
    assert len(erase(store, bytes.fromhex(RECEIPT))) in (4, 5)
    seal(store)
    put(store, grant(receipt_id=RECEIPT))
    seal(store)
    report = checked(store, tmp_path)
    assert (report.good, report.problems, report.pruned) == (True, [], 256)
    assert sum(sum(day.events.values()) for day in days(store)) == 7 * 101 + 1
    assert len(proofs(store, bytes.fromhex(RECEIPT))) == 1
    with (tmp_path / "out.jsonl").open("wb") as file:
        assert export(store, file, form="jsonl") == 7 * 101 + 1 - 256


def test_a_changed_row_is_found(store: Store, tmp_path: Path) -> None:
    put(store, *(grant() for _ in range(5)))
    seal(store)
    assert checked(store, tmp_path).good
    with store.transaction() as connection:
        connection.exec_driver_sql(
            "UPDATE record SET salt = decode(repeat('00', 32), 'hex') WHERE event_id = "
            "(SELECT event_id FROM leaf WHERE leaf_index = 3)"
        )
    assert [index for index, _ in checked(store, tmp_path).problems] == [3]


def test_many_processes_and_racing_sealers_lose_and_double_nothing(
    url: str, store: Store, child: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    writers = [
        child(
            "from threading import Thread\nlog = open_recorder(sys.argv[1] + '&seal=off')\nlog.archive(ARTEFACT)\n"
            "def some():\n"
            "    for _ in range(25):\n"
            "        decision = grant()\n"
            "        for _ in range(3):\n"
            "            log.record(decision, timeout=20)\n"
            "        sys.stdout.write(decision.record_id + '\\n')\n"
            "threads = [Thread(target=some) for _ in range(4)]\n"
            "[thread.start() for thread in threads]\n[thread.join() for thread in threads]\nlog.close()\n",
            url,
        )
        for _ in range(3)
    ]
    sealers = [
        child(
            "from consent.log import sealer\nfrom consent.log.keyring import Keyring\nimport time\n"
            "store = Store(Address.of(sys.argv[1]))\nend = time.monotonic() + 60\n"
            "while sys.stdin.readable() and time.monotonic() < end:\n"
            "    sealer.seal(store, limit=7)\n"
            "    print('sealed', flush=True)\n"
            "    time.sleep(0.005)\n",
            url,
        )
        for _ in range(3)
    ]
    said = [writer.communicate(timeout=90)[0] for writer in writers]
    for process in sealers:
        process.kill()
    acknowledged = [line for text in said for line in text.split()]
    assert len(acknowledged) == 300
    seal(store)
    with store.reading() as connection:
        ids = [
            str(row[0])
            for row in connection.execute(tables.record.select().with_only_columns(tables.record.c.event_id))
        ]
        leaves = connection.execute(
            tables.leaf.select().with_only_columns(tables.leaf.c.leaf_index).order_by(tables.leaf.c.leaf_index)
        ).scalars()
        assert list(leaves) == list(range(300))
    assert len(ids) == 300
    report = checked(store, tmp_path)
    assert (report.good, report.records) == (True, 300)


def test_of_two_sealers_that_read_the_same_head_one_begins_again(store: Store) -> None:
    """Where no row lock held, the head's compare-and-swap and the tree's keys decide."""
    put(store, *(grant() for _ in range(4)))
    sealer.seal(store)
    put(store, grant(), grant())
    with store.transaction() as connection:
        head = sealer.head(store, connection)
        with pytest.raises(sealer.ProofError, match="moved the head"):
            sealer._step_head(store, connection, head.size - 1, merkle.CompactRange(), store.now())
    assert sealer.seal(store) == 2


def test_a_server_that_is_away_loses_nothing_and_gets_it_later(cluster: Cluster, url: str, tmp_path: Path) -> None:
    with closing(open_recorder(url)) as log:
        log.archive(ARTEFACT)
        before = [grant() for _ in range(5)]
        for decision in before:
            log.record(decision, timeout=5)
        cluster.stop()
        try:
            during = [grant() for _ in range(20)]
            for decision in during:
                log.record(decision, timeout=2)
            assert list((tmp_path / "spool").glob("*.spool"))
        finally:
            cluster.start()
        log.record(after := grant(), timeout=5)
        store = Store(Address.of(url))
        everything = [*before, *during, after]

        def recorded() -> list[str | None]:
            return [d.record_id for d in everything if not store.history(bytes.fromhex(d.receipt_id or ""))]

        assert soon(lambda: recorded() == [], 10)
    assert not list((tmp_path / "spool").glob("*.spool"))
    seal(store)
    assert checked(store, tmp_path).records == 26
    store.close()


def test_a_sealer_that_runs_on_outlives_the_server(
    cluster: Cluster, url: str, store: Store, child: Callable[..., subprocess.Popen[str]]
) -> None:
    sealer_process = child(
        "from consent.log.commands import log\nlog(['seal', '--every', '100ms', '--url', sys.argv[1]])\n", url
    )
    assert sealer_process.stdout
    put(store, grant())
    assert sealer_process.stdout.readline() == "1 sealed, 1 in all.\n"
    store.close()
    cluster.stop()
    time.sleep(0.5)
    cluster.start()
    again = Store(store.address)
    put(again, grant(), grant())
    assert sealer_process.stdout.readline() == "2 sealed, 3 in all.\n"
    again.close()


def test_a_database_that_never_was_there_is_said_by_the_command(cluster: Cluster, tmp_path: Path) -> None:
    url = f"postgresql://consent@/nothing?host={cluster.folder}&origin=a&keys={tmp_path}/k&spool={tmp_path}/s"
    result = run("show", RECEIPT, "--url", url)
    assert result.exit_code == 2
    assert 'database "nothing" does not exist' in result.stderr


@pytest.mark.parametrize(("default", "used"), [("off", "on"), ("on", "on"), ("remote_apply", "remote_apply")])
def test_a_commit_is_on_disk_before_it_counts_whatever_the_server_says(
    url: str, store: Store, default: str, used: str
) -> None:
    with store.transaction() as connection:
        name = connection.exec_driver_sql("SELECT current_database()").scalar()
        connection.exec_driver_sql(f"ALTER DATABASE {name} SET synchronous_commit = {default}")
    with closing(Store(Address.of(url))) as again, again.transaction() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == used


def test_reading_writes_nothing(url: str, store: Store) -> None:
    with closing(Store(Address.of(url), readonly=True)) as reader, reader.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM log").scalar() == 1
        with pytest.raises(SQLAlchemyError, match="read-only"):
            connection.exec_driver_sql("DELETE FROM log")
    assert store.origin == "news.example/consent"


def test_two_sites_share_a_database(url: str, store: Store, tmp_path: Path) -> None:
    put(store, grant(), grant())
    other = Store(Address.of(url.replace("origin=news.example/consent", "origin=other.example/consent")))
    with other.transaction() as connection:
        other.archive(connection, [ARTEFACT])
    put(other, grant())
    for each in (store, other):
        seal(each)
    assert (checked(store, tmp_path).size, checked(other, tmp_path).size) == (2, 1)
    assert len(Keyring.of(store.address.keys)._signers()) == 2
    other.close()


def test_an_older_schema_is_upgraded(cluster: Cluster, tmp_path: Path) -> None:
    address = Address.of(cluster.url(f"log{next(_numbers)}", tmp_path))
    assert upgrade(address, to="0001") == (None, "0001")
    result = run("show", RECEIPT, "--url", _url(address))
    assert "consent log upgrade" in result.stderr
    assert upgrade(address) == ("0001", tables.HEAD)
    again = Store(address)
    put_artefact(again)
    put(again, grant())
    seal(again)
    again.close()


def put_artefact(store: Store) -> None:
    with store.transaction() as connection:
        store.archive(connection, [ARTEFACT])


def test_the_migrations_make_what_a_new_database_has(cluster: Cluster, store: Store, tmp_path: Path) -> None:
    address = Address.of(cluster.url(f"log{next(_numbers)}", tmp_path))
    upgrade(address)
    migrated = Store(address)
    query = (
        "SELECT table_name, column_name, data_type, is_nullable, character_maximum_length "
        "FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2"
    )
    keys = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
    found = []
    for each in (store, migrated):
        with each.reading() as connection:
            found.append([connection.exec_driver_sql(text).all() for text in (query, keys)])
    migrated.close()
    assert found[0] == found[1]


def test_an_address_without_a_name_is_refused_and_no_password_is_shown() -> None:
    with pytest.raises(ConfigError, match="has no name") as caught:
        Address.of("postgresql://consent:secret@db.example/news")
    assert "secret" not in str(caught.value)
    address = Address.of("postgresql://consent:secret@db.example:5433/news?origin=a&sslmode=require")
    assert str(address) == "postgresql://db.example:5433/news"
    assert address.server.endswith("?sslmode=require")


def test_a_grant_long_ago_expires_by_retention_on_the_server_too(store: Store, tmp_path: Path) -> None:
    put(store, *(grant(occurred_at=datetime.now(UTC) - timedelta(days=400)) for _ in range(300)))
    put(store, grant())
    seal(store)
    result = run("prune", "--keep", "1 year", "--json", "--url", _url(store.address))
    assert json.loads(result.output)["leaves"] == 256, result.output
    assert checked(store, tmp_path).good


def _url(address: Address) -> str:
    return (
        address.server.replace("postgresql+psycopg", "postgresql")
        + f"&origin={address.origin}&keys={address.keys}&spool={address.spool}"
    )
