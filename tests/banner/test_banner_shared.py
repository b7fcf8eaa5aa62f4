"""Pages that everybody gets alike, in a real browser: the notice goes for who answered, and what they granted comes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from playwright.sync_api import BrowserContext, Page

from consent import Policy, Service
from consent.policy import Ask, Site
from consent.wsgi import ConsentMiddleware

STATS = Service(key="stats", category="analytics", name="Stats", purpose="Counts.", inline=("_stats.push(",))
PAGE = (
    b"<!doctype html><html lang=en><head><title>T</title></head><body><main><h1>News</h1><p>Text.</p>"
    b"<iframe title=f width=300 height=150 src=/inner></iframe></main>"
    b"<script>window._stats={push(x){window.ran=(window.ran||0)+1}};_stats.push(1)</script></body></html>"
)
NOTICE = "[data-consent-banner]"
SHIFTS = (
    "window.shifts=0;new PerformanceObserver(l=>l.getEntries().forEach(e=>window.shifts+=e.value))"
    ".observe({type:'layout-shift',buffered:true})"
)


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


def _app(_: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "public, max-age=600")])
    return [PAGE]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    policy = Policy(site=Site(name="N", controller="N Trust"), ask=Ask(pages="shared"), services=(STATS,))
    app = ConsentMiddleware(_app, policy, secret_key="a secret of the tests", log="memory://")
    with make_server("127.0.0.1", 0, app, handler_class=_Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def visitor(browser: Any) -> Iterator[BrowserContext]:
    context = browser.new_context()
    context.add_init_script(SHIFTS)
    yield context
    context.close()


def answered(visitor: BrowserContext, address: str, action: str) -> Page:
    page = visitor.new_page()
    page.goto(address)
    assert page.locator(NOTICE).is_visible()
    assert page.evaluate("window.ran") is None
    with page.expect_response("**/consent/"):
        page.locator(f"{NOTICE} [data-consent-action={action}]").first.click()
    page.wait_for_selector("[data-consent-confirmation]")
    return page


def test_what_is_granted_comes_alive_in_place_and_on_the_next_page(visitor: BrowserContext, address: str) -> None:
    page = answered(visitor, address, "accept")
    page.wait_for_function("window.ran === 1")
    page.goto(f"{address}other")
    page.wait_for_function("window.ran === 1")
    assert page.locator(NOTICE).count() == 0
    assert page.evaluate("window.consent.allows('stats')")


def test_who_refused_sees_no_notice_again_and_nothing_runs(visitor: BrowserContext, address: str) -> None:
    page = answered(visitor, address, "reject")
    with page.expect_response("**/consent/state"):
        page.goto(f"{address}other")
    page.wait_for_function("!document.querySelector('[data-consent-banner]')")
    assert page.evaluate("window.ran") is None
    assert not page.evaluate("window.consent.allows('stats')")


def test_answered_notice_is_hidden_before_the_first_paint_and_nothing_moves(
    visitor: BrowserContext, address: str
) -> None:
    page = answered(visitor, address, "reject")
    page.route("**/consent/static/notice.js*", lambda route: route.abort())  # the small file in the head alone
    page.goto(f"{address}other")
    assert page.locator(NOTICE).count() == 1
    assert not page.locator(NOTICE).is_visible()
    assert page.evaluate("window.shifts") == 0
    visitor.clear_cookies()  # the control: without the cookie the same page shows it
    page.goto(f"{address}other")
    assert page.locator(NOTICE).is_visible()


def test_forged_cookie_hides_nothing_for_long_and_grants_nothing(visitor: BrowserContext, address: str) -> None:
    page = answered(visitor, address, "reject")
    seen = next(cookie for cookie in visitor.cookies() if cookie["name"] == "consent-seen")
    visitor.clear_cookies()
    visitor.add_cookies([{"name": "consent-seen", "value": seen["value"], "url": address}])
    page.goto(f"{address}other")
    page.wait_for_selector(NOTICE, state="visible")
    assert page.evaluate("window.ran") is None


def test_page_in_a_frame_asks_nothing(visitor: BrowserContext, address: str) -> None:
    page = visitor.new_page()
    page.goto(address)
    frame = page.frame_locator("iframe[title=f]")
    assert frame.locator(NOTICE).count() == 1
    assert not frame.locator(NOTICE).is_visible()
    assert page.locator(NOTICE).is_visible()


def test_without_javascript_the_answer_is_shown_on_a_page_that_leads_back(browser: Any, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}article")
    page.locator(f"{NOTICE} [data-consent-action=accept]").click()
    page.wait_for_url("**/consent/?next=*")
    assert page.locator("[data-consent-confirmation]").is_visible()
    assert page.locator("input[data-consent-service=stats]").is_checked()
    page.locator("[data-consent-return]").click()
    page.wait_for_url("**/article")
    assert page.locator(NOTICE).is_visible()
    context.close()
