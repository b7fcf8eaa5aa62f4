"""Addresses in scripts, style sheets and data: URLs that are quoted, escaped or broken in odd ways.

Each trick stands beside what looks like it and must stay as it is.
"""

# ruff: noqa: E501  # tables of markup, one trick after another

from __future__ import annotations

import base64

import pytest
from harbour_policy import PAGE, make_policy

from consent.choice import Choice, Signals, decide
from consent.gate import Gate

GATE = Gate(make_policy())
OPEN = Gate(make_policy(undeclared="report"))
REFUSED = decide(GATE.policy, Choice.refusing(), Signals())
AGREED = decide(GATE.policy, Choice.granting("youtube", "stats"), Signals())
H = "a.stats.example"
IMG = base64.b64encode(b"<img src=//a.stats.example/x>").decode()
SET = "<svg><image><set attributeName=href to='%s'/></image></svg>"
MODULE = "<script type=module>%s</script>"
LONG = "<style>" + "p{color:red}\n" * 7000 + "%s</style>"

REACHES = [
    # a target in quotes
    f"<meta http-equiv=refresh content=\"0;url='\\\\harbour.example'@{H}/x'\">",
    f"<meta http-equiv=refresh content='\x0b0;url=//{H}/x'>", f"<meta http-equiv=refresh content='0\x0b;url=//{H}/x'>",
    f"<meta http-equiv=refresh content='\u2003 0;url=//{H}/x'>",
    # data: URLs
    *(f"<iframe src='data:text/html;{{space}}base64{{after}},<img src=//{H}/x>'></iframe>".format(space=space, after=after) for space, after in (("\u00a0", ""), ("\f", ""), ("", "\v"), ("", "\u2003"))),
    f"<iframe src='data:text/html;ba\u017fe64,<img src=//{H}/x>'></iframe>",
    *(f"<base href='{nowhere}'><img src=https:{H}/x>" for nowhere in ("about:blank", "urn:a", "foo://x/", "blob:https://harbour.example/x", "file:///")),
    *(f"<svg><animate attributeName=mask values='{before};url(//{H}/x)'/></svg>" for before in ("&quot;", "/*", "url(", "\\")),
    f"<iframe src='data:text/html;base64 ,{IMG}'></iframe>", f"<iframe src='data:text/html;base64;charset=utf-8,{IMG}'></iframe>",
    f"<iframe src='data:text/html;base64;charset=utf-8,<img src=//{H}/x>'></iframe>", f"<iframe src='data:text/html;base64,{IMG}#x'></iframe>",
    f"<link rel=stylesheet href=\"da&#9;ta:text/css,@import '//{H}/x'\">", f"<link rel=stylesheet href=\"data:,@import '//{H}/x'\">",
    f"<style>@import \"data:,@import '//{H}/x'\";</style>", f"<style>@import url(\"data:text/plain,@import '//{H}/x'\");</style>",
    f"<link rel=stylesheet href='data:text/css,a{{b:url(//{H}/x #)'>",
    # animations
    SET % f"ht&#9;tp://{H}/x", SET % f"/&#9;/{H}/x", SET % f"&#1;//{H}/x", (SET % f"a;/&#10;/{H}/x").replace("to=", "values="),
    # modules
    f'<script type=importmap>{{"imports":{{"x":" http://{H}/x"}}}}</script>', f'<script type=importmap>{{"imports":{{"x":"\\u0001http://{H}/x"}}}}</script>',
    MODULE % f'import " http://{H}/x"', MODULE % f'import "ht\ttp://{H}/x"', MODULE % f"import \"http://{H}/x?'\"", MODULE % f'import(`http://{H}/x?"`)',
    MODULE % f'import "\\http://{H}/x"', MODULE % f'import "ht\\\ntp://{H}/x"', MODULE % f'import "ht\\\r\ntp://{H}/x"', MODULE % f'import "/\\\n/{H}/x"',
    MODULE % f'import("\\150ttp://{H}/x")', MODULE % f'import("\\u{{68}}ttp://{H}/x")', MODULE % f'import("//{H}\\u{{110000}}/x")' .replace("\\u{110000}", "/\\ud800"),
    MODULE % f'import// x\n"http://{H}/x"', MODULE % f'import(// x\n"http://{H}/x")', MODULE % f'import a from// x\n"http://{H}/x"',
    *(f"<script>import{gap}\n('//{H}/x')</script>" for gap in ("<!-- x", "(<!-- )", "\n--> x")),
    MODULE % f'import(("http://{H}/x"))', MODULE % f'import\u00a0"http://{H}/x"', MODULE % f'import.source("http://{H}/x")',
    MODULE % f'export * from/* a */"http://{H}/x"; import/**/("/own")', MODULE % f'//import/*\nimport/* */"http://{H}/x"',
    MODULE % f'import/* a *///b\n/*import*/ "http://{H}/x"',
    MODULE % f"import \"data:text/javascript,import '//{H}/x'\"", MODULE % f"import('data:,import%20%22//{H}/x%22')", MODULE % f"import `da\tta:text/css,{'import%20%22//' + H + '/x%22'}`",
    f"<script type=importmap>{{\"imports\":{{\"x\":\"data:text/javascript,import '//{H}/x'\"}}}}</script>", f"<script src=\"data:,import('//{H}/x')\"></script>",
    f"<script src=\"data:text/html,import('//{H}/x')\"></script>", f"<svg><script href=\"data:;base64 ,{base64.b64encode(f'import(`//{H}/x`)'.encode()).decode()}\"></script></svg>",
    f"<iframe src=\"javascript:'\\x3cimg src=//{H}/x\\x3e'\"></iframe>",
    f"<link rel=modulepreload href=\"data:text/javascript,import('//{H}/x')\">",
    f"<script>[...import('//{H}/x')]</script>", f"<script>a={{...import('//{H}/x')}}</script>", f"<script>...import('//{H}/x')</script>",
    f"<iframe src=\"javascript:'<!--','<img src=http://{H}/x>'\"></iframe>", f"<iframe src=\"javascript:'<title>';'<img src=//{H}/x>'\"></iframe>",
    f"<iframe src=\"javascript:/*<style>'*/'<img src=//{H}/x>'\"></iframe>", f"<iframe src=\"javascript:'<im'+'g src=//{H}/x>'\"></iframe>",
    *(f"<script>import({made})</script>".replace("@", f"//{H}/x") for made in (
        '"ht"+"tps:@"', '("https:/" + "@".slice(1))', '`https:/${"@"}`', '`${`@`}`', '""+/*)*/"@"', '""+//)\n"@"', '/[)]/&&"@"', "/[']/&&'@'",
        '`${"@"}`', '(0,"@")', '1?"@":0', '""||"@"', '["@"]', 'new URL("@",location)', "String.raw`@`", "a(b)+'@'", "(('/x'),('@'))", '"/a" /**/ && "@"',
    )),
    # style sheets
    f"<style>@namespace svg \"http://www.w3.org/2000/svg\";p{{b:url(//{H}/x)}}</style>", f"<style>@namespace url(/own);p{{b:url(//{H}/x)}}</style>",
    f"<style>@namespace a;p{{b:url(//{H}/x)}}</style>", f"<style>p{{b:u\\72\r\nl(//{H}/x)}}</style>", f"<style>@\\69\r\nmport '//{H}/x';</style>",
    f"<p style='b:u\\72\r\nl(//{H}/x)'>", f"<style>p{{b:url(\\2f \\2f {H}/x)}}</style>", f"<style>p{{b:'a\\\r\n';c:url(//{H}/x)}}</style>",
    f"<style>p{{b:'\\41\n';c:url(//{H}/x)}}</style>", f"<style>@import layer(a) '//{H}/x';@import '//{H}/x';</style>",
    LONG % f"p{{b:url('/\t/{H}/x')}}", LONG % f'p{{b:url("ht\ttp://{H}/x")}}', LONG % f"p{{b:url(\\2f \\2f {H}/x)}}", LONG % f"p{{b:url(\"//harbour.example'@{H}/x\")}}",
    LONG % f"@import \"data:,@import '//{H}/x'\";", LONG % f"@import url( //{H}/x );",
]  # fmt: skip


