"""What reached the third parties: every request and every cookie, kept in memory."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Final

WITH: Final = "with"
WITHOUT: Final = "without"
KEPT: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One request that reached a third party. ``via`` is the site it came from: with or without consentry.

    ``received`` are the cookies the browser sent along, ``given`` those the answer set; both as (name, value).
    """

    at: datetime
    other: str
    via: str
    method: str
    path: str
    referrer: str
    received: tuple[tuple[str, str], ...]
    given: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many requests and cookies have reached one third party from one of the two sites."""

    requests: int = 0
    received: int = 0
    given: int = 0


class Ledger:
    """Counts every contact and keeps the newest ``KEPT`` of them; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._contacts: deque[Contact] = deque(maxlen=KEPT)
        self._counts: Counter[tuple[str, str, str]] = Counter()

    def note(self, contact: Contact) -> None:
        """Keep and count one contact."""
        with self._lock:
            self._contacts.append(contact)
            for what, how_many in (("requests", 1), ("received", len(contact.received)), ("given", len(contact.given))):
                self._counts[contact.other, contact.via, what] += how_many

    def contacts(self) -> list[Contact]:
        """The contacts kept, newest first."""
        with self._lock:
            return list(reversed(self._contacts))

    def tally(self, other: str, via: str) -> Tally:
        """The counts since the start or the last :meth:`clear`."""
        with self._lock:
            return Tally(**{what: self._counts[other, via, what] for what in ("requests", "received", "given")})

    def clear(self) -> None:
        """Forget everything, counts too."""
        with self._lock:
            self._contacts.clear()
            self._counts.clear()


def now() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)
