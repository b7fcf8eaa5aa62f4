"""One record's proof by itself (C2SP tlog-proof): it convinces with the log's key, and nothing like it does."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import grant, put

from consent.errors import NoteError, ProofError
from consent.log import note, sealer
from consent.log.commands import log as command
from consent.log.keyring import Keyring
from consent.log.store import Store
from consent.log.tlogproof import proofs, verify

RECEIPT = "c4" * 16


@pytest.fixture
def proven(store: Store, path: Path) -> tuple[str, str]:
    """A proof and the key to check it with."""
    put(store, *(grant() for _ in range(300)), grant(receipt_id=RECEIPT), *(grant() for _ in range(4)))
    sealer.seal(store)
    sealer.sign(store, Keyring.of(str(path)))
    ((_, text),) = proofs(store, bytes.fromhex(RECEIPT))
    return text, Keyring.of(str(path)).signers(store.origin)[0].vkey


def test_a_proof_has_the_shape_of_its_standard(proven: tuple[str, str]) -> None:
    lines = proven[0].split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    assert lines[1].startswith("extra ")
    assert lines[2].startswith("index ")
    gap = lines.index("")
    assert all(len(base64.b64decode(line)) == 32 for line in lines[3:gap])
    assert lines[gap + 1 : gap + 3] == ["news.example/consent", "305"]
    assert proven[0].endswith("\n")


def test_a_proof_convinces_with_the_logs_key_alone(proven: tuple[str, str]) -> None:
    text, vkey = proven
    found = verify(text, [vkey])
    assert (found.size, found.payload["receipt_id"]) == (305, RECEIPT)
    with pytest.raises(NoteError):
        verify(text, [note.Signer.generate("news.example/consent").vkey])


def changed_extra(text: str) -> str:
    lines = text.split("\n")
    content = json.loads(base64.b64decode(lines[1].removeprefix("extra ")))
    content["payload"]["decisions"]["analytics"] = "granted"
    lines[1] = "extra " + base64.b64encode(json.dumps(content).encode()).decode()
    return "\n".join(lines)


def index_of(text: str) -> int:
    return int(text.split("index ")[1].split("\n")[0])


@pytest.mark.parametrize(
    "spoil",
    [
        changed_extra,
        lambda text: text.replace(f"index {index_of(text)}", f"index {index_of(text) ^ 1}"),
        lambda text: text.replace("index ", "index 0"),
        lambda text: text.replace("index ", "index -"),
        lambda text: text.replace("index ", "index 99999"),
        lambda text: text.replace("tlog-proof@v1", "tlog-proof@v2"),
        lambda text: "\n" + text,
        lambda text: text.replace("extra ", "extra\t"),
        lambda text: text.replace("extra ", "extra "[:3] + " "),
        lambda text: "\n".join(line for number, line in enumerate(text.split("\n")) if number != 1),
        lambda text: "\n".join(line for number, line in enumerate(text.split("\n")) if number != 3),
        lambda text: text.replace("\n\n", "\n" + "A" * 43 + "=\n\n", 1),
        lambda text: text.replace("=\n\n", "=\n=\n\n", 1),
        lambda text: text.replace("\n305\n", "\n306\n"),
        lambda text: text + "\n",
        lambda text: text[:-1],
        lambda _: "",
    ],
)
def test_nothing_like_a_proof_convinces(proven: tuple[str, str], spoil: object) -> None:
    text, vkey = proven
    with pytest.raises((ProofError, NoteError)):
        verify(spoil(text), [vkey])  # type: ignore[operator]


def test_the_command_writes_a_file_for_each_record(proven: tuple[str, str], path: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["proof", RECEIPT, str(tmp_path / "out"), "--url", f"sqlite:///{path}"])
    (file,) = (tmp_path / "out").iterdir()
    assert result.output == f"{file}\n"
    assert verify(file.read_text(), [proven[1]]).payload["receipt_id"] == RECEIPT
    nobody = CliRunner().invoke(command, ["proof", "00" * 16, str(tmp_path), "--url", f"sqlite:///{path}"])
    assert nobody.exit_code == 1


def test_an_unsealed_log_proves_nothing_yet(store: Store) -> None:
    put(store, grant(receipt_id=RECEIPT))
    with pytest.raises(NoteError, match="no signed checkpoint"):
        proofs(store, bytes.fromhex(RECEIPT))
