"""The log as the engine sees it: many threads hand in decisions, one thread per process makes them durable together.

Waiting callers share one transaction and one fsync (group commit). Nothing but ``NotRecorded`` leaves this module.
A second after something was recorded the same thread seals it, unless the address says that another process does.
The thread lives while there is work; the database is opened by it, and closed when it has been idle for a while.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from typing import Any, Final

from consent.decision import Artefact, Decision
from consent.errors import NotRecorded
from consent.log import tally
from consent.log.address import Address
from consent.log.keyring import Keyring
from consent.log.record import Draft
from consent.log.store import Store
from consent.log.tally import Tally
from consent.log.trouble import UNUSABLE, cause, is_locked

ARCHIVE_SECONDS: Final = 2.0
IDLE_SECONDS: Final = 5.0
TALLY_SECONDS: Final = 10.0  # between writing down what was counted, while there is other work
SEAL_SECONDS: Final = 1.0
SEAL_RETRY_SECONDS: Final = 5.0
SEAL_AT_ONCE: Final = 1_000  # recording waits while this many are sealed
MOST_AT_ONCE: Final = 500
MOST_WAITING: Final = 10_000
KNOWN_ARTEFACTS: Final = 256
_RETRY_SECONDS: Final = 0.02
_log = logging.getLogger("consent.log")


@dataclass(slots=True, kw_only=True, eq=False)
class _Job:
    """What one caller waits for: a draft, an artefact, or a question to the store."""

    draft: Draft | None = None
    artefact: Artefact | None = None
    ask: Callable[[Store], Any] | None = None
    done: threading.Event = field(default_factory=threading.Event)
    given_up: bool = False
    answer: Any = None
    error: NotRecorded | None = None

    def finish(self, error: NotRecorded | None = None) -> None:
        self.error = error
        self.done.set()


class Log:
    """A :class:`consent.decision.Recorder` on a database; safe to share among threads and to carry across a fork."""

    def __init__(self, url: str) -> None:
        self.address = Address.of(url)
        self._waiting: deque[_Job] = deque()
        self._known: OrderedDict[str, Artefact] = OrderedDict()
        self._store: Store | None = None
        self._thread: threading.Thread | None = None
        self._tally = Tally()
        self._tallied_at = time.monotonic()
        self._seal_at: float | None = None  # by the monotonic clock; nothing waits to be sealed without it
        self._closing = self._forking = self._still = False
        self._locks()
        _open_logs.add(self)

    def _locks(self) -> None:
        self._lock = threading.Lock()  # guards the queue, the thread and what is known
        self._wake = threading.Condition(self._lock)
        self._busy = threading.Lock()  # held while the store is used

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
        self._submit(_Job(artefact=artefact), timeout=ARCHIVE_SECONDS)
        self._remember(artefact)

    def artefact(self, digest: str) -> Artefact | None:
        """The archived artefact with this digest, or ``None``. Raises ``NotRecorded`` if it can't be looked up."""
        if len(digest) != 64 or not all(character in "0123456789abcdef" for character in digest):
            return None
        with self._lock:
            if digest in self._known:
                self._known.move_to_end(digest)
                return self._known[digest]
        found: Artefact | None = self._submit(_Job(ask=lambda store: store.artefact(digest)), timeout=ARCHIVE_SECONDS)
        if found is not None:
            self._remember(found)
        return found

    def record(self, decision: Decision, *, timeout: float) -> None:
        """Make the decision durable within ``timeout`` seconds, or raise ``NotRecorded``; never anything else.

        The same decision again, by its id, is no work. After a time-out the decision is not recorded, unless its
        commit was under way at that very moment.
        """
        self._submit(_Job(draft=Draft.of(decision)), timeout=timeout)

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

        found: list[tuple[date, str, int]] = self._submit(_Job(ask=ask), timeout=ARCHIVE_SECONDS)
        return found

    def receipt(self, receipt_id: str, form: str) -> bytes | None:
        """One receipt's history in one of the forms of :mod:`consent.log.receipt`; ``None`` if there is none.

        Raises ``NotRecorded`` if it can't be looked up.
        """
        from consent.log import receipt

        job = _Job(ask=lambda store: receipt.receipt(store, receipt_id, form))
        found: bytes | None = self._submit(job, timeout=ARCHIVE_SECONDS)
        return found

    def erase(self, receipt_id: str) -> bool:
        """Erase what is recorded under a receipt; false if nothing was. Raises ``NotRecorded`` if that fails."""
        from consent.log import erase

        def ask(store: Store) -> bool:
            try:
                return bool(erase.erase(store, bytes.fromhex(receipt_id)))
            except (erase.EraseError, ValueError) as error:
                raise NotRecorded(str(error)) from error

        return bool(self._submit(_Job(ask=ask), timeout=ARCHIVE_SECONDS))

    def close(self) -> None:
        """Let waiting work finish and give the database back; a later call opens it again."""
        with self._lock:
            thread = self._thread
            self._closing = True
            self._wake.notify()
        if thread is not None and thread is not threading.current_thread():
            thread.join(ARCHIVE_SECONDS)
        with self._busy:
            self._drop()

    def _remember(self, artefact: Artefact) -> None:
        with self._lock:
            self._known[artefact.digest] = artefact
            while len(self._known) > KNOWN_ARTEFACTS:
                self._known.popitem(last=False)

    def _submit(self, job: _Job, *, timeout: float) -> Any:
        with self._lock:
            if len(self._waiting) >= MOST_WAITING:
                raise NotRecorded("Too many decisions are waiting to be recorded.")
            self._waiting.append(job)
            try:
                self._start()
            except NotRecorded:
                self._waiting.remove(job)
                raise
            self._wake.notify()
        if not job.done.wait(max(0.0, timeout)):
            job.given_up = True
            if not job.done.is_set():
                raise NotRecorded(f"The consent log at {self._place} did not answer within {timeout:g} seconds.")
        if job.error is not None:
            raise job.error
        return job.answer

    def _start(self) -> None:
        """Have the thread running; needs the lock. Raises ``NotRecorded`` where it can't be started."""
        if self._thread is not None:
            return
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="consent-log", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:  # no more threads, or the interpreter is going down
            self._thread = None
            raise NotRecorded(f"The consent log can't start its writer: {error}.") from error

    @property
    def _place(self) -> str:
        return self.address.path or "memory://"

    def _run(self) -> None:
        while (jobs := self._next()) is not None:
            with self._busy:
                if jobs:
                    self._work(jobs)
                if self._seal_at is not None and time.monotonic() >= self._seal_at:
                    self._seal()

    def _next(self) -> list[_Job] | None:
        """The jobs to do now, none of them if it is time to seal; ``None`` to end, with the database closed."""
        while True:
            with self._lock:
                due = self._seal_at
                patience = IDLE_SECONDS if due is None else max(0.0, due - time.monotonic())
                self._wake.wait_for(lambda: self._waiting or self._closing, patience)
                if self._waiting:
                    return [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_AT_ONCE))]
                if due is not None:
                    self._seal_at = min(due, time.monotonic())  # at once when closing
                    return []
            with self._busy:  # always before the lock, here and before a fork
                self._write_down()
                if self.address.path:  # a log in memory ends with its connection
                    self._drop()
                with self._lock:
                    if not self._waiting:
                        self._thread = None
                        return None

    def _work(self, jobs: list[_Job]) -> None:
        """Do the jobs together, again and again while the database is locked and somebody still waits."""
        while live := [job for job in jobs if not job.given_up]:
            try:
                store = self._opened()
                if self._write(store, live):
                    break
            except NotRecorded as error:
                return self._fail(live, error)
            except UNUSABLE as error:
                if is_locked(error):
                    time.sleep(_RETRY_SECONDS)
                    continue
                refusal = NotRecorded(f"The consent log at {self._place} can't be used: {cause(error)}.")
                return self._fail(live, refusal)
            except Exception as error:
                _log.exception("The consent log failed in a way it should not.")
                return self._fail(live, NotRecorded(f"The consent log failed: {type(error).__name__}."))
        return None

    def _write(self, store: Store, live: list[_Job]) -> bool:
        """One transaction for what is to be written, then the questions; ``False``: again, without those who left."""
        archiving = [job for job in live if job.artefact is not None]
        writing = [job for job in live if job.draft is not None]
        outcomes: list[NotRecorded | None] = []
        if archiving or writing:
            with self._lock:
                known = dict(self._known)
            with store.transaction() as connection:
                store.archive(connection, [job.artefact for job in archiving if job.artefact is not None])
                outcomes = store.append(connection, [job.draft for job in writing if job.draft is not None], known)
                if any(job.given_up for job in live):
                    connection.rollback()
                    return False
            if not store.is_current:
                raise NotRecorded(f"The consent log at {self._place} was deleted or replaced.")
        if writing and self.address.seals and self._seal_at is None:
            self._seal_at = time.monotonic() + SEAL_SECONDS
        for job in archiving:
            job.finish()
        for job, outcome in zip(writing, outcomes, strict=True):
            job.finish(outcome)
        if writing and time.monotonic() - self._tallied_at >= TALLY_SECONDS:
            self._write_tally(store)
        for job in live:
            if job.ask is not None:
                job.answer = job.ask(store)
                job.finish()
        return True

    def _write_tally(self, store: Store) -> None:
        self._tallied_at = time.monotonic()
        counts = self._tally.take()
        try:
            with store.transaction() as connection:
                tally.write(store, connection, counts)
        except BaseException:
            self._tally.give_back(counts)
            raise

    def _write_down(self) -> None:
        """Write what was counted, before the thread ends; if that can't be done now, the next one does it."""
        if self._tally:
            try:
                self._write_tally(self._opened())
            except Exception as error:
                _log.warning(
                    "The consent log at %s could not write down what was counted: %s", self._place, cause(error)
                )
                self._drop()

    def _seal(self) -> None:
        """Put what waits into the tree and sign it; if that can't be done, try again later, unless closing."""
        from consent.log import sealer

        try:
            store = self._opened()
            self._seal_at = None
            sealed = sealer.seal(store, limit=SEAL_AT_ONCE)
            sealer.sign(store, Keyring.of(str(self.address.path)))
        except Exception as error:
            if not is_locked(error):
                _log.error("The consent log at %s can't be sealed now: %s", self._place, cause(error))
                self._drop()
            self._seal_at = None if self._closing else time.monotonic() + SEAL_RETRY_SECONDS
        else:
            if sealed == SEAL_AT_ONCE:
                self._seal_at = time.monotonic()

    def _fail(self, jobs: list[_Job], error: NotRecorded) -> None:
        self._drop()
        for job in jobs:
            if not job.done.is_set():
                job.finish(error)

    def _opened(self) -> Store:
        if self._store is not None and not self._store.is_current:
            _log.warning("The consent log at %s was deleted or replaced; a new one is opened there.", self._place)
            self._drop()
        if self._store is None:
            self._store = Store(self.address)
            if self.address.seals and self._seal_at is None:  # a process that was killed may have left some
                self._seal_at = time.monotonic() + SEAL_SECONDS
        return self._store

    def _drop(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            try:
                store.close()
            except UNUSABLE as error:
                _log.warning("The consent log at %s did not close: %s.", self._place, cause(error))

    def _before_fork(self) -> None:
        """Hold everything still, with no database open: SQLite must not be carried into another process."""
        self._still = self._busy.acquire(timeout=1.0)
        if self._still and self.address.path:
            self._drop()
        self._lock.acquire()
        self._forking = True

    def _after_fork_in_parent(self) -> None:
        if self._forking:
            self._forking = False
            self._lock.release()
            if self._still:
                self._busy.release()

    def _after_fork_in_child(self) -> None:
        """Begin anew: the parent's thread is not here, and its callers wait there."""
        self._locks()
        self._waiting = deque()
        self._tally = Tally()
        self._thread = None
        self._seal_at = None
        self._closing = self._forking = False
        if self.address.path and self._store is not None:
            _inherited.append(self._store)
            self._store = None


_open_logs: weakref.WeakSet[Log] = weakref.WeakSet()
_inherited: list[Store] = []  # left open on purpose: closing the parent's connection here would drop its locks


def _each(action: Callable[[Log], None]) -> Callable[[], None]:
    def run() -> None:
        for log in sorted(_open_logs, key=id):
            action(log)

    return run


atexit.register(_each(Log.close))
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_each(Log._before_fork),
        after_in_parent=_each(Log._after_fork_in_parent),
        after_in_child=_each(Log._after_fork_in_child),
    )
