"""Where the settings link goes: into the footer of the page, not into one of its articles or sections."""

from __future__ import annotations

import time

import pytest
from harbour_policy import PAGE, in_pieces, make_policy

from consent.choice import Choice, Signals, decide
from consent.gate import Gate

GATE = Gate(make_policy())
REFUSED = decide(GATE.policy, Choice.refusing(), Signals())


def furnished(html: bytes) -> bytes:
    extra = {"insert": b"[N]", "footer": b"[F]"}
    whole = GATE.rewrite(html, REFUSED, base_url=PAGE, **extra)
    for size in range(1, 9):
        assert in_pieces(GATE, REFUSED, html, size=size, **extra) == whole
    return whole


SECTIONS = ("article", "aside", "main", "nav", "section")


@pytest.mark.parametrize("name", SECTIONS)
def test_a_footer_in_a_section_is_not_the_pages(name) -> None:
    html = f"<body>[N]<{name}>%s<footer>a%s</footer></{name}><footer>b%s</footer></body>"
    for between in ("", "<script>1</script>", "<style>p{}</style>", f"<!-- </{name}> -->"):
        want = html % (between, "", "[F]")
        assert furnished(want.replace("[N]", "").replace("[F]", "").encode()) == want.encode()
    closed = f"<body>[N]<{name}></{name}><script>1</script><footer>a[F]</footer><footer>b</footer></body>"
    assert furnished(closed.replace("[N]", "").replace("[F]", "").encode()) == closed.encode(), "the control"


@pytest.mark.parametrize(
    "between", [b"", b"<script>1</script>", b"<script>'</footer>'</script>", b"<svg><a></a></svg>"]
)
def test_behind_the_end_of_main_no_section_is_open(between) -> None:
    html = b"<body>[N]<main><section><footer>a</footer>%b</main>%b<footer>b[F]</footer></body>" % (between, between)
    assert furnished(html.replace(b"[N]", b"").replace(b"[F]", b"")) == html
    still = b"<body>[N]<main><section><footer>a</footer>%b</div>%b<footer>b</footer>[F]</body>" % (between, between)
    assert furnished(still.replace(b"[N]", b"").replace(b"[F]", b"")) == still, "the control: the section is open"


@pytest.mark.parametrize("name", ["noscript", "title", "p"])
def test_what_is_behind_text_for_some_readers_is_counted_once(name) -> None:
    html = (
        f"<body>[N]<nav><nav><{name}>1</{name}></nav><footer>a</footer></nav><footer>b[F]</footer></body>".encode(),
        f"<body>[N]<nav><{name}>1</{name}></nav><footer>a[F]</footer></nav><footer>b</footer></body>".encode(),
    )
    for want in html:
        assert furnished(want.replace(b"[N]", b"").replace(b"[F]", b"")) == want


def test_a_section_that_begins_behind_main_has_its_own_footer() -> None:
    html = b"<body>[N]<main><nav></main><aside><footer>a</footer></aside><footer>b[F]</footer></body>"
    assert furnished(html.replace(b"[N]", b"").replace(b"[F]", b"")) == html


def test_only_the_last_end_of_main_counts() -> None:
    html = b"<body>[N]<main></main><section><p></main><footer>b[F]</footer></body>"
    assert furnished(html.replace(b"[N]", b"").replace(b"[F]", b"")) == html


def test_sections_and_footers_in_a_template_are_nobodys() -> None:
    html = b"<body>[N]<template><section><footer>a</footer></template><footer>b[F]</footer></body>"
    assert furnished(html.replace(b"[N]", b"").replace(b"[F]", b"")) == html
    control = html.replace(b"template", b"div").replace(b"[F]", b"").replace(b"</body>", b"[F]</body>")
    assert furnished(control.replace(b"[N]", b"").replace(b"[F]", b"")) == control


