"""ASGI: translate a request and a response, and decide nothing (ASGI 3.0, HTTP 2.4)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

from consent import headers
from consent.body import Way
from consent.closing import OF_THE_BODY, Closing
from consent.decision import Recorder
from consent.engine import Engine
from consent.exchange import Request, Response
from consent.forms import LARGEST_BODY
from consent.policy import Policy
from consent.visit import Visit

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_START: Final = "http.response.start"
_BODY: Final = "http.response.body"
_TRAILERS: Final = "http.response.trailers"
_PATH: Final = "http.response.pathsend"
_FILE: Final = "http.response.zerocopysend"
_HINT: Final = "http.response.early_hint"
_INFORMATIONAL: Final = "http.response.informational"  # gunicorn's
_PUSH: Final = "http.response.push"  # names no field that could be gated, and no browser takes it any more
_ACCEPT: Final = "websocket.accept"
_DENY: Final = "websocket.http.response.start"
_SCHEMES: Final = {"https": "https", "wss": "https"}
_PIECE: Final = 1 << 16  # bytes of a file read at once
_MESSAGE: Final = 1 << 20  # bytes after which a message goes out


class ConsentMiddleware:
    """Wraps an ASGI application so that nothing of a third party reaches a visitor who has not agreed to it.

    The arguments are those of :class:`consent.wsgi.ConsentMiddleware`. Of websockets the cookies are filtered; lifespan
    passes unchanged.
    """

    def __init__(
        self,
        app: App,
        policy: Policy | str | Path,
        *,
        secret_key: str | bytes | Sequence[str | bytes],
        log: str | Recorder | None,
        https: bool | str = "auto",
        debug: bool = False,
        templates: Path | None = None,
    ) -> None:
        self.app = app
        self.engine = Engine.starting(
            policy, secret_key=secret_key, log=log, https=https, debug=debug, templates=templates
        )
        # What waits for the log's disk must not wait on the event loop, nor take the threads of anybody else: neither
        # the application's nor, where answers wait, those of pages that others want to read.
        self._answering = ThreadPoolExecutor(32, "consent-answering")
        self._showing = ThreadPoolExecutor(8, "consent-showing")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer our own endpoints; pass everything else to the application and its response through the gate."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        scope = {**scope, "headers": list(scope["headers"])}
        engine = self.engine
        visit = engine.open(to_request(scope))
        if scope["type"] == "websocket":
            await self._connect(visit, scope, receive, send)
            return
        if visit.endpoint is not None:
            body = await _read_body(scope, receive) if visit.takes_body else b""
            room = self._answering if visit.takes_body else self._showing
            response = await asyncio.get_running_loop().run_in_executor(room, engine.pages.answer, visit, body)
            if response is not None:
                await _send(response, scope, send)
                return
            visit = engine.pass_on(visit)
        extensions = {name: value for name, value in (scope.get("extensions") or {}).items() if name != _PUSH}
        inner = {**scope, "headers": _replaced(scope, engine.app_fields(visit)), "extensions": extensions}
        inner["state"] = {**scope.get("state", {}), "consent": visit}
        sending = _Sending(send, visit, answering=self._answering, showing=self._showing)
        await self.app(inner, receive, sending.send)

    async def _connect(self, visit: Visit, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a websocket without the cookies of refused services, whoever of both sends them.

        An application that refuses the handshake may answer as to any other request, and that sets cookies too.
        """
        jar = {name: value for name, value in self.engine.app_fields(visit).items() if name == "cookie"}
        filtered = self.engine.closer.handshake

        async def accept(message: Message) -> None:
            if message["type"] in (_ACCEPT, _DENY) and message.get("headers"):
                message = {**message, "headers": _raw(filtered(visit, _fields(message)))}
            await send(message)

        await self.app({**scope, "headers": _replaced(scope, jar)}, receive, accept)


def to_request(scope: Scope) -> Request:
    """The request as the engine sees it."""
    fields: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        joint = "; " if name == "cookie" else ", "  # HTTP/2 may send several Cookie fields (RFC 9113 section 8.2.3)
        fields[name] = f"{fields[name]}{joint}{value}" if name in fields else value
    server = scope.get("server") or ("localhost", None)
    root, path = scope.get("root_path", "").rstrip("/"), scope["path"]
    return Request(
        method=scope.get("method", "GET"),
        scheme=_SCHEMES.get(scope.get("scheme", ""), "http"),
        host=fields.get("host") or (f"{server[0]}:{server[1]}" if server[1] else server[0]),
        path=(path.removeprefix(root) if path.startswith(f"{root}/") or path == root else path) or "/",
        root=root,
        query=scope.get("query_string", b"").decode("latin-1"),
        client=(scope.get("client") or ("",))[0],
        fields=fields,
    )


