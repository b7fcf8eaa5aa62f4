"""A visitor's answer, taken: recorded durably first, then signed into the cookie, then confirmed."""

from __future__ import annotations

import json
import logging
import secrets
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from consent import csp, origin
from consent.answer import ACTIONS, ALWAYS, HIDE, ONCE, REFUSALS, Answer, answer
from consent.choice import Choice
from consent.decision import Artefact, Decision, Recorder
from consent.errors import NotRecorded
from consent.exchange import Response, local_target
from consent.forms import Form, one
from consent.headers import Fields

if TYPE_CHECKING:
    from consent.engine import Engine
    from consent.visit import Visit

RECORD_TIMEOUT: Final = 2.0  # seconds that a decision may take to become durable
_SAYS: Final = {
    "accept": "accepted",
    "reject": "refused",
    "save": "saved",
    "withdraw": "withdrawn",
    "always": "embedded",
}
_LAYERS: Final = frozenset({"first", "preferences", "embed"})
_log = logging.getLogger("consent")


class Chooser:
    """Turns a posted form into a record, a cookie and an answer, in that order."""

    def __init__(self, engine: Engine, recorder: Recorder, *, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._recorder = recorder
        self._clock = clock
        self._reloads = csp.header_name(engine.policy) == "Content-Security-Policy"

    def choose(self, visit: Visit, form: Form) -> Response:
        """Take an answer. A grant needs a post from our own page and the artefact that was shown; a refusal doesn't."""
        pages = self._engine.pages
        action = one(form, "action")
        if action not in ACTIONS:
            return pages.message(visit, "unknown-action", status=400)
        came_from = origin.came_from(visit.request)
        harmless = action in REFUSALS or action == HIDE
        if came_from == origin.CROSS or (came_from == origin.UNKNOWN and not harmless):
            return pages.message(visit, "cross-site", status=403)
        if action == HIDE:
            return self._back(visit, form, "")
        if self._engine.mode == "closed" and not harmless:
            return self._back(visit, form, "not-recorded")
        artefact = self._engine.exhibits.find(one(form, "artefact"))
        if artefact is not None and artefact.content.get("material_version") != self._engine.policy.current.version:
            artefact = None
        if artefact is None and action not in REFUSALS:
            return (
                pages.message(visit, "outdated", status=200) if action == ONCE else self._back(visit, form, "outdated")
            )
        if action == ONCE:
            return self._once(visit, form, artefact)
        if action == ALWAYS and one(form, "service") not in self._engine.policy.current.keys:
            return pages.message(visit, "unknown-embed", status=400)
        return self._settle(visit, form, self._answer(visit, form, action, artefact), artefact)

    def _answer(self, visit: Visit, form: Form, action: str, artefact: Artefact | None) -> Answer:
        policy = self._engine.policy
        if action == ALWAYS:
            asked: Sequence[str] = [one(form, "service")]
        else:
            asked = policy.current.keys if artefact is None else [str(key) for key in artefact.content["asked"]]
        return answer(
            policy, visit.choice, action,
            asked=asked, grants=form.get("grant", ()), signals=visit.signals, today=self._engine.today(),
        )  # fmt: skip

    def _settle(self, visit: Visit, form: Form, given: Answer, artefact: Artefact | None) -> Response:
        after, receipt = given.after, given.receipt
        if after.granted:
            receipt = receipt or secrets.token_hex(16)
            after = replace(after, receipt=receipt)
        message = _SAYS[given.action] if after.granted or given.action != "accept" else "refused"
        decision = self._decision(visit, form, artefact, event=given.event, action=given.recorded_as, after=after)
        try:
            self._record(replace(decision, receipt_id=receipt), artefact)
        except NotRecorded as error:
            _log.error("A decision could not be recorded: %s", error)
            if given.gained:
                message = "not-recorded"
                after = _without_gains(after, given)
                if not given.lost:
                    return self._back(visit, form, message)
        return self._back(visit, form, message, after=after, gained=given.gained & after.granted)

    def _once(self, visit: Visit, form: Form, artefact: Artefact | None) -> Response:
        engine = self._engine
        key, url = one(form, "service"), one(form, "url")
        service = engine.gate.service_of(url, base_url=visit.request.base_url)
        if service is None or service.key != key:
            return engine.pages.message(visit, "unknown-embed", status=400)
        shown = Choice(asked=frozenset({key}), granted=frozenset({key}), day=engine.today())
        decision = self._decision(visit, form, artefact, event="granted", action="embed_click", after=shown)
        decision = replace(decision, valid_until=_midnight(engine.today() + timedelta(days=2)))  # as the leave below
        try:
            self._record(decision, artefact)
        except NotRecorded as error:
            _log.error("A decision could not be recorded: %s", error)
            return engine.pages.message(visit, "not-recorded", status=200)
        leave = engine.token.permit(key, url, scope=engine.jar.scope(visit.request), day=engine.today())
        query = urlencode({"service": key, "url": url, "lang": one(form, "lang"), "token": leave})
        return Response.redirect(f"{visit.prefix}embed?{query}", [("Cache-Control", "no-store")])

    def _decision(
        self, visit: Visit, form: Form, artefact: Artefact | None, *, event: str, action: str, after: Choice
    ) -> Decision:
        policy, asked = self._engine.policy, after.asked or frozenset()
        shown = artefact.content if artefact is not None else {}
        put = [service for service in policy.optional if service.key in asked]
        layer = one(form, "layer")
        ends = (after.day or self._engine.today()) + timedelta(days=policy.ask.lifetime_days)
        domain = policy.ask.cookie_domain
        return Decision(
            record_id="",
            event=event,
            action=action,
            occurred_at=self._clock(),
            valid_until=_midnight(ends),
            decisions={s.category: all(o.key in after.granted for o in put if o.category == s.category) for s in put},
            services={service.key: service.key in after.granted for service in put},
            artefact=artefact.digest if artefact is not None else "",
            material_version=policy.current.version,
            locale=str(shown.get("locale", "")),
            layer=layer if layer in _LAYERS else "first",
            no_js=visit.request.get("x-consent") != "fetch",
            banner_version=str(shown.get("banner_version", "")),
            texts_version=str(shown.get("texts_version", "")),
            market_profile=policy.site.market,
            scope_hosts=(domain or visit.request.hostname,),
            controller_ref=policy.site.controller,
            gpc=visit.signals.gpc,
            dnt=visit.signals.dnt,
            software=self._engine.software,
        )

    def _record(self, decision: Decision, artefact: Artefact | None) -> None:
        """Record with an id and a time that fit: precise with a receipt, a random id and the day alone without."""
        moment = decision.occurred_at
        if decision.receipt_id:
            decision = replace(decision, record_id=uuid7(moment))
        else:
            decision = replace(decision, record_id=str(uuid.uuid4()), occurred_at=_midnight(moment.date()))
        if artefact is not None:
            self._engine.exhibits.archive(artefact)
        self._recorder.record(decision, timeout=RECORD_TIMEOUT)

    def _back(
        self,
        visit: Visit,
        form: Form,
        message: str,
        *,
        after: Choice | None = None,
        gained: frozenset[str] = frozenset(),
    ) -> Response:
        """Back to the page the visitor was on, with the cookie if there is a new choice; as JSON for our script."""
        engine, request = self._engine, visit.request
        fields: Fields = [("Cache-Control", "no-store"), ("Referrer-Policy", "same-origin")]
        if after is not None:
            visit = engine.revisit(visit, after)
            fields += [*engine.jar.write(after, request, today=engine.today()), *engine.closer.expiry(visit)]
        reload = self._reloads and any(not engine.policy.service(key).embed for key in gained)
        scripted = request.get("x-consent") == "fetch"
        if not message:
            fields += engine.jar.unsay(request)
        elif reload or not scripted:
            fields += engine.jar.say(message, request)
        target = local_target(one(form, "next"), fallback=visit.prefix)
        if not scripted:
            return Response.redirect(target, fields)
        visit.message = message
        view = visit.view(one(form, "lang") or None, next=target)
        answered = {
            "granted": sorted(visit.permissions.granted),
            "message": message,
            "html": engine.banner.confirmation(view).decode("ascii") if message else "",
            "reload": reload,
        }
        body = json.dumps(answered).encode()
        return Response(status=200, fields=[("Content-Type", "application/json"), *fields], body=body)


def _without_gains(after: Choice, given: Answer) -> Choice:
    """What is taken back is taken back all the same; what is new waits until it can be proved."""
    kept = after.granted - given.gained
    asked = (after.asked or frozenset()) - given.gained
    return replace(after, granted=kept, asked=asked, receipt=given.receipt if kept else None)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def uuid7(moment: datetime) -> str:
    """A UUIDv7 (RFC 9562 section 5.7): 48 bits of milliseconds, then randomness."""
    milliseconds = int(moment.timestamp() * 1000) & ((1 << 48) - 1)
    bits = milliseconds << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=bits))
