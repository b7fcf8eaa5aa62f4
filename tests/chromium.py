"""The Chromium of the tests: where it is, and how it is started."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Playwright, sync_playwright

ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
_FOUND = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


def program() -> str:
    """The path of Chromium; a failed assertion says how to get one."""
    assert _FOUND, "The tests in a browser need Chromium. On Debian: apt-get install chromium"
    return _FOUND


def launch(playwright: Playwright, *arguments: str) -> Browser:
    """A Chromium with these arguments beside :data:`ARGUMENTS`, for the caller to close."""
    return playwright.chromium.launch(executable_path=program(), args=[*ARGUMENTS, *arguments])


@contextmanager
def launched() -> Iterator[Browser]:
    """A Chromium, with a Playwright of its own."""
    with sync_playwright() as playwright, launch(playwright) as browser:
        yield browser
