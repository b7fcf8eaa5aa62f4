"""Which languages a site may speak, its own among them, and how visitors are addressed."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import flask
import pytest
from flask_babel import Babel

import consent
from consent.banner import Banner
from consent.banner.view import View
from consent.flask import Consent
from consent.locale import AVAILABLE, digest, languages, negotiate, offered, texts
from consent.locale.catalogue import compiled, opened
from consent.locale.negotiation import _offered
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


def forget() -> None:
    """What a process reads once, as the next process finds it."""
    for read_once in (languages, texts, _offered):
        read_once.cache_clear()


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
        ('status = "reviewed"\nby = "Dr. A. Keller"\non = 2026-11-20\ntexts = "NOW"', True),
        ('status = "reviewed"\nby = "Dr. A. Keller"\non = 2026-11-20', False),
        ('status = "reviewed"\nby = "Dr. A. Keller"\non = 2026-11-20\ntexts = "0123456789abcdef"', False),
        ('status = "reviewed"\non = 2026-11-20\ntexts = "NOW"', False),
        ('status = "reviewed"\nby = "Dr. A. Keller"\ntexts = "NOW"', False),
        ('status = "machine"\nby = "Dr. A. Keller"\non = 2026-11-20\ntexts = "NOW"', False),
    ],
)
def test_a_review_counts_with_a_name_a_day_and_what_was_read(tmp_path: Path, said: str, counts: bool) -> None:
    (tmp_path / "locales").mkdir()
    (tmp_path / "locales" / "languages.toml").write_text(f"[de]\n{said}\n".replace("NOW", digest("de")))
    assert ("de" in offered(site(tmp_path, allow_unreviewed=False))) is counts


@pytest.mark.parametrize("name", ["de.po", "de-informal.po"])
def test_a_review_is_of_the_texts_as_they_were_read(tmp_path: Path, name: str) -> None:
    write(tmp_path, name, ("Your selection is saved.", "Gespeichert."))
    folder = tmp_path / "locales"
    read = digest("de", site_locales=folder)
    assert read != digest("de")
    review = f'[de]\nstatus = "reviewed"\nby = "Dr. A. Keller"\non = 2026-11-20\ntexts = "{read}"\n'
    (folder / "languages.toml").write_text(review)
    assert languages(folder)["de"].status == "reviewed"
    forget()
    assert languages(folder)["de"].status == "reviewed", "the control: nothing has changed"
    write(tmp_path, name, ("Your selection is saved.", "Wird nie gespeichert."))
    forget()
    assert (languages(folder)["de"].status, languages(folder)["de"].have_changed) == ("machine", True)
    assert "de" not in offered(site(tmp_path, allow_unreviewed=False))
    assert "de" in offered(site(tmp_path)), "others may show it all the same"


def test_texts_that_cannot_be_read_were_read_by_nobody(tmp_path: Path) -> None:
    (tmp_path / "locales").mkdir()
    (tmp_path / "locales" / "de.po").write_text('msgid "Accept all"\nmsgstr "Alle"\nnonsense\n')
    assert digest("de", site_locales=tmp_path / "locales") == ""


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


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("da;q=0.2, sv;q=0.9, de;q=0.5", "sv"),
        ("de;q=0.5, sv;q=0.5", "de"),  # equal: in the order of the header
        ("sv;q=0.001, de;q=0", "sv"),
        ("sv ; q = 0.3 , de ; Q=0.8", "de"),
        ("sv;level=1;q=0.2, de;q=0.3", "de"),
        ("sv;q=1.5, de;q=0.1", "de"),  # no weight at all: the range is left out
        ("sv;q=, de;q=0.1", "de"),
        ("sv;q=-1, de;q=0.1", "de"),
        ("sv;q=0.0001, de;q=0.1", "de"),
        ("sv;q=١, de;q=0.1", "de"),
        ("*", "fr"),
        ("tlh, *;q=0.1", "fr"),
        ("*;q=0.9, de;q=0.3", "fr"),
        ("fr;q=0.1, *;q=0.9, de;q=0.3", "de"),  # any but those named; French is named, and liked least
        ("*;q=0", "fr"),
        ("fr;q=0, de", "de"),
        ("pt;q=0.9, pt-BR;q=0", "pt"),
        ("zh;q=0.9, zh-Hans;q=0, sv;q=0.1", "sv"),
        ("no", "nb"), ("no-NO-NY", "nb"), ("nn, no;q=0.9", "nn"), ("nb-NO", "nb"),
        ("zh-TW, de;q=0.1", "de"), ("zh-Hant-CN, de;q=0.1", "de"), ("zh-MO, zh;q=0.9", "fr"), ("zh-SG", "zh-Hans"),
        ("sr-Latn", "sr-Latn"), ("sr-Latn-ME, sr;q=0.9", "sr-Latn"), ("sr", "sr-Cyrl"), ("sr-BA", "sr-Cyrl"),
        ("sh-RS", "sr-Latn"), ("hr-BA", "hr"), ("in, de", "de"), ("iw", "he"), ("ji, de", "de"), ("mo-MD", "ro"),
        (",,, ,", "fr"), (";q=1", "fr"), ("de,", "de"), ("d" * 5000 + ", de", "de"), ("de-" + "a" * 9, "fr"),
        ("en_GB", "en"), ("de\x00", "fr"), ("<script>", "fr"), ("de;", "de"), ("de;q=0.5;q=0", "fr"),
        ("tlh," * 19 + "de", "de"), ("tlh," * 20 + "de", "fr"),
    ],
)  # fmt: skip
def test_a_browsers_header_is_read_as_rfc_9110_says(tmp_path: Path, header: str, found: str) -> None:
    assert negotiate(site(tmp_path, default_language="fr"), accept_language=header) == found


@pytest.mark.parametrize(
    ("page", "app", "header", "found"),
    [
        ("sv", "de", "fr", "sv"), ("tlh", "de", "fr", "de"), ("", "", "fr", "fr"), ("tlh", "tlh", "tlh", "en"),
        (None, "de_DE", "sv", "de"), ("sv", "de", "sv;q=0", "sv"), ("zh-TW", None, "zh;q=0.5", "en"),
    ],
)  # fmt: skip
def test_the_page_comes_before_the_application_and_that_before_the_browser(
    tmp_path: Path, page: str | None, app: str | None, header: str, found: str
) -> None:
    assert negotiate(site(tmp_path), page=page, app=app, accept_language=header) == found


DJANGO = """
import sys, django
from django.conf import settings
settings.configure(
    DEBUG=False, SECRET_KEY="for this test", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, USE_I18N=True,
    LANGUAGES=[("en", "English"), ("de", "German")], MIDDLEWARE=["django.middleware.locale.LocaleMiddleware"],
)
django.setup()
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path
urlpatterns = [path("", lambda request: HttpResponse("<!doctype html><html><title>News</title><body>News"))]
from consent.wsgi import ConsentMiddleware
from werkzeug.test import Client
app = ConsentMiddleware(get_wsgi_application(), "consent.toml", secret_key="for this test", log="memory://")
headers = {"Cookie": "django_language=" + sys.argv[1], "Accept-Language": "fr"}
sys.stdout.buffer.write(Client(app, use_cookies=False).get("/", headers=headers).data)
"""


@pytest.mark.parametrize(("chosen", "sign"), [("de", "Nur notwendige akzeptieren"), ("en", "Accept only necessary")])
def test_the_language_that_django_chose_counts_where_a_page_says_none(tmp_path: Path, chosen: str, sign: str) -> None:
    (tmp_path / "consent.toml").write_text(TOML)
    environment = os.environ | {"PYTHONPATH": str(Path(consent.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", DJANGO, chosen], cwd=tmp_path, env=environment, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert sign in done.stdout, done.stderr
