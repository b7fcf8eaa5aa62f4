"""Writes the evidence into one file that an auditor can check offline, with the verifier inside.

A bundle is a tar: what the log is, its signed checkpoints, the notices that were shown, the records leaf by leaf, the
counts of each day, a README for a lawyer, and ``verify.py``. The parts are in the order in which they are checked.
"""

from __future__ import annotations

import io
import json
import os
import tarfile
import tempfile
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from sqlalchemy import Connection, select

from consent.errors import ConsentError
from consent.log import tables, verifier
from consent.log.merkle import HASH_SIZE
from consent.log.sealer import counted, tiles
from consent.log.store import Store
from consent.log.tiles import WIDTH, Tiles

README: Final = Path(__file__).with_name("bundle_readme.txt")
_TIME: Final = 0  # of every part: the file's own age says nothing, and equal logs make equal bundles


class BundleError(ConsentError):
    """There is nothing to put into a bundle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What went into the file."""

    size: int
    records: int
    waiting: int


@dataclass(slots=True)
class _Contents:
    """What the records name, gathered while they are written."""

    artefacts: set[bytes] = field(default_factory=set)
    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    records: int = 0


def write(
    store: Store,
    out: Path,
    *,
    receipt: bytes | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Bundle:
    """Write the bundle of the whole log, or of one receipt with a proof for each record; replaces ``out`` at the end.

    It covers the tree of the newest signed checkpoint; raises :class:`BundleError` where there is none.
    """
    with store.reading() as connection:
        connection.exec_driver_sql("BEGIN")  # one view of the database, whatever is recorded meanwhile
        notes = _notes(store, connection)
        if not notes:
            raise BundleError("The log has no signed checkpoint yet: nothing is sealed, or the sealer doesn't run.")
        size = max(notes)
        with tempfile.TemporaryFile(dir=out.parent) as records:
            contents = _Contents()
            chosen = None if receipt is None else _indices(store, connection, receipt, size)
            for line in _lines(store, connection, size, chosen, contents):
                records.write(line)
                if progress is not None and contents.records % 20_000 == 0:
                    progress(contents.records, size)
            _pack(store, connection, out, records, contents, notes, whole=chosen is None)
        waiting = connection.execute(
            select(tables.unsealed.c.event_id).where(tables.unsealed.c.log_id == store.log_id)
        ).all()
    return Bundle(size=size, records=contents.records, waiting=len(waiting))


def _notes(store: Store, connection: Connection) -> dict[int, str]:
    table = tables.checkpoint
    query = select(table.c.size, table.c.note).where(table.c.log_id == store.log_id, table.c.note.is_not(None))
    return {row.size: row.note for row in connection.execute(query)}


def _indices(store: Store, connection: Connection, receipt: bytes, size: int) -> list[int]:
    record, leaf = tables.record, tables.leaf
    query = (
        select(leaf.c.leaf_index)
        .join(record, (record.c.log_id == leaf.c.log_id) & (record.c.event_id == leaf.c.event_id))
        .where(record.c.log_id == store.log_id, record.c.receipt == receipt, leaf.c.leaf_index < size)
        .order_by(leaf.c.leaf_index)
    )
    found = list(connection.execute(query).scalars())
    if not found:
        raise BundleError("The log has no sealed record of this receipt.")
    return found


def _lines(
    store: Store, connection: Connection, size: int, chosen: list[int] | None, contents: _Contents
) -> Iterator[bytes]:
    """Each record as a line, in the order of the tree; the leaf's hash comes from the tree and not from the record."""
    stored = tiles(store, connection)
    for index, row in _rows(store, connection, size, chosen):
        if index % WIDTH == 0:
            stored = tiles(store, connection)  # forget the tiles before: the memory needed stays the same
        data: dict[str, Any] = {"i": index, "leaf": _base64(_leaf(stored, index)), "entry": None}
        if row is not None and row.entry is not None:
            data["entry"] = _text(row.entry)
            contents.artefacts |= {_bytes(row.artefact)} if row.artefact is not None else set()
            with suppress(ValueError, KeyError, TypeError):
                if (key := counted(_bytes(row.entry))) is not None:
                    contents.counts[key] += 1
            if row.payload is not None and row.salt is not None:
                data |= {"payload": _text(row.payload), "salt": _base64(_bytes(row.salt))}
        if chosen is not None:
            data["proof"] = [_base64(each) for each in stored.inclusion_proof(index, size)]
        contents.records += 1
        yield json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _rows(store: Store, connection: Connection, size: int, chosen: list[int] | None) -> Iterator[tuple[int, Any]]:
    """Each leaf's index with its record, or ``None`` where the database has none."""
    record, leaf = tables.record, tables.leaf
    query = (
        select(leaf.c.leaf_index, record.c.entry, record.c.payload, record.c.salt, record.c.artefact)
        .join_from(
            leaf, record, (record.c.log_id == leaf.c.log_id) & (record.c.event_id == leaf.c.event_id), isouter=True
        )
        .where(leaf.c.log_id == store.log_id)
        .order_by(leaf.c.leaf_index)
    )
    if chosen is not None:
        for index in chosen:
            yield index, connection.execute(query.where(leaf.c.leaf_index == index)).first()
        return
    expected = 0
    for row in connection.execute(query.where(leaf.c.leaf_index < size).execution_options(yield_per=1000)):
        while expected < row.leaf_index:
            yield expected, None
            expected += 1
        yield expected, row
        expected += 1
    for index in range(expected, size):
        yield index, None


def _leaf(stored: Tiles, index: int) -> bytes:
    offset = index % WIDTH * HASH_SIZE
    return stored.tile(0, index // WIDTH)[offset : offset + HASH_SIZE]


def _pack(
    store: Store,
    connection: Connection,
    out: Path,
    records: IO[bytes],
    contents: _Contents,
    notes: dict[int, str],
    *,
    whole: bool,
) -> None:
    size = max(notes)
    vkeys = connection.execute(select(tables.log_key.c.vkey).where(tables.log_key.c.log_id == store.log_id)).scalars()
    about = {"format": verifier.FORMAT, "origin": store.origin, "size": size, "whole": whole, "vkeys": sorted(vkeys)}
    kept = notes if whole else {size: notes[size]}
    draft = out.with_name(f"{out.name}.{os.getpid()}.new")
    try:
        with tarfile.open(draft, "x:") as tar:
            _add(tar, "README.txt", README.read_bytes())
            _add(tar, "verify.py", Path(str(verifier.__file__)).read_bytes())
            _add(tar, "log.json", json.dumps(about, indent=1).encode() + b"\n")
            for each, note in sorted(kept.items()):
                _add(tar, f"checkpoints/{each:012}.note", note.encode())
            for digest in sorted(contents.artefacts):
                content = _artefact(store, connection, digest)
                if content is not None:
                    _add(tar, f"artefacts/{digest.hex()}.json", content)
            _add_file(tar, "records.jsonl", records)
            daily = sorted([*key, n] for key, n in contents.counts.items()) if not whole else _daily(store, connection)
            _add(tar, "daily.json", json.dumps(daily, ensure_ascii=False).encode() + b"\n")
        draft.replace(out)
    except BaseException:
        with suppress(FileNotFoundError):
            draft.unlink()
        raise


def _daily(store: Store, connection: Connection) -> list[list[Any]]:
    """The counts as the log keeps them, for the verifier to count again."""
    table = tables.daily
    query = select(table.c.day, table.c.event, table.c.choices, table.c.n).where(table.c.log_id == store.log_id)
    return sorted(list(row) for row in connection.execute(query))


def _artefact(store: Store, connection: Connection, digest: bytes) -> bytes | None:
    table = tables.artefact
    query = select(table.c.content).where(table.c.log_id == store.log_id, table.c.digest == digest)
    content = connection.execute(query).scalar()
    return None if content is None else _bytes(content)


def _bytes(value: bytes | str) -> bytes:
    """What a column of bytes holds: SQLite lets whoever edits it put a text there, and that is evidence too."""
    return value if isinstance(value, bytes) else value.encode()


def _text(value: bytes | str) -> str:
    """The same as a text; what is not UTF-8 can't be what was sealed and need not survive exactly."""
    return _bytes(value).decode(errors="replace")


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    _add_file(tar, name, io.BytesIO(data))


def _add_file(tar: tarfile.TarFile, name: str, file: IO[bytes]) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mtime, member.mode = file.seek(0, os.SEEK_END), _TIME, 0o644
    file.seek(0)
    tar.addfile(member, file)


def _base64(data: bytes) -> str:
    return b64encode(data).decode()
