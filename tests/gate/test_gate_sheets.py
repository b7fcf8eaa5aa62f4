"""Style sheets are read in strides, or not at all where they name nobody: what is found is what reading all finds."""

# ruff: noqa: E501  # tables of what sheets are made of

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from harbour_policy import PAGE, make_policy
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.choice import Choice, Signals, decide
from consent.gate import Gate, css

GATE = Gate(make_policy())
REFUSED = decide(GATE.policy, Choice.refusing(), Signals())
PARTS = (
    b"a{b:url(", b"url(", b"URL(", b"u\\72 l(", b"\\75rl(", b"-x-url(", b"myurl(", b"image-set(", b"-webkit-image-set(", b"src(", b"type(",
    b"cross-fade(", b"@import ", b"@import", b"@\\69mport ", b"@IMPORT/**/", b"@namespace a ", b"@media ", b"@font-face{src:", b"//stats.example/x",
    b"//cdn.stats.example/y", b"https://stats.example/", b"http:/\\stats.example", b"ht\ttps://stats.example/", b"\\68ttps://stats.example/",
    b"\\2f\\2fstats.example/", b"/\\\n/stats.example/", b"\\/\\/stats.example", b"//harbour.example/own.png", b"/own.png", b"data:text/css,@import'//stats.example/'",
    b"data:image/png;base64,AA", b"data:text/plain,@import'//stats.example/'", b'"', b"'", b"(", b")", b"{", b"}", b";", b",", b"/*", b"*/", b"/**/",
    b"/**", b"**/", b" ", b"\n", b"\\", b"\\\n", b"\\f101", b"\\a ", b".md\\:x", b"content:", b"\x01", b"\t", b"1x", b"\xc3\xa9",
)  # fmt: skip
SHEETS = st.lists(st.sampled_from(PARTS), max_size=14).map(b"".join)
STRIDES = css._CALM


@contextmanager
def step_by_step() -> Iterator[None]:
    """Sheets are read without a stride over what is calm."""
    css._CALM = re.compile(b"")  # type: ignore[misc]
    try:
        yield
    finally:
        css._CALM = STRIDES  # type: ignore[misc]


def gated(sheet: bytes) -> bytes:
    return GATE.rewrite(b"<style>" + sheet + b"</style>", REFUSED, base_url=PAGE)


@given(SHEETS)
@settings(max_examples=300)
def test_strides_leave_out_nothing_that_steps_find(sheet: bytes) -> None:
    strides = list(css.urls(sheet, "utf-8"))
    with step_by_step():
        assert list(css.urls(sheet, "utf-8")) == strides


@given(SHEETS)
@settings(max_examples=300)
def test_a_sheet_that_is_looked_through_first_is_gated_as_one_that_is_not(sheet: bytes) -> None:
    before = b"/*" + b"-" * 300 + b"*/"  # only longer ones are looked through
    plain = gated(sheet)
    begins = b">@consent x;" if b">@consent x;" in plain else b">"
    assert gated(before + sheet) == plain.replace(begins, begins + before, 1)


@pytest.mark.parametrize(
    ("sheet", "blocked"),
    [
        (b"a{b:url(//stats.example/x)}", True),
        (b"a{b:image-set('//stats.example/x' 1x)}", True),
        (b"a{b:\\75 rl(//stats.example/x)}", True),
        (b"@import 'data:text/plain,@import\"//stats.example/x\"';", True),
        (b"@import 'data:image/png,@import\"%2f%2fstats.example/x\"';a{b:url(//harbour.example?x)}", True),
        (b"a{b:url('data:text/css,@import\"//stats.example/x\"')}", True),
        (b"@charset 'x';/*x**/@import '//stats.example/x';*/a{}", True),
        (b"a{content:'//stats.example/x'}", False),
        (b"a{content:\\'//stats.example/x}", False),
        (b"/* //stats.example/x */a{}", False),
        (b"a{b:url(//harbour.example/x)}", False),
        (b"a{b:murl(//stats.example/x)}", False),
    ],
)
@pytest.mark.parametrize("before", [b"", b"a{}" * 100, b"a{content:'\\2f  x'}" * 300, b"a{b:url(//x.example/y)}" * 300])
def test_what_a_sheet_fetches_is_found_behind_anything(sheet: bytes, blocked: bool, before: bytes) -> None:
    before = b"" if sheet.startswith(b"@charset") else before
    assert gated(before + sheet).count(b"data-consent:") - gated(before).count(b"data-consent:") == blocked


@pytest.mark.parametrize("count", [0, 5, 40])
def test_a_token_is_found_however_many_escapes_there_are(count: int) -> None:
    different = b"".join(b'"\\u00%02x",' % (0x21 + at) for at in range(count))
    for hidden in (b"_p\\u0061q.push(1)", b"_paq.push(1)"):
        page = b"<script>x=[" + different + b"];" + hidden + b"</script>"
        assert b"data-consent-service" in GATE.rewrite(page, REFUSED, base_url=PAGE)
    page = b"<script>x=[" + different + b"];_p\\u0062q.push(1)</script>"
    assert GATE.rewrite(page, REFUSED, base_url=PAGE) == page


def test_without_tokens_a_long_script_is_read_for_its_imports_alone() -> None:
    policy = make_policy()
    silent = replace(policy, services=tuple(replace(service, inline=()) for service in policy.services))
    page = b"<script>" + b"f(1);" * 16000 + b"import '//stats.example/js/a.js'</script>"
    for gate in (GATE, Gate(silent)):
        refused = decide(gate.policy, Choice.refusing(), Signals())
        assert b"data-consent-service" in gate.rewrite(page, refused, base_url=PAGE)
        assert gate.rewrite(page.replace(b"import", b"//mport"), refused, base_url=PAGE).count(b"data-consent") == 0
