"""The applications of the guide answer a request, the first ones follow a grant, and Quart's says its language."""

import asyncio

from consent.testing import grant

APP, WRAPPED, QUART = app, wrapped, quart_app  # noqa: F821 — the page's own


def get(application: object, cookie: str = "", query: str = "") -> str:
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": "/", "raw_path": b"/", "query_string": query.encode(), "root_path": "", "server": ("localhost", 80),
        "headers": [(b"host", b"localhost"), (b"sec-fetch-dest", b"document"), (b"cookie", cookie.encode())],
        "state": {},
    }  # fmt: skip
    sent = []

    asked = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> dict[str, object]:
        return next(asked, None) or await asyncio.Future()  # nothing more comes, and nobody hangs up

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
assert "Statistics are off." in get(QUART)
assert "Statistics are on." in get(QUART, jar.cookie)
assert "Alle akzeptieren" in get(QUART, query="lang=de")
assert "Accept all" in get(QUART, query="lang=en")
