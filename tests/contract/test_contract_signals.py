"""What Global Privacy Control changes, market by market, over every adapter."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date

import pytest
from conftest import ARTICLE, Answer, Recording, Reply, Served, make_policy
from contract_steps import choose, cookie, granted

EMBED = ' src="https://www.youtube.com/embed/abc"'
SCRIPT = ' src="https://stats.example/js/a.js"'


def shows_notice(reply: Reply) -> bool:
    return "data-consent-banner" in reply.text


def test_signal_against_a_grant_ends_it_once_and_is_recorded_once(site: Served, log: Recording) -> None:
    jar = cookie(choose(site, "accept"))
    assert EMBED in site.get(cookie=jar).text  # the control: without the signal it is live
    told = site.get(cookie=jar, sec_gpc="1")
    assert EMBED not in told.text
    assert SCRIPT in told.text
    assert [(d.event, d.action, d.services["youtube"], d.services["stats"]) for d in log.decisions[1:]] == [
        ("signal_opt_out", "gpc", False, True)
    ]
    assert log.decisions[1].receipt_id == log.decisions[0].receipt_id
    after = cookie(told)
    for _ in range(3):
        again = site.get(cookie=after, sec_gpc="1")
        assert "consent" not in again.set_cookies
    assert len(log.decisions) == 2


def test_no_cookie_says_that_a_signal_came(site: Served, log: Recording) -> None:
    jar = cookie(choose(site, "accept"))
    reply = site.get(cookie=f"{jar}; consent-said=signal")
    assert EMBED in reply.text
    assert "consent" not in reply.set_cookies
    assert len(log.decisions) == 1
    site.get(cookie=jar, sec_gpc="1")
    assert len(log.decisions) == 2, "the control"


def test_signal_waits_for_a_page_that_is_seen(make_site: Callable[..., Served], log: Recording) -> None:
    moved = Answer(ARTICLE, 302, [("Content-Type", "text/html"), ("Location", "/")])
    site = make_site({"/": Answer(ARTICLE), "/moved": moved})
    signalling = {"cookie": cookie(choose(site, "accept")), "sec_gpc": "1"}
    site.get("/moved", **signalling)
    site.get(method="HEAD", **signalling)
    site.get(sec_purpose="prefetch", **signalling)
    assert len(log.decisions) == 1
    site.get(**signalling)
    assert len(log.decisions) == 2, "the control"


def test_when_the_signal_disappears_nothing_comes_back_by_itself(site: Served) -> None:
    jar = cookie(site.get(cookie=cookie(choose(site, "accept")), sec_gpc="1"))
    assert granted(site, jar) == {"stats", "donate"}


def test_signal_is_honoured_although_it_cannot_be_recorded(site: Served, log: Recording) -> None:
    jar = cookie(choose(site, "accept"))
    log.failing = True
    reply = site.get(cookie=jar, sec_gpc="1")
    assert EMBED not in reply.text
    assert granted(site, cookie(reply)) == {"stats", "donate"}


def test_signal_without_a_grant_is_counted_and_not_recorded(site: Served, log: Recording) -> None:
    refused = cookie(choose(site, "reject"))
    before = len(log.decisions)
    for jar in ("", refused):
        site.get(cookie=jar, sec_gpc="1")
    assert len(log.decisions) == before
    assert log.counted["gpc"] == 2
    site.get(cookie=refused)
    assert log.counted["gpc"] == 2


@pytest.mark.parametrize("value", ["0", "true", "11", ""])
def test_other_values_are_no_signal(site: Served, log: Recording, value: str) -> None:
    jar = cookie(choose(site, "accept"))
    assert EMBED in site.get(cookie=jar, sec_gpc=value).text
    assert len(log.decisions) == 1


def test_visitor_who_saw_the_signal_may_grant_all_the_same(site: Served, log: Recording) -> None:
    jar = cookie(choose(site, "accept", sec_gpc="1"))
    reply = site.get(cookie=jar, sec_gpc="1")
    assert reply.status == 200
    given = site.post({"action": "accept", "artefact": next(iter(log.artefacts)), "next": "/"}, cookie=jar, sec_gpc="1")
    assert log.decisions[-1].event == "signal_override"
    assert EMBED in site.get(cookie=cookie(given), sec_gpc="1").text


def test_european_notice_still_asks_and_the_californian_one_takes_the_signal_for_the_answer(
    make_site: Callable[..., Served],
) -> None:
    everything_else = {"stats", "donate"}
    for market, asks in (("eu", True), ("us-ca", False)):
        site = make_site(policy=make_policy(market=market))
        page = site.get(sec_gpc="1")
        assert shows_notice(page)  # the others are still to be asked
        jar = cookie(choose(site, "save", grant=sorted(everything_else)))
        told = site.get(cookie=cookie(choose(site, "accept", jar)), sec_gpc="1")
        assert shows_notice(told) is asks
        state = json.loads(site.get("/consent/state", cookie=cookie(told), sec_gpc="1").body)
        assert set(state["granted"]) == everything_else


def test_support_resource_is_served_where_the_signal_means_something(make_site: Callable[..., Served]) -> None:
    own = {"/.well-known/gpc.json": Answer(b"{}", fields=[("Content-Type", "application/json")])}
    reply = make_site(own).get("/.well-known/gpc.json")
    stated = json.loads(reply.body)
    assert reply.get("content-type") == "application/json"
    assert stated["gpc"] is True
    assert date.fromisoformat(stated["lastUpdate"]) <= date.today()
    nothing = make_policy()
    nothing = type(nothing)(site=nothing.site, services=tuple(s for s in nothing.services if not s.gpc))
    assert make_site(own, policy=nothing).get("/.well-known/gpc.json").body == b"{}"


def test_fragments_and_frames_leave_the_signal_to_the_page(make_site: Callable[..., Served], log: Recording) -> None:
    site = make_site({"/": Answer(ARTICLE)})
    jar = cookie(choose(site, "accept"))
    framed = site.get(cookie=jar, sec_gpc="1", sec_fetch_dest="iframe")
    assert EMBED not in framed.text
    assert len(log.decisions) == 1
    site.get(cookie=jar, sec_gpc="1", sec_fetch_dest="document")
    assert len(log.decisions) == 2


def test_only_the_italian_notice_has_a_way_to_close_it(make_site: Callable[..., Served]) -> None:
    page = make_site(policy=make_policy(market="it")).get().text
    assert 'value="close" data-consent-action="reject">Continue without accepting' in page
    assert 'value="close"' not in make_site().get().text


def test_californian_pages_say_that_the_signal_is_followed_and_name_the_link_as_the_law_does(
    make_site: Callable[..., Served],
) -> None:
    site = make_site(policy=make_policy(market="us-ca"))
    jar = cookie(choose(site, "reject"))
    followed = site.get(cookie=jar, sec_gpc="1").text
    assert not shows_notice(site.get(cookie=jar, sec_gpc="1"))
    assert 'id="gpc-status"' in followed
    assert "Your privacy choices" in followed
    assert 'id="gpc-status"' not in site.get(cookie=jar).text
    assert "Your privacy choices" not in make_site().get().text
