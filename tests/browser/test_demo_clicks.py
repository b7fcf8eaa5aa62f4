"""How many clicks an answer takes, counted by trying every control; how large controls are; what is ticked."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest
from demo_visitor import DONATE, FRONT, VIDEO, Visitor
from playwright.sync_api import Error, Locator

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]
CONTROLS = ".cst :is(button:not([tabindex='-1']), a:not(.cst-skip), summary, [type=checkbox]), .cst-settings a"
ALONE = ":is(.cst-head, .cst-card, .cst-settings) a, [data-consent-return]"  # links in a sentence may be as low as it
MEASURED = f".cst :is(button:not([tabindex='-1']), summary, label), {ALONE}"
SMALL = """([selector, least]) => [...document.querySelectorAll(selector)]
  .filter((control) => control.checkVisibility({ visibilityProperty: true }))
  .map((control) => [control.textContent.trim(), control.getBoundingClientRect()])
  .filter(([, { width, height }]) => width < least || height < least)
  .map(([name, { width, height }]) => `${name}: ${width} x ${height}`)"""
TICKED = ":is([type=checkbox], [type=radio]):checked, [aria-checked=true], [aria-pressed=true], option:checked"


def outcome(visitor: Visitor) -> str:
    """``accepted`` with every service granted, ``refused`` with an answer and none, else nothing."""
    state = visitor.context.request.get(f"{visitor.demo.site}/consent/state").json()
    if len(state["granted"]) == 3:
        return "accepted"
    return "refused" if state["chosen"] and not state["granted"] else ""


def controls(visitor: Visitor) -> list[Locator]:
    return [control for control in visitor.page.locator(CONTROLS).all() if control.is_visible()]


def arrive(visitor: Visitor, path: str) -> None:
    """Open a page, again if the one before it was just about to load itself anew."""
    try:
        visitor.page.goto(visitor.demo.site + path)
    except Error:
        visitor.page.goto(visitor.demo.site + path)


def fewest_clicks(visitor: Visitor, start: str, most: int) -> dict[str, int]:
    """The fewest clicks to each outcome from a fresh visit to this page: every control tried, then every pair."""
    found: dict[str, int] = {}
    for length in range(1, most + 1):
        visitor.context.clear_cookies()
        arrive(visitor, start)
        for way in product(range(len(controls(visitor))), repeat=length):
            visitor.context.clear_cookies()
            arrive(visitor, start)
            for number in way:
                there = controls(visitor)
                if number < len(there):
                    there[number].click()
                    visitor.settle()
            found.setdefault(outcome(visitor), length)
        if {"accepted", "refused"} <= set(found):
            break
    return found


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_refusing_takes_one_click_as_accepting_does(visit: Visit, script: bool, width: int) -> None:
    visitor = visit(viewport={"width": width, "height": 800}, java_script_enabled=script)
    found = fewest_clicks(visitor, FRONT, 2)
    assert (found["refused"], found["accepted"]) == (1, 1)


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_withdrawing_takes_one_click_more_than_accepting(visit: Visit, script: bool) -> None:
    visitor = visit(java_script_enabled=script)
    visitor.read(FRONT)
    visitor.answer("accept")
    assert outcome(visitor) == "accepted"
    visitor.read(VIDEO)
    visitor.page.locator(".cst-settings a").click()
    withdraw = visitor.page.locator("[data-consent-action=withdraw]")
    box = withdraw.bounding_box()
    assert box
    assert box["y"] + box["height"] < 900, "no scrolling to find it"
    withdraw.click()
    visitor.settle()
    assert outcome(visitor) == "refused"


@pytest.mark.parametrize("width", [320, 1280])
def test_every_control_is_large_and_nothing_is_ticked_on_any_page(visit: Visit, width: int) -> None:
    visitor = visit(viewport={"width": width, "height": 700})
    for path in (FRONT, VIDEO, DONATE, "/en/privacy", "/consent/", "/consent/receipt", "/consent/embed"):
        visitor.read(path)
        assert visitor.page.evaluate(SMALL, [MEASURED, 24]) == []
        assert visitor.page.evaluate(SMALL, [MEASURED, 1e4]), f"nothing was measured on {path}"
        assert visitor.page.locator(f".cst :is({TICKED})").count() == 0
    visitor.read(FRONT)
    visitor.answer("reject")
    assert visitor.page.evaluate(SMALL, [".cst button", 44]) == []
    visitor.read("/consent/")
    assert visitor.page.locator(f".cst :is({TICKED})").count() == 0
    visitor.page.locator("[data-consent-service=matomo]").check()
    assert visitor.page.locator(f".cst :is({TICKED})").count() == 1  # the control
