"""A picture that a browser has kept is gated once somebody opens it, whether or not the browser says what it wants."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from harbour_server import serving
from playwright.sync_api import Browser

from consent import Policy, Service
from consent.policy import Site
from consent.wsgi import ConsentMiddleware

pytestmark = pytest.mark.browser

PICTURE = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="https://stats.example/x.png"/></svg>'
)
LIVE = ' href="https://stats.example'
STATS = Service(
    key="stats", category="analytics", name="Statistics", purpose="Counts.", provider="Stats Ltd", country="IE",
    load=("stats.example",),
)  # fmt: skip
POLICY = Policy(site=Site(name="Harbour", controller="Harbour Trust", contact="p@h.example"), services=(STATS,))


@contextmanager
def harbour(*, wrapped: bool) -> Iterator[tuple[int, list[str]]]:
    """A site with one picture, and the paths that it was asked for."""
    asked: list[str] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        asked.append(environ["PATH_INFO"])
        is_picture = environ["PATH_INFO"] == "/a.svg"
        kept = ("Cache-Control", "public, max-age=600" if is_picture else "no-store")
        start_response("200 OK", [("Content-Type", "image/svg+xml" if is_picture else "text/html"), kept])
        return [PICTURE if is_picture else b"<!doctype html><html><body><img src=/a.svg>"]

    whole = ConsentMiddleware(app, POLICY, secret_key="a secret of the tests", log="memory://") if wrapped else app
    with serving(whole) as port:
        yield port, asked


@pytest.mark.parametrize("host", ["127.0.0.1", "news.example"])  # the second isn't told what a file is wanted for
def test_a_kept_picture_is_gated_when_it_is_opened(browser: Browser, host: str) -> None:
    for wrapped in (True, False):
        with harbour(wrapped=wrapped) as (port, asked), browser.new_page() as page:
            site = f"http://{host}:{port}"
            page.goto(f"{site}/")
            page.goto(f"{site}/again")
            assert page.evaluate("document.images[0].complete && document.images[0].naturalWidth") == 9
            assert asked.count("/a.svg") == 1, "the browser has kept it as a picture"
            page.goto(f"{site}/a.svg")
            assert (LIVE in page.content()) is not wrapped
            assert asked.count("/a.svg") == (2 if wrapped else 1)  # the control: without us it comes from the cache
