"""The notice beside four others, in the same browser and the same run: ``make bench-notice``.

Each stands on the same small page with the same words, purposes and services, from its makers' own files, and is
loaded as their guide says. Every load has an empty cache. The tools take turns, so that a busy machine is busy for all;
figures are medians, with half the distance between the quartiles, and beside them how many times consentry's they are.
Processor time is that of the page's main thread, so that waiting doesn't count. Versions are pinned in
``notice_tools.py``.
"""

# ruff: noqa: T201  # it prints

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from statistics import median, quantiles
from typing import Any

from notice_browser import LINES, Line, added, answered, cost, pictured, seen
from notice_site import Site, running
from notice_tools import BARE, OTHERS, OURS, Notice
from playwright.sync_api import Browser, sync_playwright

from consent._version import __version__

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
# Without the last one, tools that hide from robots hide from this browser too.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-blink-features=AutomationControlled",
)
TIMED = {
    "first": "page's first contentful paint, ms",
    "since": "notice readable after, ms",
    "after": "  that is after the first paint, ms",
    "together": "  in the first paint, share of loads",
    "settled": "nothing moves any more, ms after it",
    "script": "scripts, processor ms",
    "task": "main thread, ms beyond the page alone",
    "shift": "cumulative layout shift",
}
Figures = dict[str, Any]


class Progress:
    """A line that says what is measured, on a terminal only."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()

    def say(self, text: str) -> None:
        if self._shown:
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def fixed(browser: Browser, site: Site, notice: Notice) -> Figures:
    """What is the same at every load: bytes, requests, and whether its controls answer."""
    beyond = added(browser, site, notice)
    requests = beyond.pop("requests")
    answers = {
        f"{control}, {'with' if script else 'without'} JavaScript": answered(
            browser, site, notice, getattr(notice, control), script=script
        )
        for script in (True, False)
        for control in ("refuse", "accept")
    }
    return {"bytes": beyond, "requests": requests, "one click": answers}


def timed(browser: Browser, site: Site, line: Line, runs: int, progress: Progress) -> dict[str, dict[str, list[float]]]:
    """Every figure of every load, by notice and name; each round has all of them, in another order."""
    found: dict[str, dict[str, list[float]]] = {}
    notices = (BARE, OURS, *OTHERS)
    for run in range(-1, runs):  # the first round only warms the server and the browser
        for notice in Random(run).sample(notices, len(notices)):
            progress.say(f"{line.name}: round {max(run, 0) + 1} of {runs}, {notice.name}")
            figures = cost(browser, site, notice, line)
            if notice is not BARE:
                figures |= seen(browser, site, notice, line)
            if run >= 0:
                for name, figure in figures.items():
                    found.setdefault(notice.name, {}).setdefault(name, []).append(figure)
    alone = median(found[BARE.name]["task"])
    for figures_of in found.values():
        figures_of["task"] = [figure - alone for figure in figures_of["task"]]
    return found


def measure(runs: int, pictures: Path | None) -> Figures:
    """Everything, as data."""
    progress = Progress()
    with sync_playwright() as playwright, running() as site:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        named = {OURS.name: __version__} | {notice.name: notice.package.rpartition("@")[2] for notice in OTHERS}
        result: Figures = {"chromium": browser.version, "versions": named, "runs": runs, "fixed": {}, "timed": {}}
        for notice in (OURS, *OTHERS):
            progress.say(f"{notice.name}: bytes, requests, answers")
            result["fixed"][notice.name] = fixed(browser, site, notice)
            if pictures:
                pictured(browser, site, notice, pictures)
        for line in LINES:
            result["timed"][line.name] = timed(browser, site, line, runs, progress)
        browser.close()
    progress.say("")
    return result


def spread(values: Sequence[float]) -> float:
    """Half the distance between the quartiles."""
    if len(values) < 2:
        return 0.0
    first, _, third = quantiles(values, n=4, method="inclusive")
    return (third - first) / 2


def row(label: str, values: Sequence[float | str], spreads: Sequence[float] = ()) -> None:
    """One line of the table; ``values`` begin with consentry's, beside which the others get their ratio."""
    cells = []
    for at, value in enumerate(values):
        if isinstance(value, str):
            cells.append(f"{value:>22}")
            continue
        shown = f"{value:,.0f}" if abs(value) >= 10 or value == int(value) else f"{value:.2f}"
        shown += f" ±{spreads[at]:,.0f}" if spreads and spreads[at] >= 0.5 else ""
        own = values[0]
        ratio = f"{value / own:6.1f} ×" if isinstance(own, float | int) and own > 0 and value >= 0 else f"{'':8}"
        cells.append(f"{shown:>14}{ratio}")
    print(f"{label:<38}{''.join(cells)}".rstrip())


def table(result: Figures) -> None:
    """The same for a reader."""
    names = list(result["fixed"])
    print(f"Chromium {result['chromium']}, {result['runs']} loads of each; × is beside consentry.")
    row("", names)
    row("version", [result["versions"][name] for name in names])
    kinds = {"html": "HTML", "css": "CSS", "javascript": "scripts"}
    for at, coding in enumerate(("bytes it adds", "with gzip", "with Brotli")):
        print()
        sizes = [{kind: result["fixed"][name]["bytes"].get(kind, (0, 0, 0))[at] for kind in kinds} for name in names]
        row(coding, [sum(each.values()) for each in sizes])
        for kind, word in kinds.items():
            row(f"  {word}", [each[kind] for each in sizes])
    print()
    row("requests it adds", [len(result["fixed"][name]["requests"]) for name in names])
    for answer in result["fixed"][names[0]]["one click"]:
        row(f"one click: {answer}", ["yes" if result["fixed"][name]["one click"][answer] else "no" for name in names])
    for line, by_name in result["timed"].items():
        alone = by_name[BARE.name]["first"]
        print(f"\n{line}; the page alone paints after {median(alone):,.0f} ±{spread(alone):,.0f} ms")
        for key, label in TIMED.items():
            lists = [by_name[name][key] for name in names]
            row(label, [median(values) for values in lists], [spread(values) for values in lists])


def main() -> int:
    reader = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    reader.add_argument("--runs", type=int, default=7, help="loads of each for each figure and connection")
    reader.add_argument("--json", action="store_true", help="every figure of every load, as data")
    reader.add_argument("--pictures", type=Path, metavar="FOLDER", help="keep a picture of each page there")
    asked = reader.parse_args()
    if not CHROMIUM:
        print("Missing: Chromium. On Debian: apt-get install chromium", file=sys.stderr)
        return 2
    try:
        result = measure(asked.runs, asked.pictures)
    except LookupError as error:
        print(f"Missing: {error}", file=sys.stderr)
        return 2
    if asked.json:
        print(json.dumps(result, indent=1))
    else:
        table(result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
