"""What only looks like a third party stays as it is, byte for byte; its twin, which is one, does not."""

from __future__ import annotations

import pytest
from evasion_corpus import LookAlike, look_alikes

from consent.choice import Choice, Signals, decide
from consent.gate import Gate
from consent.policy import Policy, Service, Site

PAGE = "https://harbour.example/news/today"
OWN = ("harbour.example", "cdn.harbour.example", "notyoutube.com", "www.youtube.com.harbour.example", "*.harbour.test")
GATE = Gate(
    Policy(
        site=Site(name="Harbour News", controller="Harbour News Trust", hosts=OWN),
        services=(
            Service(
                key="youtube", category="video", name="YouTube", purpose="Shows videos.", load=("*.youtube.com",),
            ),
            Service(
                key="stats", category="analytics", name="Statistics", purpose="Counts readers.",
                load=("*.stats.example",), inline=("_paq.push(", "tp.push(", "gtag(", "'gtm.start'", "_package"),
            ),
        ),
    )
)  # fmt: skip
REFUSED = decide(GATE.policy, Choice.refusing(), Signals())


def test_there_are_enough_of_them_and_each_is_another() -> None:
    found = look_alikes()
    assert len(found) >= 100
    assert len({one.name for one in found}) == len({one.html for one in found}) == len(found)


@pytest.mark.parametrize("one", look_alikes(), ids=lambda one: one.name)
def test_a_look_alike_stays_and_its_twin_does_not(one: LookAlike) -> None:
    heard: list[object] = []
    html = one.html.encode(one.encoding)
    assert GATE.rewrite(html, REFUSED, base_url=PAGE, report=heard.append) is html, one.why
    assert not heard
    twin = one.twin.encode(one.encoding)
    assert GATE.rewrite(twin, REFUSED, base_url=PAGE, report=heard.append) != twin
    assert heard
