"""Which languages a site may speak, its own among them, and how visitors are addressed."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import flask
import pytest
from flask_babel import Babel

from consent.banner import Banner
from consent.banner.view import View
from consent.flask import Consent
from consent.locale import AVAILABLE, languages, negotiate, offered, texts
from consent.locale.catalogue import compiled, opened
from consent.locale.shelf import FOLDER
from consent.locale.tags import nearest
from consent.policy import Policy, Site

TOML = """\
[site]
name = "Harbour News"
controller = "Harbour News Trust, 1 Quay Street, Cork, Ireland"
[[service]]
use = "youtube"
"""


def site(folder: Path, **facts: object) -> Policy:
    about = Site(name="Harbour News", controller="Harbour News Trust", **facts)  # type: ignore[arg-type]
    return Policy(site=about, source=str(folder / "consent.toml"))


def write(folder: Path, name: str, *pairs: tuple[str, str]) -> None:
    path = folder / "locales" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n\n".join(f'msgid "{said}"\nmsgstr "{meant}"' for said, meant in pairs), "utf-8")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("zh_TW.Big5", None), ("zh-yue", None), ("zh-cmn-Hans-CN", "zh-Hans"), ("sr_RS@latin", "sr-Latn"),
        ("sr-XK", "sr-Cyrl"), ("de-u-co-phonebk", "de"), ("zh-x-hant", "zh-Hans"), ("pt-MZ", "pt"), ("az-IR", None),
    ],
)  # fmt: skip
def test_odd_tags_mean_what_cldr_says(wanted: str, found: str | None) -> None:
    assert nearest(wanted, ("en", "de", "sr-Cyrl", "sr-Latn", "zh-Hans", "pt", "pt-BR", "az")) == found


def test_serbian_readers_get_the_other_script_rather_than_another_language() -> None:
    assert nearest("sr", ("en", "sr-Latn")) == "sr-Latn"
    assert nearest("zh-TW", ("en", "zh-Hans")) is None


def test_a_language_that_is_not_shipped_is_there_with_a_file_of_the_sites(tmp_path: Path) -> None:
    assert "rm" not in AVAILABLE
    assert negotiate(site(tmp_path), page="rm") == "en"
    other = tmp_path / "other"
    write(other, "rm.po", ("Accept all", "Acceptar tut"), ("Accept only necessary", "Mo il necessari"))
    policy = site(other)
    assert negotiate(policy, page="rm-CH") == "rm"
    view = View.neutral(policy, locale="rm")
    notice = Banner(policy).notice(view).decode()
    assert 'lang="rm"' in notice
    assert "Acceptar tut" in notice


def test_a_language_that_cldr_does_not_know_formats_as_english_does(tmp_path: Path) -> None:
    write(tmp_path, "tlh.po", ("Save selection", "wIv yIpol"))
    spoken = texts("tlh", site_locales=tmp_path / "locales")
    assert (spoken.tag, spoken.gettext("Save selection")) == ("tlh", "wIv yIpol")
    assert spoken.date(date(2026, 11, 23)) == "November 23, 2026"


def test_a_browser_that_names_a_script_first_means_it_with_the_bare_language_too(tmp_path: Path) -> None:
    write(tmp_path, "zh-Hans.po", ("Accept all", "全部接受"))
    policy = site(tmp_path)
    assert negotiate(policy, accept_language="zh-TW,zh;q=0.9,de;q=0.8") == "de"
    assert negotiate(policy, accept_language="zh,de;q=0.8") == "zh-Hans"


def test_languages_are_named_in_any_spelling(tmp_path: Path) -> None:
    assert offered(site(tmp_path, languages=("de_AT", "EN"))) == ("de", "en")
    assert negotiate(site(tmp_path, languages=("de", "fr"), default_language="fr"), page="ja") == "fr"


def test_unreviewed_languages_are_left_out_where_a_site_wants_that_and_the_source_stays(tmp_path: Path) -> None:
    assert "de" in offered(site(tmp_path))
    assert offered(site(tmp_path, allow_unreviewed=False)) == ("en",)
    assert offered(site(tmp_path, allow_unreviewed=False, languages=("de",))) == ("en",)


@pytest.mark.parametrize(
    ("said", "counts"),
    [
        ('status = "reviewed"\nby = "Dr. A. Keller"\non = 2026-11-20', True),
        ('status = "reviewed"\non = 2026-11-20', False),
        ('status = "reviewed"\nby = "Dr. A. Keller"', False),
        ('status = "machine"\nby = "Dr. A. Keller"\non = 2026-11-20', False),
    ],
)
def test_a_review_counts_with_a_name_and_a_day(tmp_path: Path, said: str, counts: bool) -> None:
    (tmp_path / "locales").mkdir()
    (tmp_path / "locales" / "languages.toml").write_text(f"[de]\n{said}\n")
    assert ("de" in offered(site(tmp_path, allow_unreviewed=False))) is counts


def test_nothing_shipped_claims_a_review_that_was_not_made() -> None:
    said = languages()
    assert said["en"].status == "source"
    assert {one.status for tag, one in said.items() if tag != "en"} == {"machine"}
    assert set(said) == set(AVAILABLE)


def test_informal_texts_stand_over_formal_ones_only_where_they_are_wanted(tmp_path: Path) -> None:
    write(tmp_path, "de-informal.po", ("Your selection is saved.", "Deine Auswahl ist gespeichert."))
    folder = tmp_path / "locales"
    formal, informal = (texts("de", site_locales=folder, register=name) for name in ("formal", "informal"))
    assert formal.gettext("Your selection is saved.") == "Ihre Auswahl ist gespeichert."
    assert informal.gettext("Your selection is saved.") == "Deine Auswahl ist gespeichert."
    assert informal.gettext("Save selection") == "Auswahl speichern"
    assert informal.tag == "de"
    assert "de-informal" not in offered(site(tmp_path))


def test_a_built_catalogue_says_the_same_as_its_source(tmp_path: Path) -> None:
    for name in ("de.po", "consentry.pot"):
        path = tmp_path / name
        path.write_bytes((FOLDER / name).read_bytes())
        before = opened(path, "de").messages()
        path.with_suffix(".mo").write_bytes(compiled(path, "de"))
        assert opened(path, "de").messages() == before
        assert len(before) > 200


@pytest.mark.parametrize(("chosen", "sign"), [("de", "Nur notwendige akzeptieren"), ("en_GB", "Accept only necessary")])
def test_the_applications_own_locale_counts_where_a_page_says_none(tmp_path: Path, chosen: str, sign: str) -> None:
    (tmp_path / "consent.toml").write_text(TOML)
    app = flask.Flask("harbour", root_path=str(tmp_path), instance_path=str(tmp_path / "instance"))
    app.config["SECRET_KEY"] = "for this test"
    Babel(app, locale_selector=lambda: chosen)
    Consent(app, log="memory://")
    app.add_url_rule("/", view_func=lambda: "<!doctype html><html><title>News</title><body>News</body></html>")
    headers = {"Accept-Language": "fr", "Sec-Fetch-Dest": "document"}
    assert sign in app.test_client().get("/", headers=headers).text
