"""One small application for WSGI and for ASGI, as the servers of this folder's tests load it.

What is below ``/bare`` isn't wrapped: the control beside each assertion, in the same process. What waits, waits for a
file in the folder ``SERVERS_ROOT`` that the test makes; what ends, says so by a file there.
"""

from __future__ import annotations

import asyncio
import gzip
import os
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import brotli

from consent import Policy, Service, StorageItem
from consent.asgi import ConsentMiddleware as AsgiMiddleware
from consent.policy import Ask, Site
from consent.wsgi import ConsentMiddleware as WsgiMiddleware

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ROOT = Path(os.environ.get("SERVERS_ROOT", "."))
SECRET = "a secret of the tests"
HTML = ("Content-Type", "text/html; charset=utf-8")
TEXT = ("Content-Type", "text/plain; charset=utf-8")
ARTICLE = (
    b"<!doctype html><html lang=en><head><title>T</title></head><body><main><p>News.</p>"
    b'<script src="https://stats.example/js/a.js"></script></main></body></html>'
)
BEGINNING = ARTICLE.partition(b"<script")[0]
HINTED = ("/own.js", "https://stats.example/js/a.js")
CSS = b"p { margin: 0 }"
PIECE = b"<p>x</p>" * 8192
FILE = bytes(range(256)) * 400
PATIENCE = 10  # seconds that a held answer waits for its test

Fields = list[tuple[str, str]]
Answer = tuple[int, Fields, "list[bytes] | Iterator[bytes]"]

_sent_by_kernel = 0


def policy() -> Policy:
    stats = Service(
        key="stats", category="analytics", name="Statistics", purpose="Counts.", provider="Stats Ltd", country="IE",
        load=("stats.example",), storage=(StorageItem(name="_stats", days=30, lasts="30 days", purpose="visitor id"),),
    )  # fmt: skip
    site = Site(name="Harbour News", controller="Harbour News Trust", contact="privacy@harbour.example")
    return Policy(site=site, ask=Ask(), services=(stats,))


def waits_for(name: str) -> Iterator[None]:
    """Goes round until the test has made this file."""
    end = time.monotonic() + PATIENCE
    while not (ROOT / name).exists() and time.monotonic() < end:
        yield


def answer(path: str, query: str, fields: dict[str, str], body: bytes) -> Answer:
    """What both applications answer; ``None`` among the pieces stands for waiting a moment."""
    name, _, rest = path.strip("/").partition("/")
    made = _ANSWERS.get(name)
    return made(rest or query, fields, body) if made else (404, [HTML], [ARTICLE])


def _page(_: str, fields: dict[str, str], __: bytes) -> Answer:
    return _validated(fields, '"v1"', [HTML, ("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")], ARTICLE)


def _style(_: str, fields: dict[str, str], __: bytes) -> Answer:
    return _validated(fields, '"c1"', [("Content-Type", "text/css")], CSS)


def _validated(fields: dict[str, str], tag: str, said: Fields, body: bytes) -> Answer:
    said = [*said, ("ETag", tag)]
    if tag in [known.strip() for known in fields.get("if-none-match", "").split(",")]:
        return 304, said, []
    return 200, [*said, ("Content-Length", str(len(body)))], [body]


def _packed(coding: str, _: dict[str, str], __: bytes) -> Answer:
    compress: Callable[[bytes], bytes] = {
        "gzip": gzip.compress,
        "deflate": zlib.compress,
        "br": brotli.compress,
        "zstd": zstd.compress,
        "dcz": lambda data: b"\x5e\x2a\x4d\x18" + data,  # not even packed: whoever passes it passes the page
        "broken": lambda data: gzip.compress(data)[:-30] + b"\xff" * 30,
    }[coding]
    whole = compress(ARTICLE)
    said = "gzip" if coding == "broken" else coding
    return 200, [HTML, ("Content-Encoding", said), ("Content-Length", str(len(whole)))], [whole[:40], whole[40:]]


