"""``consent init`` on a small project: what it finds, where, and what it makes of it."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from consent.cli import cli
from consent.config import check, load
from consent.proposal import Finding, Proposal, propose
from consent.proposal.draft import draft

FILES = {
    "templates/base.html": """<!doctype html><html lang="{{ lang }}"><head>
<link rel="canonical" href="https://www.harbour.example/">
<link rel="stylesheet" href="https://fonts.googleapis.com/css2?family=Lora">
<script src='https://code.jquery.com/jquery.min.js'></script>
<script>
  var _paq = window._paq || [];
  _paq.push(['trackPageView']);
  var u="//stats.harbour.example/m/"; _paq.push(['setTrackerUrl', u+'matomo.php']);
</script>
</head><body><a href="https://www.bbc.co.uk/">BBC</a>
<svg xmlns="http://www.w3.org/2000/svg"></svg>
<img src="https://www.harbour.example/x.png"><img
  src="//pixel.unknown-ads.example.net/p.gif">
</body>
""",
    "templates/article.jinja": """{% extends "base.html" %}
<iframe width=560 src="https://www.youtube.com/embed/abc" allowfullscreen></iframe>
<script async src="https://www.googletagmanager.com/gtag/js?id=G-1"></script>
<script>gtag('config','G-1')</script>
""",
    "static/site.css": '@import url("https://cdn.jsdelivr.net/npm/a.css");\n'
    "body { background: url(//img.unknown.example.net/a) }\n",
    "static/app.js": 'localStorage.setItem("text-size", 3);\ndocument.cookie = "_ga=1";\ndocument.cookie = `seen=1`;\n',
    "harbour/app.py": 'resp.set_cookie("reader", "1")\nE = \'<iframe src="https://player.vimeo.com/video/1"></iframe>\'\n',
    "node_modules/x/a.html": '<script src="https://elsewhere.example.net/x.js"></script>',
    ".venv/a.html": '<script src="https://elsewhere.example.net/x.js"></script>',
    "data.json": '{"url": "https://elsewhere.example.net/"}',
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return tmp_path


def by_title(proposal: Proposal) -> dict[str, Finding]:
    return {finding.title: finding for finding in proposal.findings}


def test_every_third_party_is_found_with_its_line_and_a_proposal(project: Path) -> None:
    proposal = propose(project)
    found = {title: (finding.proposal, finding.places[0]) for title, finding in by_title(proposal).items()}
    assert found == {
        "YouTube": ("declare", "templates/article.jinja:2"),
        "Google Analytics 4": ("declare", "templates/article.jinja:3"),
        "Matomo": ("declare", "templates/base.html:7"),
        "Vimeo": ("declare", "harbour/app.py:2"),
        "Google Fonts": ("self-host", "templates/base.html:3"),
        "jsDelivr": ("self-host", "static/site.css:1"),
        "code.jquery.com": ("self-host", "templates/base.html:4"),
        "pixel.unknown-ads.example.net": ("decide", "templates/base.html:12"),
        "img.unknown.example.net": ("decide", "static/site.css:2"),
        "reader (cookie)": ("necessary", "harbour/app.py:1"),
        "seen (cookie)": ("necessary", "static/app.js:3"),
        "text-size (local storage)": ("necessary", "static/app.js:1"),
    }
    assert proposal.hosts == ("www.harbour.example",)


def test_known_cookie_counts_for_its_service(project: Path) -> None:
    assert "static/app.js:2" in by_title(propose(project))["Google Analytics 4"].places
    (project / "templates/article.jinja").unlink()
    assert by_title(propose(project))["Google Analytics 4"].places == ["static/app.js:2"]


def test_own_hosts_are_not_third_parties(project: Path) -> None:
    assert "pixel.unknown-ads.example.net" in by_title(propose(project))
    named = propose(project, hosts=["pixel.unknown-ads.example.net"])
    assert "pixel.unknown-ads.example.net" not in by_title(named)
    assert named.hosts == ("pixel.unknown-ads.example.net", "www.harbour.example")


def test_self_hosted_matomo_gets_its_folder(project: Path) -> None:
    assert by_title(propose(project))["Matomo"].host == "stats.harbour.example/m"
    (project / "templates/base.html").write_text('<script src="https://m.example.net/a/b/matomo.js"></script>')
    assert by_title(propose(project))["Matomo"].host == "m.example.net/a/b"
    (project / "templates/base.html").write_text("<script>_paq.push(['trackPageView'])</script>")
    assert by_title(propose(project))["Matomo"].host == ""


def test_links_and_names_are_not_loads(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(
        '<a href="https://a.example.net/">A</a><link rel="alternate" href="https://b.example.net/">'
        '<p>https://c.example.net/ and http.push(1)</p><input value="https://d.example.net/x.png">'
    )
    assert propose(tmp_path).findings == ()
    page.write_text(
        '<img srcset="https://a.example.net/1 1x, //b.example.net/2 2x"><link rel=icon href=https://c.example.net/>'
    )
    assert set(by_title(propose(tmp_path))) == {"a.example.net", "b.example.net", "c.example.net"}


@pytest.mark.parametrize("trial", [False, True])
def test_draft_loads_as_it_is_and_marks_what_a_person_decides(project: Path, trial: bool) -> None:
    today = date(2027, 3, 1)
    text = draft(propose(project), name='Harbour "News"', today=today, trial=trial)
    file = project / "consent.toml"
    file.write_text(text, "utf-8")
    policy = load(file, today=today)
    assert {service.key for service in policy.optional} == {"youtube", "google-analytics-4", "matomo", "vimeo"}
    assert policy.site.name == 'Harbour "News"'
    marked = [problem.line for problem in check(file, today=today) if problem.id == "W015"]
    assert [text.splitlines()[(line or 0) - 1].split()[0] for line in marked] == ["controller", "contact"]
    assert text.count("# DECIDE") == 5
    assert "seen in templates/base.html:12" in text


def test_proposed_entries_are_good_toml_once_they_are_uncommented(project: Path) -> None:
    text = draft(propose(project), name="Harbour", today=date(2027, 3, 1), trial=False)
    uncommented = re.sub(r"^# (?=[a-z_]+ = |\[\[service)", "", text, flags=re.MULTILINE)
    assert len(tomllib.loads(uncommented)["service"]) == 11


def test_matomo_without_an_address_is_left_for_a_person(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<script>_paq.push(['trackPageView'])</script>")
    text = draft(propose(tmp_path), name="H", today=date(2027, 3, 1), trial=False)
    assert "# DECIDE: where is it hosted?" in text
    assert "service" not in tomllib.loads(text)


def test_command_prints_an_aligned_table_and_json(project: Path) -> None:
    result = CliRunner().invoke(cli, ["init", str(project)])
    assert result.exit_code == 0
    table = result.stdout.split("\n\n")[0].splitlines()
    column = table[0].index("Proposal")
    assert all(row[column - 2 : column] == "  " and row[column] != " " for row in table)
    assert "\x1b[" not in result.stdout
    data = json.loads(CliRunner().invoke(cli, ["init", "--force", "--json", str(project)]).stdout)
    assert data["hosts"] == ["www.harbour.example"]
    assert {"proposal": "declare", "title": "Vimeo", "service": "vimeo", "hosts": ["player.vimeo.com"], "names": [],
            "places": ["harbour/app.py:2"]} in data["findings"]  # fmt: skip


def test_project_without_third_parties_gets_a_file_that_says_so(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["init", str(tmp_path)])
    assert result.exit_code == 0
    assert "Nothing third-party" in result.stdout
    assert load(tmp_path / "consent.toml").optional == ()


@pytest.mark.parametrize(
    ("key", "file", "text"),
    [
        ("flask", "app.py", "from flask import Flask\n"),
        ("django", "settings.py", 'INSTALLED_APPS = ["django.contrib.sessions"]\n'),
    ],
)
def test_a_frameworks_own_cookies_are_proposed_with_the_services(
    tmp_path: Path, key: str, file: str, text: str
) -> None:
    (tmp_path / file).write_text(text)
    (finding,) = propose(tmp_path).findings
    assert (finding.proposal, finding.service, finding.places) == ("necessary", key, [f"{file}:1"])
    target = tmp_path / "consent.toml"
    target.write_text(draft(propose(tmp_path), name="H", today=date(2027, 3, 1), trial=False))
    assert load(target).service(key).is_necessary
    (tmp_path / file).write_text("# flask and django.contrib.sessions are only mentioned\n")
    assert propose(tmp_path).findings == ()


def test_trial_says_that_undeclared_things_load_and_otherwise_that_they_do_not(project: Path) -> None:
    said = {trial: draft(propose(project), name="H", today=date(2027, 3, 1), trial=trial) for trial in (False, True)}
    assert "Until they are declared they are not loaded." in said[False]
    assert "Until they are declared they are loaded and reported." in said[True]
    assert "not loaded" not in said[True]
