"""``pages = "shared"``: the same HTML for everybody, whoever asks, over every adapter."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from conftest import ARTICLE, HTML, Answer, Recording, Reply, Served, make_policy
from contract_steps import ALL, choose, cookie

CACHED = [("Content-Type", HTML), ("Cache-Control", "public, max-age=600"), ("ETag", '"v1"')]
Make = Callable[..., Served]


@pytest.fixture
def site(make_site: Make) -> Served:
    return make_site({"/": Answer(ARTICLE, fields=CACHED)}, policy=make_policy(pages="shared"))


def visitors(site: Served) -> dict[str, dict[str, str]]:
    accepted = cookie(choose(site, "accept"))
    return {
        "nobody": {},
        "accepted": {"cookie": accepted},
        "refused": {"cookie": cookie(choose(site, "reject"))},
        "just answered": {"cookie": accepted + "; consent-said=accepted"},
        "signal": {"cookie": accepted, "sec_gpc": "1"},
        "german": {"accept_language": "de"},
        "framed": {"sec_fetch_dest": "iframe"},
        "tracked": {"cookie": accepted + "; _stats=1; YSC=2"},
    }


def as_sent(reply: Reply) -> tuple[int, list[tuple[str, str]], bytes]:
    return reply.status, sorted((name.lower(), value) for name, value in reply.fields), reply.body


def test_everybody_gets_the_same_bytes_and_fields(site: Served, make_site: Make) -> None:
    answers = {name: as_sent(site.get(**fields)) for name, fields in visitors(site).items()}
    assert [name for name, answer in answers.items() if answer != answers["nobody"]] == []
    personal = make_site({"/": Answer(ARTICLE, fields=CACHED)})  # the control: the same visitors on a personal page
    different = {repr(as_sent(personal.get(**fields))) for fields in visitors(personal).values()}
    assert len(different) >= 6


def test_a_page_of_the_applications_below_the_prefix_is_shared_too(make_site: Make) -> None:
    page = {"/consent/about": Answer(ARTICLE, fields=CACHED), "/": Answer(ARTICLE)}
    site = make_site(page, policy=make_policy(pages="shared"))
    reply = site.get("/consent/about", cookie=cookie(choose(site, "accept")))
    assert ' src="https://stats.example' not in reply.text
    assert reply.get("cache-control") == "public, max-age=600"
    personal = make_site(page)  # the control
    assert ' src="https://stats' in personal.get("/consent/about", cookie=cookie(choose(personal, "accept"))).text


def test_shared_pages_may_stay_in_a_cache_and_personal_ones_may_not(site: Served, make_site: Make) -> None:
    reply = site.get()
    assert reply.get("cache-control") == "public, max-age=600"
    assert reply.get("vary") is None
    assert not reply.set_cookies
    personal = make_site({"/": Answer(ARTICLE, fields=CACHED)}).get()
    assert "private" in str(personal.get("cache-control"))
    assert "Cookie" in str(personal.get("vary"))


def test_shared_page_is_inert_has_the_notice_and_a_policy_for_all_that_is_declared(site: Served) -> None:
    reply = site.get(cookie=cookie(choose(site, "accept")))
    assert ' src="https://stats.example' not in reply.text
    assert "data-consent-banner" in reply.text
    policy = str(reply.get("content-security-policy"))
    assert "stats.example" in policy
    assert "www.youtube.com" in policy
    assert "evil.example" not in policy


def test_validators_last_until_the_policy_changes(site: Served, make_site: Make) -> None:
    etag = str(site.get().get("etag"))
    site.get(if_none_match=etag, cookie=cookie(choose(site, "accept")))
    assert '"v1"' in site.seen[-1]["if-none-match"]
    policy = make_policy(pages="shared")
    less = replace(policy, services=policy.services[:2])
    assert make_site({"/": Answer(ARTICLE, fields=CACHED)}, policy=less).get().get("etag") != etag


def test_form_of_a_shared_page_says_the_path_and_nobodys_query(site: Served) -> None:
    assert "secret" not in site.get("/?token=secret").text


def test_state_tells_the_script_what_this_visitor_granted(site: Served) -> None:
    def state(jar: str = "", **fields: str) -> tuple[dict[str, object], Reply]:
        reply = site.get("/consent/state", cookie=jar, **fields)
        assert reply.get("cache-control") == "no-store"
        return json.loads(reply.body), reply

    nobody, reply = state()
    assert (nobody["granted"], nobody["chosen"], nobody["asking"]) == ([], False, True)
    assert reply.set_cookies["consent-seen"] == ""
    accepted, reply = state(cookie(choose(site, "accept")))
    assert (set(accepted["granted"]), accepted["chosen"], accepted["asking"]) == (ALL, True, False)  # type: ignore[call-overload]
    assert reply.set_cookies["consent-seen"] == accepted["version"]
    refused, reply = state(cookie(choose(site, "reject")))
    assert (refused["granted"], refused["asking"]) == ([], False)
    assert reply.set_cookies["consent-seen"] == refused["version"]


def test_answer_leaves_a_cookie_that_says_only_that_it_was_given(site: Served) -> None:
    seen = {choose(site, action).set_cookies["consent-seen"] for action in ("accept", "reject")}
    assert seen == {site.engine.policy.current.version}
    field = next(v for v in choose(site, "reject").all("set-cookie") if v.startswith("consent-seen="))
    assert "HttpOnly" not in field
    assert "Domain" not in field


def test_answer_to_a_part_leaves_the_notice_standing(site: Served) -> None:
    reply = choose(site, "always", service="youtube")
    assert reply.set_cookies["consent-seen"] == ""


def test_without_a_script_the_answer_leads_to_the_page_that_shows_it(site: Served) -> None:
    reply = choose(site, "accept", next="/article")
    assert reply.get("location") == "/consent/?next=%2Farticle"
    page = site.get(str(reply.get("location")), cookie=f"{cookie(reply)}; consent-said=accepted")
    assert page.status == 200
    assert 'href="/article"' in page.text or "href=/article" in page.text


def test_signal_is_heeded_where_the_script_asks(site: Served, log: Recording) -> None:
    jar = cookie(choose(site, "accept"))
    reply = site.get("/consent/state", cookie=jar, sec_gpc="1")
    assert set(json.loads(reply.body)["granted"]) == ALL - {"youtube"}
    assert log.decisions[-1].event == "signal_opt_out"
    assert site.get("/", cookie=jar, sec_gpc="1").set_cookies == {}


def test_cookies_of_refused_services_end_where_the_script_asks(site: Served) -> None:
    jar = cookie(choose(site, "reject")) + "; _stats=1"
    assert "_stats" in site.get("/consent/state", cookie=jar).set_cookies
    assert site.get("/", cookie=jar).set_cookies == {}


def test_page_never_sets_an_optional_cookie_and_data_does_for_those_who_agreed(make_site: Make) -> None:
    pixel = [("Content-Type", "image/gif"), ("Set-Cookie", "_stats=1")]
    page = [*CACHED, ("Set-Cookie", "_stats=1")]
    site = make_site(
        {"/": Answer(ARTICLE, fields=page), "/pixel": Answer(b"GIF89a", fields=pixel)},
        policy=make_policy(pages="shared"),
    )
    accepted, refused = cookie(choose(site, "accept")), cookie(choose(site, "reject"))
    assert "_stats" not in site.get("/", cookie=accepted).set_cookies
    assert "_stats" not in site.get("/pixel", cookie=refused, sec_fetch_dest="image").set_cookies
    assert "_stats" in site.get("/pixel", cookie=accepted, sec_fetch_dest="image").set_cookies
