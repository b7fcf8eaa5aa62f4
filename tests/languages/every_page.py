"""Every page the library can answer with: what the tests of languages look through."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import date
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

from consent import catalogue
from consent.answer import SIGNAL
from consent.banner import Banner, View
from consent.banner.banner import TITLES
from consent.banner.facts import KINDS, TRANSFERS
from consent.banner.view import Written
from consent.choice import Choice, Signals, decide
from consent.policy import Ask, Category, Policy, Service, Site, StorageItem
from consent.visit import MESSAGES

SPOKEN: Final = ("aria-label", "title", "alt", "placeholder", "label", "data-failed", "data-label", "aria-description")
"""Attributes that a person reads or hears."""
SITE: Final = Site(
    name="Harbour News",
    controller="Harbour News Trust, 1 Quay Street, Cork",
    contact="privacy@harbour.example",
    data_protection_officer="dpo@harbour.example",
    supervisory_authority="An Coimisiún um Chosaint Sonraí",
    imprint="/about",
)
DAY: Final = date(2026, 11, 23)


def _own_services() -> Iterator[Service]:
    """One service for each way in which a service can be declared."""
    for number, transfer in enumerate(TRANSFERS):
        yield Service(
            key=f"own-{number}", category="functional", name=f"Zzyzx{number}", purpose=f"Qwrt {number}.",
            provider="Zzyzx Ltd", country="US", recipients=("Zzyzx Ltd", "Vrtx Inc"), processing_countries=("IE", "US"),
            transfer=transfer, provider_retention="13 months", privacy_policy="https://zzyzx.example/privacy",
            opt_out="https://zzyzx.example/out", load=(f"zzyzx{number}.example",), gpc=True,
            storage=tuple(
                StorageItem(name=f"z{kind}", kind=kind, lasts=lasts, days=days)
                for kind, (lasts, days) in zip(
                    KINDS, [("13 months", 396), ("session", 0), ("persistent", None)] * 4, strict=False
                )
            ),
        )  # fmt: skip
    yield Service(
        key="needed", category="necessary", name="Nsrv", purpose="Nprps.", legal_basis="necessary",
        exempt_reason="Nrsn.", reviewed_by="A. Bxrne", reviewed_on=DAY,
        storage=(StorageItem(name="n", days=1, lasts="1 day"),),
    )  # fmt: skip
    yield Service(
        key="asked", category="donations", name="Dsrv", purpose="Dprps.", provider="Dntr", on_request=("/give",),
        exempt_reason="Drsn.", reviewed_by="A. Bxrne", load=("d.example",), embed="https://d.example/{id}",
    )  # fmt: skip
    yield Service(key="bare", category="social", name="Bsrv", purpose="Bprps.", load=("b.example",))
    yield Service(key="mine", category="games", name="Gsrv", purpose="Gprps.", load=("g.example",))
    yield Service(key="ads", category="marketing", name="Msrv", purpose="Mprps.", load=("m.example",))


def _ready_made(key: str, entry: dict[str, Any]) -> Service:
    known = {field.name for field in fields(Service)}
    facts = {name: tuple(value) if isinstance(value, list) else value for name, value in entry.items() if name in known}
    items = {field.name for field in fields(StorageItem)}
    stored = [{name: value for name, value in item.items() if name in items} for item in entry.get("storage", ())]
    return Service(**(facts | {"key": key, "catalogue": key, "storage": tuple(StorageItem(**item) for item in stored)}))


SERVICES: Final = (*(_ready_made(key, entry) for key, entry in catalogue.all().items()), *_own_services())


BRIEF: Final = frozenset({"youtube", "matomo", "own-0", "needed", "asked", "bare"})


def rich(source: str = "", *, services: tuple[Service, ...] = SERVICES) -> Policy:
    """A site that uses everything there is; ``source`` is its ``consent.toml``, beside which its texts stand."""
    categories = (*Policy(site=SITE).categories, Category(key="games", name="Gnm", purpose="Gcprps."))
    return Policy(site=SITE, categories=categories, services=services, source=source)


def brief(source: str = "") -> Policy:
    """A site with a few services that say everything but what each ready-made service says of itself."""
    return rich(source, services=tuple(service for service in SERVICES if service.key in BRIEF))


def every_page(policy: Policy, tag: str, *, templates: Path | None = None) -> dict[str, str]:
    """Whatever can be rendered of this site in this language, by a name for each."""
    shown = dict(_pages(policy, tag, _banner(policy, templates)))
    for name, one in _variants(policy):
        shown |= {f"{name}: {page}": html for page, html in _most(one, tag, _banner(one, templates))}
    return shown


@lru_cache(maxsize=32)
def _banner(policy: Policy, templates: Path | None) -> Banner:
    """Its templates are compiled once for all languages."""
    return Banner(policy, templates=templates)


def _variants(policy: Policy) -> Iterator[tuple[str, Policy]]:
    """The same site asking otherwise, with few services, so that they are soon shown."""
    few = replace(policy, services=tuple(s for s in policy.services if s.key in ("youtube", "matomo", "needed")))
    yield "wide", replace(few, ask=Ask(cookie_domain="harbour.example"))
    yield "page", replace(few, ask=Ask(position="page", pages="shared"))
    for market in ("it", "us-ca"):
        yield market, replace(few, site=replace(policy.site, market=market))
    yield "necessary", replace(policy, services=tuple(s for s in policy.services if s.is_necessary))
    yield "own", replace(few, site=replace(policy.site, controller="Google Ireland Limited"))


def _pages(policy: Policy, tag: str, banner: Banner) -> Iterator[tuple[str, str]]:
    yield from _most(policy, tag, banner)
    yield from _seldom(policy, tag, banner)


def _views(policy: Policy, tag: str) -> dict[str, View]:
    neutral = View.neutral(policy, locale=tag)
    optional = tuple(service.key for service in policy.optional)
    granting = replace(
        neutral,
        choice=Choice(asked=frozenset(optional), granted=frozenset(optional), day=DAY, receipt="7e" * 16),
        next="/article", host="news.harbour.example", receipt="7e" * 16,
    )  # fmt: skip
    granting = _deciding(policy, granting)
    refusing = _deciding(policy, replace(neutral, choice=Choice(asked=frozenset(optional), granted=frozenset())))
    followed = tuple(service.key for service in policy.optional if service.gpc)
    signalled = _deciding(policy, replace(neutral, choice=granting.choice, gpc=True, gpc_denied=followed))
    giving = _deciding(policy, neutral, path="/give")
    return {
        "neutral": neutral, "granting": granting, "refusing": refusing, "signalled": signalled, "giving": giving,
    }  # fmt: skip


def _most(policy: Policy, tag: str, banner: Banner) -> Iterator[tuple[str, str]]:
    for name, view in _views(policy, tag).items():
        yield f"preferences {name}", banner.preferences(view)
        yield f"settings {name}", banner.settings_link(view).decode()
        if policy.optional:
            yield f"notice {name}", banner.notice(view).decode()
    yield "declaration", banner.declaration(View.neutral(policy, locale=tag)).decode()


def _seldom(policy: Policy, tag: str, banner: Banner) -> Iterator[tuple[str, str]]:
    views = _views(policy, tag)
    neutral, granting, refusing = views["neutral"], views["granting"], views["refusing"]
    for part in (policy.optional[0].key, policy.optional[-1].key):
        yield f"notice {part}", banner.notice(replace(neutral, asking=(part,))).decode()
    for message in sorted({*MESSAGES, SIGNAL}):
        yield f"confirmation {message}", banner.confirmation(replace(granting, message=message)).decode()
        yield f"confirmation {message} refusing", banner.confirmation(replace(refusing, message=message)).decode()
    for title in TITLES:
        yield f"plain {title}", banner.plain(replace(granting, receipt="7e" * 16), title)
    for service in policy.optional:
        host = service.load[0].lstrip("*.") if service.load else "e.example"
        embed = Written(service=service, url=f"https://{host}/1")
        yield f"placeholder {service.key}", banner.placeholder(neutral, embed).decode()
        if service.embed:
            yield f"embed {service.key}", banner.embed(granting, service.key, "abc").decode()
            yield f"wrapper {service.key}", banner.wrapper(
                service=service.key, url=embed.url, title="", locale=tag, prefix="/consent/"
            )
    nobody = replace(Written(service=SERVICES[0], url="https://nobody.example/1"), service=None)  # type: ignore[arg-type]
    yield "placeholder nobody", banner.placeholder(neutral, nobody).decode()


def _deciding(policy: Policy, view: View, *, path: str = "/") -> View:
    return replace(view, permissions=decide(policy, view.choice, Signals(gpc=view.gpc), path=path))


def declared(policy: Policy) -> set[str]:
    """Every text that the site's own ``consent.toml`` says."""

    def strings(value: Any) -> Iterator[str]:
        if isinstance(value, str):
            yield value
        elif isinstance(value, tuple):
            yield from (text for item in value for text in strings(item))
        elif is_dataclass(value):
            yield from (text for field in fields(value) for text in strings(getattr(value, field.name)))

    said = {text for part in (policy.site, policy.categories, policy.services) for text in strings(part)}
    return {text.partition(" (")[0].rstrip(".") for text in said} | said


class _Reader(HTMLParser):
    """What is read or heard of a page: its texts, save identifiers in ``code``, and the attributes that are spoken."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = [""]
        self._deaf = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._deaf += tag in ("code", "script", "style")
        facts = {name: value or "" for name, value in attrs}
        spoken = [facts[name] for name in SPOKEN if name in facts]
        if tag == "input" and facts.get("type") in ("submit", "button", "reset"):
            spoken.append(facts.get("value", ""))
        if tag == "meta" and facts.get("name") in ("description", "title"):
            spoken.append(facts.get("content", ""))
        self.heard[-1:-1] = spoken
        if tag in ("a", "b", "em", "strong", "span", "code", "input"):
            return
        self.heard.append("")

    def handle_endtag(self, tag: str) -> None:
        self._deaf -= tag in ("code", "script", "style")
        if tag not in ("a", "b", "em", "strong", "span", "code"):
            self.heard.append("")

    def handle_data(self, data: str) -> None:
        if not self._deaf:
            self.heard[-1] += data


def heard(html: str) -> list[str]:
    """The texts of a page, one for each block and spoken attribute, white space made single."""
    reader = _Reader()
    reader.feed(html)
    return [" ".join(text.split()) for text in reader.heard if text.strip()]
