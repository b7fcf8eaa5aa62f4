"""What only WSGI has: write(), exc_info, iterables that close, and servers that must not wait (PEP 3333)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import BytesIO
from typing import Any
from wsgiref.util import FileWrapper, setup_testing_defaults

import pytest

from consent import Policy, Service
from consent.policy import Site
from consent.wsgi import ConsentMiddleware

HTML = [("Content-Type", "text/html; charset=utf-8")]
TEXT = [("Content-Type", "text/plain")]
LIVE = b' src="https://stats.example'
PAGE = b'<!doctype html><title>T</title><p>News.</p><script src="https://stats.example/a.js"></script><p>More.</p>'
POLICY = Policy(
    site=Site(name="Harbour", controller="Trust"),
    services=(Service(key="stats", category="analytics", name="S", purpose="Counts.", load=("stats.example",)),),
)


class Asked:
    """One request as a server makes it, and all that the application was asked and gave."""

    def __init__(self, app: Any, method: str = "GET", **more: Any) -> None:
        environ: dict[str, Any] = {"REQUEST_METHOD": method, **more}
        setup_testing_defaults(environ)
        self.started: list[tuple[str, list[tuple[str, str]]]] = []
        self.written: list[bytes] = []
        self.result = ConsentMiddleware(app, POLICY, secret_key="k" * 16, log="memory://")(environ, self.start)

    def start(self, status: str, fields: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
        if self.started and exc_info is None:
            raise AssertionError("started twice")
        if exc_info and any(self.written):
            raise exc_info[1]
        self.started.append((status, fields))
        return self.written.append

    def read(self) -> bytes:
        try:
            return b"".join([*self.written, *self.result])
        finally:
            if hasattr(self.result, "close"):
                self.result.close()


class Closing:
    """An iterable that counts how often it is closed, and may fail on its way."""

    def __init__(self, pieces: list[bytes], fails: bool = False) -> None:
        self._pieces = pieces
        self._fails = fails
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces
        if self._fails:
            raise RuntimeError("raised on purpose")

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("fields", [HTML, TEXT], ids=["page", "text"])
def test_what_the_application_returns_is_closed_once(fields: list[tuple[str, str]]) -> None:
    body = Closing([PAGE])

    def app(_: Any, start: Any) -> Closing:
        start("200 OK", fields)
        return body

    asked = Asked(app)
    assert body.closed == 0
    assert (LIVE in asked.read()) is (fields is TEXT)
    assert body.closed == 1


@pytest.mark.parametrize("fails", [True, False])
def test_a_page_that_breaks_off_is_closed_and_its_error_is_the_servers(fails: bool) -> None:
    body = Closing([PAGE, b"<p>Last</p><scr"], fails)

    def app(_: Any, start: Any) -> Closing:
        start("200 OK", HTML)
        return body

    asked = Asked(app)
    got: list[bytes] = []
    try:
        for piece in asked.result:
            got.append(piece)
    except RuntimeError:
        assert fails
    asked.result.close()  # type: ignore[attr-defined]
    assert body.closed == 1
    assert b"More." in b"".join(got)
    assert b"".join(got).endswith(b"<scr") is not fails  # what was held back isn't sent after an error
    assert LIVE not in b"".join(got)


def test_no_piece_of_the_application_is_waited_for_twice() -> None:
    made: list[int] = []

    def app(_: Any, start: Any) -> Iterator[bytes]:
        start("200 OK", HTML)
        for at in range(len(PAGE)):
            made.append(at)
            yield PAGE[at : at + 1]

    asked = Asked(app)
    pieces = iter(asked.result)
    for number in range(1, 40):
        assert isinstance(next(pieces), bytes)
        assert len(made) == number  # also where there is nothing to send yet
    assert LIVE not in b"".join(pieces)


def test_an_error_page_takes_the_place_of_a_page_that_was_begun() -> None:
    def app(_: Any, start: Any) -> list[bytes]:
        start("200 OK", [*TEXT, ("X-Half", "yes")])
        try:
            raise RuntimeError("raised on purpose")
        except RuntimeError:
            start("500 Error", HTML, sys.exc_info())
        return [PAGE]

    asked = Asked(app)
    assert LIVE not in asked.read()
    assert [status for status, _ in asked.started] == ["200 OK", "500 Error"]
    assert "x-half" not in {name.lower() for name, _ in asked.started[-1][1]}


def test_an_error_after_the_first_byte_is_raised_to_the_application() -> None:
    def app(_: Any, start: Any) -> list[bytes]:
        start("200 OK", HTML)(PAGE)
        try:
            raise KeyError("raised on purpose")
        except KeyError:
            start("500 Error", HTML, sys.exc_info())
        return []

    with pytest.raises(KeyError):
        Asked(app)


def test_a_page_that_could_not_be_replaced_goes_on_gated() -> None:
    """Against PEP 3333, the application goes on although the server told it that it can't begin again."""

    def app(_: Any, start: Any) -> Iterator[bytes]:
        start("200 OK", HTML)(PAGE[:40])
        try:
            raise KeyError("raised on purpose")
        except KeyError:
            with suppress(KeyError):
                start("500 Error", TEXT, sys.exc_info())
        yield PAGE[40:]

    got = Asked(app).read()
    assert b"More." in got
    assert LIVE not in got


HINT = [("Link", "<https://stats.example/a.js>; rel=preload; as=script"), ("Link", "</a.css>; rel=preload; as=style")]


