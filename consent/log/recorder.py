"""The log as the engine sees it: nothing but ``NotRecorded`` leaves this module.

What the database doesn't take within most of the time that the caller gives goes to the spool, in the caller's own
thread: whatever the writer is stuck in, a decision has another way to the disk.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from datetime import date
from hashlib import sha256
from typing import Final

from consent.decision import Artefact, Decision, Speech
from consent.errors import NotRecorded
from consent.log import tally
from consent.log.job import Job
from consent.log.narrative import ENGLISH
from consent.log.record import Draft
from consent.log.store import Store
from consent.log.trouble import Unavailable
from consent.log.writer import DRAIN_SECONDS, Writer

TIMEOUT: Final = 2.0  # seconds that anything but a decision may take; a decision's are the caller's
KNOWN_ARTEFACTS: Final = 256
_SHARE: Final = 0.75  # of the time a caller gives: what the database may take before the spool has its turn
_log = logging.getLogger("consent.log")


class Log(Writer):
    """A :class:`consent.decision.Recorder` on a database; safe to share among threads and to carry across a fork."""

    def archive(self, artefact: Artefact) -> None:
        """Keep the artefact durably before its first use; the same one again is no work. Raises ``NotRecorded``."""
        with self._lock:
            if artefact.digest in self._known:
                self._known.move_to_end(artefact.digest)
                return
        try:
            genuine = sha256(Artefact.canonical(artefact.content)).hexdigest() == artefact.digest
        except (TypeError, ValueError) as error:
            raise NotRecorded(f"The artefact is not plain JSON data: {error}.") from error
        if not genuine:
            raise NotRecorded("The artefact's digest is not that of its content.")
        self._keep(Job(artefact=artefact), artefact, timeout=TIMEOUT)
        self._remember(artefact)

    def artefact(self, digest: str) -> Artefact | None:
        """The archived artefact with this digest, or ``None``. Raises ``NotRecorded`` if it can't be looked up."""
        if len(digest) != 64 or not all(character in "0123456789abcdef" for character in digest):
            return None
        with self._lock:
            if digest in self._known:
                self._known.move_to_end(digest)
                return self._known[digest]
        found: Artefact | None = self._submit(Job(ask=lambda store: store.artefact(digest)), timeout=TIMEOUT)
        if found is not None:
            self._remember(found)
        return found

    def record(self, decision: Decision, *, timeout: float) -> None:
        """Make the decision durable within ``timeout`` seconds, or raise ``NotRecorded``; never anything else.

        Where the database doesn't take it in time, the spool does. The same decision again, by its id, is no work.
        Raised means not recorded, unless the database was committing at that very moment.
        """
        draft = Draft.of(decision)
        self._keep(Job(draft=draft), draft, timeout=timeout)

    def tally(self, what: str, detail: str = "") -> None:
        """Count one event of today; written down within seconds. Never raises and never waits."""
        self._tally.add(what, detail)
        with self._lock:
            try:
                self._start()
            except NotRecorded as error:
                _log.warning("%s", error)

    def tallies(self, what: str) -> list[tuple[date, str, int]]:
        """What was counted: day, detail and number, by day. Raises ``NotRecorded`` if it can't be looked up."""

        def ask(store: Store) -> list[tuple[date, str, int]]:
            self._write_tally(store)
            return tally.read(store, what)

        found: list[tuple[date, str, int]] = self._submit(Job(ask=ask), timeout=TIMEOUT)
        return found

    def receipt(self, receipt_id: str, form: str, *, speech: Speech = ENGLISH) -> bytes | None:
        """One receipt's history in one of the forms of :mod:`consent.log.receipt`; ``None`` if there is none.

        ``speech`` is the language of the text. Raises ``NotRecorded`` if it can't be looked up.
        """
        from consent.log import receipt

        job = Job(ask=lambda store: receipt.receipt(store, receipt_id, form, speech=speech))
        found: bytes | None = self._submit(job, timeout=TIMEOUT)
        return found

    def erase(self, receipt_id: str) -> bool:
        """Erase what is recorded under a receipt; false if nothing was. Raises ``NotRecorded`` if that fails."""
        from consent.log import erase

        def ask(store: Store) -> bool:
            self._drain()  # what waits in the spool would come back afterwards
            try:
                return bool(erase.erase(store, bytes.fromhex(receipt_id)))
            except (erase.EraseError, ValueError) as error:
                raise NotRecorded(str(error)) from error

        return bool(self._submit(Job(ask=ask), timeout=TIMEOUT))

    def _keep(self, job: Job, item: Draft | Artefact, *, timeout: float) -> None:
        """Have the job done, or its item spooled."""
        spool = self._spool
        if spool is None:
            self._submit(job, timeout=timeout)
            return
        if not (self._down and spool.waits()):
            try:
                self._submit(job, timeout=timeout * _SHARE)
                return
            except Unavailable as error:
                reason = str(error)
            if not self._down:
                _log.warning("%s Decisions go to the spool in %s.", reason, spool.folder)
        spool.keep(item)
        self._down = True
        with self._lock, suppress(Unavailable):  # it is on the disk, even if nobody can be started to hand it over
            if self._drain_at is None:
                self._drain_at = time.monotonic() + DRAIN_SECONDS
            self._start()
            self._wake.notify()

    def _remember(self, artefact: Artefact) -> None:
        with self._lock:
            self._known[artefact.digest] = artefact
            while len(self._known) > KNOWN_ARTEFACTS:
                self._known.popitem(last=False)
