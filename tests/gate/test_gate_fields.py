"""Header fields that browsers read otherwise than a quick look does: each with an innocent one that stays as it is."""

# ruff: noqa: E501  # tables of fields, one trick after another

from __future__ import annotations

import time

import pytest
from harbour_policy import PAGE, make_policy

from consent.choice import Choice, Signals, decide
from consent.gate import Gate
from consent.gate.fields import gate_fields

GATE = Gate(make_policy())
REFUSED = decide(GATE.policy, Choice.refusing(), Signals())


def sent(name: str, value: str) -> str:
    return dict(gate_fields(GATE, [(name, value)], REFUSED, base_url=PAGE)).get(name, "")


GOES = [
    ("Link", '<//h.example/>; title="; rel=foo"; rel=preconnect'),
    ("Link", '<//h.example/>; rel="precon\\nect"'),
    ("Link", "<//h.example/>; rel='preconnect'"),
    ("Link", "<//h.example/>; rel=author; rel=preconnect"),
    ("Link", "</x>; rel=preload; as=image; imagesrcset=//h.example/x"),
    ("Link", '</x>; rel=preload; title="; imagesrcset=/y"; as=image; imagesrcset="//h.example/x 2x"'),
    ("Content-Security-Policy", "report-uri http://h.example/r"),
    ("Refresh", "0;url='//harbour.example'@h.example/x'"),
    ("Refresh", '0;"//harbour.example"@h.example/x"'),
    ("Refresh", "0;url='//h.example/x' /own'"),
    ("Refresh", "0;url='//h.example/x"),
    ("Refresh", "0\x0b;url=//h.example/x"),
    ("Refresh", "\x0b0;url=//h.example/x"),
    ("Reporting-Endpoints", 'default="https:\\\\\\\\h.example/x"'),
    ("Reporting-Endpoints", 'default="https://h.example/x";p="a,b"'),
    ("Reporting-Endpoints", 'a="/r";p="q,b=", default="https://h.example/x", "'),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), GOES)
def test_a_field_that_contacts_somebody_else_goes(name, value) -> None:
    assert sent(name, value) == ""


STAYS = [
    ("Link", '</x>; title="; rel=foo"; rel=preload'),
    ("Link", '<//h.example/>; title="; rel=preconnect"; rel=author'),
    ("Link", '</x>; rel="pre\\load"; imagesrcset="/a 1x, /b 2x"'),
    ("Link", "</x>; rel=preload; as=image; imagesrcset=/y"),
    ("Content-Security-Policy", "style-src 'none', report-uri /r; img-src 'none'"),
    ("Content-Security-Policy", "report-uri /r , img-src h.example"),
    ("Refresh", "0;url='//harbour.example/x'"),
    ("Refresh", "0;url='/x' '/y'"),
    ("Refresh", "0\x0b;url=/x"),
    ("Refresh", "5"),
    ("Reporting-Endpoints", 'a="/r";p="q,b=", default="/x";q, c;x=1'),
    ("Reporting-Endpoints", "a=1, b"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), STAYS)
def test_a_field_that_contacts_nobody_else_stays_to_the_letter(name, value) -> None:
    assert sent(name, value) == value


PARTLY = [
    ("Content-Security-Policy", "style-src 'none', report-uri http://h.example/r; img-src 'none'", "style-src 'none', img-src 'none'"),
    ("Content-Security-Policy-Report-Only", "img-src *, report-uri http://h.example/r", "img-src *"),
    ("Reporting-Endpoints", 'a="/r";p="q,b=", default="https://h.example/x"', 'a="/r";p="q,b="'),
    ("Link", '<//h.example/>; title="; rel=foo"; rel=preconnect, </x>; rel=preload', "</x>; rel=preload"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "rest"), PARTLY)
def test_only_the_member_goes_that_contacts_somebody_else(name, value, rest) -> None:
    assert sent(name, value) == rest


@pytest.mark.parametrize("unit", [" ", "; ", ";a", ";a=", ';a="', "<a>", ",", "=", " ;"])
@pytest.mark.parametrize("name", ["Link", "Reporting-Endpoints", "Report-To", "Content-Security-Policy", "Refresh"])
@pytest.mark.untraced
def test_no_field_costs_more_than_its_length(name: str, unit: str) -> None:
    taken = []
    for count in (4_000, 16_000):
        begun = time.process_time()
        sent(name, f"<a>{unit * count}x")
        taken.append(time.process_time() - begun)
    assert taken[1] < 0.05 + 12 * taken[0], "four times as long, more than linear"
