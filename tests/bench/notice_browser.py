"""What a visitor's browser makes of a page with a notice: when it can be read, what it costs, whether it answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from notice_site import Site, sizes
from notice_tools import BARE, Notice
from playwright.sync_api import Browser, Error, Page, Response

VIEWPORT = {"width": 1280, "height": 800}
QUIET = 900  # milliseconds without a change, after which a notice counts as settled

# Looks once a frame. Readable: the control that refuses is on the screen, nothing lies over its middle, and it and what
# it stands in are as good as opaque. What a frame's callback sees, that frame paints.
_WATCH = """([region, refuse]) => {
  const watch = (window.watch = { frame: null, painted: null, settled: 0, was: [] });
  const opacity = (element) => element ? getComputedStyle(element).opacity * opacity(element.parentElement) : 1;
  const box = (element) => {
    const { x, y, width, height } = element.getBoundingClientRect();
    return [x, y, width, height].map(Math.round);
  };
  const look = () => {
    requestAnimationFrame(look);
    const now = performance.now();
    const [notice, control] = [document.querySelector(region), document.querySelector(refuse)];
    const main = document.querySelector("main");
    if (!notice || !control) return;
    const [x, y, width, height] = box(control);
    const corner = main && box(main).slice(0, 2);
    const is = [box(notice), [x, y, width, height], corner, opacity(control).toFixed(2)].map(String);
    if (is.some((part, at) => watch.was[at] !== part && watch.was[at] !== "null")) watch.settled = now;
    watch.was = is;
    if (watch.frame !== null || !width || !height || opacity(control) < 0.95) return;
    if (getComputedStyle(control).visibility !== "visible") return;
    const top = document.elementFromPoint(x + width / 2, y + height / 2);
    if (!top || !(control.contains(top) || top.contains(control) && notice.contains(top))) return;
    watch.frame = now;
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => (watch.painted = performance.now());
    port2.postMessage(0);
  };
  requestAnimationFrame(look);
}"""
_SHIFTS = """() => new Promise((done) => {
  let total = 0;
  const add = (list) => list.getEntries().forEach((entry) => (total += entry.value));
  new PerformanceObserver(add).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(total), 50);
})"""
_FIRST = """() => {
  const { startTime, paintTime } = performance.getEntriesByName("first-contentful-paint")[0];
  return paintTime || startTime;
}"""


@dataclass(frozen=True)
class Line:
    """How a visitor is connected, and how much slower than this machine theirs is."""

    name: str
    latency: int = 0
    bytes_a_second: int = -1
    slower: int = 1


LINES = (
    Line("as fast as this machine"),
    Line("40 ms, 1.6 Mbit/s, a processor 4 times slower", 40, 200_000, 4),
)


@contextmanager
def arriving(browser: Browser, site: Site, line: Line, *, script: bool = True) -> Iterator[tuple[Page, Any]]:
    """A page with nothing in its cache, and its connection to the browser's own instruments.

    It is on an empty page of the site, so that what it takes to start a process is no part of any figure.
    """
    context = browser.new_context(viewport=VIEWPORT, locale="en-GB", java_script_enabled=script)  # type: ignore[arg-type]
    try:
        page = context.new_page()
        page.set_default_timeout(15_000)
        inner = context.new_cdp_session(page)
        inner.send("Network.enable")
        if line.latency:
            limits = {"downloadThroughput": line.bytes_a_second, "uploadThroughput": line.bytes_a_second}
            inner.send("Network.emulateNetworkConditions", {"offline": False, "latency": line.latency, **limits})
        if line.slower > 1:
            inner.send("Emulation.setCPUThrottlingRate", {"rate": line.slower})
        page.goto(site.origin + "/empty")
        yield page, inner
    finally:
        context.close()


def seen(browser: Browser, site: Site, notice: Notice, line: Line) -> dict[str, float]:
    """Milliseconds until the notice can be read and until nothing of it or the page moves, from the first paint on."""
    with arriving(browser, site, line) as (page, _):
        page.add_init_script(f"({_WATCH})({[notice.region, notice.refuse]!r})")
        page.goto(site.url(notice), wait_until="networkidle")
        for _ in range(20):  # nothing is asked of the page before it is done: what asks would hold up what is measured
            page.wait_for_timeout(QUIET)
            watch = page.evaluate("watch")
            if watch["painted"] and page.evaluate("performance.now()") - watch["settled"] > QUIET:
                break
        else:
            raise RuntimeError(f"{notice.name} couldn't be read, or never came to rest")
        first = page.evaluate(_FIRST)
        together = watch["frame"] <= first
        return {
            "after": 0.0 if together else watch["painted"] - first,
            "since": max(watch["painted"], first) if together else watch["painted"],
            "settled": max(0.0, watch["settled"] - first),
            "together": float(together),
        }


def cost(browser: Browser, site: Site, notice: Notice, line: Line) -> dict[str, float]:
    """First contentful paint, the main thread's milliseconds for scripts and altogether, and the layout shift."""
    with arriving(browser, site, line) as (page, inner):
        inner.send("Performance.enable", {"timeDomain": "threadTicks"})
        before = _counted(inner)
        page.goto(site.url(notice), wait_until="networkidle")
        page.wait_for_timeout(QUIET)
        after = _counted(inner)
        return {
            "first": page.evaluate(_FIRST),
            "script": (after["ScriptDuration"] - before["ScriptDuration"]) * 1000,
            "task": (after["TaskDuration"] - before["TaskDuration"]) * 1000,
            "shift": page.evaluate(_SHIFTS),
        }


