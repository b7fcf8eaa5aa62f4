"""Too many answers in a short time: who posted how often lately, kept in memory and nowhere else.

What it can't stop: many addresses at once, and each process counts for itself. Addresses are held only as a keyed hash
whose key dies with the process, and only for a minute.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from threading import Lock
from typing import Any, Final

WINDOW: Final = 60.0  # seconds that anything is remembered
LIMIT: Final = 60  # answers of one address in that time: a classroom behind one address stays well below
_MOST: Final = 20_000  # entries of each kind; the oldest go first


class Flood:
    """Counts the answers of each client address, and knows an answer that was just given."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, limit: int = LIMIT) -> None:
        self._clock = clock
        self._limit = limit
        self._key = secrets.token_bytes(32)
        self._counts: OrderedDict[bytes, tuple[float, int]] = OrderedDict()
        self._answers: OrderedDict[bytes, float] = OrderedDict()
        self._lock = Lock()

    def admits(self, address: str) -> bool:
        """Whether this address may answer once more now; counts it.

        A private, loopback or unknown address is a proxy's or a test's and stands for many people: always admitted.
        An IPv6 address counts by its /64 network, as one household has that many.
        """
        network = _network(address)
        if network is None:
            return True
        now, name = self._clock(), self._hashed(network)
        with self._lock:
            since, count = self._counts.pop(name, (now, 0))
            if now - since >= WINDOW:
                since, count = now, 0
            self._counts[name] = since, count + 1
            _forget(self._counts)
        return count < self._limit

    def repeats(self, answer: object) -> bool:
        """Whether the same answer, given by its ``repr``, was remembered within the last minute."""
        name = self._hashed(repr(answer))
        with self._lock:
            given = self._answers.get(name)
        return given is not None and self._clock() - given < WINDOW

    def remember(self, answer: object) -> None:
        """Keep that this answer was given now."""
        name = self._hashed(repr(answer))
        with self._lock:
            self._answers.pop(name, None)
            self._answers[name] = self._clock()
            _forget(self._answers)

    def _hashed(self, text: str) -> bytes:
        return hashlib.blake2b(text.encode("utf-8", "replace"), key=self._key, digest_size=16).digest()


def _network(address: str) -> str | None:
    """What an address counts as, or ``None`` where it stands for nobody in particular."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    if not ip.is_global:
        return None
    return str(ip) if ip.version == 4 else str(int(ip) >> 64)


def _forget(entries: OrderedDict[bytes, Any]) -> None:
    while len(entries) > _MOST:
        entries.popitem(last=False)
