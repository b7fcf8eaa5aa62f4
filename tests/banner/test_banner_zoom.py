"""Zoomed to 400 %, with a reader's own spacing, with text twice as large: nothing is cut off or out of reach.

WCAG 2.2: 1.4.4 (text at 200 %), 1.4.10 (320 by 256 CSS pixels), 1.4.12 (text spacing).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from banner_site import POLICY
from playwright.sync_api import Browser, Page, sync_playwright
from test_banner_axe import preferences, whole

from consent.policy import Policy
from tests.chromium import launch
from tests.covering import covering

pytestmark = pytest.mark.browser
Document = Callable[[Policy, str], str]
SUBJECTS: dict[str, tuple[Document, str]] = {
    "top": (whole, "top"), "bottom": (whole, "bottom"), "page": (whole, "page"), "preferences": (preferences, "top"),
}  # fmt: skip
LOCALES = ("de", "hu", "ar")
ZOOMED, WIDE = {"width": 320, "height": 256}, {"width": 1280, "height": 800}
SPACING = (
    "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }"
    "p { margin-block-end: 2em !important }"
)
LOOKS: dict[str, tuple[Any, str, bool]] = {
    "zoomed": (ZOOMED, "", False),
    "zoomed and spaced": (ZOOMED, SPACING, False),
    "spaced": (WIDE, SPACING, False),
    "twice the text": (WIDE, "", True),
}
FAULTS = """() => {
  const faults = [], root = document.scrollingElement, range = document.createRange();
  const say = (what, element) => faults.push(`${what}: ${element.className} ${element.textContent.trim().slice(0, 9)}`);
  const above = (element, found) => { for (let e = element; e; e = e.parentElement) if (found(e)) return e; };
  const put = (element) => element.scrollIntoView({ block: "center", behavior: "instant" });
  document.querySelectorAll(".cst details").forEach((details) => { details.open = true; });
  if (root.scrollWidth > innerWidth) faults.push(`scrolls sideways: ${root.scrollWidth}`);

  const hushed = (element) => above(element, (e) => getComputedStyle(e).clipPath !== "none");
  const seen = (element) =>
    element.closest(".cst") && !hushed(element) && element.checkVisibility({ visibilityProperty: true });
  const covered = (element, x, y) => {
    const hit = document.elementFromPoint(x, y);
    return !hit || !(element.contains(hit) || hit.contains(element) || hit.control === element);
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode, element = node.parentElement;
    if (!node.data.trim() || !seen(element)) continue;
    put(element);
    range.selectNodeContents(node);
    for (const { left, right, top, bottom } of range.getClientRects()) {
      if (left < -1 || right > innerWidth + 1) say("beyond the edge", element);
      const clip = above(element, (e) => e.localName === "button" || /hidden|clip/.test(getComputedStyle(e).overflow));
      const box = clip?.getBoundingClientRect();
      const sideways = box && (left < box.left - 1 || right > box.right + 1);
      if (sideways || (box && (top < box.top - 1 || bottom > box.bottom + 1))) say("cut off", element);
      const [x, y] = [(left + right) / 2, (top + bottom) / 2];
      if (y > 0 && y < innerHeight && covered(element, x, y)) say("covered", element);
    }
  }
  const controls = [...document.querySelectorAll(".cst :is(a, button, [type=checkbox], summary)")].filter(seen);
  for (const control of controls) {
    put(control);
    const { left, top, width, height } = control.getClientRects()[0];
    if (width < 1 || height < 1 || covered(control, left + width / 2, top + height / 2)) say("out of reach", control);
  }
  return { faults, controls: controls.length };
}"""


@pytest.fixture(scope="module")
def browsers() -> Iterator[Callable[[bool], Browser]]:
    """Chromium as it comes, or as its owner has set it: with text twice the usual size."""
    with sync_playwright() as playwright:

        @cache
        def start(large: bool) -> Browser:
            return launch(playwright, *(["--blink-settings=defaultFontSize=32"] if large else []))

        yield start


def shown(browsers: Callable[[bool], Browser], document: str, look: str) -> Page:
    size, css, large = LOOKS[look]
    page = browsers(large).new_page(viewport=size)
    page.route("**/*", lambda route: route.abort())
    page.set_content(document.replace("</head>", f"<style>{css}</style></head>"))
    return page


@pytest.mark.parametrize(("subject", "look", "locale"), covering(tuple(SUBJECTS), tuple(LOOKS), LOCALES))
def test_nothing_is_cut_off_covered_or_out_of_reach(
    browsers: Callable[[bool], Browser], subject: str, look: str, locale: str
) -> None:
    """Here each two of page, look and language; every combination is for ``make soak``."""
    document, layout = SUBJECTS[subject]
    policy = replace(POLICY, ask=replace(POLICY.ask, position=layout))
    page = shown(browsers, document(policy, locale), look)
    found = page.evaluate(FAULTS)
    assert found["controls"] > 12
    assert found["faults"] == []
    page.close()


@pytest.mark.parametrize(
    ("harm", "fault"),
    [
        ("lead.style.cssText = 'white-space: nowrap !important; display: block !important'", "scrolls sideways"),
        ("lead.style.cssText = 'height: 1em !important; overflow: hidden !important'", "cut off"),
        ("reject.style.cssText = 'white-space: nowrap !important; letter-spacing: 1em !important'", "cut off"),
        ("document.body.insertAdjacentHTML('beforeend', '<div style=\"position: fixed; inset: 40% 0\">Chat</div>')",
         "covered"),
        ("document.body.insertAdjacentHTML('beforeend', '<div style=\"position: fixed; inset: 40% 0\">Chat</div>')",
         "out of reach"),
    ],
)  # fmt: skip
def test_what_is_cut_off_covered_or_out_of_reach_is_noticed(
    browsers: Callable[[bool], Browser], harm: str, fault: str
) -> None:
    page = shown(browsers, whole(POLICY, "de"), "zoomed and spaced")
    page.evaluate(
        f"const lead = document.querySelector('.cst-lead'), reject = document.querySelector('[value=reject]'); {harm}"
    )
    assert any(found.startswith(fault) for found in page.evaluate(FAULTS)["faults"])
    page.close()


def test_the_looks_are_what_they_say(browsers: Callable[[bool], Browser]) -> None:
    read = "(e) => [getComputedStyle(e).fontSize, getComputedStyle(e).letterSpacing]"
    for look, expected in {
        "zoomed": ["16px", "normal"], "spaced": ["16px", "1.92px"], "twice the text": ["32px", "normal"],
    }.items():  # fmt: skip
        page = shown(browsers, whole(POLICY, "en"), look)
        assert page.locator(".cst-lead").first.evaluate(read) == expected
        page.close()


def test_names_and_foreign_words_keep_their_direction_in_arabic(browsers: Callable[[bool], Browser]) -> None:
    """A name such as ``_ga`` or ``*.example`` begins with what has no direction of its own."""
    page = shown(browsers, preferences(POLICY, "ar"), "spaced")
    read = """() => {
      document.querySelectorAll("details").forEach((details) => { details.open = true; });
      const edge = (node, at) => {
        const range = document.createRange();
        range.setStart(node, at);
        range.setEnd(node, at + 1);
        return range.getBoundingClientRect().left;
      };
      return [...document.querySelectorAll(".cst code, .cst span[lang]")].map(({ firstChild }) =>
        [firstChild.data, edge(firstChild, 0) < edge(firstChild, firstChild.length - 1)]);
    }"""
    found = dict(page.evaluate(read))
    assert {"_ga", "ga-*", "*.google-analytics.com", "Takes donations."} <= set(found)
    assert all(found.values()), found
    page.locator("style").last.evaluate("(e) => { e.textContent = '.cst * { unicode-bidi: normal !important }' }")
    assert not all(dict(page.evaluate(read)).values())  # the control
    page.close()
