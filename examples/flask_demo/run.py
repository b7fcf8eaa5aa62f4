"""Starts the demo: the site with consentry, the same site without, and stand-ins for the third parties."""

from __future__ import annotations

import argparse
import errno
import sys
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from examples.flask_demo.app import create_app
from examples.flask_demo.ledger import WITH, WITHOUT, Ledger
from examples.flask_demo.others import StandIns

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

HOST = "127.0.0.1"
ELSEWHERE = "localhost"  # the same machine, but to a browser another site


class Quiet(WSGIRequestHandler):
    """Says nothing about requests: a line for each would bury the addresses. Errors are still told."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


class Demo:
    """Four servers on this machine from ``port`` on; two with ``live``, where the real services take the visitors.

    Raises ``OSError`` with the port in ``filename`` when one is taken; what was opened by then is closed again.
    """

    def __init__(self, port: int = 5000, *, live: bool = False, instance: Path | None = None) -> None:
        self.site, self.twin = (f"http://{HOST}:{port + step}" for step in (0, 1))
        elsewhere = {via: f"http://{ELSEWHERE}:{port + step}" for step, via in ((2, WITH), (3, WITHOUT))}
        self.stand_ins = {} if live else elsewhere
        self.ledger = Ledger()
        self._servers: list[BaseWSGIServer] = []
        try:
            for step, via in enumerate((WITH, WITHOUT)):
                app = create_app(
                    asks_first=via == WITH,
                    stand_ins=self.stand_ins.get(via, ""),
                    ledger=None if live else self.ledger,
                    twin=self.twin if via == WITH else self.site,
                    instance=instance,
                )
                self._listen(port + step, app)
                if not live:
                    self._listen(port + 2 + step, StandIns(self.ledger, via=via))
        except BaseException:
            self.stop()
            raise
        self._threads = [Thread(target=server.serve_forever, daemon=True) for server in self._servers]

    def __enter__(self) -> Demo:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.shutdown()
        self.stop()

    def wait(self) -> None:
        """Serve until interrupted."""
        for thread in self._threads:
            thread.join()

    def stop(self) -> None:
        """Let go of the ports."""
        for server in self._servers:
            server.server_close()

    def _listen(self, port: int, app: WSGIApplication) -> None:
        try:
            self._servers.append(make_server(HOST, port, app, threaded=True, request_handler=Quiet))
        except SystemExit as exit_:  # werkzeug's way of saying that a port is taken
            raise OSError(errno.EADDRINUSE, "taken", str(port)) from exit_


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit status: 0 when stopped by Ctrl-C, 1 when a port is taken."""
    parser = argparse.ArgumentParser(prog="flask_demo", description=__doc__)
    parser.add_argument("--port", type=int, default=5000, help="the first of four ports in a row (default 5000)")
    parser.add_argument("--live", action="store_true", help="use the real services instead of the stand-ins")
    options = parser.parse_args(arguments)
    try:
        demo = Demo(options.port, live=options.live)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        print(f"Port {error.filename} is taken. Choose another: make demo PORT=5100", file=sys.stderr)  # noqa: T201
        return 1
    with demo:
        print(_addresses(demo, live=options.live), flush=True)  # noqa: T201
        try:
            demo.wait()
        except KeyboardInterrupt:
            print("\nStopped.")  # noqa: T201
    return 0


def _addresses(demo: Demo, *, live: bool) -> str:
    lines = [
        ("Roadstead, which asks first", f"{demo.site}/en/"),
        ("The same without consentry", f"{demo.twin}/en/"),
    ]
    if live:
        lines.append(("Third parties", "the real ones"))
    else:
        lines.append(("What the others saw", f"{demo.site}/en/what-the-others-saw"))
        lines.append(("Third parties, standing in", "  ".join(demo.stand_ins.values())))
    width = max(len(name) for name, _ in lines)
    return "\n".join(("", *(f"  {name:<{width}}   {address}" for name, address in lines), "", "  Ctrl-C stops all."))


if __name__ == "__main__":
    sys.exit(main())
