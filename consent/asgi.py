"""ASGI: translate a request and a response, and decide nothing (ASGI 3.0, HTTP 2.4)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from consent.body import Stream
from consent.closing import Closing
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

# What would send bytes or make requests past the gate.
_PAST_THE_GATE: Final = frozenset(
    {"http.response.push", "http.response.pathsend", "http.response.zerocopysend", "http.response.early_hint"}
)


class ConsentMiddleware:
    """Wraps an ASGI application so that nothing of a third party reaches a visitor who has not agreed to it.

    The arguments are those of :class:`consent.wsgi.ConsentMiddleware`. Lifespan and websockets pass unchanged.
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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer our own endpoints; pass everything else to the application and its response through the gate."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        engine = self.engine
        visit = engine.open(to_request(scope))
        if visit.endpoint is not None:
            body = await _read_body(scope, receive) if visit.takes_body else b""
            # The record waits for the disk, so it must not wait on the event loop.
            response = await asyncio.to_thread(partial(engine.pages.answer, visit, body))
            if response is not None:
                await _send(response, scope, send)
                return
        changed = engine.app_fields(visit)
        kept = [(name, value) for name, value in scope["headers"] if name.lower().decode("latin-1") not in changed]
        added = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in changed.items() if value]
        extensions = {k: v for k, v in (scope.get("extensions") or {}).items() if k not in _PAST_THE_GATE}
        inner = {**scope, "headers": [*kept, *added], "extensions": extensions}
        inner["state"] = {**scope.get("state", {}), "consent": visit}
        closer = _Sending(send, partial(engine.close, visit), visit=visit, is_head=scope["method"] == "HEAD")
        await self.app(inner, receive, closer.send)


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
        method=scope["method"],
        scheme=scope.get("scheme", "http"),
        host=fields.get("host") or (f"{server[0]}:{server[1]}" if server[1] else server[0]),
        path=(path.removeprefix(root) if root else path) or "/",
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


def _raw(fields: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in fields]


class _Sending:
    """Stands between the application and the server's ``send``."""

    def __init__(
        self, send: Send, close: Callable[[int, list[tuple[str, str]]], Closing], *, visit: Visit, is_head: bool
    ) -> None:
        self._send = send
        self._close = close
        self._visit = visit
        self._is_head = is_head
        self._closing: Closing | None = None

    async def send(self, message: Message) -> None:
        """Pass one message on, changed as the engine says."""
        if message["type"] == "http.response.start":
            fields = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in message.get("headers", [])]
            if self._visit.records_at_close:  # that waits for the disk, so it must not wait on the event loop
                self._closing = await asyncio.to_thread(self._close, message["status"], fields)
            else:
                self._closing = self._close(message["status"], fields)
            await self._send({**message, "headers": _raw(self._closing.fields)})
        elif message["type"] in _PAST_THE_GATE:
            return
        elif message["type"] == "http.response.body" and self._closing is not None and self._closing.body is not None:
            await self._gated(message, self._closing.body)
        else:
            await self._send(message)

    async def _gated(self, message: Message, body: Stream) -> None:
        more = message.get("more_body", False)
        data = body.feed(message.get("body", b""))
        if not more and not self._is_head:
            data += body.close()
        if data or not more:
            await self._send({**message, "body": data, "more_body": more})
