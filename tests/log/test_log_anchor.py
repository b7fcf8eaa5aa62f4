"""Time stamps of an outside authority: how far back they reach, and what doesn't pass for one."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import grant, put
from log_authority import Authority

from consent.log import anchor, note, sealer, verifier
from consent.log.bundle import write
from consent.log.commands import log as command
from consent.log.keyring import Keyring
from consent.log.store import Store


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority") / "tsa")


@pytest.fixture
def sealed(store: Store, path: Path) -> Store:
    put(store, *(grant() for _ in range(3)))
    seal(store, path)
    return store


def seal(store: Store, path: Path) -> None:
    sealer.seal(store)
    sealer.sign(store, Keyring.of(str(path)))


def checked(store: Store, path: Path, *trusted: bytes) -> verifier.Report:
    out = path.with_suffix(".tar")
    write(store, out)
    return verifier.verify(str(out), authorities=trusted)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_a_checkpoint_is_stamped_once_and_the_auditor_reads_since_when(
    sealed: Store, path: Path, authority: Authority
) -> None:
    assert checked(sealed, path).anchors == []
    with authority.serving() as url:
        command_line = ("anchor", "--tsa", url, "--url", f"sqlite:///{path}", "--trust", authority.ca)
        first = run(*command_line, "--json")
        assert (first.exit_code, json.loads(first.output)["new"]) == (0, True), first.output
        again = run(*command_line)
        assert "They had been before" in again.output
    assert len(authority.asked) == 1
    report = checked(sealed, path, authority.ca.read_bytes())
    ((size, at, who, trusted),) = report.anchors
    assert (report.good, size, trusted) == (True, 3, True)
    assert "Stamps of the Harbour" in who
    assert abs(at - datetime.now(UTC)) < timedelta(minutes=2)
    assert not checked(sealed, path).anchors[0][3], "a certificate from the bundle itself proves nothing"


def test_a_stamped_checkpoint_outlives_the_days_later_ones(sealed: Store, path: Path, authority: Authority) -> None:
    anchor.anchor(sealed, "https://stamps.example/", ask=lambda _, request: authority.stamp(request))
    for _ in range(2):
        put(sealed, grant())
        seal(sealed, path)
    report = checked(sealed, path)
    assert (report.checkpoints, [size for size, *_ in report.anchors]) == ([3, 5], [3])


def test_a_record_that_was_backdated_behind_a_stamp_is_found(sealed: Store, path: Path, authority: Authority) -> None:
    now = datetime.now(UTC)
    anchor.anchor(sealed, "https://stamps.example/", ask=lambda _, request: authority.stamp(request))
    put(sealed, grant(occurred_at=now - timedelta(days=1)))  # may have waited on the disk
    seal(sealed, path)
    assert checked(sealed, path).good
    put(sealed, grant(occurred_at=now - timedelta(days=9)))
    seal(sealed, path)
    report = checked(sealed, path)
    assert [index for index, _ in report.problems] == [4]
    assert "time stamp" in report.problems[0][1]


def test_a_record_dated_ahead_of_its_stamp_is_found(store: Store, path: Path, authority: Authority) -> None:
    put(store, grant(occurred_at=datetime.now(UTC) + timedelta(days=5)))
    seal(store, path)
    assert checked(store, path).good
    anchor.anchor(store, "https://stamps.example/", ask=lambda _, request: authority.stamp(request))
    assert [index for index, _ in checked(store, path).problems] == [0]


def test_a_log_rewritten_by_its_own_key_holder_is_held_to_the_stamp(
    sealed: Store, path: Path, authority: Authority
) -> None:
    """The stamp is over the old checkpoint's signed note, which the new history can't have."""
    anchor.anchor(sealed, "https://stamps.example/", ask=lambda _, request: authority.stamp(request))
    text = f"{sealed.origin}\n3\n{'A' * 43}=\n"
    forged = note.sign(text, Keyring.of(str(path)).signers(sealed.origin))
    with sealed.transaction() as connection:
        connection.exec_driver_sql("UPDATE checkpoint SET note = ?", (forged,))
    report = checked(sealed, path)
    assert any("made for another text" in what for _, what in report.problems)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda reply: reply[:-40], "cut off"),
        (lambda _: b"<html>busy</html>", "malformed|cut off"),
        (lambda _: b"0\x05" + b"0\x03\x02\x01\x02", "refused"),  # its status is a rejection
        (lambda reply: reply[:-1] + bytes([reply[-1] ^ 1]), "signature is wrong"),
        (lambda _: b"", "cut off"),
    ],
)
def test_what_is_no_time_stamp_is_not_kept(
    sealed: Store, path: Path, authority: Authority, spoil: object, why: str
) -> None:
    with pytest.raises(anchor.AnchorError, match=why):
        anchor.anchor(sealed, "https://stamps.example/", ask=lambda _, request: spoil(authority.stamp(request)))  # type: ignore[operator]
    assert checked(sealed, path).anchors == []


def test_a_stamp_over_something_else_is_not_kept(sealed: Store, authority: Authority) -> None:
    other = authority.stamp(anchor._request(b"another text"))
    with pytest.raises(anchor.AnchorError, match="made for another text"):
        anchor.anchor(sealed, "https://stamps.example/", ask=lambda *_: other)


@pytest.mark.usefixtures("sealed")
def test_a_certificate_that_is_not_for_stamps_makes_none(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "plain")
    good = authority.stamp(anchor._request(b"x"))
    assert verifier.time_stamp(good, b"x")[1]
    authority.certify("/CN=A web server", "plain")
    with pytest.raises(Exception, match="exit status 1"):  # OpenSSL itself doesn't stamp with it
        authority.stamp(anchor._request(b"x"))


def test_another_authority_than_the_trusted_one_is_refused(sealed: Store, tmp_path: Path, authority: Authority) -> None:
    other = Authority(tmp_path / "other", name="Somebody else")
    with pytest.raises(anchor.AnchorError, match="no trusted certificate"):
        anchor.anchor(
            sealed,
            "https://stamps.example/",
            trusted=other.ca.read_bytes(),
            ask=lambda _, request: authority.stamp(request),
        )  # fmt: skip


@pytest.mark.parametrize("url", ["file:///etc/passwd", "stamps.example", "ftp://stamps.example/", "https://"])
@pytest.mark.usefixtures("sealed")
def test_only_the_web_is_asked_for_a_stamp(path: Path, url: str) -> None:
    result = run("anchor", "--tsa", url, "--url", f"sqlite:///{path}")
    assert result.exit_code == 2
    assert "authority" in result.stderr


@pytest.mark.usefixtures("sealed")
def test_an_authority_that_can_not_be_reached_is_named(path: Path) -> None:
    result = run("anchor", "--tsa", "http://127.0.0.1:9/", "--url", f"sqlite:///{path}")
    assert result.exit_code == 2
    assert "http://127.0.0.1:9/" in result.stderr


@pytest.mark.usefixtures("store")
def test_a_log_without_a_seal_has_nothing_to_stamp(path: Path) -> None:
    assert "no signed checkpoint" in run("anchor", "--tsa", "http://127.0.0.1:9/", "--url", f"sqlite:///{path}").stderr
