"""Pages that two readers take apart differently: whatever one of them would fetch is inert.

With scripting and without, HTML and SVG, parsers before and after ``select`` took any markup: each page here hides an image
from one reader that another one fetches.
"""

# ruff: noqa: E501  # tables of markup, one trick after another

from __future__ import annotations

import pytest
from harbour_policy import PAGE, in_pieces, make_policy

from consent.choice import Choice, Signals, decide
from consent.gate import Gate

GATE = Gate(make_policy())
OPEN = Gate(make_policy(undeclared="report"))
REFUSED = decide(GATE.policy, Choice.refusing(), Signals())
AGREED = decide(GATE.policy, Choice.granting("youtube", "stats"), Signals())

DISPUTED = [
    b"<noscript><plaintext></noscript><img src=%s>",
    b"<body><noscript><plaintext>a</noscript>b<img src=%s>",
    b"<body><noscript><math><![CDATA[ > </noscript><textarea> ]]><img src=%s></textarea>",
    b"<svg></math><script><img src=%s></script>",
    b"<math></svg><style><img src=%s></style>",
    b"<svg><math></svg><style><img src=%s></style>",
    b"<svg a=/><style><img src=%s></style>",
    b"<svg><desc><p></desc></svg></p></desc><style><img src=%s></style>",
    b"<svg><title><p></title></svg></p></title><style><img src=%s></style>",
    b"<svg><foreignObject><select></foreignObject></svg></select></foreignObject><style><img src=%s></style>",
    b"<select><noframes></select><img src=%s></noframes>",
    b"<select><template></select></template><style></select><img src=%s></style>",
    b"<select><svg></select><style><img src=%s></style></svg>",
    b"<select><svg><foreignObject></select><style></select><img src=%s></style>",
    b"<svg><svg><b></b><style><img src=%s></style>",
    b"<template><svg><![CDATA[><img src=%s>]]></svg></template>",
    b"<math><annotation-xml encoding='text/html'><svg></annotation-xml><style><img src=%s></style>",
    b"<math><mi><svg></mi></math></svg></mi><style><img src=%s></style>",
    b"<noscript><svg></noscript><style><img src=%s></style>",
    b"<noscript></svg></noscript><svg><style><img src=%s></style>",
    b"<svg><noscript></svg></noscript><style><img src=%s></style>",
    b"<svg><path d='</svg>'><style><img src=%s></style>",
    b'<svg><path d="</svg>"/><style><img src=%s></style>',
    b"<svg/ ><style><img src=%s></style>",
    b"<svg ='x a=\">\"><style><img src=%s></style>",
    b"<svg><g></g></svg ><noscript><style></noscript><img src=%s></style>",
    b"<table><svg></table><style><img src=%s></style>",
    b"<svg><a><svg></a></svg><style><img src=%s></style>",
    b"<svg><![CDATA[<!-- <hr><hr>]]><script><img src=%s></script>",
    b"<svg><textarea></svg></textarea><style><img src=%s></style>",
    b"<noscript><a title='<!-- </noscript><img src=%s>'>",
    b"<noscript></a title='</noscript><img src=%s>'>",
    b'<noscript><a title="<b //x </noscript><img src=%s>">',
    b'<noscript><select title="</noscript><img src=%s>">',
    b"<noscript><style title='</noscript><img src=%s>'>",
    b"<svg><style>a{}<b></b><img src=%s></style></svg>",
]  # fmt: skip


@pytest.mark.parametrize("page", DISPUTED)
@pytest.mark.parametrize("notice", [b"", b"[N]"])
def test_what_one_reader_fetches_and_another_hides_is_made_inert(page, notice) -> None:
    html = page % b"//a.stats.example/x"
    sent = GATE.rewrite(html, REFUSED, base_url=PAGE, insert=notice)
    assert b"<img src=//a" not in sent
    assert b" data-consent-src=//a.stats.example/x" in sent
    assert OPEN.rewrite(html, AGREED, base_url=PAGE) is html, "the control: granted is untouched"
    assert in_pieces(GATE, REFUSED, html, insert=notice) == sent


