"""What browsers fetch that read ahead, or have elements of their own: Firefox's search for imports, WebKit's fonts."""

from __future__ import annotations

from base64 import b64encode

import pytest
from harbour_policy import PAGE, in_pieces

from consent.gate import Gate
from consent.gate.css import urls
from consent.gate.pieces import Pieces

X = b"//a.stats.example/x.css"
LONG = b"/*" + b"x" * 70_000 + b"*/"


@pytest.mark.parametrize("type", [b"", b" type=text/plain", b" type='text/css'"])
@pytest.mark.parametrize("text", [b"@im<!---->port '%b';", b"@import&#32;'%b';", LONG + b"@import '%b';"])
def test_an_inert_style_sheet_ends_the_search_for_its_imports(gate: Gate, refused, granted, type, text) -> None:
    html = b"<body><svg><style" + type + b">" + text % X + b"</style></svg>"
    sent = gate.rewrite(html, refused, base_url=PAGE)
    assert b">@consent x;" + text[:9] in sent
    assert b'<style type="text/plain"' in sent
    assert gate.rewrite(sent, refused, base_url=PAGE) == sent, "twice is once"
    if text[:2] != b"/*":  # nobody knows who is in what is too long
        assert gate.rewrite(html, granted, base_url=PAGE) == html


