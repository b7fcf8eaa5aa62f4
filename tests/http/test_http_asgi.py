"""What only ASGI has: extensions that send files and hints, trailers, and an event loop that must not wait."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from consent import Policy, Service, StorageItem
from consent.asgi import ConsentMiddleware, to_request
from consent.decision import Artefact, Decision
from consent.policy import Site

PAGE = (
    b"<!doctype html><body><p>News.</p>" + b"<p>x</p>" * 20_000 + b'<script src="https://stats.example/a.js"></script>'
)
LIVE = b' src="https://stats.example'
HTML = [(b"content-type", b"text/html")]
TEXT = [(b"content-type", b"text/plain")]
EXTENSIONS = ("pathsend", "zerocopysend", "early_hint", "push", "trailers")


class SlowLog:
    """A log whose disk takes its time."""

    seconds = 0.0

    def archive(self, _: Artefact) -> None:
        time.sleep(self.seconds)

    def record(self, _: Decision, *, timeout: float) -> None:
        assert timeout <= 2
        time.sleep(self.seconds)

    def tally(self, what: str, detail: str = "") -> None:
        pass


def policy() -> Policy:
    stats = Service(
        key="stats", category="analytics", name="Statistics", purpose="Counts.", provider="Stats Ltd", country="IE",
        load=("stats.example",), gpc=True,
        storage=(StorageItem(name="_stats", days=30, lasts="30 days", purpose="id"),),
    )  # fmt: skip
    return Policy(site=Site(name="Harbour", controller="Harbour Trust", contact="p@h.example"), services=(stats,))


def wrap(app: Any, log: SlowLog | None = None) -> ConsentMiddleware:
    return ConsentMiddleware(app, policy(), secret_key="a secret of the tests", log=log or SlowLog())


def sending(*messages: dict[str, Any], seen: list[Any] | None = None) -> Any:
    async def app(scope: Any, _: Any, send: Any) -> None:
        if seen is not None:
            seen.append(scope["extensions"])
        for message in messages:
            await send(message)

    return app


async def ask(app: Any, path: str = "/", *, method: str = "GET", body: bytes = b"", **fields: str) -> list[Any]:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": method, "path": path, "query_string": b"", "scheme": "http",
        "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in ({"host": "news.example"} | fields).items()],
        "extensions": {f"http.response.{name}": {} for name in EXTENSIONS},
    }  # fmt: skip
    await app(scope, receive, send)
    return sent


def body_of(sent: list[Any]) -> bytes:
    return b"".join(message.get("body", b"") for message in sent)


def start(fields: list[tuple[bytes, bytes]], **more: Any) -> dict[str, Any]:
    return {"type": "http.response.start", "status": 200, "headers": fields, **more}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "page"
    path.write_bytes(PAGE)
    return path


def test_files_are_left_to_the_server_unless_they_are_pages(file: Path) -> None:
    whole = {"type": "http.response.pathsend", "path": str(file)}
    kept = asyncio.run(ask(wrap(sending(start(TEXT), whole))))
    assert kept[1:] == [whole]
    read = asyncio.run(ask(wrap(sending(start(HTML), whole))))
    assert {message["type"] for message in read[1:]} == {"http.response.body"}
    assert [message["more_body"] for message in read[1:]][-1] is False
    assert body_of(read).count(b"<p>x</p>") == 20_000
    assert LIVE not in body_of(read)
    assert len(read) > 3  # in pieces


@pytest.mark.parametrize("count", [None, 100, 70_000])
def test_parts_of_open_files_are_read_where_they_were_to_be_sent(file: Path, count: int | None) -> None:
    with file.open("rb") as opened:
        part = {"type": "http.response.zerocopysend", "file": opened, "offset": 33, "count": count, "more_body": True}
        last = {"type": "http.response.body", "body": b"<p>last</p>", "more_body": False}
        kept = asyncio.run(ask(wrap(sending(start(TEXT), part, last))))
        assert kept[1:] == [part, last]
        read = asyncio.run(ask(wrap(sending(start(HTML), part, last))))
    wanted = PAGE[33:] if count is None else PAGE[33 : 33 + count]
    assert body_of(read).count(b"<p>x") == wanted.count(b"<p>x")
    assert b"<p>last</p>" in body_of(read)
    assert LIVE not in body_of(read)


def test_head_reads_no_file() -> None:
    nowhere = {"type": "http.response.pathsend", "path": "/nowhere/at/all"}
    sent = asyncio.run(ask(wrap(sending(start(HTML), nowhere)), method="HEAD"))
    assert body_of(sent) == b""
    with pytest.raises(FileNotFoundError):
        asyncio.run(ask(wrap(sending(start(HTML), nowhere))))


def test_early_hints_name_nobody_who_is_refused() -> None:
    own, theirs = b"</a.css>; rel=preload; as=style", b"<https://stats.example/a.js>; rel=preload; as=script"
    anchored = b'<https://stats.example>; rel="preconnect"; anchor="https://news.example/"'
    hint = {"type": "http.response.early_hint", "links": [own, theirs, anchored]}
    only = {"type": "http.response.early_hint", "links": [theirs]}
    sent = asyncio.run(ask(wrap(sending(hint, only, start(HTML), {"type": "http.response.body"}))))
    assert [message["links"] for message in sent if message["type"] == "http.response.early_hint"] == [[own]]


@pytest.mark.parametrize("name", [b"Link ", b"LINK\t", b"link"])
def test_blanks_before_the_colon_hide_no_field(name: bytes) -> None:
    """Chromium passes over them; servers may too."""
    link, end = (name, b"<https://stats.example/a.js>; rel=preload; as=script"), {"type": "http.response.body"}
    sent = asyncio.run(ask(wrap(sending(start([*HTML, link]), end))))
    assert "stats.example" not in str(sent[0]["headers"])
    odd = [(b"X-Odd ", b"1")]
    sent = asyncio.run(ask(wrap(sending(start(odd + TEXT), end))))
    assert sent[0]["headers"] == [(b"x-odd", b"1"), *TEXT], "the control"


def test_other_hints_name_nobody_who_is_refused_either() -> None:
    own, theirs = (b"link", b"</a.css>; rel=preload; as=style"), (b"link", b"<https://stats.example/>; rel=preconnect")
    cookies = (b"set-cookie", b"_stats=1"), (b"set-cookie", b"own=1")
    hint = {"type": "http.response.informational", "status": 103, "headers": [own, theirs, *cookies]}
    only = hint | {"headers": [theirs]}
    sent = asyncio.run(ask(wrap(sending(hint, only, start(HTML), {"type": "http.response.body"}))))
    assert [message["headers"] for message in sent[:-2]] == [[own, cookies[1]]]


def connect(*messages: dict[str, Any], **more: Any) -> tuple[Any, list[Any]]:
    """What the application saw of a websocket's handshake, and what it sent."""
    seen: list[Any] = []
    sent: list[Any] = []

    async def app(scope: Any, _: Any, send: Any) -> None:
        seen.append(scope)
        for message in messages:
            await send(message)

    async def send(message: Any) -> None:
        sent.append(message)

    fields = [(b"host", b"news.example"), (b"cookie", b"own=1; _stats=2")]
    scope = {"type": "websocket", "path": "/live", "scheme": "wss", "headers": iter(fields), **more}
    asyncio.run(wrap(app)(scope, None, send))  # type: ignore[arg-type]
    return seen[0], sent