def _counted(inner: Any) -> dict[str, float]:
    return {each["name"]: each["value"] for each in inner.send("Performance.getMetrics")["metrics"]}


def answered(browser: Browser, site: Site, notice: Notice, control: str, *, script: bool) -> bool:
    """Whether one click on this control stores an answer: a cookie is there, and the page doesn't ask again."""
    with arriving(browser, site, LINES[0], script=script) as (page, _):
        page.goto(site.url(notice), wait_until="networkidle")
        before = page.context.cookies()
        try:
            page.locator(control).first.click(timeout=5000 if script else 1500)
        except Error:
            return False
        for _ in range(50):
            page.wait_for_timeout(100)
            if stored := page.context.cookies() != before:
                break
        page.goto(site.url(notice), wait_until="networkidle")
        page.wait_for_timeout(QUIET)
        return stored and not page.locator(notice.refuse).first.is_visible()


def added(browser: Browser, site: Site, notice: Notice) -> dict[str, list[Any]]:
    """What came for a page beyond its own: ``requests``, and bytes raw, with gzip, with Brotli by media type."""
    mine, all_of_it = _received(browser, site, BARE), _received(browser, site, notice)
    beyond: dict[str, list[Any]] = {"requests": sorted(set(all_of_it) - set(mine))}
    for received, sign in ((all_of_it, 1), (mine, -1)):
        for kind, body in received.values():
            known = beyond.setdefault(kind, [0, 0, 0])
            known[:] = [old + sign * new for old, new in zip(known, sizes(body), strict=True)]
    return beyond


def _received(browser: Browser, site: Site, notice: Notice) -> dict[str, tuple[str, bytes]]:
    """The subtype and the bytes of every response to a page, by path, the page's own being empty."""
    with arriving(browser, site, LINES[0]) as (page, _):
        found: list[Response] = []
        page.on("response", lambda response: found.append(response))
        page.goto(site.url(notice), wait_until="networkidle")
        page.wait_for_timeout(QUIET)
        return {
            response.url.removeprefix(site.url(notice)).removeprefix(site.origin).lstrip("/"): (
                response.headers["content-type"].partition(";")[0].partition("/")[2],
                response.body(),
            )
            for response in found
            if response.url.startswith(site.origin)
        }


def pictured(browser: Browser, site: Site, notice: Notice, folder: Path) -> None:
    """A picture of the page as it settles, for people who want to see that the notice was there."""
    folder.mkdir(parents=True, exist_ok=True)
    with arriving(browser, site, LINES[0]) as (page, _):
        page.goto(site.url(notice), wait_until="networkidle")
        page.wait_for_timeout(QUIET)
        page.screenshot(path=folder / f"{notice.name.replace(' ', '-')}.png")
