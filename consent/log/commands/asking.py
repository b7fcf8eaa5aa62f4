"""Commands that an operator or an auditor asks: one receipt, the whole log, a bundle. They only read."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click

from consent.log.commands.console import (
    FINDING,
    UNREADABLE,
    USAGE,
    Cell,
    fail,
    first_option,
    json_option,
    kept_option,
    keyring_of,
    keys_option,
    last_option,
    progress,
    reading,
    receipt_of,
    table,
    tsa_option,
    url_option,
)
from consent.log.record import intact
from consent.log.status import Status
from consent.log.store import Stored

_TITLES: Final = ("Time (UTC)", "Event", "Action", "Granted", "Refused", "Language", "Notice", "Intact")


@click.command()
@click.argument("receipt")
@url_option
@json_option
def show(receipt: str, url: str, as_json: bool) -> None:
    """Print the history of a RECEIPT, the 32 hex digits that a visitor reads on the settings page.

    Each record is checked against what was committed to when it was written.
    """
    wanted = receipt_of(receipt)
    digits = wanted.hex()
    with reading(url) as store:
        history = store.history(wanted)
        origin = store.origin
    if as_json:
        click.echo(
            json.dumps({"log": origin, "receipt": digits, "records": [_data(stored) for stored in history]}, indent=2)
        )
    elif history:
        click.echo(f"Receipt {click.style(digits, bold=True)} in the log {origin}")
        for line in table(_TITLES, [_row(stored) for stored in history]):
            click.echo(line)
    if not history:
        fail(f"The log has no record of the receipt {digits}.", FINDING)
    damaged = [stored for stored in history if not _is_intact(stored)]
    if damaged:
        fail(f"{len(damaged)} of {len(history)} records are not as they were written.", FINDING)


@click.command()
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--receipt", help="Only the records of this receipt, each with a proof.")
@first_option
@last_option
@url_option
@json_option
def bundle(
    out: Path, receipt: str | None, first: datetime | None, last: datetime | None, url: str, as_json: bool
) -> None:
    """Write the evidence into OUT, a tar with its own verifier, for somebody who does not trust the site."""
    from consent.log.bundle import write

    chosen = receipt_of(receipt) if receipt is not None else None
    days = None
    if first is not None or last is not None:
        days = ((first or datetime.min).date(), (last or datetime.max).date())
        if chosen is not None or days[0] > days[1]:
            fail("Choose one receipt, or days of which the first comes first.", USAGE)
    with reading(url) as store:
        made = write(store, out, receipt=chosen, days=days, progress=progress("written"))
    if as_json:
        click.echo(json.dumps({"size": made.size, "records": made.records, "waiting": made.waiting}))
    else:
        click.echo(
            f"{out}: {made.records} of {made.size} records"
            + (f"; {made.waiting} wait to be sealed." if made.waiting else ".")
        )


@click.command()
@url_option
@json_option
def status(url: str, as_json: bool) -> None:
    """Say how the log is doing: what waits in the spool and to be sealed, whether it is signed, what was lost."""
    from consent.log.status import status as look

    with reading(url) as store:
        found = look(store, keyring_of(store.address))
    if as_json:
        click.echo(
            json.dumps({**asdict(found), "sealed_at": found.sealed_at and found.sealed_at.isoformat()}, indent=1)
        )
    else:
        for name, text in _lines(found):
            click.echo(f"{name:<15}{text}")
        for sentence in found.findings:
            click.secho(f"{'Look at':<15}{sentence}", fg="yellow")
    if found.findings:
        raise SystemExit(FINDING)


def _lines(found: Status) -> Iterator[tuple[str, str]]:
    sealed = f", the last at {found.sealed_at:%Y-%m-%d %H:%M:%S} UTC" if found.sealed_at else ""
    yield "Log", found.origin
    yield "Sealed", f"{found.size} leaves{sealed}"
    yield "Signed", f"{found.signed} leaves"
    yield "Guard", "none yet" if found.guard is None else f"{found.guard} leaves, which this log continues"
    yield "Anchored", f"{found.anchored} leaves" if found.anchored else "never"
    yield "Pruned", f"{found.pruned} leaves"
    yield "Waiting", f"{found.waiting} records, for {found.lag:.0f} seconds"
    yield "Spool", f"{found.spooled} records, {found.spool_bytes} bytes"
    yield "Gaps", f"{sum(found.gaps.values())} answers posted and not recorded"


@click.command()
@click.argument("receipt")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path())
@url_option
@json_option
def proof(receipt: str, folder: Path, url: str, as_json: bool) -> None:
    """Write each record of a RECEIPT into FOLDER with its proof, as C2SP .tlog-proof files."""
    from consent.log.tlogproof import proofs

    wanted = receipt_of(receipt)
    with reading(url) as store:
        made = proofs(store, wanted)
    if not made:
        fail(f"The log has no sealed record of the receipt {wanted.hex()}.", FINDING)
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{wanted.hex()}-{index}.tlog-proof" for index, _ in made]
    for file, (_, text) in zip(files, made, strict=True):
        file.write_text(text, encoding="utf-8", newline="\n")
    click.echo(json.dumps({"files": [str(file) for file in files]}) if as_json else "\n".join(map(str, files)))


@click.command("verify")
@url_option
@keys_option
@kept_option
@tsa_option
@json_option
def verify_log(
    url: str, keys: tuple[str, ...], kept: tuple[Path, ...], authorities: tuple[Path, ...], as_json: bool
) -> None:
    """Check the whole log as an auditor would: bundle it, and verify the bundle."""
    from consent.log.bundle import write

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "bundle.tar")
        with reading(url) as store:
            made = write(store, out, progress=progress("read"))
        _verify(out, keys, kept, authorities, as_json)
    if made.waiting and not as_json:
        click.echo(f"Waiting        {made.waiting} records are not sealed yet", err=True)


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@keys_option
@kept_option
@tsa_option
@json_option
def verify(
    bundle: Path, keys: tuple[str, ...], kept: tuple[Path, ...], authorities: tuple[Path, ...], as_json: bool
) -> None:
    """Check a BUNDLE that `consent log bundle` wrote, without the site that wrote it."""
    _verify(bundle, keys, kept, authorities, as_json)


def _verify(
    bundle: Path, keys: tuple[str, ...], kept: tuple[Path, ...], authorities: tuple[Path, ...], as_json: bool
) -> None:
    from consent.log import verifier

    try:
        report = verifier.verify(
            str(bundle),
            keys=keys,
            kept=[path.read_text() for path in kept],
            authorities=[path.read_bytes() for path in authorities],
            progress=progress("checked"),
        )
    except (verifier.Unreadable, OSError, UnicodeDecodeError) as error:
        fail(str(error), UNREADABLE)
    if as_json:
        click.echo(json.dumps(report.as_data(), indent=2))
    else:
        for line in report.lines():
            click.echo(click.style(line, fg="red" if line.startswith("BAD") else None))
    if not report.good:
        raise SystemExit(FINDING)


def _is_intact(stored: Stored) -> bool:
    if stored.payload is None or stored.salt is None:
        return False
    return intact(payload=stored.payload, salt=stored.salt, entry=stored.entry, leaf=stored.leaf)


def _data(stored: Stored) -> dict[str, Any]:
    return {"intact": _is_intact(stored), "day": stored.day, "event": stored.event, "payload": _fields(stored)}


def _fields(stored: Stored) -> dict[str, Any] | None:
    """The payload as data; ``None`` where there is none that can be read, because it was erased or tampered with."""
    try:
        fields = json.loads(stored.payload or b"")
    except ValueError:
        return None
    return fields if isinstance(fields, dict) else None


def _row(stored: Stored) -> list[Cell]:
    """The cells of one record and the colour of each."""
    fields = _fields(stored) or {}
    moment = str(fields.get("occurred_at", stored.day)).replace("T", " ")[:19]
    answers = {**fields.get("decisions", {}), **fields.get("vendor_grants", {})}
    given = fields.get("vendor_grants", {}) or answers
    colour = {"granted": "green", "partial": "green", "refused": "yellow", "withdrawn": "yellow"}.get(stored.event)
    return [
        (moment, None),
        (stored.event, colour),
        (str(fields.get("action", "")), None),
        (" ".join(key for key, answer in sorted(given.items()) if answer == "granted") or "-", "green"),
        (" ".join(key for key, answer in sorted(given.items()) if answer == "denied") or "-", "yellow"),
        (str(fields.get("locale", "")), None),
        (str(fields.get("notice_hash", ""))[:12] or "-", None),
        ("yes", "green") if _is_intact(stored) else ("NO", "red"),
    ]
