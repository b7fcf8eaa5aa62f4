"""What goes into the consent log and comes out of it: a visitor's answer becomes a decision, recorded once."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from consent.choice import Choice
from consent.decision import Artefact, Decision, Recorder
from consent.errors import NotRecorded
from consent.flood import Flood

if TYPE_CHECKING:
    from consent.engine import Engine
    from consent.visit import Visit

RECORD_TIMEOUT: Final = 2.0  # seconds that a decision may take to become durable
FORMS: Final = {
    "kantara": ("application/json", "json"),
    "iso27560": ("application/ld+json", "jsonld"),
    "text": ("text/plain; charset=utf-8", "txt"),
}
"""The forms a receipt can be downloaded in, each with its media type and the ending of its file."""


class Register:
    """Enters decisions, counts what is only counted, and gives a visitor their own records."""

    def __init__(self, engine: Engine, recorder: Recorder, *, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._recorder = recorder
        self._clock = clock
        self._flood = Flood()

    def admits(self, visit: Visit) -> bool:
        """Whether this client may answer once more now; what isn't admitted is counted."""
        if self._flood.admits(visit.request.client):
            return True
        self.count("flood")
        return False

    def enter(
        self,
        visit: Visit,
        *,
        event: str,
        action: str,
        after: Choice,
        receipt: str | None,
        artefact: Artefact | None,
        layer: str = "first",
        days: int | None = None,
    ) -> None:
        """Record a decision durably, or raise :class:`NotRecorded`.

        ``after`` is the choice it leads to and ``days`` how long that counts, by default as long as any choice. The
        same answer of somebody who has just given it is not recorded twice.
        """
        self.count("posted")
        given = self._name(visit, after, receipt, artefact)
        if self._unchanged(visit.choice, after) and self._flood.repeats(given):
            self.count("repeated")
            return
        decision = self._decision(visit, artefact, event=event, action=action, after=after, layer=layer, days=days)
        moment = decision.occurred_at
        if receipt:
            decision = replace(decision, receipt_id=receipt, record_id=uuid7(moment))
        else:  # nothing that tells two people apart who decide alike on one day
            decision = replace(decision, record_id=str(uuid.uuid4()), occurred_at=midnight(moment.date()))
        if artefact is not None:
            self._engine.exhibits.archive(artefact)
        self._recorder.record(decision, timeout=RECORD_TIMEOUT)
        self._flood.remember(given)

    def count(self, what: str, detail: str = "") -> None:
        """Count an event of which no record is kept; a recorder that only writes decisions doesn't count."""
        tally = getattr(self._recorder, "tally", None)
        if tally is not None:
            tally(what, detail)

    def receipt(self, receipt_id: str, form: str, *, locale: str) -> bytes | None:
        """The history recorded under a receipt, in one of :data:`FORMS`; raises :class:`NotRecorded`."""
        read = getattr(self._recorder, "receipt", None)
        speech = self._engine.banner.texts(locale)
        found: bytes | None = read(receipt_id, form, speech=speech) if read is not None else None
        return found

    def erase(self, receipt_id: str) -> bool:
        """Erase what is recorded under a receipt; raises :class:`NotRecorded` if that can't be done now."""
        erase = getattr(self._recorder, "erase", None)
        if erase is None:
            raise NotRecorded("this log can't erase")
        return bool(erase(receipt_id))

    @staticmethod
    def _unchanged(before: Choice, after: Choice) -> bool:
        return before.made and replace(before, receipt=None) == replace(after, receipt=None)

    @staticmethod
    def _name(visit: Visit, after: Choice, receipt: str | None, artefact: Artefact | None) -> object:
        who = receipt or (visit.request.client, visit.request.get("user-agent"))
        shown = artefact.digest if artefact is not None else ""
        return who, sorted(after.asked or ()), sorted(after.granted), after.day, shown

    def _decision(
        self,
        visit: Visit,
        artefact: Artefact | None,
        *,
        event: str,
        action: str,
        after: Choice,
        layer: str,
        days: int | None,
    ) -> Decision:
        engine = self._engine
        policy, asked = engine.policy, after.asked or frozenset()
        shown = artefact.content if artefact is not None else {}
        put = [service for service in policy.optional if service.key in asked]
        ends = (after.day or engine.today()) + timedelta(days=policy.ask.lifetime_days if days is None else days)
        return Decision(
            record_id="",
            event=event,
            action=action,
            occurred_at=self._clock(),
            valid_until=midnight(ends),
            decisions={s.category: all(o.key in after.granted for o in put if o.category == s.category) for s in put},
            services={service.key: service.key in after.granted for service in put},
            artefact=artefact.digest if artefact is not None else "",
            material_version=policy.current.version,
            locale=str(shown.get("locale", "")),
            layer=layer,
            no_js=visit.request.get("x-consent") != "fetch",
            banner_version=str(shown.get("banner_version", "")),
            texts_version=str(shown.get("texts_version", "")),
            market_profile=policy.site.market,
            scope_hosts=(policy.ask.cookie_domain or visit.request.hostname,),
            controller_ref=policy.site.controller,
            gpc=visit.signals.gpc,
            dnt=visit.signals.dnt,
            software=engine.software,
        )


def midnight(day: date) -> datetime:
    """The beginning of a UTC day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def uuid7(moment: datetime) -> str:
    """A UUIDv7 (RFC 9562 section 5.7): 48 bits of milliseconds, then randomness."""
    milliseconds = int(moment.timestamp() * 1000) & ((1 << 48) - 1)
    bits = milliseconds << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=bits))
