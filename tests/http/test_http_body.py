"""Bodies on their way through the gate: told apart in linear time, decoded whole, and never half read."""

from __future__ import annotations

import gzip
import sys
import time
import zlib
from functools import partial
from itertools import islice
from typing import Any

import brotli
import pytest

from consent import coding, headers
from consent.body import Body, Watched
from consent.coding import can_unpack, codings, unpacker

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


# Without the time in it: a body that was damaged at random may look whole once in some thousand times.
PACK: dict[str, Any] = {
    "gzip": partial(gzip.compress, mtime=0), "deflate": zlib.compress, "br": brotli.compress, "zstd": zstd.compress,
}  # fmt: skip


class Upper:
    """A gate that shouts, so that what went through it can be told from what did not."""

    def feed(self, data: bytes) -> bytes:
        return data.upper()

    def close(self) -> bytes:
        return b"."


def through(data: bytes, *, size: int = 7, **options: object) -> bytes:
    body = Body(lambda *_: Upper(), **options)  # type: ignore[arg-type]
    pieces = [piece for start in range(0, len(data), size) for piece in body.feed(data[start : start + size])]
    return b"".join([*pieces, body.close()])


def test_several_gzip_members_and_padding_are_read_to_the_end() -> None:
    packed = gzip.compress(b"first ") + gzip.compress(b"second") + b"\0" * 20
    assert through(packed, packed=("gzip",)) == b"FIRST SECOND."
    assert through(packed, packed=("gzip",), size=10_000) == b"FIRST SECOND."


@pytest.mark.parametrize("said", PACK)
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_what_is_behind_the_last_member_is_nothing(said: str, size: int) -> None:
    packed = PACK[said](b"first ") + PACK[said](b"second") if said in ("gzip", "zstd") else PACK[said](b"first second")
    for behind in (b"\n", b"junk" * 20):
        assert through(packed + behind, packed=(said,), unreadable=b"!", size=size) == b"FIRST SECOND."
    assert through(b"\x07unk" * 20, packed=(said,), unreadable=b"!", size=size) == b"!", "the control: no member at all"


PLAIN = b"".join(b"<p>%d %x</p>" % (number, number**9) for number in range(20_000))


@pytest.mark.parametrize("said", [*PACK, "gzip, br", "zstd, deflate"])
@pytest.mark.parametrize("size", [100, 1 << 20])
def test_what_stands_before_damage_is_shown_however_it_is_cut(said: str, size: int) -> None:
    packed = PLAIN
    for name in said.split(", "):
        packed = PACK[name](packed)
    assert through(packed, packed=codings(said), unreadable=b"!", size=size) == PLAIN.upper() + b".", "the control"
    packed = packed[:100_000] + bytes(byte ^ 0x55 for byte in packed[100_000:])
    shown = through(packed, packed=codings(said), unreadable=b"!", size=size)
    assert shown.endswith(b".!")
    assert len(shown) > 100_000
    assert PLAIN.upper().startswith(shown[:100_000])
    assert shown == through(packed, packed=codings(said), unreadable=b"!", size=3)


def test_no_more_is_kept_to_read_damage_again_than_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coding, "_REMEMBERED", 10_000)
    packed = gzip.compress(PLAIN)[:-8] + b"\xff" * 8
    shown = through(packed, packed=("gzip",), unreadable=b"!", size=1 << 20)
    assert shown.endswith(b".!")
    assert 0 < len(shown) < len(PLAIN)
    assert PLAIN.upper().startswith(shown[:-2])


@pytest.mark.parametrize("said", ["gzip", "deflate"])
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_wrong_sums_after_a_whole_body_take_nothing_from_it(said: str, size: int) -> None:
    packed = PACK[said](b"<p>news")
    for end in (packed[-4:-1] + b"\xff", b"\xff\xff\xff\xff", b"\xff\xff\xff\xffmore"):
        assert through(packed[:-4] + end, packed=(said,), unreadable=b"!", size=size) == b"<P>NEWS."
    assert through(packed[:4] + packed[-4:], packed=(said,), unreadable=b"!", size=size) != b"<P>NEWS."