def test_a_frameset_gets_neither_notice_nor_link() -> None:
    html = b"<html><head><title>x</title></head><frameset><frame src=/a></frameset></html>"
    assert furnished(html) == html
    assert furnished(html.replace(b"frameset", b"div")).count(b"[N]") == 1, "the control"
    late = b"<body>[N]<p>x<frameset>y"
    assert furnished(late.replace(b"[N]", b"")) == late, "an odd page, which a parser may read as either"


VALUES = (
    "<p title='</article>'>",
    '<p title="a < b </article> > c" class=x>',
    "<p title=</article>>",
    "<p title='<main>'>",
    "<p title='</main>'>",
    "<p title='</main><section>' class='</main>'>",
    "<p data-src='https://stats.example/ </article>'>",
    "<p title='<footer> </article>' class=\"</nav>\">",
    "<p </article>",
    "<p a = '\"' b = \"'</article>\">",
    "<? </article>>",
    "</3 </article>>",
    "<script>'<p title='</script><p title='</article>'>",
    "<textarea><p title='</textarea><p title='</article>'>",
    "<!-- <p title=' --><p title='</article>'>",
    "<b><p title='https://news.example/a'><p title='</article>'></b>",
)


@pytest.mark.parametrize("value", VALUES)
def test_what_only_looks_like_a_section_in_a_value_neither_opens_nor_closes_one(value) -> None:
    html = f"<body>[N]<article class='lead story' id=a>{value}<footer>a</footer></article><footer>b[F]</footer></body>"
    assert furnished(html.replace("[N]", "").replace("[F]", "").encode()) == html.encode()


@pytest.mark.parametrize(
    "between", ["", "<p title='\"'>", "<p a=''>", "<p title='x > y'>", "<p>a = 'b", '<img alt="">']
)
@pytest.mark.parametrize("attributes", ["", " class=lead", " title='a > b'", " data-src='https://stats.example/'"])
def test_a_section_counts_once_however_the_page_is_cut(between: str, attributes: str) -> None:
    html = f"<body>[N]{between}<article{attributes}><nav>x</nav>{between}</article><footer>a[F]</footer></body>"
    assert furnished(html.replace("[N]", "").replace("[F]", "").encode()) == html.encode()
    inside = f"<body>[N]{between}<article{attributes}>{between}<footer>a</footer></article><footer>b[F]</footer></body>"
    assert furnished(inside.replace("[N]", "").replace("[F]", "").encode()) == inside.encode()


@pytest.mark.parametrize(
    "value", ["<b title='</main></article>'>", "<b title='" + "</main>" * 40 + "'>", "<b title=' ' class=' '>"]
)
def test_many_values_that_look_like_sections_take_time_by_their_length(value: str) -> None:
    took = []
    for times in (100, 1000):
        html = b"<body><article>" + value.encode() * times + b"<section></section>" * times + b"<footer></footer>"
        began = time.perf_counter()
        GATE.rewrite(html, REFUSED, base_url=PAGE, insert=b"[N]", footer=b"[F]")
        took.append(time.perf_counter() - began)
    assert took[1] < 40 * took[0] + 0.1  # linear would be 10, and quadratic 100


@pytest.mark.parametrize("tag", ["<article>", "</article>", "</main>"])
@pytest.mark.parametrize(
    ("opens", "closes"),
    [("<!--", "-->"), ("<textarea>", "</textarea>"), ("<script>", "</script>"), ("<!-- a --><xmp>", "</xmp>")],
)
def test_what_a_piece_ends_in_is_not_counted_in_the_next_one(tag: str, opens: str, closes: str) -> None:
    inside = opens + " words" * 12 + tag + " words" * 12 + tag + closes
    for begins, ends in (
        ("", "<footer>b[F]</footer>"),
        ("<article>", "<footer>b</footer></article><footer>c[F]</footer>"),
    ):
        want = f"<body>[N]{begins}{inside}{ends}</body>"
        assert furnished(want.replace("[N]", "").replace("[F]", "").encode()) == want.encode()
