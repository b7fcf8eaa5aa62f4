"""Where tags, comments and declarations begin and end in bytes."""

from __future__ import annotations

from itertools import product

import pytest
from html5lib._tokenizer import HTMLTokenizer
from html5lib.constants import tokenTypes

from consent.gate.tokens import TAG, attributes, reach, script_end, token_end

ENDS = [
    b"<!-- > <p> -->", b"<!-- x --!>", b"<!-->", b"<!--->", b"<!----!>", b"<!doctype html>", b"<?x y?>",
    b"</ y>", b"</>", b"<p>", b"<p title='>'>", b"</p title=\">\">",
]  # fmt: skip
OPEN = [b"<!-- > --", b"<!--", b"<!--- ", b"<!x", b"<?", b"</ y", b"<p title='>", b"<", b"</", b"<p"]


@pytest.mark.parametrize("token", ENDS)
def test_a_token_ends_where_the_standard_ends_it(token) -> None:
    assert token_end(token + b"<i>-->", 0) == len(token)
    assert token_end(b"ab" + token, 2) == len(token) + 2


@pytest.mark.parametrize("token", OPEN)
def test_what_is_unfinished_has_no_end(token) -> None:
    assert token_end(token, 0) == -1


def test_a_lone_sign_is_a_token_of_one_byte() -> None:
    assert token_end(b"< a>", 0) == token_end(b"<3>", 0) == 1


@pytest.mark.parametrize("token", [token for token in ENDS if len(token) > 5])
def test_a_place_inside_a_token_is_told_from_one_behind_it(token) -> None:
    before = b"<i>a</i>"
    buffer = before + token + b"b<u>"
    for at in range(len(before) + 1, len(before) + len(token)):
        assert reach(buffer, 0, at) == (len(before), len(before) + len(token))
    behind = len(before) + len(token)
    assert reach(buffer, 0, behind) == (behind, behind)
    assert reach(buffer[: behind - 1], 0, behind - 1) == (len(before), -1)


# Everything short that can be made of what counts, against the standard's states as html5lib has them.


def made(parts: list[bytes], most: int) -> list[bytes]:
    return [b"".join(some) for count in range(1, most + 1) for some in product(parts, repeat=count)]


def tokens(text: bytes, **begun):
    """The tokens of this text, each with where it ends; only characters are told apart from what they follow."""
    tokenizer = HTMLTokenizer(text.decode())
    for name, value in begun.items():
        setattr(tokenizer, name, getattr(tokenizer, value) if name == "state" else value)
    for token in tokenizer:
        yield token, tokenizer.stream.chunkOffset


def end_of_script(text: bytes) -> int:
    at, script = 0, {"type": tokenTypes["StartTag"], "name": "script", "data": {}}
    for token, _ in tokens(text, state="scriptDataState", currentToken=script):
        if token["type"] == tokenTypes["EndTag"]:
            return at
        if token["type"] in (tokenTypes["Characters"], tokenTypes["SpaceCharacters"]):
            at += len(token["data"])
    return -1


def test_a_script_ends_where_the_standard_ends_it() -> None:
    ends = set()
    for text in made([b"<!--", b"-->", b"<script>", b"</script>", b"<!-", b"-", b">", b"<", b"/", b"x"], 4):
        html = text + b"</script>"
        end, state, position = script_end(html, 0)
        assert end == end_of_script(html), html
        ends.add(end)
        for stop in range(0 if len(html) < 24 else len(html), len(html)):
            _, state, position = script_end(html[:stop], 0)
            if state or position < stop:
                assert script_end(html, position, state)[0] == end, (html, stop)
    assert {-1, 0, 4, 8, 9} <= ends, "the control"


def test_a_comment_ends_where_the_standard_ends_it() -> None:
    for text in made([b"!", b"-", b"--", b">", b"x", b"<", b"--!", b"<!--", b"-->"], 4):
        html = b"<!--" + text + b"@@-->"
        ends = (end for token, end in tokens(html) if token["type"] == tokenTypes["Comment"])
        assert token_end(html, 0) == next(ends), html


def test_a_tag_has_the_end_and_the_attributes_that_the_standard_gives_it() -> None:
    kinds = (tokenTypes["StartTag"], tokenTypes["EmptyTag"])
    for text in made([b"a", b"=", b'"', b"'", b" ", b"/", b">", b"<", b"\t", b"B", b"`"], 5):
        html = b"<x" + text + b"@>"
        theirs, end = next(((token["data"], end) for token, end in tokens(html) if token["type"] in kinds), ({}, -1))
        assert token_end(html, 0) == end, html
        match = TAG.match(html)
        ours: dict[str, str] = {}
        for found in attributes(html, match.end(1), end) if match else []:
            ours.setdefault(found.name.decode(), found.value.decode())
        assert ours == dict(theirs), html
