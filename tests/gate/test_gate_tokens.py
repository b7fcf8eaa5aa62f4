"""Where tags, comments and declarations begin and end in bytes."""

from __future__ import annotations

import pytest

from consent.gate.tokens import reach, token_end

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