def _file(_: str, fields: dict[str, str], __: bytes) -> Answer:
    """A file with ranges, as RFC 9110 section 14 has them."""
    said = [("Content-Type", "application/octet-stream"), ("Accept-Ranges", "bytes"), ("ETag", '"f1"')]
    wanted = fields.get("range", "")
    if wanted and fields.get("if-range", '"f1"') == '"f1"':
        start, _, end = wanted.removeprefix("bytes=").partition("-")
        part = FILE[int(start) : int(end) + 1]
        span = ("Content-Range", f"bytes {start}-{end}/{len(FILE)}")
        return 206, [*said, span, ("Content-Length", str(len(part)))], [part]
    return 200, [*said, ("Content-Length", str(len(FILE)))], [FILE]


def _failing(_: str, __: dict[str, str], ___: bytes) -> Answer:
    return 500, [HTML], [ARTICLE]


def _raising(_: str, __: dict[str, str], ___: bytes) -> Answer:
    raise RuntimeError("raised on purpose")


def _late(_: str, __: dict[str, str], ___: bytes) -> Answer:
    def pieces() -> Iterator[bytes]:
        yield BEGINNING + PIECE
        raise RuntimeError("raised on purpose")

    return 200, [HTML], pieces()


def _big(megabytes: str, _: dict[str, str], __: bytes) -> Answer:
    size = int(megabytes) << 20
    piece = bytes(1 << 16)
    kind = ("Content-Type", "application/octet-stream")
    return 200, [kind, ("Content-Length", str(size))], (piece for _ in range(size >> 16))


def _big_page(megabytes: str, _: dict[str, str], __: bytes) -> Answer:
    def pieces() -> Iterator[bytes]:
        yield BEGINNING
        for _ in range(int(megabytes) << 4):
            yield PIECE

    return 200, [HTML], pieces()


def _echo(_: str, __: dict[str, str], body: bytes) -> Answer:
    return 200, [TEXT, ("Content-Length", str(len(body)))], [body]


def _facts(_: str, fields: dict[str, str], __: bytes) -> Answer:
    said = f"{os.getpid()} {_sent_by_kernel} {fields.get('cookie', '')}".encode()
    return 200, [TEXT, ("Content-Length", str(len(said)))], [said]


def _odd(_: str, __: dict[str, str], ___: bytes) -> Answer:
    odd = [("Link", '</ä>; rel="ä'), ("Refresh", "ä;;"), ("X-Own", "ü"), ("Set-Cookie", "=;;ä")]
    odd += [("ETag", "ä"), ("Report-To", "{"), ("Vary", ",,"), ("Cache-Control", ",=,"), ("Link", "<>")]
    return 200, [HTML, *odd], [ARTICLE]


_ANSWERS: dict[str, Callable[[str, dict[str, str], bytes], Answer]] = {
    "": _page, "hinting": _page, "style.css": _style, "packed": _packed, "file": _file, "failing": _failing,
    "raising": _raising, "late": _late, "big": _big, "big-page": _big_page, "echo": _echo, "facts": _facts, "odd": _odd,
}  # fmt: skip


# Answers in two halves, the second of which the test lets go: ``/held/KIND/NAME``; and ones without an end.


def _halves(kind: str) -> tuple[Fields, bytes, bytes]:
    page = kind.startswith("page")
    return [HTML if page else TEXT], BEGINNING + PIECE if page else PIECE, b"<p>The end.</p>"


