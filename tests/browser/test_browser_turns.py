"""Answers in two tabs at the same time: what the server was asked last holds, in both."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import pytest
from harbour_server import serving
from playwright.sync_api import Browser, BrowserContext, Page, expect

from consent import Policy, Service
from consent.policy import Site
from consent.wsgi import ConsentMiddleware

pytestmark = pytest.mark.browser

PAGE = (
    b"<!doctype html><html lang=en><head><title>News</title></head><body><main><h1>News</h1>"
    b'<iframe src="https://film.example/1" width=560 height=315></iframe></main></body></html>'
)
NO_LOCKS = "Object.defineProperty(navigator, 'locks', { value: undefined })"
NOTICE = "[data-consent-banner]"
PATIENCE = 3_000
"""Milliseconds for which an answer waits for another."""


def service(key: str, category: str) -> Service:
    return Service(
        key=key, category=category, name=key.title(), purpose="Does what it says.", provider=f"{key} Ltd", country="IE",
        load=(f"{key}.example",), embed="https://film.example/{id}" if key == "film" else "",
    )  # fmt: skip


POLICY = Policy(
    site=Site(name="Harbour", controller="Harbour Trust", contact="p@h.example"),
    services=(service("stats", "analytics"), service("film", "video")),
)


@dataclass
class Harbour:
    """A site that can keep one kind of answer waiting, before it is taken or after."""

    origin: str = ""
    taken: list[str] = field(default_factory=list)
    """The answers in the order in which the server took them."""
    held: str = ""
    hold_before: bool = False
    arrived: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)

    def hold(self, action: str, *, before: bool) -> None:
        self.held, self.hold_before = action, before

    def around(self, app: Any) -> Any:
        def outer(environ: dict[str, Any], start_response: Any) -> Any:
            if environ["REQUEST_METHOD"] != "POST":
                return app(environ, start_response)
            body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            environ["wsgi.input"] = io.BytesIO(body)
            action = parse_qs(body.decode())["action"][0]
            is_held = action == self.held
            if is_held and self.hold_before:
                self._wait()
            self.taken.append(action)
            answered: list[Any] = []
            pieces = list(app(environ, lambda *args: answered.append(args)))
            if is_held and not self.hold_before:
                self._wait()
            start_response(*answered[0])
            return pieces

        return outer

    def _wait(self) -> None:
        self.arrived.set()
        self.go_on.wait(20)


@pytest.fixture
def harbour() -> Iterator[Harbour]:
    def app(_: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
        return [PAGE]

    site = Harbour()
    whole = ConsentMiddleware(app, POLICY, secret_key="a secret of the tests", log="memory://")
    with serving(site.around(whole)) as port:
        site.origin = f"http://127.0.0.1:{port}"
        yield site
        site.go_on.set()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context() as opened:
        opened.set_default_timeout(10_000)
        yield opened


def tab(context: BrowserContext, harbour: Harbour, path: str = "/") -> Page:
    page = context.new_page()
    page.goto(harbour.origin + path)
    page.wait_for_function("() => window.consent")
    return page


def press(page: Page, action: str) -> None:
    """Press the button, and wait for nothing."""
    page.locator(f"[data-consent-action={action}]").first.evaluate("button => void setTimeout(() => button.click())")


def until(page: Page, harbour: Harbour, count: int) -> None:
    for _ in range(200):
        if len(harbour.taken) >= count:
            return
        page.wait_for_timeout(50)
    raise AssertionError(harbour.taken)


ALLOWED = "keys => window.consent && ['stats', 'film'].filter(key => consent.allows(key)).join() === keys.join()"


def kept(context: BrowserContext, harbour: Harbour) -> list[str]:
    """What the visitor's cookie grants, as the server reads it."""
    return sorted(context.request.get(f"{harbour.origin}/consent/state").json()["granted"])


def assert_settled(context: BrowserContext, harbour: Harbour, *pages: Page, on: list[str]) -> None:
    """What the visitor's cookie and each of these tabs say may run; all the same, once a busy browser has told them."""
    pages[0].wait_for_timeout(700)
    for page in pages:
        page.wait_for_function(ALLOWED, arg=on, polling=50)  # a tab behind another has no frames to wait for
    assert kept(context, harbour) == sorted(on)


