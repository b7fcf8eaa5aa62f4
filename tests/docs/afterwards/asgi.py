"""Both applications of the guide answer a request, and the first one follows a grant."""

import asyncio

from consent.testing import grant

APP, WRAPPED = app, wrapped  # noqa: F821 — the page's own


def get(application: object, cookie: str = "") -> str:
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": "/", "raw_path": b"/", "query_string": b"", "root_path": "", "server": ("localhost", 80),
        "headers": [(b"host", b"localhost"), (b"sec-fetch-dest", b"document"), (b"cookie", cookie.encode())],
        "state": {},
    }  # fmt: skip
    sent = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    asyncio.run(application(scope, receive, send))
    assert sent[0]["status"] == 200
    return b"".join(message.get("body", b"") for message in sent).decode()


class Jar:
    def set_cookie(self, name: str, value: str, **_: object) -> None:
        self.cookie = f"{name}={value}"


assert "Statistics are off." in get(APP)
assert "data-consent-banner" in get(WRAPPED)
jar = Jar()
engine = APP.middleware_stack.app.engine
cookies = []
from consent.choice import Choice  # noqa: E402
from consent.exchange import Request  # noqa: E402

request = Request(method="GET", scheme="http", host="localhost", path="/")
((_, field),) = engine.jar.write(Choice.granting("matomo"), request, today=engine.today())
assert "Statistics are on." in get(APP, field.partition(";")[0])
