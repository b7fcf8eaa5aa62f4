"""What the commands of the log share: how the log is found and read, how they fail, and how they show."""

from __future__ import annotations

import re
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Final, NoReturn

import click
from sqlalchemy.exc import SQLAlchemyError

from consent.errors import ConfigError, ConsentError
from consent.log.address import Address, default
from consent.log.database import PATIENT_SECONDS
from consent.log.keyring import Keyring
from consent.log.store import Store

FINDING, UNREADABLE, USAGE = 1, 2, 3
DAY: Final = click.DateTime(["%Y-%m-%d"])
Cell = tuple[str, str | None]  # the text, and its colour on a terminal

url_option = click.option(
    "--url",
    default=default,
    show_default="CONSENT_LOG, or sqlite:///instance/consent.db",
    help="Where the log is, as for open_recorder.",
)
keys_option = click.option("--key", "keys", multiple=True, metavar="VKEY", help="Trust this key, not the bundle's own.")
kept_option = click.option(
    "--checkpoint",
    "kept",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A checkpoint that you kept: shows whether the log was rewritten or cut off since.",
)
tsa_option = click.option(
    "--tsa",
    "authorities",
    multiple=True,
    type=click.Path(path_type=Path),
    help="The certificate (PEM) of an authority whose time stamps you trust.",
)
first_option = click.option("--from", "first", type=DAY, help="Only from this day on (2026-07-01, UTC).")
last_option = click.option("--to", "last", type=DAY, help="Only up to this day, itself included.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def progress(what: str) -> Callable[[int, int], None]:
    """Says how far it is, on a terminal's error stream."""

    def say(done: int, of: int) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r{done} of {of} {what} ", err=True, nl=done >= of)

    return say


def days_of(first: datetime | None, last: datetime | None) -> tuple[date | None, date | None]:
    """The days that --from and --to name, of which the first comes first."""
    if first is not None and last is not None and first > last:
        fail("Choose days of which the first comes first.", USAGE)
    return first.date() if first is not None else None, last.date() if last is not None else None


def must_exist(address: Address) -> None:
    """A command that looks after a log makes none."""
    if address.path is not None and not Path(address.path).exists():
        raise FileNotFoundError(f"there is no file {address.path}")


def receipt_of(text: str) -> bytes:
    digits = text.strip().lower().replace("-", "")
    if not re.fullmatch("[0-9a-f]{32}", digits):
        fail("A receipt has 32 hex digits.", USAGE)
    return bytes.fromhex(digits)


@contextmanager
def reading(url: str) -> Iterator[Store]:
    """The store at ``url`` for reading; when it can't be read, the command ends with the reason."""
    address = address_of(url)
    with readable(address):
        store = Store(address, readonly=True, wait=PATIENT_SECONDS)
        try:
            yield store
        finally:
            store.close()


@contextmanager
def readable(address: Address) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        fail(f"The consent log at {address} can't be read: {getattr(error, 'orig', None) or error}.", UNREADABLE)
    except (ConsentError, sqlite3.Error, OSError) as error:
        fail(f"The consent log at {address} can't be read: {error}", UNREADABLE)


def address_of(url: str) -> Address:
    try:
        address = Address.of(url)
    except ConfigError as error:
        fail(str(error), USAGE)
    if not address.lasts:
        fail("A log in memory can be read only by the process that has it.", USAGE)
    return address


def fail(reason: str, code: int) -> NoReturn:
    click.echo(reason, err=True)
    raise SystemExit(code)


def table(titles: Sequence[str], rows: list[list[Cell]]) -> Iterator[str]:
    """The rows below their titles, aligned by what is seen and coloured where a terminal shows it."""
    heading: list[Cell] = [(title, None) for title in titles]
    cells = [heading, *rows]
    widths = [max(len(row[column][0]) for row in cells) for column in range(len(titles))]
    for number, row in enumerate(cells):
        padded = (
            click.style(text, fg=colour, bold=number == 0 or None) + " " * (width - len(text))
            for (text, colour), width in zip(row, widths, strict=True)
        )
        yield "  ".join(padded).rstrip()


def keyring_of(address: Address) -> Keyring:
    """Where the log at this address has its signing key."""
    return Keyring.of(address.keys)
