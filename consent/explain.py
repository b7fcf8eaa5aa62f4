"""The policy as prose, for somebody who reads law and not TOML."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from consent.config import country
from consent.errors import ConfigError
from consent.market import profile
from consent.policy import Category, Policy, Service, StorageItem

CATEGORY_NAMES: Final = {
    "necessary": "Necessary",
    "donations": "Donations",
    "analytics": "Analytics",
    "video": "Embedded video",
    "functional": "Functional",
    "social": "Social media",
    "marketing": "Marketing",
}
_TRANSFERS: Final = {
    "adequacy": "an adequacy decision (GDPR Art. 45)",
    "scc": "standard contractual clauses (GDPR Art. 46(2)(c))",
    "bcr": "binding corporate rules (GDPR Art. 47)",
    "code-of-conduct": "a code of conduct (GDPR Art. 46(2)(e))",
    "certification": "a certification (GDPR Art. 46(2)(f))",
    "derogation": "a derogation for specific situations (GDPR Art. 49)",
}
_NOTHING: Final = "nothing is loaded from it, and nothing is stored or read on the device for it."
_KINDS: Final = {
    "cookie": "cookie", "local_storage": "local storage entry", "session_storage": "session storage entry",
    "indexeddb": "IndexedDB database", "cache_storage": "cache", "service_worker": "service worker",
    "pixel": "pixel", "script": "script that reads from the device", "url_decoration": "identifier in addresses",
    "fingerprint": "fingerprint", "etag": "entity tag",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One heading, its depth (1 or 2), and the paragraphs under it."""

    title: str
    paragraphs: tuple[str, ...]
    depth: int = 1


def sections(policy: Policy) -> tuple[Section, ...]:
    """What the policy says, heading by heading, each service in a paragraph of its own."""
    return (
        Section(title="Who asks", paragraphs=_who(policy)),
        Section(title="What waits for an answer", paragraphs=_waiting(policy)),
        Section(title="What runs without asking, and why", paragraphs=_exempt(policy)),
        Section(title="What nobody declared", paragraphs=(_undeclared(policy),)),
        Section(title="How it is asked, and for how long an answer counts", paragraphs=_asking(policy)),
        Section(title="Proof", paragraphs=(_proof(policy),)),
        Section(title="The services", paragraphs=()),
        *(_service(service, policy.category(service.category)) for service in policy.services),
    )


def as_data(policy: Policy) -> dict[str, Any]:
    """The same with the facts behind it as plain JSON data; dates are ISO 8601."""
    return {
        "site": asdict(policy.site),
        "ask": asdict(policy.ask) | {"trial_until": policy.ask.trial_until and policy.ask.trial_until.isoformat()},
        "material_version": policy.current.version,
        "services": [
            asdict(service) | {"reviewed_on": service.reviewed_on and service.reviewed_on.isoformat()}
            for service in policy.services
        ],
        "sections": [asdict(section) for section in sections(policy)],
    }


def _who(policy: Policy) -> tuple[str, ...]:
    site = policy.site
    lines = [f"Visitors of {site.name} are asked by {_ended(site.controller)} That is the controller (GDPR Art. 4(7))."]
    named = {
        "Questions go to": site.contact,
        "The data protection officer is": site.data_protection_officer,
        "The supervisory authority is": site.supervisory_authority,
        "The imprint is at": site.imprint,
        "The privacy policy is at": site.privacy_policy,
    }
    lines.append(" ".join(f"{words} {_ended(value)}" for words, value in named.items() if value))
    where = f"on {_listed(site.hosts)}" if site.hosts else "on the host where it was given"
    scope = f"and for every host under {policy.ask.cookie_domain}" if policy.ask.cookie_domain else "and nowhere else"
    lines.append(f"An answer counts {where} {scope}.")
    rules = profile(site.market)
    lines.append(
        f"The rules applied are those of the market profile “{rules.key}” ({rules.name}), as read on "
        f"{rules.as_of:%Y-%m-%d}: {'; '.join(rules.sources)}."
    )
    return tuple(line for line in lines if line)


def _waiting(policy: Policy) -> tuple[str, ...]:
    if not policy.optional:
        return ("Nothing does: everything declared is necessary. No notice is shown; the declaration still is.",)
    names = _listed(service.name for service in policy.optional)
    waits = "1 service waits" if len(policy.optional) == 1 else f"{len(policy.optional)} services wait"
    return (
        f"{waits}: {_ended(names)} Until a visitor agrees to one of them, {_NOTHING} A refusal has the same effect.",
        (
            "Each can be agreed to and refused on its own; categories are headings and shortcuts. "
            "Nothing is selected beforehand, and refusing takes as many clicks as accepting."
        ),
    )


def _exempt(policy: Policy) -> tuple[str, ...]:
    lines = []
    for service in policy.services:
        if service.is_necessary:
            lines.append(f"{service.name}: {_ended(service.exempt_reason)}{_review(service)}")
        elif service.on_request:
            lines.append(
                f"{service.name}, on {_listed(service.on_request)} only, where the visitor has asked for it by going "
                f"there: {_ended(service.exempt_reason)}{_review(service)}"
            )
    return (*lines, "The basis for each is ePrivacy Directive Art. 5(3), second sentence.")


