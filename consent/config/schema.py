"""Which tables and keys a ``consent.toml`` has, and how each value is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from consent.config import values as v
from consent.config.checks import Spot
from consent.errors import nearest
from consent.policy import STORAGE_KINDS

MARKETS: Final = ("eu", "de", "fr", "it", "es", "uk", "us-ca")
TRANSFERS: Final = ("adequacy", "scc", "bcr", "code-of-conduct", "certification", "derogation")
TABLES: Final = ("site", "ask", "category", "service")

SITE: Final[Mapping[str, v.Read]] = {
    "name": v.text,
    "controller": v.text,
    "contact": v.text,
    "data_protection_officer": v.text,
    "supervisory_authority": v.text,
    "imprint": v.url,
    "market": v.one_of(MARKETS),
    "log_retention": v.duration,
    "privacy_policy": v.url,
    "hosts": v.each(v.host),
    "languages": v.each(v.text),
    "default_language": v.text,
}
ASK: Final[Mapping[str, v.Read]] = {
    "lifetime_days": v.number,
    "undeclared": v.one_of(("block", "report", "allow")),
    "trial_until": v.day,
    "pages": v.one_of(("personal", "shared")),
    "csp": v.one_of(("enforce", "report-only", "off")),
    "placement": v.one_of(("auto", "template")),
    "position": v.one_of(("top", "bottom")),
    "prefix": v.route,
    "skip": v.each(v.route),
    "cookie_domain": v.host,
}
CATEGORY: Final[Mapping[str, v.Read]] = {"key": v.key, "name": v.text, "purpose": v.text}
STORAGE: Final[Mapping[str, v.Read]] = {
    "name": v.text,
    "kind": v.one_of(STORAGE_KINDS),
    "lasts": v.duration,
    "purpose": v.text,
    "party": v.one_of(("first", "third")),
    "path": v.route,
    "domain": v.host,
}
SERVICE: Final[Mapping[str, v.Read]] = {
    "use": v.text,
    "key": v.key,
    "category": v.text,
    "name": v.text,
    "purpose": v.text,
    "provider": v.text,
    "country": v.country,
    "privacy_policy": v.url,
    "legal_basis": v.text,
    "exempt_reason": v.text,
    "reviewed_by": v.text,
    "reviewed_on": v.day,
    "recipients": v.each(v.text),
    "processing_countries": v.each(v.country),
    "transfer": v.one_of(TRANSFERS),
    "provider_retention": v.duration,
    "host": v.base,
    "load": v.each(v.pattern),
    "inline": v.each(v.token),
    "gpc": v.flag,
    "on_request": v.each(v.route),
    "storage": v.each(lambda value, spot: table(value, spot, STORAGE, where="storage")),
    "embed": v.text,
    "opt_out": v.url,
}

_ALSO_CALLED: Final[Mapping[str, str]] = {
    "address": "controller", "company": "controller", "dpo": "data_protection_officer", "email": "contact",
    "authority": "supervisory_authority", "domains": "hosts", "domain": "hosts", "retention": "log_retention",
    "lifetime": "lifetime_days", "days": "lasts", "duration": "lasts", "expires": "lasts", "max_age": "lasts",
    "type": "kind", "title": "name", "label": "name", "id": "key", "slug": "key", "description": "purpose",
    "why": "purpose", "urls": "load", "url": "load", "src": "load", "scripts": "load", "patterns": "load",
    "cookies": "storage", "cookie": "storage", "basis": "legal_basis", "reason": "exempt_reason",
    "vendor": "provider", "countries": "processing_countries", "group": "category", "policy": "privacy_policy",
    "tokens": "inline", "template": "use", "catalogue": "use", "trial": "trial_until", "services": "service",
    "categories": "category", "settings": "ask", "banner": "ask", "notice": "ask",
}  # fmt: skip
"""Words that people use elsewhere for what is called otherwise here."""


def table(value: object, spot: Spot, readers: Mapping[str, v.Read], *, where: str) -> dict[str, Any] | None:
    """What stands in one table, by key; keys that are unknown or wrong are reported and left out."""
    if not isinstance(value, dict):
        example = f"Write {{ {next(iter(readers))} = … }}."
        spot.add("E012", f"{spot.name} has something here that is not a table.", example)
        return None
    found = {}
    for name, given in value.items():
        if name not in readers:
            unknown_key(name, spot.at(name), readers, where=where)
            continue
        read = readers[name](given, spot.at(name))
        if read is not None:
            found[name] = read
    return found


def unknown_key(name: str, spot: Spot, known: Iterable[str], *, where: str) -> None:
    """Report a key that doesn't exist, with the one that was probably meant, here or in another table."""
    known = tuple(known)
    near = meant(name, known)
    elsewhere = [label for label, keys in _HOMES.items() if label != where and name in keys]
    if near is None and elsewhere:
        remedy = f'"{name}" belongs in {" or ".join(elsewhere)}; move it there.'
    elif near:
        remedy = "Rename it."
    else:
        remedy = f"Known here: {', '.join(known)}."
    spot.add("E010", f'The key "{name}" is not known in {where}.', remedy, near=near)


def meant(name: str, known: Iterable[str]) -> str | None:
    """The known word that a person who wrote ``name`` was probably looking for."""
    known = tuple(known)
    also = _ALSO_CALLED.get(name.lower(), "")
    return also if also in known else nearest(name.lower().replace("-", "_"), known)


_HOMES: Final[Mapping[str, Iterable[str]]] = {
    "[site]": SITE,
    "[ask]": ASK,
    "[[category]]": CATEGORY,
    "[[service]]": SERVICE,
    "storage": STORAGE,
}
