"""The servers are started once, and each test gets each of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from servers_running import COMMANDS, Server, started


@pytest.fixture(scope="session")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Server]]:
    with started(lambda name: tmp_path_factory.mktemp(name)) as running:
        yield running


@pytest.fixture(params=list(COMMANDS))
def server(request: pytest.FixtureRequest, _running: dict[str, Server]) -> Server:
    """Each server in turn; what it complained of before the test is forgotten."""
    found = _running[request.param]
    found.complaints()
    return found


@pytest.fixture
def request_name(request: pytest.FixtureRequest) -> str:
    """A name that no other test has, for the file that its answer waits for."""
    return re.sub(r"[^a-z]+", "-", request.node.name.lower()).strip("-")
