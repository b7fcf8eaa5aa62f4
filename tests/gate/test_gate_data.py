"""Code and documents in their own address: read as each browser may read them, whatever they say they are."""

# ruff: noqa: E501  # tables of markup, one trick after another

from __future__ import annotations

import base64
import time
import urllib.parse

import pytest
from harbour_policy import PAGE, in_pieces, make_policy

from consent.choice import Choice, Signals, decide
from consent.gate import Gate
from consent.gate.fields import gate_fields
from consent.gate.pieces import Pieces
from consent.policy import Ask, Policy, Service, Site

HOST = "//a.stats.example/x"
IMPORT = f"@import '{HOST}';"
RULE = f"p{{background:url({HOST})}}"
CALL = f"import('{HOST}')"
PICTURE = f"<img src={HOST}>"
SVG = f"<svg xmlns='http://www.w3.org/2000/svg'><image href='{HOST}'/></svg>"
ESCAPED = "\x1b(B"


def data(kind: str, content: str | bytes, *, coded: bool = False) -> str:
    raw = content if isinstance(content, bytes) else content.encode()
    if coded:
        return f"data:{kind};base64,{base64.b64encode(raw).decode()}"
    return f"data:{kind},{urllib.parse.quote(raw, safe='')}"


def hidden(text: str, after: int) -> str:
    """The text with an escape that ISO-2022-JP leaves out."""
    return text[:after] + ESCAPED + text[after:]


def manifest(source: str) -> str:
    return f'{{"name": "News: today", "start_url": "/", "icons": [{{"src": "{source}", "sizes": "144x144"}}]}}'


