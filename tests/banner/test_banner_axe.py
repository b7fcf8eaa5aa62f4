"""Every part of ours under axe-core: each layout and theme, light, dark, in forced colours, from left and right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from banner_site import POLICY, SITE, view
from npm_packages import text_of
from playwright.sync_api import Browser, Page, sync_playwright

from consent.banner import Banner, static
from consent.banner.view import Written
from consent.choice import Choice
from consent.locale import texts
from consent.policy import Policy

pytestmark = pytest.mark.browser
LAYOUTS = ("top", "bottom", "page")
THEMES = ("paper", "plain", "ink", "warm")
LOOKS: tuple[dict[str, Any], ...] = (
    {"color_scheme": "light", "forced_colors": "none"},
    {"color_scheme": "dark", "forced_colors": "none"},
    {"color_scheme": "light", "forced_colors": "active"},
    {"color_scheme": "dark", "forced_colors": "none", "contrast": "more"},
)
RUN = "() => axe.run(document, { resultTypes: ['violations'] })"
ARABIC = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "Accept all"\nmsgstr "قبول الكل"\n'


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        started = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        yield started
        started.close()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A site whose own translations bring Arabic, written from right to left, whatever the package has."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "locales").mkdir()
    (folder / "locales" / "ar.po").write_text(ARABIC, encoding="utf-8")
    return str(folder / "consent.toml")


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
    spoken = texts(locale, site_locales=Path(policy.source).parent / "locales")
    return (
        f"<!doctype html><html lang={locale} dir={spoken.direction}><head><title>News</title>"
        "<meta name=viewport content='width=device-width, initial-scale=1'>"
        f"{sheets(policy.ask.theme, pages=True)}</head>"
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


@pytest.mark.parametrize("locale", ["en", "ar"])
@pytest.mark.parametrize(("theme", "layout"), list(product(THEMES, LAYOUTS)))
def test_axe_finds_nothing(browser: Browser, axe: str, source: str, theme: str, layout: str, locale: str) -> None:
    policy = Policy(
        site=SITE, services=POLICY.services, source=source, ask=replace(POLICY.ask, theme=theme, position=layout)
    )  # fmt: skip
    page = browser.new_page(viewport={"width": 320 if theme == "warm" else 1280, "height": 900})
    page.route("**/*", lambda route: route.abort())
    # The preferences page has no layouts: it is looked at once for each theme.
    for document in [whole, *([preferences] if layout == "top" else [])]:
        page.set_content(document(policy, locale))
        assert page.evaluate("document.documentElement.dir") == ("rtl" if locale == "ar" else "ltr")
        for look in LOOKS:
            page.emulate_media(**({"contrast": "no-preference"} | look))
            assert violations(page, axe) == [], (document.__name__, look)
    page.close()


def test_axe_would_find_a_mistake(browser: Browser, axe: str, source: str) -> None:
    page = browser.new_page()
    page.set_content(whole(replace(POLICY, source=source), "en"))
    assert violations(page, axe) == []
    page.evaluate("() => { document.querySelector('.cst-title').removeAttribute('id'); document.title = ''; }")
    page.evaluate("() => document.querySelector('.cst-lead').style.setProperty('color', '#ddd', 'important')")
    assert {"document-title", "color-contrast"} <= {found for found, _ in violations(page, axe)}
    page.close()
