"""The thread of a process that writes: what many callers hand in becomes durable together.

Waiting callers share one transaction and one fsync (group commit). A second after something was recorded the same
thread seals it, unless the address says that another process does; what was spooled while the database was away it
hands over as soon as that is back. The thread lives while there is work; the database is opened by it, and closed
when it has been idle for a while.
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
from functools import partial
from typing import Any, Final

from consent.decision import Artefact
from consent.errors import NotRecorded
from consent.log import tally
from consent.log.address import Address
from consent.log.job import Job
from consent.log.keyring import Keyring
from consent.log.record import Draft
from consent.log.spool import Found, Spool
from consent.log.store import Store
from consent.log.tally import Tally
from consent.log.trouble import UNUSABLE, Unavailable, cause, is_locked

IDLE_SECONDS: Final = 5.0
TALLY_SECONDS: Final = 10.0  # between writing down what was counted, while there is other work
SEAL_SECONDS: Final = 1.0
SEAL_RETRY_SECONDS: Final = 5.0
SEAL_AT_ONCE: Final = 1_000  # recording waits while this many are sealed
DRAIN_SECONDS: Final = 1.0  # between two tries to hand over what was spooled
CLOSE_SECONDS: Final = 2.0
MOST_AT_ONCE: Final = 500
CROWD: Final = 16  # after a transaction of so many the next waits for those who were just answered to come again
GATHER_SECONDS: Final = 0.001
MOST_WAITING: Final = 10_000
_RETRY_SECONDS: Final = 0.02
_log = logging.getLogger("consent.log")


class Writer:
    """A queue, and the thread that works it off; safe to share among threads and to carry across a fork."""

    def __init__(self, url: str) -> None:
        self.address = Address.of(url)
        self._waiting: deque[Job] = deque()
        self._known: OrderedDict[str, Artefact] = OrderedDict()
        self._store: Store | None = None
        self._thread: threading.Thread | None = None
        self._spool = Spool(self.address.spool) if self.address.spool else None
        self._drain_at: float | None = None  # as _seal_at; when to try the database again with what was spooled
        self._crowded = False  # many waited the last time
        self._down = False  # the last that was asked of the database failed
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

    def close(self) -> None:
        """Let waiting work finish and give the database back; a later call opens it again."""
        with self._lock:
            thread = self._thread
            self._closing = True
            self._wake.notify()
        if thread is not None and thread is not threading.current_thread():
            thread.join(CLOSE_SECONDS)
        with self._busy:
            self._drop()
            if self._spool is not None:
                self._spool.close()

    def _submit(self, job: Job, *, timeout: float) -> Any:
        with self._lock:
            if len(self._waiting) >= MOST_WAITING:
                raise Unavailable("Too many decisions are waiting to be recorded.")
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
                raise Unavailable(f"The consent log at {self._place} did not answer within {timeout:g} seconds.")
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
            raise Unavailable(f"The consent log can't start its writer: {error}.") from error

    @property
    def _place(self) -> str:
        return str(self.address)

    def _run(self) -> None:
        while (jobs := self._next()) is not None:
            with self._busy:
                if self._drain_at is not None and (jobs or time.monotonic() >= self._drain_at):
                    self._drain()
                if jobs:
                    self._work(jobs)
                if self._seal_at is not None and time.monotonic() >= self._seal_at:
                    self._seal()

    def _next(self) -> list[Job] | None:
        """The jobs to do now, none of them if it is time to seal; ``None`` to end, with the database closed."""
        if self._crowded:
            time.sleep(GATHER_SECONDS)
        while True:
            with self._lock:
                due = self._due
                patience = IDLE_SECONDS if due is None else max(0.0, due - time.monotonic())
                self._wake.wait_for(partial(self._called, due), patience)
                if self._waiting:
                    self._crowded = len(self._waiting) >= CROWD
                    return [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_AT_ONCE))]
                if due is not None:
                    self._hurry()
                    return []
            with self._busy:  # always before the lock, here and before a fork
                self._write_down()
                if self.address.lasts:  # a log in memory ends with its connection
                    self._drop()
                with self._lock:
                    if not self._waiting:
                        self._thread = None
                        return None

    def _called(self, due: float | None) -> bool:
        """Whether there is something to do earlier than when it was ``due``."""
        return bool(self._waiting) or self._closing or self._due is not due

    @property
    def _due(self) -> float | None:
        """When there is something to do even if nobody asks."""
        return min((at for at in (self._seal_at, self._drain_at) if at is not None), default=None)

    def _hurry(self) -> None:
        """When closing, everything that is due later is due now."""
        if self._closing:
            now = time.monotonic()
            self._seal_at = None if self._seal_at is None else min(self._seal_at, now)
            self._drain_at = None if self._drain_at is None else min(self._drain_at, now)

    def _work(self, jobs: list[Job]) -> None:
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

    def _write(self, store: Store, live: list[Job]) -> bool:
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
            self._down = False
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
            sealer.sign(store, Keyring.of(self.address.keys))
        except Exception as error:
            if not is_locked(error):
                _log.error("The consent log at %s can't be sealed now: %s", self._place, cause(error))
                self._drop()
            self._seal_at = None if self._closing else time.monotonic() + SEAL_RETRY_SECONDS
        else:
            if sealed == SEAL_AT_ONCE:
                self._seal_at = time.monotonic()

    def _drain(self) -> None:
        """Hand over what was spooled here, and what ended processes left; if that can't be done now, try again."""
        spool, self._drain_at = self._spool, None
        if spool is None:
            return
        try:
            store = self._opened()
            for found, file in spool.orphans():
                handed = False
                try:
                    self._hand_over(store, found)
                    handed = True
                finally:
                    spool.bury(found, file, done=handed)
            while (own := spool.own()) is not None:
                self._hand_over(store, own)
                self._down = False
                spool.handed_over(own)
        except Exception as error:
            if not is_locked(error):
                self._drop()
            self._drain_at = None if self._closing else time.monotonic() + DRAIN_SECONDS
            if not isinstance(error, (*UNUSABLE, NotRecorded)):
                _log.exception("The consent log failed in a way it should not.")

    def _hand_over(self, store: Store, found: Found) -> None:
        """Write the items of one spool file; a redelivery of what is there already changes nothing."""
        if found.torn:
            _log.warning("The spool %s had %d bytes that were never acknowledged.", found.path, found.torn)
        artefacts = {item.digest: item for item in found.items if isinstance(item, Artefact)}
        drafts = [item for item in found.items if isinstance(item, Draft)]
        for start in range(0, max(1, len(drafts)), MOST_AT_ONCE):
            some = drafts[start : start + MOST_AT_ONCE]
            with self._lock:
                known = {**self._known, **artefacts}
            with store.transaction() as connection:
                store.archive(connection, artefacts.values())
                outcomes = store.append(connection, some, known)
            wrong = [draft for draft, outcome in zip(some, outcomes, strict=True) if outcome is not None]
            if wrong and self._spool is not None:
                self._spool.set_aside(wrong)
                _log.error(
                    "Spooled records were refused by the consent log, and are kept in %s: %d.",
                    found.path.parent,
                    len(wrong),
                )
        if drafts:
            _log.warning("Records that had been spooled are in the consent log at %s: %d.", self._place, len(drafts))
            if self.address.seals and self._seal_at is None:
                self._seal_at = time.monotonic() + SEAL_SECONDS

    def _fail(self, jobs: list[Job], error: NotRecorded) -> None:
        self._drop()
        for job in jobs:
            if not job.done.is_set():
                job.finish(Unavailable(str(error)))

    def _opened(self) -> Store:
        if self._store is not None and not self._store.is_current:
            _log.warning("The consent log at %s was deleted or replaced; a new one is opened there.", self._place)
            self._drop()
        if self._store is None:
            self._store = Store(self.address)
            if self._spool is not None and self._drain_at is None:  # an ended process may have left some
                self._drain_at = time.monotonic()
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
        if self._still and self.address.lasts:
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
        self._seal_at = self._drain_at = None
        self._closing = self._forking = False
        if self._spool is not None:
            self._spool.forked()
        if self.address.lasts and self._store is not None:
            _inherited.append(self._store)
            self._store = None


_open_logs: weakref.WeakSet[Writer] = weakref.WeakSet()
_inherited: list[Store] = []  # left open on purpose: closing the parent's connection here would drop its locks


def _each(action: Callable[[Writer], None]) -> Callable[[], None]:
    def run() -> None:
        for log in sorted(_open_logs, key=id):
            action(log)

    return run


atexit.register(_each(Writer.close))
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_each(Writer._before_fork),
        after_in_parent=_each(Writer._after_fork_in_parent),
        after_in_child=_each(Writer._after_fork_in_child),
    )
