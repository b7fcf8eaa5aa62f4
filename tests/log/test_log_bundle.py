"""The evidence in an auditor's hands: every change of the database shows, in a process without the site's code."""

from __future__ import annotations

import io
import json
import shutil
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from conftest import ARTEFACT, grant, put, refusal

from consent.log import note, sealer, verifier
from consent.log.address import Address
from consent.log.commands import log as command
from consent.log.commands import verify as verify_command
from consent.log.keyring import Keyring
from consent.log.store import Store

RECEIPT = "7e" * 16
RECORDS = "records/000000000000.jsonl"


@pytest.fixture
def sealed(store: Store, path: Path) -> Path:
    """A database with three days of decisions, a checkpoint for each."""
    keyring = Keyring.of(str(path))
    for day in range(1, 4):
        noon = datetime(2026, 7, day, 12, tzinfo=UTC)
        store.now = lambda noon=noon: noon  # type: ignore[misc]
        put(store, *(refusal(occurred_at=noon) for _ in range(3)))  # leaves 0 to 2 of each day
        put(store, grant(receipt_id=RECEIPT, occurred_at=noon), *(grant(occurred_at=noon) for _ in range(4)))
        sealer.seal(store)
        sealer.sign(store, keyring)
    store.close()
    return path


def run(*arguments: object, of: Any = command) -> Result:
    return CliRunner().invoke(of, [str(argument) for argument in arguments])


def bundle(path: Path, *arguments: str) -> Path:
    out = path.with_suffix(".tar")
    result = run("bundle", out, "--url", f"sqlite:///{path}", *arguments)
    assert result.exit_code == 0, result.output
    return out


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def event(path: Path, index: int) -> str:
    """The event id of a leaf, as SQL."""
    with closing(sqlite3.connect(path)) as connection:
        (found,) = connection.execute("SELECT hex(event_id) FROM leaf WHERE leaf_index = ?", (index,)).fetchone()
    return f"x'{found}'"


