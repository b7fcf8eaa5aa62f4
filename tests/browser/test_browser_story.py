"""What reaches the third parties, by their own counters; each time beside the same page without consentry."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from browser_site import FILM, Visitor

from consent import Choice, Signals, decide
from consent.config import load
from consent.gate import Gate
from examples.flask_demo.app import HERE
from examples.flask_demo.ledger import WITH
from examples.flask_demo.run import Demo

pytestmark = pytest.mark.browser
BANNER = "[data-consent-banner]"
DONATE = "/en/donate"
FRONT = "/en/"


@pytest.fixture(params=["script", "no script"])
def anyone(request: pytest.FixtureRequest, visitors: Callable[..., Visitor]) -> Visitor:
    return visitors(java_script_enabled=request.param == "script")


def test_before_a_choice_nobody_sees_anything(anyone: Visitor) -> None:
    for path in (FRONT, FILM, DONATE):
        assert anyone.reaches(path) == set()
        assert anyone.page.locator(BANNER).is_visible()
    assert anyone.context.cookies() == []
    anyone.control(FILM, "matomo", "youtube")
    anyone.control(DONATE, "matomo", "donorbox")


def test_scrolling_waiting_escape_and_reading_on_grant_nothing(visitor: Visitor) -> None:
    visitor.go(FILM)
    visitor.page.mouse.wheel(0, 5000)
    visitor.page.keyboard.press("Escape")
    visitor.page.mouse.click(5, 880)
    visitor.page.wait_for_timeout(1500)
    assert visitor.reaches(FRONT) == set()
    assert visitor.choice() is None
    visitor.control(FILM, "matomo", "youtube")


def test_after_refusing_it_stays_that_way_on_reload_and_on_other_pages(anyone: Visitor) -> None:
    anyone.go(FILM)
    anyone.forget()
    anyone.click("reject", BANNER)
    assert anyone.seen() == {}
    assert anyone.page.url == anyone.demo.site + FILM
    assert (
        "only what is necessary" in anyone.page.locator("[role=status], [data-consent-said]").first.inner_text().lower()
    )
    for path in (FILM, FRONT, DONATE):
        assert anyone.reaches(path) == set()
        assert anyone.page.locator(BANNER).count() == 0
    anyone.control(FILM, "matomo", "youtube")
    anyone.control(DONATE, "donorbox")


@pytest.mark.parametrize(
    ("category", "other", "path"),
    [("analytics", "matomo", FRONT), ("video", "youtube", FILM), ("donations", "donorbox", DONATE)],
)
def test_each_category_alone_lets_in_its_own_and_nobody_else(
    anyone: Visitor, category: str, other: str, path: str
) -> None:
    anyone.go(path)
    anyone.tick(category)
    anyone.click("save", BANNER)
    assert {found for page in (FRONT, FILM, DONATE) for found in anyone.reaches(page)} == {other}
    anyone.control(FILM, "matomo", "youtube")
    anyone.control(DONATE, "matomo", "donorbox")


def test_accepting_all_brings_everything_alive_on_the_page_itself(anyone: Visitor) -> None:
    anyone.go(FILM)
    anyone.forget()
    anyone.click("accept", BANNER)
    assert set(anyone.seen()) == {"matomo", "youtube"}
    assert all(cookies for _, cookies in anyone.seen().values())
    assert anyone.reaches(DONATE) == {"matomo", "donorbox"}
    anyone.control(FILM, "matomo", "youtube")


def test_withdrawing_ends_it_at_once(anyone: Visitor) -> None:
    anyone.go(FILM)
    anyone.click("accept", BANNER)
    assert anyone.reaches(FILM) == {"matomo", "youtube"}
    anyone.click("settings")
    anyone.forget()
    anyone.click("withdraw")
    assert anyone.seen() == {}
    assert {found for page in (FRONT, FILM, DONATE) for found in anyone.reaches(page)} == set()
    anyone.control(FILM, "matomo", "youtube")


def test_loading_once_loads_that_one_leaves_no_cookie_and_is_over_with_the_page(anyone: Visitor) -> None:
    anyone.go(FILM)
    anyone.forget()
    anyone.click("once")
    assert set(anyone.seen()) == {"youtube"}
    assert anyone.choice() is None
    assert anyone.reaches(FILM) == set()
    assert anyone.page.locator(BANNER).is_visible()
    anyone.control(FILM, "youtube")


def test_always_is_remembered_and_asks_about_the_others_still(anyone: Visitor) -> None:
    anyone.go(FILM)
    anyone.forget()
    anyone.click("always")
    assert set(anyone.seen()) == {"youtube"}
    assert anyone.reaches(FILM) == {"youtube"}
    assert anyone.page.locator(BANNER).is_visible()
    anyone.control(FILM, "matomo", "youtube")


def test_a_forged_cookie_opens_nothing(visitor: Visitor) -> None:
    visitor.go(FRONT)
    visitor.click("accept", BANNER)
    value = visitor.choice()
    assert value
    assert visitor.reaches(FILM) == {"matomo", "youtube"}
    payload, dot, signature = value.partition(".")
    forged = payload + dot + ("A" if signature[0] != "A" else "B") + signature[1:]
    visitor.context.add_cookies([{"name": "consent", "value": forged, "url": visitor.demo.site}])
    assert visitor.reaches(FILM) == set()
    assert visitor.page.locator(BANNER).is_visible()
    visitor.control(FILM, "matomo", "youtube")


def test_in_german_it_asks_in_german_and_does_the_same(visitors: Callable[..., Visitor]) -> None:
    visitor = visitors(java_script_enabled=False, locale="de-DE")
    visitor.go("/de/undersea-cables")
    assert visitor.page.locator(BANNER).get_attribute("lang") == "de"
    assert "Nur notwendige akzeptieren" in visitor.page.locator(BANNER).inner_text()
    visitor.forget()
    visitor.click("accept", BANNER)
    assert set(visitor.seen()) == {"matomo", "youtube"}
    visitor.control("/de/undersea-cables", "matomo", "youtube")


def test_both_answers_are_in_the_first_view_of_a_small_german_screen_without_script(
    visitors: Callable[..., Visitor],
) -> None:
    visitor = visitors(java_script_enabled=False, locale="de-DE", viewport={"width": 320, "height": 568})
    visitor.go("/de/")
    for action in ("accept", "reject"):
        box = visitor.page.locator(f"{BANNER} [data-consent-action={action}]").bounding_box()
        assert box is not None
        assert box["y"] >= 0 and box["y"] + box["height"] <= 568, (action, box)
        assert box["x"] >= 0 and box["x"] + box["width"] <= 320
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 320


def test_two_who_refuse_hold_the_same_cookie_and_two_who_accept_do_not(visitors: Callable[..., Visitor]) -> None:
    values: dict[str, list[str | None]] = {"reject": [], "accept": []}
    for action, found in values.items():
        for _ in range(2):
            visitor = visitors()
            visitor.go(FRONT)
            visitor.click(action, BANNER)
            found.append(visitor.choice())
    if datetime.now(UTC).hour or datetime.now(UTC).minute > 1:  # not across midnight
        assert values["reject"][0] == values["reject"][1] is not None
    assert values["accept"][0] != values["accept"][1]


def test_the_real_address_of_youtube_is_gated(demo: Demo, visitors: Callable[..., Visitor]) -> None:
    """The film as it would go live, with YouTube's own host name leading to the stand-in by the browser's resolver."""
    port = demo.stand_ins[WITH].rpartition(":")[2]
    visitor = visitors((f"--host-resolver-rules=MAP www.youtube.com 127.0.0.1:{port}",))
    address = "http://www.youtube.com/embed/aqz-KE-bpKQ"
    body = f"<!doctype html><html lang=en><body><iframe src='{address}'></iframe></body></html>"
    pages = {"/gated": _through_the_gate(body), "/ungated": body}
    visitor.page.route(
        re.compile("gated$"),
        lambda route: route.fulfill(body=pages[urlsplit(route.request.url).path], content_type="text/html"),
    )
    assert visitor.reaches("/gated") == set()
    assert visitor.reaches("/ungated") == {"youtube"}


def _through_the_gate(body: str) -> str:
    policy = load(HERE / "consent.toml")
    permissions = decide(policy, Choice.none(), Signals())
    return Gate(policy).rewrite(body.encode(), permissions, base_url="http://127.0.0.1/gated").decode()
