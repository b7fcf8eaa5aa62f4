"""Pieces, repetition, size: what must hold for any page."""

# ruff: noqa: E501  # tables of markup, one trick after another

from __future__ import annotations

import random
import time

import html5lib
import pytest
from harbour_policy import PAGE, make_policy
from html5lib.constants import tokenTypes
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from consent.choice import Choice, Signals, decide
from consent.gate import Gate
from consent.gate.pieces import Pieces

GATE = Gate(make_policy())
REFUSED = decide(GATE.policy, Choice.refusing(), Signals())
X = b"//a.stats.example/x"
PIECES = [
    b"<!-- ", b"-->", b"--!>", b"<!-->", b"<!x", b"<?x", b"</ y", b"<script>", b"</script>", b"<img src=" + X + b">", b"<p>", b"</p>",
    b"<iframe src=" + X + b">", b"</iframe>", b'<div title="', b"<div title='", b'">', b"'>", b">", b"<", b'"', b"'", b"=", b" ", b"/",
    b"<noscript>", b"</noscript>", b"<svg>", b"</svg>", b"<style>", b"</style>", b"url(" + X + b")", b"@import '" + X + b"';",
    b"<textarea>", b"</textarea>", b"<title>", b"</title>", b"_paq.push(1)", b"<a onclick='_paq.push(2)'>", b"text", b"<![CDATA[", b"]]>",
    b"<body>", b"<html lang=de>", b"<footer>", b"</footer>", b"</body>", b"<template>", b"</template>", b"<object data=" + X + b">",
    b"</object>", b"<base href=" + X + b">", b'<b style="a:url(' + X + b')">', b"\n", b"<ScRipt>", b"<plaintext>", b"<select>", b"</select>",
    b"<table>", b"<frameset>", b"<math>", b"</math>", b"<desc>", b"</desc>", b"<br/>", b"&lt;", b"<svg/>", b"<xmp>", b"</xmp>",
]  # fmt: skip
PAGES = st.lists(st.sampled_from(PIECES), max_size=14).map(b"".join)


def pieces(html: bytes, cuts, **keywords) -> bytes:
    stream = GATE.stream(REFUSED, base_url=PAGE, **keywords)
    sent, last = b"", 0
    for cut in [*cuts, len(html)]:
        sent += stream.feed(html[last:cut])
        last = cut
    return sent + stream.close()