BOTH_WAYS = pytest.mark.parametrize("before", [True, False], ids=["asking", "answering"])


@BOTH_WAYS
def test_a_refusal_waits_for_an_answer_that_is_under_way_elsewhere_and_wins(
    context: BrowserContext, harbour: Harbour, before: bool
) -> None:
    first, second = tab(context, harbour), tab(context, harbour)
    harbour.hold("accept", before=before)
    press(first, "accept")
    assert harbour.arrived.wait(10)
    press(second, "reject")
    expect(second.locator(f"{NOTICE} form")).to_have_attribute("aria-busy", "true")
    second.wait_for_timeout(500)
    assert harbour.taken == ([] if before else ["accept"])
    harbour.go_on.set()
    until(first, harbour, 2)
    assert harbour.taken == ["accept", "reject"]
    expect(second.locator(NOTICE)).to_have_count(0)
    assert_settled(context, harbour, second, on=[])
    first.goto(harbour.origin)  # its grant loads it again, and on its way it may not hear what the other tab says
    assert_settled(context, harbour, first, on=[])


@BOTH_WAYS
def test_a_withdrawal_on_the_settings_page_waits_and_wins_and_a_grant_given_there_is_waited_for(
    context: BrowserContext, harbour: Harbour, before: bool
) -> None:
    first, second = tab(context, harbour, "/consent/"), tab(context, harbour)
    second.locator("[data-consent-action=accept]").click()
    first.wait_for_function("() => window.consent && window.consent.allows('film')")
    second.goto(f"{harbour.origin}/consent/")
    first.goto(f"{harbour.origin}/consent/")
    harbour.hold("save", before=before)
    press(first, "save")
    assert harbour.arrived.wait(10)
    press(second, "withdraw")
    second.wait_for_timeout(500)
    assert "withdraw" not in harbour.taken
    harbour.go_on.set()
    until(first, harbour, 3)
    assert harbour.taken == ["accept", "save", "withdraw"]
    expect(second.locator("[data-consent-confirmation]")).to_contain_text("withdrawn")
    assert_settled(context, harbour, first, second, on=[])


@BOTH_WAYS
@pytest.mark.parametrize("path", ["/", "/consent/"])
def test_an_answer_that_hangs_is_given_up_for_the_refusal_that_waited(
    context: BrowserContext, harbour: Harbour, path: str, before: bool
) -> None:
    first, second = tab(context, harbour, path), tab(context, harbour)
    harbour.hold("accept", before=before)
    press(first, "accept")
    assert harbour.arrived.wait(10)
    press(second, "reject")
    second.wait_for_timeout(PATIENCE - 500)
    assert "reject" not in harbour.taken, "the control: it does wait"
    expect(second.locator(NOTICE)).to_have_count(0, timeout=3_000)
    assert "reject" in harbour.taken
    harbour.go_on.set()
    until(first, harbour, 2)
    first.wait_for_timeout(300)
    assert_settled(context, harbour, first, second, on=[])
    expect(first.locator("[role=alert]")).to_have_count(0)


def test_a_tab_that_is_told_of_a_withdrawal_finishes_its_own_answer_first(
    context: BrowserContext, harbour: Harbour
) -> None:
    """Without locks, as on plain HTTP, nobody waits; then what the server takes last is what this tab asked."""
    context.add_init_script(NO_LOCKS)
    first = tab(context, harbour)
    first.locator(f"{NOTICE} [data-consent-category=analytics]").check()
    first.locator(f"{NOTICE} [data-consent-action=save]").click()
    first.wait_for_function("() => window.consent && window.consent.allows('stats')")
    second = tab(context, harbour, "/consent/")
    first.bring_to_front()
    first.wait_for_load_state()
    harbour.hold("always", before=True)
    press(first, "always")
    assert harbour.arrived.wait(10)
    press(second, "withdraw")
    expect(second.locator("[data-consent-confirmation]")).to_contain_text("withdrawn")
    first.wait_for_timeout(500)
    harbour.go_on.set()
    until(first, harbour, 3)
    assert harbour.taken == ["save", "withdraw", "always"]
    assert_settled(context, harbour, first, second, on=["stats", "film"])  # all that held when this was asked
