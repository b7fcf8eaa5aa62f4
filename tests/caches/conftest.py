"""A site behind caches as they are really used: Varnish and nginx with the configurations of the documentation."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from urllib.parse import urlencode
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest

from consent import Policy, Service
from consent.policy import Ask, Site
from consent.wsgi import ConsentMiddleware

HOWTO = Path(__file__).parents[2] / "docs" / "howto" / "shared-pages.md"
HOST = "news.example"
PAGE = (
    b"<!doctype html><html lang=en><head><title>T</title></head><body><p>News.</p>"
    b'<script src="https://stats.example/a.js"></script></body></html>'
)
LIVE = b' src="https://stats.example/a.js"'


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Origin:
    """The application's server, which counts the pages that it was asked for."""

    def __init__(self, wrap: Callable[[Any], Any]) -> None:
        self.asked = 0
        self.server = make_server("127.0.0.1", 0, wrap(self._page), server_class=_Server, handler_class=_Quiet)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def _page(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self.asked += 1
        fields = [("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "public, max-age=600")]
        start_response("200 OK", fields)
        name = environ.get("HTTP_COOKIE", "").partition("name=")[2]
        return [PAGE + f"<!-- {name} -->".encode() if "name=" in environ.get("HTTP_COOKIE", "") else PAGE]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Front:
    """Sends requests to the cache in front."""

    def __init__(self, port: int, origin: Origin) -> None:
        self.port = port
        self.origin = origin

    def get(self, path: str = "/", **fields: str) -> tuple[int, dict[str, str], bytes]:
        return self._send("GET", path, None, fields)

    def answer(self, action: str) -> str:
        """The jar of a visitor who answers the notice of the front page in this way."""
        shown = re.search(rb'name="?artefact"? value="?([0-9a-f]{64})', self.get()[2])
        assert shown
        form = urlencode({"action": action, "artefact": shown[1].decode(), "next": "/"})
        kind = "application/x-www-form-urlencoded"
        fields = {"sec_fetch_site": "same-origin", "content_type": kind}
        status, answered, body = self._send("POST", "/consent/", form.encode(), fields)
        assert status == 303, body
        return "; ".join(re.findall(r"((?:consent|consent-seen)=[^;,]+)", answered["set-cookie"]))

    def _send(
        self, method: str, path: str, body: bytes | None, fields: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {"Host": HOST, **{name.replace("_", "-"): value for name, value in fields.items()}}
        connection.request(method, path, body=body, headers=headers)
        reply = connection.getresponse()
        joined: dict[str, str] = {}
        for name, value in reply.getheaders():
            joined[name.lower()] = f"{joined[name.lower()]}, {value}" if name.lower() in joined else value
        data = reply.read()
        connection.close()
        return reply.status, joined, data


def documented(language: str) -> str:
    """The configuration that readers of the documentation copy."""
    found = re.search(rf"^```{language}\n(.*?)^```", HOWTO.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert found, language
    return found[1]


def make_site(pages: str) -> Callable[[Any], Any]:
    """Wraps an application in our middleware, with pages of this kind."""
    stats = Service(key="stats", category="analytics", name="S", purpose="Counts.", load=("stats.example",))
    policy = Policy(site=Site(name="N", controller="N Trust"), ask=Ask(pages=pages), services=(stats,))
    return lambda app: ConsentMiddleware(app, policy, secret_key="a secret of the tests", log="memory://")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _needed(program: str, package: str) -> str:
    path = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if path is None and os.environ.get("CONSENT_REQUIRE_CACHES"):
        pytest.fail(f"{program} is missing: install the Debian package {package}")
    if path is None:
        pytest.skip(f"{program} is missing, so nothing was tried behind it: install the Debian package {package}")
    return path


@contextmanager
def _running(command: list[str], port: int, folder: Path) -> Iterator[None]:
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        try:
            _await(port, process, folder / "output")
            yield
        finally:
            process.terminate()
            process.wait(10)


def _await(port: int, process: subprocess.Popen[bytes], output: Path) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(0.2)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(output.read_text("utf-8", "replace"))


def _varnish(origin: Origin, folder: Path, port: int, *, keeps_cookies: bool) -> list[str]:
    program = _needed("varnishd", "varnish")
    vcl = documented("vcl").replace('"8000"', f'"{origin.port}"')
    if keeps_cookies:  # caches what it is told it may, whoever asked
        vcl = vcl.replace("unset req.http.Cookie;", "return (hash);")
    (folder / "site.vcl").write_text(vcl, "utf-8")
    command = [program, "-F", "-j", "none", "-n", str(folder / "varnish"), "-a", f"127.0.0.1:{port}"]
    return [*command, "-f", str(folder / "site.vcl"), "-s", "malloc,16m"]


def _nginx(origin: Origin, folder: Path, port: int, *, keeps_cookies: bool) -> list[str]:
    del keeps_cookies  # nginx never looks at them
    program = _needed("nginx", "nginx-light")
    site = documented("nginx").replace("127.0.0.1:8000", f"127.0.0.1:{origin.port}")
    site = site.replace("listen 80", f"listen 127.0.0.1:{port}")
    site = site.replace("/var/cache/nginx/pages", str(folder / "pages"))
    kinds = ("client_body", "fastcgi", "proxy", "scgi", "uwsgi")
    rooms = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    conf = "user root;\n" if os.getuid() == 0 else ""
    conf += f"daemon off;\npid {folder}/pid;\nevents {{}}\nhttp {{\naccess_log off;\n{rooms}{site}}}\n"
    (folder / "nginx.conf").write_text(conf, "utf-8")
    return [program, "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]


@pytest.fixture(params=["varnish", "nginx"])
def behind(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Front]]:
    """Puts an origin behind this cache: ``behind(make_site("shared"))``."""
    command = {"varnish": _varnish, "nginx": _nginx}[request.param]
    undo: list[Callable[[], Any]] = []

    def start(wrap: Callable[[Any], Any], *, keeps_cookies: bool = False) -> Front:
        origin = Origin(wrap)
        undo.append(origin.close)
        port, folder = free_port(), tmp_path / str(len(undo))
        folder.mkdir(mode=0o755)
        running = _running(command(origin, folder, port, keeps_cookies=keeps_cookies), port, folder)
        running.__enter__()
        undo.append(lambda: running.__exit__(None, None, None))
        return Front(port, origin)

    try:
        yield start
    finally:
        for step in reversed(undo):
            step()
