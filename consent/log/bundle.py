"""Writes the evidence into one file that an auditor can check offline, with the verifier inside.

A bundle is a tar of what the log is, its signed checkpoints and their anchors, the notices that were shown, the tree
in tiles, the records leaf by leaf, what was announced in the tree, the counts of each day, a README for a lawyer, and
``verify.py``. A selection has the same parts with less in them, and the hashes that lead from it to the signed root.
"""

from __future__ import annotations

import json
import os
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, func, select

from consent.errors import ConsentError
from consent.log import extract, tables, verifier
from consent.log.extract import BundleError as BundleError
from consent.log.extract import as_bytes
from consent.log.record import canonical
from consent.log.sealer import counted, tiles
from consent.log.store import Store
from consent.log.tar import Tar
from consent.log.tiles import WIDTH, path

README: Final = Path(__file__).with_name("bundle_readme.txt")
CHUNK: Final = WIDTH * WIDTH  # leaves below one tile of level 1, whose records are one part


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What went into the file."""

    size: int
    records: int
    waiting: int


@dataclass(slots=True, kw_only=True)
class _Packing:
    """One bundle while it is written."""

    store: Store
    connection: Connection
    tar: Tar
    size: int
    pruned: int
    selection: str
    first: int
    end: int
    progress: Callable[[int, int], None] | None
    artefacts: set[bytes] = field(default_factory=set)
    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    records: int = 0

    def line(self, index: int, row: Any, *, more: dict[str, Any] | None = None) -> bytes:
        """One record as a line of JSON: what is canonical as it is stored, anything else as a text."""
        self.records += 1
        head = [f'{{"i":{index}']
        body = []
        if row is not None and row.entry is not None:
            entry = as_bytes(row.entry)
            if row.artefact is not None:
                self.artefacts.add(as_bytes(row.artefact))
            with suppress(ValueError, KeyError, TypeError):
                if (key := counted(entry)) is not None:
                    self.counts[key] += 1
            body.append(_embedded("entry", entry))
            if row.payload is not None and row.salt is not None:
                head.append(f'"salt":"{_base64(as_bytes(row.salt))}"')
                body.append(_embedded("payload", as_bytes(row.payload)))
        for name, value in (more or {}).items():
            body.append(f'"{name}":{json.dumps(value)}'.encode())
        return ",".join(head).encode() + b"".join(b"," + part for part in body) + b"}\n"


def write(
    store: Store,
    out: Path,
    *,
    receipt: bytes | None = None,
    days: tuple[date, date] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Bundle:
    """Write the bundle of the whole log, of some days, or of one receipt; replaces ``out`` at the end.

    It covers the tree of the newest signed checkpoint; raises :class:`BundleError` where there is none, and where
    nothing was chosen. A selection of days has whole tiles: some records before and after come with them.
    """
    draft = out.with_name(f"{out.name}.{os.getpid()}.new")
    try:
        with store.reading() as connection, draft.open("w+b") as file:
            store.database.one_view(connection)
            notes = extract.notes(store, connection)
            if not notes:
                raise BundleError("The log has no signed checkpoint yet: nothing is sealed, or the sealer doesn't run.")
            size, pruned = max(notes), extract.pruned(store, connection)
            first, end, selection = pruned, size, ""
            if days is not None:
                first, end = extract.leaves_of(store, connection, days, size, pruned)
                selection = f"days {days[0]} to {days[1]}: leaves {first} to {end - 1}"
            elif receipt is not None:
                first, end, selection = pruned, pruned, "one receipt"
            packing = _Packing(
                store=store, connection=connection, tar=Tar(file), size=size, pruned=pruned, selection=selection,
                first=first, end=end, progress=progress,
            )  # fmt: skip
            _pack(packing, notes, receipt)
            waiting = connection.execute(
                select(func.count()).select_from(tables.unsealed).where(tables.unsealed.c.log_id == store.log_id)
            ).scalar_one()
        draft.replace(out)
    except BaseException:
        with suppress(FileNotFoundError):
            draft.unlink()
        raise
    return Bundle(size=size, records=packing.records, waiting=waiting)


def _pack(packing: _Packing, notes: dict[int, str], receipt: bytes | None) -> None:
    store, connection, tar = packing.store, packing.connection, packing.tar
    table = tables.log_key
    vkeys = connection.execute(
        select(table.c.vkey).where(table.c.log_id == store.log_id).order_by(table.c.first_size, table.c.vkey)
    ).scalars()
    about = {
        "format": verifier.FORMAT, "origin": store.origin, "size": packing.size, "selection": packing.selection,
        "first": packing.first, "end": packing.end, "pruned": packing.pruned, "vkeys": list(vkeys),
    }  # fmt: skip
    tar.add("README.txt", README.read_bytes())
    tar.add("verify.py", Path(str(verifier.__file__)).read_bytes())
    tar.add("log.json", json.dumps(about, indent=1).encode() + b"\n")
    for size, note in sorted(notes.items()):
        tar.add(f"checkpoints/{size:012}.note", note.encode())
    for number, row in enumerate(extract.anchors(store, connection)):
        if row.size in notes:
            tar.add(f"anchors/{row.size:012}-{number}.tsr", as_bytes(row.token))
    _add_announcements(packing)
    if packing.pruned:
        tar.add("pruned.json", extract.carried(store, connection))
    for start in range(0, packing.size, CHUNK):
        _add_tiles(packing, start, {size // WIDTH for size in notes if size % WIDTH})
        _add_records(packing, start)
    if receipt is not None:
        _add_selected(packing, receipt)
    for digest in sorted(packing.artefacts):
        content = extract.artefact(store, connection, digest)
        if content is not None:
            tar.add(f"artefacts/{digest.hex()}.json", content)
    daily = (
        sorted([*key, n] for key, n in packing.counts.items())
        if packing.selection
        else extract.daily(store, connection)
    )
    tar.add("daily.json", json.dumps(daily, ensure_ascii=False).encode() + b"\n")
    tar.close()


def _add_announcements(packing: _Packing) -> None:
    """The leaves that are no decisions; those whose records are not here with a proof."""
    record, leaf = tables.record, tables.leaf
    query = (
        select(leaf.c.leaf_index, record.c.entry)
        .join(record, (record.c.log_id == leaf.c.log_id) & (record.c.event_id == leaf.c.event_id))
        .where(
            record.c.log_id == packing.store.log_id,
            record.c.event.in_(verifier.SPECIAL),
            leaf.c.leaf_index < packing.size,
        )
        .order_by(leaf.c.leaf_index)
    )
    with packing.tar.part("announcements.jsonl") as put:
        for row in packing.connection.execute(query).all():
            line = f'{{"i":{row.leaf_index},'.encode() + _embedded("entry", as_bytes(row.entry))
            if not packing.first <= row.leaf_index < packing.end:
                stored = tiles(packing.store, packing.connection)
                line += b',"proof":' + json.dumps(_proof(stored, row.leaf_index, packing.size)).encode()
            put(line + b"}\n")


def _add_tiles(packing: _Packing, start: int, sealed: set[int]) -> None:
    """The tiles over this chunk: of single leaves where its records are here or a checkpoint ends, else of tiles."""
    store, connection, size = packing.store, packing.connection, packing.size
    end = min(start + CHUNK, size)
    stored = tiles(store, connection)
    if start < packing.first or end > packing.end:
        upper = stored.tile(1, start // CHUNK)[: 32 * (end // WIDTH - start // WIDTH)]
        if upper:
            packing.tar.add(path(1, start // CHUNK, len(upper) // 32), upper)
    table = tables.tile
    query = select(table.c.tile_index, table.c.hashes).where(
        table.c.log_id == store.log_id,
        table.c.level == 0,
        table.c.tile_index.between(start // WIDTH, (end - 1) // WIDTH),
    )
    for row in connection.execute(query.order_by(table.c.tile_index)):
        at = row.tile_index * WIDTH
        if packing.first <= at < packing.end or row.tile_index in sealed:
            hashes = as_bytes(row.hashes)[: 32 * min(WIDTH, size - at)]
            packing.tar.add(path(0, row.tile_index, max(1, min(WIDTH, len(hashes) // 32))), hashes)


def _add_records(packing: _Packing, start: int) -> None:
    here = range(max(start, packing.first), min(start + CHUNK, packing.end))
    if not here:
        return
    with packing.tar.part(f"records/{start:012}.jsonl") as put:
        for index, row in extract.rows(packing.store, packing.connection, here):
            put(packing.line(index, row))
    if packing.progress is not None:
        packing.progress(here.stop - packing.first, packing.end - packing.first)


def _add_selected(packing: _Packing, receipt: bytes) -> None:
    store, size = packing.store, packing.size
    leaf, record = tables.leaf, tables.record
    query = (
        extract.records()
        .where(leaf.c.log_id == store.log_id, record.c.receipt == receipt, leaf.c.leaf_index < size)
        .order_by(leaf.c.leaf_index)
    )
    rows = packing.connection.execute(query).all()
    if not rows:
        raise BundleError("The log has no sealed record of this receipt.")
    with packing.tar.part("selected.jsonl") as put:
        for row in rows:
            stored = tiles(store, packing.connection)
            more = {"leaf": _base64(as_bytes(row.leaf)), "proof": _proof(stored, row.leaf_index, size)}
            put(packing.line(row.leaf_index, row, more=more))


def _proof(stored: Any, index: int, size: int) -> list[str]:
    return [_base64(each) for each in stored.inclusion_proof(index, size)]


def _embedded(name: str, data: bytes) -> bytes:
    """A member of a JSON object: canonical objects as they are, byte for byte, anything else as a text."""
    try:
        if data[:1] == b"{" and canonical(json.loads(data)) == data:
            return f'"{name}":'.encode() + data
    except (ValueError, ConsentError, RecursionError):
        pass
    text = json.dumps(data.decode(errors="replace"))  # what is not UTF-8 was never sealed and needn't survive exactly
    return f'"{name}_text":{text}'.encode()


def _base64(data: bytes) -> str:
    return b64encode(data).decode()
