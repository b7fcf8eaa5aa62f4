"""Whatever finds what may matter on a page, an automaton or expressions, finds the same."""

from __future__ import annotations

import importlib.util
import re
import sys
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.gate import evidence, search
from consent.gate.candidates import FINDERS
from consent.gate.search import AUTOMATA, Marks, Search, Spots

HOSTS = ("harbour.example",)
SIGNS = (
    b"//", b"/", b"\n", b"\t", b"\r", b":", b"http:", b"https:", b"ttp", b"wss:", b"ws:", b"data:", b"data:image/png;",
    b"javascript:", b"p", b"s", b"t", b"a", b"&", b"&#", b"&#47;", b"&#x3c", b"&amp;", b"&amp;#58;", b"&sol", b"&lpar",
    b"&newline", b"harbour.example/", b'xmlns="http:', b'<a href="https:', b'"', b"<", b"(", b"\\", b"x",
)  # fmt: skip
NAMES = (
    b"<script", b"<svg", b"<style", b"<!--", b"<![cdata[", b"<base", b"<frame", b"set", b"<html", b"</object",
    b"</footer", b"<template", b">", b" ", b"/", b"<", b"<img", b"<input", b"</svg>", b'<path d="m1">', b"<s", b"\n",
)  # fmt: skip


def texts(parts: tuple[bytes, ...]) -> st.SearchStrategy[bytes]:
    return st.lists(st.sampled_from(parts), max_size=40).map(b"".join)


def places(searches: list[re.Pattern[bytes]], text: bytes) -> list[int]:
    return [at for at in range(len(text)) if any(one.match(text, at) for one in searches)]


def asked_for(found: Spots | Marks, text: bytes, position: int = 0, *, step: int = 1) -> list[int]:
    said = []
    while (at := found.after(position)) < len(text):
        said.append(at)
        position = at + step
    return said


def test_here_there_are_automata():
    assert AUTOMATA


@given(text=texts(SIGNS), start=st.integers(0, 8))
@pytest.mark.parametrize("together", [True, False])
def test_every_mark_is_found_wherever_one_begins_to_look(together, text, start):
    searches = evidence._everywhere(HOSTS, together=together)
    expected = [at for at in places([one.expression for one in searches], text) if at >= start]
    assert asked_for(Marks(searches, text, start), text, start) == expected


@given(text=texts(SIGNS))
def test_one_automaton_finds_what_the_expressions_find_apart(text):
    together, apart = (evidence._everywhere(HOSTS, together=kind) for kind in (True, False))
    assert [one.found for one in together] == [True]
    assert not any(one.found for one in apart)
    assert asked_for(Marks(together, text), text) == asked_for(Marks(apart, text), text)


@given(text=texts(NAMES))
@pytest.mark.parametrize(("relative", "footer"), list(product((False, True), repeat=2)))
def test_an_automaton_finds_the_elements_that_the_expression_finds(relative, footer, text):
    finder = FINDERS[relative, footer]
    assert asked_for(Spots(finder, text), text) == places([finder.expression], text)
    assert asked_for(Spots(Search(finder.expression), text), text) == places([finder.expression], text)


@given(text=texts(SIGNS + NAMES))
def test_what_lies_across_two_parts_is_found(text):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "WINDOW", 7)
        for one in (*evidence._everywhere(HOSTS, together=True), *FINDERS.values()):
            assert asked_for(Spots(one, text, 0, 7), text) == places([one.expression], text)


@given(text=texts(SIGNS), jump=st.integers(1, 30))
def test_what_is_jumped_over_is_not_found_and_what_is_behind_it_is(text, jump):
    (one,) = evidence._everywhere(HOSTS, together=True)
    found = asked_for(Spots(one, text, 0, 7), text, step=jump)
    expected, position = [], 0
    for at in places([one.expression], text):
        if at >= position:
            expected.append(at)
            position = at + jump
    assert found == expected


def test_a_literal_that_begins_inside_another_is_not_lost():
    slashes = Search(re.compile(rb"//(?!/)|/x"), {b"//": 0, b"/x": 0})
    assert asked_for(Spots(slashes, b"a///x"), b"a///x") == [2, 3]


def test_a_literal_that_nobody_names_is_lost_so_that_the_tests_above_would_see_it():
    lame = Search(re.compile(rb"//|\\"), {b"//": 0})
    assert asked_for(Spots(lame, rb"//\ //"), rb"//\ //") == [0, 4]


def test_a_character_that_is_everywhere_is_left_to_the_expression():
    text = b"&" * 500 + b"&#47;" + b"&" * 500
    (references,) = (one for one in evidence._everywhere(HOSTS, together=False) if one.sign == b"&")
    assert asked_for(Spots(references, text), text) == [500]
    assert asked_for(Spots(references, b"&" * 500), b"&" * 500) == []


def test_without_the_library_there_are_no_automata(monkeypatch):
    monkeypatch.setitem(sys.modules, "ahocorasick_rs", None)
    spec = importlib.util.spec_from_file_location("search_alone", search.__file__)
    alone = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(alone)
    assert not alone.AUTOMATA
    one = alone.Search(re.compile(b"//"), {b"//": 0})
    assert not one.found
    assert asked_for(alone.Spots(one, b"a///"), b"a///") == [1, 2]
