"""Real servers on free ports, each with the application of ``servers_app`` in a process of its own."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from servers_app import ARTICLE

HERE = Path(__file__).parent
GUNICORN = ["-m", "gunicorn", "--no-control-socket", "--error-logfile", "-", "--log-level", "warning", "--bind"]
UVICORN = ["-m", "uvicorn", "--factory", "servers_app:asgi", "--log-level", "warning", "--ws", "wsproto", "--port"]
HYPERCORN = ["-m", "hypercorn", "--log-level", "warning", "--bind"]
COMMANDS = {
    "gunicorn sync": [*GUNICORN, "ADDRESS", "--worker-class", "sync", "servers_app:wsgi()"],
    "gunicorn gthread": [*GUNICORN, "ADDRESS", "--worker-class", "gthread", "--threads", "4", "servers_app:wsgi()"],
    "gunicorn preload": [
        *GUNICORN, "ADDRESS", "--preload", "--workers", "2", "--worker-class", "gthread", "--threads", "2",
        "servers_app:wsgi()",
    ],
    "uvicorn": [*UVICORN, "PORT"],
    "hypercorn": [*HYPERCORN, "ADDRESS", "servers_hypercorn:app"],
}  # fmt: skip
WSGI = [name for name in COMMANDS if name.startswith("gunicorn")]
ASGI = [name for name in COMMANDS if not name.startswith("gunicorn")]


@dataclass
class Reply:
    status: int
    fields: list[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key.lower() == name]

    def get(self, name: str) -> str | None:
        return next(iter(self.all(name)), None)


class Server:
    """A server that was started, and how to talk to it."""

    def __init__(self, name: str, port: int, root: Path, process: subprocess.Popen[bytes]) -> None:
        self.name, self.port, self.root, self.process = name, port, root, process
        self._read = 0

    @property
    def is_wsgi(self) -> bool:
        return self.name in WSGI

    def get(self, path: str = "/", *, method: str = "GET", body: bytes | None = None, **fields: str) -> Reply:
        """One request over a connection of its own; field names are written with underscores."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"Host": "news.example"} | {key.replace("_", "-"): value for key, value in fields.items()}
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return Reply(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()

    def connect(self, request: bytes) -> socket.socket:
        """A raw connection on which these bytes were sent."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        connection.sendall(request)
        return connection

    def accept(self) -> str:
        """The jar of a visitor who accepts all."""
        shown = re.search(rb'name="?artefact"? value="?([0-9a-f]{64})', self.get().body)
        assert shown
        form = urlencode({"action": "accept", "artefact": shown[1].decode(), "next": "/"}).encode()
        reply = self.get(
            "/consent/", method="POST", body=form, Content_Type="application/x-www-form-urlencoded",
            Sec_Fetch_Site="same-origin",
        )  # fmt: skip
        assert reply.status == 303
        return "; ".join(value.partition(";")[0] for value in reply.all("set-cookie") if value.startswith("consent="))

    def release(self, name: str) -> None:
        """Let go what waits for this file."""
        (self.root / name).touch()

    def says(self, name: str, *, within: float = 10) -> bool:
        """Whether the application has made this file."""
        end = time.monotonic() + within
        while not (self.root / name).exists():
            if time.monotonic() > end:
                return False
            time.sleep(0.01)
        return True

    def complaints(self) -> str:
        """What the server wrote since this was last asked."""
        text = (self.root / "stderr").read_text("utf-8", "replace")
        new, self._read = text[self._read :], len(text)
        return new


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def started(make_folder: Callable[[str], Path]) -> Iterator[dict[str, Server]]:
    """All of them, started together so that they get ready together."""
    running: dict[str, Server] = {}
    for name, command in COMMANDS.items():
        root, port = make_folder(name.replace(" ", "-")), free_port()
        (root / "article.html").write_bytes(ARTICLE)
        words = [word.replace("ADDRESS", f"127.0.0.1:{port}").replace("PORT", str(port)) for word in command]
        paths = os.pathsep.join([str(HERE), str(HERE.parents[1])])
        with (root / "stderr").open("wb") as complaints:
            process = subprocess.Popen(
                [sys.executable, *words], cwd=HERE, stderr=complaints, stdout=complaints,
                env=os.environ | {"SERVERS_ROOT": str(root), "PYTHONPATH": paths},
            )  # fmt: skip
        running[name] = Server(name, port, root, process)
    try:
        for server in running.values():
            _wait_until_ready(server)
        yield running
    finally:
        for server in running.values():
            server.process.send_signal(signal.SIGTERM)
        for server in running.values():
            try:
                server.process.wait(10)
            except subprocess.TimeoutExpired:
                server.process.kill()
                server.process.wait()


def _wait_until_ready(server: Server) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            assert server.get("/facts").status == 200
        except OSError:
            assert server.process.poll() is None, server.complaints()
            assert time.monotonic() < end, server.complaints()
            time.sleep(0.05)
        else:
            return
