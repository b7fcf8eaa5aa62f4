"""Code is found wherever a reading of the script leaves it code; strings, comments and regular expressions hide theirs."""

# ruff: noqa: E501  # tables of code, one trick after another

from __future__ import annotations

import pytest
from harbour_policy import PAGE, make_policy

from consent.choice import Choice, Signals, decide
from consent.gate import Gate
from consent.gate.literals import Literals

GATE = Gate(make_policy())
OPEN = Gate(make_policy(undeclared="report"))
REFUSED = decide(GATE.policy, Choice.refusing(), Signals())
AGREED = decide(GATE.policy, Choice.granting("youtube", "stats"), Signals())

RUNS = [
    "if(1)/'/.test('x');%s//'", "var x={}/2;%s;/'/", "//\u2028%s", "/'\\\u2028'/;%s//", "x=/[/']/;%s//'", "x=/\\//;%s//'", "x = a /2;%s;'/'",
    "a++/2;%s;'/'", "case /'/:%s//'", "x=a\n/'/;%s//'", "<!-- `\n%s//`", "#!`\n%s//`", "x\n--> `\n%s//`", "/*/'*/;%s//'", "/**/%s//*/", "/* \\*/%s//*/",
    "'a\\\r\n';%s//'", "'a\\\\';%s//'", '"\\u0022";%s//"', "`\\``;%s//`", "`a$`;%s//`", "`${'`'}`;%s//`", "''in{};%s//'", "a[0]/2;%s;'/'", "'a'/2;%s;'/'", "return/'/;%s//'",
    "x=/a/g,y=/'/;%s//'", "\"a'b\";%s//'", "'a\n%s//'",
]  # fmt: skip
HIDES = [
    "'%s'", '"%s"', "`%s`", "//%s", "/*%s*/", "/*/%s*/", "x=/%s/", "x=/[/%s]/", "a='\\'%s'", "a='\\\\\\'%s'", "a[0]/2+'%s'", "a(1)/2+'%s'", "if(1)/a/.test('%s')",
    "a=b/c;d='%s'", "'a\\\r\n%s'", "a('x')/b('%s')/c", "\"a'b%s\"", "'a'/2;'%s'", "x={}/2;y='%s'", "/**/'%s'", "//a\u2028'%s'", "x='a'in b,'%s'", "x='//%s'", "/**///%s",
]  # fmt: skip
CODE = ['import("https://a.stats.example/x")', "_paq.push(1)"]


def in_quotes(code: str, around: str) -> str:
    """The code with no quote or slash that would end what is around it."""
    if "/%s/" in around or "[/%s]" in around:
        return "_paq.push("
    return code.replace('"', "`") if '"' in around else code


@pytest.mark.parametrize("around", RUNS)
@pytest.mark.parametrize("code", CODE)
def test_code_is_found_whatever_is_around_it(around, code) -> None:
    html = b"<script>" + (around % code).encode() + b"</script>"
    sent = GATE.rewrite(html, REFUSED, base_url=PAGE)
    assert sent.startswith(b'<script type="text/plain" data-consent-service="stats"')
    assert OPEN.rewrite(html, AGREED, base_url=PAGE) is html, "the control: granted is untouched"


@pytest.mark.parametrize("around", HIDES)
@pytest.mark.parametrize("code", CODE)
def test_what_is_no_code_in_any_reading_stays(around, code) -> None:
    html = b"<script>" + (around % in_quotes(code, around)).encode() + b"</script>"
    assert GATE.rewrite(html, REFUSED, base_url=PAGE) is html


def test_a_token_that_is_text_counts_in_strings_but_not_in_comments() -> None:
    for around, stays in (
        ("a({'gtm.start':1})", False),
        ("a('gtm\\x2estart')", False),
        ("// 'gtm.start'", True),
        ("/* 'gtm.start' */", True),
    ):
        html = f"<script>{around}</script>".encode()
        assert (GATE.rewrite(html, REFUSED, base_url=PAGE) is html) is stays


@pytest.mark.parametrize("script", [b"x=/a\n/'/;b", b"x=/[\n]'/;b", b"x=/a\\\n'/;b", b"'a'b'", b"x=/a/b/'"])
def test_a_script_with_an_error_in_every_reading_hides_nothing_behind_it(script) -> None:
    assert not Literals(script).hide(len(script) - 1)


def test_places_are_told_to_the_byte() -> None:
    literals = Literals(b"a'b'/*c*/d")
    assert [at for at in range(10) if literals.hide(at)] == [2, 3, 5, 6, 7, 8]
    assert [at for at in range(10) if literals.hide(at, comments=True)] == [5, 6, 7, 8]
