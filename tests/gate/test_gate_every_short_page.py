"""Every page that can be made of a few parts, with an image behind them, as other parsers read it.

Whatever the parts do to each other: where the gate leaves the image alone, html5lib, Lexbor, libxml2 and tinycss2 have
to see no image there. Pairs of all parts, and with ``CONSENT_EVERY_CASE`` (``make soak``) all that three of them make.
"""

# ruff: noqa: E501, SIM905  # tables of markup

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import html5lib
import pytest
import tinycss2
from harbour_policy import PAGE, make_policy
from html5lib.treebuilders import getTreeBuilder
from lxml import etree
from selectolax.lexbor import LexborHTMLParser

from consent.choice import Choice, Signals, decide
from consent.gate import Gate
from consent.gate.pieces import Pieces
from tests.covering import EVERY_CASE

MOST = 3 if EVERY_CASE else 2
GATE = Gate(make_policy())
REFUSED = decide(GATE.policy, Choice.refusing(), Signals())
HOST = "//a.stats.example/"
TREES = getTreeBuilder("etree")
HTML = [
    *"""<svg> </svg> <math> </math> <mi> <annotation-xml> <desc> </desc> <foreignObject> <title> </title> <style> </style> <script> </script>
    <textarea> </textarea> <noscript> </noscript> <template> </template> <select> </select> <option> <table> </table> <tr> <col> <caption> <p> </p>
    <br> <b> <a> <body> <html> <head> </head> <frameset> <frame> <plaintext> <xmp> </xmp> <iframe> </iframe> <noembed> <noframes> </noframes> <!-- -->
    <![CDATA[ ]]> <svg/> <font> <input> <hr> <object> </object> <button> <image> <listing> <optgroup> </body> </html> <base> <math/> <script/> <style/>
    <title/> <?x <!x </ <p<""".split(),
    '<p a="', '">', "<p a='", "'>", '<svg a="<style>">', '<annotation-xml encoding="text/html">', "<font color=a>", "x",
]  # fmt: skip
XML = [
    "<!--", "-->", "<![CDATA[", "]]>", "<?x", "?>", "<?x ", "<p>", "</p>", '<p a="', '">', "<p a='", "'>", "<style>", "</style>", "<script>", "</script>",
    '<svg xmlns="http://www.w3.org/2000/svg">', "</svg>", "<b/>", "x", "&lt;", "&quot;", "--", ">", '"', "'", "]", "\n", "<title>", "</title>",
    "<noscript>", "</noscript>", "<textarea>", "</textarea>", "?", "!", "<?xml-stylesheet", '<?x a="',
]  # fmt: skip
PROLOGUES = [
    "", "<!DOCTYPE html>", '<!DOCTYPE html [<!ENTITY a "b">]>', "<!DOCTYPE html [<!ENTITY a \"<img src='//a.stats.example/e'/>\"><!-- ]> -->]>",
    '<!DOCTYPE html SYSTEM "a>b">', "<!DOCTYPE html [<!ENTITY a ']>'><?x ]> ?>]>", '<!DOCTYPE html [<!ATTLIST p a CDATA "]>"><!-- \' -->]>',
]  # fmt: skip
CSS = [
    '"', "'", "/*", "*/", "\\", "\n", "(", ")", "{", "}", ";", "url(", 'url( "', "@import ", "<!-- ", "-->", "a", "a:", ",", '\\"', " ", "u\\72l(", "@x ",
    "]", "[", "/", "*", "\\\n", "src(", "image-set(", "//", "url(x", "\t", "\\29 ", "@import url(", "0",
]  # fmt: skip
ADDRESSES = [f"url({HOST}x)", f'url("{HOST}x")', f'@import "{HOST}x";', f"b:url( {HOST}x )}}", f"@import url({HOST}x) layer;"]


@pytest.fixture(params=[False, True], ids=["searching", "skimming"])
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pieces, "skims", request.param)