@pytest.mark.parametrize("name", [b"script", b"style"])
def test_what_never_applies_stays_however_long_it_is(gate: Gate, refused, name) -> None:
    begun = b"@consent x;" if name == b"style" else b""
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
    assert [(sheet[found.at : found.at + 3], found.url) for found in urls(sheet, "utf-8") if found.imported] == [
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


HIDDEN = [
    b"@layer a/*;@import '%b';*/;",
    b"@layer a \"x;@import '%b';\";",
    b'@charset "x"/*;@import \'%b\';*/;',
    b"@import url(/own) supports(content:\";@import '%b';\");",
    b"@layer url(;@import url(%b););",
    b"@import '/own' layer(a)/*;@import '%b';*/;",
    b"@layer a{b:c;@import '%b';}",
    b"@media{b:c;@layer a/*;@import '%b';*/}",
    b"@font-face{b:/*;@import '%b';*/}",
    b"@im\0port '%b';",
    b"@import u\0rl(%b);",
    b"@consent;@layer a/*;@import '%b';*/",
    b"@layer a/*;@import 'data:,@import %%22%b%%22';*/",
]
SHOWN = b"/*! x */ @charset \"utf-8\";\n@layer a, b.c;@import url(/own.css) layer(a) screen and (min-width:1px);"


@pytest.mark.parametrize("skims", [False, True])
@pytest.mark.parametrize("sheet", HIDDEN)
@pytest.mark.parametrize(
    "around", [b"<style>%b</style>", b"<style type=x>%b</style>", b"<svg><style>%b</style></svg>", b"<style>%b"]
)
def test_where_scanners_may_be_mistaken_they_are_stopped(
    gate: Gate, refused, granted, monkeypatch, skims, sheet, around
) -> None:
    monkeypatch.setattr(Pieces, "skims", skims)
    html = b"<body>" + around % (sheet % X)
    sent = gate.rewrite(html, refused, base_url=PAGE)
    assert b">@consent x;@" in sent
    assert gate.rewrite(sent, refused, base_url=PAGE) == sent, "twice is once"
    assert in_pieces(gate, refused, html, size=7) == sent
    own = html.replace(X, b"/own.css")
    assert gate.rewrite(own, refused, base_url=PAGE) is own
    assert gate.rewrite(html, granted, base_url=PAGE) is html


@pytest.mark.parametrize("skims", [False, True])
def test_slashes_with_nothing_between_them_for_a_scanner(gate: Gate, refused, monkeypatch, skims) -> None:
    monkeypatch.setattr(Pieces, "skims", skims)
    html = b"<style>@import '/\0/a.stats.example/x';</style>"
    assert b">@consent x;@import" in gate.rewrite(html, refused, base_url=PAGE)


@pytest.mark.parametrize("text", [b"@im<!---->port/**/'%b';", b"@layer a/*&;@import '%b';<b>*/"])
def test_in_svg_scanners_are_stopped_whatever_they_read(gate: Gate, refused, text) -> None:
    html = b"<svg><style type=x>" + text % X + b"</style></svg>"
    assert b">@consent x;" in gate.rewrite(html, refused, base_url=PAGE)


@pytest.mark.parametrize(
    "sheet",
    [
        b"/* @import '%b'; */ a{b:c}",
        b"a{content:\"@import '%b';\"}",
        b"@media print{a{content:\"@import '%b';\"}}",
        b"@font-face{x:\"@import '%b';\"}",
        b"@layer a{b:c;d:e}f{content:\"@import '%b';\"}",
        b"@import '/own.css?a;b';c{content:\"@import '%b';\"}",
        b"a{b:c}/*\0@import '%b';*/",
    ],
)
@pytest.mark.parametrize("before", [b"", SHOWN])
def test_where_no_scanner_is_mistaken_nothing_is_touched(gate: Gate, refused, sheet, before) -> None:
    html = b"<body><style>" + before + sheet % X + b"</style>"
    assert gate.rewrite(html, refused, base_url=PAGE) is html


@pytest.mark.parametrize("skims", [False, True])
@pytest.mark.parametrize(("begins", "stopped"), [(b"@layer a/*", True), (b"/*", True), (b"a{}/*", False)])
def test_in_what_is_too_long_a_scanner_is_stopped_that_goes_on(
    gate: Gate, refused, monkeypatch, skims, begins, stopped
) -> None:
    monkeypatch.setattr(Pieces, "skims", skims)
    html = b"<style>" + begins + b"x" * 70_000 + b";@im\0port '/own';*/</style>"
    sent = gate.rewrite(html, refused, base_url=PAGE)
    assert (b"@consent x;" in sent) == stopped
    assert gate.rewrite(sent, refused, base_url=PAGE) == sent
    assert in_pieces(gate, refused, html, size=1460) == sent
    assert gate.rewrite(html, refused, base_url=PAGE).replace(b"@consent x;", b"").endswith(html[7:])


@pytest.mark.parametrize("skims", [False, True])
@pytest.mark.parametrize("kind", [b"png", b"gif", b"jpeg", b"webp", b"avif", b"x-icon"])
@pytest.mark.parametrize(
    ("around", "is_read"),
    [
        (b'<link rel=stylesheet href="%b">', True),
        (b'<link rel=stylesheet href="%b">'.replace(b"=", b" = "), True),
        (b"<link rel=stylesheet href=%b>", True),
        (b"<style>@import '%b';</style>", True),
        (b"<style>@import/*: */url(%b);</style>", True),
        (b'<script src="%b"></script>', True),
        (b"<script async src=%b></script>", True),
        (b'<img src="%b">', False),
        (b"<img srcset='%b 2x' src=%b>", False),
        (b"<style>p{a:url(%b);b:#fff url('%b')}</style>", False),
        (b'<link rel=icon href="%b">', False),
        (b'<video poster="%b">', False),
        (b'<script>a={b:"%b"}</script>', False),
    ],
)
def test_a_picture_is_code_where_browsers_take_it_for_that(
    gate: Gate, refused, monkeypatch, skims, kind, around, is_read
) -> None:
    monkeypatch.setattr(Pieces, "skims", skims)
    code = b"import('%b')" % X if b"<script" in around else b"@import '%b'" % X
    html = b"<body>" + around.replace(b"%b", b"data:image/" + kind + b";base64," + b64encode(code))
    sent = gate.rewrite(html, refused, base_url=PAGE)
    assert (sent is not html) == is_read
    assert (b'service="stats"' in sent) == is_read
    assert gate.rewrite(html.replace(kind + b";", kind + b";x;"), refused, base_url=PAGE) == sent.replace(
        kind + b";", kind + b";x;"
    )


FILLER = b"x" * 9000
HEAD = b"/*" + b"y" * 59_000 + b"*/"


@pytest.mark.parametrize("skims", [False, True])
@pytest.mark.parametrize(
    "code",
    [
        b"import/*%b*/('%b')" % (FILLER, X),
        b"import(" + b" " * 9000 + b"'%b')" % X,
        b"export * from/*%b*/'%b'" % (FILLER, X),
        b"import//%b\n('%b')" % (FILLER, X),
        b"import//\xe2\x80\xa8/*\n%b*/('%b')" % (FILLER, X),
        b"import('%b/%b')" % (X, FILLER),
        b"import(`%b/%b`)" % (X, FILLER),
        b'import("data:text/javascript,/*%b*/import%%28%%27%b%%27)")' % (FILLER, X),
    ],
)
@pytest.mark.parametrize("before", [HEAD, HEAD + HEAD, HEAD + FILLER[:2345] + b";" + HEAD])
def test_no_module_is_too_far_from_its_import_in_a_long_script(
    gate: Gate, refused, monkeypatch, skims, code, before
) -> None:
    monkeypatch.setattr(Pieces, "skims", skims)
    html = b"<script type=module>" + before + b";" + code + b";/*" + FILLER + b"*/</script>"
    sent = gate.rewrite(html, refused, base_url=PAGE)
    assert b'type="text/plain"' in sent
    assert sent.rindex(b'type="text/plain"') < sent.rindex(X)
    assert gate.rewrite(sent, refused, base_url=PAGE) == sent
    for size in (1460, 30_001):
        assert in_pieces(gate, refused, html, size=size) == sent
    near = html.replace(FILLER, b"x").replace(X, b"/own.js").replace(b" " * 9000, b"")
    assert gate.rewrite(near, refused, base_url=PAGE) == near


@pytest.mark.parametrize("skims", [False, True])
@pytest.mark.parametrize(
    "sheet",
    [
        b"@import" + b"\n" * 80 + b"'data:,@import%%20%%22%b%%22';" % X,
        b"@import/*%b*/url('data:,@import%%20%%22%b%%22');" % (FILLER, X),
        b"@import 'data:,/*%b*/@import%%20%%22%b%%22';" % (FILLER, X),
        b"@import url(data:,/%b/@import%%20%%22%b%%22);" % (FILLER, X),
    ],
)
@pytest.mark.parametrize("before", [HEAD, b"@layer x;" * 9000, HEAD + HEAD, b"@layer x;" * 8000 + HEAD])
def test_no_sheet_is_too_far_from_its_import_in_a_long_one(
    gate: Gate, refused, monkeypatch, skims, sheet, before
) -> None:
    monkeypatch.setattr(Pieces, "skims", skims)
    html = b"<style>" + before + sheet + b"/*" + FILLER + b"*/</style>"
    sent = gate.rewrite(html, refused, base_url=PAGE)
    assert b"data-consent:data:" in sent
    assert gate.rewrite(sent, refused, base_url=PAGE) == sent
    for size in (1460, 30_001):
        assert in_pieces(gate, refused, html, size=size) == sent
    own = html.replace(FILLER, b"x").replace(X, b"/own.css")
    assert gate.rewrite(own, refused, base_url=PAGE).count(b"data-consent:") == 0


def test_a_picture_in_a_long_style_sheet_stays_however_long_it_is(gate: Gate, refused) -> None:
    html = b"<style>" + b"a{b:c}" * 12_000 + b"a{b:url(data:image/png;base64,%b)}" % (FILLER * 2) * 9 + b"</style>"
    assert gate.rewrite(html, refused, base_url=PAGE) is html
    assert in_pieces(gate, refused, html, size=1460) == html
