"""How fast the gate is beside what else there is: the same pages, the same work, one run: ``make bench-gate``.

The work: make inert what 41 blocked domains would load by script, frame, image, link, source or medium. Those that parse
and write again do only that; the gate does all that it does for a page. Ratios within a run say more than the figures.
"""

# ruff: noqa: T201, E501  # it prints; tables are wide

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import lolhtml
import lxml.html
from bs4 import BeautifulSoup
from gate_installations import BASE, Installation
from newsroom_pages import DENIED, PAGES, policy
from selectolax.lexbor import LexborHTMLParser as Selectolax
from turbohtml.rewrite import rewrite

from consent.choice import Choice, Signals, decide
from consent.gate import Gate

ATTRIBUTE = {
    "script": "src",
    "iframe": "src",
    "img": "src",
    "link": "href",
    "source": "src",
    "video": "src",
    "audio": "src",
}
TAG = re.compile(rb"<[a-zA-Z]")
ROUNDS, TURN = 60, 0.01
MEASURED = (
    ("dense", 24), ("dense", 36), ("dense", 100), ("dense", 400), ("dense", 1400), ("dense", 2000),
    ("usual", 100), ("usual", 400), ("usual", 650), ("usual", 2000),
    ("demo", 0), ("demo", 1), ("demo", 2),
)  # fmt: skip
HOSTILE = (
    b"<!--", b"<script", b'<a "', b"&", b"<![CDATA[", b"<svg><style><!--</style>", b"<noscript><style>", b"<svg>",
)  # fmt: skip
SELECTOR = ",".join(f"{tag}[{name}]" for tag, name in ATTRIBUTE.items())
BLOCKED = frozenset(DENIED)


def denied(url: str | None) -> bool:
    host = (urlsplit(url).hostname or "") if url and "//" in url else ""
    labels = host.split(".")
    return any(".".join(labels[at:]) in BLOCKED for at in range(len(labels) - 1))


def by_turbohtml(html: bytes) -> object:
    def change(element) -> None:
        name = ATTRIBUTE[element.tag]
        if denied(value := dict(element.attrs).get(name)):
            element.set_attribute("data-consent-" + name, value)
            element.remove_attribute(name)

    return rewrite(html.decode(), elements=[(SELECTOR, change)])


class Change:
    def element(self, element) -> None:
        name = ATTRIBUTE[element.tag_name]
        if denied(value := element.get_attribute(name)):
            element.set_attribute("data-consent-" + name, value)
            element.remove_attribute(name)


def by_lolhtml(html: bytes) -> object:
    out = bytearray()
    rewriter = lolhtml.HTMLRewriter(out.extend)
    rewriter.on(SELECTOR, Change())
    rewriter.write(html)
    rewriter.end()
    return out


def by_selectolax(html: bytes) -> object:
    tree = Selectolax(html)
    for node in tree.css(SELECTOR):
        name = ATTRIBUTE[node.tag]
        if denied(value := node.attributes.get(name)):
            node.attrs["data-consent-" + name] = value
            del node.attrs[name]
    return tree.html


def by_lxml(html: bytes) -> object:
    tree = lxml.html.document_fromstring(html)
    for node in tree.iter(*ATTRIBUTE):
        name = ATTRIBUTE[node.tag]
        if denied(value := node.get(name)):
            node.set("data-consent-" + name, value)
            del node.attrib[name]
    return lxml.html.tostring(tree)


def by_html_parser(html: bytes) -> object:
    found = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs) -> None:
            name = ATTRIBUTE.get(tag)
            if name and denied(dict(attrs).get(name)):
                found.append(self.getpos())

    Reader().feed(html.decode())
    return found


def by_beautifulsoup(html: bytes) -> object:
    tree = BeautifulSoup(html, "lxml")
    for node in tree.find_all(list(ATTRIBUTE)):
        name = ATTRIBUTE[node.name]
        if denied(value := node.get(name)):
            node["data-consent-" + name] = value
            del node[name]
    return str(tree)


OTHERS = {
    "python-lolhtml": by_lolhtml, "turbohtml": by_turbohtml, "selectolax": by_selectolax, "lxml": by_lxml,
    "html.parser (reads only)": by_html_parser, "BeautifulSoup": by_beautifulsoup,
}  # fmt: skip


def best(actions: dict[str, Callable[[float], float]]) -> dict[str, float]:
    """The least time of each, in seconds; they take turns, so that a busy moment falls on all of them."""
    least = dict.fromkeys(actions, 9.0)
    for _ in range(ROUNDS):
        for name, action in actions.items():
            least[name] = min(least[name], action(TURN))
    return least


def timed(action: Callable[[bytes], object], html: bytes) -> Callable[[float], float]:
    def least(seconds: float) -> float:
        taken, end = 9.0, time.perf_counter() + seconds
        while (begun := time.perf_counter()) < end:
            action(html)
            taken = min(taken, time.perf_counter() - begun)
        return taken

    return least


def asked(installation: Installation, what: str, kind: str, tags: int) -> Callable[[float], float]:
    return lambda seconds: installation.least(what, kind, tags, seconds)


def compare(installations: dict[str, Installation]) -> None:
    gate = Gate(policy())
    refused = decide(gate.policy, Choice.refusing(), Signals())
    granted = decide(gate.policy, Choice.granting("analytics"), Signals())
    for kind, tags in MEASURED:
        html = PAGES[kind](tags)
        heard: list[object] = []
        gate.rewrite(html, refused, base_url=BASE, report=heard.append)
        assert gate.rewrite(html, granted, base_url=BASE) is html
        ours = {
            f"{name}{', with a notice' if what == 'notice' else ''}": asked(installation, what, kind, tags)
            for name, installation in installations.items()
            for what in ("gate", "notice")
        }
        times = best(ours | {name: timed(action, html) for name, action in OTHERS.items()})
        first = next(iter(times))
        elements = len(TAG.findall(html)) if kind == "demo" else tags
        print(f"\n{len(html):,} bytes, {kind}, {elements:,} elements, {len(heard)} blocked{'':20}µs   per 100 KB   beside {first}")
        for name, taken in times.items():
            ratio = taken / times[first]
            print(f"  {name:<44}{taken * 1e6:>12,.1f}{taken * 1e6 / len(html) * 102400:>12,.0f}{ratio:>12.2f} ×")


def hostile(installations: dict[str, Installation]) -> None:
    print("\nHostile pages, 4 MB in pieces of 64 KB: the slowest piece, in ms")
    print(f"  {'':<44}" + "".join(f"{name:>26}" for name in installations))
    for unit in HOSTILE:
        slowest = [installation.slowest(unit) for installation in installations.values()]
        print(f"  {unit.decode():<44}" + "".join(f"{taken * 1e3:>26,.1f}" for taken in slowest))


def main() -> None:
    """Measure; the folder of a package with a compiled gate may be named."""
    compiled = {"the gate, compiled": Installation(Path(sys.argv[1]))} if len(sys.argv) > 1 else {}
    installations = compiled | {"the gate": Installation(), "the gate, no automata": Installation(automata=False)}
    compare(installations)
    hostile(installations)
    for installation in installations.values():
        installation.close()


if __name__ == "__main__":
    main()
