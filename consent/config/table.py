"""Reading one TOML table: known keys are read, unknown ones reported with what was probably meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from consent.config.checks import Spot
from consent.config.values import Read
from consent.errors import nearest

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

_homes: dict[str, Mapping[str, Read]] = {}


def keys_of(where: str, readers: Mapping[str, Read]) -> Mapping[str, Read]:
    """The same readers, remembered as those of the table ``where``, so that a stray key can be sent home."""
    _homes[where] = readers
    return readers


def table(value: object, spot: Spot, readers: Mapping[str, Read], *, where: str) -> dict[str, Any] | None:
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
    elsewhere = [label for label, keys in _homes.items() if label != where and name in keys]
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


def given(value: Mapping[str, Any], readers: Mapping[str, Read]) -> frozenset[str]:
    """The keys that a person wrote or meant to write: what is there but wrong isn't missing too."""
    return frozenset(name if name in readers else meant(name, readers) or name for name in value)