def made(parts: list[str]) -> Iterator[str]:
    return ("".join(some) for count in range(MOST + 1) for some in product(parts, repeat=count))


def sent(page: str, kind: str = "text/html") -> str:
    return GATE.rewrite(page.encode(), REFUSED, base_url=PAGE, content_type=kind + "; charset=utf-8").decode()


def images(page: str) -> Iterator[str]:
    """The addresses of all images that a parser of HTML sees, with scripting or without it."""
    for image in LexborHTMLParser(page).css("img"):
        yield image.attributes.get("src") or ""
    for scripting in (True, False):
        try:
            tree = html5lib.HTMLParser(tree=TREES, namespaceHTMLElements=False).parse(page, scripting=scripting)
        except AssertionError:
            continue  # it gives up on some templates and framesets
        yield from (image.get("src", "") for image in tree.iter("img"))


def images_in_xml(page: str) -> Iterator[str]:
    """The same for XML, which is shown as far as it is well formed."""
    parser: Any = etree.XMLPullParser(events=("start",), no_network=True)
    try:
        parser.feed(page.encode())
        events = parser.read_events()
    except etree.XMLSyntaxError:
        events = parser.read_events()
    try:
        for _, element in events:
            if element.tag == "{http://www.w3.org/1999/xhtml}img":
                yield element.get("src", "")
    except etree.XMLSyntaxError:
        return


def first_string(nodes: list[Any]) -> Iterator[str]:
    following = [node for node in nodes if node.type not in ("whitespace", "comment")]
    return (node.value for node in following[:1] if node.type == "string")


def addresses(nodes: list[Any]) -> Iterator[str]:
    """What a style sheet names, wherever it does."""
    for number, node in enumerate(nodes):
        if node.type == "url":
            yield node.value
        elif node.type == "function":
            if node.lower_name in ("url", "src"):
                yield from first_string(node.arguments)
            yield from addresses(node.arguments)
        elif node.type in ("() block", "[] block", "{} block"):
            yield from addresses(node.content)
        elif node.type == "at-keyword" and node.lower_value == "import":
            yield from first_string(nodes[number + 1 :])


@pytest.mark.untraced
@pytest.mark.usefixtures("reader")
def test_no_parser_of_html_sees_what_the_gate_does_not() -> None:
    image, seen, left = f"<img src={HOST}x>", 0, 0
    for parts in made(HTML):
        seen += f"{HOST}x" in images(parts + image)
        page = sent(parts + image)
        if f" src={HOST}" in page:
            left += 1
            assert not any(address.startswith(HOST) for address in images(page)), (parts, page)
    assert left > 100, "what is text stays"
    assert seen > 1000, "the control"


@pytest.mark.untraced
def test_no_parser_of_xml_sees_what_the_gate_does_not() -> None:
    image, seen = f'<img src="{HOST}x"/>', 0
    for prologue, parts in product(PROLOGUES, made(XML)):
        page = f'{prologue}<html xmlns="http://www.w3.org/1999/xhtml">{parts}{image}'
        seen += f"{HOST}x" in images_in_xml(page)
        page = sent(page, "application/xhtml+xml")
        if f' src="{HOST}x' in page:
            assert not any(address.startswith(HOST) for address in images_in_xml(page)), page
    assert seen > 1000, "the control"


@pytest.mark.untraced
@pytest.mark.usefixtures("reader")
def test_no_parser_of_style_sheets_sees_what_the_gate_does_not() -> None:
    seen = 0
    for parts, address in product(made(CSS), ADDRESSES):
        seen += f"{HOST}x" in addresses(tinycss2.parse_component_value_list(parts + address))
        page = sent(f"<style>{parts}{address}</style>")
        if page.startswith("<style>"):
            found = addresses(tinycss2.parse_component_value_list(page[7:-8]))
            assert not any(each.strip().startswith(HOST) for each in found), page
    assert seen > 1000, "the control"
