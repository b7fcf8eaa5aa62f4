"""``consent log …``: what an operator and an auditor ask the log on the command line.

Exit codes: 0 good, 1 a finding, 2 the log can't be read, 3 wrong usage. Reasons go to the error stream.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import click
from sqlalchemy.exc import SQLAlchemyError

from consent.errors import ConfigError, ConsentError
from consent.log.address import Address, default
from consent.log.record import intact
from consent.log.store import Store, Stored

FINDING, UNREADABLE, USAGE = 1, 2, 3
Cell = tuple[str, str | None]  # the text, and its colour on a terminal

_url = click.option(
    "--url",
    default=default,
    show_default="CONSENT_LOG, or sqlite:///instance/consent.db",
    help="Where the log is, as for open_recorder.",
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
    digits = receipt.strip().lower().replace("-", "")
    if not re.fullmatch("[0-9a-f]{32}", digits):
        _fail("A receipt has 32 hex digits.", USAGE)
    with reading(url) as store:
        history = store.history(bytes.fromhex(digits))
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
    payload = json.loads(stored.payload) if stored.payload is not None else None
    return {"intact": _is_intact(stored), "leaf": stored.leaf.hex(), "payload": payload}


def _row(stored: Stored) -> list[Cell]:
    """The cells of one record and the colour of each."""
    fields = json.loads(stored.payload or b"{}")
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