async def _read_body(scope: Scope, receive: Receive) -> bytes:
    if scope["method"] != "POST":
        return b""
    body: bytes = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b""
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY:
            return b""
        if not message.get("more_body", False):
            return body


async def _send(response: Response, scope: Scope, send: Send) -> None:
    fields = response.sized
    await send({"type": "http.response.start", "status": response.status, "headers": _raw(fields)})
    body = b"" if scope["method"] == "HEAD" else response.body
    await send({"type": "http.response.body", "body": body})


def _replaced(scope: Scope, changed: dict[str, str]) -> list[tuple[bytes, bytes]]:
    """The request's fields with these instead of those of the same name; empty to drop."""
    kept = [(name, value) for name, value in scope["headers"] if name.lower().decode("latin-1") not in changed]
    return [*kept, *_raw([(name, value) for name, value in changed.items() if value])]


def _fields(message: Message) -> list[tuple[str, str]]:
    found = message.get("headers", [])
    return headers.named((name.decode("latin-1"), value.decode("latin-1")) for name, value in found)


def _raw(fields: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in fields]


def _some(pieces: Iterator[bytes]) -> tuple[bytes, bool]:
    """What can be sent in one message, and whether there may be more."""
    some, size = [], 0
    for piece in pieces:
        some.append(piece)
        size += len(piece)
        if size >= _MESSAGE:
            return b"".join(some), True
    return b"".join(some), False


class _Sending:
    """Stands between the application and the server's ``send``."""

    def __init__(self, send: Send, visit: Visit, *, answering: ThreadPoolExecutor, showing: ThreadPoolExecutor) -> None:
        self._send = send
        self._visit = visit
        self._is_head = visit.request.method == "HEAD"
        self._answering = answering
        self._showing = showing
        self._closing: Closing | None = None

    async def send(self, message: Message) -> None:
        """Pass one message on, changed as the engine says."""
        kind, body = message["type"], self._closing.body if self._closing is not None else None
        if kind == _START:
            await self._start(message)
        elif kind == _HINT:
            links = [("link", link.decode("latin-1")) for link in message.get("links", [])]
            if kept := self._visit.engine.closer.informational(self._visit, links):
                await self._send({**message, "links": [link.encode("latin-1") for _, link in kept]})
        elif kind == _INFORMATIONAL:
            if fields := self._visit.engine.closer.informational(self._visit, _fields(message)):
                await self._send({**message, "headers": _raw(fields)})
        elif kind == _PUSH:
            return
        elif body is None:
            await self._send(message)
        elif kind == _BODY:
            await self._gated(body, message.get("body", b""), more=message.get("more_body", False))
        elif kind in (_PATH, _FILE):
            await self._read(body, message)
        elif kind == _TRAILERS:
            await self._send({**message, "headers": _raw(headers.without(_fields(message), *OF_THE_BODY))})
        else:
            await self._send(message)

    async def _start(self, message: Message) -> None:
        close = partial(self._visit.engine.close, self._visit, message["status"], _fields(message))
        loop = asyncio.get_running_loop()
        recording = self._visit.records_at_close
        self._closing = await loop.run_in_executor(self._answering, close) if recording else close()
        await self._send({**message, "headers": _raw(self._closing.fields)})

    async def _gated(self, way: Way, data: bytes, *, more: bool) -> None:
        pieces = self._fed(way, data, last=not more)
        loop, is_left = asyncio.get_running_loop(), True
        while is_left:
            some = partial(_some, pieces)
            out, is_left = await loop.run_in_executor(self._showing, some) if self._visit.may_archive else some()
            if out or not (more or is_left):
                await self._send({"type": _BODY, "body": out, "more_body": more or is_left})

    def _fed(self, way: Way, data: bytes, *, last: bool) -> Iterator[bytes]:
        yield from way.feed(data)
        if last and not self._is_head:
            yield way.close()

    async def _read(self, body: Way, message: Message) -> None:
        """Read a file that the server was to send by itself, piece by piece, as it is a page."""
        more, left = message.get("more_body", False), message.get("count")
        if not self._is_head:
            file = await asyncio.to_thread(open, message["path"], "rb") if "path" in message else message["file"]
            try:
                if message.get("offset") is not None:
                    file.seek(message["offset"])
                while piece := await asyncio.to_thread(file.read, _PIECE if left is None else min(left, _PIECE)):
                    left = None if left is None else left - len(piece)
                    await self._gated(body, piece, more=True)
            finally:
                if "path" in message:
                    file.close()
        await self._gated(body, b"", more=more)
