"""Firefox and WebKit, driven from outside by what they have for it, with the standard library alone."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from glob import glob
from pathlib import Path
from typing import Any, Final, Protocol

import pytest

FIREFOX = os.environ.get("FIREFOX") or shutil.which("firefox-esr") or shutil.which("firefox")
WEBKIT = shutil.which("WebKitWebDriver")
MINIBROWSER = next(iter(sorted(glob("/usr/lib/*/webkit2gtk-*/MiniBrowser"))), None)
XVFB = shutil.which("Xvfb")
START: Final = 60  # seconds that a browser has to start on a busy machine
_KEY: Final = "element-6066-11e4-a52e-4f735466cecf"
_PREFERENCES: Final = {
    # What a driver would set for its own convenience stays as visitors have it: connections made ahead, for instance.
    "remote.prefs.recommended": False,
    "marionette.port": 0,
    "browser.aboutwelcome.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "browser.tabs.warnOnClose": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
    # The sites stand for ones with TLS, from which no link is looked up ahead and no picture asked for by TLS instead.
    "dom.prefetch_dns_for_anchor_http_document": False,
    "security.mixed_content.upgrade_display_content": False,
    "dom.security.https_first": False,
    "dom.security.https_first_schemeless": False,
    # Its own errands.
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.newtabpage.activity-stream.feeds.system.topstories": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.search.update": False,
    "extensions.getAddons.cache.enabled": False,
    "extensions.systemAddon.update.enabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
}


class NotDrivenError(Exception):
    """The browser would not do what it was told."""


class Driven(Protocol):
    """A browser that does as it is told."""

    def ask(self, command: str, **parameters: Any) -> Any:
        """Carry out a WebDriver command, named by the end of its path, in the window last turned to."""

    def close(self) -> None:
        """End it, and all that it started."""


def opened(browser: Driven) -> str:
    """A new window."""
    window: str = browser.ask("window/new", type="window")["handle"]
    return window


def turn(browser: Driven, window: str) -> None:
    browser.ask("window", handle=window)


def run(browser: Driven, script: str, *arguments: Any) -> Any:
    return browser.ask("execute/sync", script=script, args=list(arguments))


def click(browser: Driven, selector: str) -> None:
    """Click as a mouse does, whether or not the page may run scripts."""
    element = browser.ask("element", using="css selector", value=selector)[_KEY]
    browser.ask("click", element=element)


def picture(browser: Driven) -> bytes:
    return base64.b64decode(browser.ask("screenshot"))


def _ended(process: subprocess.Popen[bytes]) -> None:
    """End the process and its children, which have a group of their own."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(5)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


def _waited(what: Callable[[], Any], process: subprocess.Popen[bytes]) -> Any:
    until = time.monotonic() + START
    while time.monotonic() < until and process.poll() is None:
        try:
            if found := what():
                return found
        except (OSError, ValueError):
            pass
        time.sleep(0.05)
    _ended(process)
    raise NotDrivenError(f"{process.args!r} did not start")