def test_a_websocket_carries_no_cookie_of_who_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    cookies = [(b"set-cookie", b"_stats=1"), (b"set-cookie", b"own=1")]
    accept, text = {"type": "websocket.accept", "headers": cookies}, {"type": "websocket.send", "text": "a"}
    scope, sent = connect(accept, text, {"type": "websocket.accept"})
    assert dict(scope["headers"])[b"cookie"] == b"own=1"
    assert sent == [accept | {"headers": cookies[1:]}, text, {"type": "websocket.accept"}]
    denied = {"type": "websocket.http.response.start", "status": 403, "headers": cookies}
    body = {"type": "websocket.http.response.body", "body": b"No."}
    assert connect(denied, body)[1] == [denied | {"headers": cookies[1:]}, body]
    monkeypatch.setenv("CONSENT_MODE", "observe")
    scope, sent = connect(accept)
    assert dict(scope["headers"])[b"cookie"] == b"own=1; _stats=2", "the control"
    assert sent == [accept]


def test_fields_may_be_read_once() -> None:
    seen: list[Any] = []

    async def app(scope: Any, _: Any, __: Any) -> None:
        seen.append(list(scope["headers"]))

    fields = [(b"host", b"news.example"), (b"accept", b"text/html")]
    scope = {"type": "http", "method": "GET", "path": "/", "headers": iter(fields)}
    asyncio.run(wrap(app)(scope, None, None))  # type: ignore[arg-type]
    assert seen == [fields]


