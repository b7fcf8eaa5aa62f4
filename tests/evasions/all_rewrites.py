"""Rewrites every trick of the corpus, and pages made of them, and prints what installation did it and a digest of all.

Run by the tests that compare installations: ``python all_rewrites.py [without-automata] [granted]``.
"""

# ruff: noqa: E402, T201  # what is installed is said before it is imported; it prints

from __future__ import annotations

import hashlib
import json
import logging
import random
import sys
from pathlib import Path

if "without-automata" in sys.argv:
    sys.modules["ahocorasick_rs"] = None  # type: ignore[assignment]
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "soak")]

from evasion_corpus import evasions
from evasion_site import policy
from soak_gate import mutated

from consent.choice import Choice, Signals, decide
from consent.gate import Gate, search, stream

BENT = 1500
BASE = "https://gate.example/news/today"


def main() -> None:
    logging.disable()
    gate = Gate(policy())
    choice = (
        Choice.granting(*(service.key for service in gate.policy.optional))
        if "granted" in sys.argv
        else Choice.refusing()
    )
    permissions = decide(gate.policy, choice, Signals())
    tricks = [evasion.body("g") for evasion in evasions()]
    chance, digest = random.Random(15), hashlib.sha256()
    pages = tricks + [mutated(chance, tricks) for _ in range(BENT)]
    for html in pages:
        digest.update(gate.rewrite(html, permissions, base_url=BASE))
        pieces = gate.stream(permissions, base_url=BASE, insert=b"[NOTICE]", footer=b"[FOOTER]")
        half = len(html) // 2
        digest.update(pieces.feed(html[:half]) + pieces.feed(html[half:]) + pieces.close())
    compiled = not str(stream.__file__).endswith(".py")
    print(
        json.dumps(
            {"automata": search.AUTOMATA, "compiled": compiled, "pages": len(pages), "digest": digest.hexdigest()}
        )
    )


if __name__ == "__main__":
    main()
