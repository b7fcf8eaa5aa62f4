"""Makes evidence on the demo, checks it, tampers with one row, and checks again: ``make demo-evidence``.

The visitors here are a test client that reads the notice and answers it as a browser without JavaScript does; what is
recorded, bundled and verified is no different from a real site's. The bundle is checked by the verifier inside it, in
a process that can't import the library.
"""

from __future__ import annotations

import html
import re
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
from contextlib import closing
from pathlib import Path

import click
from flask.testing import FlaskClient

from consent.log import open_recorder
from consent.log.commands import log as log_command
from examples.flask_demo.app import create_app

_PAGE = "/en/undersea-cables"
_ORIGIN = "https://roadstead.example"
_FIELD = re.compile(r'<input[^>]*type="hidden"[^>]*>')
_ATTRIBUTE = re.compile(r'([a-z-]+)="([^"]*)"')
_ANSWERS = (
    ("accepts everything", {"action": "accept"}),
    ("refuses", {"action": "reject"}),
    ("allows the films alone", {"action": "save", "grant": "video"}),
    ("refuses as well", {"action": "reject"}),
    ("accepts, and withdraws later", {"action": "accept"}),
)


def main() -> int:
    """Tell the whole story on standard output; 0 if the tampering was found."""
    with tempfile.TemporaryDirectory() as folder:
        return run(Path(folder))


def run(folder: Path) -> int:
    """The same in a folder that stays; 0 if the untouched log verifies and the tampered record is named."""
    database, out = folder / "consent.db", folder / "evidence.tar"
    _say("Visitors answer the notice")
    _answers(folder)
    where = ("--url", f"sqlite:///{database}")
    _log("seal", *where)
    _say("The log, counted")
    _log("stats", *where)
    _say("The evidence in one file, checked by the verifier inside it")
    _log("bundle", str(out), *where)
    untouched = _verify(out)
    _say("Somebody turns a refusal into a grant, with sqlite3")
    leaf = _tamper(database)
    _say("Bundled and checked again")
    _log("bundle", str(out), *where)
    tampered = _verify(out)
    found = tampered.returncode == 1 and f"record {leaf}:" in tampered.stdout
    click.echo()
    click.secho(f"Record {leaf} is named." if found else "The change was not found!", bold=True)
    return 0 if untouched.returncode == 0 and found else 1


def _answers(folder: Path) -> None:
    with closing(open_recorder(f"sqlite:///{folder}/consent.db")) as log:
        app = create_app(instance=folder, log=log)
        for number, (what, fields) in enumerate(_ANSWERS, start=1):
            client = app.test_client()
            _answer(client, fields)
            if "withdraws" in what:
                _answer(client, {"action": "withdraw"}, page="/consent/")
            click.echo(f"  Visitor {number} {what}.")


def _answer(client: FlaskClient, fields: dict[str, str], *, page: str = _PAGE) -> None:
    """Read the page and send its form with the hidden fields that it has."""
    text = client.get(page, base_url=_ORIGIN, headers={"Sec-Fetch-Dest": "document"}).get_data(as_text=True)
    hidden = [dict(_ATTRIBUTE.findall(field)) for field in _FIELD.findall(text)]
    form = {field["name"]: html.unescape(field.get("value", "")) for field in hidden} | fields
    reply = client.post("/consent/", data=form, base_url=_ORIGIN, headers={"Sec-Fetch-Site": "same-origin"})
    if reply.status_code != 303:
        raise RuntimeError(f"The demo answered {reply.status}: {reply.get_data(as_text=True)[:300]}")


def _tamper(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection, connection:
        leaf, event_id = connection.execute(
            "SELECT leaf_index, event_id FROM record JOIN leaf USING (log_id, event_id) WHERE event = 'refused' LIMIT 1"
        ).fetchone()
        statement = "UPDATE record SET payload = replace(payload, 'denied', 'granted') WHERE event_id = ?"
        connection.execute(statement, (event_id,))
    click.echo(f"  {statement.replace('?', f'x{event_id.hex()!r}')}")
    return int(leaf)


def _verify(out: Path) -> subprocess.CompletedProcess[str]:
    with tarfile.open(out) as tar:
        script = tar.extractfile("verify.py")
        if script is None:
            raise RuntimeError("The bundle has no verifier.")
        (out.parent / "verify.py").write_bytes(script.read())
    result = subprocess.run(
        [sys.executable, "-I", "verify.py", out.name], cwd=out.parent, capture_output=True, text=True, check=False
    )
    for line in (result.stdout + result.stderr).splitlines():
        click.secho(f"  {line}", fg="red" if line.startswith("BAD") else None)
    return result


def _log(*arguments: str) -> None:
    log_command.main(arguments, standalone_mode=False)


def _say(what: str) -> None:
    click.echo()
    click.secho(what, bold=True)


if __name__ == "__main__":
    sys.exit(main())
