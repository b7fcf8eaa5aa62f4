"""The short form of a test has every pair of values in it, and the long form every combination."""

from __future__ import annotations

from itertools import combinations

from tests.covering import covering

AXES = ("abcd", "xyz", "12", "ABCD")


def pairs(cases: list[tuple[str, ...]]) -> set[frozenset[str]]:
    return {frozenset(pair) for case in cases for pair in combinations(case, 2)}


def test_each_two_values_meet_in_far_fewer_cases_than_there_are() -> None:
    short, long = covering(*AXES, every=False), covering(*AXES, every=True)
    assert len(long) == 4 * 3 * 2 * 4 == len(set(long))
    assert set(short) < set(long)
    assert pairs(short) == pairs(long)
    assert len(short) < 20
