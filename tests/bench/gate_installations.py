"""The gate as it may be installed, each in a process of its own that takes its turn when it is told to."""

# ruff: noqa: T201  # it prints

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consent.gate.encodings import Transcoder

BASE = "https://harbour.example/news/today"
NOTICE = {"insert": b"[N]", "footer": b"[F]"}


class Installation:
    """A process that rewrites pages with the package in ``folder``, or with the one that is installed here."""

    def __init__(self, folder: Path | None = None, *, automata: bool = True) -> None:
        path = [str(folder)] if folder else []
        self._process = subprocess.Popen(
            [sys.executable, __file__, "with" if automata else "without"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join([*path, os.environ.get("PYTHONPATH", "")])},
        )  # fmt: skip

    def least(self, what: str, kind: str, tags: int, seconds: float) -> float:
        """The least time of as many rewrites of the page of this kind with ``tags`` elements as take ``seconds``."""
        assert self._process.stdin
        assert self._process.stdout
        print(what, kind, tags, seconds, file=self._process.stdin, flush=True)
        return float(self._process.stdout.readline())

    def slowest(self, unit: bytes) -> float:
        """The time for the slowest piece of 64 KB of 4 MB that are nothing but ``unit``."""
        assert self._process.stdin
        assert self._process.stdout
        print("hostile", unit.hex(), file=self._process.stdin, flush=True)
        return float(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()


def serve() -> None:
    """Take the turns that are told on the standard input."""
    from newsroom_pages import PAGES, policy

    from consent.choice import Choice, Signals, decide
    from consent.gate import Gate

    gate = Gate(policy())
    permissions = decide(gate.policy, Choice.refusing(), Signals())
    for line in sys.stdin:
        if line.startswith("hostile"):
            print(_slowest(gate.stream(permissions, base_url=BASE), bytes.fromhex(line.split()[1])), flush=True)
            continue
        what, kind, tags, seconds = line.split()
        html, extra = PAGES[kind](int(tags)), NOTICE if what == "notice" else {}
        least, end = 9.0, time.perf_counter() + float(seconds)
        while (begun := time.perf_counter()) < end:
            gate.rewrite(html, permissions, base_url=BASE, **extra)
            least = min(least, time.perf_counter() - begun)
        print(least, flush=True)


def _slowest(stream: Transcoder, unit: bytes) -> float:
    html, slowest = unit * ((4 << 20) // len(unit)), 0.0
    for at in range(0, len(html), 65536):
        begun = time.process_time()
        stream.feed(html[at : at + 65536])
        slowest = max(slowest, time.process_time() - begun)
    stream.close()
    return slowest


if __name__ == "__main__":
    if "without" in sys.argv:
        sys.modules["ahocorasick_rs"] = None
    serve()
