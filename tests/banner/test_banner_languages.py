"""Every language on a small screen: both answers at once in sight, nothing cut off, nothing left in English."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from banner_site import POLICY
from playwright.sync_api import Page

from consent.banner import Banner, View
from consent.locale import AVAILABLE, texts
from consent.policy import Policy
from tests.chromium import launched

SMALL = {"width": 320, "height": 568}
PROMISES = re.compile(
    r"\b(improve|better|best\b|enjoy|verbesser|besser|optimal|genieß|améliorer|meilleur|mejorar|mejor|miglior|"
    r"verbeter|beter|ulepsz|lepsz|förbättr|bättre|bäst)\w*", re.IGNORECASE
)  # fmt: skip
OUTSIDE = """() => [...document.querySelectorAll("[data-consent-banner] *")].filter((element) => {
  const { left, right, width, height } = element.getBoundingClientRect();
  return width > 1 && height > 1 && (left < -1 || right > innerWidth + 1);
}).length + (document.documentElement.scrollWidth > innerWidth ? 1 : 0)"""


ANSWERS = """() => ["accept", "reject"].map((action) => {
  const { y, width, height } = document.querySelector(
    `[data-consent-banner] [data-consent-action=${action}]`).getBoundingClientRect();
  return { y, width, height };
})"""


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with launched() as browser:
        yield browser.new_page(viewport=SMALL)


def show(page: Page, tag: str, position: str, *, more: str = "") -> None:
    policy: Policy = replace(POLICY, ask=replace(POLICY.ask, position=position))
    banner, view = Banner(policy), View.neutral(policy, locale=tag)
    found = banner.static("notice.css")
    assert found
    page.set_content(
        f"<!doctype html><html lang={tag}><head><title>T</title><style>{found[0].decode()}{more}</style></head>"
        f"<body>{banner.notice(view).decode()}<main><p>Words.</p></main></body></html>"
    )


@pytest.mark.parametrize("position", ["top", "bottom"])
@pytest.mark.parametrize("tag", AVAILABLE)
def test_both_answers_are_in_sight_and_nothing_is_cut_off(page: Page, tag: str, position: str) -> None:
    show(page, tag, position)
    boxes = page.evaluate(ANSWERS)
    for box in boxes:
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= SMALL["height"], "below the first viewport"
    assert boxes[0]["width"] == pytest.approx(boxes[1]["width"], abs=1)
    assert boxes[0]["height"] == pytest.approx(boxes[1]["height"], abs=1)
    assert page.evaluate(OUTSIDE) == 0


def test_what_is_too_wide_or_too_low_is_noticed(page: Page) -> None:
    show(page, "de", "top", more="[data-consent-banner] h2 { inline-size: 400px !important }")
    assert page.evaluate(OUTSIDE) > 0
    show(page, "de", "top", more="body { padding-block-start: 600px !important }")
    assert page.evaluate(ANSWERS)[1]["y"] > SMALL["height"]


@pytest.mark.parametrize("tag", AVAILABLE)
def test_neither_answer_outweighs_the_other_by_its_length(tag: str) -> None:
    accept, refuse = (texts(tag).gettext(words) for words in ("Accept all", "Accept only necessary"))
    assert accept.casefold() != refuse.casefold()
    assert max(len(accept), len(refuse)) <= 2.5 * min(len(accept), len(refuse))


@pytest.mark.parametrize("tag", AVAILABLE)
def test_no_purpose_promises_a_benefit(tag: str) -> None:
    speaks = texts(tag)
    for service in POLICY.services:
        assert not PROMISES.search(speaks.gettext(service.purpose))
    for message in speaks._known:
        assert not PROMISES.search(speaks.gettext(message)), message


def test_a_promise_is_noticed() -> None:
    for words in ("To improve your experience", "Damit Ihr Erlebnis besser wird", "Pour améliorer votre visite"):
        assert PROMISES.search(words)


@pytest.mark.parametrize("tag", [tag for tag in AVAILABLE if tag != "en"])
def test_nothing_in_the_notice_is_left_in_english(page: Page, tag: str) -> None:
    show(page, tag, "top")
    shown = page.locator("[data-consent-banner]").inner_text()
    english = [
        line for line in (texts("en").gettext(message) for message in texts(tag)._known) if len(line.split()) > 2
    ]
    assert [line for line in english if line in shown] == []
    assert page.locator("[data-consent-banner]").get_attribute("lang") == tag
