"""``consent log …``: what an operator and an auditor ask the log on the command line.

Exit codes: 0 good, 1 a finding, 2 the log can't be read, 3 wrong usage. Reasons go to the error stream.
"""

from __future__ import annotations

import json
import re
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

import click
from sqlalchemy.exc import SQLAlchemyError

from consent.errors import ConfigError, ConsentError
from consent.log.address import Address, default
from consent.log.record import intact
from consent.log.store import Store, Stored

FINDING, UNREADABLE, USAGE = 1, 2, 3
_DAY = click.DateTime(["%Y-%m-%d"])
Cell = tuple[str, str | None]  # the text, and its colour on a terminal

_url = click.option(
    "--url",
    default=default,
    show_default="CONSENT_LOG, or sqlite:///instance/consent.db",
    help="Where the log is, as for open_recorder.",
)
_keys = click.option("--key", "keys", multiple=True, metavar="VKEY", help="Trust this key, not the bundle's own.")
_kept = click.option(
    "--checkpoint",
    "kept",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A checkpoint that you kept: shows whether the log was rewritten or cut off since.",
)
_tsa = click.option(
    "--tsa",
    "authorities",
    multiple=True,
    type=click.Path(path_type=Path),
    help="The certificate (PEM) of an authority whose time stamps you trust.",
)
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def log() -> None:
    """Ask, and look after, the consent log."""


@log.command()
@click.argument("receipt")
@_url
@_json
def show(receipt: str, url: str, as_json: bool) -> None:
    """Print the history of a RECEIPT, the 32 hex digits that a visitor reads on the settings page.

    Each record is checked against what was committed to when it was written.
    """
    wanted = _receipt(receipt)
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
        for line in _table([_row(stored) for stored in history]):
            click.echo(line)
    if not history:
        _fail(f"The log has no record of the receipt {digits}.", FINDING)
    damaged = [stored for stored in history if not _is_intact(stored)]
    if damaged:
        _fail(f"{len(damaged)} of {len(history)} records are not as they were written.", FINDING)


@log.command()
@_url
@_json
def upgrade(url: str, as_json: bool) -> None:
    """Bring the database of an earlier version to the present schema."""
    from consent.log.upgrade import upgrade as run

    address = _address(url)
    with _readable(address):
        before, after = run(address)
    if as_json:
        click.echo(json.dumps({"before": before, "after": after}))
    elif before == after:
        click.echo(f"The log is at schema {after} already.")
    else:
        click.echo(f"The log went from schema {before or 'none'} to {after}.")


@log.command()
@_url
@click.option("--every", metavar="SECONDS", help="Go on, sealing so often: 1s, 500ms, 2m.")
@_json
def seal(url: str, every: str | None, as_json: bool) -> None:
    """Put what waits into the tree and sign it. A site does so itself, unless its address says ?seal=off."""
    from consent.log.keyring import Keyring
    from consent.log.sealer import seal as run
    from consent.log.sealer import sign

    address, pause = _address(url), _seconds(every)
    while True:
        sealed = 0
        with _readable(address):
            _must_exist(address)
            with closing(Store(address)) as store:
                while count := run(store):
                    sealed += count
                signed = sign(store, Keyring.of(str(address.path)))
        if as_json:
            click.echo(json.dumps({"sealed": sealed, "note": signed}))
        elif signed is not None:
            click.echo(f"{sealed} sealed, {signed.splitlines()[1]} in all.")
        elif pause is None:
            click.echo("Nothing waits to be sealed.")
        if pause is None:
            return
        time.sleep(pause)


@log.command()
@click.argument("receipt")
@_url
@_json
def erase(receipt: str, url: str, as_json: bool) -> None:
    """Erase the records of a RECEIPT: content, salt and ids go; the tree stays, and a new leaf says so.

    Copies outside the database, such as backups and bundles, have to be dealt with where they are.
    """
    from consent.log.erase import erase as run
    from consent.log.keyring import Keyring
    from consent.log.sealer import sign

    wanted, address = _receipt(receipt), _address(url)
    with _readable(address):
        _must_exist(address)
        with closing(Store(address)) as store:
            erased = run(store, wanted)
            sign(store, Keyring.of(str(address.path)))
    if as_json:
        click.echo(json.dumps({"erased": erased}))
    elif erased:
        click.echo(f"{len(erased)} records are erased: leaves {', '.join(map(str, erased))}.")
    if not erased:
        _fail(f"The log has no record of the receipt {wanted.hex()}.", FINDING)


