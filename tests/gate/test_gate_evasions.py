"""Ways to reach a third party, each with its control (granted: the same page, untouched), and what only looks like one."""

# ruff: noqa: E501  # tables of markup, one trick after another

from __future__ import annotations

import base64
import urllib.parse

import pytest
from harbour_policy import PAGE, make_policy

from consent.gate import Gate

X = b"//a.stats.example/x"

URLS = [
    b"https://a.stats.example/x", b"//a.stats.example/x", b"HTTPS://A.STATS.EXAMPLE/x", b"\\\\a.stats.example\\x",
    b"/\\a.stats.example/x", b"https:\\\\a.stats.example/x", b"///a.stats.example/x", b"https:////a.stats.example/x",
    b"https://a.stats.example:8443/x", b"https://harbour.example@a.stats.example/x", b"https://u:p@a.stats.example",
    b"https://a.stats.example./x", b"https://a%2Estats.example/x", b"https://%61.stats.example/x", b" https://a.stats.example",
    b"ht&Tab;tps://a.stats.example/", b"h\nttps://a.stats.example", b"/\t/a.stats.example", b"&sol;&sol;a.stats.example/",
    b"&#47;&#x2f;a.stats.example", b"&#47&#47a.stats.example", b"https&colon;//a.stats.example", b"http:a.stats.example/x",
    b"\x01//a.stats.example/", b"https://b\xc3\xbccher.example/", b"https://B\xc3\x9cCHER.example/", b"https://bu\xcc\x88cher.example",
    b"https://a\xe3\x80\x82stats.example/", b"https://a.st\xc2\xadats.example/", b"https://\xef\xbd\x81.stats.example/",
    b"https://0x7f.0.0.8/", b"https://0177.0.0.010/", b"https://2130706440/", b"https://127.8/", b"wss://a.stats.example/",
    b"https://stats.example/x/../js/a.js", b"https://stats.example/%6As/a.js", b"//stats.example/js/a.js?x#y",
]  # fmt: skip

