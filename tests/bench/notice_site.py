"""One small news page with each notice in it, and the server that sends it packed."""

from __future__ import annotations

import gzip
import multiprocessing
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread
from typing import Any

import brotli
from notice_tools import BARE, OTHERS, OURS, Notice
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import WSGIRequestHandler, make_server

from consent.config import load
from consent.wsgi import ConsentMiddleware

sys.path.insert(0, str(Path(__file__).parents[1] / "banner"))

from npm_packages import unpacked

_WORDS = (
    "The harbour council will vote on the new ferry timetable on Thursday, after a winter in which storms kept the "
    "boats in port on eleven days and the islands were without bread on three of them. "
)
_CSS = (
    "body{margin:0;font:1.125rem/1.6 Georgia,serif;color:#1b1e23;background:#fff}header,main,footer{max-width:44rem;"
    "margin:0 auto;padding:1rem}h1{font-size:2.25rem;line-height:1.2}nav a{margin-right:1rem}footer{color:#4b5056}"
)
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Ferries: the council votes on Thursday</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="/site.css">
{head}</head>
<body>
<header><nav><a href="#news">News</a><a href="#weather">Weather</a><a href="#tides">Tides</a></nav></header>
<main><h1>Ferries: the council votes on Thursday</h1>
{text}
</main>
<footer>Harbour News Trust, 1 Quay Street, Cork</footer>
{end}</body></html>
"""
_POLICY = """
[site]
name = "Harbour News"
controller = "Harbour News Trust, 1 Quay Street, Cork, Ireland"
contact = "privacy@harbour.example"
privacy_policy = "/privacy"
[[service]]
use = "donorbox"
[[service]]
use = "matomo"
provider = "Harbour News Trust"
country = "IE"
recipients = ["Harbour News Trust"]
processing_countries = ["IE"]
provider_retention = "13 months"
load = ["stats.harbour.example"]
[[service]]
use = "youtube"
"""
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}


@dataclass(frozen=True)
class Site:
    """Every notice's page below a path of its own, and the page alone."""

    origin: str

    def url(self, notice: Notice) -> str:
        """Where this notice's page is."""
        return f"{self.origin}/{'' if notice is BARE else notice.name + '/'}"


def sizes(body: bytes) -> tuple[int, int, int]:
    """Bytes raw, with gzip 9, with Brotli 11."""
    return len(body), len(_packed("gzip", body)), len(_packed("br", body))


@cache
def _packed(coding: str, body: bytes) -> bytes:
    return brotli.compress(body, quality=11) if coding == "br" else gzip.compress(body, 9, mtime=0)


class _Packing:
    """Packs what the application sends, as a server in front of it would; the same bytes only once."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        begun: list[Any] = []
        response = self._app(environ, lambda *line: begun.append(line))
        body = b"".join(response)
        if close := getattr(response, "close", None):
            close()
        status, fields = begun[0][:2]
        accepted = environ.get("HTTP_ACCEPT_ENCODING", "")
        coding = next((coding for coding in ("br", "gzip") if coding in accepted), "")
        fields = [(name, value) for name, value in fields if name.lower() != "content-length"]
        if coding and body:
            body = _packed(coding, body)
            fields.append(("Content-Encoding", coding))
        start_response(status, [*fields, ("Content-Length", str(len(body)))])
        return [body]


def _app(notice: Notice) -> Callable[..., Iterable[bytes]]:
    text = "\n".join(f"<p>{_WORDS * 2}</p>" for _ in range(8))
    page = _PAGE.format(head=notice.head, end=notice.end, text=text)
    folder = unpacked(notice.package) if notice.package else None
    if isinstance(folder, str):
        raise LookupError(f"{notice.package} could not be had from npm: {folder}")

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"].strip("/")
        if path in ("", "privacy"):
            body, kind = page.encode(), "text/html; charset=utf-8"
        elif path == "empty":
            body, kind = b"<!doctype html><title>Empty</title>", "text/html; charset=utf-8"
        elif path == "site.css":
            body, kind = _CSS.encode(), "text/css"
        elif path in notice.files:
            body, kind = notice.files[path].encode(), "text/javascript"
        elif folder and (file := folder / path).is_file() and file.resolve().is_relative_to(folder.resolve()):
            body, kind = file.read_bytes(), TYPES[file.suffix]
        else:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"not found"]
        start_response("200 OK", [("Content-Type", kind)])
        return [body]

    return answer


class _Silent(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_: object) -> None:
        """Requests are no news."""


def _serve(pipe: Connection) -> None:
    """Says the port, or what is missing, and serves until the other end of the pipe is closed."""
    with tempfile.TemporaryDirectory(prefix="notice-") as folder:
        policy = Path(folder) / "consent.toml"
        policy.write_text(_POLICY, "utf-8")
        try:
            apps = {f"/{notice.name}": _app(notice) for notice in (*OTHERS, OURS)}
        except LookupError as missing:
            pipe.send(str(missing))
            return
        log = f"sqlite:///{folder}/consent.db"
        apps[f"/{OURS.name}"] = ConsentMiddleware(apps[f"/{OURS.name}"], load(policy), secret_key="k" * 32, log=log)
        app = _Packing(DispatcherMiddleware(_app(BARE), apps))
        server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Silent)
        pipe.send(server.server_port)
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        with suppress(EOFError):
            pipe.recv()
        server.shutdown()
        thread.join()


@contextmanager
def running() -> Iterator[Site]:
    """The site on a free port of 127.0.0.1, in a process of its own; raises ``LookupError`` without the packages."""
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe()
    process = spawning.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    try:
        said = ours.recv()
        if isinstance(said, str):
            raise LookupError(said)
        yield Site(f"http://127.0.0.1:{said}")
    finally:
        ours.close()
        process.join(10)
