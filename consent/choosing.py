"""A visitor's answer, taken: recorded durably first, then signed into the cookie, then confirmed."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from consent import csp, origin
from consent.answer import ACTIONS, ALWAYS, ERASE, HIDE, ONCE, REFUSALS, Answer, answer, heeded
from consent.banner import address
from consent.choice import Choice
from consent.decision import Artefact
from consent.errors import NotRecorded
from consent.exchange import Response, local_target
from consent.forms import Form, one
from consent.headers import Fields
from consent.register import Register

if TYPE_CHECKING:
    from consent.engine import Engine
    from consent.visit import Visit

_SAYS: Final = {
    "accept": "accepted",
    "reject": "refused",
    "close": "refused",
    "save": "saved",
    "withdraw": "withdrawn",
    "erase": "erased",
    "always": "embedded",
    "signal": "signal",
}
_LAYERS: Final = frozenset({"first", "preferences", "embed"})
_ONCE_DAYS: Final = 2  # as long as the leave for one embed is good
_NO_PROOF_NEEDED: Final = frozenset({*REFUSALS, ERASE})
_log = logging.getLogger("consent")


class Chooser:
    """Turns a posted form into a record, a cookie and an answer, in that order."""

    def __init__(self, engine: Engine, register: Register) -> None:
        self._engine = engine
        self._register = register
        self._told = False
        self._shared = engine.policy.ask.pages == "shared"
        enforced = csp.header_name(engine.policy) == "Content-Security-Policy"
        self._reloads = enforced and not self._shared  # a shared page's policy lets everything declared through

    def choose(self, visit: Visit, form: Form) -> Response:
        """Take an answer. A grant needs a post from our own page and the artefact that was shown; a refusal doesn't."""
        pages = self._engine.pages
        visit.app_locale = one(form, "lang") or visit.app_locale
        action = one(form, "action")
        if action not in ACTIONS:
            return pages.message(visit, "unknown-action", status=400)
        harmless = action in REFUSALS or action == HIDE
        came_from = origin.came_from(visit.request)
        trusted = came_from == origin.SAME or self._engine.jar.vouches(visit.request, one(form, "token"))
        if not trusted and (came_from == origin.CROSS or not harmless):
            return pages.message(visit, "cross-site", status=403)
        if action == HIDE:
            return self._back(visit, form, "")
        if self._engine.mode == "closed" and not harmless:
            return self._back(visit, form, "not-recorded")
        admitted = self._register.admits(visit)
        if not admitted and not harmless:
            if not self._told:
                self._told = True
                _log.warning("So many answers came from one address within a minute that grants are turned away.")
            return pages.message(visit, "too-many", status=429)
        artefact = self._engine.exhibits.find(one(form, "artefact"))
        if artefact is not None and artefact.content.get("material_version") != self._engine.policy.current.version:
            artefact = None
        if artefact is None and action not in _NO_PROOF_NEEDED:
            return (
                pages.message(visit, "outdated", status=200) if action == ONCE else self._back(visit, form, "outdated")
            )
        if action == ONCE:
            return self._once(visit, form, artefact)
        if action == ALWAYS and one(form, "service") not in self._engine.policy.current.keys:
            return pages.message(visit, "unknown-embed", status=400)
        given = self._answer(visit, form, action, artefact)
        if not admitted:
            return self._back(visit, form, _SAYS[action], after=given.after)
        return self._settle(visit, form, given, artefact)

    def heed(self, visit: Visit) -> Fields:
        """End what the browser's privacy signal ends: recorded as well as can be, and the cookie that says so."""
        engine = self._engine
        given = heeded(engine.policy, visit.choice, settles=engine.market.signal_settles, today=engine.today())
        shown = replace(given.after, asked=(given.after.asked or frozenset()) | given.lost)
        try:
            self._register.enter(
                visit, event=given.event, action=given.recorded_as, after=shown, receipt=given.receipt, artefact=None
            )
        except NotRecorded as error:
            _log.error("A decision could not be recorded: %s", error)
        return engine.jar.write(given.after, visit.request, today=engine.today())

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
        layer = one(form, "layer")
        try:
            self._register.enter(
                visit, event=given.event, action=given.recorded_as, after=after, receipt=receipt, artefact=artefact,
                layer=layer if layer in _LAYERS else "first",
            )  # fmt: skip
            if given.action == ERASE and receipt:
                self._register.erase(receipt)
        except NotRecorded as error:
            _log.error("A decision could not be recorded: %s", error)
            if given.action == ERASE and receipt:
                return self._not_erased(visit, form, after=after, receipt=receipt)
            if given.gained:
                message = "not-recorded"
                after = _without_gains(after, given)
                if not given.lost:
                    return self._back(visit, form, message)
        return self._back(visit, form, message, after=after, gained=given.gained & after.granted)

    def _not_erased(self, visit: Visit, form: Form, *, after: Choice, receipt: str) -> Response:
        """Withdrawn at once; with the receipt's number the visitor can come back when the log can be reached."""
        if visit.request.get("x-consent") == "fetch":
            return self._back(visit, form, "not-erased", after=after, receipt=receipt)
        engine = self._engine
        page = engine.pages.message(visit, "not-erased", status=503, receipt=receipt)
        ended = engine.revisit(visit, after)
        fields = engine.jar.write(after, visit.request, today=engine.today()) + engine.closer.expiry(ended)
        return replace(page, fields=[*page.fields, *fields])

    def _once(self, visit: Visit, form: Form, artefact: Artefact | None) -> Response:
        engine = self._engine
        key = one(form, "service")
        url = address.declared(engine.gate, key, one(form, "url"), base_url=visit.request.base_url)
        if not url:
            return engine.pages.message(visit, "unknown-embed", status=400)
        shown = Choice(asked=frozenset({key}), granted=frozenset({key}), day=engine.today())
        try:
            self._register.enter(
                visit, event="granted", action="embed_click", after=shown, receipt=None, artefact=artefact,
                layer="embed", days=_ONCE_DAYS,
            )  # fmt: skip
        except NotRecorded as error:
            _log.error("A decision could not be recorded: %s", error)
            return engine.pages.message(visit, "not-recorded", status=200)
        leave = engine.token.permit(key, url, scope=engine.jar.scope(visit.request), day=engine.today())
        query = urlencode({"service": key, "url": url, "lang": one(form, "lang"), "token": leave})
        return Response.redirect(f"{visit.prefix}embed?{query}", [("Cache-Control", "no-store")])

    def _back(
        self,
        visit: Visit,
        form: Form,
        message: str,
        *,
        after: Choice | None = None,
        gained: frozenset[str] = frozenset(),
        receipt: str = "",
    ) -> Response:
        """Back to the page the visitor was on, with the cookie if there is a new choice; as JSON for our script."""
        engine, request = self._engine, visit.request
        fields: Fields = [("Cache-Control", "no-store"), ("Referrer-Policy", "same-origin")]
        if after is not None:
            visit = engine.revisit(visit, after)
            fields += [*engine.jar.write(after, request, today=engine.today()), *engine.closer.expiry(visit)]
            if self._shared:
                fields += engine.seen(visit)
        reload = self._reloads and any(not engine.policy.service(key).embed for key in gained)
        scripted = request.get("x-consent") == "fetch"
        if not message:
            fields += engine.jar.unsay(request)
        elif reload or not scripted:
            fields += engine.jar.say(message, request)
        target = local_target(one(form, "next"), fallback=visit.prefix)
        if not scripted:
            if self._shared:  # the page is the same for everybody and can't say what was chosen; this one does
                spoken = {"lang": lang} if (lang := one(form, "lang")) else {}
                target = f"{visit.prefix}?{urlencode({'next': target} | spoken)}"
            return Response.redirect(target, fields)
        visit.message = message
        view = visit.view(one(form, "lang") or None, next=target, **({"receipt": receipt} if receipt else {}))
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
