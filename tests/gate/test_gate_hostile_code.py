"""Scripts and style sheets made to be slow to read cost no more than linear time."""

# ruff: noqa: E501  # tables of code, one trick after another

from __future__ import annotations

import time

import pytest
from harbour_policy import PAGE, make_policy

from consent.choice import Choice, Signals, decide
from consent.gate import Gate

GATE = Gate(make_policy())
REFUSED = decide(GATE.policy, Choice.refusing(), Signals())
SCRIPT = b"<script>'_paq.push(1)';import '//harbour.example/x';"
STYLE = b"<style>p{b:url(//harbour.example/x)}"
TYPES = {
    "utf-8": "text/html; charset=utf-8",
    "nothing": "text/html",
    "shift_jis": "text/html; charset=shift_jis",
}
HOSTILE = [
    (SCRIPT, unit)
    for unit in (
        b")/", b"(/][", b")/[", b'}/"/', b"a/", b"<!--", b"/*/", b'"\\', b'import"', b"import'\\", b"import/*", b"import//",
        b"import(", b"import\x80", b"import/**/ ", b'/*import/**/"x";', b"import`${", b'import"//h.example/x";', b'\x83\\"',
    )
] + [
    (STYLE, unit)
    for unit in (
        b"@import ", b"@import/*", b'@import "', b"@namespace a/*", b"url(", b'url("', b'"\\', b"\"'", b'\\"', b"\\2f ", b" \\", b" //",
        b"'\\\r\n", b'@import "data:,', b'"da\tta:', b'\x83\\"',
    )
]  # fmt: skip


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize(("begun", "unit"), HOSTILE)
@pytest.mark.untraced
def test_hostile_code_costs_no_more_than_linear_time(begun, unit, kind) -> None:
    end = b"</script>" if begun == SCRIPT else b"</style>"
    short = begun + unit * (60_000 // len(unit)) + end
    long = begun + unit * (200_000 // len(unit))
    for html in (short, long):
        best = 10.0
        for _ in range(3):
            stream = GATE.stream(REFUSED, base_url=PAGE, content_type=TYPES[kind])
            slowest = 0.0
            for at in range(0, len(html), 65536):
                start = time.process_time()
                stream.feed(html[at : at + 65536])
                slowest = max(slowest, time.process_time() - start)
            best = min(best, slowest)
            if best < 0.1:
                break
        assert best < 0.5, f"{best * 1000:.0f} ms for one piece"  # what is quadratic takes many seconds
