"""What is left behind tag by tag needed no look: the page comes out as if all of it had been searched."""

# ruff: noqa: E501  # tables of markup, one trick after another

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pytest
from harbour_policy import PAGE, make_policy
from hypothesis import example, given, settings
from hypothesis import strategies as st

from consent.choice import Choice, Permissions, Signals, decide
from consent.gate import Blocked, Gate, search
from consent.gate.pieces import Pieces
from consent.gate.placement import Place
from consent.gate.skim import BEFORE_BODY, IN_BODY, IN_NOSCRIPT, skimmer
from tests.covering import EVERY_CASE

STRIDE = 7
"""Of so many pairs the fast tests try one."""
GATE = Gate(make_policy())
PLAIN_GATE = Gate(make_policy(undeclared="block"))
REFUSED = decide(GATE.policy, Choice.refusing(), Signals())
GRANTED = decide(GATE.policy, Choice.granting("stats"), Signals())

PARTS = (
    b"<", b">", b"/", b'"', b"'", b"=", b" ", b"\n", b"\t/", b"\n/", b"\r/", b"\\", b"&", b"(", b":", b"-", b"!", b"?", b"x", b"<3", b"</", b"</>",
    b"<p>", b'<p class="a">', b"<p title='a>b'>", b"<p title=a/b>", b"<P ID=x>", b'<p data-a="//a.stats.example">', b"<a ", b"<img ", b"<IMG ", b"<div a b=c d='e'>",
    b'<a href="https://a.stats.example/">', b"<a href='//x'>", b'<a href="javascript:void(0)">', b'<a href="javascript:_paq.push(1)">', b"<a href=&#x6a;avascript:x>",
    b'<a ping="//a.stats.example/">', b'<a onclick="f()">', b'<a onclick="_paq.push(1)">', b'<form action="//a.stats.example/">', b'<p style="color:red">',
    b'<p style="background:url(//a.stats.example/x)">', b'<img src="/own.png">', b'<img src="//a.stats.example/x">', b'<img src="https://harbour.example/x">',
    b"<img src=//cdn.harbour.example/x>", b'<img src="https://harbour.example@a.stats.example/">', b'<img alt="//a.stats.example/" src="/x">', b'<img src="data:image/png;base64,x">',
    b'<img src="&#47;&#x2f;a.stats.example/x">', b'<img src="&sol;/a.stats.example">', b'<img src="a&amp;b&copy;c&quot;">', b'<img srcset="/a 1x, //a.stats.example/b 2x">',
    b'<img src="http:a">', b'<img src="/\t/a.stats.example/">', b"<source src=\\\\a.stats.example/>", b'<video poster="https://a.stats.example/x">', b"<input type=image src=//a.stats.example/x>",
    b'<meta charset="utf-8">', b'<meta property="og:image" content="https://a.stats.example/x">', b'<meta http-equiv="refresh" content="0;url=//a.stats.example/">',
    b'<link rel="icon" href="/x">', b'<link rel="stylesheet" href="https://a.stats.example/x.css">', b"<title>", b"a title", b"</title>", b"<textarea>", b"</textarea>", b"</titles>",
    b"<script>", b'<script src="/x.js" defer>', b"<script src=//a.stats.example/x.js>", b"<script type=module>", b'<script type="importmap">', b"<script type=speculationrules>",
    b"<script type='text/template'>", b"<script data-type=x>", b"var a = 1;", b"_paq.push(1)", b"\\u005fpaq.push(1)", b'import "https://a.stats.example/x"', b"import('/own.js')",
    b'from","a', b'from "//a.stats.example/"', b"import.meta", b'import.defer("//a.stats.example/")', b"import/**/('//a.stats.example/')", b"Array.from(x)", b'from "a\\u003ab"', b"from 'a:\n",
    b"</script>", b"</SCRIPT >", b"</scripts>", b"<style>", b"<style type='text/css'>", b"a{color:red}", b"b{background:url(//a.stats.example/y)}", b"c{background:url(/z)}", b"\n/* c */",
    b"i:before{content:'\\f101'}", b"\\9;", b"\\2f ", b"@import '/x.css';", b"@import '//a.stats.example/x';", b"http://", b"</style>", b"</Style\n>", b"<!--", b"-->", b"--!>", b"<!-->", b"<!doctype html>",
    b"<![CDATA[", b"]]>", b"<?php a ?>", b"<svg>", b'<svg viewBox="0 0 1 1" xmlns="http://www.w3.org/2000/svg">', b'<path d="M0 0"/>', b"<use href='#a'/>", b'<use href="//a.stats.example/#a"/>', b"<svg/>",
    b"</path>", b"</svg>", b"</svg >", b"<select>", b"<option value=1>", b"</option>", b"<optgroup label='a'>", b"</select>", b"<math>", b"</math>", b"<noscript>", b"</noscript>", b"</noscript x>",
    b"<iframe src='//a.stats.example/'>", b"<iframe srcdoc='_paq.push(1)'>", b"</iframe>", b"<object data='//a.stats.example/x'>", b"</object>", b"<embed src=//a.stats.example/x>",
    b"<html lang=de>", b"<head>", b"</head>", b"<body>", b"</body>", b"<template>", b"</template>", b"<base href='/a/'>", b"<base href='//a.stats.example/'>", b"<frameset>", b"<plaintext>",
    b"<main>", b"</main>", b"<section>", b"</section>", b"<article a='//x'>", b"</nav>", b"<footer>", b"</footer>", b"</main a>", b"<div", b"<div a", b"<div a=", b"<div a='", b"<x-y z", b"<p a=`b>",
    b"<p a=b'c>", b"<p =a>", b"<p 'a'>", b"<p a = b >", b"<p a\n=\n'//x'>", b"<br/>", b"<br //>", b" src", b"href=", b"data:text/css,", b"data:", b"ws:", b"ftp:x", b"x" * 120, b"\xff", b"\0",
)  # fmt: skip
HEADS = (b"", b"<!doctype html><html lang=en><head><title>A</title>", b"<p>")
PAGES = st.tuples(st.sampled_from(HEADS), st.lists(st.sampled_from(PARTS), max_size=14)).map(
    lambda made: made[0] + b"".join(made[1])
)


