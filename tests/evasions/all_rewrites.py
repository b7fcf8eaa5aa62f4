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
from consent.gate import Blocked, Embed, Gate, search, stream

BENT = 1500
BASE = "https://gate.example/news/today"


KINDS = (
    "text/html; charset=utf-8",
    "text/html",
    "text/html; charset=shift_jis",
    "application/xhtml+xml",
    "image/svg+xml",
)


def main() -> None:
    logging.disable()
    gate = Gate(policy())
    choice = (
        Choice.granting(*(service.key for service in gate.policy.optional))
        if "granted" in sys.argv
        else Choice.refusing()
    )
    permissions = decide(gate.policy, choice, Signals())
    tricks = [(evasion.body("g"), evasion.content_type) for evasion in evasions()]
    chance, digest = random.Random(15), hashlib.sha256()
    bodies = [body for body, _ in tricks]
    bent = [(mutated(chance, bodies), KINDS[number % len(KINDS)]) for number in range(BENT)]
    for html, content_type in tricks + bent:
        heard: list[Blocked] = []
        given = {"base_url": BASE, "content_type": content_type, "report": heard.append, "placeholder": _placeholder}
        digest.update(gate.rewrite(html, permissions, **given))
        pieces = gate.stream(permissions, insert=b"[NOTICE]", footer=_footer, **given)
        half = len(html) // 2
        digest.update(pieces.feed(html[:half]) + pieces.feed(html[half:]) + pieces.close())
        digest.update(repr(heard).encode())
    compiled = not str(stream.__file__).endswith(".py")
    said = {
        "automata": search.AUTOMATA,
        "compiled": compiled,
        "pages": len(tricks + bent),
        "digest": digest.hexdigest(),
    }
    print(json.dumps(said))


def _placeholder(embed: Embed) -> bytes:
    return f"[{embed.service}]".encode("ascii", "replace")


def _footer(language: str | None) -> bytes:
    return f"[{language}]".encode("ascii", "replace")


if __name__ == "__main__":
    main()
