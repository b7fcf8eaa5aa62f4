"""A small declared site, and views of it: what the tests of the notice look at."""

from __future__ import annotations

from html import unescape
from html.parser import HTMLParser
from typing import Any

from consent.banner import Banner, View
from consent.choice import Choice, Signals, decide
from consent.policy import Policy, Service, Site, StorageItem

OWN = Service(
    key="consentry",
    category="necessary",
    name="Cookie settings",
    purpose="Remembers what you chose about cookies and other technologies.",
    provider="Harbour News Trust",
    legal_basis="necessary",
    exempt_reason="Keeps the answer that the visitor gave.",
    storage=(StorageItem(name="__Host-consent", lasts="184 days", days=184, purpose="the choice made here"),),
)
DONORBOX = Service(
    key="donorbox",
    category="donations",
    name="Donorbox",
    purpose="Takes donations.",
    provider="Rebel Idealist, Inc.",
    country="US",
    transfer="scc",
    load=("donorbox.org",),
    embed="https://donorbox.org/embed/{id}",
)
ANALYTICS = Service(
    key="google-analytics-4",
    category="analytics",
    name="Google Analytics 4",
    purpose="Records which pages are visited and how, and gives each browser an identifier.",
    provider="Google Ireland Limited",
    country="IE",
    recipients=("Google LLC",),
    processing_countries=("IE", "US"),
    transfer="adequacy",
    provider_retention="14 months",
    privacy_policy="https://policies.google.com/privacy",
    opt_out="https://tools.google.com/dlpage/gaoptout",
    inline=("gtag(", "dataLayer.push", "'gtm.start'"),
    load=("*.google-analytics.com",),
    catalogue="google-analytics-4",
    storage=(
        StorageItem(name="_ga", lasts="2 years", days=730, purpose="visitor id"),
        StorageItem(name="ga-*", kind="local_storage", days=None, purpose="request state"),
    ),
)
YOUTUBE = Service(
    key="youtube",
    category="video",
    name="YouTube",
    purpose="Shows videos hosted on YouTube in the pages of this site.",
    provider="Google Ireland Limited",
    country="IE",
    load=("www.youtube.com",),
    embed="https://www.youtube.com/embed/{id}",
    gpc=True,
    catalogue="youtube",
    storage=(StorageItem(name="YSC", purpose="views within one session", party="third"),),
)
VIMEO = Service(
    key="vimeo",
    category="video",
    name="Vimeo (player)",
    purpose="Shows videos hosted on Vimeo in the pages of this site.",
    provider="Vimeo.com, Inc.",
    country="US",
    load=("player.vimeo.com",),
    embed="https://player.vimeo.com/video/{id}",
)
SITE = Site(
    name="Harbour News",
    controller="Harbour News Trust, 1 Quay St, Cork, Ireland",
    contact="privacy@harbour.example",
    data_protection_officer="dpo@harbour.example",
    supervisory_authority="Data Protection Commission, Ireland",
    imprint="/about",
)
POLICY = Policy(site=SITE, services=(OWN, DONORBOX, ANALYTICS, YOUTUBE))


def policy(*services: Service, **site: Any) -> Policy:
    """A policy with our own service and these."""
    return Policy(site=Site(**({"name": SITE.name, "controller": SITE.controller} | site)), services=(OWN, *services))


def view(locale: str = "en", choice: Choice | None = None, *, of: Policy = POLICY, **changes: Any) -> View:
    """A visitor on an article who made this choice, asked about everything that isn't answered."""
    made = choice or Choice.none()
    permissions = decide(of, made, Signals(gpc=changes.get("gpc", False)))
    facts: dict[str, Any] = {
        "locale": locale,
        "permissions": permissions,
        "choice": made,
        "prefix": "/consent/",
        "next": "/article?page=1",
        "asking": tuple(key for key in of.current.keys if key in permissions.unasked),
    }
    return View(**(facts | changes))


class _Spoken(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def handle_data(self, data: str) -> None:
        self.heard.append(data)


def text(html: bytes | str) -> str:
    """What a person reads in this HTML, white space made single."""
    reader = _Spoken()
    reader.feed(html if isinstance(html, str) else html.decode("ascii"))
    return unescape(" ".join("".join(reader.heard).split()))


def banner(of: Policy = POLICY) -> Banner:
    """The banner of a policy."""
    return Banner(of)