MARKUP = [
    b'<script src="%s"></script>', b"<script src=%s></script>", b"<SCRIPT SRC='%s'></SCRIPT>", b"<script/src=%s></script>",
    b'<script async type=module src="%s"></script>', b'<script type="text/javascript" src="%s" type="module"></script>',
    b'<script src="/own.js" src="%s"></script>', b"<script\nsrc\n=\n%s\n></script>", b'<script src="/a"src="%s"></script>',
    b'<script a="b>" src="%s"></script>', b"<script a='\"' src=%s></script>", b"<script =x src=%s></script>",
    b'<svg><script href="%s"/></svg>', b'<svg><script xlink:href="%s"></script></svg>',
    b'<iframe src="%s"></iframe>', b"<iframe src=%s>", b"<frameset><frame src=%s></frameset>",
    b'<iframe srcdoc="<img src=%s>"></iframe>', b'<iframe srcdoc="&lt;script src=%s>&lt;/script>"></iframe>',
    b"<iframe srcdoc='<iframe srcdoc=\"<img src=%s>\"></iframe>'></iframe>",
    b'<object data="%s"></object>', b"<embed src=%s>", b'<object codebase="%s" data=x></object>',
    b"<img src=%s>", b"<IMG SRC=%s>", b"<image src=%s>", b'<img srcset="%s 2x">', b'<img srcset="/a.png 1x, %s 2x">',
b'<picture><source srcset="%s 100w"><img src=/a></picture>',
    b"<img/src=%s>", b"<img src=/own src=%s>", b'<img alt="<" src=%s>', b"<img alt='>' src=%s>",
    b"<video src=%s></video>", b"<video poster=%s></video>", b"<video><source src=%s></video>", b"<video><track src=%s></video>",
    b"<audio src=%s></audio>", b"<input type=image src=%s>", b"<input src=%s type=IMAGE>", b"<bgsound src=%s>",
    b'<link rel=stylesheet href="%s">', b'<link href=%s rel="alternate stylesheet">', b"<link rel=preload as=image href=%s>",
    b'<link rel=preload as=image imagesrcset="%s 2x">', b"<link rel=modulepreload href=%s>", b"<link rel=prefetch href=%s>",
    b"<link rel=prerender href=%s>", b"<link rel=preconnect href=%s>", b"<link rel=dns-prefetch href=%s>",
    b'<link rel="shortcut icon" href=%s>', b"<link rel=manifest href=%s>", b"<link rel=apple-touch-icon href=%s>",
    b"<link rel=author rel=stylesheet href=%s>", b"<link rel=&#115;tylesheet href=%s>", b"<link rel=STYLESHEET href=%s>",
    b'<style>@import "%s";</style>', b"<style>@import url(%s);</style>", b"<style type=x>@import '%s'</style>",
    b"<style>a{background:url(%s)}</style>", b"<style>a{background:url( '%s' )}</style>", b"<style>a{b:URL(%s)}</style>",
    b'<style>a{background:image-set("%s" 1x)}</style>', b"<style>a{b:-webkit-image-set(url(%s) 1x)}</style>",
    b"<style>@font-face{src:local(x),url(%s) format('woff2')}</style>", b"<style>/* \" */a{b:url(%s)}</style>",
    b"<style>a{b:\\75 rl(%s)}</style>", b"<style>@\\69mport '%s';</style>", b"<style>@import/**/'%s';</style>",
    b"<style>@media screen{a{b:u\\72l(%s)}}</style>", b"<style>a{b:url();c:url( );d:url(%s)}</style>",
    b"<style>a{b:image-set((x) '%s' 1x);c:'\\31'}</style>", b"<style>@import '\\\n%s';</style>", b"<style>@import '\\/%s';</style>",
    b"<style>a{content:'\\'';b:url(%s)}</style>", b"<svg><style>a{b:url(%s)}</style></svg>",
    b"<p style='background:url(%s)'>", b'<p style="background:url(&quot;%s&quot;)">', b"<p style=background:url&lpar;%s)>",
    b"<p STYLE='background:image-set(\"%s\" 1x)'>", b"<p style='b:ur\\6c (%s)'>", b"<body background=%s>", b"<td BACKGROUND = %s>",
    b"<svg><image href=%s /></svg>", b"<svg><image xlink:href=%s /></svg>", b"<svg><use href=%s /></svg>",
    b"<svg><filter><feImage href=%s /></filter></svg>", b"<svg><rect fill='url(%s#a)'/></svg>",
    b"<svg><image><set attributeName=href to=%s /></image></svg>", b"<svg><animate attributeName=href values='/a;%s'/></svg>",
    b"<meta http-equiv=refresh content='0;url=%s'>", b"<meta content='1; URL=\"%s\"' http-equiv=REFRESH>",
    b"<meta http-equiv=refresh content='0,%s'>", b"<base href=%s>", b"<base href=%s><img src=a.png>",
    b"<a ping='/own %s' href=/>x</a>", b"<a PING=%s href=/>x</a>", b"<img attributionsrc=%s src=/a>",
    b"<noscript><img src=%s></noscript>", b"<template><img src=%s></template>", b"<noscript><!-- </noscript><img src=%s> -->",
    b"<noscript><a title='</noscript><img src=%s>'>", b"<noscript><style></noscript><img src=%s></style>",
    b"<!--><img src=%s>-->", b"<!---><img src=%s>-->", b"<!--x--!><img src=%s>-->", b"<!x><img src=%s>", b"<?x ><img src=%s>",
    b"</ x><img src=%s>", b"<title></title><img src=%s>", b"<textarea></TEXTAREA ><img src=%s>",
    b"<script>'<!-- <!-- --> <script>'</script><img src=%s>", b"<p title='<script a=\"'><img src=%s>", b"<p title='(1) (2)'><img src=%s>",
    b"<script><!--</script><img src=%s>-->", b"<script>'<!-- <script>'</script>--></script><img src=%s>",
    b"<svg><style><img src=%s></style></svg>", b"<svg><title><img src=%s></title></svg>", b"<svg><![CDATA[><img src=%s>]]></svg>",
    b"<math><style><!--</style><img src=%s>--></math>", b"<svg><p><style><!--</style><img src=%s>--></style>",
    b"<svg><desc><![CDATA[</desc><img src=%s>", b"<select><style></select><img src=%s></style>", b"<x a='<img src=%s'><img src=%s>",
    b"<p title=\"it's\"><img src=%s>", b"<p title='\"'><img src=%s>", b"<p =\"><img src=%s>", b"<p \"><img src=%s>",
    b"a < b \"'><img src=%s>", b"<p a=b\"><img src=%s>", b"<iframe></iframe><img src=%s>", b"<xmp></xmp><img src=%s>",
    b'<script type=importmap>{"imports":{"x":"https:%s"}}</script>', b'<script type=module>import "https:%s"</script>',
    b'<script type=module>import {a} from "https:%s"</script>', b'<script>import("https:%s")</script>',
    b'<script type=module>export * from "https:%s"</script>',
    b'<script type=speculationrules>{"prefetch":[{"urls":["https:%s"]}]}</script>',
    b'<base href=foo:bar><img src="https:a.stats.example"><i style="background:url(%s)">', b"<script>import<!-- a\n('https:%s')</script>",
    b"<svg><animate attributeName=mask values=\"';url(%s);'\" /></svg>", b"<script>import(<!--yy\n'https:%s')</script>",
]  # fmt: skip

