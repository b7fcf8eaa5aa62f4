"""``[site]``, ``[ask]`` and ``[[category]]``: who asks, how, and under which headings."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

from consent.config import schema, table
from consent.config.checks import Spot
from consent.config.lexicon import judge
from consent.market import HALF_YEAR, profile
from consent.policy import BUILTIN_CATEGORIES, Ask, Category, Site

SHORTEST: Final = HALF_YEAR
"""Days that an answer is kept at least (Garante 2021, 6.2; CNIL 2020-092 para 39)."""
LONGEST_TRIAL: Final = 14


def site(value: object, spot: Spot) -> Site | None:
    """Who asks; ``None`` when that isn't said."""
    spot = spot.called("[site]")
    if value is None:
        spot.add("E014", "There is no [site].", "Add [site] with name and controller: visitors are told who asks.")
        return None
    facts = table.table(value, spot, schema.SITE, where="[site]")
    if facts is None or not isinstance(value, dict):
        return None
    needed = {"name": "how visitors know the site", "controller": "name and address of who is responsible"}
    for name, why in needed.items():
        if name not in table.given(value, schema.SITE):
            spot.add("E014", f'[site] has no "{name}".', f"Add {name}: {why}.")
    if "contact" not in table.given(value, schema.SITE):
        spot.add("W006", "[site] names no contact for questions about data.", 'Add contact = "privacy@…".')
    words, days = facts.pop("log_retention", ("3 years", 3 * 365))
    if not days:
        spot.at("log_retention").add(
            "E024", f'Records can\'t be kept "{words}".', 'Name a time after which they go, such as "3 years".'
        )
        return None
    if "name" not in facts or "controller" not in facts:
        return None
    return Site(log_retention=words, log_retention_days=max(1, round(days)), **facts)


def ask(value: object, spot: Spot, *, site: Site | None, today: date) -> Ask:
    """How the site asks; defaults where it says nothing."""
    spot = spot.called("[ask]")
    facts = table.table({} if value is None else value, spot, schema.ASK, where="[ask]") or {}
    if "prefix" in facts:
        facts["prefix"] = facts["prefix"].rstrip("/*") + "/"
        if facts["prefix"] == "/":
            spot.at("prefix").add(
                "E023",
                'prefix = "/" would put our pages in the place of the whole site.',
                'Write a path of their own, such as "/consent/".',
            )
    result = Ask(**facts)
    _trial(result, spot, today)
    if result.undeclared != "block" and facts.get("csp") == "enforce":
        spot.at("csp").add(
            "W010",
            f'undeclared = "{result.undeclared}" lets third parties through that csp = "enforce" would stop.',
            'It is sent as "report-only" for as long: say so, or go back to undeclared = "block".',
        )
    if result.cookie_domain and site is not None:
        _cookie_domain(result.cookie_domain, site, spot.at("cookie_domain"))
    return result


def lifetime(ask: Ask, spot: Spot, *, market: str, asked: bool) -> None:
    """Whether a choice is kept neither too short nor too long; ``asked`` is whether anything waits for one."""
    spot = spot.called("[ask]").at("lifetime_days")
    rules = profile(market)
    cap, reason = rules.longest_days, rules.longest_reason
    if ask.lifetime_days < SHORTEST and (asked or ask.lifetime_days < 1):
        spot.add(
            "E030",
            f"A choice would be kept for {ask.lifetime_days} days, and visitors asked again within six months.",
            f"Write lifetime_days = {SHORTEST}; refusing and accepting are kept alike.",
        )
    elif ask.lifetime_days > cap:
        spot.add(
            "E031",
            f'A choice would be kept for {ask.lifetime_days} days; the market "{market}" allows {cap}: {reason}.',
            f"Write lifetime_days = {cap} or less.",
        )