@pytest.mark.parametrize(
    ("root", "path", "seen"),
    [
        ("/app", "/app/a", "/a"), ("/app", "/apple", "/apple"), ("/app", "/app", "/"), ("", "/a", "/a"),
        ("/app/", "/app/", "/"),
    ],
)
def test_a_mount_is_taken_off_whole(root: str, path: str, seen: str) -> None:
    scope = {"type": "http", "method": "GET", "path": path, "root_path": root, "headers": []}
    assert to_request(scope).path == seen


def test_hints_pass_whole_while_only_observing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSENT_MODE", "observe")
    hint = {"type": "http.response.early_hint", "links": [b"<https://stats.example/a.js>; rel=preload"]}
    assert asyncio.run(ask(wrap(sending(hint)))) == [hint]


def test_push_is_neither_offered_nor_sent() -> None:
    seen: list[Any] = []
    push = {"type": "http.response.push", "path": "/a.css", "headers": []}
    sent = asyncio.run(ask(wrap(sending(push, start(TEXT), {"type": "http.response.body"}, seen=seen))))
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert set(seen[0]) == {f"http.response.{name}" for name in EXTENSIONS} - {"http.response.push"}


def test_trailers_say_nothing_of_a_body_that_was_changed() -> None:
    end = {"type": "http.response.body", "body": PAGE}
    trailers = {
        "type": "http.response.trailers",
        "headers": [(b"Repr-Digest", b"sha-256=:x:"), (b"server-timing", b"a"), (b"x-\xe9", b"a")],
    }
    page = asyncio.run(ask(wrap(sending(start(HTML, trailers=True), end, trailers))))
    assert page[-1]["headers"] == [(b"server-timing", b"a"), (b"x-\xe9", b"a")]
    assert page[0]["trailers"] is True
    assert asyncio.run(ask(wrap(sending(start(TEXT, trailers=True), end, trailers))))[-1] == trailers


def test_messages_that_are_not_known_pass_as_they_are() -> None:
    debug = {"type": "http.response.debug", "info": {"template": "a"}}
    end = {"type": "http.response.body", "body": PAGE}
    assert debug in asyncio.run(ask(wrap(sending(start(HTML), debug, end))))


def answering_page() -> Any:
    return sending(start(HTML), {"type": "http.response.body", "body": PAGE})


async def longest_wait(*busy: Any) -> tuple[float, list[Any]]:
    """How long the event loop went without a turn while these were under way, and what they came to."""
    jobs = [asyncio.ensure_future(job) for job in busy]
    worst, last = 0.0, time.monotonic()
    while not all(job.done() for job in jobs):
        await asyncio.sleep(0.01)
        worst, last = max(worst, time.monotonic() - last), time.monotonic()
    return worst, [job.result() for job in jobs]


