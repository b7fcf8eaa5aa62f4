"""A real Chromium, with third-party cookies allowed, against the demo and its stand-ins for the third parties."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, sync_playwright

from examples.flask_demo.ledger import WITH, WITHOUT
from examples.flask_demo.run import Demo

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run",
]  # fmt: skip
OTHERS = ("youtube", "matomo", "donorbox")
FILM = "/en/undersea-cables"
SETTLE = 600  # milliseconds in which whatever a page still wants to load has begun


def browser_path() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    assert found, "The browser tests need Chromium. On Debian: apt-get install chromium"
    return found


def free_ports(count: int) -> int:
    """The first of ``count`` free ports in a row."""
    for first in range(15_000, 60_000, 100):
        sockets = []
        try:
            for port in range(first, first + count):
                sockets.append(socket.socket())
                sockets[-1].bind(("127.0.0.1", port))
        except OSError:
            continue
        else:
            return first
        finally:
            for each in sockets:
                each.close()
    raise AssertionError("no free ports")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with Demo(free_ports(4), instance=tmp_path_factory.mktemp("instance")) as running:
        yield running


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


class Visitor:
    """One browser profile, and what the third parties have seen of it."""

    def __init__(self, demo: Demo, context: BrowserContext) -> None:
        self.demo = demo
        self.context = context
        self.page: Page = context.pages[0] if context.pages else context.new_page()

    def go(self, path: str, *, twin: bool = False) -> None:
        self.page.goto((self.demo.twin if twin else self.demo.site) + path)
        self.page.wait_for_timeout(SETTLE)

    def click(self, action: str, within: str = "body") -> None:
        self.page.locator(f"{within} [data-consent-action={action}]:visible").first.click()
        self.page.wait_for_timeout(2 * SETTLE)

    def tick(self, category: str) -> None:
        self.page.locator(f"[data-consent-banner] [data-consent-category={category}]").check()

    def seen(self) -> dict[str, tuple[int, int]]:
        """Per third party, the requests and the cookies sent along or set, since the last :meth:`forget`."""
        return self._seen(WITH)

    def seen_without(self) -> dict[str, tuple[int, int]]:
        return self._seen(WITHOUT)

    def _seen(self, via: str) -> dict[str, tuple[int, int]]:
        tallies = {other: self.demo.ledger.tally(other, via) for other in OTHERS}
        return {o: (t.requests, t.received + t.given) for o, t in tallies.items() if t.requests}

    def forget(self) -> None:
        self.demo.ledger.clear()

    def choice(self) -> str | None:
        return next((c["value"] for c in self.context.cookies(self.demo.site) if c["name"] == "consent"), None)

    def reaches(self, path: str) -> set[str]:
        """Which third parties a fresh load of this page reaches."""
        self.forget()
        self.go(path)
        return set(self.seen())

    def control(self, path: str, *others: str) -> None:
        """The same page without consentry, in the same profile: these must see the request *and* a cookie."""
        self.forget()
        self.go(path, twin=True)
        seen = self.seen_without()
        assert {other for other in others if seen.get(other, (0, 0))[1] > 0} == set(others), seen


@pytest.fixture
def visitors(demo: Demo, playwright: Playwright, tmp_path: Path) -> Iterator[Callable[..., Visitor]]:
    """Makes visitors: ``visitors(java_script_enabled=False, locale="de-DE", …)``."""
    contexts: list[BrowserContext] = []

    def make(flags: tuple[str, ...] = (), **options: Any) -> Visitor:
        profile = tmp_path / f"profile-{len(contexts)}"
        (profile / "Default").mkdir(parents=True)
        allowed = {"cookie_controls_mode": 0, "block_third_party_cookies": False}
        (profile / "Default" / "Preferences").write_text(json.dumps({"profile": allowed}))
        contexts.append(
            playwright.chromium.launch_persistent_context(
                str(profile),
                executable_path=browser_path(),
                args=[*FLAGS, *flags],
                headless=True,
                **({"viewport": {"width": 1280, "height": 900}, "locale": "en-GB"} | options),
            )  # fmt: skip
        )
        demo.ledger.clear()
        return Visitor(demo, contexts[-1])

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def visitor(visitors: Callable[..., Visitor]) -> Visitor:
    return visitors()
