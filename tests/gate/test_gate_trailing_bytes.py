"""Characters whose second byte looks like a backslash or a quote hide nothing, be the encoding declared or not."""

# ruff: noqa: E501  # tables of markup

from __future__ import annotations

import pytest
from harbour_policy import PAGE, in_pieces, make_policy

from consent.choice import Choice, Signals, decide
from consent.gate import Gate
from consent.gate.charset import readings
from consent.gate.pieces import Pieces

GATE = Gate(make_policy())
REFUSED = decide(GATE.policy, Choice.refusing(), Signals())
TRAILS = {"shift_jis": b"\x83\\", "gbk": b"\x81\\", "big5": b"\xa5\\"}
REACHES = [
    b'<style>p::before{content:"@";background:url(//a.stats.example/x)}/*"*/</style>',
    b"""<p style='font-family:"@";background:url(//a.stats.example/x)'>x</p>""",
    b"""<p style='font-family:"@";background:url&#40;//a.stats.example/x)'>x</p>""",
    b'<script>var a="@";import("//a.stats.example/x")//"</script>',
    b'<script>var a="@";_paq.push(1)//"</script>',
    b"""<img src=/a onerror='var a="@";_paq.push(1)//"'>""",
    b"""<iframe srcdoc='<style>p{content:"@";background:url(//a.stats.example/x)}/*"*/</style>'></iframe>""",
    b"""<a href='javascript:var a="@";_paq.push(1)//"'>x</a>""",
    b"""<iframe src='javascript:"@";import("http://a.stats.example/x")//"'></iframe>""",
    b"""<script src='data:text/javascript,"@";import("http://a.stats.example/x")//"'></script>""",
    b"""<svg><script>var a="@";import(&quot;//a.stats.example/x")//"</script></svg>""",
    b"""<svg><style>p{--a:"@";background:url&#40;//a.stats.example/x);--b:"}</style></svg>""",
    b"""<script type=importmap>{"imports":{"@":"/own","a":"http://a.stats.example/x"}}</script>""",
]
STAYS = [
    b'<style>p::before{content:"@;url(//a.stats.example/x)"}</style>',
    b'<script>var a="@;_paq.push(1)"</script>',
    b"""<p style='font-family:"@;url(//a.stats.example/x)"'>x</p>""",
]


def kinds(charset: str) -> list[tuple[str, bytes]]:
    return [(f"text/html; charset={charset}", b""), ("text/html", f"<meta charset={charset}>".encode())]


@pytest.mark.parametrize("charset", TRAILS)
@pytest.mark.parametrize("html", REACHES)
def test_a_character_that_ends_like_a_backslash_hides_nothing(charset, html) -> None:
    for kind, head in kinds(charset):
        page, heard = head + html.replace(b"@", TRAILS[charset]), []
        sent = GATE.rewrite(page, REFUSED, base_url=PAGE, content_type=kind, report=heard.append)
        assert any(said.blocked and said.service == "stats" for said in heard), kind
        assert GATE.rewrite(sent, REFUSED, base_url=PAGE, content_type=kind) == sent, "twice is once"


@pytest.mark.parametrize(
    "html",
    [
        b"""<iframe srcdoc='<script>var a="\xb1\x83\\";import("//a.stats.example/x")//"</script>'></iframe>""",
        b"""<img src=/a onerror='var a="\xb1\x83\\";_paq.push(1)//"'>""",
    ],
)
def test_a_value_is_read_in_each_way_before_it_is_decoded(html) -> None:
    page = b"<meta charset=shift_jis>" + html
    assert b"data-consent-" in GATE.rewrite(page, REFUSED, base_url=PAGE, content_type="text/html")


@pytest.mark.parametrize("charset", TRAILS)
@pytest.mark.parametrize("start", [b"", b">"])
def test_half_a_character_ends_no_cdata(charset, start) -> None:
    image = b"<img src=//a.stats.example/x>"
    for kind, head in kinds(charset):
        page = head + b"<svg><![CDATA[%b%b]]><!-- ]]></svg>%b -->" % (start, TRAILS[charset][:1], image)
        sent = GATE.rewrite(page, REFUSED, base_url=PAGE, content_type=kind)
        assert b" data-consent-src=" in sent
        for size in (1, 2, 7):
            assert in_pieces(GATE, REFUSED, page, size=size, content_type=kind) == sent
        assert b"data-consent" not in GATE.rewrite(page, REFUSED, base_url=PAGE)


@pytest.mark.parametrize("charset", TRAILS)
@pytest.mark.parametrize("html", STAYS)
def test_a_string_with_such_a_character_stays_a_string(charset, html) -> None:
    for kind, head in kinds(charset):
        page = head + html.replace(b"@", TRAILS[charset])
        assert GATE.rewrite(page, REFUSED, base_url=PAGE, content_type=kind) is page


@pytest.mark.parametrize(("charset", "end"), [("utf-8", "あ".encode()), ("windows-1252", b"\xe9")])
def test_where_no_character_ends_so_a_backslash_is_one(charset, end) -> None:
    page = b'<script>var a="' + end + b'\\";_paq.push(1)//"</script>'
    assert GATE.rewrite(page, REFUSED, base_url=PAGE, content_type=f"text/html; charset={charset}") is page
    assert GATE.rewrite(page, REFUSED, base_url=PAGE, content_type="text/html") != page, "the control"


