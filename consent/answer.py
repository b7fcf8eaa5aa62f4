"""What a visitor's answer makes of the choice they had: a pure function, and the only one.

Standard library only; no I/O, no clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from consent.choice import Choice, Signals, answers
from consent.policy import Policy

ACCEPT: Final = "accept"
REJECT: Final = "reject"
SAVE: Final = "save"
WITHDRAW: Final = "withdraw"
ALWAYS: Final = "always"
ONCE: Final = "once"
HIDE: Final = "hide"
CLOSE: Final = "close"
ERASE: Final = "erase"
ACTIONS: Final = frozenset({ACCEPT, REJECT, CLOSE, SAVE, WITHDRAW, ERASE, ALWAYS, ONCE, HIDE})
REFUSALS: Final = frozenset({REJECT, CLOSE, WITHDRAW})

SIGNAL: Final = "signal"
"""What no form says: the browser's privacy signal, acting for the visitor."""
_RECORDED_AS: Final = {
    ACCEPT: "accept_all",
    REJECT: "reject_all",
    CLOSE: "close",
    ERASE: "withdraw_all",
    SAVE: "save",
    WITHDRAW: "withdraw_all",
    ALWAYS: "embed_click",
    SIGNAL: "gpc",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A choice before and after one answer. ``after.receipt`` is ``None`` where a receipt has yet to be made."""

    action: str
    event: str
    after: Choice
    gained: frozenset[str]
    lost: frozenset[str]
    receipt: str | None

    @property
    def recorded_as(self) -> str:
        """The record's word for the action."""
        return _RECORDED_AS[self.action]


def answer(
    policy: Policy,
    choice: Choice,
    action: str,
    *,
    asked: Iterable[str],
    grants: Iterable[str] = (),
    signals: Signals,
    today: date,
) -> Answer:
    """The choice that follows when ``asked`` was put to the visitor and they answered with ``action``.

    ``asked`` and ``grants`` are service or category keys; what wasn't asked can't be granted. Answers to everything
    else stay, and so does their day, unless everything was answered anew. ``receipt`` is the one that this decision
    belongs to: the present one, also when it ends here.
    """
    before_asked, before = answers(policy, choice, today=today)
    optional = frozenset(service.key for service in policy.optional)
    put = optional if action in (WITHDRAW, ERASE) else policy.expand(asked)
    match action:
        case "accept" | "always":
            yes = put
        case "save":
            yes = policy.expand(grants) & put
        case _:
            yes = frozenset()
    granted = (before - put) | yes
    others_stand = bool(before_asked - put)
    overriding = any(service.gpc for service in policy.optional if service.key in granted)
    receipt = choice.receipt if before else None
    after = Choice(
        asked=before_asked | put,
        granted=granted,
        version=policy.current.version,
        day=choice.day if others_stand and choice.day else today,
        gpc_override=overriding and (signals.gpc or choice.gpc_override),
        receipt=receipt if granted else None,
    )
    return Answer(
        action=action,
        event=_event(policy, before=before, after=after, yes=yes, signals=signals),
        after=after,
        gained=granted - before,
        lost=before - granted,
        receipt=receipt,
    )


def heeded(policy: Policy, choice: Choice, *, settles: bool, today: date) -> Answer:
    """The choice that follows when the browser's privacy signal meets an earlier grant: less, and never more.

    The services that follow the signal lose their grant. With ``settles`` that is their answer; else they wait to be
    asked again. The other answers and their day stay (11 CCR § 7025(c)(3); W3C Global Privacy Control).
    """
    before_asked, before = answers(policy, choice, today=today)
    ended = frozenset(service.key for service in policy.optional if service.gpc) & before
    granted = before - ended
    after = replace(
        choice,
        asked=before_asked if settles else before_asked - ended,
        granted=granted,
        version=policy.current.version,
        gpc_override=False,
        receipt=choice.receipt if granted else None,
    )
    return Answer(
        action=SIGNAL,
        event="signal_opt_out",
        after=after,
        gained=frozenset(),
        lost=ended,
        receipt=choice.receipt if before else None,
    )


def _event(policy: Policy, *, before: frozenset[str], after: Choice, yes: frozenset[str], signals: Signals) -> str:
    granted, asked = after.granted, after.asked or frozenset()
    if signals.gpc and any(policy.service(key).gpc for key in yes):
        return "signal_override"
    if before:
        return "changed" if granted else "withdrawn"
    if not granted:
        return "refused"
    return "granted" if granted == asked else "partial"
