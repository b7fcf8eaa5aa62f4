"""How fast the gate is beside what else there is: the same pages, the same work, one run: ``make bench-gate``.

The work: make inert what 41 blocked domains would load by script, frame, image, link, source or medium. Those that parse
and write again do only that; the gate does all that it does for a page. Ratios within a run say more than the figures.
"""

# ruff: noqa: T201, E501  # it prints; tables are wide

from __future__ import annotations

import time
from collections.abc import Callable
from html.parser import HTMLParser
from urllib.parse import urlsplit

import lolhtml
import lxml.html
from bs4 import BeautifulSoup
from newsroom_pages import DENIED, page
from selectolax.lexbor import LexborHTMLParser as Selectolax
from turbohtml.rewrite import rewrite

from consent.choice import Choice, Signals, decide
from consent.gate import Gate
from consent.policy import Ask, Policy, Service, Site

BASE = "https://harbour.example/news/today"
ATTRIBUTE = {
    "script": "src",
    "iframe": "src",
    "img": "src",
    "link": "href",
    "source": "src",
    "video": "src",
    "audio": "src",
}
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


def policy() -> Policy:
    services = tuple(
        Service(
            key="by-" + host.partition(".")[0],
            category="analytics",
            name=host,
            purpose="Counts.",
            load=(host, "*." + host),
        )
        for host in DENIED
    )
    site = Site(name="Harbour News", controller="Harbour News Trust", hosts=("harbour.example",))
    return Policy(site=site, ask=Ask(undeclared="allow"), services=services)


def best(actions: dict[str, Callable[[bytes], object]], html: bytes, rounds: int = 12) -> dict[str, float]:
    """The least time of each, in seconds; they take turns, so that a busy moment falls on all of them."""
    least = dict.fromkeys(actions, 9.0)
    for _ in range(rounds):
        for name, action in actions.items():
            end = time.perf_counter() + 0.02
            while (begun := time.perf_counter()) < end:
                action(html)
                least[name] = min(least[name], time.perf_counter() - begun)
    return least


def main() -> None:
    gate = Gate(policy())
    refused = decide(gate.policy, Choice.refusing(), Signals())
    granted = decide(gate.policy, Choice.granting("analytics"), Signals())
    ours = {
        "the gate": lambda html: gate.rewrite(html, refused, base_url=BASE),
        "the gate, with a notice": lambda html: gate.rewrite(
            html, refused, base_url=BASE, insert=b"[N]", footer=b"[F]"
        ),
        "the gate, all granted": lambda html: gate.rewrite(html, granted, base_url=BASE),
    }
    others = {
        "python-lolhtml": by_lolhtml, "turbohtml": by_turbohtml, "selectolax": by_selectolax, "lxml": by_lxml,
        "html.parser (reads only)": by_html_parser, "BeautifulSoup": by_beautifulsoup,
    }  # fmt: skip
    for tags in (24, 36, 100, 400, 1400, 2000):
        html = page(tags)
        heard: list[object] = []
        gate.rewrite(html, refused, base_url=BASE, report=heard.append)
        print(f"\n{len(html):,} bytes, {tags:,} elements, {len(heard)} blocked{'':24}µs   per 100 KB   beside the gate")
        times = best(ours | others, html)
        reference = times["the gate"]
        for name, taken in times.items():
            print(
                f"  {name:<44}{taken * 1e6:>12,.1f}{taken * 1e6 / len(html) * 102400:>12,.0f}{taken / reference:>12.2f} ×"
            )
        assert gate.rewrite(html, granted, base_url=BASE) is html
    print("\nHostile pages, 4 MB in pieces of 64 KB: the slowest piece")
    for unit in (
        b"<!--",
        b"<script",
        b'<a "',
        b"&",
        b"<![CDATA[",
        b"<svg><style><!--</style>",
        b"<noscript><style>",
        b"<svg>",
    ):
        stream = gate.stream(refused, base_url=BASE)
        html = unit * ((4 << 20) // len(unit))
        slowest = 0.0
        for at in range(0, len(html), 65536):
            begun = time.process_time()
            stream.feed(html[at : at + 65536])
            slowest = max(slowest, time.process_time() - begun)
        stream.close()
        print(f"  {unit.decode():<44}{slowest * 1e3:>12,.1f} ms")


if __name__ == "__main__":
    main()