@pytest.mark.parametrize("charset", ["windows-1252", "iso-8859-1", "gbk", "koi8-r", "big5", "shift_jis", "euc-kr", "euc-jp"])
@pytest.mark.parametrize(
    "script",
    [b"//@ `\nimport('//a.stats.example/x')//`", b"import//@('/own')\n('//a.stats.example/x')", b"//@ `\n_paq.push(1)//`"],
)
def test_what_ends_a_line_in_another_encoding_ends_none(charset, script) -> None:
    for kind, head in kinds(charset):
        page = head + b"<script>" + script.replace(b"@", b"\xe2\x80\xa8") + b"</script>"
        assert b'type="text/plain"' in GATE.rewrite(page, REFUSED, base_url=PAGE, content_type=kind)
    page = b"<script>" + script.replace(b"@", b"\xe2\x80\xa8").replace(b"stats", b"harbour.example?") + b"</script>"
    if b"_paq" not in script:
        page = page.replace(b"a.harbour.example?.example", b"harbour.example")
        assert GATE.rewrite(page, REFUSED, base_url=PAGE, content_type=f"text/html; charset={charset}") is page, "the control"


@pytest.mark.parametrize("before", ["//\u2028", "//\u2029", ";\u00a0", "{}\u3000", "/**/\ufeff"])
@pytest.mark.parametrize("code", ["import('//a.stats.example/x')", "import\ufeff('//a.stats.example/x')", "_paq.push(1)"])
@pytest.mark.parametrize("charset", ["gb18030", "gbk"])
def test_characters_of_four_bytes_are_no_digits(charset, code, before, monkeypatch) -> None:
    for kind, head in kinds(charset):
        page = head + f"<script>{before}{code}</script>".encode("gb18030")
        sent = GATE.rewrite(page, REFUSED, base_url=PAGE, content_type=kind)
        assert b'type="text/plain"' in sent
        monkeypatch.setattr(Pieces, "skims", not Pieces.skims)
        assert GATE.rewrite(page, REFUSED, base_url=PAGE, content_type=kind) == sent, "as it is compiled"
        monkeypatch.undo()
        quiet = head + f"<script>//\u00a0{code}</script>".encode("gb18030")
        assert GATE.rewrite(quiet, REFUSED, base_url=PAGE, content_type=f"text/html; charset={charset}") is quiet, "the control"


def test_a_template_ends_at_no_second_byte() -> None:
    page = "<script>var a=`チ`;import('//a.stats.example/x')//`</script>".encode("cp932")
    assert b"\x60`" in page
    assert GATE.rewrite(page, REFUSED, base_url=PAGE, content_type="text/html; charset=shift_jis") != page


@pytest.mark.parametrize("pair", [b"\x9f`", b"\x87{", b"\x87|", b"\x87}", b"\x87~", b"\x8e~", b"\x9b{", b"\xfa_"])
@pytest.mark.parametrize(("kind", "head"), kinds("big5"))
def test_big5_has_characters_that_python_lacks(pair, kind, head) -> None:
    tick = head + b"<script>var a" + pair + b';import("//a.stats.example/x");//' + pair[1:] + b"\n</script>"
    escaped = head + b'<script>var a="\x81\x9a\\\\";import("//a.stats.example/x")//"</script>'
    for html in (tick, escaped):
        assert GATE.rewrite(html, REFUSED, base_url=PAGE, content_type=kind) != html


def test_only_what_is_a_character_there_is_masked() -> None:
    assert readings(b"\x83\\a", "cp932") == [b"\x83\x80a"]
    assert readings(b"\xb1\\a", "cp932") == [b"\xb1\\a"], "half-width katakana has one byte"
    assert readings(b"\x81\\a", "big5hkscs") == [b"\x81\\a"], "no character begins so"
    assert readings(b"\x810\x810\\", "gb18030") == [b"\x80\x80\x80\x80\\"], "four bytes"
    assert readings(b"\x816\xa65\xe2\x80\xa8 \xa1\xe2\x80\xa8", "gb18030") == [b"\xe2\x80\xa8\x80\x80\x80\xa8 \x80\x80\x80\xa8"]
    assert readings(b"\xe2\x80\xa8", "utf-8") == [b"\xe2\x80\xa8"]
    assert readings(b"\xe2\x80\xa8", "koi8-r") == [b"\x80\x80\x80"]
    assert readings(b"\xe2\x80\xa9", "windows-1252") == [b"\xe2\x80\xa9", b"\x80\x80\x80", b"\x80\x80\xa9"]
    assert readings(b"\x9f`a", "big5hkscs") == [b"\x9f\x80a"], "one that Python lacks"
    assert readings(b"\x81\x9a\\a", "big5hkscs") == [b"\x81\x9a\\a"], "no character, but two bytes"
    assert readings(b"a\\", "utf8") == [b"a\\"]
    assert readings(b"\x83\\", "utf-8") == [b"\x83\\"]
    assert readings(b"\x83\\", "utf8") == [b"\x83\\", b"\x83\x80"]
