"""What was once overlooked: found by reading tricks in a real browser, and mended."""

# ruff: noqa: E501  # tables of markup, one trick after another

from __future__ import annotations

import base64
import urllib.parse

import pytest
from harbour_policy import PAGE, in_pieces

from consent.gate.candidates import BOOKED


def data(kind: str, text: str, *, coded: bool = False) -> str:
    if coded:
        return f"data:{kind};base64,{base64.b64encode(text.encode()).decode()}"
    return f"data:{kind},{urllib.parse.quote(text, safe='')}"


XHTML = '<a xmlns:h="http://www.w3.org/1999/xhtml"><h:img src="//a.stats.example"/></a>'
SHEET = "@import '//a.stats.example/x';"
HIDDEN = [
    '<style>a{background:url(a"b)}b{background:url(//a.stats.example/x)}</style>',
    '<style>a{background:url(a b"c)}b{background:url(//a.stats.example/x)}</style>',
    f'<style>@import "{data("text/css", SHEET)}";</style>', f"<style>@import url({data('text/css', SHEET, coded=True)});</style>",
    f'<style>@import "{data("TEXT/CSS;charset=utf-8", "@import url(" + data("text/css", SHEET, coded=True) + ");")}";</style>',
    '<svg><style>@imp<!-- -->ort "//a.stats.example/x";</style></svg>', "<svg><style>a{b:url&#40;//a.stats.example/x)}</style></svg>",
    "<svg><style>@import &quot;//a.stats.example/x&quot;;</style></svg>", '<svg><style>@imp<a/>ort "//a.stats.example/x";</style></svg>',
    "<svg><script>&#95;paq.push(1)</script></svg>", "<svg><script>_pa<!-- -->q.push(1)</script></svg>",
    '<script type=webbundle>{"source":"https://a.stats.example/x","resources":[]}</script>',
    '<svg><a><set attributeName=href to="javascript:_paq.push(1)"/></a></svg>', '<svg><a><animate attributeName=href values="#;javascript:_paq.push(1)"/></a></svg>',
    f'<iframe src="{data("text/html;charset=utf-16le", "<img src=//a.stats.example>").replace("%3C", "%3C%00")}"></iframe><img src=//a.stats.example>',
    f'<iframe src="{data("application/xhtml+xml", XHTML)}"></iframe>',
    f'<iframe src="{data("text/xml", "<?xml-stylesheet href=" + chr(34) + "//a.stats.example" + chr(34) + "?><a/>")}"></iframe>',
]  # fmt: skip


@pytest.mark.parametrize("html", HIDDEN)
def test_what_was_hidden_is_found(gate, refused, html) -> None:
    raw = html.encode()
    heard = []
    sent = gate.rewrite(raw, refused, base_url=PAGE, report=heard.append)
    assert any(said.blocked and said.service == "stats" for said in heard)
    assert sent != raw
    assert gate.rewrite(sent, refused, base_url=PAGE) == sent
    whole = gate.stream(refused, base_url=PAGE)
    assert b"".join(whole.feed(raw[at : at + 1]) for at in range(len(raw))) + whole.close() == sent


def test_a_document_in_utf_16_is_read_through_in_a_data_url(gate, refused) -> None:
    inner = urllib.parse.quote("<img src=//a.stats.example/x>".encode("utf-16-le"), safe="")
    for start in ("data:text/html;charset=utf-16le,", "data:text/html,%FF%FE"):
        html = f"<iframe src='{start}{inner}'></iframe>".encode()
        assert b"data-consent-src" in gate.rewrite(html, refused, base_url=PAGE)
    harmless = f"<iframe src='data:text/html,{inner}'></iframe>".encode()
    assert gate.rewrite(harmless, refused, base_url=PAGE) is harmless


def test_style_sheets_too_deep_in_each_other_are_blocked_whole(gate, refused) -> None:
    sheet = "p{color:red}"
    for depth in range(12):
        html = f"<style>{sheet}</style>".encode()
        sent = gate.rewrite(html, refused, base_url=PAGE)
        assert (sent is html) == (depth <= 8)
        sheet = f"@import url({data('text/css', sheet, coded=True)});"


LABELS = [
    "csUnicode",
    "ISO-10646-UCS-2",
    "ucs-2",
    "unicode",
    "unicodefeff",
    "UTF-16",
    "utf-16le",
    '"utf-16le"',
    " utf-16 ",
]


