"""A site's own texts and languages, a folder away: what is wrong in them is said before a visitor meets it."""

from __future__ import annotations

from pathlib import Path

import pytest
from babel.messages.pofile import read_po, write_po

from consent.config import check, load
from consent.errors import ConfigError, Problem
from consent.locale import digest
from consent.locale.shelf import TEMPLATE

TOML = '[site]\nname = "Harbour News"\ncontroller = "Harbour News Trust"\ncontact = "privacy@harbour.example"\n'
MANAGE = 'msgid "You can change or withdraw your choice at any time under {settings}."\nmsgstr '


def found(folder: Path, **files: str) -> list[Problem]:
    (folder / "consent.toml").write_text(TOML)
    (folder / "locales").mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / "locales" / name.replace("__", ".").replace("_", "-")).write_text(text, "utf-8")
    return check(folder / "consent.toml")


def told(folder: Path, **files: str) -> list[tuple[str, str]]:
    return [(problem.id, problem.what) for problem in found(folder, **files)]


def test_a_catalogue_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    (problem,) = found(tmp_path, de__po='msgid "Accept all"\nmsgstr "Alle"\nnonsense\n')
    assert (problem.id, Path(problem.file or "").name) == ("E061", "de.po")
    with pytest.raises(ConfigError, match="E061"):
        load(tmp_path / "consent.toml")
    assert told(tmp_path, de__po='msgid "Accept all"\nmsgstr "Alle"\n') == []
    load(tmp_path / "consent.toml")


def test_a_list_of_reviews_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    assert [check_id for check_id, _ in told(tmp_path, languages__toml="[de\n")] == ["E061"]


@pytest.mark.parametrize(
    ("said", "told_of"),
    [
        ('"Jederzeit widerrufbar."', "has lost {settings}"),
        ('"Jederzeit unter {setings} und {settings}."', "has no value for {setings}"),
        ('"Jederzeit unter {settings}."', ""),
    ],
)
def test_a_place_that_was_lost_or_made_up_is_found(tmp_path: Path, said: str, told_of: str) -> None:
    whats = [what for _, what in told(tmp_path, de__po=MANAGE + said)]
    assert len(whats) == bool(told_of)
    assert all(told_of in what for what in whats)


def test_a_text_that_is_marked_fuzzy_is_found(tmp_path: Path) -> None:
    ((check_id, what),) = told(tmp_path, de__po=f'#, fuzzy\n{MANAGE}"Jederzeit unter {{settings}}."')
    assert (check_id, "fuzzy" in what) == ("W019", True)


def test_a_new_language_is_told_what_it_leaves_in_english(tmp_path: Path) -> None:
    ((check_id, what),) = told(tmp_path, rm__po='msgid "Accept all"\nmsgstr "Acceptar tut"\n')
    assert (check_id, "texts stay in English" in what) == ("W019", True)
    with TEMPLATE.open("rb") as file:
        everything = read_po(file, locale="rm")
    for message in everything:
        if message.id and not all(place.startswith("catalogue/") for place, _ in message.locations):
            message.string = message.id
    with (tmp_path / "locales" / "rm.po").open("wb") as out:
        write_po(out, everything)
    assert told(tmp_path) == []


def test_the_same_few_words_in_a_language_of_the_librarys_leave_nothing_out(tmp_path: Path) -> None:
    own = 'msgid "Accept all"\nmsgstr "Ja, alle akzeptieren"\n'
    assert told(tmp_path, de__po=own, de_informal__po=own) == []


@pytest.mark.parametrize(
    ("review", "told_of"),
    [
        (f'[de]\nstatus = "reviewed"\nby = "A. Keller"\non = 2026-11-20\ntexts = "{digest("de")}"\n', ""),
        ('[de]\nstatus = "reviewed"\nby = "A. Keller"\non = 2026-11-20\n', f'which is texts = "{digest("de")}" now'),
        ('[de]\nstatus = "reviewed"\nby = "A. Keller"\n', "[de] doesn't count"),
        (
            '[de]\nstatus = "reviewed"\nby = "A. Keller"\non = 2026-11-20\ntexts = "0123"\n',
            f'the review counts no more. Once they are read as they are now, write texts = "{digest("de")}"',
        ),
        ('[dee]\nstatus = "reviewed"\nby = "A. Keller"\non = 2026-11-20\n', "[dee] is no language"),
    ],
)
def test_a_review_that_will_not_count_is_found(tmp_path: Path, review: str, told_of: str) -> None:
    whats = [what for _, what in told(tmp_path, languages__toml=review)]
    assert len(whats) == bool(told_of)
    assert all(told_of in what for what in whats)
