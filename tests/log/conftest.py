"""What the tests of the log share: decisions, an artefact, a database, and a child process that can be killed."""

from __future__ import annotations

import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from consent.decision import Artefact, Decision
from consent.log import open_recorder
from consent.log.address import Address
from consent.log.record import Draft
from consent.log.recorder import Log
from consent.log.store import Store

ARTEFACT = Artefact.of({"html": "<p>May we?</p>", "texts": {"accept": "Accept all"}})


def uuid7(moment: datetime) -> str:
    milliseconds = int(moment.timestamp() * 1000)
    number = milliseconds << 80 | 7 << 76 | secrets.randbits(12) << 64 | 2 << 62 | secrets.randbits(62)
    return str(UUID(int=number))


def grant(**changes: object) -> Decision:
    """A decision that grants one service and refuses another, with a new receipt."""
    now = datetime.now(UTC)
    fields: dict[str, object] = {
        "record_id": uuid7(now),
        "event": "granted",
        "action": "save",
        "occurred_at": now,
        "valid_until": now + timedelta(days=184),
        "decisions": {"video": True, "analytics": False},
        "services": {"youtube": True, "matomo": False},
        "artefact": ARTEFACT.digest,
        "material_version": "0a1b2c3d",
        "locale": "de",
        "receipt_id": secrets.token_hex(16),
    }
    return Decision(**(fields | changes))  # type: ignore[arg-type]


def refusal(**changes: object) -> Decision:
    """A decision that refuses everything: no receipt, no time of day."""
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    fields: dict[str, object] = {
        "record_id": str(uuid4()),
        "event": "refused",
        "action": "reject_all",
        "occurred_at": midnight,
        "valid_until": midnight + timedelta(days=184),
        "decisions": {"video": False},
        "services": {"youtube": False},
        "receipt_id": None,
    }
    return grant(**(fields | changes))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "instance" / "consent.db"


@pytest.fixture
def log(path: Path) -> Iterator[Log]:
    """A log on an empty database, with the artefact that the decisions point to, and nothing to fall back on."""
    log = open_recorder(f"sqlite:///{path}?spool=off")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("consent.log.recorder.TIMEOUT", 20)  # a new database waits for the disk
        log.archive(ARTEFACT)
    yield log
    log.close()


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    """A database with the artefact in it, used by the test alone: nothing seals it but the test."""
    store = Store(Address.of(f"sqlite:///{path}?origin=news.example/consent"))
    with store.transaction() as connection:
        store.archive(connection, [ARTEFACT])
    yield store
    store.close()


def put(store: Store, *decisions: Decision) -> None:
    """Record decisions without a writer."""
    with store.transaction() as connection:
        assert not any(store.append(connection, [Draft.of(decision) for decision in decisions], {}))


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Runs Python text in another process, whose first lines import what the tests use."""
    started: list[subprocess.Popen[str]] = []

    def run(text: str, *arguments: object) -> subprocess.Popen[str]:
        script = tmp_path / f"child{len(started)}.py"
        script.write_text(
            f"import sys\nsys.path.insert(0, {str(Path(__file__).parent)!r})\nfrom conftest import *\n{text}"
        )
        process = subprocess.Popen(
            [sys.executable, str(script), *map(str, arguments)],
            stdout=subprocess.PIPE,
            stdin=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()


def soon(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Whether the condition comes true within some seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return condition()
