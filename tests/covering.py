"""Cases of a test over several axes: in ``make test`` every pair of values, in ``make soak`` every combination."""

from __future__ import annotations

import os
from itertools import combinations, product
from typing import Any

EVERY_CASE = bool(os.environ.get("CONSENT_EVERY_CASE"))


def covering(*axes: tuple[Any, ...], every: bool = EVERY_CASE) -> list[tuple[Any, ...]]:
    """Combinations of one value from each axis in which each two values of different axes meet; always the same."""
    left = list(product(*(range(len(axis)) for axis in axes)))
    chosen = left if every else []
    unmet = set() if every else {pair for case in left for pair in _pairs(case)}
    while unmet:
        chosen.append(max(left, key=lambda case: len(unmet & _pairs(case))))
        unmet -= _pairs(chosen[-1])
    return [tuple(axis[at] for axis, at in zip(axes, case, strict=True)) for case in chosen]


def _pairs(case: tuple[int, ...]) -> set[tuple[tuple[int, int], ...]]:
    return set(combinations(enumerate(case), 2))
