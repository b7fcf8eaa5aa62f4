"""What browsers fetch that read ahead, or have elements of their own: Firefox's search for imports, WebKit's fonts."""

from __future__ import annotations

import pytest
from harbour_policy import PAGE

from consent.gate import Gate
from consent.gate.css import urls

X = b"//a.stats.example/x.css"
LONG = b"/*" + b"x" * 70_000 + b"*/"


@pytest.mark.parametrize("type", [b"", b" type=text/plain", b" type='text/css'"])
@pytest.mark.parametrize("text", [b"@im<!---->port '%b';", b"@import&#32;'%b';", LONG + b"@import '%b';"])
def test_an_inert_style_sheet_ends_the_search_for_its_imports(gate: Gate, refused, granted, type, text) -> None:
    html = b"<body><svg><style" + type + b">" + text % X + b"</style></svg>"
    sent = gate.rewrite(html, refused, base_url=PAGE)
    assert b">@consent;" + text[:9] in sent
    assert b'<style type="text/plain"' in sent
    assert gate.rewrite(sent, refused, base_url=PAGE) == sent, "twice is once"
    if text[:2] != b"/*":  # nobody knows who is in what is too long
        assert gate.rewrite(html, granted, base_url=PAGE) == html


@pytest.mark.parametrize("name", [b"script", b"style"])
def test_what_never_applies_stays_however_long_it_is(gate: Gate, refused, name) -> None:
    begun = b"@consent;" if name == b"style" else b""
    html = b"<body><svg><%b type=text/plain>%b%b</%b></svg>" % (name, begun, LONG, name)
    assert gate.rewrite(html, refused, base_url=PAGE) is html
    applies = html.replace(b" type=text/plain", b"")
    assert gate.rewrite(applies, refused, base_url=PAGE) != applies


@pytest.mark.parametrize(
    "sheet",
    [
        b"/***/x{content:\"*/@import '%b';\"}",
        b"/* **/ x{content:'*/ @import url(%b);'}",
        b'/* **/ x{content:\'*/@charset "x";/**/@IMPORT/***x*/url( "%b" );\'}',
        b"/***/ a{} /* */@import '/own.css'; @import '%b'; */",
    ],
)
def test_an_import_that_only_a_scanner_sees_is_made_inert(gate: Gate, refused, granted, sheet) -> None:
    html = b"<style>" + sheet % X + b"</style>"
    sent = gate.rewrite(html, refused, base_url=PAGE)
    assert sent.endswith(sheet % (b"data-consent:" + X) + b"</style>")
    assert gate.rewrite(sent, refused, base_url=PAGE) == sent
    assert gate.rewrite(html, granted, base_url=PAGE) is html


@pytest.mark.parametrize(
    "sheet",
    [
        b"/** x **/ a{content:\"@import '%b';\"}",
        b"a{} /***/ b{content:\"*/@import '%b';\"}",
        b"/* x */ b{content:\"*/@import '%b';\"}",
        b"/***/ @media print{a{content:\"*/ x @import '%b';\"}}",
    ],
)
def test_an_import_that_no_scanner_sees_stays(gate: Gate, refused, sheet) -> None:
    html = b"<style>" + sheet % X + b"</style>"
    assert gate.rewrite(html, refused, base_url=PAGE) is html


def test_a_scanned_import_is_found_where_it_is() -> None:
    sheet = b"/***/x{a:\"*/@import '//a';@import url(//b);\"}"
    assert [(sheet[at : at + 3], url) for at, url, imported in urls(sheet, "utf-8") if imported] == [
        (b"//a", "//a"),
        (b"//b", "//b"),
    ]


@pytest.mark.parametrize(
    "markup",
    [
        b'<svg><font-face-uri xlink:href="%b"/></svg>', b'<svg><font-face-uri href="%b"/></svg>',
        b'<svg><cursor xlink:href="%b"/></svg>', b"<embed code='%b'>", b'<link rel=next href="%b">',
    ],
)  # fmt: skip
def test_what_only_one_engine_fetches_is_made_inert(gate: Gate, refused, granted, markup) -> None:
    html = b"<body>" + markup % X
    assert b' data-consent-service="stats"' in gate.rewrite(html, refused, base_url=PAGE)
    assert gate.rewrite(html, granted, base_url=PAGE) is html
    own = b"<body>" + markup % b"/own"
    assert gate.rewrite(own, refused, base_url=PAGE) is own
