"""Nobody ever gets another visitor's grants out of a cache."""

from __future__ import annotations

import json
from collections.abc import Callable

from conftest import LIVE, Front, make_site

Behind = Callable[..., Front]


def test_shared_page_comes_out_of_the_cache_the_same_for_everybody(behind: Behind) -> None:
    front = behind(make_site("shared"))
    accepted, refused = front.answer("accept"), front.answer("reject")
    pages = [front.get(cookie=jar) if jar else front.get() for jar in (accepted, refused, "", accepted)]
    assert front.origin.asked == 1
    assert len({body for _, _, body in pages}) == 1
    assert all(LIVE not in body and "set-cookie" not in fields for _, fields, body in pages)


def test_each_visitor_gets_their_own_state_through_the_cache(behind: Behind) -> None:
    front = behind(make_site("shared"))
    jars = {"accept": front.answer("accept"), "reject": front.answer("reject")}
    for _ in range(2):
        for action, jar in jars.items():
            _, fields, body = front.get("/consent/state", cookie=jar)
            assert json.loads(body)["granted"] == (["stats"] if action == "accept" else [])
            assert fields["cache-control"] == "no-store"


def test_personal_page_stays_out_of_a_cache_that_would_keep_it(behind: Behind) -> None:
    front = behind(make_site("personal"), keeps_cookies=True)
    accepted, refused = front.answer("accept"), front.answer("reject")
    asked = front.origin.asked
    assert LIVE in front.get(cookie=accepted)[2]
    assert LIVE not in front.get(cookie=refused)[2]
    assert LIVE not in front.get()[2]
    assert LIVE in front.get(cookie=accepted)[2]
    assert front.origin.asked == asked + 4


def test_the_same_cache_gives_one_visitors_page_to_another_where_nobody_prevents_it(behind: Behind) -> None:
    front = behind(lambda app: app, keeps_cookies=True)
    assert b"<!-- Ada -->" in front.get(cookie="name=Ada")[2]
    assert b"<!-- Ada -->" in front.get()[2]
    assert front.origin.asked == 1
