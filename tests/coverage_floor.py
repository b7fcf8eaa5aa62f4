"""A plug-in for pytest: every branch of what decides about a visitor and of what proves it is run by the fast tests.

Only the tests in ``TESTS`` are traced, without those marked ``untraced``, so that a whole run is hardly slower.
``python -m pytest -p tests.coverage_floor`` fails where a branch in ``MEASURED`` was not taken. With ``-n`` each
worker traces its own tests and hands over what it saw when it ends; one that dies before that has seen nothing.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from coverage import Coverage, CoverageData

ROOT = Path(__file__).resolve().parent.parent
TESTS = ("gate", "http", "domain", "log/test_log_merkle.py", "log/test_log_note.py")
MEASURED = (
    "consent/gate/*.py", "consent/headers.py", "consent/policy.py", "consent/material.py", "consent/choice.py",
    "consent/decision.py", "consent/log/merkle.py", "consent/log/note.py",
)  # fmt: skip
WHERE = [ROOT / "tests" / place for place in TESTS]

REPORT = pytest.StashKey[str]()
SEEN = "branches seen"

FILES = sorted(file for name in MEASURED for file in ROOT.glob(name))
tracer = Coverage(data_file=None, branch=True, include=[str(file) for file in FILES], config_file=False)
tracer.start()
for file in FILES:
    import_module(".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
tracer.stop()


@contextmanager
def tracing(node: pytest.Item | pytest.Collector) -> Iterator[None]:
    traced = is_traced(node)
    if traced:
        tracer.start()
    try:
        yield
    finally:
        if traced:
            tracer.stop()


def is_traced(node: pytest.Item | pytest.Collector) -> bool:
    return not node.get_closest_marker("untraced") and any(node.path.is_relative_to(place) for place in WHERE)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    with tracing(collector):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    with tracing(item):
        return (yield)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=is_traced, reverse=True)  # before others fill the caches, whose work would not be seen


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Takes over what a worker saw."""
    if seen := getattr(node, "workeroutput", {}).get(SEEN):
        others = CoverageData(no_disk=True)
        others.loads(seen)
        tracer.get_data().update(others)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output[SEEN] = tracer.get_data().dumps()
        return
    missing = io.StringIO()
    total = tracer.report(show_missing=True, skip_covered=True, file=missing)
    said = f"{total:.2f} % of the lines and branches that have to be run were run"
    session.config.stash[REPORT] = said if total == 100 else f"{missing.getvalue()}\n{said}: that is too little"
    if total < 100 and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    terminalreporter.section("coverage", sep="-")
    terminalreporter.line(config.stash.get(REPORT, ""))
