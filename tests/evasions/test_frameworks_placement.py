"""The notice under the style sheets that sites really have: in the flow, on top, covered by nothing, moving nothing."""

from __future__ import annotations

import subprocess
import tarfile
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote
from wsgiref.simple_server import make_server

import pytest
from evasion_site import _Quiet, _Server, policy
from playwright.sync_api import Browser, Page

from consent.wsgi import ConsentMiddleware
from tests.chromium import launched

# ruff: noqa: E501  # style sheets and a script

pytestmark = pytest.mark.browser
PACKAGES = {
    "bootstrap": ("bootstrap@5", "dist/css/bootstrap.min.css"),
    "tailwind": ("tailwindcss@4", "preflight.css"),
    "bulma": ("bulma@1", "css/bulma.min.css"),
}
OWN = {
    "plain": "",
    "flex": "body{display:flex;gap:8px;align-items:center;min-height:100vh}",
    "flex-centred": "html,body{height:100%}body{display:flex;justify-content:center;align-items:center;margin:0}",
    "grid": "body{display:grid;grid-template-columns:200px 1fr 200px;grid-template-areas:'a b c'}main{grid-area:b}",
    "grid-rows": "body{display:grid;grid-template-rows:auto 1fr auto;min-height:100vh;margin:0}",
    "columns": "body{columns:3}",
    "fixed-header": "header{position:fixed;top:0;left:0;right:0;height:64px;background:#fff;z-index:1000}body{padding-top:64px}",
    "small-root": "html{font-size:62.5%}body{font-size:1.6rem}",
    "border-box-less": "*{box-sizing:content-box}button,input{font-size:11px;padding:0;min-height:0}",
    "reset": "*{margin:0;padding:0;border:0;font:inherit;background:none;color:inherit}button{all:unset}form{display:flex}",
    "narrow": "body{max-width:30rem;margin:0 auto}section,form{float:left;width:50%}",
    "dark": "html{color-scheme:dark}body{background:#111;color:#eee;text-align:center;text-transform:uppercase}",
}  # fmt: skip
ROWS = {
    "d-flex align-items-center py-4": ("bootstrap", 1),
    "d-flex h-100 text-center": ("bootstrap", 1),
    "d-flex flex-column h-100": ("bootstrap", 3),
    "flex items-center justify-center min-h-screen": ("tailwind", 1),
    "flex flex-col h-screen": ("tailwind", 1),
    "is-flex is-align-items-center": ("bulma", 1),
    "is-flex is-flex-direction-column": ("bulma", 3),
}
"""Bodies that are rows or columns by the classes of a framework: whose they are, and how many things they hold."""
UTILITIES = ".flex{display:flex}.flex-col{flex-direction:column}.h-screen{height:100vh}.min-h-screen{min-height:100vh}html{height:100%}"
LOOK = """() => {
  const notice = document.querySelector("[data-consent-banner]");
  const box = notice.getBoundingClientRect(), body = getComputedStyle(document.body);
  const look = action => {
    const button = notice.querySelector(`button[data-consent-action=${action}]`);
    const style = getComputedStyle(button), size = button.getBoundingClientRect();
    const at = document.elementFromPoint(size.left + size.width / 2, size.top + size.height / 2);
    return { style: ["fontSize", "fontWeight", "color", "backgroundColor", "borderTopWidth", "borderTopColor", "paddingLeft",
                     "textTransform", "opacity", "display"].map(name => style[name]).join("|"),
             height: size.height, width: size.width, covered: !(at === button || button.contains(at)) };
  };
  const covers = [...document.querySelectorAll("main, main *, body > header")].some(other => {
    const there = other.getBoundingClientRect();
    return there.height && there.top < box.bottom - 1 && there.bottom > box.top + 1 &&
           there.left < box.right - 1 && there.right > box.left + 1;
  });
  const position = getComputedStyle(notice).position;
  return { top: box.top + scrollY, left: box.left, width: box.width, page: document.documentElement.clientWidth,
           accept: look("accept"), reject: look("reject"), covers, position, shift: window.shift || 0,
           wide: document.documentElement.scrollWidth, first: Boolean(notice.compareDocumentPosition(document.querySelector('header')) & 4) };
}"""
WATCH = """new PerformanceObserver(list => { for (const entry of list.getEntries())
  window.shift = (window.shift || 0) + entry.value; }).observe({ type: "layout-shift", buffered: true })"""


