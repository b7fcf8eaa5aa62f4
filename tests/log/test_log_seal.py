"""Sealing: dense, once, in order, by whoever comes; signed only when committed, and never two histories."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import ARTEFACT, grant, put, refusal, soon

from consent.errors import NoteError, ProofError
from consent.log import checkpoint, merkle, note, open_recorder, sealer
from consent.log.address import Address
from consent.log.keyring import Keyring
from consent.log.recorder import Log
from consent.log.store import Store
from consent.log.tiles import Tiles, split

Child = Callable[..., "subprocess.Popen[str]"]


def ask(path: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def sound(path: Path) -> int:
    """Check the sealed tree against its records, row by row; how many leaves it has."""
    leaves = ask(path, "SELECT leaf_index, leaf FROM leaf JOIN record USING (log_id, event_id) ORDER BY leaf_index")
    assert [index for index, _ in leaves] == list(range(len(leaves)))
    hashes = [leaf for _, leaf in leaves]
    for size, root, text in ask(path, "SELECT size, root, note FROM checkpoint"):
        assert merkle.root(hashes[:size]) == root
        if text is not None:
            (vkey,) = (row[0] for row in ask(path, "SELECT vkey FROM log_key"))
            signed = checkpoint.parse(note.verify(text, [vkey]).text)
            assert (signed.size, signed.root) == (size, root)
    level0 = ask(path, "SELECT hashes FROM tile WHERE level = 0 ORDER BY tile_index")
    assert b"".join(row[0] for row in level0) == b"".join(hashes)
    assert sum(row[0] for row in ask(path, "SELECT n FROM daily")) == len(hashes)
    return len(hashes)


@pytest.mark.parametrize("sizes", [(1,), (255, 1, 1), (256, 256), (300, 300), (3, 700)])
def test_tiles_give_the_roots_and_proofs_of_the_leaves(sizes: tuple[int, ...]) -> None:
    stored: dict[tuple[int, int], bytes] = {}
    leaves: list[bytes] = []
    for count in sizes:
        tiles = Tiles(lambda level, index: stored.get((level, index), b""))
        new = [merkle.leaf_hash(b"%d" % number) for number in range(len(leaves), len(leaves) + count)]
        tiles.append(len(leaves), new)
        stored.update(tiles.changed)
        leaves += new
    tiles = Tiles(lambda level, index: stored.get((level, index), b""))
    size = len(leaves)
    assert tiles.root_of(0, size) == merkle.root(leaves)
    for index in {0, 1, size // 2, 255, 256, size - 1} & set(range(size)):
        assert tiles.inclusion_proof(index, size) == merkle.inclusion_proof(index, leaves)
        assert tiles.consistency_proof(index + 1, size) == merkle.consistency_proof(index + 1, leaves)
    assert [len(split(hashes)) for (level, _), hashes in sorted(stored.items()) if level == 1] in ([], [size // 256])


def test_tiles_over_65536_leaves_have_a_third_level() -> None:
    tiles = Tiles(lambda _level, _index: b"")
    leaves = [number.to_bytes(32, "big") for number in range(65_600)]
    tiles.append(0, leaves)
    assert tiles.changed[2, 0] == merkle.root(leaves[:65_536])
    assert tiles.root_of(0, len(leaves)) == merkle.root(leaves)
    assert tiles.inclusion_proof(70, len(leaves)) == merkle.inclusion_proof(70, leaves)


def test_tiles_that_lack_hashes_are_noticed() -> None:
    empty = Tiles(lambda _level, _index: b"")
    with pytest.raises(ProofError):
        empty.append(3, [bytes(32)])
    with pytest.raises(ProofError):
        empty.root_of(0, 2)


def test_what_was_recorded_is_sealed_and_signed(store: Store, path: Path) -> None:
    put(store, grant(), refusal(), grant())
    assert sealer.seal(store) == 3
    assert ask(path, "SELECT note FROM checkpoint") == [(None,)]
    signed = sealer.sign(store, Keyring.of(str(path)))
    assert signed is not None
    assert signed.startswith("news.example/consent\n3\n")
    assert ask(path, "SELECT count(*) FROM unsealed") == [(0,)]
    assert sound(path) == 3
    assert sealer.seal(store) == 0
    assert sealer.sign(store, Keyring.of(str(path))) is None


def test_a_batch_is_no_larger_than_asked_for_and_the_next_goes_on(store: Store, path: Path) -> None:
    put(store, *(grant() for _ in range(600)))
    assert [sealer.seal(store, limit=250) for _ in range(4)] == [250, 250, 100, 0]
    sealer.sign(store, Keyring.of(str(path)))
    assert sound(path) == 600
    with store.reading() as connection:
        assert sealer.head(store, connection).size == 600


def test_one_checkpoint_a_day_is_kept(store: Store, path: Path) -> None:
    day = datetime(2026, 7, 1, 9, tzinfo=UTC)
    keyring = Keyring.of(str(path))
    for moment in (day, day + timedelta(hours=1), day + timedelta(days=1), day + timedelta(days=1, hours=2)):
        store.now = lambda moment=moment: moment  # type: ignore[misc]
        put(store, grant())
        sealer.seal(store)
        sealer.sign(store, keyring)
    assert ask(path, "SELECT size, day FROM checkpoint ORDER BY size") == [(2, "2026-07-01"), (4, "2026-07-02")]
    assert sound(path) == 4


def test_the_days_are_counted_by_what_was_answered(store: Store, path: Path) -> None:
    put(store, refusal(), refusal(), grant(), grant(event="withdrawn", decisions={"video": False}))
    sealer.seal(store)
    put(store, refusal())
    sealer.seal(store)
    found = ask(path, "SELECT event, choices, n FROM daily ORDER BY event")
    assert found == [
        ("granted", '{"g":["video"],"r":["analytics"]}', 1),
        ("refused", '{"g":[],"r":["video"]}', 3),
        ("withdrawn", '{"g":[],"r":["video"]}', 1),
    ]


def test_key_and_guard_belong_to_the_site_alone(store: Store, path: Path) -> None:
    put(store, grant())
    sealer.seal(store)
    sealer.sign(store, Keyring.of(str(path)))
    keyring = Keyring.of(str(path))
    for file in (keyring.key_file, keyring.guard_file):
        assert file.stat().st_mode & 0o777 == 0o600
    guard = keyring.guard(store.origin)
    assert guard is not None
    assert guard.size == 1


def test_a_crash_between_commit_and_signature_is_made_good_with_the_same_bytes(
    store: Store, path: Path, monkeypatch: Any
) -> None:
    put(store, grant())
    sealer.seal(store)
    keyring, signed = Keyring.of(str(path)), []
    sign = note.sign

    def crashing(*arguments: Any) -> str:
        signed.append(sign(*arguments))
        raise KeyboardInterrupt

    monkeypatch.setattr(note, "sign", crashing)
    with pytest.raises(KeyboardInterrupt):
        sealer.sign(store, keyring)
    monkeypatch.undo()
    # The key was made but not noted in the rolled-back transaction; the same key signs again.
    assert sealer.sign(store, keyring) == signed[0]
    assert sound(path) == 1


def test_an_old_backup_is_not_signed(store: Store, path: Path, tmp_path: Path) -> None:
    keyring = Keyring.of(str(path))
    put(store, grant())
    sealer.seal(store)
    sealer.sign(store, keyring)
    store.close()
    shutil.copy(path, tmp_path / "backup.db")
    for step in ("continued", "restored"):
        if step == "restored":
            shutil.copy(tmp_path / "backup.db", path)
        again = Store(store.address)
        if step == "continued":
            put(again, grant(), grant())
            sealer.seal(again)
            assert sealer.sign(again, keyring) is not None
        else:
            for count in (1, 1, 5):  # shorter than what was signed, as long, and longer: another history each time
                put(again, *(grant() for _ in range(count)))
                sealer.seal(again)
                with pytest.raises(sealer.SigningError, match="old backup"):
                    sealer.sign(again, keyring)
        again.close()


def test_a_lost_or_foreign_key_is_not_replaced_silently(store: Store, path: Path) -> None:
    keyring = Keyring.of(str(path))
    for count in range(3):
        put(store, grant())
        sealer.seal(store)
        if count == 0:
            sealer.sign(store, keyring)
            keyring.key_file.unlink()
        else:
            with pytest.raises(sealer.SigningError):
                sealer.sign(store, keyring)
            keyring.generate(store.origin)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"news.example/consent": "x"}'])
def test_a_damaged_guard_signs_nothing(store: Store, path: Path, text: str) -> None:
    put(store, grant())
    sealer.seal(store)
    Keyring.of(str(path)).guard_file.write_text(text)
    with pytest.raises(NoteError):
        sealer.sign(store, Keyring.of(str(path)))


def test_two_logs_in_one_database_have_a_key_and_a_guard_each(path: Path) -> None:
    keyring, vkeys = Keyring.of(str(path)), set()
    for origin in ("one.example", "two.example"):
        store = Store(Address.of(f"sqlite:///{path}?origin={origin}"))
        with store.transaction() as connection:
            store.archive(connection, [ARTEFACT])
        put(store, grant(), grant())
        assert sealer.seal(store) == 2
        signed = sealer.sign(store, keyring)
        signer = next(iter(keyring.signers(origin)), None)
        assert signer is not None
        assert note.verify(signed or "", [signer.vkey]).text.startswith(f"{origin}\n2\n")
        vkeys.add(signer.vkey)
        store.close()
    assert len(vkeys) == 2


def test_a_second_sealer_that_saw_an_older_head_fails_and_changes_nothing(
    store: Store, path: Path, monkeypatch: Any
) -> None:
    put(store, grant(), grant())
    assert sealer.seal(store, limit=1) == 1
    read = sealer._read_head
    monkeypatch.setattr(sealer, "_read_head", lambda *arguments: (7, *read(*arguments)[1:]))
    monkeypatch.setattr(Tiles, "append", lambda *_: None)
    with pytest.raises(ProofError):
        sealer.seal(store)
    monkeypatch.undo()
    assert sealer.seal(store) == 1
    assert sound(path) == 2


def test_the_recording_process_seals_by_itself(log: Log, path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("consent.log.writer.SEAL_SECONDS", 0.05)
    log.record(grant(), timeout=2)
    assert soon(lambda: ask(path, "SELECT count(note) FROM checkpoint") == [(1,)])
    log.record(refusal(), timeout=2)
    log.close()
    assert sound(path) == 2


def test_closing_seals_what_waits_unless_another_process_does(path: Path) -> None:
    for option, sealed in (("?seal=off", 0), ("", 2)):
        with closing(open_recorder(f"sqlite:///{path}{option}")) as log:
            log.archive(ARTEFACT)
            log.record(grant(), timeout=2)
        assert sound(path) == sealed


def test_a_sealer_that_fails_keeps_nobody_from_recording(log: Log, path: Path, monkeypatch: Any, caplog: Any) -> None:
    monkeypatch.setattr("consent.log.writer.SEAL_SECONDS", 0.05)
    monkeypatch.setattr("consent.log.writer.SEAL_RETRY_SECONDS", 0.05)
    guard = Keyring.of(str(path)).guard_file
    guard.write_text("damaged")
    log.record(grant(), timeout=2)
    assert soon(lambda: "can't be sealed" in caplog.text)
    log.record(grant(), timeout=2)
    guard.unlink()
    assert soon(lambda: ask(path, "SELECT size FROM checkpoint WHERE note NOT NULL") == [(2,)])


def test_racing_writers_and_sealers_killed_again_and_again_leave_a_dense_tree(child: Child, path: Path) -> None:
    text = (
        "from consent.log import sealer\nfrom consent.log.keyring import Keyring\nimport consent.log.writer as writer\n"
        "writer.SEAL_SECONDS = 0.01\nwriter.SEAL_RETRY_SECONDS = 0.01\n"
        "log = open_recorder(f'sqlite:///{sys.argv[1]}?origin=news.example')\nlog.archive(ARTEFACT)\n"
        "while True:\n    decision = grant()\n    log.record(decision, timeout=5)\n"
        "    print(decision.record_id, flush=True)\n"
    )
    acknowledged = set()
    for _ in range(3):
        processes = [child(text, path) for _ in range(3)]
        for process in processes:
            assert process.stdout
            acknowledged |= {process.stdout.readline().strip() for _ in range(15)}
        for process in processes:
            process.send_signal(signal.SIGKILL)
        for process in processes:
            assert process.stdout
            acknowledged |= {line for line in process.stdout.read().split() if len(line) == 36}
            process.wait()
    store = Store(Address.of(f"sqlite:///{path}?origin=news.example"))
    while sealer.seal(store):
        pass
    sealer.sign(store, Keyring.of(str(path)))
    store.close()
    stored = [json.loads(row[0])["record_id"] for row in ask(path, "SELECT payload FROM record")]
    assert len(stored) == len(set(stored)) == sound(path)
    assert acknowledged <= set(stored)