def _review(service: Service) -> str:
    if service.reviewed_by and service.reviewed_on:
        return f" Confirmed by {service.reviewed_by} on {service.reviewed_on.isoformat()}."
    return "" if service.key == "consentry" else " Nobody has confirmed this yet."


def _undeclared(policy: Policy) -> str:
    ask = policy.ask
    if ask.undeclared == "block":
        return "A third party that is not in this policy is blocked for everybody, whatever they answered."
    until = f" until {ask.trial_until.isoformat()}; after that day the site does not start" if ask.trial_until else ""
    return (
        "A third party that is not in this policy is not blocked: it reaches visitors who were never asked about it, "
        f"and is reported to the operator{until}. This is meant for the first days only."
    )


def _asking(policy: Policy) -> tuple[str, ...]:
    days = policy.ask.lifetime_days
    lines = [
        (
            f"An answer, yes or no, counts for {days} days from the day it was given; visits do not extend it. "
            "It can be changed or withdrawn at any time under Cookie settings, which every page links."
        ),
        (
            "Within that time visitors are asked again only about what is new: another service, recipient, country, "
            "controller or purpose, or a longer duration. Changed wording asks nobody again."
        ),
    ]
    gpc = [service.name for service in policy.optional if service.gpc]
    if gpc:
        settles = profile(policy.site.market).signal_settles
        then = "which is taken for the answer" if settles else "until the visitor, having been told, decides otherwise"
        stay = "stays" if len(gpc) == 1 else "stay"
        lines.append(f"When a browser sends Global Privacy Control, {_listed(gpc)} {stay} off, {then}.")
    if policy.ask.skip:
        lines.append(f"On {_listed(policy.ask.skip)} no notice is shown; the same things wait there.")
    return tuple(lines)


def _proof(policy: Policy) -> str:
    return (
        "Every decision is recorded before it takes effect: what was asked, in which words, when, and the answer; "
        "without an IP address, user agent, page address or name. A refusal's record cannot be linked to a visitor. "
        f"Records are kept for {policy.site.log_retention}."
    )


def _service(service: Service, category: Category) -> Section:
    heading = category.name or CATEGORY_NAMES.get(category.key, category.key)
    basis = (
        "needs no consent"
        if service.is_necessary
        else "needs consent (GDPR Art. 6(1)(a), ePrivacy Directive Art. 5(3))"
    )
    about = [f"{_ended(service.purpose)} It is shown under “{heading}” and {basis}."]
    provider = service.provider + (f" ({country.names()[service.country]})" if service.country else "")
    about.append(f"It is provided by {_ended(provider)}")
    if service.recipients:
        about.append(f"Data goes to {_ended(_listed(service.recipients))}")
    if service.processing_countries:
        where = _listed(_with_article(country.names()[code]) for code in service.processing_countries)
        about.append(f"It is processed in {_ended(where)}")
    outside = {service.country, *service.processing_countries} - country.eea() - {""}
    if outside:
        basis = _TRANSFERS.get(service.transfer, "a basis that is not stated here")
        about.append(f"The transfer out of the EEA rests on {basis}.")
    if service.provider_retention:
        about.append(f"The provider keeps it for {service.provider_retention}.")
    if service.privacy_policy:
        about.append(f"How the data is used: {service.privacy_policy}")
    paragraphs = [" ".join(about)]
    if service.storage:
        paragraphs.append("On the device: " + "; ".join(map(_stored, service.storage)) + ".")
    else:
        paragraphs.append("Nothing is declared to be stored on the device.")
    if service.load:
        paragraphs.append(
            f"It is recognised by {_ended(_listed((*service.load, *(f'“{t}”' for t in service.inline))))}"
        )
    if service.opt_out:
        paragraphs.append(f"The provider's own opt-out: {service.opt_out}")
    return Section(title=f"{service.name} ({service.key})", paragraphs=tuple(paragraphs), depth=2)


def _stored(item: StorageItem) -> str:
    party = "" if item.party == "first" else f" of {item.domain}" if item.domain else " of the third party"
    until = (
        "until the browser is closed" if item.days == 0 else "until it is deleted" if item.days is None else item.lasts
    )
    return f"the {_KINDS[item.kind]} {item.name}{party} ({', '.join(filter(None, (item.purpose, until)))})"


def _listed(items: Iterable[str]) -> str:
    words = list(items)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def _ended(sentence: str) -> str:
    """The same with a full stop, and only one."""
    return sentence if sentence.endswith((".", "!", "?", "…")) else f"{sentence}."


def _with_article(name: str) -> str:
    return f"the {name}" if name.startswith(("United ", "European ", "Netherlands")) else name


def standing(file: Path) -> list[dict[str, Any]]:
    """The languages of the site of this ``consent.toml``, and who has read each; none if the file is wrong.

    Those that ``allow_unreviewed = false`` leaves out aren't ``offered``.
    """
    from consent.config import load
    from consent.locale import languages, offered, site_folder

    try:
        policy = load(file)
    except ConfigError:
        return []
    known, spoken = languages(site_folder(policy)), offered(policy)
    wanted = offered(replace(policy, site=replace(policy.site, allow_unreviewed=True)))
    return [
        {
            "tag": tag, "offered": tag in spoken,
            "status": known[tag].status, "by": known[tag].by, "on": str(known[tag].on or ""),
            "changed_since": known[tag].have_changed,
        }
        for tag in dict.fromkeys((*spoken, *wanted))
    ]
