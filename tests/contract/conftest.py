"""One site, served by each adapter: the suite in this folder runs over all of them."""

from __future__ import annotations

import asyncio
import io
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from wsgiref.validate import validator

import flask
import pytest

from consent import Policy, Service, StorageItem
from consent.asgi import ConsentMiddleware as AsgiMiddleware
from consent.decision import Artefact, Decision, Speech
from consent.engine import Engine
from consent.errors import NotRecorded
from consent.flask import Consent
from consent.policy import Ask, Site
from consent.wsgi import ConsentMiddleware as WsgiMiddleware

HTML = "text/html; charset=utf-8"
SECRET = "a secret of the tests"
ARTICLE = (
    b"<!doctype html><html lang=en><head><title>T</title></head><body><main><p>News.</p>"
    b'<script src="https://stats.example/js/a.js"></script>'
    b'<iframe width=560 height=315 src="https://www.youtube.com/embed/abc"></iframe></main></body></html>'
)


def service(key: str, category: str, host: str, cookie: str, **more: Any) -> Service:
    return Service(
        key=key,
        category=category,
        name=key.title(),
        purpose="Does what it says.",
        provider=f"{key.title()} Ltd",
        country="IE",
        load=(host,),
        storage=(StorageItem(name=cookie, days=30, lasts="30 days", purpose="visitor id"),),
        **more,
    )


def make_policy(*, market: str = "eu", **ask: Any) -> Policy:
    return Policy(
        site=Site(
            name="Harbour News", controller="Harbour News Trust", contact="privacy@harbour.example", market=market
        ),
        ask=Ask(**ask),
        services=(
            service("stats", "analytics", "stats.example", "_stats"),
            service("youtube", "video", "www.youtube.com", "YSC", gpc=True, embed="https://www.youtube.com/embed/{id}"),
            service("donate", "donations", "donate.example", "_donate", on_request=("/give",)),
        ),
    )


class Recording:
    """A log in memory that can be told to fail."""

    def __init__(self) -> None:
        self.decisions: list[Decision] = []
        self.artefacts: dict[str, Artefact] = {}
        self.failing = False
        self.order: list[str] = []
        self.counted: Counter[str] = Counter()

    def archive(self, artefact: Artefact) -> None:
        self._check()
        self.order.append("archive")
        self.artefacts[artefact.digest] = artefact

    def artefact(self, digest: str) -> Artefact | None:
        self._check()
        return self.artefacts.get(digest)

    def record(self, decision: Decision, *, timeout: float) -> None:
        assert 0 < timeout <= 2
        self._check()
        self.order.append("record")
        self.decisions.append(decision)

    def tally(self, what: str, detail: str = "") -> None:
        self.counted[f"{what} {detail}".strip()] += 1

    def receipt(self, receipt_id: str, form: str, *, speech: Speech) -> bytes | None:
        self._check()
        mine = [decision for decision in self.decisions if decision.receipt_id == receipt_id]
        said = speech.gettext("Allowed") if form == "text" else form
        return f"{said}: {', '.join(d.event for d in mine)}".encode() if mine else None

    def erase(self, receipt_id: str) -> bool:
        self._check()
        self.order.append("erase")
        before = len(self.decisions)
        self.decisions = [decision for decision in self.decisions if decision.receipt_id != receipt_id]
        return len(self.decisions) < before

    def _check(self) -> None:
        if self.failing:
            raise NotRecorded("the disk is full")


@dataclass
class Answer:
    """What the application answers on one path."""

    body: bytes | list[bytes] = b""
    status: int = 200
    fields: list[tuple[str, str]] = field(default_factory=lambda: [("Content-Type", HTML)])

    @property
    def pieces(self) -> list[bytes]:
        return self.body if isinstance(self.body, list) else [self.body]


@dataclass
class Reply:
    status: int
    fields: list[tuple[str, str]]
    body: bytes
    pieces: list[bytes] = field(default_factory=list)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def get(self, name: str) -> str | None:
        values = self.all(name)
        return values[0] if values else None

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def set_cookies(self) -> dict[str, str]:
        pairs = (value.partition(";")[0].partition("=") for value in self.all("set-cookie"))
        return {name: value for name, _, value in pairs}


class Served:
    """Sends requests to one adapter and remembers what the application saw."""

    def __init__(self, kind: str, pages: dict[str, Answer], make: Callable[[Served], Any]) -> None:
        self.kind = kind
        self.pages = pages
        self.seen: list[dict[str, str]] = []
        self.app = make(self)

    @property
    def engine(self) -> Engine:
        inner = self.app.extensions["consent"] if self.kind == "flask" else self.app
        return inner.engine  # type: ignore[no-any-return]

    def answer(self, path: str, fields: dict[str, str]) -> Answer:
        self.seen.append(fields)
        return self.pages.get(path, Answer(b"<!doctype html><title>none</title>", status=404))

    def get(
        self, path: str = "/", *, method: str = "GET", scheme: str = "http", root: str = "", **fields: str
    ) -> Reply:
        return self.send(method, path, b"", scheme=scheme, root=root, fields=fields)

    def post(
        self, form: dict[str, Any], *, path: str = "/consent/", scheme: str = "http", root: str = "", **fields: str
    ) -> Reply:
        fields = {"sec_fetch_site": "same-origin", "content_type": "application/x-www-form-urlencoded"} | fields
        fields = {name: value for name, value in fields.items() if value}
        return self.send("POST", path, urlencode(form, doseq=True).encode(), scheme=scheme, root=root, fields=fields)

    def send(self, method: str, target: str, body: bytes, *, scheme: str, root: str, fields: dict[str, str]) -> Reply:
        path, _, query = target.partition("?")
        headers = {name.replace("_", "-"): value for name, value in fields.items()}
        headers.setdefault("host", "news.example")
        client = headers.pop("client", "127.0.0.1")
        send = _send_asgi if self.kind == "asgi" else _send_wsgi
        return send(self.app, method, path, query, headers, body, scheme, root, client)


