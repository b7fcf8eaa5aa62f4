"""XML pages are read by the rules of XML; what those let a page define for itself ends it."""

# ruff: noqa: E501  # tables of markup, one trick after another

from __future__ import annotations

import random
import time
from xml.etree import ElementTree

import pytest
from harbour_policy import PAGE, in_pieces, make_policy

from consent.gate import Gate

XHTML = "application/xhtml+xml; charset=utf-8"
HEAD = b'<html xmlns="http://www.w3.org/1999/xhtml" xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:h="http://www.w3.org/1999/xhtml" xmlns:k="http://www.w3.org/1999/xlink">'
U = b"//a.stats.example/x"
I = b'<img src="//a.stats.example/x"/>'  # noqa: E741

LIVE = [
    I, b'<h:img src="%s"/>' % U, b"<title>" + I + b"</title>", b"<textarea>" + I + b"</textarea>", b"<noscript>" + I + b"</noscript>",
    b"<style>" + I + b"</style>", b'<script src="/own.js"/><script src="%s"/>' % U, b'<script src="%s">x</script>' % U,
    b'<style>@imp<!-- -->ort "%s";</style>' % U, b'<style><![CDATA[@import "%s";]]></style>' % U,
    b'<style>@import &quot;%s&quot;;</style>' % U, b'<style>@im<b>x</b>port "%s";</style>' % U, b"<style>p{background:url(%s)}</style>" % U,
    b"<script>_pa<!-- -->q.push(1)</script>", b"<script><![CDATA[if (1 < 2) _paq.push(1)]]></script>", b"<h:script>&#95;paq.push(1)</h:script>",
    b'<svg xmlns="http://www.w3.org/2000/svg"><image k:href="%s"/></svg>' % U,
    b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:Q="http://www.w3.org/1999/xlink"><image Q:href="%s"/></svg>' % U,
    b'<svg xmlns="http://www.w3.org/2000/svg"><script xlink:href="%s"/></svg>' % U,
    b"<!--> <p title=\" -->" + I + b"<a title=\" \"/>", b"<?x > <p title=\" ?>" + I + b"<a title=\" \"/>", b"<![CDATA[ ]> <p title=\" ]]>" + I,
    b"<![CDATA[<p>]]>" + I, b'<base href="%s"/>' % U, b'<link rel="stylesheet" href="%s"/>' % U, b'<p style="background:url(%s)"/>' % U,
    b"<p onclick=\"_paq.push(1)\"/>", b'<iframe srcdoc="&lt;img src=%s>"/>' % U,
    b'<style TYPE="text/plain">@import "%s";</style>' % U, b'<script TYPE="text/plain" SRC="/own.js">_paq.push(1)</script>',
    b'<script TYPE="text/javascript" type="importmap">{"a": "https:%s"}</script>' % U, b'<svg xmlns="http://www.w3.org/2000/svg"><style TYPE="x">p{background:url(%s)}</style></svg>' % U,
    b'<script href="/own.js">_paq.push(1)</script>', b'<script k:href="/own.js">_paq.push(1)</script>', b'<script src="/own.js">import("%s")</script>' % U,
    b'<svg xmlns="http://www.w3.org/2000/svg"><script src="/own.js">_paq.push(1)</script></svg>', b'<link REL="author" rel="stylesheet" href="%s"/>' % U,
]  # fmt: skip
STILL = [
    b"<!-- " + I + b" -->", b"<!--> " + I + b" -->", b"<![CDATA[" + I + b"]]>", b"<?x " + I + b" ?>", b"<p>//a.stats.example</p>",
    b"<script>var a = '//a.stats.example'; http.push(1)</script>", b"<script><![CDATA[/* _paq.push(1) */ if (1 < 2 && 3 > 2) run()]]></script>",
    b"<style><![CDATA[p > a { color: red }]]></style>", b'<script src="/own.js"/><p/><script>run()</script>', b"<style/><p>x</p>",
    b'<svg xmlns="http://www.w3.org/2000/svg"><use k:href="#a"/><a k:href="//a.stats.example"/></svg>', b'<base href="/other/"/>', b"<br/><hr />",
    b'<style type="text/plain">@import "//a.stats.example";</style>', b'<script type="text/x-note">_paq.push(1)</script>',
    b'<img SRC="//a.stats.example"/>', b'<p STYLE="background:url(//a.stats.example)" onClick="_paq.push(1)"/>', b'<script SRC="//a.stats.example" src="/own.js">run()</script>',
    b'<svg xmlns="http://www.w3.org/2000/svg"><animate attributeName="x" values="0;1"/></svg>',
]  # fmt: skip