@pytest.mark.parametrize("label", LABELS)
def test_every_label_of_utf_16_is_known(gate, refused, label) -> None:
    kind = f"text/html; x=y; charset={label}"
    html = "<img src=//a.stats.example/x>".encode("utf-16-le")
    assert "data-consent-src" in gate.rewrite(html, refused, base_url=PAGE, content_type=kind).decode("utf-16-le")


@pytest.mark.parametrize(
    "kind",
    ["text/html; charset='utf-16'", "text/html; charset =utf-16", "text/html; xcharset=utf-16", "text/html; charset=utf-32",
     "text/html; charset=hex", "text/html; charset=idna", "text/html; charset=cp037", "text/html; charset=utf-16-le", "text/html; charset=",
     'text/html; a="; charset=utf-16"', "text/html; charset=utf-8; charset=utf-16", 'text/html; charset=""; charset=utf-8', "charset=utf-16"],
)  # fmt: skip
def test_what_browsers_do_not_take_for_utf_16_is_read_as_it_is(gate, refused, kind) -> None:
    html = b"<img src=//a.stats.example/xy>"
    assert b"data-consent-src" in gate.rewrite(html, refused, base_url=PAGE, content_type=kind)


def test_a_document_of_plain_text_is_none(gate, refused) -> None:
    for kind in ("text/plain", ""):
        html = f"<iframe src='data:{kind},<img src=//a.stats.example>'></iframe>".encode()
        assert gate.rewrite(html, refused, base_url=PAGE) is html
    html = b"<iframe src='data:text/html,<img src=//a.stats.example>'></iframe>"
    assert gate.rewrite(html, refused, base_url=PAGE) != html


def test_a_style_that_does_not_apply_in_svg_stays(gate, refused) -> None:
    html = b'<svg><style type="text/x">p{background:u<!-- -->rl(//a.stats.example/x)}</style></svg>'
    assert gate.rewrite(html, refused, base_url=PAGE) is html
    applies = html.replace(b' type="text/x"', b"")
    assert gate.rewrite(applies, refused, base_url=PAGE) != applies


def test_a_style_of_which_a_part_is_hidden_is_inert_at_once(gate, refused) -> None:
    html = b"<svg><style>p{a:url(//a.st</b>ats.example/x);b:url(//a.stats.example/x)}</style></svg>"
    once = gate.rewrite(html, refused, base_url=PAGE)
    assert b'type="text/plain"' in once
    assert gate.rewrite(once, refused, base_url=PAGE) == once


def test_a_script_in_svg_with_a_comment_is_the_same_in_pieces(gate, refused) -> None:
    html = b"<svg><script>a(); <!-- --> b()</script></svg>"
    assert in_pieces(gate, refused, html) == html


