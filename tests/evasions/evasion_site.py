"""The site that the tricks are read from, as it is, gated, and gated with the second policy; and the sink."""

from __future__ import annotations

import re
import socket
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from evasion_corpus import RUNS, Evasion

from consent.policy import Ask, Policy, Service, Site
from consent.wsgi import ConsentMiddleware

SLOW = 0.4
"""Seconds that ``slow.js`` takes, while scanners run ahead of the parser that waits for it."""
TYPES = {
    "css": "text/css",
    "js": "text/javascript",
    "svg": "image/svg+xml",
    "html": "text/html",
    "json": "application/json",
    "rules": "application/speculationrules+json",
}


def policy(**ask: str) -> Policy:
    return Policy(
        site=Site(name="Harbour News", controller="Harbour News Trust", hosts=tuple(RUNS.values())),
        ask=Ask(**ask),
        services=(
            Service(
                key="tracker", category="analytics", name="Tracker", purpose="Counts.",
                load=("*.tracker.example",), inline=("_trk.push(", "trkLoad("),
            ),
        ),
    )  # fmt: skip


def application(tricks: Mapping[int, Evasion]) -> Any:
    """The application: ``/t/017/`` is a trick, what is below it is a part of it, anything else is empty."""

    def plain(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        run = next(letter for letter, host in RUNS.items() if host == environ["HTTP_HOST"])
        match = re.fullmatch(r"/t/([0-9]+)/(.*)", environ["PATH_INFO"])
        if match is None:
            start_response("204 No Content", [])
            return []
        trick = tricks[int(match[1])]
        if not match[2]:
            fields = [(name, trick.fill(value, run)) for name, value in trick.headers.items()]
            if trick.content_type:
                fields.append(("Content-Type", trick.content_type))
            start_response("200 OK", fields)
            return [trick.body(run)]
        if match[2] == "slow.js":
            time.sleep(SLOW)
        content = trick.fill(trick.routes.get(match[2], ""), run)
        if content.startswith("-> "):
            start_response("302 Found", [("Location", content[3:])])
            return []
        start_response("200 OK", [("Content-Type", TYPES.get(match[2].rpartition(".")[2], "text/plain"))])
        return [content.encode()]

    return plain


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 128
    allow_reuse_port = True  # beside a sink that listens on all addresses

    def handle_error(self, *_: Any) -> None:
        """A browser goes when it likes."""


class Sites:
    """The three sites on one port, told apart by their names."""

    def __init__(self, tricks: Mapping[int, Evasion], *, port: int = 0) -> None:
        settings: dict[str, Any] = {"secret_key": "not a secret", "log": "memory://"}
        plain = application(tricks)
        self.asked: set[str] = set()
        self._apps = {
            RUNS["c"]: plain,
            RUNS["g"]: ConsentMiddleware(plain, policy(csp="off"), **settings),
            RUNS["b"]: ConsentMiddleware(plain, policy(), **settings),
        }
        self._server = make_server("127.0.0.1", port, self._app, server_class=_Server, handler_class=_Quiet)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _app(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        query = environ["QUERY_STRING"]
        self.asked.add(environ["HTTP_HOST"] + environ["PATH_INFO"] + (f"?{query}" if query else ""))
        if environ["PATH_INFO"] == "/board":  # many tricks in one page, each in a frame of its own
            frames = "".join(
                f'<iframe src="/t/{number}/" width=190 height=50 '
                f'style="position:absolute;top:{place // 6 * 60}px;left:{place % 6 * 200}px"></iframe>'
                for place, number in enumerate(environ["QUERY_STRING"].split(","))
            )
            start_response("200 OK", [("Content-Type", "text/html")])
            return [b"<!doctype html><title>Tricks</title>" + frames.encode()]
        return self._apps[environ["HTTP_HOST"]](environ, start_response)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Sink:
    """Every third party there is: takes any connection on any loopback address, and keeps who came how.

    Each host is mapped to an address of its own, so that a connection without a word in it tells for whom it was.
    """

    def __init__(self, *ports: int) -> None:
        self._listeners = [
            socket.create_server(("0.0.0.0", port), backlog=512, reuse_port=True) for port in ports or (0,)
        ]
        self.port: int = self._listeners[0].getsockname()[1]
        self.seen: dict[str, set[str]] = defaultdict(set)
        """By address: ``bare`` for a connection, ``tls`` for a greeting, or the host of a request."""
        for listener in self._listeners:
            threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                one, _ = listener.accept()
            except OSError:
                return
            address = one.getsockname()[0]
            self.seen[address].add("bare")
            threading.Thread(target=self._read, args=(one, address), daemon=True).start()

    def _read(self, one: socket.socket, address: str) -> None:
        with one:
            one.settimeout(5)
            try:
                head = one.recv(8192)
                if head[:1] == b"\x16":
                    self.seen[address].add("tls")
                elif head:
                    host = re.search(rb"\nhost: *([^\r\n]*)", head, re.IGNORECASE)
                    self.seen[address].add(host[1].decode() if host else "request")
                    one.sendall(
                        b"HTTP/1.1 204 No Content\r\nConnection: close\r\nAccess-Control-Allow-Origin: *\r\n\r\n"
                    )
            except OSError:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def close(self) -> None:
        for listener in self._listeners:
            listener.close()


def address(run: str, number: int) -> str:
    """The loopback address that stands for the third party of one trick in one run."""
    return f"127.{10 + list(RUNS).index(run)}.{number // 200}.{number % 200 + 1}"
