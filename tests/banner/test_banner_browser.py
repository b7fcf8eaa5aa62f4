"""The notice in a real Chromium: what is seen, reached and announced, and what happens after an answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from banner_server import Running, running
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser
STYLES = {
    "plain": "",
    "flex": "body{display:flex;flex-direction:column;min-height:100vh;gap:2rem}html{font-size:62.5%}",
    "row": "body{display:flex}main{flex:1}",
    "grid": "body{display:grid;grid-template-columns:12rem 1fr}",
    "reset": "*,*::before,*::after{margin:0;padding:0;border:0;font:inherit;appearance:none;box-sizing:border-box}",
    "loud": (
        "button:first-child,form button:first-of-type{background:lime;font-size:3rem;padding:2rem}"
        "button[value=reject]{opacity:.2;font-size:8px}button+button{display:none}"
        "body form button.cst-button{color:red}"
        "h2{font-size:5rem}p{line-height:4;color:pink}a{display:none}input{display:none}fieldset{border:9px solid}"
        "section{display:none;position:fixed}label{float:left;width:40px}details{visibility:hidden}form{width:100px}"
    ),
}  # fmt: skip
EQUAL = (  # noqa: SIM905 - a column of words, names of computed properties
    "fontSize fontWeight fontFamily fontStyle lineHeight color backgroundColor backgroundImage borderTopWidth "
    "borderTopStyle borderTopColor borderTopLeftRadius paddingTop paddingLeft opacity visibility display cursor "
    "textTransform letterSpacing boxShadow filter transform order"
).split()


@pytest.fixture
def site() -> Iterator[Running]:
    with running(STYLES) as started:
        yield started


def visit(
    browser: Browser, site: Running, *, width: int = 1280, height: int = 800, path: str = "/page", **options: Any
) -> Page:
    context = browser.new_context(viewport={"width": width, "height": height}, **options)
    context.set_default_timeout(5_000)
    page = context.new_page()
    page.goto(site.origin + path)
    return page


def boxes(page: Page) -> list[dict[str, float]]:
    answers = page.locator(".cst-notice .cst-answers button")
    return [dict(answers.nth(n).bounding_box() or {}) for n in range(answers.count())]


@pytest.mark.parametrize("locale", ["en", "de"])
def test_both_answers_are_in_the_first_viewport_of_a_small_phone_without_javascript(
    browser: Browser, site: Running, locale: str
) -> None:
    page = visit(browser, site, width=320, height=568, path=f"/page?lang={locale}", java_script_enabled=False)
    assert len(boxes(page)) == 2
    for box in boxes(page):
        assert box["y"] > 0
        assert box["y"] + box["height"] <= 568
    expect(page.locator(".cst-notice input[type=checkbox]").first).to_be_hidden()
    page.locator(".cst-pick summary").click()
    expect(page.locator(".cst-notice input[type=checkbox]").first).to_be_visible()


@pytest.mark.parametrize("width", [320, 768, 1280])
@pytest.mark.parametrize("css", STYLES)
def test_answers_look_the_same_whatever_the_page_styles(browser: Browser, site: Running, css: str, width: int) -> None:
    page = visit(browser, site, width=width, path=f"/page?lang=de&css={css}")
    read = "(b, names) => { const s = getComputedStyle(b); return Object.fromEntries(names.map((n) => [n, s[n]])); }"
    answers = page.locator(".cst-notice .cst-answers button")
    accept, reject = (answers.nth(n).evaluate(read, EQUAL) for n in range(2))
    assert accept == reject
    assert (accept["opacity"], accept["visibility"]) == ("1", "visible")
    first, second = boxes(page)
    assert (first["width"], first["height"]) == (second["width"], second["height"])
    assert first["height"] >= 44
    assert page.locator(".cst-notice").evaluate("e => getComputedStyle(e).position") == "relative"
    assert page.locator(".cst-lead").evaluate("e => getComputedStyle(e).fontSize") == "16px"
    assert page.locator(".cst-notice").bounding_box()["width"] >= min(width, 280)  # type: ignore[index]
    assert page.locator(".cst-notice a[data-consent-action=settings]").is_visible()


@pytest.mark.parametrize("css", ["plain", "flex", "reset", "loud"])
def test_nothing_of_ours_scrolls_sideways_at_320_pixels(browser: Browser, site: Running, css: str) -> None:
    page = visit(browser, site, width=320, height=568, path=f"/page?lang=de&css={css}")
    assert page.locator(".cst-notice").evaluate("e => e.scrollWidth") <= 320
    if css in ("plain", "flex"):
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.goto(site.origin + "/consent/?lang=de")
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_wide_screens_show_every_purpose_without_opening_anything(browser: Browser, site: Running) -> None:
    page = visit(browser, site, java_script_enabled=False)
    expect(page.get_by_role("checkbox")).to_have_count(3)
    expect(page.get_by_role("checkbox", name="Donations")).to_be_visible()
    expect(page.get_by_role("button", name="Save selection", exact=True)).to_be_visible()


def test_every_target_is_large_enough(browser: Browser, site: Running) -> None:
    page = visit(browser, site, width=320, height=568)
    page.locator(".cst-pick summary").click()
    for selector in (".cst-button:visible", "label.cst-row", ".cst-pick summary", ".cst-settings a"):
        found = page.locator(selector)
        assert found.count()
        for number in range(found.count()):
            box = found.nth(number).bounding_box()
            assert box
            assert box["height"] >= 44, (selector, box)


def test_keyboard_reaches_everything_in_order_and_leaves_again(browser: Browser, site: Running) -> None:
    page = visit(browser, site)
    order = []
    for _ in range(9):
        page.keyboard.press("Tab")
        order.append(
            page.evaluate(
                "document.activeElement.id || document.activeElement.value || document.activeElement.textContent"
            )
        )
        outlined = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outlined in ("solid", "auto")
    assert order == [
        "Skip this notice", "Cookie settings", "Privacy policy", "accept", "reject",
        "donations", "analytics", "video", "save",
    ]  # fmt: skip
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "first"


def test_skip_link_leads_past_the_notice(browser: Browser, site: Running) -> None:
    page = visit(browser, site)
    page.keyboard.press("Tab")
    expect(page.locator(".cst-skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "first"
    assert site.posts == []


@pytest.mark.parametrize("scripted", [True, False])
def test_enter_on_a_ticked_box_saves_only_that(browser: Browser, site: Running, scripted: bool) -> None:
    page = visit(browser, site, java_script_enabled=scripted)
    page.get_by_role("checkbox", name="Donations").check()
    page.keyboard.press("Enter")
    expect(page.locator("[data-consent-confirmation]")).to_contain_text("Your selection is saved.")
    assert [(post["action"], post["grant"]) for post in site.posts] == [(["save"], ["donations"])]


@pytest.mark.parametrize("action", ["accept", "reject", "save"])
def test_every_answer_works_without_javascript_and_can_be_hidden(browser: Browser, site: Running, action: str) -> None:
    page = visit(browser, site, java_script_enabled=False)
    page.locator(f"[data-consent-action={action}]").click()
    expect(page.locator("[data-consent-banner]")).to_have_count(0)
    expect(page.get_by_role("status")).to_be_visible()
    page.get_by_role("button", name="Hide this message").click()
    expect(page.locator("[data-consent-confirmation]")).to_have_count(0)
    assert [post["action"] for post in site.posts] == [[action]]


def test_one_embed_loads_without_javascript(browser: Browser, site: Running) -> None:
    page = visit(browser, site, java_script_enabled=False)
    page.get_by_role("button", name="Load once").click()
    frame = page.frame_locator("iframe[name=cst-frame-1]").frame_locator("iframe")
    expect(frame.get_by_text("playing")).to_be_visible()
    expect(page.locator("[data-consent-banner]")).to_be_visible()


def test_escape_scrolling_and_waiting_answer_nothing(browser: Browser, site: Running) -> None:
    page = visit(browser, site)
    page.keyboard.press("Escape")
    page.mouse.wheel(0, 5000)
    page.locator("h1").click()
    page.wait_for_timeout(300)
    assert site.posts == []
    page.locator("[data-consent-action=reject]").click()
    expect(page.locator("[data-consent-confirmation]")).to_be_visible()
    assert len(site.posts) == 1
