"""A picture of the site's own in the place of an embed that waits, and never one of anybody else's."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from banner_site import POLICY, view

from consent.banner import Banner
from consent.choice import Choice, Signals, decide
from consent.gate import Gate
from consent.policy import Policy

FRAME = '<iframe src="https://www.youtube.com/embed/M7lc1UVf-VE" width="560" height="315" {}></iframe>'
HERE = "https://harbour.example/ferry"


def page(markup: str, *, policy: Policy = POLICY, choice: Choice | None = None) -> str:
    """What a visitor gets of a page with this in it."""
    banner, permissions = Banner(policy), decide(policy, choice or Choice.none(), Signals())
    return (
        Gate(policy)
        .rewrite(
            f"<!doctype html><html lang=en><title>T</title><body>{markup}".encode(),
            permissions,
            base_url=HERE,
            placeholder=lambda embed: banner.placeholder(view(of=policy), embed),
        )
        .decode()
    )


def posters(html: str) -> list[str]:
    return re.findall(r'<img class="cst-poster" src="([^"]*)"', html)


@pytest.mark.parametrize("address", ["/static/ferry.jpg", "ferry.jpg?a=1&amp;b=2", "https://harbour.example/f.jpg"])
def test_a_found_frame_shows_the_picture_that_its_author_named(address: str) -> None:
    html = page(FRAME.format(f'data-poster="{address}"'))
    assert posters(html) == [address]
    assert ' src="https://www.youtube.com' not in html


@pytest.mark.parametrize(
    "address",
    [
        "https://i.ytimg.com/vi/M7lc1UVf-VE/hqdefault.jpg",
        "//i.ytimg.com/vi/M7lc1UVf-VE/hqdefault.jpg",
        "/\\i.ytimg.com/x.jpg",
        "https://www.youtube.com/x.jpg",
        "https://ads.harbour.example/x.jpg",
        "javascript:alert(1)",
        "https://[",
        "",
    ],
)
def test_a_picture_of_anybody_else_is_never_shown(address: str) -> None:
    assert posters(page(FRAME.format(f'data-poster="{address}"'))) == []
    for undeclared in ("report", "allow"):
        lenient = replace(POLICY, ask=replace(POLICY.ask, undeclared=undeclared, csp="off"))
        assert posters(page(FRAME.format(f'data-poster="{address}"'), policy=lenient)) == []


def test_a_picture_of_another_of_the_sites_hosts_is_its_own_unless_a_service_claims_it() -> None:
    markup = FRAME.format('data-poster="https://cdn.harbour.example/stills/f.jpg"')
    site = replace(POLICY.site, hosts=("cdn.harbour.example",))
    assert posters(page(markup, policy=replace(POLICY, site=site))) == ["https://cdn.harbour.example/stills/f.jpg"]
    claimed = [replace(s, load=(*s.load, "cdn.harbour.example/stills")) if s.load else s for s in POLICY.services]
    assert posters(page(markup, policy=replace(POLICY, site=site, services=tuple(claimed)))) == []


def test_a_base_that_may_lead_elsewhere_makes_the_picture_nobodys() -> None:
    markup = FRAME.format('data-poster="ferry.jpg"')
    led_away = f'<base href="https://elsewhere.example/">{markup}'
    assert posters(page(led_away)) == ["ferry.jpg"]  # as such a base is inert
    lenient = replace(POLICY, ask=replace(POLICY.ask, undeclared="report", csp="off"))
    assert posters(page(markup, policy=lenient)) == ["ferry.jpg"]
    assert posters(page(led_away, policy=lenient)) == []


def test_a_film_brings_its_own_poster() -> None:
    film = '<video src="https://www.youtube.com/f.mp4" poster="{}" width="560" height="315"></video>'
    assert posters(page(film.format("/f.jpg"))) == ["/f.jpg"]
    html = page(film.format("https://www.youtube.com/f.jpg"))
    assert posters(html) == []
    assert ' poster="https://www.youtube.com' not in html


def test_whoever_allows_the_service_gets_the_frame_as_it_was() -> None:
    markup = FRAME.format('data-poster="/static/ferry.jpg"')
    assert markup in page(markup, choice=Choice.granting("youtube"))


def test_a_picture_written_with_embed_passes_the_gate_like_any_other() -> None:
    banner, seen = Banner(POLICY), view()
    for address, shown in {"/static/ferry.jpg": True, "https://i.ytimg.com/x.jpg": False}.items():
        written = banner.embed(seen, "youtube", "M7lc1UVf-VE", poster=address).decode()
        assert posters(written) == [address]
        assert bool(posters(page(written))) is shown