REFRESHES = [
    f"<meta http-equiv=refresh content='0;url={url}'>"
    for url in (data("text/html", PICTURE), data("TEXT/HTML", PICTURE, coded=True), data("image/svg+xml", SVG),
                "da&#9;ta:text/html," + urllib.parse.quote(PICTURE), data("text/html", f"<iframe src='{data('text/html', PICTURE)}'>"))
]  # fmt: skip
LINKS = [
    f'<link rel=preload as=style href="{data("text/css", IMPORT)}">', f'<link rel=preload as=script href="{data("text/javascript", CALL)}">',
    f"<link rel=search type=application/opensearchdescription+xml title=x href={HOST}>",
    f"<link rel='author search' type='a' type=' Application/OpenSearchDescription+XML ' href={HOST}>",
    *(f"<link rel=modulepreload href=\"{data(kind, 'import ' + repr(HOST))}\">" for kind in ("text/jscript", "text/livescript", "text/plain", "", "x/y")),
    *(f"<link rel='{rel}' href=\"{data(kind, manifest('https:' + HOST), coded=coded)}\">" for rel, kind, coded in
      (("manifest", "application/manifest+json", False), ("icon manifest", "text/plain", True), ("MANIFEST", "", False))),
    f"<link rel=manifest href='{data('application/json', manifest('htt' + chr(92) + 'u0070s:' + HOST))}'>",
    f"<link rel=manifest href='{data('a/b', '{' + manifest('https:' + HOST))}'>", f"<link rel=manifest href='{data('a/b', '[' * 100_000)[:60_000]}'>",
    f"<link rel='stylesheet modulepreload' href=\"{data('text/css', CALL)}\">",
]  # fmt: skip
MODULES = [
    f"<script type=module>import s from '{data('text/css', RULE)}' with {{type: 'css'}}</script>",
    f"<script>import('{data('Text/CSS;charset=x', IMPORT, coded=True)}', {{with: {{type: 'css'}}}})</script>",
    f"<script type=importmap>{{\"imports\": {{\"a\": \"{data('text/css', RULE)}\"}}}}</script>",
    f"<script>import('{data('text/javascript;charset=utf-16le', CALL)}')</script>",
    f"<script>import('{data('text/javascript;charset=shift_jis', b'a=%s;' % (bytes((34, 0x83, 92, 92, 34))) + CALL.encode() + b'//' + bytes((34,)))}')</script>",
    f"<script>import('{data('text/javascript;charset=koi8-r', 'import(`//bücher.example/x`)')}')</script>",
]  # fmt: skip
SHEETS = [
    lambda url: f'<link rel=stylesheet href="{url}">', lambda url: f'<link rel=stylesheet charset=utf-16le href="{url}">',
    lambda url: f"<style>@import '{url}';</style>", lambda url: f'<style>@import url("{url}");</style>',
]  # fmt: skip
UNSAID = [
    *(sheet(data(f"text/css{said}", IMPORT.encode(codec))) for sheet in SHEETS for codec in ("utf-16-le", "utf-16-be") for said in ("", ";charset=x")),
    *(sheet(data("text/css", f'@charset "iso-2022-jp";{hidden(IMPORT, 3)}', coded=coded)) for sheet in SHEETS for coded in (False, True)),
    *(f'<script charset=x src="{data("text/javascript", CALL.encode(codec))}"></script>' for codec in ("utf-16-le", "utf-16-be")),
    f'<script src="{data("text/javascript", hidden(CALL, 2))}"></script>', f'<script src="{data("text/javascript;charset=iso-2022-jp", hidden(CALL, 2))}"></script>',
    f'<script src="{data("text/javascript", b"<" + bytes((0,)) + b"?" + bytes((0,)) + hidden(CALL, 2).encode())}"></script>',
    *(sheet(data("text/css;charset=iso-2022-jp", f'p::before{{content:"{chr(27)}(I"{ESCAPED}";background:url({HOST})}}')) for sheet in SHEETS),
    f"<link rel=stylesheet href=\"{data('text/css;charset=utf-16le', b'/*' + bytes((0, 0xD8)) + ('a*/' + RULE).encode('utf-16-le'))}\">",
]  # fmt: skip
FRAMES = [
    *(f'<iframe src="{data(kind, text, coded=coded)}"></iframe>' for coded in (False, True) for kind, text in (
        ("text/html", "<meta charset=iso-2022-jp>" + hidden(PICTURE, 2)), ("text/html;charset=iso-2022-jp", f"<p a{chr(27)}(I=\"{ESCAPED} >{PICTURE}"),
        ("image/svg+xml", "<?xml version='1.0' encoding='iso-2022-jp'?>" + hidden(SVG, 50)), ("text/xml", hidden(SVG, 50)),
    )),
    f"<object data=\"{data('application/xhtml+xml', hidden(SVG, 50))}\"></object>",
    f"<iframe src=\"{data('text/html;charset=utf-16le', b'<!--' + bytes((0, 0xD8)) + ('-->' + PICTURE).encode('utf-16-le'))}\"></iframe>",
]  # fmt: skip
UNCERTAIN = (
    ";x=&quot;;charset=iso-2022-jp;&quot;;charset=utf-8",
    ";charset= utf-8",
    ";charset=utf-8&#12;",
    ";char&#9;set=utf-8",
    "; charset=utf-8",
    ";utf8;charset=utf-8",
)
APART = [
    *(f"<link rel=stylesheet href=\"{data('text/css' + said, hidden(IMPORT, 3))}\">" for said in UNCERTAIN),
    *(f"<iframe src=\"{data('text/html' + said, '<meta charset=iso-2022-jp>' + hidden(PICTURE, 2))}\"></iframe>" for said in UNCERTAIN),
    *(f"<iframe src=\"{data('text/html' + said.replace('utf-8', 'utf-16le'), PICTURE)}\"></iframe>" for said in UNCERTAIN),
    *(f"<iframe src=\"{data('text/html' + said, PICTURE.encode('utf-16-le'))}\"></iframe>" for said in UNCERTAIN),
    *(f'<iframe src="data:text/html,<img{space}src={HOST}>"></iframe>' for space in ("&#9;", "&#10;", "\r\n", "\t")),
    f'<link rel=stylesheet href="da&#9;ta:text/css,@import&#10;url({HOST})">', f"<style>@import 'data:text/css,@import\turl({HOST})';</style>",
    f'<script src="data:text/javascript,//&#10;{CALL}"></script>', f'<meta http-equiv=refresh content="0;url=data:text/html,<img&#10;src={HOST}>">',
]  # fmt: skip
INSTRUCTIONS = [
    f"<?xml-stylesheet charset='utf-16le' href='{data('text/css', IMPORT.encode('utf-16-le'))}'?><a/>",
    f"<?xml-stylesheet href='{data('application/x-unknown-content-type', IMPORT)}'?><a/>",
]  # fmt: skip
BYTES = bytes(range(256)) * 8
STAYS = [
    f"<img src='{data('image/png', BYTES, coded=True)}'>", f"<link rel=icon href='{data('image/png', BYTES, coded=True)}'>",
    f"<object data='{data('application/pdf', BYTES, coded=True)}'></object>", f"<embed src='{data('font/woff2', BYTES, coded=True)}'>",
    f"<iframe src='{data('text/plain', hidden(PICTURE, 2))}'></iframe>", f"<iframe src='{data('text/html;charset=utf-8', hidden('<p>a', 2))}'></iframe>",
    f"<style>p{{background:url({data('image/gif', BYTES, coded=True)})}}</style>", f"<script src='{data('text/javascript;charset=utf-8', 'a()')}'></script>",
    f"<script src='{data('text/javascript', 'a()')}'></script>", f"<link rel=stylesheet href='{data('text/css;charset=windows-1252', b'p{content:%s}' % bytes((34, 0xE9, 34)))}'>",
    f"<link rel=stylesheet href='{data('text/css', 'p' + chr(0) + '{color:red}')}'>", f"<link rel=modulepreload href='{data('text/javascript', 'a()')}'>",
    f"<link rel=search href={HOST}>", f"<link rel=author type=application/opensearchdescription+xml href={HOST}>", "<link rel=search type=application/opensearchdescription+xml href=/os.xml>",
    f"<link rel=manifest href='{data('application/manifest+json', manifest('/icon.png'))}'>", f"<link rel=manifest href='{data('a/b', manifest(data('image/png', BYTES, coded=True)))}'>",
    "<link rel=manifest href=data:>", "<iframe src='data:text/html; charset=utf-8,<p>a\n<b>'></iframe>", "<object data='data:image/svg+xml;utf8,<svg>\n\t<path/></svg>'></object>",
    "<meta http-equiv=refresh content='0;url=data:text/html,<p>hi'>", f"<meta http-equiv=refresh content='0;url={data('text/plain', PICTURE)}'>",
    f"<script type=module>import s from '{data('text/css', 'p{color:red}')}' with {{type: 'css'}}</script>", f"<script src='{data('text/javascript', 'a=' + repr(RULE))}'></script>",
]  # fmt: skip


