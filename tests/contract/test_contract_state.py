"""What a page that stays open is told of itself, over every adapter."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from conftest import Served, make_policy
from contract_steps import choose, cookie


def policy(site: Served, path: str, jar: str = "", **fields: str) -> str:
    return str(json.loads(site.get(f"/consent/state?path={path}", cookie=jar, **fields).body)["policy"])


def test_page_that_stays_can_ask_for_the_policy_it_would_get_now(site: Served) -> None:
    jar = cookie(choose(site, "save", grant=["video"]))
    assert "www.youtube.com" in policy(site, "/", jar)
    assert "www.youtube.com" not in policy(site, "/")
    assert "stats.example" not in policy(site, "/", jar)
    assert "policy" not in json.loads(site.get("/consent/state", cookie=jar).body)


def test_what_is_requested_on_its_own_route_stays_allowed_there(site: Served) -> None:
    assert "donate.example" in policy(site, "/give")
    assert "donate.example" in policy(site, "%2Fgi%2576e"), "the path as the browser writes it"
    assert "donate.example" in policy(site, "/app/give", root="/app")
    assert "donate.example" not in policy(site, "/")


@pytest.mark.parametrize("ask", [{"csp": "off"}, {"csp": "report-only"}, {"undeclared": "report"}])
def test_page_gets_no_policy_where_none_is_enforced(make_site: Callable[..., Served], ask: dict[str, str]) -> None:
    assert policy(make_site(policy=make_policy(**ask)), "/") == ""


@pytest.mark.parametrize("path", ["", "%00", "%FF", "//evil.example", "%0d%0aX: y", "a" * 3000])
def test_odd_paths_are_paths_without_anything_of_their_own(site: Served, path: str) -> None:
    assert json.loads(site.get(f"/consent/state?path={path}").body)["granted"] == []
    assert "evil" not in site.get(f"/consent/state?path={path}").text
