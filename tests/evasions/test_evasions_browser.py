"""Every trick in a real Chromium, three times: as it is, through the gate alone, and with the second policy as well.

A third party counts as contacted when its name is looked up, when a connection is opened, or when it is asked for
anything: by what the sink saw, and by Chromium's own log of the network.
"""

from __future__ import annotations

import shutil

import pytest
from evasion_browser import contacts
from evasion_corpus import Evasion, evasions

pytestmark = pytest.mark.browser
_SLACK = 0.04  # of the tricks may come too late on a busy machine


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], set[str]]:
    folder = tmp_path_factory.mktemp("evasions")
    try:
        return dict(contacts(evasions(), folder))
    finally:
        shutil.rmtree(folder)


def names(tricks: list[Evasion]) -> list[str]:
    return [f"{trick.file}/{trick.name}" for trick in tricks]


def test_there_are_enough_tricks_and_each_is_another() -> None:
    tricks = evasions()
    assert len(tricks) >= 200
    assert len({trick.name for trick in tricks}) == len(tricks)
    told = [
        (t.html, t.inner, t.headers.items(), t.routes.items(), t.encoding, t.content_type, t.script) for t in tricks
    ]
    assert len({repr(one) for one in told}) == len(tricks)


def test_the_tricks_work_where_nothing_stops_them(found) -> None:
    working = [trick for trick in evasions() if not trick.dormant]
    silent = names([trick for trick in working if not found.get(("c", trick.number))])
    assert len(working) > 0.9 * len(evasions())
    assert len(silent) <= _SLACK * len(working), silent


def test_what_the_gate_alone_lets_through_is_explained(found) -> None:
    through = [trick for trick in evasions() if found.get(("g", trick.number))]
    assert names([trick for trick in through if not trick.gate_alone]) == []


def test_no_explanation_is_older_than_its_reason(found) -> None:
    explained = [trick for trick in evasions() if trick.gate_alone and not trick.dormant]
    stopped = names([trick for trick in explained if not found.get(("g", trick.number))])
    assert len(stopped) <= _SLACK * len(explained) + 1, stopped


def test_gate_and_policy_let_nobody_be_contacted(found) -> None:
    reached = {trick.name: found["b", trick.number] for trick in evasions() if found.get(("b", trick.number))}
    bare = {trick.name for trick in evasions() if trick.connects}
    assert {name: words for name, words in reached.items() if name not in bare} == {}
    for name in bare & set(reached):
        asked = {word for word in reached[name] if "." in word or word in ("tls", "request", "HTTP_STREAM_JOB")}
        assert not asked, f"{name}: more than a connection"
