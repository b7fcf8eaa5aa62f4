"""What ``consent.toml`` says about one service, as rows of a label and a value for people to read."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from markupsafe import Markup, escape

from consent.banner.address import is_web
from consent.banner.phrases import N_, Phrases
from consent.choice import Permissions
from consent.policy import Service, StorageItem

KINDS: Final = MappingProxyType(
    {
        "cookie": N_("Cookie"),
        "local_storage": N_("Local storage"),
        "session_storage": N_("Session storage"),
        "indexeddb": N_("Database in the browser"),
        "cache_storage": N_("Cache of the site"),
        "service_worker": N_("Service worker"),
        "pixel": N_("Tracking pixel"),
        "script": N_("Script"),
        "url_decoration": N_("Addition to links"),
        "fingerprint": N_("Recognition by properties of the device"),
        "etag": N_("Mark in the browser's cache"),
    }
)
TRANSFERS: Final = MappingProxyType(
    {
        "adequacy": N_("Adequacy decision of the European Commission"),
        "scc": N_("Standard contractual clauses"),
        "dpf": N_("EU-US Data Privacy Framework"),
        "bcr": N_("Binding corporate rules"),
        "consent": N_("Your explicit consent"),
        "code-of-conduct": N_("Approved code of conduct"),
        "certification": N_("Approved certification"),
        "derogation": N_("Exception for specific situations"),
    }
)
STATES: Final = MappingProxyType(
    {
        "granted": N_("Allowed"),
        "refused": N_("Not allowed"),
        "not asked": N_("Not answered yet"),
        "necessary": N_("Always on"),
        "requested": N_("On here, because you asked for it"),
        "gpc": N_("Off, because your browser sends Global Privacy Control"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One row: a translated label and its value as HTML."""

    label: Markup
    value: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One thing a service keeps on the device, in words."""

    name: str
    kind: Markup
    lasts: str
    purpose: Markup


def facts(service: Service, phrases: Phrases) -> list[Fact]:
    """Everything declared about a service save its name, purpose and storage; what isn't declared has no row."""
    texts, own = phrases.texts, service.catalogue
    processed = texts.list(texts.country(code) for code in service.processing_countries)
    reviewed = phrases.t(
        "{person} on {day}",
        person=service.reviewed_by,
        day=texts.date(service.reviewed_on) if service.reviewed_on else "",
    )
    rows = [
        (phrases.t("Provider"), escape(service.provider)),
        (phrases.t("Country of the provider"), escape(texts.country(service.country))),
        (phrases.t("Recipients of the data"), escape(texts.list(service.recipients) if service.recipients else "")),
        (phrases.t("Countries in which it is processed"), escape(processed if service.processing_countries else "")),
        (phrases.t("Safeguard for transfers"), _known(TRANSFERS, service.transfer, phrases, own)),
        (phrases.t("The provider keeps the data for"), escape(texts.duration(service.provider_retention))),
        (phrases.t("Legal basis"), _basis(service, phrases)),
        (phrases.t("Why it needs no consent"), phrases.own(service.exempt_reason, catalogue=own)),
        (phrases.t("Necessary only on"), escape(texts.list(service.on_request) if service.on_request else "")),
        (
            phrases.t("Reviewed by"),
            reviewed if service.reviewed_by and service.reviewed_on else escape(service.reviewed_by),
        ),
        (phrases.t("Privacy policy of the provider"), _link(service.privacy_policy)),
        (phrases.t("Objecting with the provider"), _link(service.opt_out)),
        (phrases.t("Loaded from"), Markup(", ").join(map(Markup("<code>{}</code>").format, service.load))),
    ]
    return [Fact(label=label, value=value) for label, value in rows if value]


def stored(item: StorageItem, phrases: Phrases, *, catalogue: str = "") -> Stored:
    """One storage item in words; what lasts for the session or for ever says so."""
    if item.days == 0 and item.lasts in ("", "session"):
        lasts = phrases.texts.gettext("Until the browser is closed")
    elif item.days is None and item.lasts in ("", "session", "until deleted", "persistent"):
        lasts = phrases.texts.gettext("Until it is deleted")
    else:
        lasts = phrases.texts.duration(item.lasts)
    return Stored(
        name=item.name,
        kind=_known(KINDS, item.kind, phrases, ""),
        lasts=lasts,
        purpose=phrases.own(item.purpose, catalogue=catalogue),
    )


def state(service: Service, permissions: Permissions, phrases: Phrases) -> Markup:
    """Whether the service may run for this visitor now, and why."""
    if service.is_necessary:
        word = "necessary"
    elif service.key in permissions.gpc_denied:
        word = "gpc"
    elif service.key in permissions.allowed and service.key not in permissions.granted:
        word = "requested"
    else:
        word = permissions.state(service.key)
    return phrases.t(STATES[word])


def _basis(service: Service, phrases: Phrases) -> Markup:
    if service.is_necessary:
        return phrases.t("Strictly necessary for what you asked for")
    return phrases.t("Your consent, GDPR Article 6(1)(a)")


def _known(words: MappingProxyType[str, str], key: str, phrases: Phrases, catalogue: str) -> Markup:
    return phrases.t(words[key]) if key in words else phrases.own(key, catalogue=catalogue)


def _link(address: str) -> Markup:
    """The address as a link if it is one of the web or of this site, else as text."""
    if is_web(address) or (address.startswith("/") and not address.startswith("//")):
        return Markup('<a href="{0}" rel="noreferrer">{0}</a>').format(address)
    return escape(address)