BASELESS = [
    *(f"<iframe src='{data(kind, text)}'></iframe>" for kind, text in (
        ("text/html", f"<img src=https:{HOST[2:]}>"), ("text/html", f"<iframe srcdoc=\"<img src='https:/{HOST[2:]}'>\">"),
        ("image/svg+xml", SVG.replace(HOST, "https:" + HOST[2:])))),
    f'<link rel=stylesheet href="{data("text/css", IMPORT.replace(HOST, "https:" + HOST[2:]))}">',
    f"<link rel=manifest href='{data('application/json', manifest('https:' + HOST[2:]))}'>",
    f"<script type=module>import 'HTTPS:{HOST[2:]}'</script>",
    f'<script type=importmap>{{"imports":{{"a":"https:/{HOST[2:]}"}}}}</script>',
]  # fmt: skip
"""What would be relative on the page, where its address is none to begin at."""


@pytest.fixture(params=[False, True], ids=["searched", "tag by tag"])
def reader(request, monkeypatch) -> None:
    monkeypatch.setattr(Pieces, "skims", request.param)


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize("html", REFRESHES + LINKS + MODULES + UNSAID + FRAMES + APART + BASELESS)
def test_what_is_in_its_own_address_reaches_nobody(gate, refused, granted, html) -> None:
    raw, heard = html.encode(), []
    sent = gate.rewrite(raw, refused, base_url=PAGE, report=heard.append)
    assert any(said.blocked for said in heard)
    assert sent != raw
    assert gate.rewrite(sent, refused, base_url=PAGE) == sent
    assert in_pieces(gate, refused, raw, size=40) == sent
    assert Gate(make_policy(undeclared="report")).rewrite(raw, granted, base_url=PAGE) is raw


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize("html", STAYS)
def test_what_is_in_its_own_address_and_asks_nobody_stays(gate, refused, html) -> None:
    heard = []
    raw = html.encode()
    assert gate.rewrite(raw, refused, base_url=PAGE, report=heard.append) is raw
    assert not heard