CODE = [
    b"<script>_paq.push([1])</script>", b"<script>window._paq.push([1])</script>", b"<script> _paq . push ( [1])</script>",
    b"<script>window['_paq'].push([1])</script>", b'<script>window["_paq"]["push"](1)</script>', b"<script>_paq?.push(1)</script>",
    b"<script>_paq/* a */.push/**/(1)</script>", b"<script>_paq.//\npush//\n(1)</script>", b"<script>_paq.push?.(1)</script>",
    b"<script>(_paq.push)(1)</script>", b"<script>_paq.push.call(0, 1)</script>", b"<script>_paq.push . apply (0)</script>", b"<script>_paq.push`1`</script>",
    b"<script>_paq<!-- a\n.push(1)</script>", b"<script>_paq.push\n--> a\n(1)</script>", b"<script>_paq.//a\xe2\x80\xa8push(1)</script>",
    b"<script>((_paq.push))(1)</script>", b"<script>_paq.push?.call(0, 1)</script>",
    b"<script>_paq?.[/**/'push']\xc2\xa0(1)</script>", b"<script>tp\xe2\x80\x83.push?. (1)</script>",
    b"<script>\\u005fpaq.push(1)</script>", b"<script type=module>_paq.push(1)</script>", b"<script type=''>_paq.push(1)</script>",
    b"<script type=text/plain type=module>_paq.push(1)</script>", b"<script type='TEXT/JavaScript'>_paq.push(1)</script>",
    b"<script>'a'; _paq.push(1) // '</script>", b"<script>x=/'/; _paq.push(1) //'</script>", b"<script>`${_paq.push(1)}`</script>",
    b"<script>new YT.Player(1)</script>", b"<script>w.push({'gtm.start':1})</script>", b'<script>w.push({"gtm.start":1})</script>',
    b"<p onclick='_paq.push(1)'>", b"<p ONCLICK=_paq.push&lpar;1)>", b"<p onclick='_paq.pu&#115;h(1)'>", b"<body onload='_paq.push(1)'>",
    b"<img src=/a onerror=_paq.push(1)>", b"<a href='javascript:_paq.push(1)'>", b"<a href='java\nscript:_paq.push(1)'>",
    b"<a href=' JavaScript:%5fpaq.push(1)'>", b"<svg onload=_paq.push(1)>", b"<iframe src='javascript:_paq.push(1)'></iframe>",
    b"<iframe src='data:text/html,<img src=//a.stats.example>'></iframe>",
    b"<iframe src='data:text/html;base64," + base64.b64encode(b"<img src=//a.stats.example/x>") + b"'></iframe>",
    b"<object data='data:text/html," + urllib.parse.quote_from_bytes(b"<script src=//a.stats.example></script>").encode() + b"'></object>",
    b"<script src='data:text/javascript,_paq.push(1)'></script>", b"<link rel=stylesheet href='data:text/css,@import url(//a.stats.example)'>",
    b"<svg><script>_paq.push(1)</script></svg>", b"<svg><script src=/x>_paq.push(1)</script></svg>",
]  # fmt: skip

