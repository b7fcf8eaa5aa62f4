"""WSGI: translate a request and a response, and decide nothing (PEP 3333)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from consent import headers
from consent.body import Way
from consent.closing import Closing
from consent.decision import Recorder
from consent.engine import Engine
from consent.exchange import Request, Response
from consent.forms import LARGEST_BODY
from consent.headers import Fields
from consent.policy import Policy

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]


class Gateway:
    """Wraps a WSGI application; ``engine`` is called at each request, so that it may begin with the first."""

    def __init__(self, app: WSGIApplication, engine: Callable[[], Engine]) -> None:
        self.app = app
        self._engine = engine

    @property
    def engine(self) -> Engine:
        return self._engine()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer our own endpoints; pass everything else to the application and its response through the gate."""
        engine = self._engine()
        visit = engine.open(to_request(environ))
        if visit.endpoint is not None:
            response = engine.pages.answer(visit, read_body(environ) if visit.takes_body else b"")
            if response is not None:
                return send(response, environ, start_response)
            visit = engine.pass_on(visit)
        for name, value in engine.app_fields(visit).items():
            _replace(environ, "HTTP_" + name.upper().replace("-", "_"), value)
        environ["consent.visit"] = visit
        if hints := environ.get("wsgi.early_hints"):  # gunicorn's
            environ["wsgi.early_hints"] = partial(_hint, hints, partial(engine.closer.informational, visit))
        sending = _Sending(start_response, lambda status, fields: engine.close(visit, status, fields))
        wrapper = environ.get("wsgi.file_wrapper")
        body = self.app(environ, sending.start)
        if sending.closing is not None and sending.closing.body is None and _is_made(body, wrapper):
            return body  # by reference: wsgi.file_wrapper and len() keep working
        return _Gated(body, sending, is_head=environ["REQUEST_METHOD"] == "HEAD")


class ConsentMiddleware(Gateway):
    """Wraps a WSGI application so that nothing of a third party reaches a visitor who has not agreed to it.

    ``policy`` is a :class:`Policy` or the path of a ``consent.toml``; ``secret_key`` signs the choice cookie (a list
    rotates: the first signs, all verify); ``log`` is the consent log's URL (``sqlite:///…``, or ``memory://`` in
    tests); ``https=True`` says that visitors come by https though the server doesn't see it; ``templates`` is a folder
    whose files replace ours of the same name. Raises
    :class:`ConfigError` at start-up if any of them is wrong.
    """

    def __init__(
        self,
        app: WSGIApplication,
        policy: Policy | str | Path,
        *,
        secret_key: str | bytes | Sequence[str | bytes],
        log: str | Recorder | None,
        https: bool | str = "auto",
        debug: bool = False,
        templates: Path | None = None,
    ) -> None:
        engine = Engine.starting(policy, secret_key=secret_key, log=log, https=https, debug=debug, templates=templates)
        super().__init__(app, lambda: engine)


def to_request(environ: Mapping[str, Any]) -> Request:
    """The request as the engine sees it."""
    fields = _Fields(environ)
    host = environ.get("HTTP_HOST") or _server(environ)
    return Request(
        method=environ["REQUEST_METHOD"],
        scheme=environ["wsgi.url_scheme"],
        host=host,
        path=_text(environ.get("PATH_INFO", "")) or "/",
        root=_text(environ.get("SCRIPT_NAME", "")).rstrip("/"),
        query=environ.get("QUERY_STRING", ""),
        client=environ.get("REMOTE_ADDR", ""),
        fields=fields,
    )


@lru_cache(maxsize=256)
def _variable(name: str) -> str:
    return "CONTENT_TYPE" if name == "content-type" else "HTTP_" + name.upper().replace("-", "_")


