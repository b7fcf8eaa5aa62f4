"""Every page there is, on a site with the strictest policy: ``default-src 'self'``, and Trusted Types required."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import WSGIRequestHandler, make_server

from consent import Policy, Service
from consent.policy import Ask, Site, StorageItem
from consent.wsgi import ConsentMiddleware

pytestmark = pytest.mark.browser
BANNER = "[data-consent-banner]"
HEARD = """document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI, sample }) =>
  console.error("VIOLATION", effectiveDirective, blockedURI, sample))"""
PAGE = """<!doctype html><html lang=en><head><title>T</title></head><body><main><h1>News</h1>
<script src="/stats/a.js"></script><script src="/stats/late.js" defer></script>
<script src="/stats/module.js" type="module"></script>
<iframe src="{third}/film/1" title="The ferry" width="560" height="315"></iframe>
<p>Text.</p></main><footer></footer></body></html>"""
BREACHES = {
    "/inline": PAGE.replace("<p>", "<script>window.ran = 1</script><p>"),
    "/sink": PAGE.replace("<p>", "<script src='/own/sink.js'></script><p>"),
}


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        pass


@dataclass
class Hosted:
    """The running site, and where its films come from."""

    origin: str
    third: str
    answer: Callable[..., Any]

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        return self.answer(environ, start_response)


def _app(third: str) -> Callable[..., list[bytes]]:
    policy = (
        f"default-src 'self'; frame-src 'self' {third}; require-trusted-types-for 'script'; trusted-types consentry"
    )

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        path, fields = environ["PATH_INFO"], [("Content-Type", "text/html; charset=utf-8")]
        if path.startswith("/film/"):
            start_response("200 OK", fields)
            return [b"<p>playing"]
        if path.endswith(".js"):
            start_response("200 OK", [("Content-Type", "text/javascript")])
            sink = "document.querySelector('h1').innerHTML = '<b>x</b>'"
            return [(sink if path == "/own/sink.js" else f"(window.ran ??= []).push('{path[7:-3]}')").encode()]
        start_response("200 OK", [*fields, ("Content-Security-Policy", policy)])
        return [BREACHES.get(path, PAGE).format(third=third).encode()]

    return app


@pytest.fixture(params=["personal", "shared"])
def site(request: pytest.FixtureRequest) -> Iterator[Hosted]:
    running = Hosted("", "", lambda *_: [])
    with make_server("127.0.0.1", 0, running, threaded=True, request_handler=_Quiet) as server:
        port = server.server_port
        running.origin, running.third = f"http://127.0.0.1:{port}", f"http://localhost:{port}"
        services = (
            Service(
                key="stats", category="analytics", name="Stats", purpose="Counts.", inline=("_stats.push(",),
                load=(f"127.0.0.1:{port}/stats/*",),
                storage=(StorageItem(name="seen", kind="local_storage", days=None, purpose="a count"),),
            ),
            Service(
                key="films", category="video", name="Films", purpose="Shows films.",
                load=(f"localhost:{port}/film/*",), embed=f"{running.third}/film/{{id}}",
            ),
        )  # fmt: skip
        policy = Policy(site=Site(name="N", controller="N Trust"), ask=Ask(pages=request.param), services=services)
        running.answer = ConsentMiddleware(
            _app(running.third), policy, secret_key="a secret of the tests", log="memory://"
        )
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield running
        server.shutdown()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    context.set_default_timeout(8_000)
    context.add_init_script(HEARD)
    yield context.new_page()
    context.close()


def breaches(page: Page) -> list[str]:
    """Everything that any document of this page breaks from now on."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.text.startswith("VIOLATION") else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def settled(page: Page) -> None:
    page.wait_for_load_state("networkidle")
    page.wait_for_function("() => window.consent")


def test_nothing_of_ours_breaks_the_strictest_policy_on_any_page(page: Page, site: Hosted) -> None:
    found, confirmation = breaches(page), page.locator("[data-consent-confirmation]")
    page.goto(f"{site.origin}/a")
    settled(page)
    assert page.evaluate("window.ran") is None
    page.locator("[data-consent-action=once]").click()
    film = page.frame_locator("iframe[name=cst-frame-1]").frame_locator("iframe")
    expect(film.get_by_text("playing")).to_be_visible()
    page.locator(f"{BANNER} [data-consent-action=accept]").click()
    expect(confirmation).to_contain_text("You have accepted all.")
    page.wait_for_function("() => window.ran?.length === 3")
    assert page.evaluate("window.ran") == ["a", "late", "module"]
    page.get_by_role("button", name="Hide this message").click()
    page.goto(f"{site.origin}/b")
    page.wait_for_function("() => window.ran?.length === 3")
    settled(page)
    assert any("/film/" in frame.url for frame in page.frames)
    for action, said in {
        "reject": "only what is necessary", "accept": "accepted all", "erase": "erased", "save": "saved",
    }.items():  # fmt: skip
        page.goto(f"{site.origin}/consent/?next=/c")
        settled(page)
        page.locator(f"main button[data-consent-action={action}]").last.click()
        expect(confirmation).to_contain_text(said)
        settled(page)
    page.context.clear_cookies()
    page.goto(f"{site.origin}/d")
    settled(page)
    page.locator("[data-consent-action=always]").click()
    expect(film.get_by_text("playing")).to_be_visible()
    query = urlencode({"service": "films", "url": f"{site.third}/film/1"})
    for path in ("/consent/embed?service=x&url=y", f"/consent/embed?{query}", "/consent/receipt?form=other"):
        page.goto(site.origin + path)
        page.wait_for_load_state("networkidle")
    assert found == []


@pytest.mark.parametrize(
    ("path", "directive"), [("/inline", "script-src-elem"), ("/sink", "require-trusted-types-for")]
)
def test_what_breaks_the_policy_is_heard(page: Page, site: Hosted, path: str, directive: str) -> None:
    found = breaches(page)
    page.goto(site.origin + path)
    settled(page)
    assert [breach.split()[:2] for breach in found if breach.startswith("VIOLATION")] == [["VIOLATION", directive]]


def test_our_own_pages_ask_for_trusted_types_of_themselves(page: Page, site: Hosted) -> None:
    found = breaches(page)
    page.goto(f"{site.origin}/consent/")
    settled(page)
    assert found == []
    with pytest.raises(Exception, match="TrustedHTML"):
        page.evaluate("document.body.innerHTML = '<b>x</b>'")
