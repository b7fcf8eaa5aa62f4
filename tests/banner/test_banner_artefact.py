"""The artefact: what was shown, the same for everybody who was shown the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

from banner_site import ANALYTICS, DONORBOX, OWN, POLICY, YOUTUBE, banner, policy, view

from consent.choice import Choice
from consent.decision import Artefact
from consent.policy import Policy


def digest(of: Policy = POLICY, locale: str = "en", **changes: object) -> str:
    return banner(of).artefact(view(locale, of=of, **changes)).digest


def test_artefact_is_the_same_in_every_process() -> None:
    program = "from banner_site import *; print(banner().artefact(view('de')).digest)"
    seen = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parent)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert seen == {digest(locale="de")}


def test_artefact_depends_on_nothing_of_the_visitor_or_the_page() -> None:
    made = Choice(granted=frozenset({"youtube"}), day=date(2026, 11, 20), receipt="ab" * 16)
    asking = POLICY.current.keys
    other = {"next": "/secret?mail=x", "prefix": "/app/consent/", "token": "t", "host": "h.example", "message": "saved"}
    assert digest(choice=made, asking=asking, **other) == digest()
    assert "secret" not in json.dumps(dict(banner().artefact(view(asking=asking, **other)).content))


def test_artefact_changes_with_what_is_shown() -> None:
    reworded = policy(DONORBOX, replace(ANALYTICS, purpose="Counts."), YOUTUBE)
    seen = [
        digest(),
        digest(locale="de"),
        digest(gpc=True),
        digest(asking=("youtube",)),
        digest(of=reworded),
        digest(of=policy(DONORBOX, ANALYTICS)),
    ]
    assert len(set(seen)) == len(seen)


def test_asking_nothing_means_the_artefact_of_everything() -> None:
    assert digest(asking=()) == digest()


def test_artefact_holds_what_evidence_needs() -> None:
    artefact = banner().artefact(view("de"))
    content = artefact.content
    assert artefact == Artefact.of(json.loads(json.dumps(dict(content))))
    assert content["asked"] == ["donorbox", "google-analytics-4", "youtube"]
    assert content["labels"]["reject"] == "Nur notwendige akzeptieren"
    assert content["controller"] == POLICY.site.controller
    assert content["material_version"] == POLICY.current.version
    assert content["defaults"] == {"donorbox": False, "google-analytics-4": False, "youtube": False}
    assert content["lifetime_days"]["granted"] == content["lifetime_days"]["refused"] == 184
    assert content["policy"]["services"][0]["key"] == OWN.key
    assert {"notice", "preferences", "placeholder:youtube", "placeholder:donorbox"} == set(content["html"])
    assert "Alle akzeptieren" in content["html"]["notice"]
    assert ".cst-button" in content["css"]


def test_archived_html_is_what_the_visitor_gets_save_the_fields_of_the_page() -> None:
    asking = view(next="/")
    artefact = banner().artefact(asking)
    served = banner().notice(asking).decode().replace(artefact.digest, "")
    archived = artefact.content["html"]["notice"]
    assert served == archived.encode("ascii", "xmlcharrefreplace").decode()
