"""The demo's evidence: verified as it is, and the row that was edited is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from examples.flask_demo import evidence


def test_the_story_of_the_demos_evidence_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evidence.run(tmp_path) == 0
    said = capsys.readouterr().out
    assert said.count("everything is as it was sealed") == 1
    assert said.count("BAD") == 1
    assert re.search(r"BAD +record (\d): .*\n(.*\n)+Record \1 is named\.", said)


def test_without_the_tampering_the_story_does_not_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "_tamper", lambda _: 0)
    assert evidence.run(tmp_path) == 1