class Firefox:
    """Firefox by Marionette: JSON behind its length, over a socket."""

    _COMMANDS: Final = {
        "window": "WebDriver:SwitchToWindow",
        "window/new": "WebDriver:NewWindow",
        "window/close": "WebDriver:CloseWindow",
        "window/rect": "WebDriver:SetWindowRect",
        "url": "WebDriver:Navigate",
        "current": "WebDriver:GetCurrentURL",
        "execute/sync": "WebDriver:ExecuteScript",
        "element": "WebDriver:FindElement",
        "click": "WebDriver:ElementClick",
        "frame": "WebDriver:SwitchToFrame",
        "screenshot": "WebDriver:TakeScreenshot",
        "source": "WebDriver:GetPageSource",
    }

    def __init__(self, folder: Path, *, script: bool = True, wait: str = "none", secure: Iterable[str] = ()) -> None:
        assert FIREFOX
        folder.mkdir(parents=True)
        preferences = {
            **_PREFERENCES,
            "javascript.enabled": script,
            "dom.securecontext.allowlist": ",".join(secure),
        }
        lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in preferences.items())
        (folder / "user.js").write_text("".join(lines), encoding="utf-8")
        self._process = subprocess.Popen(
            [FIREFOX, "--headless", "--no-remote", "--marionette", "--profile", str(folder)],
            env={**os.environ, "HOME": str(folder), "MOZ_CRASHREPORTER_DISABLE": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        port = _waited(lambda: int((folder / "MarionetteActivePort").read_text()), self._process)
        self._socket = _waited(lambda: socket.create_connection(("127.0.0.1", port), START), self._process)
        self._read = self._socket.makefile("rb")
        self._heard()
        self._asked = 0
        self._tell("WebDriver:NewSession", {"pageLoadStrategy": wait, "unhandledPromptBehavior": "accept"})

    def _heard(self) -> Any:
        length = b""
        while (byte := self._read.read(1)) not in (b":", b""):
            length += byte
        if not length:
            raise NotDrivenError("Firefox has ended")
        return json.loads(self._read.read(int(length)))

    def _tell(self, name: str, parameters: dict[str, Any]) -> Any:
        self._asked += 1
        message = json.dumps([0, self._asked, name, parameters]).encode()
        self._socket.sendall(b"%d:%b" % (len(message), message))
        _, _, error, result = self._heard()
        if error:
            raise NotDrivenError(f"{name}: {error['message']}")
        return result["value"] if isinstance(result, dict) and set(result) == {"value"} else result

    def ask(self, command: str, **parameters: Any) -> Any:
        if command == "click":
            parameters = {"id": parameters["element"]}
        return self._tell(self._COMMANDS[command], parameters)

    def close(self) -> None:
        self._socket.close()
        _ended(self._process)


class WebKit:
    """WebKitGTK's small browser by WebDriver, on a screen that nobody sees."""

    def __init__(self, folder: Path, *, script: bool = True, wait: str = "none", secure: Iterable[str] = ()) -> None:
        assert WEBKIT
        assert MINIBROWSER
        assert XVFB
        folder.mkdir(parents=True)
        del secure  # it takes no http site for a safe one
        reader, writer = os.pipe()
        self._screen = subprocess.Popen(
            [XVFB, "-displayfd", str(writer), "-screen", "0", "1280x2048x24", "-nolisten", "tcp"],
            pass_fds=[writer],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(writer)
        with os.fdopen(reader) as told:
            display = told.readline().strip()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self._process = subprocess.Popen(
            [WEBKIT, f"--port={self._port}"],
            env={
                **os.environ,
                "HOME": str(folder),
                "DISPLAY": f":{display}",
                "GDK_BACKEND": "x11",
                "LIBGL_ALWAYS_SOFTWARE": "1",
                "WEBKIT_DISABLE_DMABUF_RENDERER": "1",
                "GSETTINGS_BACKEND": "memory",
                "NO_AT_BRIDGE": "1",
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        _waited(lambda: self._tell("GET", "/status"), self._process)
        options = {"binary": MINIBROWSER, "args": ["--automation", *([] if script else ["--enable-javascript=false"])]}
        wanted = {"webkitgtk:browserOptions": options, "pageLoadStrategy": wait}
        begun = self._tell("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self._session = f"/session/{begun['sessionId']}/"

    def _tell(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self._port}{path}", data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=START) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise NotDrivenError(f"{path}: {error.read().decode(errors='replace')}") from None

    def ask(self, command: str, **parameters: Any) -> Any:
        if command == "click":
            command = f"element/{parameters.pop('element')}/click"
        if command == "window/close":
            return self._tell("DELETE", self._session + "window")
        if command in ("screenshot", "source"):
            return self._tell("GET", self._session + command)
        if command == "current":
            return self._tell("GET", self._session + "url")
        return self._tell("POST", self._session + command, parameters)

    def close(self) -> None:
        _ended(self._process)
        _ended(self._screen)


ENGINES: Final[dict[str, Callable[..., Driven]]] = {"firefox": Firefox, "webkit": WebKit}


def lacking(engine: str) -> str:
    """What is missing to drive this engine, and how to get it; empty if nothing is."""
    if engine == "firefox":
        return "" if FIREFOX else "Firefox is not here. On Debian: apt-get install firefox-esr"
    here = WEBKIT and MINIBROWSER and XVFB
    return "" if here else "WebKitGTK is not here. On Debian: apt-get install webkit2gtk-driver xvfb"


def demand(missing: str) -> None:
    """Skip the test if something is missing; fail it where nothing may be."""
    if missing and os.environ.get("CONSENT_REQUIRE_ENGINES"):
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)


def version(engine: str) -> str:
    """The engine and its version, for reports."""
    program = FIREFOX if engine == "firefox" else WEBKIT
    assert program
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip()
