"""The demo on free ports, and visitors with a real Chromium.

Playwright lives no longer than one file of tests: while it runs, nothing else can use asyncio on this thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from demo_visitor import Visitor, arriving, free_ports
from playwright.sync_api import Browser, Playwright, sync_playwright

from examples.flask_demo.run import Demo
from tests.chromium import launch


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """A Chromium that looks for every host of ``.example`` on this machine."""
    with launch(playwright, "--host-resolver-rules=MAP *.example 127.0.0.1") as launched:
        yield launched


@pytest.fixture(scope="module")
def running_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with Demo(free_ports(), instance=tmp_path_factory.mktemp("instance")) as demo:
        yield demo


@pytest.fixture
def demo(running_demo: Demo) -> Demo:
    """The running demo, with an empty ledger."""
    running_demo.ledger.clear()
    return running_demo


@pytest.fixture
def visit(playwright: Playwright, demo: Demo, tmp_path: Path) -> Iterator[Callable[..., Visitor]]:
    """Starts a browser with a fresh profile; call it again for another person."""
    with ExitStack() as stack:
        people: list[Visitor] = []

        def start(*, at: Demo = demo, **options: Any) -> Visitor:
            profile = tmp_path / f"visitor-{len(people)}"
            people.append(stack.enter_context(arriving(playwright, at, profile, **options)))
            return people[-1]

        yield start