def page(body: bytes) -> bytes:
    return HEAD + body + b"</html>"


@pytest.mark.parametrize("body", LIVE)
def test_an_xml_page_reaches_nobody_and_stays_xml(gate, refused, granted, body) -> None:
    html = page(body)
    heard = []
    sent = gate.rewrite(html, refused, base_url=PAGE, content_type=XHTML, report=heard.append)
    assert any(said.blocked and said.service == "stats" for said in heard)
    assert sent != html
    ElementTree.fromstring(html.replace(b"&quot;", b"'"))
    ElementTree.fromstring(sent.replace(b"&quot;", b"'"))
    again = []
    assert gate.rewrite(sent, refused, base_url=PAGE, content_type=XHTML, report=again.append) == sent
    assert not again
    assert gate.rewrite(html, granted, base_url=PAGE, content_type=XHTML) is html


@pytest.mark.parametrize("body", STILL)
def test_what_asks_nobody_in_an_xml_page_stays(gate, refused, body) -> None:
    html = page(body)
    assert gate.rewrite(html, refused, base_url=PAGE, content_type=XHTML) is html


@pytest.mark.parametrize("body", LIVE + STILL)
def test_an_xml_page_in_pieces_comes_out_as_whole(gate, refused, body) -> None:
    html = page(body)
    whole = gate.rewrite(html, refused, base_url=PAGE, content_type=XHTML)
    assert in_pieces(gate, refused, html, content_type=XHTML) == whole


@pytest.mark.parametrize(
    "kind", ["application/xhtml+xml", "image/svg+xml", "text/xml", "application/xml;charset=utf-8", "Text/XML ; a=b"]
)
def test_each_kind_of_xml_is_read_so(gate, refused, kind) -> None:
    assert b"data-consent-src" in gate.rewrite(
        page(b"<title>" + I + b"</title>"), refused, base_url=PAGE, content_type=kind
    )
    assert b"data-consent-src" not in gate.rewrite(page(b"<title>" + I + b"</title>"), refused, base_url=PAGE)


@pytest.mark.parametrize("said", [b'"%s"' % U, b"'%s'" % U, b"'data:text/css,@import url(//a.stats.example)'"])
def test_a_style_sheet_instruction_is_renamed(gate, refused, granted, said) -> None:
    html = b"<?xml version='1.0'?><?xml-stylesheet type='text/css' href=" + said + b"?>" + page(b"")
    sent = gate.rewrite(html, refused, base_url=PAGE, content_type=XHTML)
    assert sent == html.replace(b"<?xml-s", b"<?data-consent-xml-s")
    assert gate.rewrite(html, granted, base_url=PAGE, content_type=XHTML) is html
    own = html.replace(said, b"'/own.css'")
    assert gate.rewrite(own, refused, base_url=PAGE, content_type=XHTML) is own
    for before, after in ((b'title="href=\'"', b'a="\'"'), (b'title="&quot; a=\'"', b'b="\'"'), (b"a\n=\n'\"'", b"")):
        html = b"<?xml-stylesheet " + before + b" href=" + said + b" " + after + b"?>" + page(b"")
        sent = gate.rewrite(html, refused, base_url=PAGE, content_type=XHTML)
        assert sent == html.replace(b"<?xml-s", b"<?data-consent-xml-s")
    named = b"<?xml-stylesheet href='/own.css' title=\"href='//a.stats.example'\" xhref='//a.stats.example'?>" + page(
        b""
    )
    assert gate.rewrite(named, refused, base_url=PAGE, content_type=XHTML) is named


