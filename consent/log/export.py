"""The sealed records in the order of the tree, for other tools: JSON Lines, CSV, Parquet; streamed, whatever the size.

An export is no evidence: it has neither salts nor proofs. Parquet needs pyarrow, which only this module uses.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from datetime import date
from typing import IO, Any, Final

from sqlalchemy import select

from consent.errors import ConsentError
from consent.log import tables
from consent.log.store import Store

COLUMNS: Final = (
    "leaf", "day", "event", "action", "occurred_at", "valid_until", "receipt", "granted", "refused",
    "services_granted", "services_refused", "layer", "locale", "market_profile", "material_version", "notice",
    "gpc", "no_js", "erased",
)  # fmt: skip
FORMS: Final = ("jsonl", "csv", "parquet")
_ROWS: Final = 1000  # read at once
_GROUP: Final = 50_000  # rows of a Parquet row group
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")  # what a spreadsheet takes for the beginning of a formula


class ExportError(ConsentError):
    """A package that the form needs is missing."""


def export(
    store: Store,
    out: IO[bytes],
    *,
    form: str,
    first: date | None = None,
    last: date | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Write the decisions of these days, the whole log by default; how many there were."""
    write = {"jsonl": _jsonl, "csv": _csv, "parquet": _parquet}[form]
    return write(_records(store, first, last, progress), out)


def _records(
    store: Store, first: date | None, last: date | None, progress: Callable[[int, int], None] | None
) -> Iterator[dict[str, Any]]:
    leaf, record, head = tables.leaf, tables.record, tables.head
    query = (
        select(leaf.c.leaf_index, record.c.day, record.c.event, record.c.receipt, record.c.payload, record.c.entry)
        .join_from(leaf, record, (record.c.log_id == leaf.c.log_id) & (record.c.event_id == leaf.c.event_id))
        .where(leaf.c.log_id == store.log_id, *([record.c.day >= first.isoformat()] if first else []))
        .where(*([record.c.day <= last.isoformat()] if last else []))
        .order_by(leaf.c.leaf_index)
        .execution_options(yield_per=_ROWS)
    )
    with store.reading() as connection:
        size = connection.execute(select(head.c.size).where(head.c.log_id == store.log_id)).scalar() or 0
        for number, row in enumerate(connection.execute(query)):
            entry = json.loads(row.entry)
            if "g" in entry:
                yield _row(row, entry)
            if progress is not None and number % _ROWS == 0:
                progress(row.leaf_index, size)
    if progress is not None:
        progress(size, size)


def _row(row: Any, entry: dict[str, Any]) -> dict[str, Any]:
    """One decision by column; what was erased, or reduced to its count, keeps what its entry says."""
    fields = json.loads(row.payload) if row.payload is not None else {}
    services = fields.get("vendor_grants", {})
    values: dict[str, Any] = {
        "leaf": row.leaf_index, "day": entry["d"], "event": entry["k"], "granted": entry["g"], "refused": entry["r"],
        "receipt": fields.get("receipt_id"),
        "services_granted": sorted(key for key, answer in services.items() if answer == "granted"),
        "services_refused": sorted(key for key, answer in services.items() if answer == "denied"),
        "notice": fields.get("notice_hash"), "gpc": fields.get("signals", {}).get("gpc"),
        "erased": row.payload is None,
    }  # fmt: skip
    return {column: values[column] if column in values else fields.get(column) for column in COLUMNS}


def _jsonl(records: Iterator[dict[str, Any]], out: IO[bytes]) -> int:
    count = 0
    for record in records:
        out.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
        count += 1
    return count


class _Lines:
    """What a CSV writer writes to: text in UTF-8."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out

    def write(self, text: str) -> int:
        return self._out.write(text.encode())


def _csv(records: Iterator[dict[str, Any]], out: IO[bytes]) -> int:
    rows = csv.writer(_Lines(out))  # lines end as RFC 4180 has it
    rows.writerow(COLUMNS)
    count = 0
    for record in records:
        rows.writerow(_cell(value) for value in record.values())
        count += 1
    return count


def _cell(value: Any) -> str:
    """The text of a cell that no spreadsheet calculates."""
    if isinstance(value, list):
        value = " ".join(value)
    if isinstance(value, bool):
        value = "yes" if value else "no"
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _parquet(records: Iterator[dict[str, Any]], out: IO[bytes]) -> int:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise ExportError('Parquet needs a package more: pip install "consentry[parquet]".') from None
    kinds = dict.fromkeys(COLUMNS, pa.string())
    kinds |= dict.fromkeys(("granted", "refused", "services_granted", "services_refused"), pa.list_(pa.string()))
    kinds |= dict.fromkeys(("gpc", "no_js", "erased"), pa.bool_()) | {"leaf": pa.int64()}
    schema, count, group = pa.schema(list(kinds.items())), 0, list[dict[str, Any]]()
    with pq.ParquetWriter(out, schema, compression="zstd") as writer:
        for record in records:
            group.append(record)
            count += 1
            if len(group) == _GROUP:
                writer.write_table(pa.Table.from_pylist(group, schema=schema))
                group.clear()
        if group or not count:
            writer.write_table(pa.Table.from_pylist(group, schema=schema))
    return count
