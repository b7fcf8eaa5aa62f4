"""A network with nothing in it but the sites, the sink, a name server and one browser, where tricks are read.

Firefox and WebKit can't be told where a name leads. So they are started in a network namespace of their own: what
they look up, connect to and ask for is seen here, and nothing leaves the machine.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import logging
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from itertools import product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from evasion_corpus import RUNS, Evasion
from evasion_site import Sink, Sites, address

from tests.engines import ENGINES, Driven, NotDrivenError, opened, run, turn

BOARD = 42
WINDOWS = 6
STILL, LEAST, MOST = 0.8, 1.2, 20.0
"""Seconds: a page has been read when nothing was asked for so long, but not before, and not after."""
_UNSHARE = ("unshare", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
_SET_FLAGS, _SET_ADDRESS = 0x8914, 0x8916
_UP = struct.pack("16sH14s", b"lo", 0x1 | 0x40, b"")
_ALIAS = struct.pack("16sHH4s8s", b"lo:1", socket.AF_INET, 0, socket.inet_aton("10.9.9.9"), b"")
"""Where there are loopback addresses only, the C library asks no name server (``AI_ADDRCONFIG``)."""
_BIND = 0x1000
_LABEL = re.compile(r"[cgb]\d{3,4}", re.IGNORECASE)
CLICK = """document.querySelector(arguments[0]).dispatchEvent(
    new MouseEvent("click", { bubbles: true, cancelable: true }))"""
Found = dict[tuple[str, int], set[str]]
Pages = list[tuple[str, str]]


def lacking() -> str:
    """Why there can be no such network on this machine; empty if there can."""
    if shutil.which("unshare") is None:
        return "unshare is not here. On Debian: apt-get install util-linux"
    tried = subprocess.run([*_UNSHARE, "true"], capture_output=True, text=True)
    return f"no network namespace can be made here: {tried.stderr.strip()}" if tried.returncode else ""


def contacts(engine: str, tricks: Sequence[Evasion], runs: str = "cgb") -> Found:
    """What each trick, by run and number, made the engine do: ``dns``, ``bare``, ``tls`` or the host of a request."""
    told = json.dumps({"engine": engine, "runs": runs, "tricks": [asdict(trick) for trick in tricks]})
    done = subprocess.run(
        [*_UNSHARE, sys.executable, __file__], input=told, capture_output=True, text=True, timeout=1800
    )
    if done.returncode:
        raise NotDrivenError(f"{engine}: {done.stderr[-2000:]}")
    return {(run, number): set(words) for run, number, words in json.loads(done.stdout)}


class Names:
    """A name server that knows the sites and the third parties, and keeps what it was asked for."""

    def __init__(self, known: dict[str, str]) -> None:
        self._known = known
        self.asked: dict[str, set[str]] = defaultdict(set)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 53))
        threading.Thread(target=self._answer, daemon=True).start()

    def _answer(self) -> None:
        while True:
            query, sender = self._socket.recvfrom(2048)
            labels, at = [], 12
            while query[at]:
                labels.append(query[at + 1 : at + 1 + query[at]].decode("latin-1").lower())
                at += query[at] + 1
            kind = int.from_bytes(query[at + 1 : at + 3])
            question = query[12 : at + 5]
            name = ".".join(labels)
            self.asked[next(filter(_LABEL.fullmatch, labels), name)].add("dns")
            where = self._known.get(name) or self._known.get(labels[0])
            records = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton(where) if where and kind == 1 else b""
            flags = 0x8580 if where else 0x8583
            self._socket.sendto(
                query[:2] + struct.pack("!5H", flags, 1, bool(records), 0, 0) + question + records, sender
            )


def _secluded(folder: Path) -> None:
    """Bring up the namespace's loopback, and have names looked up on it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        fcntl.ioctl(one, _SET_FLAGS, _UP)
        fcntl.ioctl(one, _SET_ADDRESS, _ALIAS)
    for name, text in (
        ("resolv.conf", "nameserver 127.0.0.1\n"),
        ("hosts", "127.0.0.1 localhost\n"),
        ("nsswitch.conf", "hosts: files dns\npasswd: files\ngroup: files\n"),
    ):
        (folder / name).write_text(text, encoding="ascii")
        if ctypes.CDLL(None, use_errno=True).mount(
            str(folder / name).encode(), os.path.realpath(f"/etc/{name}").encode(), None, _BIND, None
        ):
            raise OSError(ctypes.get_errno(), f"/etc/{name} could not be replaced")


