"""A new signing key: whoever trusts the old one is led to it, and nobody else can bring one in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import grant, put

from consent.log import note, sealer, verifier
from consent.log.announcement import announce
from consent.log.bundle import write
from consent.log.commands import log as command
from consent.log.keyring import Keyring
from consent.log.rotation import OVERLAP_DAYS, rotate
from consent.log.store import Store


@pytest.fixture
def sealed(store: Store, path: Path) -> Store:
    grow(store, path)
    return store


def grow(store: Store, path: Path, *, days: int = 0) -> str:
    """One more record some days from now, sealed; the note."""
    moment = datetime.now(UTC) + timedelta(days=days)
    store.now = lambda: moment
    put(store, grant(occurred_at=moment))
    sealer.seal(store)
    signed = sealer.sign(store, Keyring.of(str(path)))
    assert signed is not None
    return signed


def keys(path: Path, store: Store) -> list[str]:
    return [signer.vkey for signer in Keyring.of(str(path)).signers(store.origin)]


def checked(store: Store, path: Path, *trusted: str) -> verifier.Report:
    out = path.with_suffix(".tar")
    write(store, out)
    return verifier.verify(str(out), keys=trusted)


def test_whoever_trusts_the_old_key_is_led_to_the_new_one(sealed: Store, path: Path) -> None:
    (old,) = keys(path, sealed)
    new = rotate(sealed, Keyring.of(str(path))).vkey
    assert keys(path, sealed) == [old, new]
    grow(sealed, path, days=1)
    grow(sealed, path, days=OVERLAP_DAYS + 2)
    assert keys(path, sealed) == [new], "the old key is deleted after its time"
    grow(sealed, path, days=OVERLAP_DAYS + 3)
    for trusted in (old, new):
        report = checked(sealed, path, trusted)
        assert (report.good, report.problems) == (True, [])
    other = note.Signer.generate(sealed.origin).vkey
    assert not checked(sealed, path, other).good, "and nobody is led from any other key"


def test_both_keys_sign_in_the_overlap_and_one_after(sealed: Store, path: Path) -> None:
    (old,) = keys(path, sealed)
    rotate(sealed, Keyring.of(str(path)))
    new = keys(path, sealed)[1]
    during = grow(sealed, path, days=OVERLAP_DAYS)
    after = grow(sealed, path, days=OVERLAP_DAYS + 1)
    count = [len(verifier.signers(*verifier.split_note(text), [old, new])) for text in (during, after)]
    assert count == [2, 1]


def test_a_stolen_key_signs_along_no_longer(sealed: Store, path: Path) -> None:
    (old,) = keys(path, sealed)
    rotate(sealed, Keyring.of(str(path)), stolen=True)
    (new,) = keys(path, sealed)
    assert new != old
    assert not checked(sealed, path, old).good
    assert checked(sealed, path, new).good


def test_a_key_without_its_leaf_signs_nothing_that_counts(sealed: Store, path: Path) -> None:
    """Whoever can write to the database, and has no key, puts one of theirs in."""
    (old,) = keys(path, sealed)
    intruder = note.Signer.generate(sealed.origin)
    put(sealed, grant())
    sealer.seal(sealed)
    text = "\n".join((sealed.origin, *_head(sealed))) + "\n"
    with sealed.transaction() as connection:
        connection.exec_driver_sql("INSERT INTO log_key VALUES (?, ?, 99)", (sealed.log_id, intruder.vkey))
        connection.exec_driver_sql("UPDATE checkpoint SET note = ? WHERE size = 2", (note.sign(text, [intruder]),))
    assert checked(sealed, path).good, "with no key from elsewhere there is nothing to tell them apart by"
    assert not checked(sealed, path, old).good


def test_a_replaced_key_alone_does_not_sign_what_comes_after(sealed: Store, path: Path) -> None:
    (old,) = keys(path, sealed)
    keyring = Keyring.of(str(path))
    thief = keyring.signers(sealed.origin)[0]
    rotate(sealed, keyring)
    put(sealed, grant())
    sealer.seal(sealed)
    size, root = _head(sealed)
    with sealed.transaction() as connection:
        text = f"{sealed.origin}\n{size}\n{root}\n"
        connection.exec_driver_sql("UPDATE checkpoint SET note = ? WHERE size = ?", (note.sign(text, [thief]), size))
    report = checked(sealed, path, old)
    assert any("its successor has not" in what for _, what in report.problems)


def test_a_rotation_that_was_interrupted_goes_on_with_the_key_that_it_made(sealed: Store, path: Path) -> None:
    keyring = Keyring.of(str(path))
    made = keyring.generate(sealed.origin)
    assert sealer.sign(sealed, keyring) is None
    grow(sealed, path)
    assert len(keys(path, sealed)) == 2, "a key that nothing announces does not sign, and is kept"
    assert rotate(sealed, keyring).vkey == made.vkey


def test_a_lost_new_key_is_not_replaced_in_silence(sealed: Store, path: Path) -> None:
    keyring = Keyring.of(str(path))
    new = rotate(sealed, keyring)
    keyring.drop(new)
    put(sealed, grant())
    sealer.seal(sealed)
    with pytest.raises(sealer.SigningError, match="not the one"):
        sealer.sign(sealed, keyring)


def test_the_command_prints_what_has_to_be_published(sealed: Store, path: Path) -> None:
    result = CliRunner().invoke(command, ["rotate", "--url", f"sqlite:///{path}"])
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[1] == keys(path, sealed)[1]


def test_an_announcement_is_counted_as_no_decision(sealed: Store, path: Path) -> None:
    before = sum(checked(sealed, path).counts.values())
    with sealed.transaction() as connection:
        announce(sealed, connection, "retention", {"until": "2020-01-01", "e": ["refused"]})
    sealer.seal(sealed)
    sealer.sign(sealed, Keyring.of(str(path)))
    report = checked(sealed, path)
    assert (report.good, sum(report.counts.values()), report.size) == (True, before, 2)


def _head(store: Store) -> tuple[str, str]:
    with store.reading() as connection:
        head = sealer.head(store, connection)
    return str(head.size), verifier.base64.b64encode(head.root).decode()
