"""Earlier pages that the browser kept alive, and other tabs: after an answer all of them show what holds now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from demo_visitor import FRONT, VIDEO, Visitor
from playwright.sync_api import Page, Route, expect

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]
KEEPING = {"ignore_default_args": ["--disable-back-forward-cache"]}
"""Playwright turns the back/forward cache off, visitors' browsers don't."""
LISTEN = """if (window.top === window) addEventListener("pageshow", ({ persisted }) => {
  if (persisted) sessionStorage.setItem("kept", location.pathname);
});"""
DEAF = "delete window.BroadcastChannel"
CALL = "url => fetch(url, { mode: 'no-cors' }).catch(() => {})"
NOTICE = "[data-consent-banner]"


def arrived(visit: Visit, *paths: str) -> Visitor:
    """Somebody whose browser keeps earlier pages, the first of which carries a mark."""
    visitor = visit(**KEEPING)
    visitor.page.add_init_script(LISTEN)
    visitor.read(paths[0])
    visitor.page.evaluate("window.mark = true")
    return visitor


def went_back(visitor: Visitor) -> dict[str, Any]:
    """What the earlier page is now: kept by the browser, and the same document still."""
    visitor.page.go_back(wait_until="commit")
    visitor.settle()
    visitor.page.wait_for_function("() => window.consent")
    return dict(visitor.page.evaluate("() => ({ kept: sessionStorage.getItem('kept'), same: Boolean(window.mark) })"))


def players(page: Page) -> int:
    return sum("/youtube/embed/" in frame.url for frame in page.frames)


def await_players(page: Page, count: int) -> None:
    """Within 5 seconds the page has so many players."""
    for _ in range(100):
        if players(page) == count:
            return
        page.wait_for_timeout(50)
    assert players(page) == count


def watching(visit: Visit) -> tuple[Visitor, Page]:
    """Somebody who has allowed everything, with the player in a page of theirs."""
    visitor = visit()
    visitor.read(VIDEO)
    visitor.answer("accept")
    visitor.read(VIDEO)
    return visitor, visitor.page


def test_earlier_page_is_kept_alive_by_this_browser(visit: Visit) -> None:
    """The control of what follows: without an answer the page comes back as it was."""
    visitor = arrived(visit, FRONT)
    visitor.read(VIDEO)
    assert went_back(visitor) == {"kept": FRONT, "same": True}
    expect(visitor.page.locator(NOTICE)).to_be_visible()


def test_earlier_page_asks_no_more_after_a_refusal(visit: Visit) -> None:
    visitor = arrived(visit, FRONT)
    visitor.page.add_init_script(DEAF)  # so that the kept page has to find out by itself
    visitor.read(VIDEO)
    visitor.answer("reject")
    assert went_back(visitor) == {"kept": FRONT, "same": True}
    expect(visitor.page.locator(NOTICE)).to_have_count(0)
    assert visitor.reached() == set()


@pytest.mark.parametrize("deaf", [True, False], ids=["deaf", "listening"])
def test_earlier_page_comes_alive_after_a_grant(visit: Visit, deaf: bool) -> None:
    visitor = arrived(visit, VIDEO)
    if deaf:
        visitor.page.add_init_script(DEAF)
    visitor.read(FRONT)
    visitor.answer("accept")
    found = went_back(visitor)
    assert found == {"kept": VIDEO, "same": False}
    expect(visitor.page.locator(NOTICE)).to_have_count(0)
    assert visitor.page.evaluate("consent.allows('youtube')")
    assert players(visitor.page) == 1


@pytest.mark.parametrize("deaf", [True, False], ids=["deaf", "listening"])
def test_earlier_page_stops_after_a_withdrawal(visit: Visit, deaf: bool) -> None:
    visitor = arrived(visit, VIDEO)
    visitor.answer("accept")
    visitor.read(VIDEO)
    assert players(visitor.page) == 1
    if deaf:
        visitor.page.add_init_script(DEAF)
    visitor.read("/consent/?next=/consent/")
    visitor.page.locator("[data-consent-action=withdraw]").click()
    visitor.page.wait_for_selector("[data-consent-confirmation]")
    visitor.settle()
    visitor.forget()
    while VIDEO not in visitor.page.url:
        went_back(visitor)
    assert players(visitor.page) == 0
    assert not visitor.page.evaluate("consent.allows('youtube')")
    assert visitor.reached() == set()


@pytest.mark.parametrize("where", [FRONT, "/consent/"])
def test_other_tabs_ask_no_more_after_a_refusal(visit: Visit, where: str) -> None:
    visitor = visit()
    visitor.read(VIDEO)
    other = visitor.page
    other.evaluate("window.mark = true")
    visitor.page = visitor.context.new_page()
    visitor.read(where)
    visitor.page.locator("main, [data-consent-banner]").locator("[data-consent-action=reject]").first.click()
    expect(other.locator(NOTICE)).to_have_count(0)
    assert other.evaluate("window.mark") is True, "nothing was granted, so nothing had to be loaded again"
    assert visitor.reached() == set()


def test_other_tabs_keep_asking_what_is_left_after_one_always(visit: Visit) -> None:
    visitor = visit()
    visitor.read(VIDEO)
    other = visitor.page
    visitor.page = visitor.context.new_page()
    visitor.read(VIDEO)
    visitor.page.locator("[data-consent-action=always]").click()
    other.wait_for_function("() => window.consent?.allows('youtube')")
    expect(other.locator(NOTICE)).to_be_visible()
    expect(other.locator(NOTICE).locator("[data-consent-category=video]")).to_have_count(0)
    await_players(other, 1)


def test_other_tabs_stop_after_a_withdrawal_on_the_settings_page(visit: Visit) -> None:
    visitor, other = watching(visit)
    assert players(other) == 1
    visitor.page = visitor.context.new_page()
    visitor.read("/consent/")
    visitor.page.locator("[data-consent-action=withdraw]").click()
    expect(visitor.page.locator("[data-consent-confirmation]")).to_contain_text("withdrawn")
    other.wait_for_function("() => window.consent && !window.consent.allows('youtube')")
    await_players(other, 0)


def test_other_tab_with_a_half_edited_form_stays_and_reaches_nobody_after_a_withdrawal(visit: Visit) -> None:
    visitor, other = watching(visit)
    player = next(frame.url for frame in other.frames if "/youtube/embed/" in frame.url)
    other.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<textarea id=letter></textarea>')")
    other.fill("#letter", "Dear editor,")
    visitor.forget()
    other.evaluate(CALL, player)
    assert visitor.reached() == {"youtube"}, "the control: a script of this page does reach them"
    visitor.page = visitor.context.new_page()
    visitor.read("/consent/")
    visitor.page.locator("[data-consent-action=withdraw]").click()
    other.wait_for_function("() => window.consent && !window.consent.allows('youtube')")
    expect(other.locator("meta[http-equiv=Content-Security-Policy]")).to_have_count(1)
    visitor.settle()
    assert players(other) == 0
    visitor.forget()
    other.evaluate(CALL, player)
    assert visitor.reached() == set()
    assert other.input_value("#letter") == "Dear editor,"


class OnItsWay:
    """A page that has come, while our script for it has not."""

    def __init__(self, visitor: Visitor, path: str) -> None:
        self.page = visitor.context.new_page()
        self.asked: list[str] = []
        """When it asked what holds."""
        self._held: list[Route] | None = []
        self.page.route("**/static/notice.js*", self._hold)
        self.page.on("request", lambda request: self.asked.append(request.url) if "/state" in request.url else None)
        self.page.goto(visitor.demo.site + path, wait_until="commit")
        self.page.wait_for_selector("footer", state="attached")

    def _hold(self, route: Route) -> None:
        if self._held is None:
            route.continue_()
        else:
            self._held.append(route)

    def arrive(self) -> None:
        """The script comes as well, and has had the time to ask the others and the server."""
        for _ in range(100):
            if self._held:
                break
            self.page.wait_for_timeout(50)
        held, self._held = self._held, None
        assert held
        for route in held:
            route.continue_()
        self.page.wait_for_function("() => window.consent")
        self.page.wait_for_timeout(500)


def test_a_page_on_its_way_stops_after_a_withdrawal_on_the_settings_page(visit: Visit) -> None:
    visitor, _ = watching(visit)
    other = OnItsWay(visitor, VIDEO)
    await_players(other.page, 1)
    visitor.page = visitor.context.new_page()
    visitor.read("/consent/")
    visitor.page.locator("[data-consent-action=withdraw]").click()
    expect(visitor.page.locator("[data-consent-confirmation]")).to_contain_text("withdrawn")
    other.arrive()
    await_players(other.page, 0)
    assert not other.page.evaluate("consent.allows('youtube')")


def test_a_page_on_its_way_asks_no_more_after_a_refusal_in_place(visit: Visit) -> None:
    visitor = visit()
    visitor.read(FRONT)
    other = OnItsWay(visitor, FRONT)
    expect(other.page.locator(NOTICE)).to_be_visible()
    visitor.answer("reject")
    other.arrive()
    expect(other.page.locator(NOTICE)).to_have_count(0)
    assert len(other.asked) == 1


def test_a_page_that_was_asked_for_after_the_answer_asks_nothing(visit: Visit) -> None:
    visitor = visit()
    visitor.read(FRONT)
    visitor.answer("reject")
    other = OnItsWay(visitor, FRONT)
    other.arrive()
    assert other.asked == []


def test_other_tab_that_cannot_ask_makes_no_error(visit: Visit) -> None:
    visitor = visit()
    visitor.read(VIDEO)
    other, errors = visitor.page, list[str]()
    other.on("pageerror", lambda error: errors.append(str(error)))
    other.evaluate("() => void Promise.reject(new Error('control'))")
    other.route("**/consent/state", lambda route: route.abort())
    visitor.page = visitor.context.new_page()
    visitor.read(FRONT)
    with other.expect_event("requestfailed"):
        visitor.answer("reject")
    other.wait_for_timeout(100)
    assert errors == ["control"]
    expect(other.locator(NOTICE)).to_be_visible()