@contextmanager
def reading(*, tag_by_tag: bool) -> Iterator[None]:
    before, Pieces.skims = Pieces.skims, tag_by_tag
    try:
        yield
    finally:
        Pieces.skims = before


def rewritten(
    html: bytes, permissions: Permissions, cuts: list[int], *, tag_by_tag: bool, gates: tuple[Gate, ...] = (GATE, PLAIN_GATE)
) -> list[object]:
    made: list[object] = []
    with reading(tag_by_tag=tag_by_tag):
        for gate in gates:
            for extra in ({}, {"insert": b"[N]", "footer": b"[F]", "placeholder": lambda _: b"[E]"}):
                said: list[Blocked] = []
                made += (gate.rewrite(html, permissions, base_url=PAGE, report=said.append, **extra), said)
                stream = gate.stream(permissions, base_url=PAGE, **extra)
                ends = [0, *cuts, len(html)]
                made.append(b"".join(stream.feed(html[start:end]) for start, end in pairwise(ends)) + stream.close())
    return made


@pytest.mark.untraced
@settings(max_examples=20_000 if EVERY_CASE else 600, deadline=None)
@given(PAGES, st.sampled_from((REFUSED, GRANTED)), st.lists(st.floats(0, 1), max_size=3))
@example(b"<noscript><!x </noscript>", REFUSED, [])
@example(b"<noscript><script>" + b"a = 1; " * 10_000 + b"</script></noscript>", REFUSED, [0.5])
def test_every_page_comes_out_as_if_it_had_been_searched(html, permissions, cuts) -> None:
    places = sorted(int(cut * len(html)) for cut in cuts)
    searched = rewritten(html, permissions, places, tag_by_tag=False)
    assert rewritten(html, permissions, places, tag_by_tag=True) == searched


