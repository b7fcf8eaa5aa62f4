"""Tags and declarations too long to be read as a whole: nothing in them or behind them escapes."""

from __future__ import annotations

import pytest
from harbour_policy import PAGE, in_pieces, make_policy

from consent.choice import Choice, Signals, decide
from consent.gate import Gate
from consent.gate.candidates import LIMIT

GATE = Gate(make_policy())
OPEN = Gate(make_policy(undeclared="report"))
REFUSED = decide(GATE.policy, Choice.refusing(), Signals())
AGREED = decide(GATE.policy, Choice.granting("youtube", "stats"), Signals())
LONG = b'title="' + b"x" * LIMIT + b'"'
IMAGE = b"<img src=//a.stats.example/x>"
INERT = b'<img data-consent-service="stats" data-consent-category="analytics" data-consent-src=//a.stats.example/x>'


def sent(html: bytes, **extra) -> bytes:
    whole = GATE.rewrite(html, REFUSED, base_url=PAGE, **extra)
    for size in (10_000, LIMIT, LIMIT + 7):
        assert in_pieces(GATE, REFUSED, html, size=size, **extra) == whole
    return whole


@pytest.mark.parametrize("name", [b"p", b"img", b"iframe", b"svg", b"my-own"])
def test_the_notice_goes_before_a_giant_that_opens_the_body(name) -> None:
    html = b"<title>x</title><%b %b>" % (name, LONG)
    before, notice, after = sent(html, insert=b"[N]").partition(b"[N]")
    assert before == b"<title>x</title>"
    assert notice
    assert after in (html[len(before) :], b"<data-consent-" + html[len(before) + 1 :])
    small = b"<title>x</title><%b>" % name
    assert sent(small, insert=b"[N]") == small.replace(b"<" + name, b"[N]<" + name), "the control"


@pytest.mark.parametrize("name", [b"base", b"template"])
def test_the_notice_does_not_go_before_a_giant_of_the_head(name) -> None:
    html = b"<head><%b %b></template></head><body>" % (name, LONG)
    assert sent(html, insert=b"[N]").endswith(b"<body>[N]")


SWITCHING = [
    b"<svg %b><style>" + IMAGE + b"</style></svg>",
    b"<svg><svg %b></svg><style>" + IMAGE + b"</style></svg>",
    b"<math %b><mtext></mtext><style>" + IMAGE + b"</style></math>",
    b"<math><mi %b></math></mi><style>" + IMAGE + b"</style></math>",
    b"<select %b><style></select>" + IMAGE + b"</style>",
    b"<noscript %b><!-- </noscript>" + IMAGE + b" -->",
    b"<svg><foreignobject %b></svg></foreignobject><style>" + IMAGE + b"</style>",
]


@pytest.mark.parametrize("page", SWITCHING)
def test_a_giant_that_would_change_how_the_rest_is_read_does_not(page) -> None:
    """Either it is no such element any more, or what follows is read both ways."""
    html = page % LONG
    out = sent(html)
    assert b" src=" not in out or b"<data-consent-" in out
    renamed = out.replace(b"<data-consent-", b"<x-")
    assert GATE.rewrite(renamed, REFUSED, base_url=PAGE) == renamed, "nothing is left to be found"
    assert INERT in sent(page % b'title="x"'), "the control: a short one is read as it is"
    assert OPEN.rewrite(page % b'title="x"', AGREED, base_url=PAGE) == page % b'title="x"'


def test_a_giant_frameset_holds_no_frames() -> None:
    html = b"<frameset %b><style><frame src=//a.stats.example/x></style></frameset>"
    assert sent(html % LONG).startswith(b"<data-consent-frameset ")
    assert b"data-consent-src=//a.stats" in sent(html % b'title="x"'), "the control"


def test_of_a_giant_only_what_fetches_is_renamed() -> None:
    html = b'<img %b src="/own.png" srcset="//a.stats.example/x 2x">' % LONG
    assert sent(html) == html.replace(
        b"srcset", b'data-consent-service="stats" data-consent-category="analytics" data-consent-srcset'
    )


@pytest.mark.parametrize("quote", [b'"', b"'", b""])
def test_a_giant_picture_in_its_own_tag_stays_and_a_document_does_not(quote) -> None:
    page = b"<img src=" + quote + b"data:%b;base64," + b"A" * LIMIT + quote + b" alt=x>" + IMAGE
    for picture in (b"image/png", b"IMAGE/gif"):
        assert sent(page % picture) == (page % picture).replace(IMAGE, INERT)
    assert sent(page % b"text/html") == (page % b"text/html").replace(IMAGE, INERT).replace(
        b"<img src=" + quote, b"<img data-consent-src=" + quote
    )


@pytest.mark.parametrize("name", [b"href", b"xlink:HREF"])
def test_a_giant_picture_in_a_drawing_stays_and_leaves_no_doubt_behind(name) -> None:
    style = b"<style>p::after{content:'%b'}</style>" % IMAGE
    page = b"<svg><%b " + name + b'="data:image/png;base64,' + b"A" * LIMIT + b'"/></svg>' + style + b"<p>" + IMAGE
    for picture in (b"image", b"feImage"):
        assert sent(page % picture) == (page % picture).replace(b"<p>" + IMAGE, b"<p>" + INERT)
    for other in (b"use", b"script", b"a"):
        out = in_pieces(GATE, REFUSED, page % other, size=10_000)
        assert b"data-consent-" + name in out, "the control: a picture in another element"
    out = in_pieces(GATE, REFUSED, page % b"nobody", size=10_000)
    assert b"content:'" + INERT in out, "the control: an element that leaves doubt"


def test_a_declaration_without_an_end_is_passed_on_and_ends_where_it_ends() -> None:
    html = b"<!x " + b"y" * LIMIT + b"<img src=//a.stats.example/x >" + IMAGE
    assert sent(html) == html.replace(IMAGE, INERT)
    stream = GATE.stream(REFUSED, base_url=PAGE)
    assert len(stream.feed(html[: LIMIT + 4])) == LIMIT + 4, "it is not held back"
    assert stream.feed(html[LIMIT + 4 :]) + stream.close() == html[LIMIT + 4 :].replace(IMAGE, INERT)


def test_a_giant_in_a_noscript_is_closed_rather_than_held_back() -> None:
    stream = GATE.stream(REFUSED, base_url=PAGE)
    begun = b'<body><noscript><a title="' + b"x" * LIMIT
    first = stream.feed(begun)
    assert first == begun + b'">'
    rest = b'"></noscript>' + IMAGE
    assert stream.feed(rest) + stream.close() == rest.replace(IMAGE, INERT)
    short = GATE.stream(REFUSED, base_url=PAGE)
    assert short.feed(begun[:100]) == begun[:16], "the control: a short one is held back"


def test_what_waits_for_its_place_in_a_long_style_keeps_it_over_pieces() -> None:
    fetched = b"url(//a.stats.example/x)"
    html = b"<svg><style>" + b"x " * 4500 + b"<a title=" + fetched + b"y" * (LIMIT - 4000) + b"></style></svg>" + IMAGE
    out = sent(html)
    assert b"<a title=url(data-consent://a.stats.example/x)yyy" in out
    assert out.endswith(INERT)


def test_an_address_that_comes_again_in_a_long_style_sheet_is_made_inert_again() -> None:
    rules = b"a{color:red}\n" * 12000
    html = b"<style>" + rules + b"b{c:url(//a.stats.example/x);d:url(//a.stats.example/x)}" + rules + b"</style>"
    assert sent(html) == html.replace(b"//a.stats", b"data-consent://a.stats")