@log.command()
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--receipt", help="Only the records of this receipt, each with a proof.")
@click.option("--from", "first", type=_DAY, help="Only from this day on (2026-07-01, UTC).")
@click.option("--to", "last", type=_DAY, help="Only up to this day, itself included.")
@_url
@_json
def bundle(
    out: Path, receipt: str | None, first: datetime | None, last: datetime | None, url: str, as_json: bool
) -> None:
    """Write the evidence into OUT, a tar with its own verifier, for somebody who does not trust the site."""
    from consent.log.bundle import write

    chosen = _receipt(receipt) if receipt is not None else None
    days = None
    if first is not None or last is not None:
        days = ((first or datetime.min).date(), (last or datetime.max).date())
        if chosen is not None or days[0] > days[1]:
            _fail("Choose one receipt, or days of which the first comes first.", USAGE)
    with reading(url) as store:
        made = write(store, out, receipt=chosen, days=days, progress=_progress("written"))
    if as_json:
        click.echo(json.dumps({"size": made.size, "records": made.records, "waiting": made.waiting}))
    else:
        click.echo(
            f"{out}: {made.records} of {made.size} records"
            + (f"; {made.waiting} wait to be sealed." if made.waiting else ".")
        )


@log.command("verify")
@_url
@_keys
@_kept
@_tsa
@_json
def verify_log(
    url: str, keys: tuple[str, ...], kept: tuple[Path, ...], authorities: tuple[Path, ...], as_json: bool
) -> None:
    """Check the whole log as an auditor would: bundle it, and verify the bundle."""
    from consent.log.bundle import write

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "bundle.tar")
        with reading(url) as store:
            made = write(store, out, progress=_progress("read"))
        _verify(out, keys, kept, authorities, as_json)
    if made.waiting and not as_json:
        click.echo(f"Waiting        {made.waiting} records are not sealed yet", err=True)


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@_keys
@_kept
@_tsa
@_json
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
            progress=_progress("checked"),
        )
    except (verifier.Unreadable, OSError, UnicodeDecodeError) as error:
        _fail(str(error), UNREADABLE)
    if as_json:
        click.echo(json.dumps(report.as_data(), indent=2))
    else:
        for line in report.lines():
            click.echo(click.style(line, fg="red" if line.startswith("BAD") else None))
    if not report.good:
        raise SystemExit(FINDING)


def _progress(what: str) -> Callable[[int, int], None]:
    """Says how far it is, on a terminal's error stream."""

    def say(done: int, of: int) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r{done} of {of} {what} ", err=True, nl=done >= of)

    return say


def _must_exist(address: Address) -> None:
    """A command that looks after a log makes none."""
    if not Path(str(address.path)).exists():
        raise FileNotFoundError(f"there is no file {address.path}")


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|)", text)
    if not found or not float(found[1]):
        _fail("Say how often as in 1s, 500ms or 2m.", USAGE)
    return float(found[1]) * {"ms": 0.001, "s": 1, "": 1, "m": 60}[found[2]]


def _receipt(text: str) -> bytes:
    digits = text.strip().lower().replace("-", "")
    if not re.fullmatch("[0-9a-f]{32}", digits):
        _fail("A receipt has 32 hex digits.", USAGE)
    return bytes.fromhex(digits)


@contextmanager
def reading(url: str) -> Iterator[Store]:
    """The store at ``url`` for reading; when it can't be read, the command ends with the reason."""
    address = _address(url)
    with _readable(address):
        store = Store(address, readonly=True)
        try:
            yield store
        finally:
            store.close()


@contextmanager
def _readable(address: Address) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        _fail(f"The consent log at {address.path} can't be read: {getattr(error, 'orig', None) or error}.", UNREADABLE)
    except (ConsentError, sqlite3.Error, OSError) as error:
        _fail(f"The consent log at {address.path} can't be read: {error}", UNREADABLE)


def _address(url: str) -> Address:
    try:
        address = Address.of(url)
    except ConfigError as error:
        _fail(str(error), USAGE)
    if address.path is None:
        _fail("A log in memory can be read only by the process that has it.", USAGE)
    return address


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


def _table(rows: list[list[Cell]]) -> Iterator[str]:
    """The rows below their titles, aligned by what is seen and coloured where a terminal shows it."""
    titles = ("Time (UTC)", "Event", "Action", "Granted", "Refused", "Language", "Notice", "Intact")
    heading: list[Cell] = [(title, None) for title in titles]
    cells = [heading, *rows]
    widths = [max(len(row[column][0]) for row in cells) for column in range(len(titles))]
    for number, row in enumerate(cells):
        padded = (
            click.style(text, fg=colour, bold=number == 0 or None) + " " * (width - len(text))
            for (text, colour), width in zip(row, widths, strict=True)
        )
        yield "  ".join(padded).rstrip()


def _fail(reason: str, code: int) -> NoReturn:
    click.echo(reason, err=True)
    raise SystemExit(code)
