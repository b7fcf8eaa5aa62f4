"""From the first page to withdrawal with Tab, Enter and Space alone, with a script and without.

Scrolling is instant for these visitors: on a busy machine the demo's smooth scrolling is late to reach the focus.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from demo_visitor import FRONT, Visitor
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]
MOST = 80
FOCUS = """() => {
  const focused = document.activeElement;
  const { left, top, width, bottom } = focused.getClientRects()[0] || focused.getBoundingClientRect();
  const hit = document.elementFromPoint(left + width / 2, (Math.max(top, 0) + Math.min(bottom, innerHeight)) / 2);
  const { outlineStyle, outlineWidth } = getComputedStyle(focused);
  return {
    place: [...document.querySelectorAll("*")].indexOf(focused),
    ours: Boolean(focused.closest(".cst")),
    ring: outlineStyle === "auto" || (outlineStyle !== "none" && parseFloat(outlineWidth) >= 2),
    seen: Boolean(hit) && (focused.contains(hit) || hit.contains(focused)),
    what: focused.outerHTML.slice(0, 120),
  };
}"""


def tab_to(visitor: Visitor, selector: str) -> int:
    """Press Tab until this has the focus: each stop is further down the page, to be seen, and ringed."""
    page, before = visitor.page, -1
    for pressed in range(1, MOST):
        page.keyboard.press("Tab")
        focus = _settled(visitor)
        assert focus["seen"], focus
        assert focus["place"] > before, "the focus went back, or nowhere"
        assert focus["ring"], focus
        before = focus["place"]
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return pressed
    raise AssertionError(f"{selector} was not reached")


def _settled(visitor: Visitor) -> dict[str, Any]:
    """Where the focus is once the page has scrolled there."""
    for _ in range(100):
        focus: dict[str, Any] = visitor.page.evaluate(FOCUS)
        if focus["seen"]:
            break
        visitor.page.wait_for_timeout(50)
    return focus


def granted(visitor: Visitor) -> list[str]:
    answer = visitor.context.request.get(f"{visitor.demo.site}/consent/state").json()
    return list(answer["granted"])


@pytest.mark.parametrize("width", [1280, 320])
@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_keyboard_alone_leads_from_the_first_page_to_withdrawal(visit: Visit, script: bool, width: int) -> None:
    visitor = visit(java_script_enabled=script, viewport={"width": width, "height": 600}, reduced_motion="reduce")
    page, confirmation = visitor.page, visitor.page.locator("[data-consent-confirmation]")
    visitor.read(FRONT)
    assert tab_to(visitor, ".cst-skip") == 1
    if width == 320:
        tab_to(visitor, ".cst-pick summary")
        page.keyboard.press("Enter")
    tab_to(visitor, "[data-consent-category=donations]")
    page.keyboard.press("Space")
    tab_to(visitor, "[data-consent-banner] [data-consent-action=save]")
    page.keyboard.press("Enter")
    expect(confirmation).to_contain_text("Your selection is saved.")
    visitor.settle()
    assert granted(visitor) == ["donorbox"]
    if script:
        expect(confirmation.get_by_role("status")).to_be_focused()

    assert tab_to(visitor, "[data-consent-action=hide]") == 2, "the link to the settings, then the button"
    page.keyboard.press("Space")
    expect(confirmation).to_have_count(0)
    visitor.settle()
    if script:
        expect(page.locator("main h1")).to_be_focused()

    tab_to(visitor, ".cst-settings a")
    page.keyboard.press("Enter")
    page.wait_for_url("**/consent/?**")
    tab_to(visitor, "[data-consent-action=withdraw]")
    page.keyboard.press("Enter")
    expect(confirmation).to_contain_text("Your consent is withdrawn.")
    assert granted(visitor) == []
    assert page.url == visitor.demo.site + FRONT, "back where the settings were called for"
    if script:
        expect(confirmation.get_by_role("status")).to_be_focused()
    tab_to(visitor, "[data-consent-action=hide]")
    page.keyboard.press("Enter")
    expect(confirmation).to_have_count(0)


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_skip_link_leads_to_the_page_and_answers_nothing(visit: Visit, script: bool) -> None:
    visitor = visit(java_script_enabled=script, reduced_motion="reduce")
    visitor.read(FRONT)
    tab_to(visitor, ".cst-skip")
    visitor.page.keyboard.press("Enter")
    visitor.page.keyboard.press("Tab")
    assert visitor.page.evaluate(FOCUS)["ours"] is False
    expect(visitor.page.locator("[data-consent-banner]")).to_be_visible()
    assert visitor.cookies() == {}
