"""Which tables and keys a ``consent.toml`` has, and how each value is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from consent.config import storage
from consent.config import values as v
from consent.config.table import keys_of
from consent.market import PROFILES

TRANSFERS: Final = ("adequacy", "scc", "bcr", "code-of-conduct", "certification", "derogation")
TABLES: Final = ("site", "ask", "category", "service")

SITE: Final[Mapping[str, v.Read]] = keys_of(
    "[site]",
    {
        "name": v.text,
        "controller": v.text,
        "contact": v.text,
        "data_protection_officer": v.text,
        "supervisory_authority": v.text,
        "imprint": v.url,
        "market": v.one_of(tuple(PROFILES)),
        "log_retention": v.duration,
        "privacy_policy": v.url,
        "hosts": v.each(v.host),
        "languages": v.each(v.text),
        "default_language": v.text,
        "register": v.one_of(("formal", "informal")),
        "allow_unreviewed": v.flag,
    },
)
ASK: Final[Mapping[str, v.Read]] = keys_of(
    "[ask]",
    {
        "lifetime_days": v.number,
        "undeclared": v.one_of(("block", "report", "allow")),
        "trial_until": v.day,
        "pages": v.one_of(("personal", "shared")),
        "csp": v.one_of(("enforce", "report-only", "off")),
        "placement": v.one_of(("auto", "template")),
        "position": v.one_of(("top", "bottom", "page")),
        "theme": v.one_of(("paper", "plain", "ink", "warm")),
        "prefix": v.route,
        "skip": v.each(v.route),
        "cookie_domain": v.host,
    },
)
CATEGORY: Final[Mapping[str, v.Read]] = keys_of("[[category]]", {"key": v.key, "name": v.text, "purpose": v.text})
SERVICE: Final[Mapping[str, v.Read]] = keys_of(
    "[[service]]",
    {
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
        "storage": v.each(storage.item, example='[{ name = "…", lasts = "…" }]'),
        "embed": v.text,
        "opt_out": v.url,
    },
)
