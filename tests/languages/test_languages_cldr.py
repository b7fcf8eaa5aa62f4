"""Plurals, dates, durations, countries and directions are those of CLDR, in every language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from gettext import c2py
from pathlib import Path

import pytest
from babel import Locale
from babel.dates import format_date
from babel.messages.pofile import read_po
from every_page import SERVICES, brief, every_page, heard

from consent.banner import static
from consent.locale import AVAILABLE, texts
from consent.locale.shelf import FOLDER, VARIANT
from consent.locale.texts import formatted

CATALOGUES = sorted(path.stem for path in FOLDER.glob("*.po"))
CATEGORIES = ("zero", "one", "two", "few", "many", "other")
HEADER = re.compile(r"nplurals\s*=\s*(\d+)\s*;\s*plural\s*=\s*(.+?)\s*;?\s*")
NOVEMBER = date(2026, 11, 23)
PHYSICAL = re.compile(
    r"(?<![\w-])(?:(?:margin|padding|border|scroll-(?:margin|padding))-(?:left|right|top|bottom)\b|"
    r"(?:left|right|top|bottom|width|height|min-width|max-width|min-height|max-height)\s*:|"
    r"(?:text-align|float|clear)\s*:\s*(?:left|right))"
)


def rule(header: str) -> tuple[int, str]:
    found = HEADER.fullmatch(header)
    assert found, header
    return int(found[1]), found[2]


def disagreements(tag: str, header: str, *, most: int = 200) -> list[str]:
    """Where the header of a catalogue and CLDR part: a number whose form is not that of its category."""
    number, expression = rule(header)
    chosen, category = c2py(expression), Locale.parse(formatted(tag), sep="-").plural_form
    used = [name for name in CATEGORIES if name in {category(n) for n in range(1001)}]
    wrong = [f"{n} is {category(n)}" for n in range(most + 1) if chosen(n) != used.index(category(n))]
    return wrong if number == len(used) else [f"{number} forms for {len(used)}", *wrong]


def plural_header(name: str) -> str:
    with (FOLDER / f"{name}.po").open("rb") as file:
        return dict(read_po(file).mime_headers)["Plural-Forms"]


@pytest.mark.parametrize("name", CATALOGUES)
def test_the_plural_form_of_each_number_is_the_one_cldr_says(name: str) -> None:
    assert disagreements(name.removesuffix(VARIANT), plural_header(name)) == []


@pytest.mark.parametrize(
    ("tag", "header", "wrong"),
    [
        ("pl", "nplurals=2; plural=(n != 1);", "2 forms for 3"),
        ("mk", "nplurals=2; plural=(n != 1);", "21 is one"),
        ("fr", "nplurals=2; plural=(n != 1);", "0 is one"),
        ("pt", "nplurals=2; plural=(n > 1);", "0 is other"),
        ("ar", "nplurals=6; plural=(n==0?0:n==1?1:n==2?2:n%100>=3&&n%100<=10?3:n%100<=2?4:5);", "11 is many"),
    ],
)
def test_a_plural_rule_that_is_another_languages_is_found(tag: str, header: str, wrong: str) -> None:
    assert wrong in disagreements(tag, header)


@pytest.mark.parametrize("name", CATALOGUES)
def test_every_plural_message_has_as_many_forms_as_its_language(name: str) -> None:
    number, _ = rule(plural_header(name))
    with (FOLDER / f"{name}.po").open("rb") as file:
        plurals = [message for message in read_po(file) if message.id and not isinstance(message.id, str)]
    assert plurals
    assert [message.id for message in plurals if len([form for form in message.string if form]) != number] == []


@pytest.mark.parametrize("tag", AVAILABLE)
def test_what_is_said_of_n_third_parties_is_in_the_form_for_n(tag: str) -> None:
    one = "If you agree, data goes to {n} third party, who processes it."
    many = "If you agree, data goes to {n} third parties, who process it."
    spoken, category = texts(tag), Locale.parse(formatted(tag), sep="-").plural_form
    said = dict[str, set[str]]()
    for n in range(201):
        sentence = spoken.ngettext(one, many, n, n="{n}")
        assert "{n}" in sentence
        said.setdefault(category(n), set()).add(sentence)
    assert {name: len(forms) for name, forms in said.items()} == dict.fromkeys(said, 1)


LONG_DATES = {
    "en": "November 23, 2026", "ar": "23 نوفمبر 2026", "bg": "23 ноември 2026\u202fг.", "de": "23. November 2026",
    "es": "23 de noviembre de 2026", "fr": "23 novembre 2026", "hu": "2026. november 23.", "ja": "2026年11月23日",
    "ko": "2026년 11월 23일", "lt": "2026 m. lapkričio 23 d.", "lv": "2026. gada 23. novembris",
    "mt": "23 ta’ Novembru 2026", "ru": "23 ноября 2026\u202fг.", "sr-Latn": "23. novembar 2026.",
    "uk": "23 листопада 2026\u202fр.", "zh-Hans": "2026年11月23日",
}  # fmt: skip


@pytest.mark.parametrize(("tag", "written"), LONG_DATES.items())
def test_a_date_is_written_out_as_the_language_does(tag: str, written: str) -> None:
    assert texts(tag).date(NOVEMBER) == written
    page = every_page(brief(), tag)["preferences granting"]
    assert any(" ".join(written.split()) in text for text in heard(page))


@pytest.mark.parametrize("tag", AVAILABLE)
def test_every_day_of_a_year_is_written_as_babel_writes_it(tag: str) -> None:
    spoken, locale = texts(tag), Locale.parse(formatted(tag), sep="-")
    for day in (date(2026, month, number) for month in range(1, 13) for number in (1, 3, 11, 23, 28)):
        assert spoken.date(day) == format_date(day, format="long", locale=locale)
        assert re.search(r"\d{4}", spoken.date(day))


def declared_durations() -> Iterator[str]:
    stored = [item.lasts for service in SERVICES for item in service.storage]
    kept = [service.provider_retention for service in SERVICES]
    yield from (f"{n} {unit}s" for unit in ("second", "minute", "hour", "day", "week", "month", "year")
                for n in (*range(32), 100, 184, 365, 730))  # fmt: skip
    yield from {words for words in (*stored, *kept) if re.match(r"\d", words)}


def spelled_out(tag: str) -> list[str]:
    """Durations that a page would not say in the language: by a code of CLDR's, or by a bare letter."""
    spoken = texts(tag)
    said = {words: spoken.duration(words) for words in declared_durations()}
    return [f"{words}: {text}" for words, text in said.items() if re.search(r"duration|[\d\s][A-Za-z]\.?$", text)]


