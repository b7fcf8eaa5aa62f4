"""Several sites in one process, one choice for several hosts, and a site that has nothing to ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from conftest import ARTICLE, Answer, Recording, Served, make_policy
from contract_steps import ALL, choose, cookie, granted

from consent.policy import Site

Make = Callable[..., Served]


def test_two_sites_in_one_process_keep_their_own_answers(make_site: Make) -> None:
    harbour = make_site()
    policy = make_policy()
    market = make_site(policy=replace(policy, services=policy.services[:1], site=Site(name="Market", controller="M")))
    accepted = cookie(choose(harbour, "accept"))
    assert granted(harbour, accepted) == ALL
    assert granted(market, accepted) == set()  # asked about other things, by somebody else
    assert "Market" in market.get().text
    assert "Market" not in harbour.get().text


def test_an_answer_counts_on_its_own_host_alone(site: Served) -> None:
    jar = cookie(choose(site, "accept"))
    page = site.get(cookie=jar, host="other.example").text
    assert ' src="https://stats.example' not in page
    assert ' src="https://stats.example' in site.get(cookie=jar).text


def test_with_a_cookie_domain_one_answer_counts_below_it_and_visitors_are_told(make_site: Make) -> None:
    policy, hosts = make_policy(cookie_domain="harbour.example"), ("harbour.example", "shop.harbour.example")
    site = make_site(policy=replace(policy, site=replace(policy.site, hosts=hosts)))
    shown = site.get(host="www.harbour.example")
    assert "harbour.example" in shown.text[shown.text.index("data-consent-banner") :]
    reply = choose(site, "accept")
    field = next(value for value in reply.all("set-cookie") if value.startswith("consent="))
    assert "Domain=harbour.example" in field
    for host in hosts:
        assert ' src="https://stats.example' in site.get(cookie=cookie(reply), host=host).text


def test_nothing_optional_means_no_notice_and_the_declaration_all_the_same(make_site: Make, log: Recording) -> None:
    policy = make_policy()
    necessary = replace(
        policy.services[0], category="necessary", legal_basis="necessary", exempt_reason="keeps the basket " * 4
    )
    site = make_site({"/": Answer(ARTICLE)}, policy=replace(policy, services=(necessary,)))
    page = site.get()
    assert "data-consent-banner" not in page.text
    assert "data-consent-banner" in make_site().get().text
    declared = site.get("/consent/")
    assert declared.status == 200
    assert "Stats Ltd" in declared.text
    assert log.decisions == []
