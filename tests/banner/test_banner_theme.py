"""Themes in a real Chromium: what custom properties reach, what they can't make unequal, what contrast is left."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from banner_site import POLICY
from npm_packages import text_of
from playwright.sync_api import Browser, Page

from consent.banner import Banner, View, static

pytestmark = pytest.mark.browser
THEMES = ("paper", "plain", "ink", "warm")
COLOURS = ("surface", "ink", "muted", "line", "accent", "on-accent", "focus")
OTHERS = ("radius", "width", "font", "title-font")
PROPERTIES = [f"--cst-{name}" for name in (*COLOURS, *(f"{name}-dark" for name in COLOURS), *OTHERS)]
REFERENCE = Path(__file__).parents[2] / "docs/reference/theming.md"
FRAMEWORKS = {
    "bootstrap": ("bootstrap@5", "dist/css/bootstrap.min.css"),
    "tailwind": ("tailwindcss@4", "preflight.css"),
    "bulma": ("bulma@1", "css/bulma.min.css"),
}
HOSTILE = {
    "weaker": "[data-consent-action=reject]{opacity:.1;background:#eee;color:#ddd;font-size:8px;padding:0;border:0}",
    "important": (
        "html body #x, html body form [data-consent-action=reject]{opacity:.1!important;background:#eee!important;"
        "color:#eee!important;font:8px serif!important;transform:scale(.3)!important;position:absolute!important;"
        "inset-inline-start:-999px!important;filter:blur(9px)!important;clip-path:inset(50%)!important;"
        "letter-spacing:-1em!important;direction:rtl!important;unicode-bidi:bidi-override!important;zoom:.5!important;"
        "order:9!important;display:none!important;visibility:hidden!important;pointer-events:none!important}"
    ),
    "properties": (
        "[data-consent-action=reject]{--a:#eee!important;--o:#eee!important;--r:9em!important;--f:#fff!important;"
        "--cst-accent:#eee!important}"
    ),
    "animated": "@keyframes x{to{opacity:0;scale:.1}}button[value=reject]{animation:x 0s forwards!important;"
    "transition:all 9s!important}",
    "pseudo": (
        "[value=reject]::before,[value=reject]::after{content:'No';position:absolute;inset:0;background:#fff!important}"
        "[value=reject]::first-line,[value=reject]::first-letter{color:#fff!important;font-size:1px!important}"
    ),
    "squeezed": ".cst-answers{grid-template-columns:1fr 0!important;display:flex!important}"
    ".cst-answers>:last-child{flex:0!important;max-width:1em!important}",
    "specific": "#a#b#c#d, :is(#a#b#c#d, [data-consent-action=reject]){display:none!important;color:red!important}",
    "layered": "@layer later{[data-consent-action=reject]{opacity:.2!important;color:red!important}}",
}
READ = """() => {
  const [accept, reject] = ["accept", "reject"].map((action) =>
    document.querySelector(`[data-consent-banner] .cst-answers [data-consent-action=${action}]`));
  const unequal = [];
  let compared = 0;
  for (const part of [null, "::before", "::after", "::first-line", "::first-letter"]) {
    const [one, other] = [accept, reject].map((button) => getComputedStyle(button, part));
    for (const name of new Set([...one, ...other])) {
      if (name.startsWith("--")) continue;
      compared += 1;
      if (one[name] !== other[name]) unequal.push([part, name, one[name], other[name]]);
    }
  }
  const sizes = [accept, reject].map((button) => button.getBoundingClientRect()).map((box) => [box.width, box.height]);
  const seen = [accept, reject].map((button) =>
    button.checkVisibility({ opacityProperty: true, visibilityProperty: true }));
  return { unequal, compared, sizes, seen };
}"""


def document(theme: str = "paper", *, css: str = "", position: str = "top", locale: str = "en") -> str:
    """A page with the notice in this theme, and the site's own stylesheet after ours."""
    policy = replace(POLICY, ask=replace(POLICY.ask, theme=theme, position=position))
    ours = "".join(f"<style>{static.content(name).decode()}</style>" for name in static.sheets(theme, pages=False))
    notice = Banner(policy).notice(View.neutral(policy, locale=locale)).decode()
    return (
        f"<!doctype html><html lang=en><head><title>T</title><meta name=viewport content='width=device-width'>{ours}"
        f"<style>{css}</style></head><body>{notice}<main><h1>News</h1><p>Text.</main></body></html>"
    )


def shown(browser: Browser, theme: str = "paper", *, css: str = "", width: int = 1280, **look: Any) -> Page:
    page = browser.new_page(viewport={"width": width, "height": 800}, **look)
    page.set_content(document(theme, css=css))
    return page


