"""Another parser's tree of what the gate sends: nobody is reached for in it who is denied."""

from __future__ import annotations

import pytest
from evasion_corpus import Evasion, evasions
from evasion_site import policy
from evasion_trees import live

from consent.choice import Choice, Signals, decide
from consent.gate import Gate

BASE = "http://both.example/news/"
GATE = Gate(policy())
REFUSED = decide(GATE.policy, Choice.refusing(), Signals())
PAGE = GATE.page(REFUSED, base_url=BASE)


def tricks() -> list[Evasion]:
    """Those that are told by their markup, in an encoding that both read alike."""
    return [trick for trick in evasions() if trick.content_type == "text/html; charset=utf-8" and not trick.headers]


def test_the_tree_of_a_trick_shows_whom_it_reaches_for() -> None:
    """The control: it does for most, the others hide in encodings, documents in documents, and scripts."""
    shown = [trick for trick in tricks() if live(PAGE, trick.body("b"))]
    assert len(shown) > 0.75 * len(tricks())


def test_no_tree_of_what_the_gate_sends_reaches_for_anybody() -> None:
    sent = {trick.name: GATE.rewrite(trick.body("b"), REFUSED, base_url=BASE) for trick in tricks()}
    assert {name: found for name, html in sent.items() if (found := live(PAGE, html))} == {}


@pytest.mark.parametrize(
    "html",
    [
        b"<noscript><img src=%b></noscript>",
        b"<svg><style><g>'</g>p{a:url(%b)}</style></svg>",
        b"<svg><script/></svg><script>import('%b')</script>",
        b"<svg><image xlink:href=%b /></svg>",
    ],
)
def test_each_reader_and_each_kind_of_place_is_looked_at(html: bytes) -> None:
    page = html % b"//b001.tracker.example/x"
    assert live(PAGE, page)
    assert live(PAGE, html % b"/own") == []
    assert live(PAGE, GATE.rewrite(page, REFUSED, base_url=BASE)) == []
