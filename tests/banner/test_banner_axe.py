"""Every part of ours under axe-core: in each layout and theme, light, dark, in forced colours, in both directions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from banner_site import POLICY, view
from npm_packages import text_of
from playwright.sync_api import Browser, Page

from consent.banner import Banner, static
from consent.banner.view import Written
from consent.choice import Choice
from consent.locale import AVAILABLE
from consent.policy import Policy
from tests.covering import covering

pytestmark = pytest.mark.browser
LAYOUTS = ("top", "bottom", "page")
THEMES = ("paper", "plain", "ink", "warm")
DIRECTIONS = ("ltr", "rtl")
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "forced_colors": "none"},
    "dark": {"color_scheme": "dark", "forced_colors": "none"},
    "forced": {"color_scheme": "light", "forced_colors": "active"},
    "more": {"color_scheme": "dark", "forced_colors": "none", "contrast": "more"},
}
RUN = "() => axe.run(document, { resultTypes: ['violations'] })"
ARABIC = "ar" if "ar" in AVAILABLE else "en"


@pytest.fixture(scope="module")
def axe() -> str:
    return text_of("axe-core@4", "axe.min.js")


def sheets(theme: str, *, pages: bool) -> str:
    """Our stylesheets, written into the page."""
    return "".join(f"<style>{static.content(name).decode()}</style>" for name in static.sheets(theme, pages=pages))


def whole(policy: Policy, locale: str) -> str:
    """A page of the site with the notice, a confirmation, placeholders and the declaration."""
    banner, seen = Banner(policy), view(locale, of=policy)
    video = Written(
        service=policy.service("youtube"), url="https://www.youtube.com/embed/M7lc1UVf-VE", width="560", height="315"
    )
    parts = [
        banner.notice(seen),
        banner.confirmation(replace(seen, message="withdrawn")),
        b"<main><h1>Ports reopen</h1>",
        banner.placeholder(seen, video),
        banner.placeholder(seen, replace(video, poster="data:,")),
        banner.declaration(seen),
        b"</main><footer>",
        banner.settings_link(seen),
        b"</footer>",
    ]
    return (
        f'<!doctype html><html lang="{locale}" dir="ltr"><head><title>News</title>'
        f"<meta name=viewport content='width=device-width'>{sheets(policy.ask.theme, pages=True)}</head>"
        f"<body>{b''.join(parts).decode()}</body></html>"
    )


def preferences(policy: Policy, locale: str) -> str:
    """The preferences page of somebody who has allowed something."""
    seen = view(locale, Choice.granting("youtube"), of=policy, message="saved", gpc=True)
    page = Banner(policy).preferences(seen)
    return page.replace("</head>", f"{sheets(policy.ask.theme, pages=True)}</head>")


def violations(page: Page, axe: str) -> list[tuple[str, list[str]]]:
    page.evaluate("() => document.querySelectorAll('.cst details').forEach((d) => { d.open = true; })")
    page.evaluate(axe)
    return [(v["id"], [node["html"][:160] for node in v["nodes"]]) for v in page.evaluate(RUN)["violations"]]


def found(
    browser: Browser, axe: str, document: str, *, theme: str, direction: str, look: str
) -> list[tuple[str, list[str]]]:
    """What axe finds in the document, at the width of a phone in one of the themes."""
    page = browser.new_page(viewport={"width": 320 if theme == "warm" else 1280, "height": 900}, **LOOKS[look])
    page.route("**/*", lambda route: route.abort())
    page.set_content(document.replace('dir="ltr"', f'dir="{direction}"'))
    assert page.locator(f"[dir={direction}]").count() == page.locator("[dir]").count() > 0
    violated = violations(page, axe)
    page.close()
    return violated


def themed(theme: str, layout: str) -> Policy:
    return replace(POLICY, ask=replace(POLICY.ask, theme=theme, position=layout))


@pytest.mark.parametrize(("theme", "layout", "direction", "look"), covering(THEMES, LAYOUTS, DIRECTIONS, tuple(LOOKS)))
def test_axe_finds_nothing_on_a_page(
    browser: Browser, axe: str, theme: str, layout: str, direction: str, look: str
) -> None:
    """Here each two of theme, layout, direction and look; every combination is for ``make soak``."""
    document = whole(themed(theme, layout), ARABIC if direction == "rtl" else "en")
    assert found(browser, axe, document, theme=theme, direction=direction, look=look) == []


@pytest.mark.parametrize(("theme", "direction", "look"), covering(THEMES, DIRECTIONS, tuple(LOOKS)))
def test_axe_finds_nothing_on_the_preferences_page(
    browser: Browser, axe: str, theme: str, direction: str, look: str
) -> None:
    """The page has no layouts; here each two of theme, direction and look, the rest is for ``make soak``."""
    document = preferences(themed(theme, "top"), ARABIC if direction == "rtl" else "en")
    assert found(browser, axe, document, theme=theme, direction=direction, look=look) == []


def test_axe_would_find_a_mistake(browser: Browser, axe: str) -> None:
    page = browser.new_page()
    page.set_content(whole(POLICY, "en"))
    assert violations(page, axe) == []
    page.evaluate("() => { document.querySelector('.cst-title').removeAttribute('id'); document.title = ''; }")
    page.evaluate("() => document.querySelector('.cst-lead').style.setProperty('color', '#ddd', 'important')")
    assert {"document-title", "color-contrast"} <= {found for found, _ in violations(page, axe)}
    page.close()