def assert_equal(page: Page, case: object) -> None:
    found = page.evaluate(READ)
    assert found["unequal"] == [], case
    assert found["compared"] > 5 * 300
    assert found["sizes"][0] == found["sizes"][1], case
    assert found["sizes"][0][1] >= 44, case
    assert found["seen"] == [True, True], case


def colour(page: Page, selector: str, name: str) -> tuple[float, float, float]:
    value = page.eval_on_selector(selector, f"(e) => getComputedStyle(e).{name}")
    red, green, blue, *alpha = (float(part) for part in re.findall(r"[\d.]+", value))
    assert not alpha or alpha[0] == 1, (selector, value)
    return red, green, blue


def contrast(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    """The ratio of WCAG 2.2."""

    def luminance(colour: tuple[float, float, float]) -> float:
        parts = [c / 255 for c in colour]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("theme", THEMES)
def test_contrast_is_well_above_what_is_asked(browser: Browser, theme: str, scheme: Any) -> None:
    page = shown(browser, theme, color_scheme=scheme)
    surface = colour(page, "[data-consent-banner]", "backgroundColor")
    for selector, least in (
        (".cst-title", 7),
        (".cst-lead", 7),
        (".cst-small", 7),
        (".cst-detail", 7),
        (".cst-name", 7),
    ):
        assert contrast(colour(page, selector, "color"), surface) >= least, selector
    button = "[data-consent-action=reject]"
    assert contrast(colour(page, button, "color"), colour(page, button, "backgroundColor")) >= 7
    assert contrast(colour(page, button, "backgroundColor"), surface) >= 4.5
    assert contrast(colour(page, "[data-consent-action=save]", "color"), surface) >= 4.5
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert contrast(colour(page, ":focus", "outlineColor"), surface) >= 3
    page.close()


@pytest.mark.parametrize("theme", THEMES[1:])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_theme_has_looks_of_its_own_and_the_sites_properties_come_before_it(
    browser: Browser, theme: str, scheme: Any
) -> None:
    paper, other = shown(browser, color_scheme=scheme), shown(browser, theme, color_scheme=scheme)
    assert colour(paper, "[data-consent-banner]", "backgroundColor") != colour(
        other, "[data-consent-banner]", "backgroundColor"
    )
    own = ":root { --cst-surface: #010203; --cst-surface-dark: #010203; }"
    themed = shown(browser, theme, css=own, color_scheme=scheme)
    assert colour(themed, "[data-consent-banner]", "backgroundColor") == (1, 2, 3)
    for page in (paper, other, themed):
        page.close()


@pytest.mark.parametrize("theme", THEMES)
def test_more_contrast_means_no_muted_words_and_full_lines(browser: Browser, theme: str) -> None:
    more, usual = shown(browser, theme, contrast="more"), shown(browser, theme)
    ink = colour(more, ".cst-title", "color")
    assert colour(more, ".cst-small", "color") == ink
    assert colour(more, "[data-consent-banner]", "borderBottomColor") == ink
    assert colour(usual, ".cst-small", "color") != ink  # the control
    more.close()
    usual.close()


@pytest.mark.parametrize("theme", THEMES)
def test_forced_colours_are_the_readers_and_buttons_keep_an_edge(browser: Browser, theme: str) -> None:
    page, usual = shown(browser, theme, forced_colors="active"), shown(browser, theme)
    edges = []
    for each in (page, usual):
        assert_equal(each, theme)
        edges.append(
            (colour(each, ".cst-lead", "color"), colour(each, "[data-consent-action=reject]", "borderTopColor"))
        )
    system = page.evaluate(
        "() => { const p = document.body.appendChild(document.createElement('p')); p.style.color = 'CanvasText';"
        " return getComputedStyle(p).color; }"
    )
    assert edges[0][0] == tuple(float(part) for part in re.findall(r"\d+", system))
    assert edges[0] != edges[1]
    assert page.eval_on_selector("[data-consent-action=reject]", "(e) => getComputedStyle(e).borderTopStyle") == "solid"
    assert page.eval_on_selector("[data-consent-banner]", "(e) => getComputedStyle(e).borderBottomStyle") == "solid"
    page.close()
    usual.close()


def test_nothing_moves_whether_or_not_less_motion_is_asked_for(browser: Browser) -> None:
    for motion in ("reduce", "no-preference"):
        css = "* { transition: all 5s; animation: x 5s infinite } @keyframes x { to { opacity: 0 } }"
        page = shown(browser, css=css, reduced_motion=motion)
        moving = "(e) => [...e.querySelectorAll('*'), e].filter((n) => n.getAnimations().length).length"
        assert page.eval_on_selector("[data-consent-banner]", moving) == 0
        assert page.eval_on_selector("main", moving) > 0  # the control: the site's own rule is in effect
        page.close()


@pytest.mark.parametrize("theme", THEMES)
def test_paper_is_spared_the_notice_and_every_control(browser: Browser, theme: str) -> None:
    page = shown(browser, theme)
    assert page.locator("[data-consent-action]:visible").count() >= 4
    page.emulate_media(media="print")
    assert page.locator("[data-consent-banner]").is_hidden()
    assert page.locator("[data-consent-action]:visible").count() == 0
    assert page.get_by_role("heading", name="News").is_visible()
    page.close()


@pytest.mark.parametrize("framework", ["", *FRAMEWORKS])
@pytest.mark.parametrize("theme", THEMES)
def test_answers_share_every_computed_property_under_each_framework(
    browser: Browser, theme: str, framework: str
) -> None:
    css = text_of(*FRAMEWORKS[framework]) if framework else ""
    looks: tuple[dict[str, Any], ...] = (
        {"color_scheme": "light"},
        {"color_scheme": "dark"},
        {"forced_colors": "active"},
    )
    page = shown(browser, theme, css=css)
    for look in looks:
        page.emulate_media(**look)
        assert_equal(page, look)
    page.close()


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_sites_rules_against_refusing_have_no_effect(browser: Browser, name: str, width: int) -> None:
    page = shown(browser, css=HOSTILE[name], width=width)
    assert_equal(page, name)
    plain = shown(browser, width=width)
    assert colour(page, "[value=reject]", "color") == colour(plain, "[value=reject]", "color")
    first, second = (page.locator(f".cst-answers [value={a}]").bounding_box() for a in ("accept", "reject"))
    assert first
    assert second
    assert 0 <= second["x"] <= width - second["width"]
    page.close()
    plain.close()


def test_what_cannot_be_prevented_is_seen_by_the_same_reading(browser: Browser) -> None:
    """The control: a layer before ours, as the documentation says, does make the answers unequal."""
    page = browser.new_page()
    early = "<style>@layer early{[data-consent-action=reject]{opacity:.2!important}}</style>"
    page.set_content(document().replace("<head>", f"<head>{early}"))
    assert [None, "opacity", "1", "0.2"] in page.evaluate(READ)["unequal"]
    page.close()


def test_answers_stay_equal_whatever_the_properties_hold(browser: Browser) -> None:
    chance = random.Random(20)
    values = (
        *("#eee", "transparent", "inherit", "none", "0", "-3em", "9em", "url(data:,)", "1px solid", "red !important"),
        *("var(--cst-ink)", "var(--nothing)", "currentColor", "rgb(0 0 0 / 10%)", "initial", "serif", "100%"),
    )
    page = browser.new_page()
    page.set_content(document())
    for round_ in range(60):
        where = chance.choice((":root", "section", "form", "button", "[value=reject]", ".cst-answers > :last-child"))
        names = chance.sample([*PROPERTIES, "--a", "--o", "--r", "--s", "--i", "--f", "--m", "--l"], 6)
        rule = f"{where} {{ {'; '.join(f'{name}: {chance.choice(values)}' for name in names)} }}"
        page.locator("style").last.evaluate("(e, css) => { e.textContent = css }", rule)
        found = page.evaluate(READ)
        assert found["unequal"] == [], (round_, rule)
        assert found["sizes"][0] == found["sizes"][1], (round_, rule)
        assert found["seen"][0] == found["seen"][1], (round_, rule)
    page.close()


def test_the_table_of_properties_and_the_stylesheets_agree() -> None:
    table = REFERENCE.read_text("utf-8")
    listed = re.findall(r"^\| `(--cst-[\w-]+)`", table, re.MULTILINE)
    sheets = {name: static.content(name).decode() for name in static.TYPES if name.endswith(".css")}
    read = {name for sheet in sheets.values() for name in re.findall(r"var\((--cst-[\w-]+)", sheet)}
    assert sorted(read) == sorted(PROPERTIES)
    assert sorted([*listed, *(f"{name}-dark" for name in listed if name[6:] in COLOURS)]) == sorted(read)
    defaults = dict(re.findall(r"var\((--cst-[\w-]+), ([^)]+)\)", sheets["notice.css"]))
    rows = re.findall(r"^\| `(--cst-[\w-]+)` \|[^|]+\| `([^`]+)` \| `([^`]+)` \|", table, re.MULTILINE)
    for name, light, dark in rows:
        assert (defaults[name], defaults[f"{name}-dark"]) == (light, dark)
    for theme in THEMES[1:]:
        assert set(re.findall(r"(--cst-[\w-]+):", sheets[f"theme-{theme}.css"])) <= read
