"""``storage``: what a service keeps on, or reads from, the visitor's device, and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from consent.config import values as v
from consent.config.checks import Spot
from consent.config.table import given, keys_of, table
from consent.policy import STORAGE_KINDS, StorageItem

KEYS: Final[Mapping[str, v.Read]] = keys_of(
    "storage",
    {
        "name": v.text,
        "kind": v.one_of(STORAGE_KINDS),
        "lasts": v.duration,
        "purpose": v.text,
        "party": v.one_of(("first", "third")),
        "path": v.route,
        "domain": v.host,
    },
)
_UNTIL_DELETED: Final = ("local_storage", "indexeddb", "cache_storage", "service_worker", "etag")


def item(value: object, spot: Spot) -> StorageItem | None:
    """One thing that is stored; only cookies have to say how long, the other kinds end by themselves or never."""
    facts = table(value, spot, KEYS, where="storage")
    if facts is None or not isinstance(value, dict):
        return None
    present = given(value, KEYS)
    name = facts.get("name")
    kind = facts.get("kind", "cookie")
    if name is None:
        if "name" not in present:
            what = f"Something that {spot.name} stores has no name."
            spot.add("E014", what, 'Add name = "…"; "*" stands for any characters.')
        return None
    if len(name.replace("*", "").replace("?", "")) < min(2, len(name)):
        what = f'The name "{name}" in {spot.name} means nearly everything that is stored.'
        spot.at("name").add("E051", what, 'Write more of it, such as "_pk_*".')
        return None
    if "lasts" not in facts and "lasts" in present:
        return None
    if "lasts" not in facts and kind == "cookie":
        if "kind" in facts or "kind" not in present:
            what = f'Nothing says how long the cookie "{name}" of {spot.name} lasts.'
            spot.add("E050", what, 'Add lasts = "session", "30 minutes", "13 months" or the like.')
        return None
    words, days = facts.pop("lasts", ("until deleted", None) if kind in _UNTIL_DELETED else ("session", 0))
    if days is None and kind == "cookie":
        what = f'The cookie "{name}" of {spot.name} would never end.'
        spot.at("lasts").add("W009", what, 'Browsers drop it after 400 days: write its Max-Age, such as "400 days".')
    return StorageItem(lasts=words, days=days, **facts)