@pytest.mark.parametrize("tag", AVAILABLE)
def test_every_duration_is_said_in_words(tag: str) -> None:
    assert spelled_out(tag) == []


@pytest.mark.parametrize(
    ("tag", "words", "said"),
    [
        ("it", "13 months", "13 mesi"), ("nl", "184 days", "184 dagen"), ("sr-Latn", "184 days", "184 dana"),
        ("sr-Latn", "21 days", "21 dan"), ("ja", "13 months", "13 か月"), ("ar", "2 weeks", "أسبوعان"),
        ("eu", "3 years", "3 urte"), ("sl", "2 years", "2 leti"), ("pl", "22 months", "22 miesiące"),
        ("mt", "13 months", "13-il xahar"), ("mt", "2 years", "sentejn"), ("ga", "3 years", "3 bliana"),
        ("ga", "18 hours", "18 uair an chloig"), ("ru", "184 days", "184 дня"), ("en", "1 day", "1 day"),
    ],
)  # fmt: skip
def test_a_duration_stands_in_the_number_and_words_of_the_language(tag: str, words: str, said: str) -> None:
    assert texts(tag).duration(words) == said


@pytest.mark.parametrize("tag", AVAILABLE)
def test_every_country_that_services_name_has_a_name_in_the_language(tag: str) -> None:
    named = {code for s in SERVICES for code in (s.country, *s.processing_countries)} - {""}
    assert len(named) > 2
    assert [code for code in named if texts(tag).country(code) == code] == []


def test_portuguese_without_more_is_that_of_portugal() -> None:
    assert (texts("pt").country("PL"), texts("pt-BR").country("PL")) == ("Polónia", "Polônia")


@pytest.mark.parametrize("tag", AVAILABLE)
def test_the_direction_is_the_languages(tag: str) -> None:
    assert texts(tag).direction == ("rtl" if tag in ("ar", "fa", "he", "ur") else "ltr")


def physical(css: str) -> list[str]:
    """Properties that name a side instead of a direction of the text; media queries have no other words."""
    without = re.sub(r"/\*.*?\*/|@(?:media|container)[^{]*\{", "", css, flags=re.S)
    return PHYSICAL.findall(without)


@pytest.mark.parametrize("name", [name for name in static.TYPES if name.endswith(".css")])
def test_style_sheets_know_no_left_and_right(name: str) -> None:
    assert physical(static.content(name).decode()) == []


@pytest.mark.parametrize(
    "css", ["a{margin-left:1em}", "a{text-align: right}", "a{left:0}", "a{float:left}", "a{color:red;width:10px}"]
)
def test_a_side_in_a_style_sheet_is_found(css: str) -> None:
    assert len(physical(css)) == 1


@pytest.mark.parametrize("path", sorted((Path(static.__file__).parents[1] / "templates").glob("*.html")))
def test_templates_style_nothing_by_themselves(path: Path) -> None:
    assert "style=" not in path.read_text("utf-8")