@pytest.mark.parametrize(
    "html",
    [b'<!DOCTYPE html [<!ENTITY u "http://a.stats.example/x">]>' + HEAD + b'<img src="&u;"/></html>',
     b'<!DOCTYPE html [<!ATTLIST img src CDATA "//a.stats.example/x">]>' + HEAD + b"<img/></html>",
     b'<!DOCTYPE html SYSTEM "a>b" [<!ENTITY u "http://a.stats.example/x">]>' + HEAD + b'<img src="&u;"/></html>',
     b"<!DOCTYPE html PUBLIC \"a\" 'x>' [<!ATTLIST img src CDATA \"//a.stats.example/x\">]>" + HEAD + b"<img/></html>",
     HEAD + b'<img a="' + b"x" * 70_000 + b'" src="//a.stats.example/x"/></html>'],
    ids=["entity", "default", "entity behind >", "default behind >", "long"],
)  # fmt: skip
def test_an_xml_page_that_cannot_be_judged_is_no_xml_any_more(gate, refused, html) -> None:
    heard = []
    sent = gate.rewrite(html, refused, base_url=PAGE, content_type=XHTML, report=heard.append)
    if len(html) < 10_000:
        assert [said.blocked for said in heard] == [True]
        with pytest.raises(ElementTree.ParseError):
            ElementTree.fromstring(sent)
    else:
        assert b"data-consent-src" in sent or b"<<" in sent
    assert gate.rewrite(sent, refused, base_url=PAGE, content_type=XHTML) == sent
    pieces = in_pieces(gate, refused, html, size=5000, content_type=XHTML)
    assert pieces == sent or b"<<" in pieces


@pytest.mark.parametrize("said", [b"", b' SYSTEM "a>[b"', b" PUBLIC '-//a]>[' \"'>[\""])
def test_a_page_with_a_plain_document_type_is_read_on(gate, refused, said) -> None:
    html = b"<!DOCTYPE html" + said + b">" + page(b"<p/>")
    assert gate.rewrite(html, refused, base_url=PAGE, content_type=XHTML) is html
    assert in_pieces(gate, refused, html, content_type=XHTML) == html
    live = html.replace(b"<p/>", I)
    assert b"data-consent-src" in gate.rewrite(live, refused, base_url=PAGE, content_type=XHTML)
    assert in_pieces(gate, refused, live, content_type=XHTML) == gate.rewrite(
        live, refused, base_url=PAGE, content_type=XHTML
    )


def test_what_is_long_in_an_xml_page_is_read_through(gate, refused) -> None:
    rng = random.Random(5)
    for start, end in ((b"<!--", b"-->"), (b"<![CDATA[", b"]]>")):
        html = page(start + I + b"<" * 200_000 + end + I)
        want = html[: html.rindex(b"src")] + b"data-consent-"
        stream = gate.stream(refused, base_url=PAGE, content_type=XHTML)
        sent, at = b"", 0
        while at < len(html):
            step = rng.randint(1, 30_000)
            sent, at = sent + stream.feed(html[at : at + step]), at + step
        sent += stream.close()
        assert sent.replace(b' data-consent-service="stats" data-consent-category="analytics"', b"").startswith(want)
        stream = gate.stream(refused, base_url=PAGE, content_type=XHTML)
        endless = page(start + b"x" * 200_000)
        assert stream.feed(endless[:150_000]) + stream.feed(endless[150_000:]) + stream.close() == endless


def test_a_script_too_long_to_be_read_does_not_run(gate, refused) -> None:
    html = page(b"<script>" + b"a();" * 20_000 + b"_paq.push(1)</script>" + b"<style>" + b"a{}" * 30_000 + b"</style>")
    sent = gate.rewrite(html, refused, base_url=PAGE, content_type=XHTML)
    assert sent.count(b' type="text/plain"') == 2
    stream = gate.stream(refused, base_url=PAGE, content_type=XHTML)
    assert stream.feed(html[:90_000]) + stream.feed(html[90_000:]) + stream.close() == sent
    short = HEAD + b"<script>a()"
    assert b"text/plain" in gate.rewrite(short, refused, base_url=PAGE, content_type=XHTML)


