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
    """A test client's cookies, as far as `grant` needs them."""

    cookie = ""

    def set_cookie(self, name: str, value: str, *, secure: bool, **_: object) -> None:
        if not secure:
            self.cookie = f"{name}={value}"


jar = Jar()
grant(jar, "matomo", app=WRAPPED)
assert "Statistics are off." in get(APP)
assert "Statistics are on." in get(APP, jar.cookie)
assert "data-consent-banner" in get(WRAPPED)
