"""What can only be seen with several declarations side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from consent import catalogue
from consent.config import country
from consent.config.checks import Spot
from consent.config.service import OWN, UNKNOWN, Declared
from consent.errors import nearest
from consent.market import profile
from consent.policy import Category, Service, Site

_NEVER_NECESSARY = ("analytics", "marketing", "social")
_PASSED_ON = ("marketing", "social", "video")
_REVIEW = timedelta(days=365)


def together(
    declared: Sequence[Declared],
    categories: tuple[Category, ...],
    *,
    spots: Mapping[str, Spot],
    site: Site | None,
    today: date,
) -> None:
    """Report what is wrong between services, categories and site; ``spots`` says where categories stand."""
    market = site.market if site else "eu"
    _namespace(declared, categories)
    _empty_categories(declared, categories, spots)
    _shared_addresses(declared)
    for one in declared:
        _exemption(one, market)
        if one.service.is_necessary or one.service.on_request:
            _review(one, today)
        _elsewhere(one, market)
        _signal(one, market)
        _catalogue_facts(one)


def _namespace(declared: Sequence[Declared], categories: tuple[Category, ...]) -> None:
    known = [category.key for category in categories]
    seen: dict[str, str] = dict.fromkeys(known, "a category") | {OWN: "consentry's own entry"}
    for one in declared:
        key, at = one.service.key, one.spot.at("key" if "key" in one.given else "use")
        if key in seen and key != UNKNOWN:
            at.add(
                "E041",
                f'"{key}" is the key of {seen[key]} already.',
                f'Write a key of its own, such as key = "{key}-2"; services and categories share one namespace.',
            )
        seen.setdefault(key, "another service")
        if one.service.category not in (*known, UNKNOWN):
            one.spot.at("category").add(
                "E040",
                f'{one.spot.name} is in the category "{one.service.category}", which doesn\'t exist.',
                f"Categories are {', '.join(known)}; add your own as a [[category]].",
                near=nearest(one.service.category.lower(), known),
            )


def _empty_categories(
    declared: Sequence[Declared], categories: tuple[Category, ...], spots: Mapping[str, Spot]
) -> None:
    used = {one.service.category for one in declared}
    for category in categories:
        if not category.builtin and category.key not in used:
            spots[category.key].add(
                "W008",
                f'No service is in the category "{category.key}": it is never shown.',
                f'Write category = "{category.key}" in a service, or take the category out.',
            )


def _shared_addresses(declared: Sequence[Declared]) -> None:
    owners: dict[str, Service] = {}
    for one in declared:
        for number, pattern in enumerate(one.service.load):
            first = owners.setdefault(pattern, one.service)
            if first is not one.service and not (first.catalogue and one.service.catalogue):
                at = one.spot.at("load", number) if "load" in one.given else one.spot
                at.add(
                    "W011",
                    f'"{pattern}" is claimed by the service "{first.key}" as well.',
                    "Leave it with the one that it belongs to.",
                )


def _exemption(one: Declared, market: str) -> None:
    service = one.service
    if not service.is_necessary or service.category not in _NEVER_NECESSARY:
        return
    if service.category == "analytics" and (exemption := profile(market).measurement):
        one.spot.at("legal_basis").add(
            "W014",
            f"{one.spot.name} measures without asking.",
            f"It is exempt only in full keeping with {exemption}, with a way to object: have that confirmed.",
        )
        return
    one.spot.at("legal_basis").add(
        "E049",
        f'{one.spot.name} is in the category "{service.category}" and declared necessary.',
        'No visitor asks for it: write legal_basis = "consent".'
        if service.category != "analytics"
        else f'In the market "{market}" measurement needs consent: write legal_basis = "consent".',
    )


def _review(one: Declared, today: date) -> None:
    service = one.service
    remedy = 'Compare it with what really happens, then write reviewed_by = "…" and reviewed_on = the day.'
    if not service.reviewed_by or service.reviewed_on is None:
        one.spot.add("W003", f"Nobody has confirmed that {one.spot.name} has to run without asking.", remedy)
    elif not today - _REVIEW <= service.reviewed_on <= today + timedelta(days=1):
        when = "in the future" if service.reviewed_on > today else "more than a year ago"
        one.spot.at("reviewed_on").add(
            "W003", f"{one.spot.name} was reviewed {when} ({service.reviewed_on:%Y-%m-%d}).", remedy
        )


def _elsewhere(one: Declared, market: str) -> None:
    service = one.service
    home = country.eea() | ({"GB"} if market == "uk" else set())
    outside = sorted({service.country, *service.processing_countries} - home - {""})
    if outside and not service.transfer and not market.startswith("us"):
        where = ", ".join(country.names()[code] for code in outside)
        name = "processing_countries" if "processing_countries" in one.given else "country"
        one.spot.at(name).add(
            "W004",
            f"{one.spot.name} passes data on to {where}, and nothing says on which basis.",
            'Add transfer = "adequacy", "scc" or another (GDPR Art. 44 to 49).',
        )
    if service.load and not service.privacy_policy:
        one.spot.add(
            "W005",
            f"Nothing says how the data from {one.spot.name} is used.",
            'Add privacy_policy = "https://…".',
        )


def _signal(one: Declared, market: str) -> None:
    service, rules = one.service, profile(market)
    if rules.signal_settles and service.category in _PASSED_ON and not service.gpc and not service.is_necessary:
        one.spot.at("gpc").add(
            "W017",
            f"{one.spot.name} would run in spite of a visitor's Global Privacy Control signal.",
            f'In the market "{market}" the signal opts out of selling and sharing: write gpc = true.',
        )


def _catalogue_facts(one: Declared) -> None:
    entry = catalogue.get(one.service.catalogue)
    if entry is None:
        return
    meta = entry["catalogue"]
    if "advice" in meta:
        one.spot.at("use").add("W012", f"{one.service.name} need not be asked for at all.", meta["advice"])
    if meta["confidence"] == "low":
        one.spot.at("use").add(
            "W013",
            f"The catalogue's facts about {one.service.name} have not been confirmed with its provider.",
            "Compare recipients, countries and storage with its privacy policy; what you write here takes precedence.",
        )
