"""The demo on free ports, and visitors with a real Chromium.

Playwright lives no longer than one file of tests: while it runs, nothing else can use asyncio on this thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from browser_site import demo, visitors  # noqa: F401
from browser_site import playwright as playwright
from browser_site import visitor as visitor
from demo_visitor import Visitor, arriving
from playwright.sync_api import Playwright

from examples.flask_demo.run import Demo


@pytest.fixture
def visit(playwright: Playwright, demo: Demo, tmp_path: Path) -> Iterator[Callable[..., Visitor]]:  # noqa: F811
    """Starts a browser with a fresh profile; call it again for another person. The ledger begins empty."""
    demo.ledger.clear()
    with ExitStack() as stack:
        people: list[Visitor] = []

        def start(*, at: Demo = demo, **options: Any) -> Visitor:
            profile = tmp_path / f"visitor-{len(people)}"
            people.append(stack.enter_context(arriving(playwright, at, profile, **options)))
            return people[-1]

        yield start