@pytest.mark.parametrize("inside", [False, True])
def test_what_a_style_in_svg_fetches_as_text_and_as_markup_is_made_inert_once(gate, refused, inside) -> None:
    page = f"<svg><style%s>%s{'<g><style%s>%s' if inside else ''}a{{b:url(%s//h/x)}}<img%s%ssrc=//h/x>c{{d:url(%s//h/x)}}</style></svg>"
    page = page.replace("//h", "//a.stats.example")
    service, inert = ' data-consent-service="stats" data-consent-category="analytics"', "data-consent:"
    own = 4 if inside else 2
    html = (page % (*[""] * (own + 1), " ", "", "")).encode()
    sent = gate.rewrite(html, refused, base_url=PAGE)
    disarmed = (' type="text/plain"' + service, "@consent x;") * (own // 2)
    assert sent == (page % (*disarmed, inert, service, " data-consent-", inert)).encode()
    assert gate.rewrite(sent, refused, base_url=PAGE) == sent
    assert in_pieces(gate, refused, html) == sent


def test_a_style_inside_the_text_of_one_in_svg_has_its_addresses_made_inert_too(gate, refused) -> None:
    html = b"<svg><style%b><g><style>p{a:url(%b//a.stats.example/x)}</style></svg>"
    sent = gate.rewrite(html % (b"", b""), refused, base_url=PAGE)
    attributes = b' type="text/plain" data-consent-service="stats" data-consent-category="analytics"'
    assert sent == html.replace(b"><g>", b">@consent x;<g>") % (attributes, b"data-consent:")
    assert gate.rewrite(sent, refused, base_url=PAGE) == sent
    own = html.replace(b"//a.stats.example", b"") % (b"", b"")
    assert gate.rewrite(own, refused, base_url=PAGE) is own


SVG_TEXTS = (
    # What hides an address from those who read it as text, and is left out, or closed, by a parser of SVG.
    b"<g c=d\" />%b", b"<g c=d\" a=\">'\"/>%b", b"<g c=d\" /><!-->%b", b"<g c=d\" /><!--->%b", b"<g c=d\" /><!-- --!>%b", b"<g>\"</g>%b", b"<g><g>'</g></g>%b",
    b"<noframes a=b\"><!--</noframes>%b", b"<noframes><g a=\"</noframes>%b", b"<g c=d\" /><![CDATA[%b]]>", b"\"</g >%b", b"<g c='/*'/>%b", b"<?'?>%b", b"<!x'>%b",
)  # fmt: skip


@pytest.mark.parametrize("hidden", SVG_TEXTS)
@pytest.mark.parametrize(
    "page", [b"<svg><style>%b</style></svg>", b"<svg><script>%b</script></svg>", b"<math><style>%b</style></math>"]
)
def test_what_a_tag_in_a_script_or_style_in_svg_hides_from_others_makes_it_inert(gate, refused, page, hidden) -> None:
    reaches = b"import('%b/x')" if b"script" in page else b"p{background:url(%b/x)}"
    html = page % (hidden % (reaches % b"//a.stats.example"))
    sent = gate.rewrite(html, refused, base_url=PAGE)
    assert b'type="text/plain"' in sent
    assert gate.rewrite(sent, refused, base_url=PAGE) == sent
    assert in_pieces(gate, refused, html) == sent
    own = gate.rewrite(page % (hidden % (reaches % b"")), refused, base_url=PAGE)
    assert b"data-consent" not in own


@pytest.mark.parametrize(
    ("html", "sent"),
    [
        (b"<svg><noframes><!--</noframes></svg>", b"<svg><noframes><!----></noframes></svg>"),
        (b"<svg><desc><b></svg><style><img src='</style</style>x", b"<svg><desc><b></svg><style><img src='</style'></style>x"),
        (b"<svg><style><img </style</style></svg>", b"<svg><style><img </style=></style></svg>"),
        (b"<noscript><script><!--<script></noscript>", b"<noscript><script><!--<script>--></script></noscript>"),
        (b"<svg><![CDATA[a> <script><!-- ]]></script>", b"<svg><![CDATA[a> <script><!-- -->--></script>]]></script>"),
        (b"<svg><script><![CDATA[a<b> <!-- --> c]]></script>", b"<svg><script><![CDATA[a<b> <!-- --> c]]></script>"),
        (b"<svg><script><![CDATA[a<b> ]]><!-- --> c]]></script>", b"<svg><script><![CDATA[a<b> ]]><!-- --> c]]></script>"),
        (b"<noscript><script>a</noscript>", b"<noscript><script>a</script></noscript>"),
        (b"<noscript><!x </noscript</noscript>>", b"<noscript><!x </noscript=></noscript>>"),
        (b"<svg><![CDATA[><![x]]>", b"<svg><![CDATA[><![x>]]>"), (b"<svg><![CDATA[><![CDATA[x]]>", b"<svg><![CDATA[><![CDATA[x]]>"),
        (b"<svg><style><![CDATA[><![cdata[x</style>", b"<svg><style><![CDATA[><![cdata[x]]>]]></style>"),
        (b"<svg><style><![CDATA[<svg><style a=\"b;]]></style></svg>", b"<svg><style><![CDATA[<svg><style a=\"b;\">]]></style></svg>"),
    ],
)
def test_what_closes_a_tag_that_is_cut_ends_nothing_else(gate, refused, html, sent) -> None:
    once = gate.rewrite(html, refused, base_url=PAGE)
    assert once == sent
    assert gate.rewrite(once, refused, base_url=PAGE) == once


def test_what_two_sheets_have_in_common_is_made_inert_once(gate, refused) -> None:
    html = b"<svg><style>a{}<g></svg><body><style>b{c:url(//a.stats.example/x)}</style>"
    sent = gate.rewrite(html, refused, base_url=PAGE)
    assert sent.count(b"data-consent://") == 1
    assert b"data-consent:data-consent:" not in sent
    assert gate.rewrite(sent, refused, base_url=PAGE) == sent


def test_where_the_sites_own_paths_may_be_a_services_a_sheet_in_svg_with_tags_in_it_is_inert(gate, refused) -> None:
    tagged, plain = b"<svg><style><g>x</g>p{}</style></svg>", b"<svg><style>p{}</style></svg>"
    assert b"text/plain" in gate.rewrite(tagged, refused, base_url="https://a.stats.example/")
    assert gate.rewrite(plain, refused, base_url="https://a.stats.example/") is plain
    assert gate.rewrite(tagged, refused, base_url=PAGE) is tagged


def test_a_sheet_in_svg_with_tags_and_many_addresses_is_inert_whosever_they_are(gate, refused) -> None:
    for count, inert in ((60, False), (70, True)):
        html = b"<svg><style><g>x</g>" + b"p{a:url(//harbour.example/x)}" * count + b"</style></svg>"
        assert (b"text/plain" in gate.rewrite(html, refused, base_url=PAGE)) is inert
    plain = html.replace(b"<g>x</g>", b"")
    assert gate.rewrite(plain, refused, base_url=PAGE) is plain


@pytest.mark.parametrize(
    "page",
    [
        b"<svg><script href='%b/x'/></svg><script>import('%b/y')</script>", b"<svg><script href='/own.js'/></svg><script>import('%b/y')</script>%.0b", b"<svg><script/></svg><svg><script>import('%b/y')</script>%.0b",
        b"<svg><script>'</svg><svg><script>import('%b/y')</script>%.0b", b"<svg><script type=x>/*</svg><script>import('%b/y')</script>%.0b",
    ],
)  # fmt: skip
def test_a_script_that_others_take_for_a_part_of_one_in_svg_is_read_for_itself(gate, refused, page) -> None:
    html = page % (b"//a.stats.example", b"//a.stats.example")
    sent = gate.rewrite(html, refused, base_url=PAGE)
    assert b'<script type="text/plain" data-consent-service="stats" data-consent-category="analytics">import(' in sent
    assert gate.rewrite(sent, refused, base_url=PAGE) == sent
    assert in_pieces(gate, refused, html) == sent


@pytest.mark.parametrize("before", [b"<svg><style/></svg>", b"<svg><style>'</svg>", b"<svg><style type=x>/*</svg>"])
def test_a_sheet_that_others_take_for_a_part_of_one_in_svg_is_read_for_itself(gate, refused, before) -> None:
    sent = gate.rewrite(before + b"<style>p{a:url(//a.stats.example/x)}</style>", refused, base_url=PAGE)
    assert sent.endswith(b">p{a:url(data-consent://a.stats.example/x)}</style>")
    assert gate.rewrite(sent, refused, base_url=PAGE) == sent


def test_of_many_in_one_some_are_read_and_the_others_made_inert(gate, refused) -> None:
    html = b"<svg><style/>" + b"<style>p{a:b}" * 20 + b"</style></svg>" + b"<style>a{}</style>"
    sent = gate.rewrite(html, refused, base_url=PAGE)
    assert sent.count(b'<style type="text/plain">@consent x;p{a:b}') == 11, "the last is as usual, and names nobody"
    assert sent.endswith(b"<style>a{}</style>")
    assert gate.rewrite(sent, refused, base_url=PAGE) == sent


@pytest.mark.parametrize(
    "between",
    [b"<g>z</g>", b"<g/>", b"<g><title>z</g>", b"<g><style>z</g>", b"<!-- z -->", b"<g>z</p></g>", b"<G>z</g >", b"<g><g>z</g>z</g>", b"<g a=b/>z</g>"],
)  # fmt: skip
def test_an_address_in_parts_is_put_together_as_its_parser_does(gate, refused, between) -> None:
    html = b"<svg><style><g>'</g>p{a:url(/%b/a.stats.example/x)}</style></svg>"
    sent = gate.rewrite(html % between, refused, base_url=PAGE)
    assert b'type="text/plain" data-consent-service="stats"' in sent
    assert gate.rewrite(sent, refused, base_url=PAGE) == sent
    apart = html % (between + b"</g>z")
    assert b"data-consent" not in gate.rewrite(apart, refused, base_url=PAGE)


@pytest.mark.parametrize("end", [b"</style>", b"</style ]]>", b"</STYLE x", b"a>b</style>", b"</style\n/>"])
def test_an_end_tag_in_a_cdata_section_ends_a_style_for_all_who_read_it(gate, refused, end) -> None:
    html = b"<svg><style><![CDATA[" + end + b"p{a:url(//a.stats.example/x)}]]></style></svg>"
    sent = gate.rewrite(html, refused, base_url=PAGE)
    assert b"]]></style" in sent[: len(html) - 20].lower()
    assert gate.rewrite(sent, refused, base_url=PAGE) == sent
    assert in_pieces(gate, refused, html) == sent
    own = b"<svg><style><![CDATA[ p>a{} ]]></style></svg>"
    assert gate.rewrite(own, refused, base_url=PAGE) is own


def test_xml_in_utf_16_is_known_by_how_it_begins(gate, refused) -> None:
    text = "<?xml version='1.0'?><img src='//a.stats.example/x'>"
    for codec in ("utf-16-le", "utf-16-be"):
        html = text.encode(codec)
        sent = gate.rewrite(html, refused, base_url=PAGE, content_type="text/html")
        assert "data-consent-src" in sent.decode(codec)
        assert in_pieces(gate, refused, html, content_type="text/html") == sent
        assert gate.rewrite(html, refused, base_url=PAGE) is html, "the control: its header says otherwise"


def test_documents_too_deep_in_each_other_are_blocked_whole(gate, refused) -> None:
    page = "<p>x"
    for depth in range(12):
        html = f"<iframe src='data:text/html,{urllib.parse.quote(page)}'></iframe>".encode()
        heard = []
        sent = gate.rewrite(html, refused, base_url=PAGE, report=heard.append)
        assert (sent is html) == (not heard) == (depth < 8)
        assert {said.host for said in heard} <= {"nested"}
        page = html.decode()


def test_a_reference_without_its_semicolon_is_none_before_an_equals_sign(gate, refused) -> None:
    heard = []
    for query in ("a&copy=1", "a&copy;=1", "a&copy", "a&copyx=1", "a&amp;copy=1", "a&copy1"):
        html = f"<iframe src='//www.youtube.com/x?{query}'>".encode()
        gate.rewrite(html, refused, base_url=PAGE, report=heard.append)
    assert [said.url.partition("?")[2] for said in heard] == [
        "a&copy=1", "a\xa9=1", "a\xa9", "a&copyx=1", "a&copy=1", "a&copy1",
    ]  # fmt: skip


@pytest.mark.parametrize("looks_like", sorted((*BOOKED, b"/object", b"/footer", b"!--", b"![CDATA[", b"img", b"a href=x")))
def test_an_address_behind_a_value_that_looks_like_a_tag_is_found(gate, refused, looks_like) -> None:
    html = b'<p>x<img alt="<%b>" src="%b/x">' % (looks_like, b"//a.stats.example")
    own = html.replace(b"//a.stats.example", b"")
    for extra in ({}, {"footer": b"[F]"}, {"insert": b"[N]", "footer": b"[F]"}):
        assert b'data-consent-src="' in gate.rewrite(html, refused, base_url=PAGE, **extra)
        assert b"data-consent" not in gate.rewrite(own, refused, base_url=PAGE, **extra), "the control"
        for at in range(len(html)):
            stream = gate.stream(refused, base_url=PAGE, **extra)
            sent = stream.feed(html[:at]) + stream.feed(html[at:]) + stream.close()
            assert sent == gate.rewrite(html, refused, base_url=PAGE, **extra)


@pytest.mark.parametrize("before", [b"", b" ", b"\n", b"x ", b"title='a>b' ", b'title="> " ', b"title='>' "])
def test_a_link_that_is_the_name_of_an_attribute_is_none(gate, refused, before) -> None:
    html = b'<p><link %b<a href="https://a.stats.example/x" rel=stylesheet>' % before
    assert b'data-consent-href="' in gate.rewrite(html, refused, base_url=PAGE)
    link = html.replace(b"<link ", b"<br>")
    assert gate.rewrite(link, refused, base_url=PAGE) is link, "the control"


def test_what_was_closed_before_its_end_is_not_closed_again(gate, refused) -> None:
    """A script that begins in a sheet in SVG is closed before the next sheet's end, and that ends both for all."""
    html = b"<svg><style>p{color:red}<script>a</svg><body><style>p{background:url(//stats.example/x)}</style>x"
    once = gate.rewrite(html, refused, base_url=PAGE)
    assert once.count(b"</script></style>") == 1
    assert gate.rewrite(once, refused, base_url=PAGE) == once
    apart = once.replace(b"</script></style>", b"</script> </style>")
    assert gate.rewrite(apart, refused, base_url=PAGE).count(b"</style></script> </style>") == 1, "the control"
