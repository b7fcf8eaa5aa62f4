"""Every page in every language on a screen 320 px wide: nothing runs out of it, and both answers are in sight."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from every_page import brief
from playwright.sync_api import Page

from consent.banner import Banner, View, static
from consent.banner.view import Written
from consent.choice import Choice, Signals, decide
from consent.locale import AVAILABLE, texts
from consent.locale.shelf import FOLDER, VARIANT
from tests.chromium import launched

SMALL = {"width": 320, "height": 568}
INFORMAL = sorted(path.stem for path in FOLDER.glob(f"*{VARIANT}.po"))
LONG = brief()
"""A site with long names, services that say all they can, and tables of what they store."""
OUTSIDE = """() => [...document.querySelectorAll("body *")].filter((element) => {
  const { left, right, width, height } = element.getBoundingClientRect();
  const shown = width > 1 && height > 1 && getComputedStyle(element).visibility === "visible";
  const hushed = element.closest("thead, .cst-enter, .cst-skip, legend") !== null;
  return shown && !hushed && (left < -1 || right > innerWidth + 1);
}).map((element) => `${element.localName}.${element.className}: ${element.textContent.slice(0, 40)}`)
  .concat(document.documentElement.scrollWidth > innerWidth ? ["the page scrolls sideways"] : [])"""
CUT = """() => [...document.querySelectorAll("button, summary, h1, h2, label, a, dt, dd, td, p")].filter((element) => {
  const clipped = getComputedStyle(element).overflowX !== "visible";
  return clipped && element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 1;
}).map((element) => `${element.localName}: ${element.textContent.slice(0, 40)}`)"""


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with launched() as browser:
        yield browser.new_page(viewport=SMALL)


@pytest.fixture(scope="module")
def banners() -> dict[str, Banner]:
    informal = replace(LONG, site=replace(LONG.site, register="informal"))
    return {"formal": Banner(LONG), "informal": Banner(informal)}


def pieces(banner: Banner, tag: str) -> dict[str, str]:
    """What stands in pages, by name: whole pages of ours, and what is put into a page of the site's."""
    neutral = View.neutral(LONG, locale=tag)
    keys = frozenset(neutral.asking)
    made = Choice(asked=keys, granted=keys, receipt="7e" * 16)
    granting = replace(neutral, choice=made, permissions=decide(LONG, made, Signals()), next="/article")
    embed = Written(service=LONG.service("youtube"), url="https://www.youtube.com/embed/abc", width="280", height="200")
    return {
        "preferences": banner.preferences(granting),
        "ask again": banner.plain(neutral, "cross-site"),
        "declaration": banner.declaration(neutral).decode(),
        "placeholder": banner.placeholder(neutral, embed).decode(),
        "confirmation": banner.confirmation(replace(granting, message="withdrawn")).decode(),
    }


def show(page: Page, tag: str, html: str, *, more: str = "") -> None:
    """The piece in a page with our style sheets, everything that opens opened, as it is read without JavaScript."""
    css = "".join(static.content(name).decode() for name in ("notice.css", "pages.css"))
    body = html.partition("<body>")[2] or html
    page.set_content(
        f'<!doctype html><html class="{"cst-page" if "<body>" in html else ""}" lang="{tag}" '
        f'dir="{texts(tag).direction}"><meta name="viewport" content="width=device-width">'
        f"<style>body{{margin:0}}{css}{more}</style><body>{body.replace('<details', '<details open')}",
        wait_until="domcontentloaded",
    )


def overflowing(page: Page) -> list[str]:
    found: list[str] = page.evaluate(OUTSIDE) + page.evaluate(CUT)
    return found


@pytest.mark.parametrize("tag", [*AVAILABLE, *INFORMAL])
def test_no_page_runs_out_of_a_small_screen(page: Page, banners: dict[str, Banner], tag: str) -> None:
    banner, spoken = banners["informal" if tag.endswith(VARIANT) else "formal"], tag.removesuffix(VARIANT)
    wrong = {}
    for name, html in pieces(banner, spoken).items():
        show(page, spoken, html)
        if found := overflowing(page):
            wrong[name] = found
    assert wrong == {}


@pytest.mark.parametrize("tag", INFORMAL)
def test_both_informal_answers_are_in_the_first_view(page: Page, banners: dict[str, Banner], tag: str) -> None:
    spoken = tag.removesuffix(VARIANT)
    html = banners["informal"].notice(View.neutral(LONG, locale=spoken)).decode()
    show(page, spoken, html.replace("<details", "<details data-shut"))
    page.evaluate("() => document.querySelectorAll('details').forEach((one) => { one.open = false })")
    boxes: list[Any] = [
        page.locator(f"[data-consent-banner] [data-consent-action={action}]").first.bounding_box()
        for action in ("accept", "reject")
    ]
    assert all(box["y"] + box["height"] <= SMALL["height"] for box in boxes)
    assert boxes[0]["width"] == pytest.approx(boxes[1]["width"], abs=1)
    assert boxes[0]["height"] == pytest.approx(boxes[1]["height"], abs=1)


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("preferences", ".cst-name { white-space: nowrap !important; inline-size: 400px !important }"),
        ("declaration", "td { white-space: nowrap !important; min-inline-size: 500px !important }"),
        ("placeholder", ".cst-card .cst-title { inline-size: 400px !important }"),
        ("confirmation", ".cst-lead { inline-size: 400px !important; max-inline-size: none !important }"),
        ("ask again", "h1 { inline-size: 200px; overflow: hidden !important; white-space: nowrap !important }"),
    ],
)
def test_what_runs_out_is_noticed(page: Page, banners: dict[str, Banner], name: str, more: str) -> None:
    show(page, "de", pieces(banners["formal"], "de")[name], more=more)
    assert overflowing(page) != []
