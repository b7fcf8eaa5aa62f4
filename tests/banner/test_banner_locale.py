"""Which language is spoken, and that every language says everything."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po
from banner_site import policy, text, view
from extract_messages import TEMPLATE, messages
from hypothesis import given
from hypothesis import strategies as st

from consent.banner import Banner
from consent.locale import AVAILABLE, fill, negotiate, texts
from consent.locale.tags import nearest
from consent.policy import Policy, Service, Site

ENGLISH = policy()
TRANSLATED = [tag for tag in AVAILABLE if tag != "en"]


@pytest.mark.parametrize(
    ("page", "app", "header", "expected"),
    [
        (None, None, "", "en"),
        ("de", None, "en", "de"),
        ("de-AT", None, "en", "de"),
        ("de_CH", None, "en", "de"),
        ("DE", None, "en", "de"),
        ("xx", "de", "en", "de"),
        (None, None, "rm, de;q=0.7, en;q=0.3", "de"),
        (None, None, "en;q=0.3, de;q=0.7", "de"),
        (None, None, "de;q=0, en;q=0.1", "en"),
        (None, None, "de;q=nonsense, en;q=0.1", "en"),
        (None, None, "*", "en"),
        ("", "", ";;;,,=q", "en"),
    ],
)
def test_language_of_the_page_comes_before_the_apps_and_the_browsers(
    page: str | None, app: str | None, header: str, expected: str
) -> None:
    assert negotiate(ENGLISH, page=page, app=app, accept_language=header) == expected


def test_a_site_narrows_its_languages_and_names_its_own() -> None:
    german = Policy(site=Site(name="N", controller="C", languages=("de",), default_language="de"))
    assert negotiate(german, page="en", accept_language="en") == "de"
    unknown = Policy(site=Site(name="N", controller="C", languages=("tlh",), default_language="tlh"))
    assert negotiate(unknown, page="de") == "en"


@given(page=st.text(), app=st.text(), header=st.text())
def test_negotiation_never_raises(page: str, app: str, header: str) -> None:
    assert negotiate(ENGLISH, page=page, app=app, accept_language=header) in AVAILABLE


def test_texts_speak_dates_lists_countries_and_durations() -> None:
    english, german = texts("en"), texts("de")
    assert english.date(date(2026, 11, 23)) == "November 23, 2026"
    assert german.date(date(2026, 11, 23)) == "23. November 2026"
    assert german.list(["a", "b", "c"]) == "a, b und c"
    assert (german.country("IE"), german.country("Atlantis")) == ("Irland", "Atlantis")
    assert (german.duration("13 months"), german.duration("1 minute")) == ("13 Monate", "1 Minute")
    assert german.duration("until the tide turns") == "until the tide turns"
    assert (english.direction, german.direction) == ("ltr", "ltr")


SHIPPED = ("en", "de", "nb", "sr-Cyrl", "sr-Latn", "zh-Hans", "pt", "pt-BR", "he", "ro")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("zh-TW", None), ("zh-Hant", None), ("zh-HK", None), ("zh", "zh-Hans"), ("zh-CN", "zh-Hans"),
        ("zh-Hans-SG", "zh-Hans"), ("zh_SG", "zh-Hans"), ("sr", "sr-Cyrl"), ("sr-RS", "sr-Cyrl"), ("sr-ME", "sr-Latn"),
        ("sr-Latn-RS", "sr-Latn"), ("sh", "sr-Latn"), ("no", "nb"), ("no-NO", "nb"), ("nb-NO", "nb"), ("nn", None),
        ("iw", "he"), ("iw-IL", "he"), ("mo", "ro"), ("pt-AO", "pt"), ("pt-BR", "pt-BR"), ("pt-PT", "pt"),
        ("de-CH-1996", "de"), ("DE-at", "de"), ("en-GB-oxendict", "en"), ("fr", None), ("*", None), ("", None),
        ("x-klingon", None), ("de-", None), ("ünlü", None),
    ],
)  # fmt: skip
def test_a_language_is_found_by_its_script_and_region(wanted: str, found: str | None) -> None:
    assert nearest(wanted, SHIPPED) == found


def test_brazil_is_better_than_nothing_for_portuguese() -> None:
    assert nearest("pt-AO", ("en", "pt-BR")) == "pt-BR"


def test_an_unknown_language_is_english() -> None:
    assert texts("tlh").tag == "en"


def test_a_placeholder_without_a_value_stays_to_be_seen() -> None:
    assert fill("{a} and {b}", {"a": "{b}"}) == "{b} and {b}"


def test_version_of_the_texts_differs_by_language_and_changes_with_a_sites_own(tmp_path: Path) -> None:
    (tmp_path / "de.po").write_text('msgid "Accept all"\nmsgstr "Alles annehmen"\n')
    own = texts("de", site_locales=tmp_path)
    assert own.gettext("Accept all") == "Alles annehmen"
    assert own.gettext("Save selection") == "Auswahl speichern"
    assert len({own.version, texts("de").version, texts("en").version}) == 3


def test_a_sites_own_words_are_translated_from_its_locales_folder(tmp_path: Path) -> None:
    (tmp_path / "locales").mkdir()
    (tmp_path / "locales" / "de.po").write_text('msgid "Counts readers."\nmsgstr "Zählt Leserinnen und Leser."\n')
    stats = Service(key="stats", category="analytics", name="Stats", purpose="Counts readers.")
    site = Policy(site=ENGLISH.site, services=(stats,), source=str(tmp_path / "consent.toml"))
    assert "Zählt Leserinnen und Leser." in text(Banner(site).preferences(view("de", of=site)))


def test_the_template_of_messages_is_up_to_date() -> None:
    with TEMPLATE.open("rb") as file:
        stored = read_po(file)
    assert {m.id for m in stored if m.id} == {m.id for m in messages() if m.id}


def places(message: object) -> set[str]:
    return set(re.findall(r"\{[a-z_]+\}", str(message)))


@pytest.mark.parametrize("tag", TRANSLATED)
def test_every_message_is_translated_with_the_same_places(tag: str) -> None:
    with (TEMPLATE.parent / f"{tag}.po").open("rb") as file:
        catalogue = read_po(file, locale=tag.replace("-", "_"))
    translated: dict[object, Message] = {m.id: m for m in catalogue if m.id}
    wanted = [m.id for m in messages() if m.id]
    assert len(wanted) > 100
    assert [key for key in wanted if key not in translated] == []
    for key in wanted:
        message = translated[key]
        forms = [message.string] if isinstance(message.string, str) else list(message.string or ())
        assert forms
        assert all(forms), key
        assert not message.fuzzy
        assert len(forms) == (1 if isinstance(key, str) else catalogue.num_plurals)
        for form in forms:
            assert places(form) == places(key), key


@pytest.mark.parametrize("tag", AVAILABLE)
def test_no_two_buttons_say_the_same(tag: str) -> None:
    spoken = texts(tag)
    labels = ["Accept all", "Accept only necessary", "Save selection", "Withdraw all", "Load once", "Hide this message"]
    assert len({spoken.gettext(label) for label in labels}) == len(labels)
