"""The notice in Firefox and in WebKit, with and without scripts: the same answers, and nobody told before."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from demo_visitor import ALL, DONATE, FRONT, VIDEO

from examples.flask_demo.ledger import WITH, WITHOUT
from examples.flask_demo.run import Demo
from tests.engines import ENGINES, Driven, click, demand, lacking, run

pytestmark = pytest.mark.browser
PATIENCE = 15.0  # seconds
QUIET = 0.5
NOTICE = "[data-consent-banner]"
MEASURE = """
const box = (selector) => { const found = document.querySelector(selector).getBoundingClientRect(); return [found.x, found.y, found.width, found.height]; };
const notice = document.querySelector("[data-consent-banner]");
return {
  accept: box("[data-consent-banner] [data-consent-action=accept]"), reject: box("[data-consent-banner] [data-consent-action=reject]"),
  notice: box("[data-consent-banner]"), wide: document.documentElement.scrollWidth - innerWidth, tall: innerHeight,
  ticked: notice.querySelectorAll("input:not([disabled]):checked").length, styled: getComputedStyle(notice).backgroundColor,
};
"""  # noqa: E501


class Reader:
    """Somebody who reads the demo in one of these engines."""

    def __init__(self, driven: Driven, demo: Demo) -> None:
        self.driven = driven
        self.demo = demo

    def read(self, *paths: str, origin: str = "") -> None:
        for path in paths:
            self.driven.ask("url", url=(origin or self.demo.site) + path)
            time.sleep(QUIET)

    def press(self, selector: str) -> None:
        click(self.driven, selector)

    def sees(self, what: str) -> bool:
        """Whether the page has, or comes to have, this in its markup."""
        return _until(lambda: what in self.driven.ask("source"))

    def reached(self, via: str = WITH) -> set[str]:
        return {contact.other for contact in self.demo.ledger.contacts() if contact.via == via}

    def come_to_reach(self, others: set[str]) -> bool:
        return _until(lambda: self.reached() == others)


def _until(holds: Callable[[], Any]) -> bool:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.1)
    return False


@pytest.fixture(params=[(engine, script) for engine in sorted(ENGINES) for script in (True, False)],
                ids=lambda one: f"{one[0]}-{'script' if one[1] else 'no-script'}")  # fmt: skip
def reader(request: pytest.FixtureRequest, demo: Demo, tmp_path: Path) -> Iterator[Reader]:
    engine, script = request.param
    demand(lacking(engine))
    driven = ENGINES[engine](tmp_path / "profile", script=script, wait="normal")
    try:
        driven.ask("window/rect", x=0, y=0, width=1280, height=2000)
        yield Reader(driven, demo)
    finally:
        driven.close()


def test_every_answer_is_kept_in_other_engines_too(reader: Reader, request: pytest.FixtureRequest) -> None:
    scripted = "no-script" not in request.node.name
    reader.read(FRONT, VIDEO)
    assert reader.reached() == set()
    if scripted:
        found = run(reader.driven, MEASURE)
        assert found["accept"][2:] == pytest.approx(found["reject"][2:], abs=1)
        assert found["notice"][1] == pytest.approx(0, abs=1)
        assert found["wide"] <= 0
        assert found["ticked"] == 0
        assert found["styled"] not in ("rgba(0, 0, 0, 0)", "transparent")

    reader.press(f"{NOTICE} [data-consent-action=reject]")
    assert reader.sees("data-consent-confirmation")
    reader.read(VIDEO, DONATE, VIDEO)
    assert "data-consent-banner" not in reader.driven.ask("source")
    assert reader.reached() == set()

    reader.press("[data-consent-action=once]")
    assert reader.come_to_reach({"youtube"})
    reader.read(FRONT)  # the player is gone, with all that it had still to ask for
    reader.demo.ledger.clear()
    reader.read(VIDEO)
    assert reader.reached() == set(), "loaded once"

    reader.read("/consent/")
    reader.press("[data-consent-action=accept]")
    assert reader.sees("data-consent-confirmation")
    reader.read(VIDEO, DONATE)
    assert reader.come_to_reach(ALL), "the control"

    reader.read("/consent/")
    reader.press("[data-consent-action=withdraw]")
    assert reader.sees("data-consent-confirmation")
    reader.demo.ledger.clear()
    reader.read(VIDEO, DONATE)
    assert reader.reached() == set()
    reader.read(VIDEO, DONATE, origin=reader.demo.twin)
    assert _until(lambda: reader.reached(WITHOUT) == ALL), "the control"