class _Endless:
    """Yields for ever, and says when it was closed."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __iter__(self) -> Iterator[bytes]:
        yield BEGINNING
        while True:
            yield PIECE

    def close(self) -> None:
        (ROOT / f"closed-{self._name}").touch()


def _wsgi(environ: dict[str, Any], start_response: Any) -> Any:
    path = environ["PATH_INFO"]
    name, _, rest = path.strip("/").partition("/")
    if name == "held":
        kind, _, file = rest.partition("/")
        fields, first, second = _halves(kind)
        start_response("200 OK", fields)

        def halves() -> Iterator[bytes]:
            if not kind.endswith("late"):  # the control: an application that holds its first half back itself
                yield first
            for _ in waits_for(file):
                time.sleep(0.005)
            yield second

        return halves()
    if name == "endless":
        start_response("200 OK", [HTML if rest.startswith("page") else TEXT])
        return _Endless(rest)
    if name == "kernel":
        start_response("200 OK", [HTML if rest == "page" else TEXT])
        return environ.get("wsgi.file_wrapper", iter)((ROOT / "article.html").open("rb"))
    if name == "hinting":
        environ["wsgi.early_hints"]([("Link", f"<{url}>; rel=preload; as=script") for url in HINTED])
    if name == "written":
        write = start_response("200 OK", [HTML])
        write(ARTICLE[:100])
        return [ARTICLE[100:]]
    fields = {key[5:].lower().replace("_", "-"): value for key, value in environ.items() if key.startswith("HTTP_")}
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    status, said, pieces = answer(path, environ["QUERY_STRING"], fields, body)
    start_response(f"{status} Status", said)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else pieces


async def _asgi(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        scope["state"]["begun"] = "begun"
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        message = await receive()
        await send({"type": "websocket.send", "text": message["text"][::-1] + scope["state"]["begun"]})
        await send({"type": "websocket.close"})
        return

    async def start(status: int, fields: Fields) -> None:
        raw = [(key.encode("latin-1"), value.encode("latin-1")) for key, value in fields]
        await send({"type": "http.response.start", "status": status, "headers": raw})

    async def body(data: bytes, *, more: bool = True) -> None:
        await send({"type": "http.response.body", "body": data, "more_body": more})

    path = scope["path"]
    name, _, rest = path.strip("/").partition("/")
    if name == "held":
        kind, _, file = rest.partition("/")
        fields, first, second = _halves(kind)
        await start(200, fields)
        if not kind.endswith("late"):
            await body(first)
        for _ in waits_for(file):
            await asyncio.sleep(0.005)
        await body(second, more=False)
        return
    if name == "endless":
        await start(200, [HTML if rest.startswith("page") else TEXT])
        gone = asyncio.ensure_future(_gone(receive))
        await body(BEGINNING)
        while not gone.done():
            await body(PIECE)
            await asyncio.sleep(0)
        (ROOT / f"closed-{rest}").touch()
        return
    whole, more = b"", True
    while more:
        message = await receive()
        whole, more = whole + message.get("body", b""), message.get("more_body", False)
    headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
    status, said, pieces = answer(path, scope["query_string"].decode(), headers, whole)
    await start(status, said)
    for piece in () if scope["method"] == "HEAD" else pieces:
        await body(piece)
    await body(b"", more=False)


async def _gone(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _counting(sendfile: Any) -> Any:
    def counted(*args: Any) -> Any:
        global _sent_by_kernel
        _sent_by_kernel += 1
        return sendfile(*args)

    return counted


def wsgi() -> Any:
    """The WSGI application, wrapped, and bare below ``/bare``."""
    os.sendfile = _counting(os.sendfile)
    wrapped = WsgiMiddleware(_wsgi, policy(), secret_key=SECRET, log=f"sqlite:///{ROOT}/consent.db")

    def both(environ: dict[str, Any], start_response: Any) -> Any:
        if environ["PATH_INFO"].startswith("/bare/"):
            return _wsgi(environ | {"PATH_INFO": environ["PATH_INFO"][5:]}, start_response)
        return wrapped(environ, start_response)

    return both


def asgi() -> Any:
    """The ASGI application, wrapped, and bare below ``/bare``."""
    wrapped = AsgiMiddleware(_asgi, policy(), secret_key=SECRET, log=f"sqlite:///{ROOT}/consent.db")

    async def both(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/bare/"):
            await _asgi(scope | {"path": scope["path"][5:]}, receive, send)
        else:
            await wrapped(scope, receive, send)

    return both
