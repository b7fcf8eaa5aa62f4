"""Commands that look after the log: they write to it."""

from __future__ import annotations

import json
import re
import time
from contextlib import closing

import click

from consent.log.commands.console import (
    FINDING,
    USAGE,
    address_of,
    fail,
    json_option,
    keyring_of,
    must_exist,
    readable,
    receipt_of,
    url_option,
)
from consent.log.store import Store


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
    from consent.log.sealer import seal as run
    from consent.log.sealer import sign

    address, pause = address_of(url), _seconds(every)
    while True:
        sealed = 0
        with readable(address):
            must_exist(address)
            with closing(Store(address)) as store:
                while count := run(store):
                    sealed += count
                signed = sign(store, keyring_of(address))
        if as_json:
            click.echo(json.dumps({"sealed": sealed, "note": signed}))
        elif signed is not None:
            click.echo(f"{sealed} sealed, {signed.splitlines()[1]} in all.")
        elif pause is None:
            click.echo("Nothing waits to be sealed.")
        if pause is None:
            return
        time.sleep(pause)


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
        with closing(Store(address)) as store:
            erased = run(store, wanted)
            sign(store, keyring_of(address))
    if as_json:
        click.echo(json.dumps({"erased": erased}))
    elif erased:
        click.echo(f"{len(erased)} records are erased: leaves {', '.join(map(str, erased))}.")
    if not erased:
        fail(f"The log has no record of the receipt {wanted.hex()}.", FINDING)


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|)", text)
    if not found or not float(found[1]):
        fail("Say how often as in 1s, 500ms or 2m.", USAGE)
    return float(found[1]) * {"ms": 0.001, "s": 1, "": 1, "m": 60}[found[2]]
