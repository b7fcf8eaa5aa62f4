"""What the notice costs a visitor: bytes, requests before it can be read, and nothing that moves."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from banner_site import DONORBOX, POLICY, YOUTUBE, policy, text
from playwright.sync_api import Browser, Page, Route
from werkzeug.test import Client

from consent.banner import static
from consent.policy import Policy
from consent.wsgi import ConsentMiddleware

ORIGIN = "http://harbour.example"
TRIES = 3
"""A busy browser may paint a page before all of it has come, and then moves it; a notice that moves it always does."""
POSITIONS = ("top", "bottom", "page")
THEMES = ("paper", "ink", "plain", "warm")
BODIES = {
    "plain": "",
    "flex": "body{display:flex;flex-direction:column;min-height:100vh;gap:2rem}",
    "centred": "body{display:flex;flex-direction:column;justify-content:center;align-items:center;min-height:100vh}",
    "row": "body{display:flex;margin:0}main{flex:1}",
    "grid": "body{display:grid;grid-template-columns:12rem 1fr}",
}
WITHOUT_STAND_INS = policy(DONORBOX, YOUTUBE)
LATE = """<script>new PerformanceObserver((list) => list.getEntriesByName("first-contentful-paint").forEach(() => setTimeout(() => {
  document.body.insertAdjacentHTML("afterbegin", "<h2 elementtiming=late style='height:90px'>A late notice</h2>");
}, 300))).observe({ type: "paint", buffered: true })</script>"""  # noqa: E501
PAINTS = """() => new Promise((done) => {
  const found = { first: performance.getEntriesByName("first-contentful-paint")[0]?.startTime };
  const add = (list) => list.getEntries().forEach((entry) => (found[entry.identifier] ??= entry.renderTime));
  new PerformanceObserver(add).observe({ type: "element", buffered: true });
  setTimeout(() => done(found), 100);
})"""
SHIFTS = """() => new Promise((done) => {
  let total = 0;
  const add = (list) => list.getEntries().forEach((entry) => (total += entry.value));
  new PerformanceObserver(add).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(total), 100);
})"""


def application(head: str = "", end: str = "") -> Callable[..., list[bytes]]:
    """A page of the site's own, with a heading that is on the first screen."""
    body = f"<main><h1 elementtiming=heading>Ports reopen</h1>{'<p>Words.</p>' * 60}</main><footer></footer>{end}"
    page = f"<!doctype html><html lang=en><head><title>News</title>{head}</head><body>{body}</body></html>"

    def answer(_: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
        return [page.encode()]

    return answer


def client(of: Policy = POLICY, **page: str) -> Client:
    return Client(ConsentMiddleware(application(**page), of, secret_key="k" * 16, log="memory://"))


class Visit:
    """One page in a browser, to which this test hands every answer, or doesn't."""

    def __init__(self, page: Page, site: Client, *, withheld: str, refused: str) -> None:
        self.page = page
        self.asked: list[str] = []
        self._site = site
        self._withheld = withheld
        self._refused = refused
        self._waiting: list[Route] = []
        page.route("**/*", self._take)
        page.goto(ORIGIN + "/", wait_until="commit")

    def _take(self, route: Route) -> None:
        path = urlsplit(route.request.url).path
        self.asked.append(path)
        if self._refused and re.search(self._refused, path):
            route.abort()
        elif self._withheld and re.search(self._withheld, path):
            self._waiting.append(route)
        else:
            self._give(route)

    def _give(self, route: Route) -> None:
        url = urlsplit(route.request.url)
        sent = self._site.get(f"{url.path}?{url.query}", base_url=ORIGIN, headers={"Sec-Fetch-Dest": "document"})
        body = sent.data.replace(b'<h2 class="cst-title"', b'<h2 elementtiming="notice" class="cst-title"')
        route.fulfill(status=sent.status_code, headers=dict(sent.headers), body=body)

    def release(self) -> None:
        """Let what was withheld arrive, and the page come to rest."""
        self._withheld = ""
        for route in self._waiting:
            self._give(route)
        self.page.wait_for_load_state()
        self.page.wait_for_timeout(500)

    def paints(self, wanted: str, patience: int = 5_000) -> dict[str, float]:
        """When the first contentful paint was, and those of marked elements, once the wanted one is there."""
        found: dict[str, float] = {}
        for _ in range(patience // 200):
            found = self.page.evaluate(PAINTS)
            if found.get("first") and found.get(wanted):
                break
            self.page.wait_for_timeout(100)
        return found


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Visit]]:
    opened: list[Page] = []

    def open_page(
        *, of: Policy = POLICY, position: str = "top", size: tuple[int, int] = (1280, 800), withheld: str = "",
        refused: str = "", pages: str = "personal", **page: str,
    ) -> Visit:  # fmt: skip
        of = replace(of, ask=replace(of.ask, position=position, pages=pages))
        opened.append(browser.new_page(viewport={"width": size[0], "height": size[1]}))
        return Visit(opened[-1], client(of, **page), withheld=withheld, refused=refused)

    yield open_page
    for page in opened:
        page.close()


