"""``[[service]]``: one technology or recipient, from the site's own words and the catalogue's facts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

from consent import catalogue
from consent.config import schema, table
from consent.config.checks import Findings, Spot
from consent.config.lexicon import claims_legitimate_interest, judge, legitimate_interest
from consent.config.site import entries
from consent.errors import nearest
from consent.policy import NECESSARY, Ask, Service, Site, StorageItem

OWN: Final = "consentry"
UNKNOWN: Final = "?"
REASON_LENGTH: Final = 40
_CONSENT: Final = "consent"
_BASES: Final = (_CONSENT, NECESSARY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A service and where it was declared; ``given`` are the keys that the site itself wrote."""

    service: Service
    spot: Spot
    given: frozenset[str]


def services(value: object, spot: Spot, *, site: Site | None) -> tuple[Declared, ...]:
    """Every service that could be read, in the order of the file; what it fails to say is ``UNKNOWN``."""
    if value is None:
        return ()
    found = (
        _service(given, spot.at(number), number=number, controller=site.controller if site else UNKNOWN)
        for number, given in enumerate(entries(value, spot, "service"))
    )
    return tuple(declared for declared in found if declared is not None)


def own(site: Site, ask: Ask) -> Service:
    """The library's own entry: the cookies that keep the choice, strictly necessary for the choice itself."""
    days, minute = ask.lifetime_days, 1 / 1440
    prefix = "__Secure-" if ask.cookie_domain else "__Host-"
    kept: list[tuple[str, str, float, str]] = [
        ("consent", f"{days} days", days, "the choice made here"),
        ("consent-said", "1 minute", minute, "the confirmation"),
        ("consent-token", "10 minutes", 10 * minute, "that a form was sent from here, where the browser doesn't say"),
    ]
    storage = [
        StorageItem(name=name, lasts=lasts, days=round(life, 6), purpose=why)
        for base, lasts, life, why in kept
        for name in (prefix + base, base)
    ]
    if ask.pages == "shared":
        seen = "that the question was answered, so that it isn't shown"
        storage.append(StorageItem(name="consent-seen", lasts=f"{days} days", days=days, purpose=seen))
    return Service(
        key=OWN,
        category=NECESSARY,
        name="Cookie settings",
        purpose="Remembers what you chose about cookies and other technologies.",
        provider=site.controller,
        privacy_policy=site.privacy_policy,
        legal_basis=NECESSARY,
        exempt_reason="Keeps the visitor's answer, so that it is followed and not asked for again on every page.",
        storage=tuple(storage),
    )


@cache
def ready_made(key: str) -> dict[str, Any]:
    """The catalogue's facts about one service, read like a site's own; raises ``ValueError`` if a file is wrong."""
    entry = catalogue.all()[key]
    findings = Findings(file=f"{key}.toml")
    data = {name: value for name, value in entry.items() if name != "catalogue"}
    facts = table.table(data, Spot(findings=findings, name=key), schema.SERVICE, where="the catalogue")
    if findings.problems or facts is None:
        raise ValueError("\n".join(map(str, findings.problems)))
    return facts


def _service(value: object, spot: Spot, *, number: int, controller: str) -> Declared | None:
    spot = spot.called(_title(value, number))
    written = table.table(value, spot, schema.SERVICE, where="[[service]]")
    if written is None or not isinstance(value, dict):
        return None
    given = table.given(value, schema.SERVICE)
    use = written.pop("use", "")
    if use and use not in catalogue.all():
        spot.at("use").add(
            "E042",
            f'The catalogue has no service "{use}".',
            f"It has {', '.join(catalogue.all())}; anything else is declared with its own key, name and load.",
            near=nearest(use.lower(), catalogue.all()),
        )
        return None
    facts = {**(ready_made(use) if use else {}), **written}
    _addresses(facts, use, spot, controller=controller)
    facts.setdefault("key", use)
    _basis(facts, spot, given)
    _provider(facts, controller)
    _complete(facts, spot, given)
    if "purpose" in written:
        judge(facts["purpose"], spot.at("purpose"))
    _recognisable(facts, value, spot)
    if "embed" in facts and not _embed_fits(facts["embed"], facts.get("load", ())):
        if "embed" in written:
            _embed(facts["embed"], spot)
        facts["embed"] = ""  # the catalogue's, where the site loads the service from somewhere else
    return Declared(service=Service(catalogue=use, **_with_words(facts)), spot=spot, given=given)


def _title(value: object, number: int) -> str:
    """What messages call a service, before anything about it is known to be right."""
    if isinstance(value, dict):
        for name in ("key", "use", "name"):
            if isinstance(value.get(name), str) and value[name].strip():
                return f'the service "{value[name].strip()}"'
    return f"the {number + 1}. [[service]]"


def _addresses(facts: dict[str, Any], use: str, spot: Spot, *, controller: str) -> None:
    """Turn ``host`` into load patterns; a self-hosted service needs one, and knows its own files on it."""
    host = facts.pop("host", None)
    meta = catalogue.all()[use]["catalogue"] if use else {}
    place = meta.get("place", ())
    if host and place:
        facts["load"] = (*facts.get("load", ()), *(f"{host}/{path}" for path in place))
    elif host:
        facts["load"] = (*facts.get("load", ()), f"{host}/*" if "/" in host else host)
    if not place:
        return
    if not facts.get("load"):
        spot.add(
            "E044",
            f"{facts['name']} can be hosted anywhere, and nothing says where {spot.name} is.",
            'Add host = "stats.example.org", or host = "www.example.org/matomo" for a folder.',
        )
        facts |= {"load": (), "provider": facts["name"]}
        return
    hosts = [pattern.partition("/")[0] for pattern in facts["load"]]
    if all(any(catalogue.covers(cloud, host) for cloud in meta["cloud"]) for host in hosts):
        facts.setdefault("provider", meta["cloud_provider"])
        facts.setdefault("country", meta["cloud_country"])
    elif controller:
        facts.setdefault("provider", controller)


