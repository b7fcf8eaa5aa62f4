"""Pages that nobody wrote: the tricks of tests/evasions, cut, mixed and bent, through the gate without a pause.

    python tests/soak/soak_gate.py [--seconds 300] [--seed 1] [--browser]

Of each page: no exception; in pieces it comes out as whole, twice as once, tag by tag as searched; nothing is lost; it
takes little time.
With ``--browser`` such pages are read in browsers, gated and with the second policy, and reach nobody: in Chromium,
Firefox and WebKit, as far as they are here; and the last two first read all tricks of tests/evasions as they are.
Exits with 1 at the first that doesn't hold, and prints the page.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import cycle
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[1] / "evasions"))

import evasion_island
from evasion_browser import contacts
from evasion_corpus import Evasion, evasions, silent
from evasion_site import policy
from evasion_trees import live

from consent.choice import Choice, Signals, decide
from consent.gate import Gate
from consent.gate.candidates import LIMIT
from consent.gate.pieces import Pieces
from tests import engines as other_engines

# ruff: noqa: E501  # what pages are spiced with

BASE = "http://both.example/news/"
KINDS = ("text/html; charset=utf-8",) * 8 + ("application/xhtml+xml", "text/html", "text/html; charset=utf-16")
SPICE = (
    b"<!--", b"-->", b"--!>", b"<![CDATA[", b"]]>", b"<", b">", b'"', b"'", b"=", b"/", b"\\", b"&", b"&#47;", b"\0", b"\t", b"\n",
    b"<svg>", b"</svg>", b"<math>", b"<mi>", b"<desc>", b"<title>", b"</title>", b"<style>", b"</style>", b"<script>", b"</script>",
    b"<noscript>", b"</noscript>", b"<template>", b"</template>", b"<select>", b"</select>", b"<table>", b"<textarea>", b"</textarea>",
    b"<frameset>", b"<plaintext>", b"<p a='", b'<p a="', b"url(", b"//", b"<?", b"<!x", b"</", b"<base href=/a/>", b"\x1b$B", b"\xff", b"-",
)  # fmt: skip
PROMPT = 2.0  # seconds for 100 KB, however busy the machine


def mutated(chance: random.Random, tricks: list[bytes]) -> bytes:
    """A page made from some of the tricks: joined, cut, spiced, repeated."""
    html = b"".join(chance.choice(tricks) for _ in range(chance.randint(1, 4)))
    for _ in range(chance.randint(0, 5)):
        at, length = chance.randint(0, len(html)), chance.randint(0, 12)
        kind = chance.random()
        if kind < 0.5:
            html = html[:at] + chance.choice(SPICE) + html[at:]
        elif kind < 0.7:
            html = html[:at] + html[at + length :]
        elif kind < 0.8:
            html = html[:at] + html[at : at + length] * chance.randint(2, 4) + html[at + length :]
        elif kind < 0.9:
            html = html[:at] + html[at : at + length].swapcase() + html[at + length :]
        else:
            other = chance.choice(tricks)
            html = html[:at] + other[: chance.randint(0, len(other))] + html[at:]
    return html


@contextmanager
def the_other_way() -> Iterator[None]:
    """Tag by tag where pages are searched, and the other way round."""
    Pieces.skims = not Pieces.skims
    try:
        yield
    finally:
        Pieces.skims = not Pieces.skims


def complaint(gate: Gate, html: bytes, kind: str, chance: random.Random) -> str:
    """What is wrong with how this page comes out; empty if nothing is."""
    refused = decide(gate.policy, Choice.refusing(), Signals())
    keywords = {"base_url": BASE, "content_type": kind}
    begun = time.process_time()
    once = gate.rewrite(html, refused, **keywords)
    if time.process_time() - begun > PROMPT * (1 + len(html) / 102_400):
        return "it took too long"
    again = gate.rewrite(once, refused, **keywords)
    if again != once:
        return f"twice is not once:\n{once!r}\n{again!r}"
    cuts = sorted({chance.randint(0, len(html)) for _ in range(6)} if chance.random() < 0.7 else range(len(html)))
    stream = gate.stream(refused, **keywords)
    pieces = (
        b"".join(stream.feed(html[a:b]) for a, b in zip([0, *cuts], [*cuts, len(html)], strict=True)) + stream.close()
    )
    if pieces != once:
        return f"in pieces it is another:\n{once!r}\n{pieces!r}"
    with the_other_way():
        other = gate.rewrite(html, refused, **keywords)
    if other != once and len(html) <= LIMIT:  # a longer tag may fail closed in one of them
        return f"tag by tag it is another than searched:\n{once!r}\n{other!r}"
    plain = "utf-16" not in kind and b"\x1b" not in html and b"\0" not in html[:4] and html[:1] not in (b"\xff", b"\xfe")
    if plain and kind == KINDS[0] and b"\0" not in html and (found := live(gate.page(refused, base_url=BASE), once)):
        return f"another parser finds {found}:\n{once!r}"
    if plain:
        rest = iter(once)
        if not all(byte in rest for byte in html):
            return f"something is missing:\n{once!r}"
    return ""


def soak(seconds: float, seed: int, *, most: int | None = None) -> tuple[int, str]:
    """How many pages there were until the time was over or one came out wrong, and what was wrong with it.

    ``most`` ends it after so many pages: the same ones on every machine.
    """
    gate, chance = Gate(policy()), random.Random(seed)
    gate._told.update(trick.host(run) for trick in evasions() for run in "b")
    tricks = [
        trick.body("b")
        for trick in evasions()
        if trick.encoding != "utf-16-be" and len(trick.html) < 2000 and not trick.inner
    ]
    until, count = time.monotonic() + seconds, 0
    while time.monotonic() < until and (most is None or count < most):
        html, kind = mutated(chance, tricks), chance.choice(KINDS)
        count += 1
        try:
            wrong = complaint(gate, html, kind, chance)
        except Exception as error:
            wrong = f"{type(error).__name__}: {error}"
        if wrong:
            return count, f"{kind}\n{html!r}\n{wrong}"
    return count, ""


def browse(seconds: float, seed: int, engines: list[str]) -> tuple[int, str]:
    """The same pages in these engines, by turns: how many were read with gate and policy, and who was contacted."""
    chance, until, count = random.Random(seed), time.monotonic() + seconds, 0
    plain = [t for t in evasions() if not (t.gate_alone or t.dormant or t.top or t.inner or t.headers or t.routes)]
    for engine in cycle(engines):
        if time.monotonic() > until:
            break
        made: list[Evasion] = []
        for trick in chance.sample(plain, 120):
            spiced = mutated(chance, [trick.html.encode()]).decode("utf-8", "replace")
            made.append(replace(trick, html=spiced, script=True, click=""))
        if engine == "chromium":
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
                found = contacts(made, Path(folder), runs="b")
        else:
            found = evasion_island.contacts(engine, made, "b")
        count += len(made)
        for (_, number), words in found.items():
            trick = next(one for one in made if one.number == number)
            return count, f"{engine}\n{trick.content_type}\n{trick.html!r}\n{sorted(words)}"
    return count, ""


def whole(engine: str) -> str:
    """What is wrong with how the tricks go in this engine, as they are, gated, and with the second policy."""
    found = evasion_island.contacts(engine, evasions(), "cgb")
    by_run = {run: [trick for trick in evasions() if found.get((run, trick.number))] for run in "cgb"}
    sys.stdout.write(
        f"{other_engines.version(engine)}: of {len(evasions())} tricks {len(by_run['c'])} reach somebody, "
        f"{len(by_run['g'])} through the gate, {len(by_run['b'])} with the policy too\n"
    )
    heard = {trick.name for trick in by_run["c"]}
    quiet = [trick.name for trick in evasions() if trick.name not in heard | silent(engine)]
    if len(quiet) > 0.04 * len(evasions()):
        return f"they do nothing as they are: {quiet}"
    if unexplained := [trick.name for trick in by_run["g"] if not trick.gate_alone]:
        return f"unexplained through the gate: {unexplained}"
    return f"through gate and policy: {[trick.name for trick in by_run['b']]}" if by_run["b"] else ""


def in_browsers(seconds: float, seed: int) -> tuple[int, str]:
    """All of it, in the engines that are here."""
    lacking = {engine: evasion_island.lacking() or other_engines.lacking(engine) for engine in ("firefox", "webkit")}
    for engine, why in lacking.items():
        wrong = "" if why else whole(engine)
        if wrong:
            return len(evasions()), f"{engine}: {wrong}"
        if why:
            sys.stdout.write(f"{engine} is left out: {why}\n")
    return browse(seconds, seed, ["chromium", *(engine for engine, why in lacking.items() if not why)])


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--browser", action="store_true")
    given = parser.parse_args()
    count, wrong = (in_browsers if given.browser else soak)(given.seconds, given.seed)
    sys.stdout.write(f"{count:,} pages with seed {given.seed}: {wrong or 'nothing wrong'}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