@pytest.mark.parametrize("html", REACHES)
def test_an_address_is_found_however_it_is_quoted(html) -> None:
    page, heard = html.encode(), []
    sent = GATE.rewrite(page, REFUSED, base_url=PAGE, report=heard.append)
    assert sent != page
    assert any(said.blocked and said.host == H for said in heard)
    assert GATE.rewrite(sent, REFUSED, base_url=PAGE) == sent, "twice is once"
    assert OPEN.rewrite(page, AGREED, base_url=PAGE) is page, "the control: granted is untouched"


STAYS = [
    f"<script>import(a?'/x':'/y').then(() => go('//{H}/x'))</script>", f"<script>import(`/${{a}}/x`); go('//{H}/x')</script>",
    f"<script>import.meta.url; go('//{H}/x'); import('/x'); import('/y', a('//{H}/x'))</script>", f"<script>import a from '/x'; go('//{H}/x')</script>",
    f"<script>import('./'+a+'.js').then(/*)*/b);go('//{H}/x')</script>", f"<script>import(a/b+'/x'+c/d);go('//{H}/x')</script>", f"<script>x-import('/a'+b+'/c');go('//{H}/x')</script>",
    "<base href='about:blank'><img src=/x><img src=x>", "<svg><animate attributeName=fill values='url(#a);url(#b)'/></svg>",
    "<meta http-equiv=refresh content=\"0;url='\\\\harbour.example/x'\">", "<meta http-equiv=refresh content='\x0b0;url=/x'>",
    "<iframe src='data:text/plain;base64 ,PGltZz4='></iframe>", f"<iframe src='data:text/html,<p>#<img src=//{H}/x>'></iframe>",
    "<link rel=stylesheet href=\"data:,@import '/x'\">", f"<link rel=icon href=\"data:,@import '//{H}/x'\">", "<link rel=stylesheet href=data:text/css>",
    f"<style>p{{b:url(\"data:text/plain,@import '//{H}/x'\")}}</style>", SET % "/&#9;x", SET % "red", SET % f"x//{H}/x",
    f'<script type=importmap>{{"imports":{{" http://{H}/x":" /x"}}}}</script>'.replace(f" http://{H}/x", "x//y"),
    MODULE % f'import " /x"; var a = "//{H}/x"', MODULE % f"import \"/x?'\"; a('//{H}/x')", MODULE % 'import "\\/x"', MODULE % 'import "\\56/x"',
    MODULE % f'import// x\n"/x"; //"//{H}"', MODULE % f'a.import("//{H}/x"); Array.from("//{H}/x"); from("//{H}/x")', MODULE % f"import x, '//{H}/x'",
    MODULE % f'import "\\n//{H}/x"'.replace("\\n/", "\\n\\x20a/"), MODULE % f"import '//{H}/x",
    MODULE % f"import \"data:text/javascript,import '/x';'//{H}/x'\"", f"<script src=\"data:,a('//{H}/x')\"></script>", f"<iframe src=\"javascript:'\\x3cb //{H}/x\\x3e'\"></iframe>",
    f"<style>@namespace svg url(//{H}/x);@namespace url('//{H}/x');@namespace s\\76g '//{H}/x';p{{b:url(/x)}}</style>",
    f"<style>@namespace/* a */svg/* b */u\\72\r\nl(//{H}/x);</style>", f"<style>p{{b:'a\\\r\n url(//{H}/x)'}}</style>", f"<style>@import url(/x);p{{b:'url(//{H}/x)'}}</style>",
    "<style>@import;p{b:url(/x)}</style>", "<style>p{b:url();c:image-set((a) \\1)}</style>", LONG % "p{b:url('/\t/harbour.example/x');c:'a:b';d:\"/x\"}", LONG % "@import 'data:,p{b:url(/x)}';",
]  # fmt: skip


@pytest.mark.parametrize("html", STAYS)
def test_what_is_quoted_alike_and_reaches_nobody_stays(html) -> None:
    page = html.encode()
    assert GATE.rewrite(page, REFUSED, base_url=PAGE) is page


def test_style_sheets_nested_too_deep_are_blocked_whole() -> None:
    text = "p{b:url(/x)}"
    for depth in range(12):
        text = "@import 'data:text/css," + text.replace("%", "%25").replace("'", "%27") + "'"
        blocked = (
            GATE.rewrite(f"<style>{text}</style>".encode(), REFUSED, base_url=PAGE) != f"<style>{text}</style>".encode()
        )
        assert blocked is (depth >= 8)


def test_modules_nested_too_deep_are_blocked_whole() -> None:
    text = b"import '/x'"
    for depth in range(12):
        text = b"import 'data:text/javascript;base64," + base64.b64encode(text) + b"'"
        html = b"<script type=module>" + text + b"</script>"
        assert (GATE.rewrite(html, REFUSED, base_url=PAGE) != html) is (depth >= 8)
