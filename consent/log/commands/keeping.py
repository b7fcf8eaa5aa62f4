"""Commands that look after the log: they write to it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from math import ceil
from pathlib import Path

import click

from consent.duration import days
from consent.errors import ConsentError, NotRecorded
from consent.log.address import Address
from consent.log.commands.console import (
    FINDING,
    UNREADABLE,
    USAGE,
    address_of,
    fail,
    json_option,
    keyring_of,
    must_exist,
    progress,
    readable,
    reading,
    receipt_of,
    url_option,
)
from consent.log.database import PATIENT_SECONDS
from consent.log.keyring import Keyring
from consent.log.spool import waiting
from consent.log.store import Store
from consent.log.trouble import UNUSABLE, cause


@click.command()
@url_option
@json_option
def upgrade(url: str, as_json: bool) -> None:
    """Bring the database of an earlier version to the present schema."""
    from consent.log.upgrade import upgrade as run

    address = address_of(url)
    with readable(address):
        before, after = run(address)
    if as_json:
        click.echo(json.dumps({"before": before, "after": after}))
    elif before == after:
        click.echo(f"The log is at schema {after} already.")
    else:
        click.echo(f"The log went from schema {before or 'none'} to {after}.")


@click.command()
@url_option
@click.option("--every", metavar="SECONDS", help="Go on, sealing so often: 1s, 500ms, 2m.")
@json_option
def seal(url: str, every: str | None, as_json: bool) -> None:
    """Put what waits into the tree and sign it. A site does so itself, unless its address says ?seal=off."""
    address, pause = address_of(url), _seconds(every)
    if pause is None:
        with readable(address):
            must_exist(address)
            if not _sealed(address, as_json) and not as_json:
                click.echo("Nothing waits to be sealed.")
        return
    with readable(address):
        must_exist(address)
    while True:
        try:
            _sealed(address, as_json)
        except (*UNUSABLE, NotRecorded) as error:  # a server that is away comes back; a key that is gone doesn't
            click.echo(f"The consent log at {address} can't be sealed now: {cause(error)}", err=True)
        except ConsentError as error:
            fail(f"The consent log at {address} can't be sealed: {error}", UNREADABLE)
        time.sleep(pause)


def _sealed(address: Address, as_json: bool) -> bool:
    """Seal and sign once, and say so; whether there was anything to do."""
    from consent.log.sealer import seal as run
    from consent.log.sealer import sign

    sealed = 0
    with closing(Store(address, wait=PATIENT_SECONDS)) as store:
        while count := run(store):
            sealed += count
        signed = sign(store, keyring_of(address))
    if as_json:
        click.echo(json.dumps({"sealed": sealed, "note": signed}))
    elif signed is not None:
        click.echo(f"{sealed} sealed, {signed.splitlines()[1]} in all.")
    return signed is not None


@click.command()
@click.argument("receipt")
@url_option
@json_option
def erase(receipt: str, url: str, as_json: bool) -> None:
    """Erase the records of a RECEIPT: content, salt and ids go; the tree stays, and a new leaf says so.

    Copies outside the database, such as backups and bundles, have to be dealt with where they are.
    """
    from consent.log.erase import erase as run
    from consent.log.sealer import sign

    wanted, address = receipt_of(receipt), address_of(url)
    with readable(address):
        must_exist(address)
        with closing(Store(address, wait=PATIENT_SECONDS)) as store:
            erased = run(store, wanted)
            sign(store, keyring_of(address))
    if as_json:
        click.echo(json.dumps({"erased": erased}))
    elif erased:
        click.echo(f"{len(erased)} records are erased: leaves {', '.join(map(str, erased))}.")
    spooled = sum(getattr(item, "receipt", None) == wanted for found in waiting(address.spool) for item in found.items)
    if spooled:
        fail(f"{spooled} more wait in the spool: erase once more when the database has them.", FINDING)
    if not erased:
        fail(f"The log has no record of the receipt {wanted.hex()}.", FINDING)


@click.command()
@click.option("--tsa", "authority", required=True, metavar="URL", help="The authority's address (RFC 3161).")
@click.option(
    "--trust",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Keep only a stamp that this certificate (PEM) vouches for.",
)
@url_option
@json_option
def anchor(authority: str, trust: Path | None, url: str, as_json: bool) -> None:
    """Have an outside authority stamp the newest checkpoint: from then on nothing before it can be altered unseen.

    Once a day is enough. The authority learns a hash, nothing of any visitor.
    """
    from consent.log.anchor import anchor as run

    with keeping(url) as (store, _):
        made = run(store, authority, trusted=trust.read_bytes() if trust is not None else b"")
    if as_json:
        click.echo(json.dumps(
            {"size": made.size, "time": made.at.isoformat(), "authority": made.authority, "trusted": made.trusted,
             "new": made.new}
        ))  # fmt: skip
    else:
        click.echo(
            f"{made.size} leaves are stamped since {made.at:%Y-%m-%d %H:%M:%S} UTC, by {made.authority}."
            + ("" if made.new else " They had been before.")
        )


@click.command()
@click.option("--stolen", is_flag=True, help="The present key is not to sign along: others may have it.")
@url_option
@json_option
def rotate(stolen: bool, url: str, as_json: bool) -> None:
    """Sign with a new key from now on; for 30 days the old one signs along, then it is deleted.

    A leaf of the tree names the new key. Publish it where you published the old one.
    """
    from consent.log.rotation import rotate as run

    with keeping(url) as (store, keyring):
        signer = run(store, keyring, stolen=stolen)
    click.echo(json.dumps({"vkey": signer.vkey}) if as_json else f"From now on the log signs with\n{signer.vkey}")


@click.command()
@click.option("--keep", metavar="TIME", help='How long records are kept: "3 years", or the first day to be kept.')
@click.option("--keep-refusals", metavar="TIME", help="How long the content of refusals is kept; their counts stay.")
@click.option("--dry-run", is_flag=True, help="Only say what there is to do.")
@url_option
@json_option
def prune(keep: str | None, keep_refusals: str | None, dry_run: bool, url: str, as_json: bool) -> None:
    """Take away what has been kept long enough, and say so in the tree; what remains still verifies."""
    from consent.log.prune import due
    from consent.log.prune import prune as run

    before, refusals_before = _boundary(keep), _boundary(keep_refusals)
    if before is None and refusals_before is None:
        fail('Say how long to keep records or refusals: --keep "3 years", --keep-refusals "6 months".', USAGE)
    if dry_run:
        with reading(url) as store:
            done = due(store, before=before, refusals_before=refusals_before)
    else:
        with keeping(url) as (store, keyring):
            done = run(store, keyring, before=before, refusals_before=refusals_before, progress=progress("taken away"))
    if as_json:
        click.echo(json.dumps(
            {"leaves": done.leaves, "refusals": done.refusals, "artefacts": done.artefacts, "dry_run": dry_run}
        ))  # fmt: skip
    else:
        would = "would be" if dry_run else "are"
        click.echo(f"{done.leaves} leaves {would} pruned, {done.refusals} refusals {would} reduced to their counts.")


@contextmanager
def keeping(url: str) -> Iterator[tuple[Store, Keyring]]:
    """The store at ``url`` for looking after it, and its keys; it must be there already."""
    address = address_of(url)
    with readable(address):
        must_exist(address)
        with closing(Store(address, wait=PATIENT_SECONDS)) as store:
            yield store, keyring_of(address)


def _boundary(text: str | None) -> date | None:
    """The first day that is kept."""
    if text is None:
        return None
    today = datetime.now(UTC).date()
    with suppress(ValueError):
        return min(today, date.fromisoformat(text.strip()))
    try:
        length = days(text)
    except ValueError:
        length = None
    if not length:
        fail(f"{text!r} is no time to keep something for, such as 3 years, nor a day such as 2026-07-01.", USAGE)
    return today - timedelta(days=ceil(length))


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|)", text)
    if not found or not float(found[1]):
        fail("Say how often as in 1s, 500ms or 2m.", USAGE)
    return float(found[1]) * {"ms": 0.001, "s": 1, "": 1, "m": 60}[found[2]]