@pytest.mark.untraced
@pytest.mark.parametrize("first", range(len(PARTS)))
def test_of_two_parts_in_a_row_none_is_left_behind_that_is_found_otherwise(first) -> None:
    for second in range(0 if EVERY_CASE else first % STRIDE, len(PARTS), 1 if EVERY_CASE else STRIDE):
        html = b"<b>" + PARTS[first] + PARTS[second]
        searched = rewritten(html, REFUSED, [len(html) // 2], tag_by_tag=False, gates=(PLAIN_GATE,))
        assert rewritten(html, REFUSED, [len(html) // 2], tag_by_tag=True, gates=(PLAIN_GATE,)) == searched, html


@pytest.mark.parametrize(
    "html",
    [
        b"<main><section></section><footer>a</footer></main><footer>b</footer>", b"<section a='//x' style='a:url(//a.stats.example/x)'><footer>a</footer></section><footer>b</footer>",
        b"<noscript><p><img src=//a.stats.example/x></noscript><img src=//a.stats.example/x>", b"<noscript><!x </noscript><p>", b"<head><noscript><svg></noscript><p>", b"<head><svg><p>",
        b"<main style='a:url(//a.stats.example/x)'></main ><footer></footer>", b"<p></main a><nav a=//b><footer></footer></nav><footer></footer>", b"<noscript><section><svg></noscript><footer></footer>",
        b"<svg><a></a></svg><p><img src=//a.stats.example/x><svg><a></a></svg><img src=//a.stats.example/y>",
    ],
)  # fmt: skip
def test_sections_and_what_only_one_reader_sees_come_out_as_if_they_had_been_searched(html) -> None:
    for cuts in ([], *([at] for at in range(1, len(html)))):
        assert rewritten(html, REFUSED, cuts, tag_by_tag=True) == rewritten(html, REFUSED, cuts, tag_by_tag=False)


@pytest.mark.parametrize("end", [b"", b'">', b" ", b"x</script></style>"])
def test_a_part_before_any_end_comes_out_as_if_it_had_been_searched(end) -> None:
    for part in PARTS:
        html = part + end
        assert rewritten(html, REFUSED, [], tag_by_tag=True) == rewritten(html, REFUSED, [], tag_by_tag=False), html


SKIMMER = skimmer(("harbour.example",), ())
LISTENING = skimmer(("harbour.example",), (b"_paq", b"gtm"))
NOWHERE = Place(b"", b"", "utf-8")


class Listed(Place):
    """A place that lists the steps of sections."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.steps: list[int] = []

    def section(self, step: int) -> None:
        self.steps.append(step)


CALM = (
    b"text & more < 3 <p>", b"x" * 300 + b"<p>", b"<p class=a id='b' c>", b"<p\ta = 'b'\n>", b'<a href="https://a.example/?a=1&amp;b=2">', b"<a href='//a.example'>", b"<a HREF='mailto:x'>",
    b'<a href="javascript:void(0)">', b'<a href="#x" onclick="f()">', b'<form action="//a.example/">', b'<img src="/a.png" alt="//a.example">', b'<img src="https://harbour.example/x" width=1>',
    b'<img data-src="//a.example/x">', b'<p data-x="//a.example" title="http:">', b"<option value='//a.example'>", b'<meta property="og:image" content="https://a.example/x">',
    b'<meta name=a content="x">', b'<link rel="icon" href="/x.png">', b"<title>A &amp; b</title>", b"<textarea>a</textarea>", b"<script>var a = 'b' < 3;</script>", b"<script></script>",
    b"<script src='/x.js' type='module'></script>", b"<script type='text/template'>a</script>", b'<script>import "./own.js"; Array.from(a); import.meta</script>', b"<script><!-- a --></script>",
    b"<style>a:hover{color:red}\n/* b */i{content:'\\f101'}</style>", b"<style>a{background:url(/x.png)}b{background:url(data:image/png;base64,x)}</style>", b"<!-- a --><!---->", b"<!doctype html>",
    b'<svg viewBox="0 0 1 1" xmlns="http://www.w3.org/2000/svg"><g><path d="M0//1"/></g><title>A</title></svg>', b"<select><optgroup label=a><option>b</option></optgroup></select>", b"</p></div>",
    b"<main><section></section></main>", b"<footer>", b"<body>", b'<object data="/x">', b"<p data-what-has-a-name-as-long-as-this='//a'>", b"<p content='//a'>", b"<img sizes='//a'>", b"<script text='//a'></script>", b"<input name=a value='//a.example'>", b"<video src=/x></video>",
)  # fmt: skip
LOOKED_AT = (
    b"<", b"</", b"</>", b"<p", b"<p a", b"<p a=", b"<p a='", b"<img src='", b"<img src=", b"<p a=b", b"<p 'a'>", b"<p a'b>", b"<p =a>", b"<p a=b'>", b"<p a = ", b"<p a ", b"<?x?>", b"<!-- a", b"<!-->", b"</p a>", b"</p", b"<!x",
    b"<img src='//a.example/x'>", b"<img src=//a.example/x>", b"<img src=\"https://a.example/x\">", b"<img src='http:x'>", b"<img src='&#47;/a'>", b"<img src='\\x'>", b"<img src='/\t/a'>", b"<IMG SRC='//a'>",
    b"<a href='&#x6a;avascript:x'>", b"<a href='javascript:f()'>", b"<a ping='//a.example'>", b"<p style='a:url(//a.example)'>", b"<p onclick='f(\"//a.example\")'>", b"<form action='javascript:x'>",
    b"<meta http-equiv=refresh content='0;url=//a.example'>", b"<link rel=stylesheet href='//a.example'>", b"<title>a<b></title>", b"<title>a", b"<textarea>", b"<script>", b"<script>import 'https://a.example/x'</script>",
    b"<script><!-- <script></script>", b"<script type=importmap>{}</script>", b"<script type='&#97;'></script>", b"<style>a{background:url(//a.example)}</style>", b"<style>a{b:url(\\2f\\2f a)}</style>",
    b"<style>i{content:'\\f101'}@import 'x';</style>", b"<style>", b"<style>a<b</style>", b"<svg/>", b"<svg><p></svg>", b"<svg><path></svg x>", b"<svg><path", b"<svg><use href='//a.example'/></svg>",
    b"<svg><title>a<b></title></svg>", b"<svg><!-- a --></svg>", b"<svg>< a</svg>", b"<svg>", b"<select><p></select>", b"<select><script></script></select>", b"<select>", b"<html manifest='//a.example'>", b"<base href=/>",
    b"<noscript>", b"<math>", b"<iframe src=/x></iframe>", b"</object>", b"<frameset>", b"<plaintext>", b"<p title='" + b"x" * 65536 + b"'>",
)  # fmt: skip


@pytest.mark.parametrize("html", CALM)
def test_what_is_as_usual_is_left_behind(html) -> None:
    page = html + b"<b>"
    assert SKIMMER.past(page, 0, len(page), IN_BODY, NOWHERE) == len(page)


@pytest.mark.parametrize("html", LOOKED_AT)
def test_what_may_matter_is_looked_at_from_where_it_begins(html) -> None:
    page = b"<p>" + html
    assert SKIMMER.past(page, 0, len(page), IN_BODY, NOWHERE) == 3


@pytest.mark.parametrize(
    ("html", "calm"),
    [
        (b"<script>a_paq.push(1)</script>", False), (b"<script>_pq.push(1)</script>", True), (b"<script>'\\u0067'</script>", False), (b"<p onclick='f(1)'>", False),
        (b"<p title='f(1)'>", True), (b"<img alt='f(1)' src=/x>", True), (b"<img onerror='f(1)' src=/x>", False), (b"<p style='a:b(c)'>", True), (b"<script>'\\n'</script>", True),
    ],
)  # fmt: skip
def test_where_services_have_words_scripts_and_calls_are_looked_at(html, calm) -> None:
    assert LISTENING.past(html + b"<b>", 0, len(html) + 3, IN_BODY, NOWHERE) == (len(html) + 3 if calm else 0)


@pytest.mark.parametrize(
    ("html", "stops"),
    [
        (b" <meta charset=a>\n<title>A</title><script></script><!-- --></head> ", -1), (b"<meta charset=a> x", 17), (b"<p>", 0), (b"< 3", 0), (b"<svg></svg>", 0),
        (b"</title></body>", 8), (b"<div>", 0), (b"<link href=//a.example>", 0),
    ],
)  # fmt: skip
def test_before_the_body_only_what_heads_hold_is_left_behind(html, stops) -> None:
    assert SKIMMER.past(html, 0, len(html), BEFORE_BODY, NOWHERE) == (len(html) if stops < 0 else stops)


def test_sections_are_counted_where_they_are_asked_for_and_landmarks_looked_at() -> None:
    html = b"<main><nav></nav><section a=b><p></section></main><footer>"
    place = Listed(b"", b"[F]", "utf-8")
    assert SKIMMER.past(html, 0, len(html), IN_BODY, place) == html.index(b"<footer")
    assert place.steps == [1, 1, -1, 1, -1, 0]
    assert SKIMMER.past(b"<svg></svg></body>", 0, 18, IN_BODY, place) == 11
    idle = Listed(b"", b"", "utf-8")
    assert SKIMMER.past(html, 0, len(html), IN_BODY, idle) == len(html)
    assert idle.steps == []


@pytest.mark.parametrize("where", [IN_BODY, BEFORE_BODY, IN_NOSCRIPT])
def test_the_language_is_noted_in_passing(where) -> None:
    place = Place(b"", b"[F]", "cp1252")
    html = b"<html lang=''><HTML class=a lang=' de '><html lang=fr>"
    assert SKIMMER.past(html, 0, len(html), where, place) == len(html)
    assert place.lang == "de"
    assert SKIMMER.past(b"<html manifest='//a'>", 0, 21, where, place) == 0
    assert SKIMMER.past(b"<p></html><p>", 3, 13, where, place) == (3 if where == BEFORE_BODY else 13)


def test_in_noscript_a_long_text_needs_a_look() -> None:
    for html in (b"<script>%b</script>", b"<style>%b</style>"):
        page = html % (b"a " * 40_000)
        assert SKIMMER.past(page, 0, len(page), IN_NOSCRIPT, NOWHERE) == 0
        assert SKIMMER.past(page, 0, len(page), IN_BODY, NOWHERE) == len(page)
        short = html % b"a "
        assert SKIMMER.past(short + b"<", 0, len(short), IN_NOSCRIPT, NOWHERE) in (0, len(short))


@pytest.mark.parametrize("automata", [True, False])
def test_words_are_found_with_and_without_an_automaton(automata, monkeypatch) -> None:
    monkeypatch.setattr(search, "AUTOMATA", automata and search.AUTOMATA)
    words = search.Words((b"import", b"from"))
    assert words.places(b"a import from xfrom", 2, 19) == [2, 9, 15]
    assert words.within(b"a import", 0, 8)
    assert not words.within(b"a import", 3, 8)
    assert not search.Words(()).within(b"a", 0, 1)
