"""Keeps on local disk what the database can't take just now, so that no acknowledged decision is lost with it.

Each process appends to a file of its own, which it holds locked; a file whose process has ended belongs to whoever
locks it next. A frame is a mark, its length, a CRC-32 and JSON. What a crash has torn off was never acknowledged:
reading skips to the next whole frame. Standard library only.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import struct
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from consent.decision import Artefact
from consent.errors import NotRecorded
from consent.log.record import Draft

MOST_BYTES: Final = 64 << 20  # of one process: at a kilobyte each, some sixty thousand decisions
SUFFIX: Final = ".spool"
REFUSED: Final = "refused"  # the file with what the database would not take
_MARK: Final = b"\xc5CSP"
_HEAD: Final = struct.Struct(">4sII")
Item = Draft | Artefact


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one file holds: the items in order, up to which byte they reach, and bytes that are nothing."""

    path: Path
    items: list[Item]
    end: int
    torn: int


class Spool:
    """The spool of one process in a folder; safe to share among threads."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)
        self._lock = threading.Lock()
        self._file: int | None = None
        self._path = self.folder
        self._size = 0
        self.full = False

    def keep(self, item: Item) -> None:
        """Append the item durably, or raise :class:`NotRecorded`; then no trace of it is left."""
        try:
            frame = _frame(item)
            with self._lock:
                file = self._opened()
                if self._size + len(frame) > MOST_BYTES:
                    self.full = True
                    raise NotRecorded(f"The database can't be used, and the spool in {self.folder} is full.")
                self._append(file, frame)
        except OSError as error:
            raise NotRecorded(f"The database can't be used, nor the spool in {self.folder}: {error}.") from error

    def set_aside(self, items: Sequence[Item]) -> None:
        """Keep what the database refuses for good where nobody hands it over again, for a person to look at."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(self.folder / REFUSED, "ab", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(b"".join(map(_frame, items)))
            file.flush()
            os.fsync(file.fileno())

    def waits(self) -> bool:
        """Whether this process has something in its file."""
        return self._size > 0

    def own(self) -> Found | None:
        """What this process has kept and not handed over yet."""
        with self._lock:
            if self._file is None or not self._size:
                return None
            return _read(self._path, self._size)

    def handed_over(self, found: Found) -> None:
        """Forget what is in the database by now; what was kept meanwhile stays, and is read again with the rest."""
        with self._lock:
            if self._file is not None and found.path == self._path and found.end == self._size:
                os.ftruncate(self._file, 0)
                os.fdatasync(self._file)
                self._size, self.full = 0, False

    def orphans(self) -> Iterator[tuple[Found, int]]:
        """The files of processes that have ended, each with a descriptor that locks it; give it to :meth:`bury`."""
        for path in sorted(self.folder.glob(f"*{SUFFIX}")):
            if path == self._path:
                continue
            try:
                file = os.open(path, os.O_RDWR)
            except OSError:
                continue
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                found = _read(path, os.fstat(file).st_size)
            except OSError:  # its process lives, or another is taking it over
                os.close(file)
                continue
            yield found, file

    def bury(self, found: Found, file: int, *, done: bool) -> None:
        """Remove the file of an ended process once it is handed over, or leave it for later."""
        if done:
            with suppress(FileNotFoundError):
                found.path.unlink()
        os.close(file)

    def close(self) -> None:
        """Give the file back; an empty one is removed."""
        with self._lock:
            if self._file is not None:
                if not self._size:
                    with suppress(OSError):
                        self._path.unlink()
                os.close(self._file)
                self._file, self._path = None, self.folder

    def forked(self) -> None:
        """Begin anew in a child: the file is the parent's."""
        self._lock = threading.Lock()
        if self._file is not None:
            os.close(self._file)  # the lock stays with the parent's descriptor
        self._file, self._path, self._size, self.full = None, self.folder, 0, False

    def _opened(self) -> int:
        if self._file is None:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self.folder / f"{os.getpid()}-{secrets.token_hex(4)}{SUFFIX}"
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _sync_folder(self.folder)
            except OSError:
                os.close(file)
                raise
            self._file, self._path, self._size = file, path, 0
        return self._file

    def _append(self, file: int, frame: bytes) -> None:
        try:
            view = memoryview(frame)
            while view:
                view = view[os.write(file, view) :]
            os.fdatasync(file)
        except OSError:
            with suppress(OSError):
                os.ftruncate(file, self._size)
            raise
        self._size += len(frame)


def waiting(folder: str) -> list[Found]:
    """What all processes have in their files just now; for looking only."""
    found = []
    for path in sorted(Path(folder).glob(f"*{SUFFIX}")):
        with suppress(OSError):
            found.append(_read(path, path.stat().st_size))
    return [each for each in found if each.items or each.torn]


def refused(folder: str) -> int:
    """How many items were set aside."""
    path = Path(folder, REFUSED)
    return len(_read(path, path.stat().st_size).items) if path.exists() else 0


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _frame(item: Item) -> bytes:
    data = json.dumps(_data(item), ensure_ascii=False).encode()
    return _HEAD.pack(_MARK, len(data), zlib.crc32(data)) + data


def _data(item: Item) -> dict[str, Any]:
    if isinstance(item, Artefact):
        return {"digest": item.digest, "content": item.content}
    return {
        "event_id": str(item.event_id),
        "receipt": item.receipt.hex() if item.receipt is not None else None,
        "artefact": item.artefact.hex() if item.artefact is not None else None,
        "occurred_at": item.occurred_at.isoformat(),
        "fields": dict(item.fields),
    }


def _item(data: Mapping[str, Any]) -> Item:
    if "digest" in data:
        return Artefact(content=data["content"], digest=data["digest"])
    return Draft(
        event_id=UUID(data["event_id"]),
        receipt=bytes.fromhex(data["receipt"]) if data["receipt"] is not None else None,
        artefact=bytes.fromhex(data["artefact"]) if data["artefact"] is not None else None,
        occurred_at=datetime.fromisoformat(data["occurred_at"]),
        fields=data["fields"],
    )


def _read(path: Path, size: int) -> Found:
    with path.open("rb") as file:
        data = file.read(size)
    items, at, torn = list[Item](), 0, 0
    while at < len(data):
        item, end = _parse(data, at)
        if item is not None:
            items.append(item)
            at = end
            continue
        following = data.find(_MARK, at + 1)
        end = following if following >= 0 else len(data)
        torn += end - at
        at = end
    return Found(path=path, items=items, end=len(data), torn=torn)


def _parse(data: bytes, at: int) -> tuple[Item | None, int]:
    """The item whose frame begins here, and where it ends."""
    if len(data) - at < _HEAD.size:
        return None, at
    mark, length, check = _HEAD.unpack_from(data, at)
    body = data[at + _HEAD.size : at + _HEAD.size + length]
    if mark != _MARK or len(body) != length or zlib.crc32(body) != check:
        return None, at
    try:
        return _item(json.loads(body)), at + _HEAD.size + length
    except (ValueError, KeyError, TypeError):
        return None, at
