"""Reads every trick in a real Chromium and tells which third parties were contacted."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

from evasion_corpus import RUNS, Evasion
from evasion_site import Sink, Sites, address
from playwright.sync_api import BrowserContext, Error, sync_playwright

from tests.chromium import ARGUMENTS, program

BOARD = 42
TABS = 20
WAIT = 2000  # milliseconds that each trick has
QUIET = (
    *ARGUMENTS,
    "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,LocalNetworkAccessChecks,OptimizationHints",
    "--unsafely-treat-insecure-origin-as-secure=" + ",".join(f"http://{host}" for host in RUNS.values()),
)
_CONTACT = re.compile("RESOLVER|CONNECT|SOCKET|HTTP_STREAM|QUIC")
"""The events of the net log by which somebody hears of it; a request that is only thought of is none."""
_TYPE = re.compile(r'"type":(\d+)\},?$')
_ADDRESS = re.compile(r"\b127\.1[0-2]\.\d+\.\d+\b")
_NAME = re.compile(r"(?:\bhttps?://|\bwss?://|\")([cgb])(\d{3,4})\.(?:tracker|stranger)\.example")


def contacts(tricks: Sequence[Evasion], folder: Path, runs: str = "cgb") -> dict[tuple[str, int], set[str]]:
    """What each trick, by run and number, made Chromium do: the sink's words, and events of its net log."""
    sites, sink = Sites({trick.number: trick for trick in tricks}), Sink()
    known = {address(run, trick.number): (run, trick.number) for run in runs for trick in tricks}
    found: dict[tuple[str, int], set[str]] = defaultdict(set)
    try:
        with sync_playwright() as playwright:
            for run, script in product(runs, (True, False)):
                asked = [trick for trick in tricks if trick.script is script]
                if not asked:
                    continue
                rules = [f"MAP {RUNS[run]} 127.0.0.1:{sites.port}"]
                rules += [f"MAP {run}{trick.number:03}.* {address(run, trick.number)}:{sink.port}" for trick in asked]
                log = folder / f"net-{run}-{script}.json"
                # A profile of its own and no private window: in those Chromium does not connect ahead.
                context = playwright.chromium.launch_persistent_context(
                    str(folder / f"profile-{run}-{script}"),
                    executable_path=program(),
                    java_script_enabled=script,
                    viewport={"width": 1280, "height": 720},
                    args=[
                        *QUIET,
                        f"--log-net-log={log}",
                        "--host-resolver-rules=" + ", ".join([*rules, "MAP * ~NOTFOUND"]),
                    ],
                )
                try:
                    _read(context, asked, run)
                finally:
                    context.close()
                for number, kind in _logged(log, known, run):
                    found[run, number].add(kind)
    finally:
        sites.close()
        sink.close()
    for where, words in sink.seen.items():
        found[known[where]] |= words
    return found


def _read(context: BrowserContext, tricks: list[Evasion], run: str) -> None:
    """Read these tricks at once: those that need it in a page of their own, the others in frames."""
    addresses = [f"/t/{trick.number}/" for trick in tricks if trick.top]
    framed = [trick.number for trick in tricks if not trick.top]
    boards = [framed[at : at + BOARD] for at in range(0, len(framed), BOARD)]
    addresses += ["/board?" + ",".join(map(str, board)) for board in boards]
    clicks = {f"/t/{trick.number}/": trick.click for trick in tricks if trick.click}
    for at in range(0, len(addresses), TABS):
        pages = [context.new_page() for _ in addresses[at : at + TABS]]
        for page, path in zip(pages, addresses[at : at + TABS], strict=True):
            try:
                page.goto(f"http://{RUNS[run]}{path}", wait_until="commit")
            except Error:
                continue  # some go elsewhere at once
        pages[0].wait_for_timeout(WAIT // 2)
        for page in pages:
            for frame in page.frames:
                path = re.sub(r"^https?://[^/]*", "", frame.url)
                if path in clicks:
                    try:
                        frame.evaluate(
                            "selector => document.querySelector(selector).dispatchEvent("
                            "new MouseEvent('click', {bubbles: true, cancelable: true}))",
                            clicks[path],
                        )
                    except Error:
                        continue
        pages[0].wait_for_timeout(WAIT // 2)
        for page in pages:
            page.close()


def _logged(log: Path, known: dict[str, tuple[str, int]], run: str) -> Iterator[tuple[int, str]]:
    """Whom Chromium's own log of the network names: hosts that were looked up or connected to."""
    head, _, events = log.read_text(encoding="utf-8", errors="replace").partition('\n"events": [\n')
    names = {number: name for name, number in json.loads(head.rstrip(",") + "}")["constants"]["logEventTypes"].items()}
    for line in events.splitlines():
        kind = _TYPE.search(line)
        if kind and _CONTACT.search(name := names.get(int(kind[1]), "")):
            for match in _NAME.finditer(line):
                if match[1] == run:
                    yield int(match[2]), name
            for match in _ADDRESS.finditer(line):
                if match[0] in known:
                    yield known[match[0]][1], name