EVASIONS = [b'<img src="' + url + b'">' for url in URLS] + [markup.replace(b"%s", X) for markup in MARKUP] + CODE

INNOCENT = [
    b'<img srcset="/b.png,//a.stats.example/x">',
    b"<img src=/a.png>", b"<img src=a.png srcset='b.png 2x, /c.png 3x'>", b"<script src=/js/stats.example.js></script>",
    b"<script src='/go?u=https://a.stats.example/x'></script>", b"<img src=https://cdn.harbour.example/x>",
    b"<img src='https://harbour.example/stats.example/x'>", b"<a href=https://a.stats.example/x>link</a>",
    b"<form action=https://a.stats.example/x></form>", b"<link rel=canonical href=https://a.stats.example/x>",
    b"<link rel=alternate href=//a.stats.example>", b"<link rel=author href=//a.stats.example>", b"<meta property=og:image content=//a.stats.example>",
    b"<meta http-equiv=refresh content='5'>", b"<meta http-equiv=refresh content='5;url=/next'>", b"<blockquote cite=//a.stats.example>",
    b"<!-- <script src=//a.stats.example></script> -->", b"<textarea><script src=//a.stats.example></script></textarea>",
    b"<title><img src=//a.stats.example></title>", b"<xmp><img src=//a.stats.example></xmp>", b"<iframe><img src=//a.stats.example></iframe>",
    b"<noembed><img src=//a.stats.example></noembed>", b"<noframes><img src=//a.stats.example></noframes>",
    b"<plaintext><img src=//a.stats.example>", b"<style>/* url(//a.stats.example) */</style>", b"<style>a{content:'url(//a.stats.example)'}</style>",
    b"<style>@media \\31 {a{content:'//a.stats.example'}}</style>", b"<style>a{b:url();c:'//a.stats.example'}</style>",
    b"<style>a{content:(('//a.stats.example') '//a.stats.example');c:'\\31'}</style>", b"<style>@import '\\q\\\n//a.stats.example';</style>",
    b"<style>@namespace svg url(//a.stats.example);</style>", b"<style>a{content:\"https://a.stats.example\"}</style>",
    b"<style><img src=//a.stats.example></style>", b"<script>var x='<img src=//a.stats.example>'</script>",
    b"<script>/* _paq.push(1) */</script>", b"<script>// _paq.push(1)\n</script>", b"<script>log('_paq.push(1)')</script>",
    b"<script>http.push(1)</script>", b"<script>app_paq.push(1)</script>", b"<script>_paqs.push(1)</script>",
    b"<script>var u='https://a.stats.example/'</script>", b"<script type=application/json>{\"a\":\"_paq.push(1)\"}</script>",
    b"<script type=text/template><img src=//a.stats.example></script>", b"<script type=importmap>{\"imports\":{\"a\":\"/a.js\"}}</script>",
    b"<script type=speculationrules>{\"prefetch\":[{\"urls\":[\"/next\"]}]}</script>", b"<script type=module>import '/a.js'</script>",
    b"<p onclick='http.push(1)'>", b"<p onclick=\"log('_paq.push(1)')\">", b"<p title='<img src=//a.stats.example>'>",
    b"<p title='<!--'>", b"<p data-src=//a.stats.example>", b"<img data-src=//a.stats.example src=/a>", b"<pre>&lt;img src=//a.stats.example></pre>",
    b"<img src=data:image/png;base64,AAAA>", b"<img src=blob:https://a.stats.example/1>", b"<iframe src=about:blank></iframe>",
    b"<iframe srcdoc='<p>hi'></iframe>", b"<iframe src='data:text/html,<p>hi'></iframe>", b"<input type=text src=//a.stats.example>",
    b"<p>https://a.stats.example/x</p>", b"<p>url(//a.stats.example)</p>", b"<p>_paq.push(1)</p>", b"<code>onclick=_paq.push(1)</code>",
    b"<input srcset=//a.stats.example>", b"<embed srcdoc='<img src=//a.stats.example>'>", b"<frame srcdoc='<img src=//a.stats.example>'>",
    b"<img src='data:image/svg+xml,<image href=//a.stats.example />'>", b"<img src=data//x.png>", b"<img src=java//x.png>",
    b"<p title='one (1), two (2)'>", b"<p><!-- <img src=//a.stats.example>", b"<p title='<script a=\"'>", b"<p title='<!-- <object a=\"'>",
    b"<script>'<!-- <!-- --> <script> <img src=//a.stats.example>'</script>", b"<imgs src=//a.stats.example>", b"<my-img src=//a.stats.example>", b"<x-iframe src=//a.stats.example></x-iframe>",
    b"<img src=https:own.png>", b"<base href=/a/><img src=https:own.png>", b"<svg><animate attributeName=x values='1;2;3' /></svg>",
    b"<script>while(from-->0)\n'https://a.stats.example/'</script>", b"<script>foo(a._paq)-->b</script>", b"<div background-x=//a.stats.example>", b"</img src=//a.stats.example>", b"< img src=//a.stats.example>",
    b"<p style='color:red'>(//a.stats.example)</p>", b"<p style=\"content:'//a.stats.example'\">", b"<base href=/other/>", b"<a href='javascript:void(0)'>",
]  # fmt: skip


