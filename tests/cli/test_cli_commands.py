"""The command line as a person and as a script meet it: what it prints where, and with which exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from consent.cli import cli
from consent.config import check, load
from consent.locale import digest, languages

SITE = '[site]\nname = "Harbour News"\ncontroller = "Harbour News Trust, Cork"\ncontact = "privacy@harbour.example"\n'
GOOD = SITE + '[[service]]\nuse = "youtube"\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NO_COLOR", raising=False)
    return tmp_path


def run(*arguments: str, color: bool = False, input: str | None = None) -> Result:
    result = CliRunner().invoke(cli, arguments, color=color, input=input)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_good_file_exits_0_and_says_so(folder: Path) -> None:
    (folder / "consent.toml").write_text(GOOD)
    result = run("check")
    first, *rest = result.stdout.splitlines()
    assert (result.exit_code, first) == (0, "consent.toml is in order.")
    assert [line.partition(":")[0] for line in rest] == ["Languages"]
    assert " de" in rest[0]


def test_languages_are_told_with_who_has_read_them(folder: Path) -> None:
    (folder / "consent.toml").write_text(GOOD.replace("[site]", '[site]\nlanguages = ["de", "en"]', 1))
    (folder / "locales").mkdir()
    review = f'[de]\nstatus = "reviewed"\nby = "A. Keller"\non = 2026-11-20\ntexts = "{digest("de")}"\n'
    (folder / "locales/languages.toml").write_text(review)
    told = {one["tag"]: one for one in json.loads(run("check", "--json").stdout)["languages"]}
    assert told["de"] == {
        "tag": "de", "offered": True,
        "status": "reviewed", "by": "A. Keller", "on": "2026-11-20", "changed_since": False,
    }  # fmt: skip
    assert told["en"]["status"] == "source"
    assert "reviewed: de (A. Keller, 2026-11-20)" in run("check").stdout
    (folder / "locales/languages.toml").write_text(review.replace(digest("de"), digest("fr")))
    languages.cache_clear()  # each command reads it once
    result = run("check")
    assert "changed since they were reviewed: de (A. Keller, 2026-11-20)" in " ".join(result.stderr.split())
    assert "W019" in result.stdout
    assert f'texts = "{digest("de")}"' in " ".join(result.stdout.split())


def test_languages_that_are_left_out_are_told_as_such(folder: Path) -> None:
    wanted = '[site]\nallow_unreviewed = false\nlanguages = ["fr", "en"]'
    (folder / "consent.toml").write_text(GOOD.replace("[site]", wanted, 1))
    told = {one["tag"]: one["offered"] for one in json.loads(run("check", "--json").stdout)["languages"]}
    assert told == {"en": True, "fr": False}
    result = run("check")
    assert "1 offered; left out, as nobody named has reviewed them as they are: fr." in " ".join(result.stderr.split())
    assert "consent.toml:3: W018" in result.stdout


def test_errors_exit_1_with_all_of_them_on_stdout_and_the_count_on_stderr(folder: Path) -> None:
    (folder / "consent.toml").write_text(GOOD.replace("name", "nam").replace("youtube", "yotube"))
    result = run("check")
    assert result.exit_code == 1
    assert "consent.toml:2: E010" in result.stdout
    assert "Did you mean name?" in result.stdout
    assert "consent.toml:6: E042" in result.stdout
    assert "Did you mean youtube?" in result.stdout
    assert result.stderr == "consent.toml: 2 errors.\n"


def test_warnings_pass_unless_strict(folder: Path) -> None:
    (folder / "consent.toml").write_text(GOOD.replace("contact", "# contact"))
    assert run("check").exit_code == 0
    assert "W006" in run("check").stdout
    assert run("check", "--strict").exit_code == 1


@pytest.mark.usefixtures("folder")
def test_missing_file_exits_2_and_names_init() -> None:
    for command in ("check", "explain"):
        result = run(command)
        assert result.exit_code == 2
        assert "consent init" in result.output


def test_json_says_what_is_wrong_where_there_is_nothing_else_to_print(folder: Path) -> None:
    (folder / "consent.toml").write_text(GOOD.replace("youtube", "yotube"))
    (folder / "page.html").write_text("<p>")
    for command in (["explain"], ["gate", "page.html", "--base-url", "https://a.example/"]):
        result = run(*command, "--json")
        assert result.exit_code == 2
        assert json.loads(result.stdout)["problems"][0]["id"] == "E042"
        assert "E042" in result.stderr


def test_page_that_is_not_there_exits_2_like_any_other_file(folder: Path) -> None:
    (folder / "consent.toml").write_text(GOOD)
    result = run("gate", "nowhere.html", "--base-url", "https://a.example/")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "nowhere.html" in result.stderr


@pytest.mark.parametrize(
    "arguments", [["chek"], ["check", "--lok"], ["check", "a", "b"], ["gate"], ["init", "nowhere"], ["log", "shwo"]]
)
@pytest.mark.usefixtures("folder")
def test_wrong_usage_exits_3_with_the_reason_on_stderr(arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == 3
    assert "Error:" in result.stderr
    assert result.stdout == ""


def test_check_json_has_every_attribute_of_a_finding(folder: Path) -> None:
    (folder / "consent.toml").write_text(GOOD.replace("youtube", "yotube"))
    data = json.loads(run("check", "--json").stdout)
    assert (data["errors"], data["warnings"], data["lock_written"]) == (1, 0, False)
    problem = data["problems"][0]
    assert (problem["id"], problem["severity"], problem["line"], problem["near"]) == ("E042", "error", 6, "youtube")


def test_lock_is_written_once_and_only_without_errors(folder: Path) -> None:
    file, lock = folder / "consent.toml", folder / "consent.lock"
    file.write_text(GOOD.replace("youtube", "yotube"))
    assert run("check", "--lock").exit_code == 1
    assert not lock.exists()
    file.write_text(GOOD)
    assert "consent.lock has a new version" in run("check", "--lock").stdout
    assert "consent.lock is up to date" in run("check", "--lock").stdout
    file.write_text(GOOD.replace("youtube", "vimeo"))
    assert "W007" in run("check").stdout
    result = run("check", "--lock")
    assert result.exit_code == 0
    assert "W007" not in result.stdout
    assert len(load(file).history) == 2


def test_explain_tells_what_a_lawyer_asks(folder: Path) -> None:
    (folder / "consent.toml").write_text(
        GOOD
        + '[[service]]\nkey = "size"\ncategory = "necessary"\nname = "Text size"\npurpose = "Keeps the text size."\n'
        + 'exempt_reason = "Keeps the text size that the reader chose on every page."\nreviewed_by = "A. Byrne"\n'
        + f'reviewed_on = {datetime.now(UTC).date()}\nstorage = [{{ name = "size", lasts = "1 year" }}]\n'
        + '[[service]]\nuse = "stripe"\non_request = ["/donate"]\n'
        + 'exempt_reason = "Takes the payment that the visitor came to make on this page."\n'
    )
    text = " ".join(run("explain").stdout.split())
    for said in (
        "Harbour News Trust, Cork",
        "2 services wait: YouTube and Stripe.",
        "Text size: Keeps the text size that the reader chose on every page. Confirmed by A. Byrne on",
        "Stripe, on /donate only, where the visitor has asked for it",
        "Nobody has confirmed this yet.",
        "counts for 184 days",
        "blocked for everybody",
        "Records are kept for 3 years.",
        "Data goes to Google Ireland Limited and Google LLC.",
        "processed in Ireland and the United States",
        "an adequacy decision (GDPR Art. 45)",
        "the cookie YSC of youtube.com (views within one session, until the browser is closed)",
        "no legal advice",
    ):
        assert said in text, said
    assert "None" not in text


def test_explain_json_has_facts_and_prose(folder: Path) -> None:
    (folder / "consent.toml").write_text(GOOD)
    data = json.loads(run("explain", "--json").stdout)
    assert data["material_version"] == load(folder / "consent.toml").current.version
    assert [service["key"] for service in data["services"]] == ["consentry", "youtube"]
    assert data["sections"][0]["title"] == "Who asks"


def test_policy_with_errors_is_not_explained(folder: Path) -> None:
    (folder / "consent.toml").write_text(GOOD.replace("youtube", "yotube"))
    result = run("explain")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "E042" in result.stderr


def test_gate_prints_what_a_visitor_would_get(folder: Path) -> None:
    (folder / "consent.toml").write_text(GOOD)
    page = '<!doctype html><p>caf\u00e9<iframe src="https://www.youtube.com/embed/x"></iframe>'
    (folder / "page.html").write_text(page, "utf-8")
    granted = run("gate", "page.html", "--base-url", "https://h.example/", "--grant", "youtube")
    assert (granted.exit_code, granted.stdout_bytes) == (0, page.encode())
    denied = run("gate", "page.html", "--base-url", "https://h.example/")
    assert denied.exit_code == 0
    assert ' src="https://www.youtube.com' not in denied.stdout
    data = json.loads(run("gate", "-", "--base-url", "https://h.example/", "--json", input=page).stdout)
    assert (data["blocked"][0]["service"], data["blocked"][0]["blocked"]) == ("youtube", True)


@pytest.mark.parametrize(
    "options", [["--base-url", "h.example"], ["--base-url", "https://h.example/", "--grant", "yotube"]]
)
def test_gate_refuses_what_it_cannot_mean(folder: Path, options: list[str]) -> None:
    (folder / "consent.toml").write_text(GOOD)
    (folder / "page.html").write_text("<p>")
    assert run("gate", "page.html", *options).exit_code == 3


def test_colours_are_for_terminals_and_not_with_no_color(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "consent.toml").write_text(GOOD)
    assert "\x1b[" in run("check", color=True).stdout
    assert "\x1b[" not in run("check").stdout
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in run("check", color=True).stdout


def test_help_names_every_command_and_imports_none_of_their_libraries() -> None:
    code = (
        "import sys, contextlib\nfrom consent.cli import main\nsys.argv = ['consent', '--help']\n"
        "with contextlib.suppress(SystemExit): main()\n"
        "heavy = {'sqlalchemy', 'flask', 'cryptography', 'babel', 'jinja2'} & set(sys.modules)\n"
        "print(sorted(heavy), file=sys.stderr)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stderr == "[]\n"
    for command in ("check", "explain", "gate", "init", "log"):
        assert f"\n  {command} " in result.stdout


def test_init_without_a_browser_says_what_from_needs(folder: Path) -> None:
    result = run("init", "--from", "https://h.example/")
    assert result.exit_code == 2
    assert "consentry[scan]" in result.stderr
    assert not (folder / "consent.toml").exists()


def test_init_replaces_nothing_unless_forced(folder: Path) -> None:
    (folder / "consent.toml").write_text("mine")
    assert run("init").exit_code == 2
    assert (folder / "consent.toml").read_text() == "mine"
    assert run("init", "--force").exit_code == 0
    assert load(folder / "consent.toml").ask.undeclared == "block"


def test_trial_ends_within_14_days_and_says_so(folder: Path) -> None:
    assert run("init", "--trial").exit_code == 0
    file = folder / "consent.toml"
    ask = load(file).ask
    assert ask.undeclared == "report"
    assert ask.trial_until is not None
    assert date.today() <= ask.trial_until <= datetime.now(UTC).date() + timedelta(days=14)
    assert "W002" in {problem.id for problem in check(file)}
    past = check(file, today=ask.trial_until + timedelta(days=1))
    assert "E032" in {problem.id for problem in past}