@pytest.mark.parametrize("html", INSTRUCTIONS)
def test_a_style_sheet_that_an_instruction_names_is_read_so_too(gate, refused, html) -> None:
    sent = gate.rewrite(html.encode(), refused, base_url=PAGE, content_type="text/xml")
    assert sent == html.replace("<?xml-s", "<?data-consent-xml-s").encode()


@pytest.mark.parametrize(("name", "value", "own"), [
    ("Refresh", f"0;url={data('text/html', PICTURE)}", "0;url=data:text/html,<p>hi"),
    ("Link", f"<{data('text/css', IMPORT)}>; rel=stylesheet", f"<{data('text/css', 'p{color:red}')}>; rel=stylesheet"),
    ("Link", f"<{data('text/jscript', CALL)}>; rel=modulepreload", f"<{HOST}>; rel=search; type=application/opensearchdescription+xml"),
])  # fmt: skip
def test_a_header_leads_to_what_is_in_its_own_address(gate, refused, name, value, own) -> None:
    assert gate_fields(gate, [(name, value)], refused, base_url=PAGE) == []
    assert gate_fields(gate, [(name, own)], refused, base_url=PAGE) == [(name, own)]


def test_what_is_in_itself_in_many_readings_is_read_once(gate, refused) -> None:
    for first, wrap, name in (
        ("p{}", b'@import "%s";', "<link rel=stylesheet href='%s'>"),
        ("a()", b'import("%s")', "<script src='%s'></script>"),
    ):
        inner = first.encode()
        for _ in range(7):
            url = data("text/css;charset=x", inner + b"/*" + bytes((0x83, 92, 0xA5, 92, 0x81, 92)) + b"*/")
            inner = wrap % url.encode()
        start = time.perf_counter()
        gate.rewrite((name % data("text/css;charset=x", inner)).encode(), refused, base_url=PAGE)
        assert time.perf_counter() - start < 1


def test_what_was_found_in_addresses_is_kept_within_bounds(gate, refused, monkeypatch) -> None:
    monkeypatch.setattr("consent.gate.page._JUDGED", 3)
    page = gate.page(refused, base_url="https://harbour.example/kept")
    for number in range(9):
        assert page.inner_sheet(data("text/css", f"p{{order:{number}}}{RULE}"), "link")
        assert len(page.inner) <= 3


CLAIMED = Gate(
    Policy(
        site=Site(name="Harbour News", controller="Harbour News Trust", hosts=("harbour.example",)),
        ask=Ask(),
        services=(Service(key="own", category="analytics", name="Own", purpose="Counts.", load=("harbour.example/metrics",)),),
    )
)  # fmt: skip
NOBODY = decide(CLAIMED.policy, Choice.refusing(), Signals())


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize("change", [
    '<set attributeName="href" to="/metrics/x"/>', '<set attributename=HREF attributename=xlink:href to="metrics/x"/>',
    '<animate attributeName="href" values="/a;/metrics/x"/>', '<set attributeName="href" to="//harbour.example/metrics/x"/>',
])  # fmt: skip
def test_an_animation_leads_to_a_service_on_a_path_of_the_site(change) -> None:
    html = f"<svg><image>{change}</image></svg>".encode()
    assert b"data-consent-service" in CLAIMED.rewrite(html, NOBODY, base_url="https://harbour.example/")


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize("change", ['<set attributeName="href" to="/own/x"/>', '<animate attributeName="x" values="/metrics/x;1"/>', '<set to="metrics"/>'])  # fmt: skip
def test_an_animation_of_something_else_leads_nowhere(change) -> None:
    html = f"<svg><image>{change}</image></svg>".encode()
    assert CLAIMED.rewrite(html, NOBODY, base_url="https://harbour.example/") is html