@pytest.mark.parametrize(
    ("data", "held"),
    [
        *((data, False) for data in (
            b"<pre>line 1\n", b"{", b"line", b"  <p", b"<!x", b"\xff\xfe<", b"<!-- a --><p", b"<!doctype x", b"<htm ",
            b"<!doctypehtml",
        )),
        *((data, True) for data in (
            b"", b" \n", b"<", b"<!", b"<!-", b"<!-- a <p> -", b"<!-- a --> ", b"<?xml a", b"<!DOC", b"<!doctype  \n",
            b"<!doctype ht", b"<HTML", b"\xef", b"\xef\xbb\xbf\n<",
        )),
    ],
)  # fmt: skip
@pytest.mark.parametrize("sniff", [False, True])
def test_a_beginning_is_held_back_while_it_may_still_be_a_documents(data: bytes, held: bool, sniff: bool) -> None:
    body = Body(lambda *_: Upper(), settled=False, sniff=sniff)
    assert (b"".join(body.feed(data)) == b"") is held


@pytest.mark.parametrize("page", [b"<!doctype html>", b"<html>", b"<!-- a -->\n<HTML "])
def test_a_document_that_comes_byte_by_byte_is_one(page: bytes) -> None:
    opened: list[bool | None] = []

    def open_stream(is_document: bool | None, _: str) -> Upper:
        opened.append(is_document)
        return Upper()

    body = Body(open_stream, settled=False)
    for at in range(len(page)):
        list(body.feed(page[at : at + 1]))
    assert opened == [True]


def test_several_zstd_frames_and_what_is_to_be_skipped_are_read_to_the_end() -> None:
    skipped = b"\x50\x2a\x4d\x18" + (7).to_bytes(4, "little") + b"comment"
    packed = zstd.compress(b"first ") + skipped + zstd.compress(b"") + zstd.compress(b"second")
    assert through(packed, packed=("zstd",)) == b"FIRST SECOND."
    assert through(packed, packed=("zstd",), size=10_000) == b"FIRST SECOND."


@pytest.mark.parametrize(("log", "readable"), [(23, True), (24, False)])
def test_a_window_is_as_large_as_browsers_allow_and_no_larger(log: int, readable: bool) -> None:
    packer = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: log})
    packed = packer.compress(b"<p>news") + packer.flush()
    assert through(packed, packed=("zstd",), unreadable=b"unreadable") == (b"<P>NEWS." if readable else b"unreadable")


@pytest.mark.parametrize("said", [*PACK, "gzip, br", "br, zstd", "zstd, gzip", "deflate, deflate"])
@pytest.mark.parametrize("size", [100, 1 << 20])
def test_what_stands_for_gigabytes_is_unpacked_as_far_as_it_is_asked_for(said: str, size: int) -> None:
    plain = b"<p>x</p>" * 1_000_000
    packed = plain
    for name in said.split(", "):
        packed = PACK[name](packed)
    unpack = unpacker(codings(said))
    pieces = [piece for start in range(0, len(packed), size) for piece in unpack(packed[start : start + size])]
    assert b"".join(pieces) == plain
    assert max(map(len, pieces)) <= 1 << 19
    first, second = islice(unpacker(codings(said))(packed), 2)
    assert first + second == plain[: len(first + second)]


def test_brotli_before_its_version_1_2_is_unpacked_as_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    newer = brotli.Decompressor

    class Older:
        def __init__(self) -> None:
            self._stream = newer()

        def process(self, data: bytes) -> bytes:
            out: bytes = self._stream.process(data)
            return out

        def is_finished(self) -> bool:
            return bool(self._stream.is_finished())

    monkeypatch.setattr(coding._brotli, "Decompressor", Older)
    assert through(PACK["br"](b"<p>news"), packed=("br",)) == b"<P>NEWS."
    assert through(PACK["br"](b"<p>news") + b"\n", packed=("br",), size=100) == b"<P>NEWS."


def test_what_follows_a_deflated_body_is_nothing() -> None:
    assert through(zlib.compress(b"<p>news") + b"more", packed=("deflate",)) == b"<P>NEWS."


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_what_cannot_be_decoded_ends_with_a_plain_message_and_no_error(encoding: str) -> None:
    sound = gzip.compress(b"x" * 5000)
    assert through(sound[:20] + b"\xff" * 40, packed=("gzip",), unreadable=b"unreadable").endswith(b"unreadable")
    assert b"unreadable" in through(b"\x07 not packed at all", packed=(encoding,), unreadable=b"unreadable")
    assert b"unreadable" not in through(sound, packed=("gzip",), unreadable=b"unreadable")


