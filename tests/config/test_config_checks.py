"""One row for every check: what a person writes, and the finding it earns, on its line."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from consent.config import CHECKS, check, load
from consent.errors import ConfigError, Problem

TODAY = date(2027, 3, 1)
SITE = '[site]\nname = "Harbour News"\ncontroller = "Harbour News Trust"\ncontact = "privacy@harbour.example"\n'
STATS = """[[service]]
key = "stats"
category = "analytics"
name = "Harbour statistics"
purpose = "Counts how often each article is read."
provider = "Harbour News Trust"
privacy_policy = "/privacy#statistics"
load = ["stats.harbour.example/js/*"]
"""
REASON = "Keeps the text size that the reader chose on every page that they open."
NEEDED = (
    STATS.replace('"analytics"', '"necessary"')
    + f'exempt_reason = "{REASON}"\nreviewed_by = "A. Byrne"\nreviewed_on = 2027-01-31\n'
)
# The lines of SITE are 1 to 4, those of a STATS after it 5 to 12.


def write(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "consent.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def findings(tmp_path: Path, text: str | bytes) -> list[Problem]:
    return check(write(tmp_path, text), today=TODAY)


ROWS = [
    ("E002", 2, None, b'[site]\nname = "Caf\xe9"\n'),
    ("E003", 2, None, "[site]\nname = Harbour News\n"),
    ("E003", 3, None, '[site]\nname = "A"\nname = "B"\n'),
    ("E003", 2, None, '[site]\nhosts = ["a.example",'),
    ("E004", None, None, ""),
    ("E004", None, None, "# nothing yet\n"),
    ("E010", 9, "purpose", SITE + STATS.replace("purpose", "pupose")),
    ("E010", 5, "controller", SITE + 'address = "1 Quay St"\n'),
    ("E010", 13, "lasts", SITE + STATS + 'storage = [{ name = "_id", duration = "1 day", lasts = "1 day" }]\n'),
    ("E010", 5, None, SITE + "lifetime_days = 184\n"),
    ("E010", 1, None, 'colour = "red"\n' + SITE),
    ("E011", 5, "service", SITE + '[[services]]\nuse = "youtube"\n'),
    ("E011", 5, None, SITE + "[colours]\nred = 1\n"),
    ("E012", 6, None, SITE + '[ask]\nlifetime_days = "184"\n'),
    ("E012", 12, None, SITE + STATS.replace('["stats.harbour.example/js/*"]', '"stats.harbour.example"')),
    ("E012", 13, None, SITE + STATS + 'gpc = "yes"\n'),
    ("E012", 2, None, SITE.replace('"Harbour News"', "17")),
    ("E012", 2, None, SITE.replace("Harbour News", "Harbour\\u0007News", 1)),
    ("E012", 13, None, SITE + STATS + 'storage = ["_id"]\n'),
    ("E012", 13, None, SITE + STATS + 'reviewed_on = "last spring"\n'),
    ("E012", 13, None, SITE + STATS + "provider_retention = 13\n"),
    ("E012", 1, None, 'service = "youtube"\n' + SITE),
    ("E012", 6, None, SITE + "[ask]\ncsp = true\n"),
    ("E012", 13, None, SITE + STATS + 'storage = "session"\n'),
    ("E012", 5, None, SITE + "site.hosts = 3\n".replace("site.", "")),
    ("E003", 1, None, "[site\n"),
    ("E013", 6, "report", SITE + '[ask]\nundeclared = "reports"\n'),
    ("E013", 5, "fr", SITE + 'market = "FR"\n'),
    ("E013", 13, "consent", SITE + STATS + 'legal_basis = "Consent"\n'),
    ("E013", 13, "local_storage", SITE + STATS + 'storage = [{ name = "_id", kind = "localstorage" }]\n'),
    ("E014", None, None, STATS),
    ("E014", 1, None, SITE.replace("controller", "# controller")),
    ("E014", 2, None, SITE.replace('"Harbour News"', '"  "')),
    ("E014", 5, None, SITE + STATS.replace("purpose", "# purpose")),
    ("E014", 5, None, SITE + STATS.replace("name", "# name")),
    ("E014", 5, None, SITE + STATS.replace("provider", "# provider")),
    ("E014", 5, None, SITE + STATS.replace("category", "# category")),
    ("E014", 5, None, SITE + STATS.replace("key", "# key")),
    ("E014", 5, None, SITE + '[[category]]\nkey = "games"\npurpose = "Games."\n'),
    ("E014", 5, None, SITE + '[[category]]\nname = "Games"\npurpose = "Games."\n'),
    ("E014", 14, None, SITE + STATS + 'storage = [\n  { lasts = "1 day" },\n]\n'),
    ("E015", 5, None, SITE + STATS.replace("[[service]]", "[service]")),
    ("E020", 5, None, SITE + 'privacy_policy = "privacy"\n'),
    ("E020", 5, None, SITE + 'privacy_policy = "http://harbour.example/privacy"\n'),
    ("E020", 5, None, SITE + 'imprint = "harbour.example/about"\n'),
    ("E021", 7, None, SITE + 'hosts = [\n  "a.example",\n  "https://b.example/x",\n]\n'),
    ("E021", 5, None, SITE + 'hosts = ["*.harbour.example"]\n'),
    ("E022", 12, None, SITE + STATS.replace("stats.harbour", "https://stats.harbour")),
    ("E022", 12, None, SITE + STATS.replace("stats.harbour", "stats harbour")),
    ("E022", 12, None, SITE + STATS.replace("stats.harbour.example/js/*", "*")),
    ("E022", 12, None, SITE + STATS.replace("stats.harbour.example/js/*", "*/matomo.js")),
    ("E022", 12, None, SITE + STATS.replace("stats.harbour.example/js/*", "*.example")),
    ("E022", 12, None, SITE + STATS.replace("stats.harbour.example/js/*", "www.google.*/maps")),
    ("E022", 12, None, SITE + STATS.replace("js/*", "js?id=1")),
    ("E023", 6, None, SITE + '[ask]\nskip = ["admin/*"]\n'),
    ("E023", 13, None, SITE + STATS + f'on_request = ["donate"]\nexempt_reason = "{REASON}"\n'),
    ("E024", 13, "13 months", SITE + STATS + 'storage = [{ name = "_id", lasts = "13 monts" }]\n'),
    ("E024", 13, None, SITE + STATS + 'storage = [{ name = "_id", lasts = "a while" }]\n'),
    ("E024", 5, None, SITE + 'log_retention = "forever"\n'),
    ("E024", 13, None, SITE + STATS + 'storage = [{ name = "_id", lasts = "0 days" }]\n'),
    ("E025", 13, "GB", SITE + STATS + 'country = "UK"\n'),
    ("E025", 13, "IE", SITE + STATS + 'processing_countries = ["ie"]\n'),
    ("E025", 13, "IE", SITE + STATS + 'country = "Ireland"\n'),
    ("E025", 13, None, SITE + STATS + 'country = "XX"\n'),
    ("E026", 6, None, SITE + STATS.replace('"stats"', '"Our Stats!"')),
    ("E027", 13, None, SITE + STATS + 'inline = ["ga("]\n'),
    ("E028", 13, None, SITE + STATS + 'embed = "https://stats.harbour.example/js/"\n'),
    ("E028", 13, None, SITE + STATS + 'embed = "https://elsewhere.example/{id}"\n'),
    ("E030", 6, None, SITE + "[ask]\nlifetime_days = 30\n" + STATS),
    ("E031", 6, None, SITE + "[ask]\nlifetime_days = 367\n" + STATS),
    ("E031", 7, None, SITE + 'market = "fr"\n[ask]\nlifetime_days = 185\n' + STATS),
    ("E031", 7, None, SITE + 'market = "es"\n[ask]\nlifetime_days = 401\n' + STATS),
    ("E032", 7, None, SITE + '[ask]\nundeclared = "report"\ntrial_until = 2027-02-28\n'),
    ("E033", 7, None, SITE + '[ask]\nundeclared = "report"\ntrial_until = 2027-03-16\n'),
    ("E034", 7, None, SITE + 'hosts = ["harbour.example"]\n[ask]\ncookie_domain = "other.example"\n'),
    ("E034", 6, None, SITE + '[ask]\ncookie_domain = "harbour.example"\n'),
    ("E034", 7, None, SITE + 'hosts = ["harbour.example"]\n[ask]\ncookie_domain = "example"\n'),
    ("E040", 7, "analytics", SITE + STATS.replace('"analytics"', '"analitics"')),
    ("E041", 14, None, SITE + STATS + STATS),
    ("E041", 6, None, SITE + STATS.replace('"stats"', '"video"')),
    ("E041", 6, None, SITE + STATS.replace('"stats"', '"consentry"')),
    ("E041", 8, None, SITE + '[[service]]\nuse = "youtube"\n[[service]]\nuse = "youtube"\n'),
    ("E041", 8, None, SITE + '[[category]]\nkey = "video"\n[[category]]\nkey = "video"\n'),
    ("E042", 6, "youtube", SITE + '[[service]]\nuse = "YouTub"\n'),
    ("E042", 6, None, SITE + '[[service]]\nuse = "zzz"\n'),
    ("E043", 5, None, SITE + STATS.replace("load", "# load")),
    ("E043", 5, None, SITE + STATS.replace('["stats.harbour.example/js/*"]', "[]")),
    ("E044", 5, None, SITE + '[[service]]\nuse = "matomo"\n'),
    ("E045", 7, None, SITE + NEEDED.replace("exempt_reason", "# exempt_reason")),
    ("E045", 13, None, SITE + NEEDED.replace(REASON, "We need it.")),
    ("E045", 13, None, SITE + STATS.replace('"analytics"', '"functional"') + 'legal_basis = "necessary"\n'),
    ("E046", 13, None, SITE + STATS + 'legal_basis = "legitimate interest"\n'),
    ("E046", 13, None, SITE + NEEDED.replace(REASON, "We have a legitimate interest in knowing our readers.")),
    ("E046", 9, None, SITE + STATS.replace("Counts", "In our legitimate interest, counts")),
    ("E047", 13, None, SITE + STATS + 'on_request = ["/donate"]\n'),
    ("E048", 13, None, SITE + STATS.replace('"analytics"', '"necessary"') + 'legal_basis = "consent"\n'),
    ("E049", 13, None, SITE + STATS + f'legal_basis = "necessary"\nexempt_reason = "{REASON}"\n'),
    ("E050", 14, None, SITE + STATS + 'storage = [\n  { name = "_id" },\n]\n'),
    ("E050", 14, None, SITE + STATS + '[[service.storage]]\nname = "_id"\n'.replace("[[", "\n[[")),
    ("E051", 13, None, SITE + STATS + 'storage = [{ name = "*", lasts = "1 day" }]\n'),
    ("W001", 9, None, SITE + STATS.replace("Counts", "Improves the site: counts")),
    ("W001", 7, None, SITE + '[[category]]\nkey = "video"\npurpose = "Anonymous videos."\n'),
    ("W002", 7, None, SITE + '[ask]\nundeclared = "report"\ntrial_until = 2027-03-15\n'),
    ("W003", 5, None, SITE + NEEDED.replace("reviewed_by", "# reviewed_by")),
    ("W003", 15, None, SITE + NEEDED.replace("2027-01-31", "2026-02-27")),
    ("W003", 15, None, SITE + NEEDED.replace("2027-01-31", "2028-01-31")),
    ("W004", 13, None, SITE + STATS + 'processing_countries = ["IE", "US"]\n'),
    ("W005", 5, None, SITE + STATS.replace("privacy_policy", "# privacy_policy")),
    ("W006", 1, None, SITE.replace("contact", "# contact")),
    ("W008", 5, None, SITE + '[[category]]\nkey = "games"\nname = "Games"\npurpose = "Shows games."\n'),
    ("W009", 13, None, SITE + STATS + 'storage = [{ name = "_id", lasts = "persistent" }]\n'),
    ("W010", 6, None, SITE + '[ask]\nundeclared = "allow"\n'),
    ("W010", 6, None, SITE + "[ask]\ntrial_until = 2027-03-10\n"),
    ("W010", 8, None, SITE + '[ask]\nundeclared = "report"\ntrial_until = 2027-03-10\ncsp = "enforce"\n'),
    ("W011", 20, None, SITE + STATS + STATS.replace('"stats"', '"more"')),
    ("W012", 6, None, SITE + '[[service]]\nuse = "google-fonts"\n'),
    ("W013", 6, None, SITE + '[[service]]\nuse = "donorbox"\n'),
    ("W015", 3, None, SITE.replace("Harbour News Trust", "DECIDE: who is responsible")),
    ("W017", 6, None, SITE + 'market = "us-ca"\n' + STATS.replace('"analytics"', '"marketing"')),
    ("W018", 5, None, SITE + 'languages = ["en", "tlh"]\n'),
    ("W018", 5, None, SITE + 'default_language = "tlh"\n'),
    ("W018", 6, None, SITE + 'allow_unreviewed = false\nlanguages = ["de"]\n'),
    ("W014", 14, None, SITE + 'market = "fr"\n' + STATS + f'legal_basis = "necessary"\nexempt_reason = "{REASON}"\n'),
]


@pytest.mark.parametrize(("id", "line", "near", "text"), ROWS, ids=[f"{row[0]}-{n}" for n, row in enumerate(ROWS)])
def test_each_mistake_earns_its_finding_on_its_line(
    tmp_path: Path, id: str, line: int | None, near: str | None, text: str | bytes
) -> None:
    found = [(problem.id, problem.line, problem.near) for problem in findings(tmp_path, text)]
    assert (id, line, near) in found


@pytest.mark.parametrize("row", ROWS, ids=[f"{row[0]}-{n}" for n, row in enumerate(ROWS)])
def test_one_mistake_earns_one_error(tmp_path: Path, row: tuple[str, int | None, str | None, str | bytes]) -> None:
    errors = [problem for problem in findings(tmp_path, row[3]) if problem.is_error]
    assert [problem.id for problem in errors] == ([row[0]] if row[0].startswith("E") else [])


def test_what_the_rows_vary_is_free_of_findings(tmp_path: Path) -> None:
    for text in (SITE, SITE + STATS, SITE + NEEDED):
        assert findings(tmp_path, text) == []


def test_every_check_has_a_row_or_its_own_test() -> None:
    # A missing file, the lock, and the site's own texts: below, in test_config_lock.py and test_languages_site.py.
    elsewhere = {"E001", "E060", "W007", "E061", "W019"}
    assert {row[0] for row in ROWS} | elsewhere == set(CHECKS)


def test_missing_file_names_the_command_that_writes_one(tmp_path: Path) -> None:
    (problem,) = check(tmp_path / "consent.toml")
    assert problem.id == "E001"
    assert "consent init" in problem.remedy


def test_folder_in_place_of_the_file_is_an_error_with_an_id(tmp_path: Path) -> None:
    (problem,) = check(tmp_path)
    assert problem.id == "E002"


def test_every_finding_reads_as_sentences(tmp_path: Path) -> None:
    for row in ROWS:
        for problem in findings(tmp_path, row[3]):
            for sentence in (problem.what, problem.remedy):
                assert sentence[0].isupper() or not sentence[0].isalpha(), sentence
                assert sentence.rstrip()[-1] in ".!", sentence
                assert "None" not in sentence, sentence
                assert len(sentence) < 260, sentence
            assert problem.file.endswith("consent.toml")


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = (
        '[site]\nname = 1\nmarket = "eur"\n[ask]\nlifetime_days = 10\n'
        + STATS.replace("pose", "ose")
        + '[[service]]\nuse = "vimo"\n'
    )
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, text), today=TODAY)
    lines = [problem.line or 0 for problem in caught.value.problems]
    assert lines == sorted(lines)
    assert {problem.id for problem in caught.value.problems} >= {"E012", "E013", "E014", "E010", "E042", "E030"}
    assert "consent.toml:2: E012" in str(caught.value)


def test_service_that_misses_something_is_still_checked_for_the_rest(tmp_path: Path) -> None:
    text = SITE + STATS.replace("provider", "# provider").replace('"analytics"', '"analitics"')
    assert [(p.id, p.line) for p in findings(tmp_path, text)] == [("E014", 5), ("E040", 7)]


def test_warnings_alone_do_not_stop_the_start(tmp_path: Path) -> None:
    path = write(tmp_path, SITE + '[[service]]\nuse = "donorbox"\n')
    assert check(path, today=TODAY)
    assert load(path, today=TODAY).service("donorbox").category == "donations"


def test_running_trial_is_said_at_each_start_with_its_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    load(write(tmp_path, SITE), today=TODAY)
    assert caplog.text == ""
    path = write(tmp_path, SITE + '[ask]\nundeclared = "report"\ntrial_until = 2027-03-10\n')
    for _ in range(2):
        caplog.clear()
        assert load(path, today=TODAY).ask.trial_until == date(2027, 3, 10)
        assert "2027-03-10" in caplog.text


@pytest.mark.parametrize(
    ("market", "days"), [("eu", 184), ("eu", 366), ("fr", 184), ("es", 400), ("uk", 365), ("us-ca", 184)]
)
def test_life_times_within_the_market_pass(tmp_path: Path, market: str, days: int) -> None:
    text = SITE + f'market = "{market}"\n[ask]\nlifetime_days = {days}\n' + STATS
    assert not [problem for problem in findings(tmp_path, text) if problem.is_error]


def test_short_life_time_is_no_mistake_where_nothing_is_asked(tmp_path: Path) -> None:
    assert [p.id for p in findings(tmp_path, SITE + "[ask]\nlifetime_days = 30\n" + STATS)] == ["E030"]
    assert findings(tmp_path, SITE + "[ask]\nlifetime_days = 30\n" + NEEDED) == []


def test_windows_line_ends_and_byte_order_mark_change_no_line(tmp_path: Path) -> None:
    text = (SITE + STATS.replace("purpose", "pupose")).replace("\n", "\r\n").encode("utf-8-sig")
    assert ("E010", 9) in [(problem.id, problem.line) for problem in findings(tmp_path, text)]
