"""The signing key, and the last checkpoint that was signed with it: beside an embedded database, or where it is said.

Both are files of the site's user alone (0600), written so that a crash leaves the old or the new content. The key
belongs only where the log is sealed. The guard outlives the database on purpose: restored from a backup, the log
would otherwise sign a second history.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from consent.errors import NoteError
from consent.log import checkpoint, note
from consent.log.checkpoint import Checkpoint


@dataclass(frozen=True, slots=True)
class Keyring:
    """The files for the database at ``path``, with a key and a guard for each log in it."""

    path: Path

    @classmethod
    def of(cls, path: str) -> Keyring:
        return cls(Path(path))

    @property
    def key_file(self) -> Path:
        return self.path.with_name(self.path.name + ".key")

    @property
    def guard_file(self) -> Path:
        return self.path.with_name(self.path.name + ".guard")

    def signers(self, origin: str) -> list[note.Signer]:
        """The log's signing keys, oldest first; raises :class:`NoteError` for a damaged file."""
        return [signer for signer in self._signers() if signer.name == origin]

    def drop(self, signer: note.Signer) -> None:
        """Take a key out of the file; signatures that it made stay what they are."""
        _replace(self.key_file, "".join(f"{kept.skey}\n" for kept in self._signers() if kept.vkey != signer.vkey))

    def generate(self, origin: str) -> note.Signer:
        """A new key for the log, kept beside those that are there."""
        signer = note.Signer.generate(origin)
        before = self.key_file.read_text() if self.key_file.exists() else ""
        _replace(self.key_file, f"{before}{signer.skey}\n")
        return signer

    def guard(self, origin: str) -> Checkpoint | None:
        """The last checkpoint that was signed for the log; raises :class:`NoteError` for a damaged file."""
        text = self._guards().get(origin)
        return None if text is None else checkpoint.parse(text)

    def keep(self, signed: Checkpoint) -> None:
        """Make ``signed`` the guard of its log, durably."""
        _replace(self.guard_file, json.dumps(self._guards() | {signed.origin: signed.text()}, indent=1, sort_keys=True))

    def _signers(self) -> list[note.Signer]:
        if not self.key_file.exists():
            return []
        return [note.Signer.of(line) for line in self.key_file.read_text().splitlines() if line]

    def _guards(self) -> dict[str, str]:
        if not self.guard_file.exists():
            return {}
        try:
            guards = json.loads(self.guard_file.read_text())
        except ValueError as error:
            raise NoteError(f"The guard {self.guard_file} is damaged: {error}.") from error
        if not isinstance(guards, dict):
            raise NoteError(f"The guard {self.guard_file} is damaged.")
        return guards


def _replace(path: Path, text: str) -> None:
    """Put ``text`` into the file at once and durably, readable by its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    with suppress(FileNotFoundError):
        draft.unlink()
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            draft.unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