class _Fields(Mapping[str, str]):
    """The request's fields as they stood in the environ, translated only when somebody asks for them."""

    __slots__ = ("_environ",)

    def __init__(self, environ: Mapping[str, Any]) -> None:
        self._environ = dict(environ)  # the application's is changed later

    def __getitem__(self, name: str) -> str:
        return str(self._environ[_variable(name)])

    def get(self, name: str, default: Any = None) -> Any:
        return self._environ.get(_variable(name), default)

    def __iter__(self) -> Iterator[str]:
        for variable in self._environ:
            if variable.startswith("HTTP_") or variable == "CONTENT_TYPE":
                yield variable.removeprefix("HTTP_").lower().replace("_", "-")

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _server(environ: Mapping[str, Any]) -> str:
    usual = {"http": "80", "https": "443"}.get(environ["wsgi.url_scheme"])
    name, port = environ["SERVER_NAME"], environ["SERVER_PORT"]
    return name if port == usual else f"{name}:{port}"


def _text(value: str) -> str:
    return value if value.isascii() else value.encode("latin-1").decode("utf-8", "replace")


def _replace(environ: WSGIEnvironment, variable: str, value: str) -> None:
    if value:
        environ[variable] = value
    else:
        environ.pop(variable, None)


def read_body(environ: WSGIEnvironment) -> bytes:
    """The body of a POST; empty for other methods, and for anything too large to be ours."""
    if environ["REQUEST_METHOD"] != "POST":
        return b""
    size = LARGEST_BODY + 1
    if length := environ.get("CONTENT_LENGTH"):
        if not (length.isascii() and length.isdigit() and int(length) < size):
            return b""
        size = int(length)
    elif not environ.get("wsgi.input_terminated"):  # it comes in chunks, and not every server says where it ends
        return b""
    body: bytes = environ["wsgi.input"].read(size)
    return body if len(body) <= LARGEST_BODY else b""


def send(response: Response, environ: Mapping[str, Any], start_response: StartResponse) -> list[bytes]:
    """Send one of our own responses."""
    start_response(response.status_line, response.sized)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [response.body]


def _is_made(body: Iterable[bytes], wrapper: object) -> bool:
    """Whether nothing of a body is still to be made: it is a file, or has a length.

    What is made while it is sent may fail before its first byte, and then start an error page in its place.
    """
    is_wrapped = isinstance(wrapper, type) and isinstance(body, wrapper)
    return is_wrapped or any(hasattr(body, name) for name in ("__len__", "read", "filelike"))


class _Sending:
    """Stands between the application and the server's ``start_response``."""

    def __init__(self, start_response: StartResponse, close: Callable[[int, list[tuple[str, str]]], Closing]) -> None:
        self._start_response = start_response
        self._close = close
        self.closing: Closing | None = None

    def start(
        self, status: str, fields: list[tuple[str, str]], exc_info: _ExcInfo | None = None, /
    ) -> Callable[[bytes], object]:
        closing = self._close(int(status[:3]), headers.named(fields))
        args = (exc_info,) if exc_info else ()
        write = self._start_response(status, closing.fields, *args)
        self.closing = closing  # not if the server raises: then the page that was begun goes on
        if closing.body is None:
            return write
        return partial(_write, write, closing.body)


def _hint(
    hints: Callable[[Fields], object], informational: Callable[[Fields], Fields], fields: Iterable[tuple[Any, Any]], /
) -> None:
    kept = informational(headers.named((_str(name), _str(value)) for name, value in fields))
    if kept:
        hints(kept)


def _str(text: str | bytes) -> str:
    return text.decode("latin-1") if isinstance(text, bytes) else text


def _write(write: Callable[[bytes], object], way: Way, data: bytes, /) -> None:
    for piece in way.feed(data):
        write(piece)


class _Gated:
    """The application's iterable, each piece through the gate; closes the application's when it is closed."""

    def __init__(self, body: Iterable[bytes], sending: _Sending, *, is_head: bool) -> None:
        self._body = body
        self._sending = sending
        self._is_head = is_head

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._body:
            closing = self._sending.closing
            # Also what is empty: a server must not be kept waiting for more of the application (PEP 3333).
            if closing is None or closing.body is None:
                yield piece
            else:
                yield from closing.body.feed(piece)
        closing = self._sending.closing
        if closing is not None and closing.body is not None and not self._is_head:
            rest = closing.body.close()
            if rest:
                yield rest

    def close(self) -> None:
        close = getattr(self._body, "close", None)
        if close is not None:
            close()