@pytest.mark.parametrize("html", EVASIONS)
def test_what_would_reach_a_refused_service_is_made_inert(gate, refused, granted, html) -> None:
    heard = []
    out = gate.rewrite(html, refused, base_url=PAGE, report=heard.append)
    assert out != html
    assert any(said.blocked and said.service in ("stats", "youtube") for said in heard)
    again = []
    assert gate.rewrite(out, refused, base_url=PAGE, report=again.append) == out, "twice is once"
    assert not again
    heard.clear()
    open_gate = Gate(make_policy(undeclared="report"))
    assert open_gate.rewrite(html, granted, base_url=PAGE, report=heard.append) is html, (
        "the control: granted is untouched"
    )
    assert not heard


@pytest.mark.parametrize("html", INNOCENT)
def test_what_only_looks_like_a_third_party_stays(gate, refused, html) -> None:
    heard = []
    assert gate.rewrite(html, refused, base_url=PAGE, report=heard.append) is html
    assert not heard


LONG_TEXT = b" text" * 30


@pytest.mark.parametrize("html", EVASIONS + INNOCENT)
@pytest.mark.untraced
def test_each_of_them_comes_out_the_same_in_pieces(gate, refused, html) -> None:
    for page in (html, b"<noscript>" + html, html.replace(b">", b">" + LONG_TEXT, 1)):
        whole = gate.rewrite(page, refused, base_url=PAGE)
        for size in (1, 40):
            stream = gate.stream(refused, base_url=PAGE)
            sent = b"".join(stream.feed(page[at : at + size]) for at in range(0, len(page), size)) + stream.close()
            assert sent == whole