@pytest.mark.parametrize("theme", THEMES)
def test_style_of_a_page_fits_into_three_kilobytes(theme: str) -> None:
    sheets = static.sheets(theme, pages=False)
    assert sum(len(gzip.compress(static.content(name), 9)) for name in sheets) <= 3_000


def test_scripts_of_a_page_fit_into_five_kilobytes() -> None:
    scripts = [name for name in static.TYPES if name.endswith(".js")]
    assert {"notice.js", "stubs.js", "seen.js"} <= set(scripts)
    assert sum(len(gzip.compress(static.content(name), 9)) for name in scripts) <= 5_000


def test_everything_to_be_read_is_in_the_first_response() -> None:
    site = client()
    page = site.get("/", headers={"Sec-Fetch-Dest": "document"}).text
    shown = text(page[: page.index("<main>")])
    for words in ("Cookies on Harbour News", "Accept all", "Accept only necessary", "Embedded video", "Privacy policy"):
        assert words in shown


@pytest.mark.browser
@pytest.mark.parametrize("pages", ["personal", "shared"])
def test_page_asks_for_one_stylesheet_and_scripts_of_its_own_host(visit: Callable[..., Visit], pages: str) -> None:
    seen = visit(pages=pages)
    seen.release()
    static_files = [path.rpartition("/")[2] for path in seen.asked if path.startswith("/consent/static/")]
    assert sorted(static_files) == sorted(["notice.css", "stubs.js", "notice.js", *(["seen.js"] * (pages == "shared"))])
    assert set(seen.asked) - {f"/consent/static/{name}" for name in static_files} <= {"/", "/consent/state"}


@pytest.mark.browser
@pytest.mark.parametrize("position", POSITIONS)
def test_notice_is_read_before_any_script_has_come(visit: Callable[..., Visit], position: str) -> None:
    seen = visit(of=WITHOUT_STAND_INS, position=position, withheld=r"\.js$")
    assert seen.paints("notice")["notice"] > 0
    assert seen.page.locator("[data-consent-action=reject]").is_visible()
    assert seen.asked[0] == "/"
    assert {path.rpartition("/")[2] for path in seen.asked[1:]} == {"notice.css", "notice.js"}


@pytest.mark.browser
def test_stand_ins_for_blocked_vendors_are_the_only_script_that_is_waited_for(visit: Callable[..., Visit]) -> None:
    """They stand before everything that may call them: were they after the notice, the page would arrive in two parts
    and some would move. That they are waited for is the control of the test above."""
    assert visit(withheld=r"/notice\.js$").paints("notice")["notice"] > 0
    held = visit(withheld=r"/stubs\.js$")
    assert "notice" not in held.paints("notice", patience=1_500)
    held.release()
    assert held.paints("notice")["notice"] > 0


@pytest.mark.browser
def test_notice_is_read_where_not_even_the_stylesheet_comes(visit: Callable[..., Visit]) -> None:
    seen = visit(refused=r"/static/")
    assert seen.paints("notice")["notice"] > 0
    for action in ("accept", "reject"):
        box = seen.page.locator(f"[data-consent-action={action}]").bounding_box()
        assert box
        assert box["y"] + box["height"] <= 800


@pytest.mark.browser
@pytest.mark.parametrize("size", [(1280, 800), (320, 568)])
@pytest.mark.parametrize("position", POSITIONS)
def test_notice_is_painted_with_the_first_paint_of_the_page(
    visit: Callable[..., Visit], position: str, size: tuple[int, int]
) -> None:
    seen = visit(position=position, size=size)
    paints = seen.paints("notice")
    assert paints["notice"] == pytest.approx(paints["first"], abs=0.2)


@pytest.mark.browser
def test_a_notice_that_a_script_brings_is_painted_later_and_moves_the_page(visit: Callable[..., Visit]) -> None:
    """The control for both: what paint it came with, and what it pushed away."""
    seen = visit(end=LATE)
    paints = seen.paints("late")
    assert paints["late"] > paints["first"] + 100
    assert seen.page.evaluate(SHIFTS) > 0


@pytest.mark.browser
@pytest.mark.parametrize("size", [(1280, 800), (320, 568)])
@pytest.mark.parametrize("position", POSITIONS)
def test_nothing_moves_while_the_page_loads(visit: Callable[..., Visit], position: str, size: tuple[int, int]) -> None:
    for _ in range(TRIES):
        seen = visit(position=position, size=size)
        seen.release()
        assert seen.paints("notice")["notice"] > 0
        if (moved := seen.page.evaluate(SHIFTS)) == 0:
            return
    assert moved == 0


@pytest.mark.browser
@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("position", POSITIONS)
def test_nothing_moves_when_the_script_is_late(visit: Callable[..., Visit], position: str, body: str) -> None:
    for _ in range(TRIES):
        seen = visit(position=position, withheld=r"/notice\.js$", head=f"<style>{BODIES[body]}</style>")
        assert seen.paints("notice")["notice"] > 0
        before = seen.page.evaluate(SHIFTS)
        seen.release()
        assert seen.page.evaluate(SHIFTS) == before
        if before == 0:
            return
    assert body == "row", before
