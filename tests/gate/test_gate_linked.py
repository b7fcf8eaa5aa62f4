"""What a page links to in an address of its own (``data:``), and what XML tells apart: each beside one that stays."""

# ruff: noqa: E501  # tables of markup, one trick after another

from __future__ import annotations

import base64
import json
import re
import urllib.parse

import pytest
from harbour_policy import PAGE, in_pieces, make_policy

from consent.choice import Choice, Signals, decide
from consent.gate import Gate
from consent.gate.charset import readings
from consent.gate.dataurls import contents, strings
from consent.policy import Service

GATE = Gate(make_policy())
REFUSED = decide(GATE.policy, Choice.refusing(), Signals())
H = "a.stats.example"


def quoted(text: str, codec: str = "utf-8") -> str:
    return urllib.parse.quote(text.encode(codec), safe="")


def manifest(address: str) -> str:
    return quoted(json.dumps({"name": "N", "icons": [{"src": address, "sizes": "144x144"}]}))


LINKED = [
    "<meta http-equiv=refresh content=\"0;url=data:text/html,<img src=//@/x>\">", "<meta http-equiv=refresh content=\"0; url='data:text/html;base64,{b}'\">",
    '<link rel=search type="application/opensearchdescription+xml" title=x href="//@/os.xml">',
    '<script type=module>import s from "data:text/css,p{background:url(//@/x)}" with {type:"css"}</script>', '<script>import("data:text/css,@import %22//@/x%22")</script>',
    '<script type=importmap>{"imports":{"x":"data:text/css,p{background:url(//@/x)}"}}</script>',
    "<link rel=modulepreload href=\"data:text/jscript,import '//@/x'\">", "<link rel=modulepreload href=\"data:,import '//@/x'\">",
    "<link rel=manifest href=\"data:application/manifest+json,{m}\">", "<link rel=manifest href='data:,{m}'>",
    "<link rel=stylesheet charset=utf-16le href=\"data:text/css,{u}\">", "<link rel=stylesheet href=\"data:text/css,{v}\">",
    "<script charset=utf-16le src=\"data:text/javascript,{w}\"></script>",
]


def filled(html: str, host: str) -> bytes:
    return (
        html.replace("{b}", base64.b64encode(f"<img src=//{host}/x>".encode()).decode())
        .replace("{m}", manifest(f"https://{host}/x.png"))
        .replace("{u}", quoted(f'@import "//{host}/x";', "utf-16-le"))
        .replace("{v}", quoted(f'@import "//{host}/x";', "utf-16-be"))
        .replace("{w}", quoted(f'import("//{host}/x")', "utf-16-le"))
        .replace("@/", f"{host}/")
    ).encode()


@pytest.mark.parametrize("html", LINKED)
def test_what_is_linked_in_an_address_is_read_as_browsers_read_it(html: str) -> None:
    page, heard = filled(html, H), []
    sent = GATE.rewrite(page, REFUSED, base_url=PAGE, report=heard.append)
    assert [said.service for said in heard if said.blocked] == ["stats"] * len(heard)
    assert sent != page
    assert GATE.rewrite(sent, REFUSED, base_url=PAGE) == sent, "twice is once"
    assert in_pieces(GATE, REFUSED, page) == sent
    own = filled(html, "harbour.example")
    assert GATE.rewrite(own, REFUSED, base_url=PAGE) is own, "the control"


ESCAPED = [
    "<iframe src=\"data:text/html,<meta charset=iso-2022-jp><i%1B(Bmg src=/x>\"></iframe>",
    "<iframe src=\"data:text/xml,<?xml version='1.0' encoding='iso-2022-jp'?><a/>%1B(B\"></iframe>",
    "<iframe src=\"data:text/html;charset=iso-2022-jp,<p a%1B(I='%1B(B'>\"></iframe>",
    "<link rel=stylesheet charset=iso-2022-jp href=\"data:text/css,@im%1B(Bport '/x'\">", "<script src=\"data:,im%1B(Bport('/x')\"></script>",
    "<style>@import \"data:text/css,@charset 'iso-2022-jp';a%1B(B\"</style>", "<link rel=manifest href='data:,%1B(B'>",
    "<link rel=stylesheet href=\"data:text/css;charset=iso-2022-jp,%1B(I\">",
]


@pytest.mark.parametrize("html", ESCAPED)
def test_what_may_say_something_else_by_its_escapes_is_not_opened(html: str) -> None:
    page = html.encode()
    sent = GATE.rewrite(page, REFUSED, base_url=PAGE)
    assert sent != page
    assert GATE.rewrite(sent, REFUSED, base_url=PAGE) == sent, "twice is once"
    plain = page.replace(b"%1B(B", b"").replace(b"%1B(I", b"")
    assert GATE.rewrite(plain, REFUSED, base_url=PAGE) is plain, "the control"


