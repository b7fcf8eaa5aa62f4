"""Signed notes and checkpoints: the published examples, several signatures, and every malformed shape."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.errors import NoteError
from consent.log import checkpoint, merkle, note

# The example of the Go package golang.org/x/mod/sumdb/note, where the format comes from.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ALICE, BOB, EVE = (
    note.Signer(name=name, seed=bytes([number]) * 32)
    for number, name in enumerate(("alice.example/log", "bob", "eve"), start=1)
)
TEXT = "alice.example/log\n5\n" + b64encode(bytes(32)).decode() + "\n"
SIGNED = note.sign(TEXT, [ALICE])
LINE = SIGNED.removeprefix(TEXT + "\n")


def test_the_published_example_verifies() -> None:
    assert note.verify(GO_NOTE, [GO_KEY]).text.startswith("If you think")


def test_the_published_example_changed_by_a_letter_does_not() -> None:
    with pytest.raises(NoteError):
        note.verify(GO_NOTE.replace("think", "thank"), [GO_KEY])


def test_a_signed_text_is_given_back_with_who_signed_it() -> None:
    verified = note.verify(SIGNED, [ALICE.vkey])
    assert verified.text == TEXT
    assert [signature.name for signature in verified.signatures] == ["alice.example/log"]


def test_signing_twice_gives_the_same_bytes() -> None:
    assert note.sign(TEXT, [ALICE]) == SIGNED


def test_signatures_of_unknown_keys_are_ignored() -> None:
    both = note.sign(TEXT, [EVE, ALICE, BOB])
    assert [s.name for s in note.verify(both, [ALICE.vkey]).signatures] == ["alice.example/log"]
    assert [s.name for s in note.verify(both, [BOB.vkey, ALICE.vkey]).signatures] == ["alice.example/log", "bob"]


def test_an_unknown_signature_may_be_of_any_kind() -> None:
    other = f"\u2014 witness {b64encode(b'1234' + bytes(2420)).decode()}\n"
    assert note.verify(SIGNED + other, [ALICE.vkey]).text == TEXT


def test_a_key_of_the_same_name_but_another_hash_is_unknown() -> None:
    impostor = note.Signer(name=ALICE.name, seed=bytes(32))
    with pytest.raises(NoteError):
        note.verify(note.sign(TEXT, [impostor]), [ALICE.vkey])


def test_one_wrong_signature_of_a_known_key_refuses_the_note() -> None:
    forged = note.sign(TEXT, [ALICE, BOB]).replace(TEXT, TEXT.replace("5", "6"))
    mixed = note.sign(TEXT, [ALICE]) + note.sign(TEXT.replace("5", "6"), [BOB]).rpartition("\n\n")[2]
    for text in (forged, mixed):
        with pytest.raises(NoteError):
            note.verify(text, [ALICE.vkey, BOB.vkey])
    assert note.verify(mixed, [ALICE.vkey]).text == TEXT


def test_no_keys_verify_nothing() -> None:
    for none in ([], [BOB.vkey]):
        with pytest.raises(NoteError):
            note.verify(SIGNED, none)


def test_a_signature_given_twice_is_refused() -> None:
    with pytest.raises(NoteError):
        note.verify(SIGNED + LINE, [ALICE.vkey])


def test_a_text_may_have_empty_lines_inside() -> None:
    text = "one\n\ntwo\n"
    assert note.verify(note.sign(text, [ALICE]), [ALICE.vkey]).text == text


def respelled(text: str) -> str:
    """The same signature bytes in base64 whose unused last bits are not zero."""
    head, _, _ = text.rpartition("=\n")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    changed = head[:-1] + letters[letters.index(head[-1]) ^ 1] + "=\n"
    pad = changed.rpartition(" ")[2].strip()
    assert b64decode(pad) == b64decode(text.rpartition(" ")[2].strip())
    return changed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "\n\n",
        TEXT,
        TEXT + "\n",
        TEXT + LINE,
        "\n" + LINE,
        "\n\n" + LINE,
        SIGNED[:-1],
        SIGNED + "\n",
        SIGNED + "x",
        SIGNED + "x\n",
        SIGNED + "\u2014 bob\n",
        SIGNED + "\u2014 bob \n",
        SIGNED + "\u2014 bob AAAA\n",
        SIGNED + "\u2014  AAAAAAAA\n",
        SIGNED + "\u2014 b+b AAAAAAAA\n",
        SIGNED + "\u2014 b\u00a0b AAAAAAAA\n",
        SIGNED + "\u2014 bob AAAAAAA*\n",
        SIGNED + "\u2014 bob AAAAAAA\n",
        SIGNED + "\u2014 bob \u00e4AAAAAAA\n",
        SIGNED.replace("\u2014", "-"),
        SIGNED.replace("\n", "\r\n"),
        SIGNED.replace("5", "5\t"),
        SIGNED.replace("5", "5\0"),
        SIGNED.replace("5", "5\ud800"),
        SIGNED.replace("=\n", "\n"),
        SIGNED.replace("=\n", "= \n"),
        SIGNED[: len(TEXT) + 1] + respelled(LINE),
        SIGNED[:-5] + "\n",
        TEXT + "\n" + LINE * 101,
        "x" * 1_000_001 + "\n\n" + LINE,
        None,
        SIGNED.encode(),
        5,
        [SIGNED],
    ],
)
def test_a_malformed_note_is_refused(text: Any) -> None:
    with pytest.raises(NoteError):
        note.verify(text, [ALICE.vkey])


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "alice",
        "+",
        "++",
        "alice+00000000+",
        ALICE.vkey + "=",
        ALICE.vkey + "\n",
        ALICE.vkey[:-4],
        ALICE.vkey.replace("alice", "malice"),
        ALICE.vkey.replace("alice", "ali ce"),
        ALICE.vkey.replace("alice", "ali\ud800ce"),
        ALICE.vkey.replace(ALICE.key_id.hex(), ALICE.key_id.hex().upper() + "0"),
        f"bob+{note.key_id('bob', bytes(33)).hex()}+{b64encode(bytes(33)).decode()}",
        f"bob+{note.key_id('bob', bytes([1]) * 32).hex()}+{b64encode(bytes([1]) * 32).decode()}",
        None,
        b"alice",
        ALICE,
    ],
)
def test_a_malformed_key_is_refused(vkey: Any) -> None:
    with pytest.raises(NoteError):
        note.verify(SIGNED, [ALICE.vkey, vkey])


@pytest.mark.parametrize("vkeys", [None, ALICE.vkey, 5, {ALICE.vkey: 1}])
def test_keys_that_are_no_list_are_refused(vkeys: Any) -> None:
    with pytest.raises(NoteError):
        note.verify(SIGNED, vkeys)


def test_a_public_key_that_is_no_point_verifies_nothing() -> None:
    key = bytes([1]) + b"\xff" * 32
    vkey = f"x+{note.key_id('x', key).hex()}+{b64encode(key).decode()}"
    line = f"\u2014 x {b64encode(note.key_id('x', key) + bytes(64)).decode()}\n"
    for signature in (line, line.replace("AAAA", "", 1)):
        with pytest.raises(NoteError):
            note.verify(f"{TEXT}\n{signature}", [vkey])


@given(st.text(max_size=60))
def test_whatever_text_comes_only_a_note_error_goes(text: str) -> None:
    for given_text in (text, f"{TEXT}\n{text}", SIGNED + text):
        try:
            note.verify(given_text, [ALICE.vkey])
        except NoteError:
            continue
        assert given_text == SIGNED


def test_a_signing_key_is_written_and_read_again() -> None:
    signer = note.Signer.generate("news.example/consent")
    again = note.Signer.of(signer.skey)
    assert again == signer
    assert note.verify(note.sign(TEXT, [again]), [signer.vkey]).text == TEXT


def test_a_signing_key_does_not_show_its_secret() -> None:
    assert repr(ALICE) == "Signer(name='alice.example/log')"


@pytest.mark.parametrize(
    "skey",
    ["", "x", ALICE.vkey, ALICE.skey[:-4], ALICE.skey.replace("alice", "malice"), ALICE.skey + "=", None, b"",
     "PRIVATE+KEY+bob+00000000+" + b64encode(bytes(33)).decode()],
)  # fmt: skip
def test_a_malformed_signing_key_is_refused(skey: Any) -> None:
    with pytest.raises(NoteError):
        note.Signer.of(skey)


@pytest.mark.parametrize("text", ["", "\n", "no newline", "tab\t\n", "\ud800\n"])
def test_what_could_not_be_verified_is_not_signed(text: str) -> None:
    with pytest.raises(NoteError):
        note.sign(text, [ALICE])


def test_a_note_without_a_signer_is_not_made() -> None:
    with pytest.raises(NoteError):
        note.sign(TEXT, [])


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb"])
def test_a_key_needs_a_usable_name(name: str) -> None:
    with pytest.raises(NoteError):
        note.Signer.generate(name)


ROOT = b64encode(merkle.root([merkle.leaf_hash(b"x")])).decode()
EMPTY = b64encode(merkle.EMPTY_ROOT).decode()


def test_the_example_of_the_checkpoint_format_is_read() -> None:
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    found = checkpoint.parse(text)
    assert (found.origin, found.size, found.root[:2]) == ("example.com/behind-the-sofa", 20852163, b"\x0a\xc5")
    assert found.text() == text


def test_extension_lines_are_kept_and_mean_nothing() -> None:
    text = f"news.example\n1\n{ROOT}\nmore\nlines\n"
    found = checkpoint.parse(text)
    assert found.extensions == ("more", "lines")
    assert found.text() == text


def test_only_the_empty_tree_has_size_zero() -> None:
    assert checkpoint.parse(f"news.example\n0\n{EMPTY}\n").size == 0
    for size, root in (("0", ROOT), ("1", EMPTY)):
        with pytest.raises(NoteError):
            checkpoint.parse(f"news.example\n{size}\n{root}\n")


@given(st.integers(1, (1 << 63) - 1), st.binary(min_size=32, max_size=32))
def test_a_checkpoint_is_written_and_read_again(size: int, root: bytes) -> None:
    made = checkpoint.Checkpoint("news.example/consent", size, root)
    assert checkpoint.parse(made.text()) == made


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "\n\n\n",
        f"news.example\n1\n{ROOT}",
        f"news.example\n1\n{ROOT}\n\n",
        f"news.example\n1\n{ROOT}\n\nmore\n",
        f"news.example\n1\n{ROOT}\nmore",
        f"\n1\n{ROOT}\n",
        f"news.example\n\n{ROOT}\n",
        "news.example\n1\n\n",
        "news.example\n1\n",
        f"news.example\n01\n{ROOT}\n",
        f"news.example\n00\n{EMPTY}\n",
        f"news.example\n-1\n{ROOT}\n",
        f"news.example\n+1\n{ROOT}\n",
        f"news.example\n1.0\n{ROOT}\n",
        f"news.example\n 1\n{ROOT}\n",
        f"news.example\n1 \n{ROOT}\n",
        f"news.example\n\u0661\n{ROOT}\n",
        f"news.example\n1_0\n{ROOT}\n",
        f"news.example\n9223372036854775808\n{ROOT}\n",
        f"news.example\n{'9' * 5000}\n{ROOT}\n",
        f"news.example\n1\n{ROOT[:-1]}\n",
        f"news.example\n1\n{ROOT} \n",
        f"news.example\n1\n{ROOT}=\n",
        f"news.example\n1\n{ROOT[:-2]}{chr(ord(ROOT[-2]) + 1)}=\n",
        f"news.example\n1\n{b64encode(bytes(31)).decode()}\n",
        f"news.example\n1\n{b64encode(bytes(33)).decode()}\n",
        f"news.example\n1\n\u00e4{ROOT[1:]}\n",
        f"news.example\r\n1\r\n{ROOT}\r\n",
        f"news\0.example\n1\n{ROOT}\n",
        f"news\ud800.example\n1\n{ROOT}\n",
        None,
        b"news.example\n1\n",
        1,
    ],
)
def test_a_malformed_checkpoint_is_refused(text: Any) -> None:
    with pytest.raises(NoteError):
        checkpoint.parse(text)
