"""Calls in event handlers: found wherever in the tag the service's word is, and left alone where there is none."""

from __future__ import annotations

import time

import pytest

from consent.choice import Permissions
from consent.gate import Gate

BASE = "https://harbour.example/"


@pytest.mark.parametrize(
    "handler",
    [
        "_paq.push(1)",
        "_paq.push" + " " * 200 + "(1)",
        "(" + "0," * 300 + "_paq.push(1))",
        "if (a > b) { x(); }" + "\n" * 300 + "_paq.push(['trackEvent'])",
    ],
)
def test_a_call_is_found_however_far_its_word_is(gate: Gate, refused: Permissions, handler: str) -> None:
    page = f'<!doctype html><p>Talk (quietly).</p><button type=button onclick="{handler}">Go</button>'.encode()
    assert b"data-consent-onclick" in gate.rewrite(page, refused, base_url=BASE)
    other = page.replace(b"_paq", b"basket")
    assert gate.rewrite(other, refused, base_url=BASE) is other


@pytest.mark.parametrize("unit", [b"(", b"( <b", b"('", b'("', b"<a x=(", b"<p>("])
@pytest.mark.untraced
def test_parentheses_cost_no_more_than_their_number(gate: Gate, refused: Permissions, unit: bytes) -> None:
    taken = []
    for count in (20_000, 80_000):
        page = b"<!doctype html><p " + b"a='" + unit * 500 + b"'>" + unit * count
        begun = time.process_time()
        gate.rewrite(page, refused, base_url=BASE)
        taken.append(time.process_time() - begun)
    assert taken[1] < 0.05 + 12 * taken[0], "four times as long, more than linear"
