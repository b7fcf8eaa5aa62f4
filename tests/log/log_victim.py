"""A process that records or seals and is killed at a named point, or goes on to the end; run by the fault tests.

``python log_victim.py ROLE URL POINT NTH HOURS COUNT``: the role is ``write`` or ``seal``, the point one of those
below or ``-``, the process kills itself when it comes by for the NTH time, its clock is HOURS off. Each decision that
was acknowledged is printed as its id, so that whoever reads it knows what must not be lost.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from conftest import ARTEFACT, grant, refusal

from consent.errors import ConsentError, NotRecorded
from consent.log import open_recorder, sealer
from consent.log.address import Address
from consent.log.keyring import Keyring
from consent.log.spool import Spool
from consent.log.store import Store

WRITE_POINTS = ("append", "appended", "committed", "torn-spool", "spooled")
SEAL_POINTS = (
    "sealing", "head-moved", "placed", "tiles-stored", "checkpointed", "counted", "sealed", "signing", "guard-kept",
    "signed",
)  # fmt: skip
_left = 0


def die_at(point: str, wanted: str) -> None:
    global _left
    if point == wanted:
        _left -= 1
        if _left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


def after(owner: Any, name: str, point: str, wanted: str) -> None:
    """Come by the point each time the function has returned."""
    original: Callable[..., Any] = getattr(owner, name)

    def run(*arguments: Any, **named: Any) -> Any:
        result = original(*arguments, **named)
        die_at(point, wanted)
        return result

    setattr(owner, name, run)


def before(owner: Any, name: str, point: str, wanted: str) -> None:
    original: Callable[..., Any] = getattr(owner, name)

    def run(*arguments: Any, **named: Any) -> Any:
        die_at(point, wanted)
        return original(*arguments, **named)

    setattr(owner, name, run)


def armed(wanted: str) -> None:
    """Put the named points into the places where a crash could hurt."""
    before(Store, "append", "append", wanted)
    after(Store, "append", "appended", wanted)
    transaction = Store.transaction

    @contextmanager
    def watched(self: Store) -> Any:
        with transaction(self) as connection:
            yield connection
        die_at("committed", wanted)

    Store.transaction = watched  # type: ignore[method-assign]
    before(sealer, "_read_head", "sealing", wanted)
    for name, point in (
        ("_step_head", "head-moved"), ("_place", "placed"), ("_store_tiles", "tiles-stored"),
        ("_checkpoint", "checkpointed"), ("_count", "counted"),
    ):  # fmt: skip
        after(sealer, name, point, wanted)
    before(sealer, "sign", "sealed", wanted)
    before(sealer, "check_continues", "signing", wanted)
    after(Keyring, "keep", "guard-kept", wanted)
    after(Spool, "keep", "spooled", wanted)
    if wanted == "torn-spool":
        append = Spool._append

        def torn(self: Spool, file: int, frame: bytes) -> None:
            if _left <= 1:
                os.write(file, frame[: len(frame) // 2])
            die_at("torn-spool", wanted)
            append(self, file, frame)

        Spool._append = torn  # type: ignore[method-assign]


def shifted(hours: float) -> None:
    """Let the store's clock, and that of the decisions, be so far off."""
    begin = Store.__init__

    def init(self: Store, address: Address, **named: Any) -> None:
        begin(self, address, **named)
        self.now = lambda: datetime.now(UTC) + timedelta(hours=hours)

    Store.__init__ = init  # type: ignore[method-assign]


def write(url: str, count: int, hours: float) -> None:
    log = open_recorder(url)
    log.archive(ARTEFACT)
    for number in range(count):
        moment = datetime.now(UTC) + timedelta(hours=hours)
        decision = (
            refusal(occurred_at=moment.replace(hour=0, minute=0, second=0, microsecond=0))
            if number % 4 == 3
            else grant(occurred_at=moment)
        )
        for again in range(1 + 9 * (number % 5 == 0)):  # every fifth ten times over
            try:
                log.record(decision, timeout=1.2)
            except NotRecorded:
                continue
            if again == 0:
                sys.stdout.write(decision.record_id + "\n")
                sys.stdout.flush()
    log.close()


def seal(url: str, count: int, wanted: str) -> None:
    store = Store(Address.of(url), wait=20)
    for _ in range(count):
        try:
            sealer.seal(store, limit=9)
            sealer.sign(store, Keyring.of(store.address.keys))
            die_at("signed", wanted)
        except (ConsentError, OSError):
            raise
        except Exception as error:  # somebody else holds the database just now
            if "locked" not in str(error):
                raise
        time.sleep(0.01)
    store.close()


def main() -> None:
    global _left
    role, url, point, nth, hours, count = sys.argv[1:]
    _left = int(nth)
    armed(point)
    if float(hours):
        shifted(float(hours))
    run = partial(write, hours=float(hours)) if role == "write" else partial(seal, wanted=point)
    run(url, int(count))
    print("end", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