class Island:
    """The sites, the sink and the name server, for one browser after the other."""

    def __init__(self, tricks: Sequence[Evasion], runs: str) -> None:
        self._tricks, self._runs = tricks, runs
        self._places = {address(run, trick.number): (run, trick.number) for run in runs for trick in tricks}
        self._sink = Sink(80, 443)
        self._sites = Sites({trick.number: trick for trick in tricks}, port=80)
        known = dict.fromkeys(RUNS.values(), "127.0.0.1")
        known |= {f"{run}{number:03}": where for where, (run, number) in self._places.items()}
        self._names = Names(known)

    def found(self) -> Found:
        found: Found = defaultdict(set)
        for where, words in self._sink.seen.items():
            if where in self._places:
                found[self._places[where]] |= words
        for name, words in self._names.asked.items():
            if _LABEL.fullmatch(name):
                found[name[0].lower(), int(name[1:])] |= words
        return found

    def read(self, engine: str, folder: Path) -> None:
        """Read all tricks in this engine, with scripts and without."""
        for script in (True, False):
            asked = [trick for trick in self._tricks if trick.script is script]
            for number, pages in enumerate((self._alone(asked), self._boards(asked))):
                if pages:  # WebKit shows no more once it has shown some of those that need a page of their own
                    place = folder / f"profile-{script}-{number}"
                    browser = ENGINES[engine](place, script=script, secure=RUNS.values())
                    try:
                        self._leaf(browser, pages)
                    finally:
                        browser.close()

    def _alone(self, asked: list[Evasion]) -> Pages:
        """Those that need a page of their own, and what is clicked on there."""
        found = (trick for trick in asked if trick.top or trick.click)
        return [(f"http://{RUNS[run]}/t/{t.number}/", t.click) for t, run in product(found, self._runs)]

    def _boards(self, asked: list[Evasion]) -> Pages:
        """The others, many in one page."""
        numbers = [str(trick.number) for trick in asked if not (trick.top or trick.click)]
        boards = [",".join(numbers[at : at + BOARD]) for at in range(0, len(numbers), BOARD)]
        return [(f"http://{RUNS[run]}/board?{board}", "") for run, board in product(self._runs, boards)]

    def _leaf(self, browser: Driven, pages: Pages) -> None:
        """Show these pages, some at a time, each until nothing happens any more, and click."""
        windows = [opened(browser) for _ in pages[:WINDOWS]]
        for at in range(0, len(pages), WINDOWS):
            shown = dict(zip(range(WINDOWS), pages[at:], strict=False))
            for place, (url, _) in shown.items():
                windows[place] = _gone_to(browser, windows[place], url)
            self._wait({url.removeprefix("http://") for url, _ in shown.values()})
            clicks = {place: selector for place, (_, selector) in shown.items() if selector}
            for place, selector in clicks.items():
                _clicked(browser, windows[place], selector)
            if clicks:
                self._wait(set())

    def _wait(self, pages: set[str]) -> None:
        """Until these pages were asked for and nothing happens any more."""
        begun = quiet = time.monotonic()
        before = -1
        while (now := time.monotonic()) < begun + MOST:
            count = len(self._sites.asked) + len(self._names.asked) + sum(map(len, list(self._sink.seen.values())))
            if count != before or not pages <= self._sites.asked:
                before, quiet = count, now
            elif now > max(begun + LEAST, quiet + STILL):
                break
            time.sleep(0.05)


def _gone_to(browser: Driven, window: str, url: str) -> str:
    """The window that the page is opened in: another one where this can't leave the page that it shows."""
    try:
        turn(browser, window)
        browser.ask("url", url=url)
    except NotDrivenError:
        window = opened(browser)
        turn(browser, window)
        browser.ask("url", url=url)
    return window


def _clicked(browser: Driven, window: str, selector: str) -> None:
    """Click once what is asked for is there; a page that went elsewhere has nothing to be clicked."""
    until = time.monotonic() + LEAST
    while time.monotonic() < until:
        try:
            turn(browser, window)
            run(browser, CLICK, selector)
        except NotDrivenError:
            time.sleep(0.1)
        else:
            return


def main() -> None:
    logging.disable()
    told = json.load(sys.stdin)
    tricks = [Evasion(**trick) for trick in told["tricks"]]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        _secluded(Path(folder))
        island = Island(tricks, told["runs"])
        island.read(told["engine"], Path(folder))
        found = island.found()
    json.dump([[run, number, sorted(words)] for (run, number), words in found.items()], sys.stdout)
    sys.stdout.flush()
    os._exit(0)  # threads that still answer a browser that is gone


if __name__ == "__main__":
    main()
