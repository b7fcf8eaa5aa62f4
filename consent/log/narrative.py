"""A receipt's history in plain words, in the language of the person it belongs to.

The words are messages of the notice wherever it has them; the log knows of a language only what :class:`Speech` says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from consent.decision import Speech
from consent.log.history import Answer


class English:
    """The language in which the messages are written."""

    def gettext(self, message: str, **values: object) -> str:
        """The message with its ``{name}`` places filled."""
        return message.format(**values) if values else message

    def date(self, day: date) -> str:
        """The day as ISO 8601 writes it."""
        return day.isoformat()


ENGLISH: Final[Speech] = English()


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for a mark that does nothing
    """The message itself: it is translated where it is used."""
    return message


_ENDED: Final = N_("What you had allowed has ended.")
_EVENT: Final = {
    "granted": N_("You have accepted all."),
    "partial": N_("Your selection is saved."),
    "changed": N_("Your selection is saved."),
    "refused": N_("You have accepted only what is necessary."),
    "withdrawn": N_("Your consent is withdrawn. Nothing optional is loaded any more."),
    "expired": _ENDED,
    "objected": _ENDED,
    "signal_opt_out": N_("Your browser sends Global Privacy Control. What it objects to is off again."),
    "signal_override": N_("You allowed this although your browser sends Global Privacy Control."),
}
_MARGIN: Final = "    "


def text(receipt_id: str, answers: Sequence[Answer], *, log: str, speech: Speech = ENGLISH) -> str:
    """The history, oldest first. Digests and identifiers are for whoever checks it, and are called by their names."""
    t, site = speech.gettext, answers[-1].site
    authority = str(site.get("supervisory_authority") or "")
    about = (
        (t("Receipt number"), receipt_id),
        (t("Responsible for the processing"), site.get("controller") or answers[-1].payload["controller_ref"]),
        (t("Contact"), site.get("contact")),
        (t("Supervisory authority"), authority and t(authority)),
    )
    lines = [
        t("Your consent receipt"),
        "",
        *(f"{label}: {value}" for label, value in about if value),
        "",
        t("This is everything recorded under this receipt, oldest first. Times are UTC."),
        *(line for answer in answers for line in _told(answer, log, speech)),
        "",
        t("You can change or withdraw your choice at any time under {settings}.", settings=t("Cookie settings")),
        t("Keep this receipt to yourself: whoever has its number can have what is recorded under it shown or erased."),
    ]
    return "\n".join(lines) + "\n"


def recipients(service: Mapping[str, Any]) -> list[str]:
    """Who receives a service's data: those declared, else its provider."""
    return list(service["recipients"]) or ([service["provider"]] if service["provider"] else [])


def _told(answer: Answer, log: str, speech: Speech) -> list[str]:
    t, payload = speech.gettext, answer.payload  # no message inside an f-string: it would not be found there
    receiving, until, proof = t("Recipients of the data"), t("Valid until"), t("Evidence for an auditor")
    event = _EVENT.get(payload["event"])
    lines = ["", f"{answer.at.replace('T', ' ')[:16]}  {t(event) if event else payload['event']}"]
    for label, given in ((t("Allowed"), "granted"), (t("Not allowed"), "denied")):
        for key in answer.keys(given):
            service = answer.service(key)
            purpose = f": {t(service['purpose'])}" if service["purpose"] else ""
            lines.append(f"{_MARGIN}{label}: {t(service['name'])}{purpose}")
            if given == "granted" and recipients(service):
                lines.append(f"{_MARGIN * 2}{receiving}: {', '.join(recipients(service))}")
    if answer.keys("granted"):
        ends = datetime.fromisoformat(payload["valid_until"]).date()
        lines.append(f"{_MARGIN}{until}: {speech.date(ends)}")
    evidence = {"record": payload["record_id"], "leaf": answer.leaf.hex(), "log": log}
    shown = {"notice": payload["notice_hash"], "locale": payload["locale"]} if payload["notice_hash"] else {}
    lines += [f"{_MARGIN}{proof}:"]
    return lines + [f"{_MARGIN * 2}{name}={value}" for name, value in (evidence | shown).items()]