RECONCILED = [
    (b"<body><noscript><svg><![CDATA[ > ", b"]]>", b"</noscript><!-- ]]><img src=%s> -->"),
    (b"<svg></p><script><!-- --!><script>", b"-->", b"</script> <!-- </script><img src=%s> -->"),
    (b"<frameset><script><!-- --!><script>", b"-->", b"</script> <!-- </script><img src=%s> -->"),
    (b"<body><noscript><!-- ", b"-->", b"</noscript><!-- <img src=%s> -->"),
    (b"<body><noscript><a title='<!-- ", b"'>", b"</noscript><p title='<img src=%s>'>"),
    (b"<body><noscript></a title='", b"'>", b"</noscript><p title='<img src=%s>'>"),
    (b'<body><noscript><a title="<b //x ', b'">', b'</noscript><p title="<img src=%s>">'),
    (b'<body><noscript><select title="', b'">', b'</noscript><p title="<img src=%s>">'),
    (b"<body><noscript><style title='", b"'></style>", b"</noscript><p title='<img src=%s>'>"),
]


@pytest.mark.parametrize(("before", "closer", "after"), RECONCILED)
def test_readers_that_part_are_brought_together_again(before, closer, after) -> None:
    html = (before + after) % b"//a.stats.example/x"
    assert GATE.rewrite(html, REFUSED, base_url=PAGE) == (before + closer + after) % b"//a.stats.example/x"
    assert OPEN.rewrite(html, AGREED, base_url=PAGE) is html, "the control: granted is untouched"


UNDISPUTED = [
    b"<svg><title>a</title><desc>b</desc><g><path d='M0'/></g></svg>%s",
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0"/></svg>%s',
    b"<math><mrow><mi>x</mi><mo>=</mo></mrow></math>%s",
    b"<svg><svg></svg></svg>%s",
    b"<svg/>%s",
    b"<svg><p>a</p>%s",
    b"<select><option>a<option>b</select>%s",
    b"<noscript><img src=/a></noscript>%s",
    b"<svg><style>a{}</style></svg>%s",
    b"<svg><path></svg>%s",
    b"<svg><svg/><math/></svg>%s",
    b"<svg><title>from a > b</title></svg>%s",
    b"<math><mi>x>y</mi></math>%s",
]


@pytest.mark.parametrize("page", UNDISPUTED)
def test_text_behind_what_every_reader_takes_alike_stays_text(page) -> None:
    html = page % b"<script>var a = '<img src=//a.stats.example/x>'</script>"
    assert GATE.rewrite(html, REFUSED, base_url=PAGE) is html
    live = page % b"<img src=//a.stats.example/x>"
    assert b"data-consent-src" in GATE.rewrite(live, REFUSED, base_url=PAGE), "the control"


def halves(html: bytes, cut: int) -> bytes:
    stream = GATE.stream(REFUSED, base_url=PAGE)
    return stream.feed(html[:cut]) + stream.feed(html[cut:]) + stream.close()


@pytest.mark.parametrize("page", UNDISPUTED)
def test_where_a_page_is_cut_puts_nothing_in_doubt(page) -> None:
    html = page % b"<script>a<p title='</script><img src=//a.stats.example/x>"
    whole = GATE.rewrite(html, REFUSED, base_url=PAGE)
    assert whole.count(b"data-consent-src") == 1
    assert b"<p title='</script>" in whole
    for cut in range(len(html)):
        assert halves(html, cut) == whole, html[:cut]
    disputed = html.replace(b"<script>", b"<svg><foreignObject><script>", 1)
    assert b"<p title=''></script>" in GATE.rewrite(disputed, REFUSED, base_url=PAGE), "the control"
