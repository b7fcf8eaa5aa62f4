"""Where the notice stands: fixed to the lower edge where there is room, in the flow where there isn't, or as a page."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from banner_site import POLICY
from playwright.sync_api import Page

from consent.banner import Banner, View
from consent.policy import Policy

LINKS = "".join(f"<p><a href='#{number}'>Link {number}</a> and words that follow it.</p>" for number in range(30))


COVERED = """() => {
  const focused = document.activeElement;
  if (!focused.closest("main")) return false;
  const { left, top, bottom } = focused.getBoundingClientRect();
  const hidden = (y) => document.elementFromPoint(left + 2, y)?.closest("[data-consent-banner]");
  return Boolean(hidden(top + 1) && hidden(bottom - 1));
}"""


def document(position: str, *, padded: bool = True) -> str:
    policy: Policy = replace(POLICY, ask=replace(POLICY.ask, position=position))
    banner, view = Banner(policy), View.neutral(policy, locale="en")
    found = banner.static("notice.css")
    assert found
    return (
        f"<!doctype html><html lang=en><head><title>T</title><style>{found[0].decode()}"
        f"{'' if padded else 'html:has(body) { scroll-padding: 0 !important }'}</style></head>"
        f"<body>{banner.notice(view).decode()}<main>{LINKS}</main></body></html>"
    )


def shown(browser: Any, position: str, width: int, height: int, *, padded: bool = True) -> Page:
    page: Page = browser.new_page(viewport={"width": width, "height": height})
    page.set_content(document(position, padded=padded))
    return page


def covered(page: Page) -> int:
    """How many of the page's links had the focus while the notice hid them, tabbing through all of them."""
    hidden = 0
    for _ in range(60):
        page.keyboard.press("Tab")
        hidden += bool(page.evaluate(COVERED))
        if page.evaluate("document.activeElement.hash") == "#29":
            return hidden
    raise AssertionError("the last link was never reached")


def style(page: Page, name: str) -> str:
    return str(page.eval_on_selector("[data-consent-banner]", f"e => getComputedStyle(e).{name}"))


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (1024, 700)])
def test_bottom_is_fixed_and_no_higher_than_two_fifths(browser: Any, width: int, height: int) -> None:
    page = shown(browser, "bottom", width, height)
    box = page.locator("[data-consent-banner]").bounding_box()
    assert box
    assert style(page, "position") == "fixed"
    assert box["height"] <= height * 0.4 + 1
    assert box["y"] + box["height"] == pytest.approx(height, abs=1)
    page.close()


@pytest.mark.parametrize(("width", "height"), [(320, 568), (1280, 500), (640, 900)])
def test_bottom_is_in_the_flow_where_there_is_little_room(browser: Any, width: int, height: int) -> None:
    page = shown(browser, "bottom", width, height)
    assert style(page, "position") not in ("fixed", "sticky")
    page.close()


@pytest.mark.parametrize("position", ["top", "bottom", "page"])
def test_focus_is_never_covered(browser: Any, position: str) -> None:
    page = shown(browser, position, 1280, 900)
    assert covered(page) == 0
    page.close()


def test_focus_would_be_covered_if_scrolling_kept_no_distance(browser: Any) -> None:
    page = shown(browser, "bottom", 1280, 900, padded=False)
    assert covered(page) > 0
    page.close()


def test_page_fills_the_first_screen_with_every_purpose_open(browser: Any) -> None:
    page = shown(browser, "page", 320, 568)
    box = page.locator("[data-consent-banner]").bounding_box()
    assert box
    assert box["height"] >= 568
    assert all(found.is_visible() for found in page.locator("[data-consent-category]").all())
    page.close()
    folded = shown(browser, "top", 320, 568)  # the control
    assert not any(found.is_visible() for found in folded.locator("[data-consent-category]").all())
    folded.close()