@pytest.mark.parametrize("raw", [False, True], ids=["text", "bytes"])
def test_early_hints_name_nobody_who_is_refused(raw: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    fields: list[Any] = [(name.encode(), value.encode()) for name, value in HINT] if raw else list(HINT)

    def app(environ: Any, start: Any) -> list[bytes]:
        environ["wsgi.early_hints"](fields)
        environ["wsgi.early_hints"](fields[:1])
        start("200 OK", HTML)
        return [PAGE]

    sent: list[Any] = []
    Asked(app, **{"wsgi.early_hints": sent.append}).read()
    assert sent == [HINT[1:]]
    monkeypatch.setenv("CONSENT_MODE", "observe")
    sent.clear()
    Asked(app, **{"wsgi.early_hints": sent.append}).read()
    assert [len(fields) for fields in sent] == [2, 1], "the control"


REFUSING = b"action=reject"


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ({"CONTENT_LENGTH": str(len(REFUSING))}, "303"),
        ({"wsgi.input_terminated": True}, "303"),
        ({"CONTENT_LENGTH": "", "wsgi.input_terminated": True}, "303"),
        ({}, "400"),
        ({"CONTENT_LENGTH": "\N{SUPERSCRIPT TWO}"}, "400"),
        ({"CONTENT_LENGTH": "99999999"}, "400"),
        ({"wsgi.input_terminated": True, "wsgi.input": BytesIO(REFUSING + b"&a=" + b"a" * 99_999)}, "400"),
    ],
)
def test_an_answer_is_read_as_far_as_the_server_says(told: dict[str, Any], status: str) -> None:
    asked = Asked(None, "POST", **{
        "PATH_INFO": "/consent/", "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "HTTP_SEC_FETCH_SITE": "same-origin", "wsgi.input": BytesIO(REFUSING), **told,
    })  # fmt: skip
    assert asked.started[0][0].startswith(status)


def test_what_is_written_and_what_is_returned_is_one_page() -> None:
    head, tail = PAGE[:60], PAGE[60:]

    def app(_: Any, start: Any) -> list[bytes]:
        write = start("200 OK", HTML)
        write(head)
        write(b"")
        return [tail]

    got = Asked(app).read()
    assert LIVE not in got
    assert got.count(b"<p>More.</p>") == 1
    assert got.count(b"data-consent-banner") == 1


def test_a_response_may_be_started_with_its_first_piece() -> None:
    def late(_: Any, start: Any) -> Iterator[bytes]:
        start("200 OK", HTML)
        yield PAGE

    def text(_: Any, start: Any) -> Iterator[bytes]:
        start("200 OK", TEXT)
        yield PAGE

    assert LIVE not in Asked(late).read()
    assert Asked(text).read() == PAGE


class Wrapped(Closing):
    """What a server has for sending a file."""


@pytest.mark.parametrize("body", [[PAGE], BytesIO(PAGE), FileWrapper(BytesIO(PAGE)), Wrapped([PAGE])])
def test_what_is_no_page_is_returned_as_it_came(body: Any) -> None:
    def app(_: Any, start: Any) -> Any:
        start("200 OK", TEXT)
        return body

    def page(_: Any, start: Any) -> Any:
        start("200 OK", HTML)
        return body

    wrapper = {"wsgi.file_wrapper": Wrapped}
    assert Asked(app, **wrapper).result is body  # a file wrapper stays one
    assert Asked(page, **wrapper).result is not body


@pytest.mark.parametrize("fails", [True, False])
def test_an_error_page_may_take_the_place_of_what_is_no_page(fails: bool) -> None:
    """PEP 3333 lets an application begin anew as long as nothing was sent, also while its pieces are asked for."""

    def app(_: Any, start: Any) -> Iterator[bytes]:
        start("200 OK", TEXT)
        return pieces(start)

    def pieces(start: Any) -> Iterator[bytes]:
        try:
            if fails:
                raise RuntimeError("raised on purpose")
        except RuntimeError:
            start("500 Error", HTML, sys.exc_info())
        yield PAGE

    asked = Asked(app)
    assert (LIVE in asked.read()) is not fails
    assert len(asked.started) == 1 + fails


@pytest.mark.parametrize("name", ["Link ", "Link\t", "LINK"])
def test_blanks_before_the_colon_hide_no_field(name: str) -> None:
    """Chromium passes over them, and so does the server of the standard library."""
    hinted: list[Any] = []

    def app(environ: Any, start: Any) -> list[bytes]:
        environ["wsgi.early_hints"]([(name, HINT[0][1])])
        start("200 OK", [*HTML, (name, HINT[0][1]), ("X-Odd ", "1")])
        return [PAGE]

    fields = Asked(app, **{"wsgi.early_hints": hinted.append}).started[0][1]
    assert "stats.example" not in str(fields)
    assert ("X-Odd", "1") in fields, "the control"
    assert hinted == []


@pytest.mark.parametrize("pieces", [[], [b""], [b"", b""]])
def test_an_empty_page_stays_empty(pieces: list[bytes]) -> None:
    def app(_: Any, start: Any) -> list[bytes]:
        start("200 OK", HTML)
        return pieces

    assert Asked(app).read() == b""


def test_head_gets_the_fields_of_get_and_nothing_is_put_behind_them() -> None:
    def app(environ: dict[str, Any], start: Any) -> list[bytes]:
        start("200 OK", [*HTML, ("ETag", '"1"'), ("Content-Length", "99")])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [PAGE]

    head, get = Asked(app, "HEAD"), Asked(app)
    assert head.read() == b""
    assert get.read() != b""
    assert head.started == get.started