def test_others_are_served_while_the_log_is_slow() -> None:
    log = SlowLog()
    app = wrap(answering_page(), log)
    form = {"method": "POST", "content_type": "application/x-www-form-urlencoded", "sec_fetch_site": "same-origin"}

    async def story() -> tuple[float, float, list[Any]]:
        await ask(app)  # what is shown is archived
        log.seconds = 2.0
        posts = [ask(app, "/consent/", body=b"action=reject&next=/", **form) for _ in range(12)]

        async def reads() -> float:
            await asyncio.sleep(0.2)
            began = time.monotonic()
            for _ in range(10):
                assert b"data-consent-banner" in body_of(await ask(app))
            return time.monotonic() - began

        worst, (took, *answers) = await longest_wait(reads(), *posts)
        return worst, took, answers

    worst, took, answers = asyncio.run(story())
    assert all(sent[0]["status"] == 303 for sent in answers)
    assert worst < 1
    assert took < 1.5


@pytest.mark.parametrize("what", ["signal", "first page"])
def test_the_loop_turns_while_a_page_waits_for_the_log(what: str) -> None:
    log = SlowLog()
    app = wrap(answering_page(), log)
    from consent import Choice
    from consent.exchange import Request

    request = Request(method="GET", scheme="http", host="news.example", path="/")
    (_, field), = app.engine.jar.write(Choice.granting("stats"), request, today=app.engine.today())  # fmt: skip
    fields = {"cookie": field.partition(";")[0], "sec_gpc": "1"} if what == "signal" else {}
    log.seconds = 1.0
    began = time.monotonic()
    worst, (sent,) = asyncio.run(longest_wait(ask(app, **fields)))
    assert time.monotonic() - began >= 1  # the control: it did wait
    assert worst < 0.7
    assert sent[0]["status"] == 200


async def answered(messages: list[dict[str, Any]]) -> list[Any]:
    """What comes back where a refusal arrives in these messages."""
    sent: list[Any] = []
    waiting = iter(messages)

    async def receive() -> dict[str, Any]:
        return next(waiting)

    async def send(message: Any) -> None:
        sent.append(message)

    fields = {
        "host": "news.example", "content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin",
    }  # fmt: skip
    scope = {
        "type": "http", "method": "POST", "path": "/consent/", "query_string": b"", "scheme": "http",
        "headers": [(name.encode(), value.encode()) for name, value in fields.items()],
    }  # fmt: skip
    await wrap(sending())(scope, receive, send)
    return sent


def test_a_form_in_pieces_counts_and_one_that_breaks_off_does_not() -> None:
    first = {"type": "http.request", "body": b"action=rej", "more_body": True}
    whole = asyncio.run(answered([first, {"type": "http.request", "body": b"ect"}]))
    assert whole[0]["status"] == 303
    assert asyncio.run(answered([first, {"type": "http.disconnect"}]))[0]["status"] == 400


def test_a_form_that_is_too_large_is_not_read_to_its_end() -> None:
    endless = ({"type": "http.request", "body": b"a" * 65536, "more_body": True} for _ in range(10_000))
    messages = list(endless)
    assert asyncio.run(answered(messages))[0]["status"] == 400


@pytest.mark.parametrize("kind", ["lifespan", "something-new"])
def test_what_is_not_http_is_the_applications_alone(kind: str) -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope, receive, send))

    scope, receive, send = {"type": kind}, object(), object()
    asyncio.run(wrap(app)(scope, receive, send))  # type: ignore[arg-type]
    assert seen == [(scope, receive, send)]


@pytest.mark.parametrize("bodies", [[b""], [b"", b""], [b"<p>", b""]])
def test_a_page_ends_once_however_empty_its_pieces_are(bodies: list[bytes]) -> None:
    pieces = [{"type": "http.response.body", "body": body, "more_body": True} for body in bodies[:-1]]
    last = {"type": "http.response.body", "body": bodies[-1]}
    sent = asyncio.run(ask(wrap(sending(start(HTML), *pieces, last))))
    assert [message.get("more_body", False) for message in sent[1:]].count(False) == 1
    assert (body_of(sent) == b"") is (b"<p>" not in bodies)
    nothing = asyncio.run(
        ask(wrap(sending({"type": "http.response.start", "status": 200}, {"type": "http.response.body"})))
    )
    assert body_of(nothing) == b""
