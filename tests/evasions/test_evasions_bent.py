"""The soak of the gate in short: pages made from the tricks by cutting and mixing come out right, whatever they are."""

from __future__ import annotations

import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "soak"))

import soak_gate
from evasion_site import policy

from consent.gate import Gate


def test_bent_pages_come_out_right() -> None:
    count, wrong = soak_gate.soak(120, seed=20, most=1500)
    assert not wrong
    assert count == 1500


class Doubling(Gate):
    """A gate that inserts once more each time."""

    def rewrite(self, html: bytes, *args, **keywords) -> bytes:
        return b"x" + super().rewrite(html, *args, **keywords)


class Losing(Gate):
    """A gate that loses a byte."""

    def rewrite(self, html: bytes, *args, **keywords) -> bytes:
        return super().rewrite(html, *args, **keywords).replace(b"p", b"")

    def stream(self, *args, **keywords):
        inner = super().stream(*args, **keywords)
        feed, close = inner.feed, inner.close
        inner.feed = lambda data: feed(data).replace(b"p", b"")
        inner.close = lambda: close().replace(b"p", b"")
        return inner


class Idle(Gate):
    """A gate that lets everything through."""

    def rewrite(self, html: bytes, *_, **__) -> bytes:
        return html

    def stream(self, *args, **keywords):
        inner = super().stream(*args, **keywords)
        inner.feed = lambda data: data
        inner.close = lambda: b""
        return inner


def test_the_soak_sees_what_is_wrong() -> None:
    html, kind, chance = b"<p>a</p><p>b</p>", "text/html", random.Random(1)
    assert soak_gate.complaint(Gate(policy()), html, kind, chance) == ""
    assert "twice" in soak_gate.complaint(Doubling(policy()), html, kind, chance)
    assert "missing" in soak_gate.complaint(Losing(policy()), html, kind, chance)
    reaching, kind = b"<img src=//b001.tracker.example/x>", soak_gate.KINDS[0]
    assert soak_gate.complaint(Gate(policy()), reaching, kind, chance) == ""
    assert "another parser" in soak_gate.complaint(Idle(policy()), reaching, kind, chance)
