"""Finds the code in the documentation, and what its authors said about how it is to be run.

The convention is explained to readers in ``docs/explanation/documentation.md``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *sorted(p for p in (ROOT / "docs").rglob("*.md") if "_build" not in p.parts),
]

SHORTEST_REASON = 25
_MARK = re.compile(r"<!-- example: (file|fragment|not run)(?:,? (.+?))? -->")
_FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>`{3,})(?P<language>[^\s`{]*|\{[^}]*\}.*)\s*$")

BASE = """\
[site]
name = "Harbour News"
controller = "Harbour News Trust, 1 Quay Street, Cork, Ireland"
contact = "privacy@harbour.example"
hosts = ["harbour.example", "localhost"]
"""
SERVICES = """
[[service]]
use = "youtube"

[[service]]
use = "matomo"
host = "stats.harbour.example"

[[service]]
use = "donorbox"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced block: where it stands (``line`` of its first code line, from 1), what it is, how it is marked."""

    page: Path
    line: int
    language: str
    code: str
    mark: str = ""
    value: str = ""

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """Every fenced block of a page in order, without Sphinx directives, whose content is not code of ours."""
    return parse(page.read_text("utf-8"), page)


def parse(text: str, page: Path) -> list[Block]:
    """The blocks in this Markdown; raises ``ValueError`` for a fence that is never closed or a mark nobody can read."""
    found: list[Block] = []
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        opening = _FENCE.match(lines[number])
        if opening is None:
            _check_mark(lines[number], page, number + 1)
            number += 1
            continue
        start = number + 1
        closing = opening["indent"] + opening["ticks"]
        number = start
        while number < len(lines) and lines[number].rstrip() != closing:
            number += 1
        if number == len(lines):
            raise ValueError(f"{page}:{start}: this block is never closed")
        if not opening["language"].startswith("{"):
            mark, value = _mark_above(lines, start - 1)
            code = "\n".join(line.removeprefix(opening["indent"]) for line in lines[start:number]) + "\n"
            found.append(
                Block(page=page, line=start + 1, language=opening["language"], code=code, mark=mark, value=value)
            )
        number += 1
    return found


def completed(fragment: str) -> str:
    """A fragment of a ``consent.toml`` with what it leaves out: the base's ``[site]``, or the rest of it."""
    if "[site]" not in fragment:
        return f"{BASE}\n{fragment}"
    head, _, tail = fragment.partition("[site]")
    written = {line.partition("=")[0].strip() for line in tail.partition("\n[")[0].splitlines()}
    missing = [line for line in BASE.splitlines()[1:] if line.partition("=")[0].strip() not in written]
    return head + "\n".join(["[site]", *missing]) + tail


def _mark_above(lines: list[str], fence: int) -> tuple[str, str]:
    above = lines[fence - 1].strip() if fence else ""
    match = _MARK.fullmatch(above)
    return (match[1], match[2] or "") if match else ("", "")


def _check_mark(line: str, page: Path, number: int) -> None:
    if line.strip().startswith("<!-- example:") and not _MARK.fullmatch(line.strip()):
        raise ValueError(f"{page}:{number}: nobody can read this mark: {line.strip()}")
