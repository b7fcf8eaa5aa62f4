"""Countries by ISO 3166-1 code, and which of them need no transfer basis."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from consent.errors import nearest

_ALIASES = {"UK": "GB", "EL": "GR", "USA": "US", "GREAT BRITAIN": "GB", "EEA": "EU"}


@cache
def names() -> Mapping[str, str]:
    """Every code, among them ``EU`` for "somewhere in the Union", with its short English name."""
    return {code: name for code, name, _ in _rows()}


@cache
def eea() -> frozenset[str]:
    """The codes inside the European Economic Area, where GDPR Chapter V asks for nothing."""
    return frozenset(code for code, _, mark in _rows() if mark == "eea")


def code_like(text: str) -> str | None:
    """The code that ``text`` was probably meant to be: ``"ie"``, ``"UK"`` and ``"Ireland"`` are all understood."""
    upper = text.strip().upper()
    if upper in names():
        return upper
    if upper in _ALIASES:
        return _ALIASES[upper]
    by_name = {name.upper(): code for code, name in names().items()}
    near = nearest(upper, by_name) if len(upper) > 3 else None
    return by_name[near] if near else None


def _rows() -> list[tuple[str, str, str]]:
    text = (files("consent.config") / "countries.tsv").read_text("utf-8")
    cells = (line.split("\t") for line in text.splitlines() if not line.startswith("#"))
    return [(row[0], row[1], row[2] if len(row) > 2 else "") for row in cells]
