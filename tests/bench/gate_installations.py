"""The gate as it may be installed, each in a process of its own that takes its turn when it is told to."""

# ruff: noqa: T201  # it prints

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

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
        what, kind, tags, seconds = line.split()
        html, extra = PAGES[kind](int(tags)), NOTICE if what == "notice" else {}
        least, end = 9.0, time.perf_counter() + float(seconds)
        while (begun := time.perf_counter()) < end:
            gate.rewrite(html, permissions, base_url=BASE, **extra)
            least = min(least, time.perf_counter() - begun)
        print(least, flush=True)


if __name__ == "__main__":
    if "without" in sys.argv:
        sys.modules["ahocorasick_rs"] = None
    serve()