@pytest.fixture(scope="module")
def sheets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The style sheets of the frameworks, from their npm packages."""
    folder = tmp_path_factory.mktemp("frameworks")
    found = dict(OWN)
    try:
        command = ["npm", "pack", "--silent", *(package for package, _ in PACKAGES.values())]
        packed = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=90, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"the frameworks could not be had from npm, so nothing was checked with them: {error}")
    for (name, (_, path)), archive in zip(PACKAGES.items(), packed.stdout.split(), strict=True):
        with tarfile.open(folder / archive) as opened:
            member = opened.extractfile(f"package/{path}")
            assert member
            found[name] = member.read().decode()
    return found


@pytest.fixture(scope="module")
def site(sheets: dict[str, str]) -> Iterator[str]:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        sheet = sheets.get(environ["PATH_INFO"].strip("/"))
        names = unquote(environ["QUERY_STRING"])
        start_response("404 Not Found" if sheet is None else "200 OK", [("Content-Type", "text/html; charset=utf-8")])
        text = "<p class=lead>Words that are read.</p>" * 12
        if names:
            parts = "".join(f"<header>{text}</header>" for _ in range(ROWS[names][1]))
            style = f"<style>{sheet}{UTILITIES}</style>"
            return [f"<!doctype html><html lang=en><title>T</title>{style}<body class='{names}'>{parts}".encode()]
        return [
            f"<!doctype html><html lang=en><head><title>T</title><style>{sheet}</style></head><body><header>"
            f"<a href=/>Harbour News</a></header><main><h1>News</h1>{text}</main><footer>Foot</footer></body></html>".encode()
        ]

    gated = ConsentMiddleware(app, policy(), secret_key="not a secret", log="memory://")
    server = make_server("127.0.0.1", 0, gated, server_class=_Server, handler_class=_Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as started:
        yield started


def looked_at(page: Page, address: str) -> dict[str, Any]:
    page.add_init_script(WATCH)
    page.goto(address)
    page.wait_for_timeout(250)
    found: dict[str, Any] = page.evaluate(LOOK)
    return found


def at_rest(browser: Browser, address: str, width: int) -> dict[str, Any]:
    """The page as it is shown. A busy browser paints a row before all of it has come, and moves it by itself then: what
    the notice moves is moved each time.
    """
    seen: dict[str, Any] = {}
    for _ in range(4):
        page = browser.new_page(viewport={"width": width, "height": 800})
        try:
            seen = looked_at(page, address)
        finally:
            page.close()
        if seen["shift"] == 0:
            break
    return seen


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("name", [*OWN, *PACKAGES])
def test_the_notice_stands_in_the_flow_under_any_style_sheet(
    browser: Browser, site: str, name: str, width: int
) -> None:
    seen = at_rest(browser, f"{site}/{name}", width)
    assert seen["position"] in ("static", "relative")
    assert seen["first"], "it comes before all that the page shows"
    assert not seen["covers"], "nothing of the page is behind it"
    assert seen["shift"] == 0
    assert seen["top"] <= 80
    # In a row of a flex body it stands beside the others: no row of its own can be had without breaking columns.
    least = {"narrow": min(430, 0.9 * seen["page"]), "flex": 280, "flex-centred": 280}.get(
        name, 0.9 * min(seen["page"], 1200)
    )
    assert seen["width"] >= min(least, 0.7 * seen["page"] if name.startswith("flex") else least)
    accept, reject = seen["accept"], seen["reject"]
    assert accept["style"] == reject["style"]
    assert min(accept["height"], reject["height"]) >= 24
    assert abs(accept["height"] - reject["height"]) < 1
    assert not accept["covered"]
    assert not reject["covered"]


@pytest.mark.parametrize("width", [1280, 320])
@pytest.mark.parametrize("names", ROWS)
def test_the_notice_is_above_a_body_that_is_a_row_by_its_classes(
    browser: Browser, site: str, names: str, width: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    try:
        seen = looked_at(page, f"{site}/{ROWS[names][0]}?{quote(names)}")
        parts = page.evaluate("[...document.querySelectorAll('header')].map(part => part.getBoundingClientRect().left)")
    finally:
        page.close()
    assert seen["width"] == seen["page"] == width
    assert seen["wide"] == width
    assert not seen["covers"]
    assert max(parts) < width, "nothing of the page went off to its side"


def test_columns_stay_beside_each_other(browser: Browser, site: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    try:
        looked_at(page, f"{site}/bootstrap?{quote('d-flex align-items-center py-4')}")
        page.evaluate("document.body.append(document.querySelector('header').cloneNode(true))")
        tops = page.evaluate("[...document.querySelectorAll('header')].map(part => part.getBoundingClientRect().top)")
        wrapped = page.evaluate("document.body.style.flexWrap = 'wrap', document.querySelector('header').offsetTop")
    finally:
        page.close()
    assert tops[0] == tops[1]
    assert wrapped != tops[0]  # they could have come apart


def test_the_measure_sees_what_is_wrong(browser: Browser, site: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    try:
        looked_at(page, f"{site}/plain")
        page.evaluate("document.querySelector('button[data-consent-action=reject]').className = ''")
        page.add_style_tag(
            content="main{position:relative;margin-top:-400px}[data-consent-banner]{width:300px!important}"
        )
        page.wait_for_timeout(100)
        seen = page.evaluate(LOOK)
    finally:
        page.close()
    assert seen["covers"]
    assert seen["shift"] > 0
    assert seen["width"] < 400
    assert seen["accept"]["style"] != seen["reject"]["style"]
