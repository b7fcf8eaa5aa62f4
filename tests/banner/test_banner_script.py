"""What the script improves, in a real Chromium under the strictest policies a page can have."""

from __future__ import annotations

from typing import Any

import pytest
from banner_server import Running
from playwright.sync_api import Browser, Page, expect
from test_banner_browser import site, visit  # noqa: F401 - a fixture

pytestmark = pytest.mark.browser
STRICT = "/page?tt=consentry"
FORBIDDING = "/page?tt='none'"
LISTEN = "document.addEventListener('consent:change', (e) => { (window.changes ??= []).push(e.detail); })"


def complaints(page: Page) -> list[str]:
    """Everything the browser reports from now on: refusals by a policy, and errors in scripts."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def strict(browser: Browser, site: Running, path: str = STRICT, **options: Any) -> tuple[Page, list[str]]:  # noqa: F811
    page = visit(browser, site, path="/elsewhere", **options)
    found = complaints(page)
    page.add_init_script(LISTEN)
    page.goto(site.origin + path)
    page.wait_for_function("() => window.consent")
    return page, found


def test_accepting_brings_the_page_to_life_in_place(browser: Browser, site: Running) -> None:  # noqa: F811
    page, found = strict(browser, site)
    assert page.evaluate("['necessary', 'video', 'youtube', 'unknown'].map(consent.allows)") == [
        True,
        False,
        False,
        False,
    ]
    assert not [path for path in site.seen if path.startswith("localhost/")]
    page.locator("[data-consent-action=accept]").click()
    expect(page.locator("[data-consent-banner]")).to_have_count(0)
    expect(page.get_by_role("status")).to_be_focused()
    expect(page.get_by_role("status")).to_contain_text("You have accepted all.")
    expect(
        page.frame_locator("iframe[name=cst-frame-1]").frame_locator("iframe").get_by_text("playing")
    ).to_be_visible()
    page.wait_for_function("() => window.order?.length === 4")
    assert page.evaluate("window.order") == ["slow", "fast", "late", "module"]
    assert page.evaluate("window.changes") == [
        {"granted": ["donorbox", "google-analytics-4", "youtube"], "refused": []},
    ]
    assert page.evaluate("consent.allows('video')") is True
    assert page.url.endswith(STRICT)
    assert len(site.posts) == 1
    assert "127.0.0.1/pixel" in site.seen
    assert found == []


def test_refusing_leaves_everything_asleep(browser: Browser, site: Running) -> None:  # noqa: F811
    page, found = strict(browser, site)
    page.locator("[data-consent-action=reject]").click()
    expect(page.get_by_role("status")).to_contain_text("only what is necessary")
    page.wait_for_function("() => window.changes")
    assert page.evaluate("window.changes[0].granted") == []
    assert not [path for path in site.seen if path.startswith("localhost/")]
    assert page.evaluate("window.order") is None
    assert found == []


def test_hiding_the_confirmation_leads_to_the_main_heading(browser: Browser, site: Running) -> None:  # noqa: F811
    page, _ = strict(browser, site)
    page.locator("[data-consent-action=reject]").click()
    page.get_by_role("button", name="Hide this message").click()
    expect(page.locator("[data-consent-confirmation]")).to_have_count(0)
    expect(page.get_by_role("heading", name="Ports reopen")).to_be_focused()
    assert len(site.posts) == 1


def test_one_embed_loads_in_place_and_grants_nothing(browser: Browser, site: Running) -> None:  # noqa: F811
    page, found = strict(browser, site)
    size = "e => [e.offsetWidth, e.offsetHeight]"
    before = page.locator(".cst-card").evaluate(size)
    page.get_by_role("button", name="Load once").click()
    expect(
        page.frame_locator("iframe[name=cst-frame-1]").frame_locator("iframe").get_by_text("playing")
    ).to_be_visible()
    expect(page.locator(".cst-card")).to_be_hidden()
    expect(page.locator("iframe[name=cst-frame-1]")).to_be_focused()
    assert page.locator(".cst-frame").evaluate(size) == before == [560, 315]
    assert site.granted == set()
    assert page.evaluate("consent.allows('youtube')") is False
    assert found == []


def test_always_allows_the_service_in_place_and_keeps_the_notice(browser: Browser, site: Running) -> None:  # noqa: F811
    page, found = strict(browser, site)
    page.get_by_role("button", name="Always show YouTube").click()
    expect(
        page.frame_locator("iframe[name=cst-frame-1]").frame_locator("iframe").get_by_text("playing")
    ).to_be_visible()
    expect(page.locator("[data-consent-banner]")).to_be_visible()
    assert site.granted == {"youtube"}
    assert page.evaluate("consent.allows('video')") is True
    assert page.evaluate("window.order") is None
    assert found == []


def test_a_reload_that_is_needed_spares_a_form_that_was_edited(browser: Browser, site: Running) -> None:  # noqa: F811
    site.reload = True
    page, _ = strict(browser, site)
    page.fill("#q", "half a thought")
    page.locator("[data-consent-action=accept]").click()
    expect(page.get_by_role("status")).to_contain_text("You have accepted all.")
    page.wait_for_function("() => window.changes")
    assert page.input_value("#q") == "half a thought"
    assert page.evaluate("window.order") is None
    fresh, _ = strict(browser, site, "/page")
    site.granted, site.posts = set(), []
    fresh.goto(site.origin + "/page")
    with fresh.expect_navigation():
        fresh.locator("[data-consent-action=accept]").click()
    expect(fresh.get_by_role("status")).to_be_focused()
    expect(fresh.locator("[data-consent-banner]")).to_have_count(0)


def test_a_page_that_forbids_our_policy_still_takes_the_answer(browser: Browser, site: Running) -> None:  # noqa: F811
    page, _ = strict(browser, site, FORBIDDING)
    page.locator("[data-consent-action=accept]").click()
    expect(page.get_by_role("status")).to_contain_text("You have accepted all.")
    assert [post["action"] for post in site.posts] == [["accept"]]


def test_an_answer_that_does_not_arrive_is_said_and_not_repeated(browser: Browser, site: Running) -> None:  # noqa: F811
    page, _ = strict(browser, site)
    attempts: list[str] = []

    def cut(route: Any) -> None:
        attempts.append(route.request.method)
        route.abort()

    page.route("**/consent/", cut)
    page.locator("[data-consent-action=accept]").click()
    expect(page.get_by_role("alert")).to_contain_text("did not reach the site")
    page.wait_for_timeout(200)
    assert attempts == ["POST"]
    assert page.evaluate("window.changes") is None
    expect(page.locator("[data-consent-banner]")).to_be_visible()


def test_another_tab_follows(browser: Browser, site: Running) -> None:  # noqa: F811
    page, _ = strict(browser, site)
    other = page.context.new_page()
    other.goto(site.origin + "/page")
    other.wait_for_function("() => window.consent")
    page.bring_to_front()
    page.locator("[data-consent-action=accept]").click()
    expect(other.locator("[data-consent-banner]")).to_have_count(0)
    other.wait_for_function("() => window.consent?.allows('video')")


def test_a_page_from_the_past_learns_what_was_decided_since(browser: Browser, site: Running) -> None:  # noqa: F811
    page, _ = strict(browser, site)
    page.evaluate("window.stale = true")
    site.posts.append({})
    site.granted = {"youtube"}
    with page.expect_navigation():
        page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    page.wait_for_function("() => window.consent?.allows('video')")
    assert page.evaluate("window.stale") is None


def test_withdrawing_deletes_what_the_service_had_stored(browser: Browser, site: Running) -> None:  # noqa: F811
    site.posts, site.granted = [{}], {"google-analytics-4", "youtube"}
    page, _ = strict(browser, site, "/page")
    page.evaluate(
        "localStorage.setItem('ga-1', 'x'); localStorage.setItem('own', 'y'); localStorage.setItem('xga-1', 'z')"
    )
    page.goto(site.origin + "/consent/")
    page.get_by_role("button", name="Withdraw all").click()
    expect(page.get_by_role("status")).to_contain_text("Your consent is withdrawn.")
    page.wait_for_function("() => localStorage.getItem('ga-1') === null")
    assert page.evaluate("Object.keys(localStorage).sort()") == ["own", "xga-1"]


def test_blocked_vendors_globals_do_nothing_and_go_when_the_vendor_comes(browser: Browser, site: Running) -> None:  # noqa: F811
    page, found = strict(browser, site)
    assert page.evaluate("[gtag('event', 'x') === undefined, dataLayer.push({a: 1}), dataLayer.length]") == [True, 0, 0]
    page.locator("[data-consent-action=accept]").click()
    page.wait_for_function("() => !('gtag' in window) && !('dataLayer' in window)")
    assert found == []


def test_open_leads_to_the_notice_or_to_the_settings(browser: Browser, site: Running) -> None:  # noqa: F811
    page, _ = strict(browser, site)
    page.evaluate("consent.open()")
    expect(page.locator("#cst-title")).to_be_focused()
    page.locator("[data-consent-action=reject]").click()
    expect(page.get_by_role("status")).to_be_focused()
    with page.expect_navigation():
        page.evaluate("consent.open()")
    expect(page.get_by_role("heading", level=1)).to_have_text("Cookie settings")
