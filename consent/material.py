"""What an answer depends on: the material facts of each service, and the versions of them that visitors were asked.

Standard library only; no I/O, no clock.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What a visitor agrees to when they agree to a service: a change here is worth asking again.

    Wording, names, colours, load addresses and translations are not in it (EDPB 05/2020 paras 110-111).
    """

    purpose: str
    controller: str
    provider: str
    legal_basis: str
    recipients: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    storage: tuple[tuple[str, str, float | None], ...] = ()

    def digest(self) -> str:
        """SHA-256 of these facts as 64 lower-case hex digits."""
        return sha256(self.as_data())

    def as_data(self) -> dict[str, Any]:
        """These facts as plain data, for ``consent.lock`` and the record's artefact."""
        return {
            "purpose": self.purpose,
            "controller": self.controller,
            "provider": self.provider,
            "legal_basis": self.legal_basis,
            "recipients": list(self.recipients),
            "countries": list(self.countries),
            "storage": [list(item) for item in self.storage],
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Material:
        """The inverse of :meth:`as_data`; raises ``KeyError``, ``TypeError`` or ``ValueError`` on other shapes."""
        return cls(
            purpose=str(data["purpose"]),
            controller=str(data["controller"]),
            provider=str(data["provider"]),
            legal_basis=str(data["legal_basis"]),
            recipients=tuple(str(name) for name in data["recipients"]),
            countries=tuple(str(code) for code in data["countries"]),
            storage=tuple((str(name), str(kind), days) for name, kind, days in data["storage"]),
        )

    def asks_more_than(self, earlier: Material) -> bool:
        """Whether somebody who answered ``earlier`` has to be asked again: anything new, or anything longer."""
        same = ("purpose", "controller", "provider", "legal_basis")
        if any(getattr(self, name) != getattr(earlier, name) for name in same):
            return True
        if not (set(self.recipients) <= set(earlier.recipients) and set(self.countries) <= set(earlier.countries)):
            return True
        known = {(name, kind): days for name, kind, days in earlier.storage}
        return any((name, kind) not in known or _longer(days, known[name, kind]) for name, kind, days in self.storage)


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """One line of ``consent.lock``: a service as it was when visitors were asked about it."""

    key: str
    material: Material
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialVersion:
    """What was asked at one time: the services in the order of the cookie's bitmaps."""

    version: str
    services: tuple[Locked, ...]

    @classmethod
    def of(cls, services: Iterable[Locked]) -> MaterialVersion:
        """The version of these services; its name is the first 8 hex digits of their SHA-256, in order."""
        ordered = tuple(services)
        return cls(version=sha256([[s.key, s.digest] for s in ordered])[:8], services=ordered)

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(service.key for service in self.services)


def _longer(days: float | None, than: float | None) -> bool:
    """Whether a life time exceeds another; ``None`` never ends, and 0 is the browser session."""
    if than is None:
        return False
    return days is None or days > than


def sha256(data: object) -> str:
    """Of plain data, as 64 lower-case hex digits."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