def alone(out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The verifier out of the bundle, in a process that can't import the library."""
    with tarfile.open(out) as tar:
        script = tar.extractfile("verify.py")
        assert script is not None
        (out.parent / "verify.py").write_bytes(script.read())
    return unpacked(out, *arguments)


def unpacked(out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The verifier that was taken out of a bundle earlier, on what the bundle is now."""
    text = (
        "import sys\nclass No:\n    def find_spec(self, name, *rest):\n"
        "        assert name.partition('.')[0] not in ('consent', 'sqlalchemy', 'click'), name\n"
        "sys.meta_path.insert(0, No())\nimport runpy\nsys.argv = sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    return subprocess.run(
        [sys.executable, "-I", "-c", text, "verify.py", str(out), *arguments],
        cwd=out.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_an_untouched_log_verifies_without_the_library(sealed: Path) -> None:
    result = alone(bundle(sealed))
    assert (result.returncode, result.stderr) == (0, "")
    assert "24 records" in result.stdout
    assert "everything is as it was sealed" in result.stdout


def test_the_command_says_what_the_verifier_in_the_bundle_says(sealed: Path) -> None:
    out = bundle(sealed)
    assert run(out, of=verify_command).output == alone(out).stdout
    data = json.loads(run(out, "--json", of=verify_command).output)
    assert (data["good"], data["size"], data["checkpoints"]) == (True, 24, [8, 16, 24])
    assert run("verify", "--url", f"sqlite:///{sealed}").exit_code == 0


def test_the_same_log_makes_the_same_bundle(sealed: Path) -> None:
    first = bundle(sealed).read_bytes()
    assert bundle(sealed).read_bytes() == first


def test_the_bundle_holds_the_notice_that_was_shown_and_words_for_a_lawyer(sealed: Path) -> None:
    with tarfile.open(bundle(sealed)) as tar:
        assert tar.getnames()[:3] == ["README.txt", "verify.py", "log.json"]
        shown = tar.extractfile(f"artefacts/{ARTEFACT.digest}.json")
        assert shown is not None
        assert json.loads(shown.read()) == ARTEFACT.content


def test_one_receipt_is_proved_by_itself(sealed: Path) -> None:
    out = bundle(sealed, "--receipt", RECEIPT)
    result = alone(out)
    assert result.returncode == 0
    assert "3 records (a selection" in result.stdout
    with tarfile.open(out) as tar:
        records = tar.extractfile("selected.jsonl")
        assert records is not None
        assert all(RECEIPT in line for line in records.read().decode().splitlines())


# Each way to tamper with the database, given an event id by leaf; and the leaf that the verifier must name, if one.
TAMPER: dict[str, tuple[Callable[[Callable[[int], str]], list[str]], int | None]] = {
    "edit a payload": (
        lambda of: [f"UPDATE record SET payload = replace(payload, '\"de\"', '\"fr\"') WHERE event_id = {of(5)}"], 5),
    "turn a refusal into a grant": (
        lambda of: [f"UPDATE record SET payload = replace(payload, 'denied', 'granted') WHERE event_id = {of(0)}"], 0),
    "edit a salt": (lambda of: [f"UPDATE record SET salt = zeroblob(32) WHERE event_id = {of(5)}"], 5),
    "edit an entry": (
        lambda of: [f"UPDATE record SET entry = replace(entry, 'granted', 'refused') WHERE event_id = {of(6)}"], 6),
    "backdate an entry": (
        lambda of: [f"UPDATE record SET entry = replace(entry, '\"d\":\"2', '\"d\":\"1') WHERE event_id = {of(7)}"], 7),
    "delete a record": (lambda of: [f"DELETE FROM record WHERE event_id = {of(9)}"], 9),
    "delete a record and its leaf": (
        lambda of: [f"DELETE FROM record WHERE event_id = {of(9)}", "DELETE FROM leaf WHERE leaf_index = 9"], 9),
    "swap two records": (
        lambda of: [
            f"UPDATE leaf SET event_id = x'00' WHERE event_id = {of(4)}",
            f"UPDATE leaf SET event_id = {of(4)} WHERE event_id = {of(13)}",
            f"UPDATE leaf SET event_id = {of(13)} WHERE event_id = x'00'",
        ], 4),
    "hide a record as if it were erased": (
        lambda of: [f"UPDATE record SET payload = NULL, salt = NULL WHERE event_id = {of(11)}"], 11),
    "edit a tile": (
        lambda _: ["UPDATE tile SET hashes = zeroblob(32) || substr(hashes, 33) WHERE level = 0"], 0),
    "cut off the end": (lambda _: ["DELETE FROM leaf WHERE leaf_index > 20"], 21),
    "delete the notice that was shown": (lambda _: ["DELETE FROM artefact"], 0),
    "edit the counts": (lambda _: ["UPDATE daily SET n = n + 1 WHERE event = 'granted'"], None),
    "edit a checkpoint": (lambda _: ["UPDATE checkpoint SET note = replace(note, '24', '25') WHERE size = 24"], None),
    "move a checkpoint": (
        lambda _: ["UPDATE checkpoint SET note = (SELECT note FROM checkpoint WHERE size = 8) WHERE size = 16"], None),
}  # fmt: skip


@pytest.mark.parametrize("how", TAMPER)
def test_tampering_is_found_and_the_record_named(sealed: Path, how: str) -> None:
    statements, index = TAMPER[how]
    change(sealed, *statements(lambda leaf: event(sealed, leaf)))
    result = alone(bundle(sealed), "--json")
    assert result.returncode == 1
    problems = json.loads(result.stdout)["problems"]
    if index is not None:
        assert next(problem["leaf"] for problem in problems if problem["leaf"] is not None) == index


def rewrite(path: Path, *, sign: bool) -> None:
    """Change a record and everything that follows from it, as somebody with the database can, or with the key too."""
    with closing(sqlite3.connect(path)) as connection, connection:
        row = connection.execute("SELECT log_id FROM log").fetchone()
        assert row
        connection.execute(f"DELETE FROM record WHERE event_id = {event(path, 3)}")
        rows = connection.execute(
            "SELECT event_id FROM leaf JOIN record USING (log_id, event_id) ORDER BY leaf_index"
        ).fetchall()
        for table in ("leaf", "tile", "head", "checkpoint", "daily"):
            connection.execute(f"DELETE FROM {table}")
        connection.executemany("INSERT INTO unsealed VALUES (1, ?, 0)", rows)
    keyring = Keyring.of(str(path))
    keyring.guard_file.unlink()
    if not sign:
        keyring.key_file.unlink()
        change(path, "DELETE FROM log_key")
    store = Store(Address.of(f"sqlite:///{path}"))
    sealer.seal(store)
    sealer.sign(store, keyring)
    store.close()


def test_a_rewritten_log_shows_to_whoever_has_the_key_or_an_older_checkpoint(sealed: Path) -> None:
    with closing(sqlite3.connect(sealed)) as connection:
        (vkey,) = connection.execute("SELECT vkey FROM log_key").fetchone()
        (kept,) = connection.execute("SELECT note FROM checkpoint WHERE size = 16").fetchone()
    note_file = sealed.with_name("kept.note")
    note_file.write_text(kept)
    assert alone(bundle(sealed), "--key", vkey, "--checkpoint", str(note_file)).returncode == 0
    copy = sealed.with_name("copy.db")
    for suffix in ("", ".key", ".guard"):
        shutil.copy(f"{sealed}{suffix}", f"{copy}{suffix}")
    rewrite(sealed, sign=False)
    assert alone(bundle(sealed)).returncode == 0, "by itself another key's log can't be told from the true one"
    assert alone(bundle(sealed), "--key", vkey).returncode == 1
    rewrite(copy, sign=True)
    assert alone(bundle(copy), "--key", vkey).returncode == 0, "nor can the key holder's rewrite"
    result = alone(bundle(copy), "--key", vkey, "--checkpoint", str(note_file))
    assert result.returncode == 1
    assert "another history" in result.stdout


def test_a_log_that_lost_its_end_shows_to_whoever_kept_a_later_checkpoint(sealed: Path) -> None:
    before = sealed.with_name("before.db")
    shutil.copy(sealed, before)
    with closing(sqlite3.connect(sealed)) as connection:
        (kept,) = connection.execute("SELECT note FROM checkpoint WHERE size = 24").fetchone()
    note_file = sealed.with_name("kept.note")
    note_file.write_text(kept)
    change(
        before,
        "DELETE FROM leaf WHERE leaf_index >= 16",
        "DELETE FROM checkpoint WHERE size > 16",
        "DELETE FROM daily WHERE day = '2026-07-03'",
    )
    assert alone(bundle(before)).returncode == 0, "a shorter log by itself is a log"
    result = alone(bundle(before), "--checkpoint", str(note_file))
    assert result.returncode == 1
    assert "lost its end" in result.stdout


def repacked(out: Path, edit: Callable[[str, bytes], list[tuple[str, bytes]]]) -> Path:
    """The bundle with its parts replaced by what ``edit`` makes of each."""
    changed = out.with_name("changed.tar")
    with tarfile.open(out) as old, tarfile.open(changed, "w") as new:
        for member in old:
            file = old.extractfile(member)
            assert file is not None
            for name, data in edit(member.name, file.read()):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                new.addfile(info, io.BytesIO(data))
    return changed


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (lambda name, data: [(name, data)], 0),
        (lambda name, data: [(name, data[:-200] if name == RECORDS else data)], 1),
        (lambda name, data: [(name, data + data[-1:] if name == RECORDS else data)], 1),
        (lambda name, data: [(name, data + data if name == RECORDS else data)], 1),
        (lambda name, data: [(name, data.replace(b'"i":3', b'"i":4') if name == RECORDS else data)], 1),
        (lambda name, data: [(name, data), ("extra", b"")] if name == "log.json" else [(name, data)], 1),
        (lambda name, data: [(name, data)] * (2 if name == "log.json" else 1), 2),
        (lambda name, data: [] if name == "log.json" else [(name, data)], 2),
        (lambda name, data: [] if name == RECORDS else [(name, data)], 1),
        (lambda name, data: [] if name == "daily.json" else [(name, data)], 2),
        (lambda name, data: [] if name.startswith("checkpoints/") else [(name, data)], 1),
        (lambda name, data: [(name, b"{" if name == "log.json" else data)], 2),
        (lambda name, data: [(name, b"{}" if name == "log.json" else data)], 2),
        (lambda name, data: [(name, data.replace(b"bundle/2", b"bundle/3"))], 2),
        (lambda name, data: [(name, data.replace(b"Accept all", b"Accept it!"))], 1),
    ],
)  # fmt: skip
def test_a_bundle_that_was_edited_is_not_taken_for_whole(sealed: Path, edit: Any, code: int) -> None:
    assert run(repacked(bundle(sealed), edit), of=verify_command).exit_code == code


@pytest.mark.parametrize("content", [b"", b"no tar " * 1000, None])
def test_what_is_no_bundle_has_its_own_exit_code(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "x.tar").write_bytes(content)
    assert run(tmp_path / "x.tar", of=verify_command).exit_code == 2


def test_a_log_without_a_checkpoint_makes_no_bundle(store: Store, path: Path) -> None:
    put(store, grant())
    result = run("bundle", path.with_suffix(".tar"), "--url", f"sqlite:///{path}")
    assert result.exit_code == 2
    assert "no signed checkpoint" in result.stderr
    assert not path.with_suffix(".tar").exists()


def test_an_unknown_receipt_makes_no_bundle(sealed: Path) -> None:
    result = run("bundle", sealed.with_suffix(".tar"), "--url", f"sqlite:///{sealed}", "--receipt", "0" * 32)
    assert result.exit_code == 2


def test_seal_seals_and_then_says_that_nothing_waits(store: Store, path: Path) -> None:
    put(store, grant(), grant())
    url = f"sqlite:///{path}"
    assert run("seal", "--url", url).output == "2 sealed, 2 in all.\n"
    assert run("seal", "--url", url).output == "Nothing waits to be sealed.\n"
    assert json.loads(run("seal", "--url", url, "--json").output) == {"sealed": 0, "note": None}


@pytest.mark.parametrize(("text", "code"), [("soon", 3), ("0s", 3), ("-1s", 3)])
def test_how_often_to_seal_is_said_in_a_known_way(sealed: Path, text: str, code: int) -> None:
    assert run("seal", "--url", f"sqlite:///{sealed}", "--every", text).exit_code == code


def test_seal_makes_no_database(tmp_path: Path) -> None:
    assert run("seal", "--url", f"sqlite:///{tmp_path}/none.db").exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_the_verifier_and_the_log_agree_on_notes() -> None:
    signer = note.Signer.generate("news.example")
    text = f"news.example\n3\n{verifier.base64.b64encode(bytes(32)).decode()}\n"
    signed = note.sign(text, [signer])
    assert verifier.checkpoint(signed, [signer.vkey]) == ("news.example", 3, bytes(32))
    for wrong in (signed[:-1], text, signed.replace("3", "4", 1), signed.replace("\u2014", "-")):
        with pytest.raises(ValueError, match=r"."):
            verifier.checkpoint(wrong, [signer.vkey])


@pytest.fixture
def long(store: Store, path: Path) -> Path:
    """Four days with 300 records each, so that there are several tiles."""
    keyring = Keyring.of(str(path))
    for day in range(1, 5):
        noon = datetime(2026, 7, day, 12, tzinfo=UTC)
        store.now = lambda noon=noon: noon  # type: ignore[misc]
        put(store, *(refusal(occurred_at=noon) for _ in range(299)), grant(occurred_at=noon, receipt_id=RECEIPT))
        sealer.seal(store)
        sealer.sign(store, keyring)
    store.close()
    return path


def test_some_days_are_proved_by_themselves_without_a_gap(long: Path) -> None:
    result = alone(bundle(long, "--from", "2026-07-02", "--to", "2026-07-02"), "--json")
    found = json.loads(result.stdout)
    assert (result.returncode, found["problems"]) == (0, [])
    assert found["selection"] == "days 2026-07-02 to 2026-07-02: leaves 256 to 767"
    assert (found["records"], found["checkpoints"], found["size"]) == (512, [300, 600, 900, 1200], 1200)
    assert sum(n for day, *_, n in found["daily"] if day == "2026-07-02") == 300


def test_a_record_that_some_days_lack_is_named(long: Path) -> None:
    change(long, f"DELETE FROM record WHERE event_id = {event(long, 400)}")
    result = alone(bundle(long, "--from", "2026-07-02", "--to", "2026-07-02"), "--json")
    assert (result.returncode, json.loads(result.stdout)["problems"][0]["leaf"]) == (1, 400)
    assert alone(bundle(long, "--from", "2026-07-04")).returncode == 0, "it is not in what was asked for"


def test_a_checkpoint_that_was_kept_is_compared_with_some_days_too(long: Path) -> None:
    with closing(sqlite3.connect(long)) as connection:
        (kept,) = connection.execute("SELECT note FROM checkpoint WHERE size = 300").fetchone()
    note_file = long.with_name("kept.note")
    note_file.write_text(kept)
    arguments = ("--checkpoint", str(note_file))
    assert alone(bundle(long, "--from", "2026-07-04"), *arguments).returncode == 0
    rewrite(long, sign=True)
    assert alone(bundle(long, "--from", "2026-07-04"), *arguments).returncode == 1


@pytest.mark.parametrize(
    "arguments",
    [("--from", "2026-07-03", "--to", "2026-07-01"), ("--from", "2026-07-01", "--receipt", RECEIPT)],
)
def test_a_selection_that_can_not_be_meant_is_wrong_usage(sealed: Path, arguments: tuple[str, ...]) -> None:
    out = sealed.with_suffix(".tar")
    assert run("bundle", out, "--url", f"sqlite:///{sealed}", *arguments).exit_code == 3
    assert run("bundle", out, "--url", f"sqlite:///{sealed}", "--from", "2031-01-01").exit_code == 2
    assert not out.exists()


def changed_header(data: bytes, at: int, to: bytes) -> bytes:
    """A tar with some bytes of its first header replaced, and that header's checksum put right."""
    head = bytearray(data[:512])
    head[at : at + len(to)] = to
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head) + data[512:]


@pytest.mark.parametrize(
    "edit",
    [
        lambda data: data[:-10_000],
        lambda data: data[:700],
        lambda data: data[:-1],
        lambda data: data + b"x" * 512,
        lambda data: b"\x1f\x8b" + data[2:],
        lambda data: data[:3] + b"X" + data[4:],
        lambda data: changed_header(data, 0, b"../../etc/passwd\0"),
        lambda data: changed_header(data, 0, b"/etc/passwd\0"),
        lambda data: changed_header(data, 0, b"\xff\xfe.txt\0"),
        lambda data: changed_header(data, 124, b"77777777777\0"),
        lambda data: changed_header(data, 124, b"-0000000001\0"),
        lambda data: changed_header(data, 156, b"1"),  # a hard link
        lambda data: changed_header(data, 156, b"2"),  # a symbolic link
        lambda data: changed_header(data, 156, b"5"),
        lambda data: changed_header(data, 156, b"S"),  # sparse
        lambda data: changed_header(data, 156, b"x"),  # names and sizes of its own
        lambda data: changed_header(data, 345, b"../.."),
    ],
)  # fmt: skip
def test_a_hostile_bundle_is_refused_with_a_reason(sealed: Path, edit: Callable[[bytes], bytes]) -> None:
    out = bundle(sealed)
    data = out.read_bytes()
    out.write_bytes(changed_header(data, 0, b"README.txt\0"))
    assert alone(out).returncode == 0, "the header that is written anew is as good as the first"
    out.write_bytes(edit(data))
    result = unpacked(out)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("The bundle")
    assert len(result.stderr.splitlines()) == 1


def test_several_processes_find_what_one_does(sealed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change(
        sealed, f"UPDATE record SET payload = replace(payload, '\"de\"', '\"fr\"') WHERE event_id = {event(sealed, 5)}"
    )
    out = str(bundle(sealed))
    alone_found = verifier.verify(out, processes=1).as_data()
    monkeypatch.setattr(verifier.threading, "active_count", lambda: 1)
    assert verifier.verify(out, processes=2).as_data() == alone_found
    assert alone_found["problems"][0]["leaf"] == 5