@pytest.mark.untraced
@settings(max_examples=400, deadline=None)
@given(PAGES, st.booleans())
def test_a_page_split_at_every_byte_comes_out_as_whole(html, furnished) -> None:
    extra = {"insert": b"[N]", "footer": b"[F]", "placeholder": lambda _: b"[P]"} if furnished else {}
    whole = GATE.rewrite(html, REFUSED, base_url=PAGE, **extra)
    assert pieces(html, range(1, len(html)), **extra) == whole
    assert pieces(html, [len(html) // 2], **extra) == whole


@pytest.mark.untraced
@settings(max_examples=400, deadline=None)
@given(PAGES)
def test_twice_is_once(html) -> None:
    once = GATE.rewrite(html, REFUSED, base_url=PAGE)
    assert GATE.rewrite(once, REFUSED, base_url=PAGE) == once


@pytest.mark.untraced
@settings(max_examples=400, deadline=None)
@given(PAGES)
def test_nothing_is_taken_away_and_nothing_moved(html) -> None:
    rest = iter(GATE.rewrite(html, REFUSED, base_url=PAGE, insert=b"[N]", footer=b"[F]"))
    assert all(byte in rest for byte in html), "the page is a subsequence of what is sent"


class Watching(html5lib.HTMLParser):
    """html5lib, keeping each start tag as its tokenizer gives it to the tree construction."""

    def __init__(self, **keywords) -> None:
        super().__init__(**keywords)
        self.tags: list[tuple[str, dict[str, str]]] = []

    def mainLoop(self):  # noqa: N802
        self.tokenizer = Tee(self.tokenizer, self.tags)
        super().mainLoop()


class Tee:
    """html5lib's tokenizer, whose states the parser sets, with a copy of each start tag."""

    def __init__(self, tokenizer, tags) -> None:
        self.__dict__.update(inner=tokenizer, tags=tags)

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def __setattr__(self, name, value) -> None:
        setattr(self.inner, name, value)

    def __iter__(self):
        for token in self.inner:
            if token["type"] == tokenTypes["StartTag"]:
                self.tags.append((token["name"], dict(token["data"])))
            yield token


def live(html: bytes, *, scripting: bool) -> list[tuple[str, dict[str, str]]]:
    parser = Watching()
    try:
        parser.parse(html, scripting=scripting, transport_encoding="utf-8")
    except AssertionError:
        reject()  # html5lib gives up on some nestings of templates and framesets
    urls = {"img": "src", "iframe": "src", "script": "src", "object": "data", "base": "href"}
    return [(name, found) for name, found in parser.tags if "a.stats" in found.get(urls.get(name, ""), "")]


@pytest.mark.untraced
@settings(max_examples=1500, deadline=None)
@given(PAGES)
def test_no_parser_finds_a_live_tag_in_what_is_sent(html) -> None:
    sent = GATE.rewrite(html, REFUSED, base_url=PAGE)
    for scripting in (True, False):
        assert not live(sent, scripting=scripting)


def test_the_oracle_sees_the_tag_that_was_let_through() -> None:
    assert live(b"<p title='>'><img src=//a.stats.example>", scripting=True)


@pytest.mark.parametrize(
    "unit",
    [b"<!--", b"<script", b"<script>", b'<a "', b"&", b"<![CDATA[", b"<", b"<a ", b"<img src=//a.stats.example ", b"<svg>", b"<noscript><!--",
     b"<style>", b"<style>/*", b"'", b'="', b"<p '", b"</", b"<noscript><!--</noscript>", b"(", b"<p a='(", b"url(", b"<title>", b"<?",
     b"<select><style>", b"<x a=b(c)>", b"<p a=\"'\" b='\"'><i>(", b"<textarea><", b"a<b ", b"<svg><style><!--</style>",
     b"<noscript><style>", b"<svg></p><script><!-- <script>", b"<svg></p><style>", b"<math><mi>", b"<svg a=\"", b"<svg><path ", b"<template>",
     b"<select>", b"//", b"<p //", b"\\", b"<p &#47;", b"<p =\"//", b"<script>import/*", b"<script>=/[", b"<script>`${", b"<style>@import '//x';",
     b"<style>\\", b"<img srcset='(((", b"<noscript><a '</noscript>", b"<svg a='>//", b"<meta a=\"b\">", b"<svg></p><![CDATA[>"],
)  # fmt: skip
@pytest.mark.untraced
def test_hostile_input_costs_no_more_than_linear_time(unit) -> None:
    assert cost(unit, 1 << 19) < 3.5 * cost(unit, 1 << 18) + 0.05


@pytest.mark.parametrize(
    "unit",
    [b"<svg><path></svg x>", b"<select></select x>", b"<noscript></noscript>", b"<noscript><p></noscript>", b"<noscript><title>", b"<svg/>", b"<svg><path>",
     b"<title>", b"<script>", b"<style>", b"<!-->", b"<p a='", b"<p a=b'>", b"<a href=javascript:f()>", b"<script>from'a", b"<script><!--<script></script>", b"<"],
)  # fmt: skip
@pytest.mark.untraced
def test_hostile_input_costs_no_more_tag_by_tag(monkeypatch, unit) -> None:
    monkeypatch.setattr(Pieces, "skims", True)
    assert cost(unit, 1 << 18, 1 << 18) < 3.5 * cost(unit, 1 << 17, 1 << 18) + 0.05


def cost(unit: bytes, size: int, pieces: int = 65536) -> float:
    html = unit * (size // len(unit))
    best = 9.0
    for _ in range(2):
        stream = GATE.stream(REFUSED, base_url=PAGE)
        start = time.process_time()
        for at in range(0, len(html), pieces):
            stream.feed(html[at : at + pieces])
        stream.close()
        best = min(best, time.process_time() - start)
    return best


@pytest.mark.parametrize("size", [1, 40, 100])
def test_what_is_no_markup_is_none_over_pieces_either(size) -> None:
    image = b"<img src=" + X + b">"
    inert = GATE.rewrite(image, REFUSED, base_url=PAGE)
    hidden = b"x" * 90 + image + b"x" * 90
    for begun, end in ((b"<!--", b"-->"), (b"<xmp>", b"</xmp>"), (b"<script>'", b"'</script>"), (b"<!--", b"--!>")):
        page = begun + hidden + end
        assert pieces(page + image, range(0, len(page) + len(image), size)) == page + inert
        assert pieces(begun + hidden, range(0, len(page), size)) == begun + hidden, "it has no end"
    page = b"<plaintext>" + hidden + b"</plaintext>" + image
    assert pieces(page, range(0, len(page), size)) == page
    assert pieces(hidden, range(0, len(hidden), size)) == hidden.replace(image, inert), "the control"


def test_at_most_one_tag_is_held_back() -> None:
    stream = GATE.stream(REFUSED, base_url=PAGE)
    sent = 0
    for _ in range(64):
        sent += len(stream.feed(b"<p a='" + b"x" * 40000 + b"'>" + b"y" * 40000))
    assert sent > 63 * 80000


@pytest.mark.untraced
def test_a_tag_too_long_to_read_fails_closed() -> None:
    rng = random.Random(3)
    for start in (b"<img src=//a.stats.example/", b"<script src=//a.stats.example/x ", b"<iframe srcdoc='"):
        html = start + bytes(rng.choice(b"abc ") for _ in range(80_000)) + b"'></script>"
        sent = GATE.rewrite(html, REFUSED, base_url=PAGE)
        assert b" src=//a" not in sent or b"<data-consent-" in sent
        assert not live(sent, scripting=True)
        assert pieces(html, range(0, len(html), 5000)) == sent


def test_a_script_of_the_sites_own_without_a_text_is_left_behind():
    page = b'<!doctype html><body><script src="/static/site.js" defer></script><img src=' + X + b">"
    assert GATE.rewrite(page, REFUSED, base_url=PAGE).startswith(page[: page.index(b"<img")])
    assert b"data-consent-src=" + X in GATE.rewrite(page, REFUSED, base_url=PAGE)
