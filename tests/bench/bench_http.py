"""What the middleware costs a response that isn't a page, under WSGI: wrapped beside bare, in the same run."""

from __future__ import annotations

import timeit
from collections.abc import Callable
from typing import Any

from consent import Choice, Policy, Service, StorageItem
from consent.exchange import Request
from consent.policy import Site
from consent.wsgi import ConsentMiddleware

CALLS = 5000
BODY = [b'{"news": []}']
ENVIRON = {
    "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/api/news", "QUERY_STRING": "page=1",
    "SERVER_NAME": "news.example", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http",
    "REMOTE_ADDR": "203.0.113.5", "HTTP_HOST": "news.example", "HTTP_USER_AGENT": "Mozilla/5.0", "HTTP_ACCEPT": "*/*",
    "HTTP_ACCEPT_LANGUAGE": "de,en;q=0.5", "HTTP_ACCEPT_ENCODING": "gzip, br", "HTTP_COOKIE": "session=abc; theme=dark",
    "HTTP_SEC_FETCH_DEST": "empty", "HTTP_SEC_FETCH_MODE": "cors", "HTTP_REFERER": "http://news.example/",
}  # fmt: skip


def bare(_: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", "12")])
    return BODY


def policy(services: int) -> Policy:
    return Policy(
        site=Site(name="Harbour", controller="Harbour Trust", contact="p@h.example"),
        services=tuple(
            Service(
                key=f"service-{n}", category="analytics", name=f"Service {n}", purpose="Counts.", provider="Stats Ltd",
                country="IE", load=(f"s{n}.example",),
                storage=(StorageItem(name=f"_s{n}", days=30, lasts="30 days", purpose="visitor id"),),
            )
            for n in range(services)
        ),
    )  # fmt: skip


def microseconds(call: Callable[[], object]) -> float:
    return min(timeit.repeat(call, number=CALLS, repeat=7)) / CALLS * 1e6


def main() -> None:
    def start_response(*_: Any) -> None:
        pass

    base = microseconds(lambda: bare(dict(ENVIRON), start_response))
    print(f"{'bare':44}{base:7.1f} µs")  # noqa: T201
    for services in (3, 41):
        app = ConsentMiddleware(bare, policy(services), secret_key="k" * 16, log="memory://")
        engine = app.engine
        request = Request(method="GET", scheme="http", host="news.example", path="/")
        everything = Choice.granting(*engine.policy.current.keys)
        ((_, field),) = engine.jar.write(everything, request, today=engine.today())
        for who, jar in (("no answer yet", ""), ("all granted", "; " + field.partition(";")[0])):
            environ = ENVIRON | {"HTTP_COOKIE": ENVIRON["HTTP_COOKIE"] + jar}
            assert app(dict(environ), start_response) is BODY
            cost = microseconds(lambda app=app, environ=environ: app(dict(environ), start_response))  # type: ignore[misc]
            print(f"{f'wrapped, {services} services, {who}':44}{cost:7.1f} µs{cost - base:9.1f} µs more")  # noqa: T201


if __name__ == "__main__":
    main()
