"""The demo, started as ``make demo`` starts it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from demo_visitor import free_ports

ROOT = Path(__file__).parents[2]
TITLE = "Roadstead"


def command(port: int) -> list[str]:
    """What the Makefile's ``demo`` runs, with this interpreter in the place of the one in ``.venv``."""
    recipe = subprocess.run(
        ["make", "-n", "demo", f"PORT={port}"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout  # fmt: skip
    line = next(line for line in recipe.splitlines() if "examples.flask_demo" in line)
    return [sys.executable, *line.split("bin/python ")[1].split()]


@pytest.fixture
def port() -> int:
    return free_ports(4)


@pytest.fixture
def started(port: int) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command(port), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heeding_ctrl_c
    )
    yield process
    process.kill()
    process.communicate()


def heeding_ctrl_c() -> None:
    """A run that was started in the background ignores ctrl-c, and so would its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def get(address: str) -> str:
    for _ in range(100):
        try:
            with urlopen(address, timeout=5) as answer:
                return str(answer.read().decode())
        except URLError:
            time.sleep(0.1)
    raise AssertionError(f"nobody answers at {address}")


def test_make_demo_serves_both_sites_and_stops_at_ctrl_c(started: subprocess.Popen[str], port: int) -> None:
    asking, plain = (get(f"http://127.0.0.1:{port + step}/en/undersea-cables") for step in (0, 1))
    assert TITLE in asking
    assert TITLE in plain
    assert "data-consent-banner" in asking
    assert "data-consent-banner" not in plain
    film = f' src="http://localhost:{port + 3}/youtube/embed/'
    assert film in plain
    assert film.replace(str(port + 3), str(port + 2)) not in asking
    started.send_signal(signal.SIGINT)
    printed, errors = started.communicate(timeout=20)
    assert started.returncode == 0, errors
    assert f"http://127.0.0.1:{port}/" in printed
    assert "Traceback" not in errors


def test_a_taken_port_is_said_plainly(port: int) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        done = subprocess.run(command(port), cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert f"Port {port} is taken" in done.stderr
    assert "Traceback" not in done.stderr