def test_what_is_inserted_goes_into_the_body_of_an_xml_page(gate, granted) -> None:
    html = HEAD.replace(b"<html", b'<html lang="de"') + b"<head/><body><p>x</p></body></html>"
    heard = []
    sent = gate.rewrite(
        html, granted, base_url=PAGE, content_type=XHTML, footer=b"<i/>",
        insert=lambda lang: heard.append(lang) or b"<b/>",
    )  # fmt: skip
    assert sent == html.replace(b"<body>", b"<body><b/>").replace(b"</body>", b"<i/></body>")
    assert heard == ["de"]
    assert gate.rewrite(b"<a/>", granted, base_url=PAGE, content_type=XHTML, insert=b"<b/>") == b"<a/>"


@pytest.mark.parametrize(
    "html",
    [
        b"<",
        b"< a>",
        b"<<a>",
        b"a <",
        b"<a",
        b"<a b='",
        b"<!",
        b"<!-",
        b"<!--",
        b"<?x",
        b"</a",
        b"<>",
        b"&",
        b"<![CDATA",
        b"",
    ],
)
def test_what_is_no_xml_is_passed_as_it_is(gate, refused, html) -> None:
    assert gate.rewrite(html, refused, base_url=PAGE, content_type=XHTML) == html
    assert in_pieces(gate, refused, html, content_type=XHTML) == html


@pytest.mark.parametrize(
    "unit", [b"<a", b"<style>", b"<script>x", b"<!--", b"<![CDATA[", b"<?", b"<a>", b"<a b='c'/>", b"<<", b"<style><b>"]
)
@pytest.mark.untraced
def test_hostile_xml_costs_no_more_than_linear_time(gate, refused, unit) -> None:
    def cost(size: int) -> float:
        html = unit * (size // len(unit))
        stream = gate.stream(refused, base_url=PAGE, content_type=XHTML)
        begun = time.process_time()
        for at in range(0, len(html), 65536):
            stream.feed(html[at : at + 65536])
        stream.close()
        return time.process_time() - begun

    assert min(cost(1 << 19) for _ in range(3)) < 3.5 * min(cost(1 << 18) for _ in range(3)) + 0.05


def test_a_text_too_long_to_be_read_stays_where_it_means_nothing(gate, refused) -> None:
    for name, kind in ((b"script", b"text/x-note"), (b"style", b"text/plain")):
        html = page(b'<%b type="%b">' % (name, kind) + b"a();\n" * 20_000 + b"</%b>" % name)
        assert gate.rewrite(html, refused, base_url=PAGE, content_type=XHTML) is html
        control = html.replace(b' type="%b"' % kind, b"")
        assert b'type="text/plain"' in gate.rewrite(control, refused, base_url=PAGE, content_type=XHTML)


def test_a_style_inside_the_text_of_another_is_inert_if_it_applies(gate, refused) -> None:
    nested = b'<style>p{}<b><style%b>@import "//a.stats.example/x";</style></b></style>'
    sent = gate.rewrite(page(nested % b""), refused, base_url=PAGE, content_type=XHTML)
    assert sent == page(nested % b' type="text/plain"')
    still = page(nested % b' type="text/x"')
    assert gate.rewrite(still, refused, base_url=PAGE, content_type=XHTML) is still


def test_a_style_sheet_instruction_to_an_undeclared_host_passes_where_the_site_lets_it(refused) -> None:
    html = b"<?xml-stylesheet href='//other.example/x' title='href=\"/own\"'?>" + page(b"")
    for mode, prefix in (("report", b""), ("block", b"data-consent-")):
        heard = []
        gate = Gate(make_policy(undeclared=mode))
        sent = gate.rewrite(html, refused, base_url=PAGE, content_type=XHTML, report=heard.append)
        assert sent == html.replace(b"<?xml", b"<?" + prefix + b"xml")
        assert [(said.host, said.blocked) for said in heard] == [("other.example", bool(prefix))]
