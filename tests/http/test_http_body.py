"""Bodies on their way through the gate: told apart in linear time, decoded whole, and never half read."""

from __future__ import annotations

import gzip
import time

import pytest

from consent import headers
from consent.body import Body, Watched


class Upper:
    """A gate that shouts, so that what went through it can be told from what did not."""

    def feed(self, data: bytes) -> bytes:
        return data.upper()

    def close(self) -> bytes:
        return b"."


def through(data: bytes, *, size: int = 7, **options: object) -> bytes:
    body = Body(lambda _: Upper(), **options)  # type: ignore[arg-type]
    pieces = [body.feed(data[start : start + size]) for start in range(0, len(data), size)]
    return b"".join([*pieces, body.close()])


def test_several_gzip_members_and_padding_are_read_to_the_end() -> None:
    packed = gzip.compress(b"first ") + gzip.compress(b"second") + b"\0" * 20
    assert through(packed, encoding="gzip") == b"FIRST SECOND."
    assert through(packed, encoding="gzip", size=10_000) == b"FIRST SECOND."


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_what_cannot_be_decoded_ends_with_a_plain_message_and_no_error(encoding: str) -> None:
    sound = gzip.compress(b"x" * 5000)
    assert through(sound[:20] + b"\xff" * 40, encoding="gzip", unreadable=b"unreadable").endswith(b"unreadable")
    assert b"unreadable" in through(b"\x07 not packed at all", encoding=encoding, unreadable=b"unreadable")
    assert b"unreadable" not in through(sound, encoding="gzip", unreadable=b"unreadable")


def test_observing_a_broken_body_changes_nothing() -> None:
    watched = Watched(Body(lambda _: Upper(), encoding="gzip"))
    assert watched.feed(b"not gzip") == b"not gzip"
    assert watched.close() == b""


def test_many_comments_before_a_page_cost_no_more_than_their_length() -> None:
    took = []
    for count in (50, 500):
        began = time.perf_counter()
        for _ in range(20):
            through(b"<!---->" * count + b"<div>", settled=False, size=100_000)
        took.append(time.perf_counter() - began)
    assert took[1] < 200 * took[0]  # linear would be 10; backtracking was 2 to the power of 450


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["text/html"], "text/html"),
        (["text/html charset=utf-8"], "text/html"),
        (["text/html,"], "text/html"),
        (["text/plain, text/html; charset=utf-8"], "text/html"),
        (["text/plain", "TEXT/HTML"], "text/html"),
        (["text/html", "text/plain"], "text/plain"),
        (["html"], ""),
        ([], ""),
        (["*/*"], "*/*"),
    ],
)
def test_the_media_type_is_what_a_browser_takes_it_for(values: list[str], kind: str) -> None:
    assert headers.essence([("Content-Type", value) for value in values]) == kind