def test_an_escape_hides_nothing_where_the_encoding_is_said() -> None:
    for kind, hidden in (("", True), (";charset=utf-8", False), (";charset=iso-2022-jp", True), (";charset=bogus", True)):
        (content,) = contents(f"data:text/css{kind},%1B(B")
        assert content.hidden is hidden
    (unreadable,) = contents("data:text/css;charset=iso-2022-jp,%1B(I%B1")
    assert unreadable.hidden
    assert not any(content.hidden for content in contents("data:text/css,a"))


def test_only_what_is_linked_may_be_in_an_encoding_that_it_does_not_say() -> None:
    address = f"data:text/css,{quoted('a', 'utf-16-le')}"
    assert [content.codec for content in contents(address)] == ["utf8"]
    assert len(list(contents(address, linked=True))) == 3
    assert len(list(contents("data:text/css;charset=utf-8,%00", linked=True))) == 1
    assert len(list(contents("data:text/css,a", linked=True))) == 1


def test_strings_are_found_in_what_is_no_json() -> None:
    assert strings(b'{"a":"\\u002f/b", "\\q": x "c') == ["a", "//b", "\\q"]


def test_characters_of_big5_that_the_codec_lacks_end_in_no_sign() -> None:
    assert readings(b"\x9f`", "big5hkscs") == [b"\x9f\x80"]
    assert readings(b"\x81`", "big5hkscs") == [b"\x81`"], "the control: no character"
    page = b"<script>var a\x9f`;import('//a.stats.example/x');//`\n</script>"
    assert GATE.rewrite(page, REFUSED, base_url=PAGE, content_type="text/html; charset=big5") != page


def test_an_animation_may_lead_to_a_services_path_on_the_sites_own_host() -> None:
    policy = make_policy()
    own = Service(key="own", category="analytics", name="Own", purpose="Counts.", load=("harbour.example/metrics/*",))
    gate = Gate(type(policy)(site=policy.site, ask=policy.ask, services=(*policy.services, own)))
    refused = decide(gate.policy, Choice.refusing(), Signals())
    html = b'<svg><image><set attributeName=href to="/metrics/x"/></image></svg>'
    assert b"data-consent-to" in gate.rewrite(html, refused, base_url=PAGE)
    other = html.replace(b"metrics", b"pictures")
    assert gate.rewrite(other, refused, base_url=PAGE) is other


XML = [
    '<!DOCTYPE html SYSTEM "a>b" [<!ENTITY u "//{h}/x">]><html xmlns="{x}"><body><img src="&u;"/></body></html>',
    "<!DOCTYPE html PUBLIC 'a>[' \"]>\" [<!ATTLIST img src CDATA '//{h}/x'>]><html xmlns=\"{x}\"><body><img/></body></html>",
    '<html xmlns="{x}"><body><style TYPE="x">@import "//{h}/x";</style></body></html>', '<html xmlns="{x}"><body><script TYPE="text/plain">import("//{h}/x")</script></body></html>',
    '<html xmlns="{x}"><body><script SRC="/own">import("//{h}/x")</script></body></html>', '<html xmlns="{x}"><body><script TYPE="text/javascript" type="importmap">{{"imports":{{"x":"//{h}/x"}}}}</script></body></html>',
    '<html xmlns="{x}"><body><script href="/own">import("//{h}/x")</script></body></html>', '<svg xmlns="http://www.w3.org/2000/svg"><script src="/own">import("//{h}/x")</script></svg>',
    "<?xml-stylesheet type=\"text/css\" title=\"href='\" href=\"//{h}/x.css\" a=\"'\"?><html xmlns=\"{x}\"/>",
    "<?xml-stylesheet charset='utf-16le' href=\"data:text/css,{u}\"?><html xmlns=\"{x}\"/>", "<?xml-stylesheet href=\"data:text/css,@import '//{h}/x'\"?><html xmlns=\"{x}\"/>",
]


@pytest.mark.parametrize("html", XML)
def test_xml_is_read_with_its_quotes_and_its_capitals(html: str) -> None:
    def page(host: str) -> bytes:
        inner = quoted(f'@import "//{host}/x";', "utf-16-le")
        return html.replace("{{", "{").replace("}}", "}").replace("{h}", host).replace("{x}", "http://www.w3.org/1999/xhtml").replace("{u}", inner).encode()

    sent = GATE.rewrite(page(H), REFUSED, base_url=PAGE, content_type="application/xhtml+xml")
    assert sent != page(H)
    own = page("harbour.example")
    if "[<!" in html:  # what a page defines for itself is not read
        own = re.sub(rb" \[<.*?\]>(?=<html)", b">", own)
    assert GATE.rewrite(own, REFUSED, base_url=PAGE, content_type="application/xhtml+xml") is own, "the control"
