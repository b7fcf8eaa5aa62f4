"""consent.lock: what re-asks and what doesn't, and that a damaged lock is never taken for none."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from consent.choice import Choice, Permissions, Signals, decide
from consent.config import check, load, write_lock
from consent.errors import ConfigError

TODAY = date(2027, 3, 1)
POLICY = """[site]
name = "Harbour News"
controller = "Harbour News Trust"
contact = "privacy@harbour.example"
[[service]]
use = "youtube"
[[service]]
key = "stats"
category = "analytics"
name = "Harbour statistics"
purpose = "Counts how often each article is read."
provider = "Harbour News Trust"
recipients = ["Harbour News Trust"]
privacy_policy = "/privacy#statistics"
load = ["stats.harbour.example/js/*"]
storage = [{ name = "_id", lasts = "6 months" }]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "consent.toml"
    file.write_text(POLICY, "utf-8")
    return file


def permissions_after(path: Path, old: str, new: str, *, lock: bool = True) -> Permissions:
    """What somebody who had granted everything may see after one edit."""
    if lock:
        write_lock(path)
    before = load(path)
    answer = Choice(granted=frozenset({"youtube", "stats"}), version=before.current.version, day=TODAY)
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    return decide(load(path), answer, Signals(), today=TODAY)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('lasts = "6 months"', 'lasts = "1 month"'),
        ('lasts = "6 months"', 'lasts = "session"'),
        ("Counts how often each article is read.", "Counts views of articles."),
        ('name = "Harbour statistics"', 'name = "Our statistics"'),
        ('"stats.harbour.example/js/*"', '"stats.harbour.example", "other.example"'),
        ('recipients = ["Harbour News Trust"]', "recipients = []"),
        ('controller = "Harbour News Trust"', 'controller = "harbour  news trust"'),
        ('[[service]]\nuse = "youtube"', '[[service]]\nuse = "vimeo"\n[[service]]\nuse = "youtube"'),
    ],
)
def test_what_asks_no_more_keeps_the_answer(path: Path, old: str, new: str) -> None:
    after = permissions_after(path, old, new)
    assert after.granted == {"youtube", "stats"}


@pytest.mark.parametrize(
    ("old", "new", "asked"),
    [
        ('lasts = "6 months"', 'lasts = "1 year"', {"stats"}),
        ('lasts = "6 months"', 'lasts = "persistent"', {"stats"}),
        ('["Harbour News Trust"]', '["Harbour News Trust", "Tide Ltd"]', {"stats"}),
        ('category = "analytics"', 'category = "marketing"', {"stats"}),
        ('provider = "Harbour News Trust"', 'provider = "Tide Ltd"', {"stats"}),
        ('controller = "Harbour News Trust"', 'controller = "Tide Ltd"', {"stats", "youtube"}),
    ],
)
def test_what_asks_more_is_asked_again_and_nothing_else_is(path: Path, old: str, new: str, asked: set[str]) -> None:
    after = permissions_after(path, old, new)
    assert after.unasked == asked
    assert after.granted == {"youtube", "stats"} - asked


def test_new_service_is_asked_and_the_other_answers_stay(path: Path) -> None:
    after = permissions_after(
        path, '[[service]]\nkey = "stats"', '[[service]]\nuse = "vimeo"\n[[service]]\nkey = "stats"'
    )
    assert after.unasked == {"vimeo"}
    assert after.granted == {"youtube", "stats"}


def test_without_a_lock_a_material_change_asks_everybody_again(path: Path) -> None:
    after = permissions_after(path, 'lasts = "6 months"', 'lasts = "1 month"', lock=False)
    assert after.unasked == {"youtube", "stats"}


def test_locking_twice_adds_one_version_and_keeps_older_ones(path: Path) -> None:
    lock = path.with_name("consent.lock")
    assert write_lock(path)
    first = lock.read_bytes()
    assert not write_lock(path)
    assert lock.read_bytes() == first
    path.write_text(POLICY.replace("6 months", "1 year"), "utf-8")
    assert write_lock(path)
    history = load(path).history
    assert len(history) == 2
    assert history[-1] == load(path).current
    assert json.loads(first)["versions"] == json.loads(lock.read_bytes())["versions"][:1]
    path.write_text(POLICY, "utf-8")
    assert not write_lock(path)
    assert sorted(file.name for file in path.parent.iterdir()) == ["consent.lock", "consent.toml"]


def test_version_that_is_not_locked_is_said(path: Path) -> None:
    assert [problem.id for problem in check(path)] == []
    write_lock(path)
    assert [problem.id for problem in check(path)] == []
    path.write_text(POLICY.replace("6 months", "1 year"), "utf-8")
    (problem,) = check(path)
    assert problem.id == "W007"
    assert problem.file.endswith("consent.lock")


def spoil(text: str, what: str) -> tuple[bytes, int]:
    """The lock damaged in one way, and the line that has to be named."""
    lines = text.splitlines()
    if what == "cut":
        return "\n".join(lines[:20]).encode(), 20
    if what == "merge":
        return "\n".join(["<<<<<<< main", *lines[:3], "=======", *lines[3:]]).encode(), 1
    if what == "bytes":
        return b"\xff\xfe" + text.encode(), 1
    if what == "shape":
        return b'{"format": 1, "versions": [{"version": "x"}]}', 1
    if what == "list":
        return b"[]", 1
    if what == "format":
        return text.replace('"format": 1', '"format": 9').encode(), 1
    if what == "material":
        line = next(n for n, line in enumerate(lines) if '"digest"' in line) + 1
        return text.replace('"purpose": "video"', '"purpose": "marketing"').encode(), line
    line = next(n for n, line in enumerate(lines) if '"version":' in line) + 1
    return text.replace(lines[line - 1], '   "version": "00000000",').encode(), line


@pytest.mark.parametrize("what", ["cut", "merge", "bytes", "shape", "list", "format", "material", "version"])
def test_damaged_lock_is_an_error_with_a_line_and_never_none(path: Path, what: str) -> None:
    write_lock(path)
    assert load(path).history
    lock = path.with_name("consent.lock")
    damaged, line = spoil(lock.read_text("utf-8"), what)
    lock.write_bytes(damaged)
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert {(problem.id, problem.line) for problem in caught.value.problems} == {("E060", line)}
    with pytest.raises(ConfigError):
        write_lock(path)
    assert lock.read_bytes() == damaged


def test_unreadable_lock_is_an_error(path: Path) -> None:
    path.with_name("consent.lock").mkdir()
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert caught.value.problems[0].id == "E060"


def test_failed_write_leaves_the_old_lock_and_no_litter(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_lock(path)
    lock = path.with_name("consent.lock")
    before = lock.read_bytes()
    path.write_text(POLICY.replace("6 months", "1 year"), "utf-8")

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", refuse)
    with pytest.raises(OSError, match="No space"):
        write_lock(path)
    assert lock.read_bytes() == before
    assert sorted(file.name for file in path.parent.iterdir()) == ["consent.lock", "consent.toml"]
    monkeypatch.undo()
    assert write_lock(path)