def _basis(facts: dict[str, Any], spot: Spot, given: frozenset[str]) -> None:
    """Settle the legal basis; whatever isn't consent has to say why."""
    basis = facts.get("legal_basis")
    if basis is not None and claims_legitimate_interest(basis):
        legitimate_interest(spot.at("legal_basis"))
        basis = None
    elif basis is not None and basis not in _BASES:
        spot.at("legal_basis").add(
            "E013",
            f'The legal basis of {spot.name} is "{basis}".',
            'Write "consent", or "necessary" with an exempt_reason.',
            near=nearest(basis.lower(), _BASES),
        )
        basis = None
    if basis == NECESSARY:
        facts.setdefault("category", NECESSARY)
    in_necessary = facts.get("category") == NECESSARY
    if basis == _CONSENT and in_necessary:
        spot.at("legal_basis").add(
            "E048",
            f'{spot.name} needs consent and stands in the category "necessary".',
            "Move it to another category, or say why it is necessary.",
        )
    facts["legal_basis"] = basis or (NECESSARY if in_necessary else _CONSENT)
    reason = facts.get("exempt_reason", "")
    if claims_legitimate_interest(reason):
        legitimate_interest(spot.at("exempt_reason"))
    if len(reason) >= REASON_LENGTH:
        return
    need = f"exempt_reason has {len(reason)} characters" if reason else "there is no exempt_reason"
    remedy = f"Say in at least {REASON_LENGTH} characters what the visitor asked for that can't be done without it."
    at = spot.at("exempt_reason") if "exempt_reason" in given else spot.at("legal_basis")
    if facts["legal_basis"] == NECESSARY:
        spot_of_basis = at if at.path[-1] in given else spot.at("category")
        spot_of_basis.add("E045", f"{spot.name} runs without asking, and {need}.", remedy)
    elif facts.get("on_request"):
        spot.at("exempt_reason" if "exempt_reason" in given else "on_request").add(
            "E047", f"{spot.name} runs without asking on the routes in on_request, and {need}.", remedy
        )


def _provider(facts: dict[str, Any], controller: str) -> None:
    """What is necessary and loads nothing from elsewhere is the site's own."""
    if facts["legal_basis"] == NECESSARY and not facts.get("load") and controller:
        facts.setdefault("provider", controller)


def _complete(facts: dict[str, Any], spot: Spot, given: frozenset[str]) -> None:
    """Report what a visitor has to be told and isn't; what was given but wrong is reported already.

    It is filled with ``UNKNOWN``, so that the other checks see the rest of the service.
    """
    needed = {
        "key": 'Add key = "…", a short name in lower case, or use = "…" for one from the catalogue.',
        "category": 'Add category = "analytics", or necessary, donations, video, functional, social, marketing.',
        "name": "Add name: what visitors know it by.",
        "purpose": "Add purpose: one neutral sentence that says what it does.",
        "provider": "Add provider: the company or person that runs it.",
    }
    for name, remedy in needed.items():
        if not facts.get(name) and name not in given:
            spot.add("E014", f'{spot.name} has no "{name}".', remedy)
        facts[name] = facts.get(name) or UNKNOWN


def _recognisable(facts: dict[str, Any], written: dict[str, Any], spot: Spot) -> None:
    """Report a service without any sign; not where there is one that was wrong, or a missing host, and told so."""
    signs = ("load", "inline", "storage")
    wrong = any(written.get(name) and not facts.get(name) for name in (*signs, "host"))
    hostless = facts.get("load") == () and "load" not in written
    if not wrong and not hostless and not any(facts.get(name) for name in signs):
        spot.add(
            "E043",
            f"Nothing says how to recognise {spot.name}: no load, no inline, no storage.",
            'Add load = ["host/path*"], inline = ["token("] or storage = [{ name = "…", lasts = "…" }].',
        )


def _embed_fits(template: str, load: tuple[str, ...]) -> bool:
    parts = urlsplit(template.replace("{id}", "0"))
    covered = any(catalogue.covers(pattern, parts.hostname or "", parts.path) for pattern in load)
    return covered and parts.scheme == "https" and "{id}" in template


def _embed(template: str, spot: Spot) -> None:
    parts = urlsplit(template)
    if parts.scheme != "https" or "{id}" not in template:
        what = f'"{template}" is not an https:// address with {{id}} in it.'
        spot.at("embed").add("E028", what, 'Write "https://video.example/embed/{id}".')
    else:
        what = f'"{parts.hostname}", where the embed is, is in no load pattern of {spot.name}.'
        spot.at("embed").add("E028", what, f'Add "{parts.hostname}" to load.')


def _with_words(facts: dict[str, Any]) -> dict[str, Any]:
    """The same facts as :class:`Service` takes them."""
    words, _ = facts.pop("provider_retention", ("", None))
    return {**facts, "provider_retention": words}