def categories(value: object, spot: Spot) -> tuple[tuple[Category, ...], dict[str, Spot]]:
    """The built-in categories as the site words them, then its own in the order of the file, and where they stand."""
    found = {category.key: category for category in BUILTIN_CATEGORIES}
    seen: dict[str, Spot] = {}
    for number, given in enumerate(entries(value, spot, "category") if value is not None else ()):
        here = spot.at(number).called("a [[category]]")
        facts = table.table(given, here, schema.CATEGORY, where="[[category]]")
        if facts is None or not isinstance(given, dict):
            continue
        key = facts.get("key")
        if key is None:
            if "key" not in table.given(given, schema.CATEGORY):
                here.add("E014", 'A [[category]] has no "key".', 'Add key = "…".')
            continue
        here = here.called(f'the category "{key}"')
        if key in seen:
            here.at("key").add("E041", f'The category "{key}" stands here for the second time.', "Join the two.")
            continue
        seen[key] = here
        builtin = key in {category.key for category in BUILTIN_CATEGORIES}
        for name in ("name", "purpose"):
            if name not in table.given(given, schema.CATEGORY) and not builtin:
                here.add("E014", f'The category "{key}" has no "{name}".', f"Add {name}: visitors read it.")
        if "purpose" in facts:
            judge(facts["purpose"], here.at("purpose"))
        found[key] = Category(builtin=builtin, **facts)
    return tuple(found.values()), seen


def entries(value: object, spot: Spot, name: str) -> list[Any]:
    """The tables of a ``[[…]]``; a single ``[…]`` is reported and read as the one that was meant."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        spot.add("E015", f"[{name}] has single brackets, but there can be several.", f"Write [[{name}]].")
    else:
        spot.add("E012", f'"{name}" is not a table.', f"Begin it with a line [[{name}]].")
    return []


def _trial(ask: Ask, spot: Spot, today: date) -> None:
    end = ask.trial_until
    if end is None:
        if ask.undeclared != "block":
            spot.at("undeclared").add(
                "W010",
                f'undeclared = "{ask.undeclared}" lets third parties that nobody declared reach unasked visitors.',
                'Declare them and write undeclared = "block", or add trial_until with a date.',
            )
    elif ask.undeclared == "block":
        spot.at("trial_until").add(
            "W010", 'trial_until means nothing while undeclared = "block".', "Take the line out."
        )
    elif end < today:
        spot.at("trial_until").add(
            "E032",
            f"The trial ended on {end:%Y-%m-%d}.",
            'Declare what `consent init` lists, write undeclared = "block" and take trial_until out.',
        )
    elif end > today + timedelta(days=LONGEST_TRIAL):
        latest = today + timedelta(days=LONGEST_TRIAL)
        spot.at("trial_until").add(
            "E033",
            f"The trial would run until {end:%Y-%m-%d}.",
            f"It may run for {LONGEST_TRIAL} days: write {latest:%Y-%m-%d} or earlier.",
        )
    else:
        spot.at("trial_until").add(
            "W002",
            f"A trial runs until {end:%Y-%m-%d}: undeclared third parties are reported and not blocked. "
            "After that day the site doesn't start.",
            'Declare what is reported, then write undeclared = "block" and take trial_until out.',
        )


def _cookie_domain(domain: str, site: Site, spot: Spot) -> None:
    outside = [host for host in site.hosts if host != domain and not host.endswith(f".{domain}")]
    if "." not in domain:
        spot.add("E034", f'A cookie can\'t be set for all of ".{domain}".', "Name the site's own domain.")
    elif not site.hosts:
        spot.add(
            "E034",
            f'One choice would count for every host under "{domain}", and [site] names none of them.',
            f'Add hosts = ["{domain}", …] to [site]: visitors are told where their choice counts.',
        )
    elif len(outside) == len(site.hosts):
        spot.add(
            "E034",
            f'"{domain}" is not above any of the site\'s hosts ({", ".join(site.hosts)}).',
            "Name the domain they share, or take the line out.",
        )
