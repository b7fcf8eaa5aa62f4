"""A visitor with a real browser in front of the demo, and what its stand-ins counted."""

from __future__ import annotations

import json
import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Frame, Page, Playwright, Request

from examples.flask_demo.ledger import WITH, WITHOUT, Contact
from examples.flask_demo.run import Demo
from tests.chromium import ARGUMENTS, program

ALL = {"youtube", "matomo", "donorbox"}
QUIET = 0.4  # seconds
VIDEO, OTHER_VIDEO, DONATE, FRONT = "/en/undersea-cables", "/en/space-debris", "/en/donate", "/en/"


def free_ports(count: int = 4) -> int:
    """The first of ``count`` ports in a row on which nobody listens."""
    for first in range(20_000 + os.getpid() % 2_500 * count, 60_000, count):
        sockets = [socket.socket() for _ in range(count)]
        try:
            for step, one in enumerate(sockets):
                one.bind(("127.0.0.1", first + step))
        except OSError:
            continue
        finally:
            for one in sockets:
                one.close()
        return first
    raise RuntimeError("no free ports")


class Visitor:
    """One browser profile that allows third-party cookies, as browsers without protection do."""

    def __init__(self, context: BrowserContext, demo: Demo) -> None:
        self.context = context
        self.demo = demo
        self.page: Page = context.pages[0]
        self._under_way: set[Request] = set()
        self._changed = time.monotonic()
        self.page.on("request", self._begins)
        self.page.on("requestfinished", self._ends)
        self.page.on("requestfailed", self._ends)

    def read(self, *paths: str) -> None:
        """Open these pages of the site that asks first, each until nothing is under way any more."""
        self._open(self.demo.site, paths)

    def read_plain(self, *paths: str) -> None:
        """The same on the twin, which doesn't ask."""
        self._open(self.demo.twin, paths)

    def _open(self, origin: str, paths: tuple[str, ...]) -> None:
        for path in paths:
            self._under_way.clear()
            self.page.goto(origin + path)
            self.settle()

    def settle(self) -> None:
        """Wait until the page has asked for nothing for a while and has had all it asked for; at most 5 seconds."""
        begun = time.monotonic()
        while (now := time.monotonic()) - begun < 5 and (self._under_way or now - max(begun, self._changed) < QUIET):
            self.page.wait_for_timeout(50)

    def third_party(self, path: str) -> Frame:
        """The frame of a third party whose address has this path in it, as soon as there is one; within 5 seconds."""
        for _ in range(100):
            for frame in self.page.frames:
                if path in urlsplit(frame.url).path:
                    return frame
            self.page.wait_for_timeout(50)
        raise AssertionError([frame.url for frame in self.page.frames])

    def _begins(self, request: Request) -> None:
        self._under_way.add(request)
        self._changed = time.monotonic()

    def _ends(self, request: Request) -> None:
        self._under_way.discard(request)
        self._changed = time.monotonic()

    def answer(self, action: str, *categories: str) -> None:
        """Tick these categories in the notice, press the button, and wait for the confirmation."""
        notice = self.page.locator("[data-consent-banner]")
        for category in categories:
            box = notice.locator(f"input[data-consent-category={category}]")
            if not box.is_visible():
                notice.locator("summary").first.click()
            box.check()
        notice.locator(f"[data-consent-action={action}]").click()
        self.page.get_by_text(re.compile("Hide this message|Diese Meldung ausblenden|Meldung ausblenden")).wait_for()
        self.settle()

    def contacts(self, via: str = WITH) -> list[Contact]:
        return [contact for contact in self.demo.ledger.contacts() if contact.via == via]

    def reached(self, via: str = WITH) -> set[str]:
        """The third parties that had a request from pages of this site."""
        return {contact.other for contact in self.contacts(via)}

    def forget(self) -> None:
        """Begin to count anew."""
        self.demo.ledger.clear()

    def cookies(self, host: str = "") -> dict[str, str]:
        """The cookies in the browser, on one host or all."""
        return {c["name"]: c["value"] for c in self.context.cookies() if not host or c["domain"].lstrip(".") == host}

    def control(self, *paths: str, script: bool = True, keys: set[str] = ALL) -> None:
        """The same pages without consentry, in this very profile, must reach everybody and leave and send cookies.

        Without it, a test that saw nothing would prove nothing: the browser itself could be the one that blocks.
        """
        self.forget()
        self.read_plain(*paths, *paths)
        assert self.reached(WITHOUT) == keys
        for key in keys:
            tally = self.demo.ledger.tally(key, WITHOUT)
            assert tally.requests >= 2
            assert tally.received >= 1, f"{key}: this browser sends no third-party cookies, so nothing was proved"
        jar = self.cookies("localhost")
        assert {name for name in ("VISITOR_INFO1_LIVE", "_pk_uid", "__stripe_mid") if name in jar} == {
            {"youtube": "VISITOR_INFO1_LIVE", "matomo": "_pk_uid", "donorbox": "__stripe_mid"}[key] for key in keys
        }
        assert ("_pk_id.1.1fff" in self.cookies("127.0.0.1")) == (script and "matomo" in keys)
        assert self.reached(WITH) == set()


@contextmanager
def arriving(
    playwright: Playwright,
    demo: Demo,
    profile: Path,
    *,
    arguments: tuple[str, ...] = (),
    **options: Any,
) -> Iterator[Visitor]:
    """A visitor with a fresh profile in ``profile``; ``options`` are Playwright's for the context."""
    settings = {"profile": {"cookie_controls_mode": 0, "block_third_party_cookies": False}}
    folder = profile / "Default"
    folder.mkdir(parents=True)
    (folder / "Preferences").write_text(json.dumps(settings))
    context = playwright.chromium.launch_persistent_context(
        str(profile),
        executable_path=program(),
        args=[*ARGUMENTS, *arguments],
        **{"viewport": {"width": 1280, "height": 900}, "locale": "en-GB", **options},
    )
    try:
        context.set_default_timeout(10_000)
        yield Visitor(context, demo)
    finally:
        context.close()
