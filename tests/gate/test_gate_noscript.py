"""A ``<noscript>`` before the body: what is in it is text with scripting, and the notice does not go there."""

# ruff: noqa: E501  # tables of markup, one trick after another

from __future__ import annotations

import html5lib
import pytest
from harbour_policy import PAGE, in_pieces, make_policy

from consent.choice import Choice, Signals, decide
from consent.gate import Gate

GATE = Gate(make_policy())
LENIENT = Gate(make_policy(undeclared="report"))
REFUSED = decide(GATE.policy, Choice.refusing(), Signals())
AGREED = decide(GATE.policy, Choice.granting("youtube", "stats"), Signals())
X = b"//a.stats.example/x"
OPENING = b"<!doctype html><html><head><title>x</title>"


def furnished(html: bytes, permissions=REFUSED, gate=GATE, **extra) -> bytes:
    extra = {"insert": b"[N]", **extra}
    whole = gate.rewrite(html, permissions, base_url=PAGE, **extra)
    for size in (*range(1, 9), len(html) // 2 + 1):
        assert in_pieces(gate, permissions, html, size=size, **extra) == whole
    for cut in range(1, len(html)):
        stream = gate.stream(permissions, base_url=PAGE, **extra)
        assert stream.feed(html[:cut]) + stream.feed(html[cut:]) + stream.close() == whole
    return whole


@pytest.mark.parametrize(("permissions", "gate"), [(REFUSED, GATE), (AGREED, LENIENT)])
@pytest.mark.parametrize(
    "inside",
    [b'<img src="/px.gif">', b"<iframe src='/f'></iframe>", b"text", b"", b"<p>Please</p>", b"<body>", b"</body>", b"<br>", b"<frameset>",
     b"<template>", b"</template>", b"<noscript><p>", b"<svg><p></svg>", b"<!-- <img> -->", b"<link rel=x href=/y>", b"<style>p{}</style>",
     b"<meta http-equiv=refresh content='0;url=/n'>", b"a < b", b"<!x>", b"</ y>", b'<p title="</p>">'],
)  # fmt: skip
@pytest.mark.untraced
def test_a_noscript_in_the_head_does_not_take_the_notice(inside, permissions, gate) -> None:
    before, after = OPENING + b"<noscript>" + inside + b"</noscript>", b"<p>Hello</p></body></html>"
    assert (
        furnished(before + b"</head><body class=a>" + after, permissions, gate)
        == before + b"</head><body class=a>[N]" + after
    )
    assert furnished(before + b"<link href=/a>" + after, permissions, gate) == before + b"<link href=/a>[N]" + after
    assert furnished(before + b" text", permissions, gate) == before + b" [N]text"
    assert furnished(before, permissions, gate) == before + b"[N]"


def test_without_a_noscript_the_notice_is_right_after_the_body_tag() -> None:
    assert furnished(OPENING + b"</head><body><p>Hello") == OPENING + b"</head><body>[N]<p>Hello"
    assert furnished(OPENING + b'<img src="/px.gif">') == OPENING + b'[N]<img src="/px.gif">'
    body = OPENING + b"</head><body>%s<noscript><img src='/px.gif'></noscript>"
    assert furnished(body % b"") == body % b"[N]"


def test_several_noscripts_and_the_footer() -> None:
    head = OPENING + b"<noscript><img src=/a></noscript><script>1</script><noscript><p></noscript></head>"
    html = head + b"<body>%s<noscript><footer></footer></noscript><footer>a%s</footer></body>"
    assert furnished(html % (b"", b""), insert=b"[N]").startswith(head + b"<body>[N]")
    sent = furnished(head + b"<body><footer>a</footer>", footer=b"[F]")
    assert sent == head + b"<body>[N]<footer>a[F]</footer>"


@pytest.mark.parametrize("scripting", [True, False])
def test_a_parser_finds_the_notice_in_the_body(scripting) -> None:
    page = OPENING + b'<noscript><img src="/px.gif"></noscript></head><body><p>Hello</p></body></html>'
    sent = GATE.rewrite(page, REFUSED, base_url=PAGE, insert=b"<aside></aside>")
    tree = html5lib.HTMLParser(namespaceHTMLElements=False).parse(sent, scripting=scripting)
    assert len(tree.findall("body/aside")) == 1


@pytest.mark.parametrize(
    "inside", [b"<style>p{}</style>", b"<link rel=stylesheet href=/a.css>", b"", b"<meta name=a>", b"<!-- a -->"]
)
def test_nothing_is_closed_that_was_not_left_open(inside) -> None:
    html = b"<noscript>" + inside + b"</noscript>"
    assert furnished(html) == html + b"[N]"
    assert furnished(html, insert=b"") == html
    html = b"<template><svg><style><a></style></svg></template>"
    assert furnished(html) == html + b"[N]"


@pytest.mark.parametrize(
    ("inside", "closer"),
    [(b"<!-- ", b"-->"), (b"<style>", b"</style>"), (b"<title>", b"</title>"), (b"<a title='", b"'>"), (b'<a title="', b'">'),
     (b"<a title", b">"), (b"<!x ", b">"), (b"<script>", b"</script>"), (b"<p><b><!-- <p> ", b"-->")],
)  # fmt: skip
def test_what_is_left_open_in_a_noscript_is_closed_at_its_end(inside, closer) -> None:
    before, after = OPENING + b"<noscript>" + inside, b"</noscript></head><body>"
    assert furnished(before + after) == before + closer + after + b"[N]"
    assert furnished(before + after, insert=b"") == before + closer + after


@pytest.mark.untraced
def test_what_is_blocked_in_a_noscript_is_blocked_while_the_notice_is_pending() -> None:
    for inside in (
        b"<img src=%s>",
        b"<link rel=stylesheet href=%s>",
        b"<!-- </noscript><img src=%s> -->",
        b"<p style='a:url(%s)'>",
    ):
        html = OPENING + b"<noscript>" + inside % X + b"</noscript></head><body><p>"
        sent = furnished(html, insert=b"")
        assert sent != html
        assert furnished(html).replace(b"[N]", b"") == sent


def test_what_means_nothing_in_a_noscript_does_not_take_the_notice() -> None:
    html = b"<noscript><frameset><noscript><p></noscript><body>"
    assert furnished(html) == html + b"[N]"
    template = b"<template><frameset></template><body>"
    assert furnished(template) == template + b"[N]"
    footer = template + b"<template><frameset></template><footer>a%s</footer>"
    assert furnished(footer % b"", insert=b"", footer=b"[F]") == footer % b"[F]"
    assert furnished(b"<frameset><p>") == b"<frameset><p>", "the control: where it means something, it does"