def _send_wsgi(
    app: Any,
    method: str,
    path: str,
    query: str,
    fields: dict[str, str],
    body: bytes,
    scheme: str,
    root: str,
    client: str,
) -> Reply:  # fmt: skip
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method, "SCRIPT_NAME": root, "PATH_INFO": path, "QUERY_STRING": query,
        "SERVER_NAME": "news.example", "SERVER_PORT": "443" if scheme == "https" else "80",
        "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.version": (1, 0), "wsgi.url_scheme": scheme,
        "wsgi.input": io.BytesIO(body), "wsgi.errors": sys.stderr, "wsgi.multithread": True,
        "wsgi.multiprocess": False, "wsgi.run_once": False, "REMOTE_ADDR": client,
    }  # fmt: skip
    if body:
        environ["CONTENT_LENGTH"] = str(len(body))
    for name, value in fields.items():
        environ["CONTENT_TYPE" if name == "content-type" else "HTTP_" + name.upper().replace("-", "_")] = value
    begun: dict[str, Any] = {}
    written: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> Callable[[bytes], Any]:
        begun.update(status=int(status[:3]), fields=headers)
        return written.append

    # The validator refuses applications that don't label their bodies, and there are such applications.
    checked = app if path.startswith("/unlabelled") else validator(app)
    result = checked(environ, start_response)
    try:
        pieces = list(result)
    finally:
        if hasattr(result, "close"):
            result.close()
    return Reply(begun["status"], begun["fields"], b"".join([*written, *pieces]), pieces)


def _send_asgi(
    app: Any,
    method: str,
    path: str,
    query: str,
    fields: dict[str, str],
    body: bytes,
    scheme: str,
    root: str,
    client: str,
) -> Reply:  # fmt: skip
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": scheme,
        "path": root + path, "root_path": root, "query_string": query.encode(), "server": ("news.example", 80),
        "client": (client, 50_000),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in fields.items()],
    }  # fmt: skip
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(dict(message))

    asyncio.run(app(scope, receive, send))
    start, *rest = sent
    pieces = [message.get("body", b"") for message in rest]
    raw = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]]
    return Reply(start["status"], raw, b"".join(pieces), [piece for piece in pieces if piece])


def _wsgi_app(site: Served) -> Any:
    def app(environ: dict[str, Any], start_response: Any) -> Any:
        fields = {k[5:].lower().replace("_", "-"): v for k, v in environ.items() if k.startswith("HTTP_")}
        answer = site.answer(environ["PATH_INFO"], fields)
        start_response(f"{answer.status} Status", list(answer.fields))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else answer.pieces

    return app


def _asgi_app(site: Served) -> Any:
    async def app(scope: Any, _: Any, send: Any) -> None:
        fields = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        answer = site.answer(scope["path"].removeprefix(scope["root_path"]), fields)
        raw = [(name.encode(), value.encode()) for name, value in answer.fields]
        await send({"type": "http.response.start", "status": answer.status, "headers": raw})
        if scope["method"] != "HEAD":
            for piece in answer.pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    return app


def _flask_app(site: Served) -> flask.Flask:
    app = flask.Flask(__name__, static_folder=None)
    app.config["SECRET_KEY"] = SECRET

    @app.route("/", defaults={"path": ""})
    @app.route("/<path:path>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    def page(path: str) -> flask.Response:
        answer = site.answer("/" + path, {k.lower(): v for k, v in flask.request.headers.items()})
        response = flask.Response(iter(answer.pieces), status=answer.status, mimetype=None, content_type=None)
        response.headers.clear()
        response.headers.extend(answer.fields)
        return response

    return app


@pytest.fixture(params=["wsgi", "asgi", "flask"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def log() -> Recording:
    return Recording()


@pytest.fixture
def make_site(kind: str, log: Recording) -> Callable[..., Served]:
    """Makes a site: ``make_site(pages, policy=…)``."""

    def make(
        pages: dict[str, Answer] | None = None, *, policy: Policy | None = None, https: bool | str = "auto"
    ) -> Served:
        policy = policy or make_policy()

        def build(site: Served) -> Any:
            if kind == "wsgi":
                return WsgiMiddleware(_wsgi_app(site), policy, secret_key=SECRET, log=log, https=https)
            if kind == "asgi":
                return AsgiMiddleware(_asgi_app(site), policy, secret_key=SECRET, log=log, https=https)
            app = _flask_app(site)
            app.config["CONSENT_HTTPS"] = https
            Consent(app, policy=policy, log=log)
            return app

        return Served(kind, pages if pages is not None else {"/": Answer(ARTICLE)}, build)

    return make


@pytest.fixture
def site(make_site: Callable[..., Served]) -> Served:
    return make_site()
