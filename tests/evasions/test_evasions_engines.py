"""The tricks in Firefox and in WebKit, which read pages otherwise than Chromium: as they are, and with gate and policy.

A sample that has some of every kind and all that one of them reads in its own way; ``make soak`` reads them all.
"""

from __future__ import annotations

import evasion_island
import pytest
from evasion_corpus import Evasion, evasions, silent

from tests import engines

pytestmark = [pytest.mark.browser, pytest.mark.untraced]
OWN = {"firefox": ("ahead", "firefox"), "webkit": ("ahead", "webkit")}
OTHERS, PECULIAR, ALONE, STILL = 44, 40, 6, 10
"""How many are read in frames, of all files and of the engine's own; in pages of their own; and without scripts."""


def spread(tricks: list[Evasion], most: int) -> list[Evasion]:
    """So many of them, from everywhere among them."""
    return tricks[:: -(-len(tricks) // most)]


def sample(engine: str) -> list[Evasion]:
    """Tricks for this engine: those that it reads in its own way, and some of all others, one of each file at least."""
    working = [trick for trick in evasions() if trick.name not in silent(engine)]
    alone = [trick for trick in working if trick.script and (trick.top or trick.click)]
    framed = [trick for trick in working if trick.script and not (trick.top or trick.click)]
    own = [trick for trick in framed if trick.file in OWN[engine]]
    others = [trick for trick in framed if trick.file not in OWN[engine]]
    some = [
        *spread(own, PECULIAR),
        *spread(others, OTHERS),
        *spread(alone, ALONE),
        *spread([trick for trick in working if not (trick.script or trick.top)], STILL),
    ]
    there = {trick.file for trick in some}
    return [*some, *{trick.file: trick for trick in framed if trick.file not in there}.values()]


@pytest.fixture(scope="module", params=sorted(OWN))
def engine(request: pytest.FixtureRequest) -> str:
    engines.demand(engines.lacking(request.param) or evasion_island.lacking())
    return str(request.param)


def test_what_is_silent_is_known_by_its_name() -> None:
    assert set().union(*map(silent, OWN)) < {trick.name for trick in evasions()}


def test_gate_and_policy_let_nobody_be_contacted_by_other_engines(engine: str) -> None:
    tricks = sample(engine)
    assert {trick.file for trick in tricks} == {trick.file for trick in evasions()}
    found: dict[tuple[str, int], set[str]] = {}
    quiet = tricks
    for _ in range(3):  # a busy machine's browser may be stopped before it has read all of them
        found |= evasion_island.contacts(engine, quiet, "cb")
        quiet = [trick for trick in tricks if not found.get(("c", trick.number))]
        if len(quiet) <= 0.1 * len(tricks):
            break
    assert len(quiet) <= 0.1 * len(tricks), [trick.name for trick in quiet]
    assert {trick.name: found["b", trick.number] for trick in tricks if found.get(("b", trick.number))} == {}