def test_observing_a_broken_body_changes_nothing() -> None:
    watched = Watched(Body(lambda *_: Upper(), packed=("gzip",)))
    assert list(watched.feed(b"not gzip")) == [b"not gzip"]
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
    ("values", "kind", "said"),
    [
        (["text/html"], "text/html", "text/html"),
        (["text/html charset=utf-8"], "text/html", "text/html charset=utf-8"),
        (["text/html,"], "text/html", "text/html"),
        (["text/html, */*"], "text/html", "text/html"),
        (["text/html(old)"], "text/html", "text/html"),
        (["text/plain, text/html; charset=utf-8"], "text/html", "text/html; charset=utf-8"),
        (["text/plain", "TEXT/HTML"], "text/html", "text/html"),
        (["text/html", "text/plain"], "text/plain", "text/plain"),
        (["text/html;charset=utf-16le", "text/html"], "text/html", "text/html; charset=utf-16le"),
        (["text/html;charset=utf-16le", "text/plain", "text/html"], "text/html", "text/html"),
        (['text/html;x="a, text/plain "'], "text/html", "text/html"),
        (['text/plain;x="', "text/html"], "text/html", "text/html"),
        (["text/html; charset = utf-16le"], "text/html", "text/html"),
        (["text/html; charset='utf-16le'"], "text/html", "text/html"),
        (["text/html; charset= utf-16le"], "text/html", "text/html; charset=utf-16le"),
        (['text/html; charset="utf-16le"'], "text/html", 'text/html; charset="utf-16le"'),
        (["html"], "", "html"),
        ([], "", ""),
        (["*/*"], "", "*/*"),
    ],
)
def test_the_media_type_is_what_a_browser_takes_it_for(values: list[str], kind: str, said: str) -> None:
    assert headers.content_type([("Content-Type", value) for value in values]) == (kind, said)


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_layers_are_taken_off_in_their_order(size: int) -> None:
    packed = gzip.compress(zlib.compress(b"<p>two layers"))
    assert through(packed, packed=("deflate", "gzip"), size=size) == b"<P>TWO LAYERS."
    assert b"unreadable" in through(packed, packed=("gzip", "deflate"), size=size, unreadable=b"unreadable")


@pytest.mark.parametrize("wbits", [zlib.MAX_WBITS, -zlib.MAX_WBITS])
def test_deflate_is_read_with_its_wrapper_and_without(wbits: int) -> None:
    packer = zlib.compressobj(wbits=wbits)
    packed = packer.compress(b"<p>news") + packer.flush()
    assert through(packed, packed=("deflate",), size=1) == b"<P>NEWS."


@pytest.mark.parametrize(
    ("said", "packed", "readable"),
    [
        ("", (), True),
        ("identity", (), True),
        ("GZIP", ("gzip",), True),
        ("deflate, gzip", ("deflate", "gzip"), True),
        ("utf-8", (), True),
        ("none", (), True),
        ("zstd", ("zstd",), True),
        ("gzip, Zstd", ("gzip", "zstd"), True),
        ("dcz", ("dcz",), False),
        ("gzip, dcb", ("gzip", "dcb"), False),
        ("compress", ("compress",), False),
        (", ".join(["gzip"] * 8), ("gzip",) * 8, True),
        (", ".join(["gzip"] * 9), ("gzip",) * 9, False),
    ],
)
def test_a_coding_counts_if_a_browser_knows_it(said: str, packed: tuple[str, ...], readable: bool) -> None:
    assert codings(said) == packed
    assert can_unpack(packed) is readable


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"<article>Chromium looks for no end of a name", ""),
        (b"\n\t <pre>Firefox knows more names", ""),
        (b"<!-- a comment", ""),
        (b"<?xml version='1.0'?><html/>", "text/xml"),
        (b"a < b and <p>", None),
        (b"GIF89a<script>", None),
        (b"<3", None),
        (b" " * 5000 + b"<p>", None),
    ],
)
def test_what_some_browser_takes_for_a_page_is_one(data: bytes, kind: str | None) -> None:
    told: list[str] = []

    def begin(_: bool | None, kind: str) -> Upper:
        told.append(kind)
        return Upper()

    body = Body(begin, sniff=True)
    pieces = [piece for start in range(0, len(data), 100) for piece in body.feed(data[start : start + 100])]
    whole = b"".join([*pieces, body.close()])
    assert told == ([] if kind is None else [kind])
    assert whole == (data if kind is None else data.upper() + b".")
