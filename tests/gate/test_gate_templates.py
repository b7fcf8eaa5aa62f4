"""Behind a column in a template a parser ignores most elements, so that what seems to be their text is markup."""

from __future__ import annotations

import pytest
from harbour_policy import PAGE, in_pieces, make_policy

from consent.choice import Choice, Signals, decide
from consent.gate import Gate
from consent.gate.candidates import LIMIT
from consent.gate.pieces import Pieces
from consent.gate.tokens import RAW_TEXT

GATE = Gate(make_policy())
REFUSED = decide(GATE.policy, Choice.refusing(), Signals())
IMAGE = b"<img src=//a.stats.example/x>"
INERT = b'<img data-consent-service="stats" data-consent-category="analytics" data-consent-src=//a.stats.example/x>'
LONG = b'title="' + b"x" * LIMIT + b'"'
IGNORED = [*sorted(RAW_TEXT), b"noscript", b"svg"]


@pytest.fixture(params=[False, True], ids=["searching", "skimming"], autouse=True)
def reader(request, monkeypatch) -> None:
    monkeypatch.setattr(Pieces, "skims", request.param)


def sent(html: bytes, *sizes: int) -> bytes:
    whole = GATE.rewrite(html, REFUSED, base_url=PAGE)
    for size in sizes or (1, 7):
        assert in_pieces(GATE, REFUSED, html, size=size) == whole
    return whole


@pytest.mark.parametrize("name", IGNORED)
@pytest.mark.parametrize("begin", [b"<template><col>", b"<div><template shadowrootmode=open><COL/>"])
def test_what_a_template_of_columns_ignores_hides_nothing(name, begin) -> None:
    assert INERT in sent(begin + b"<%b></template>%b</%b>" % (name, IMAGE, name))


@pytest.mark.parametrize(
    "html",
    [
        b"<template><p></p></template><table><col></table><title>@</title>",
        b"<table><colgroup><col></colgroup></table><template><title>@</title></template>",
        b"</template><table><col></table><title>@</title>",
    ],
)
def test_columns_elsewhere_leave_no_doubt_behind(html) -> None:
    html = html.replace(b"@", IMAGE)
    assert sent(html) == html


@pytest.mark.parametrize(
    "begin",
    [
        b"<template><template></template><col>",
        b"<template><noscript></template></noscript><col>",
        b"<template><noscript><col </noscript>",
    ],
)
def test_a_template_is_open_until_all_readers_have_its_end(begin) -> None:
    assert INERT in sent(begin + b"<title></template>" + IMAGE + b"</title>")


def test_a_giant_template_is_one_and_a_giant_column_is_none() -> None:
    html = b"<template %b><col><title></template>" % LONG + IMAGE + b"</title>"
    assert sent(html, 10_000) == html.replace(IMAGE, INERT)
    html = b"<template><col %b></template %b>" % (LONG, LONG)
    assert sent(html, 10_000).startswith(b"<template><data-consent-col ")
