"""Visitors without a pause: several at once, each answering, reading on and changing their mind; then all is counted.

    python tests/soak/soak_visitors.py [--seconds 300] [--visitors 6]

Exits with 1 when an answer was an error, when a page brought a third party that its visitor had not agreed to, when a
decision that was acknowledged is not in the log, or when the process grew by more than 40 MB after the first tenth.
"""

from __future__ import annotations

import argparse
import atexit
import random
import re
import resource
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

sys.path.insert(0, str(Path(__file__).parents[2]))

from examples.flask_demo.app import create_app

ORIGIN = "http://127.0.0.1:5000"
STAND_INS = "http://localhost:5002"
PAGES = ("/en/", "/de/", "/en/undersea-cables", "/de/space-debris", "/en/donate", "/de/privacy", "/en/nowhere")
SERVICE = {"donations": "donorbox", "analytics": "matomo", "video": "youtube"}
LIVE = re.compile(rf' src="{STAND_INS}/(\w+)/')
ARTEFACT = re.compile(r'name="artefact" value="([0-9a-f]{64})"')
GROWTH = 40_000  # kilobytes


class Soak:
    """What all visitors found, and the application they visit."""

    def __init__(self, folder: Path) -> None:
        self.app = create_app(stand_ins=STAND_INS, instance=folder)
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []

    def visit(self, until: float, seed: int) -> None:
        """One person after another, until the time is up."""
        chance = random.Random(seed)
        while time.monotonic() < until and len(self.faults) < 20:
            client = self.app.test_client()
            granted: set[str] = set()
            for _ in range(chance.randint(1, 12)):
                page = self._read(client, chance.choice(PAGES), granted)
                artefact = ARTEFACT.search(page)
                if artefact and chance.random() < 0.5:
                    granted = self._answer(client, chance, artefact[1], granted)
                elif granted and chance.random() < 0.3:
                    granted = self._post(client, {"action": "withdraw", "layer": "settings"}, set(), granted)

    def _read(self, client: FlaskClient, path: str, granted: set[str]) -> str:
        answer = client.get(path, base_url=ORIGIN, headers={"Sec-Fetch-Dest": "document"})
        html = str(answer.text)
        self.counts["pages"] += 1
        if answer.status_code not in (200, 404):
            self.faults.append(f"{path} answered {answer.status_code}")
        found = set(LIVE.findall(html))
        if not found <= granted:
            self.faults.append(f"{path} brought {sorted(found - granted)}, agreed to were {sorted(granted)}")
        return html

    def _answer(self, client: FlaskClient, chance: random.Random, artefact: str, granted: set[str]) -> set[str]:
        action = chance.choice(("accept", "reject", "save"))
        ticked = [key for key in SERVICE if chance.random() < 0.5] if action == "save" else []
        meant = {"accept": set(SERVICE.values()), "reject": set(), "save": {SERVICE[key] for key in ticked}}[action]
        form = {"action": action, "grant": ticked, "artefact": artefact, "layer": "first"}
        return self._post(client, form, meant, granted)

    def _post(self, client: FlaskClient, form: dict[str, Any], meant: set[str], before: set[str]) -> set[str]:
        headers = {"Sec-Fetch-Site": "same-origin", "X-Consent": "fetch"}
        answer = client.post("/consent/", base_url=ORIGIN, data={**form, "next": "/en/"}, headers=headers)
        self.counts["answers"] += 1
        if answer.status_code != 200:
            self.faults.append(f"{form['action']} was answered {answer.status_code}")
            return before
        if answer.json["message"] == "not-recorded":
            self.counts["not recorded"] += 1
            return before
        self.counts["acknowledged"] += 1
        if set(answer.json["granted"]) & set(SERVICE.values()) != meant:
            self.faults.append(f"{form} granted {answer.json['granted']}")
        return meant


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--visitors", type=int, default=6)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)  # after the log has been closed, which happens at exit too
    soak = Soak(folder)
    begun = time.monotonic()
    with ThreadPoolExecutor(options.visitors + 1) as threads:
        warm = threads.submit(lambda: (time.sleep(options.seconds / 10), _memory())[1])
        rounds = [threads.submit(soak.visit, begun + options.seconds, seed) for seed in range(options.visitors)]
        for each in rounds:
            each.result()
    grown = _memory() - warm.result()
    with closing(sqlite3.connect(folder / "consent.db")) as database:
        (records,) = database.execute("select count(*) from record").fetchone()
    seconds = time.monotonic() - begun
    counts = ", ".join(f"{number} {what}" for what, number in soak.counts.items())
    sys.stdout.write(f"{seconds:.0f} s, {options.visitors} at once: {counts}, {records} records, grown by {grown} kB\n")
    if records != soak.counts["acknowledged"]:
        soak.faults.append(f"{soak.counts['acknowledged']} decisions were acknowledged and {records} are in the log")
    if grown > GROWTH:
        soak.faults.append(f"The process grew by {grown} kB after the first tenth of the time.")
    (sys.stderr if soak.faults else sys.stdout).write("\n".join(soak.faults or ["No fault."]) + "\n")
    return 1 if soak.faults else 0


def _memory() -> int:
    """The most memory this process has held, in kilobytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak


if __name__ == "__main__":
    sys.exit(main())
