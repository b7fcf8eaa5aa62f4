"""A decision as evidence: what was shown, what was answered, and what the engine knows of the log.

Part of the domain: standard library only. The fields follow ISO/IEC TS 27560 and GDPR Art. 7(1); what is *not* here
(addresses, user agents, URLs, names) must never be added.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

EVENTS = (
    "granted", "refused", "partial", "changed", "withdrawn", "expired",
    "signal_opt_out", "signal_override", "objected",
)  # fmt: skip
ACTIONS = ("accept_all", "reject_all", "save", "close", "embed_click", "withdraw_all", "gpc", "api")


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """Exactly what a visitor was shown: one per wording, locale, layout, profile and set of services asked.

    ``content`` is plain JSON data (html, css, texts, policy snapshot, their SHA-256 digests); ``digest`` names it.
    """

    content: Mapping[str, Any]
    digest: str

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Artefact:
        """The artefact with this content; its digest is the SHA-256 of the canonical JSON, 64 hex digits."""
        return cls(content=content, digest=hashlib.sha256(cls.canonical(content)).hexdigest())

    @staticmethod
    def canonical(content: Mapping[str, Any]) -> bytes:
        """The bytes that are hashed and archived: sorted keys, no spaces, UTF-8 (RFC 8785 for this schema)."""
        return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision of one visitor, to be recorded before it has any effect.

    ``record_id`` is a UUIDv7 made by the server. ``receipt_id`` (32 hex digits) is set only while something is
    granted, and on the withdrawal that ends it. ``occurred_at`` is aware UTC; without a receipt it has day
    precision (midnight) and the random bits of ``record_id`` carry no time either. ``decisions`` maps each
    category asked to whether all of it was granted, ``services`` each service asked; both say yes and no explicitly.
    """

    record_id: str
    event: str
    action: str
    occurred_at: datetime
    valid_until: datetime
    decisions: Mapping[str, bool]
    services: Mapping[str, bool]
    artefact: str
    material_version: str
    locale: str
    receipt_id: str | None = None
    layer: str = "first"
    no_js: bool = True
    banner_version: str = ""
    texts_version: str = ""
    market_profile: str = "eu"
    scope_hosts: tuple[str, ...] = ()
    controller_ref: str = ""
    lawful_basis: str = "6(1)(a)+5(3)"
    gpc: bool = False
    dnt: bool = False
    ui_class: str = ""
    software: str = ""


class Speech(Protocol):
    """A language, as far as who writes a document for its reader has to know it."""

    def gettext(self, message: str, **values: object) -> str:
        """The English message in this language, its ``{name}`` places filled."""

    def date(self, day: date) -> str:
        """The day in full, as this language writes it."""


class Recorder(Protocol):
    """What the engine knows of the log."""

    def archive(self, artefact: Artefact) -> None:
        """Keep the artefact durably before its first use; the same one again is no work. Raises ``NotRecorded``."""

    def artefact(self, digest: str) -> Artefact | None:
        """The archived artefact with this digest, or ``None``. Raises ``NotRecorded`` if it can't be looked up."""

    def record(self, decision: Decision, *, timeout: float) -> None:
        """Make the decision durable within ``timeout`` seconds, or raise ``NotRecorded``; never anything else."""

    def tally(self, what: str, detail: str = "") -> None:
        """Count one event of today; nothing else is kept of it. Never raises and never waits."""

    def tallies(self, what: str) -> list[tuple[date, str, int]]:
        """What was counted: day, detail and number, by day. Raises ``NotRecorded`` if it can't be looked up."""

    def receipt(self, receipt_id: str, form: str, *, speech: Speech) -> bytes | None:
        """One receipt's history as ``"kantara"``, ``"iso27560"`` or ``"text"``; ``None`` if there is none.

        ``speech`` is the language of the text. Raises ``NotRecorded`` if it can't be looked up.
        """

    def erase(self, receipt_id: str) -> bool:
        """Erase what is recorded under a receipt; false if nothing was. Raises ``NotRecorded`` if that fails."""
