"""Whatever the gate is installed with, it makes the same of every trick and of pages bent from them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parent / "all_rewrites.py"


def rewrites(*arguments: str) -> dict[str, object]:
    done = subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_pages_come_out_the_same_without_automata():
    with_them, without = rewrites(), rewrites("without-automata")
    assert with_them["automata"]
    assert not without["automata"]
    assert with_them["pages"] > 2000
    assert with_them["digest"] == without["digest"]


def test_another_answer_makes_another_digest():
    assert rewrites()["digest"] != rewrites("granted")["digest"]
