"""The demo's own pages: what there is to read, the reader's setting, and what the others saw."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from demo_visitor import VIDEO, Visitor
from flask import Flask
from playwright.sync_api import expect

from consent.config import check
from consent.testing import grant
from examples.flask_demo.app import HERE, create_app
from examples.flask_demo.newsroom import LANGUAGES, Newsroom

STAND_INS = "http://localhost:5002"
SLUGS = [article.slug for article in Newsroom().articles("en")]


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return create_app(stand_ins=STAND_INS, instance=tmp_path)


def test_the_policy_has_no_mistakes() -> None:
    assert [str(problem) for problem in check(HERE / "consent.toml") if problem.is_error] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_article_is_there_of_a_fair_length_and_illustrated(app: Flask, language: str) -> None:
    client = app.test_client()
    for article in Newsroom().articles(language):
        words = len(re.sub(r"<[^>]+>", " ", article.body).split())
        assert 350 <= words <= 600, (article.slug, words)
        page = client.get(f"/{language}/{article.slug}")
        assert page.status_code == 200
        assert article.title in page.text.replace("&#39;", "'")
        with client.get(f"/static/art/{article.slug}.svg") as picture:
            assert picture.status_code == 200


@pytest.mark.parametrize("name", ["", "about", "donate", "privacy", "what-the-others-saw"])
@pytest.mark.parametrize("asks_first", [True, False])
def test_pages_are_the_same_with_and_without_consentry(tmp_path: Path, name: str, asks_first: bool) -> None:
    client = create_app(asks_first=asks_first, instance=tmp_path).test_client()
    for language in LANGUAGES:
        answer = client.get(f"/{language}/{name}")
        assert answer.status_code == 200
        assert f'<html lang="{language}"' in answer.text
        assert ("data-consent-banner" in answer.text) is asks_first
        assert ("data-consent-declaration" in answer.text) is (asks_first and name == "privacy")


def test_without_stand_ins_the_real_addresses_are_used_and_gated(tmp_path: Path) -> None:
    app = create_app(instance=tmp_path / "asking")
    film = 'src="https://www.youtube.com/embed/'
    assert f" {film}" not in app.test_client().get(VIDEO).text
    granted = app.test_client()
    grant(granted, "youtube")
    assert f" {film}" in granted.get(VIDEO).text
    assert f" {film}" in create_app(asks_first=False, instance=tmp_path / "plain").test_client().get(VIDEO).text


def test_an_unknown_page_says_so_in_its_language(app: Flask) -> None:
    answer = app.test_client().get("/de/nirgends")
    assert answer.status_code == 404
    assert "Hier liegt nichts vor Anker" in answer.text
    assert app.test_client().get("/nowhere").status_code == 404


def test_the_feed_lists_every_article_and_no_notice(app: Flask) -> None:
    answer = app.test_client().get("/de/feed.xml", base_url="http://127.0.0.1:5000")
    channel = ElementTree.fromstring(answer.data).find("channel")
    assert channel is not None
    links = [item.findtext("link") for item in channel.findall("item")]
    assert links == [f"http://127.0.0.1:5000/de/{slug}" for slug in SLUGS]
    assert "consent" not in answer.text


@pytest.mark.parametrize(("header", "language"), [("de-AT,de;q=0.9", "de"), ("fr,en;q=0.5", "en"), ("", "en")])
def test_the_start_page_and_the_short_addresses_follow_the_browsers_language(
    app: Flask, header: str, language: str
) -> None:
    client = app.test_client()
    headers = {"Accept-Language": header}
    assert client.get("/", headers=headers).location == f"/{language}/"
    assert client.get("/privacy", headers=headers).location == f"/{language}/privacy"


def test_the_privacy_link_on_a_german_page_leads_to_the_german_one(app: Flask) -> None:
    headers = {"Referer": "http://localhost/de/undersea-cables", "Accept-Language": "en"}
    assert app.test_client().get("/privacy", headers=headers).location == "/de/privacy"
    headers["Referer"] = "http://elsewhere.example/de/undersea-cables"
    assert app.test_client().get("/privacy", headers=headers).location == "/en/privacy"


def test_text_size_is_kept_without_a_script_and_without_consent(app: Flask) -> None:
    client = app.test_client()
    answer = client.post("/text-size", data={"size": "large", "back": "/en/undersea-cables"})
    assert (answer.status_code, answer.location) == (303, "/en/undersea-cables")
    assert 'class="text-large"' in client.get("/en/").text
    assert 'class="text-normal"' in app.test_client().get("/en/").text


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "/\\evil.example", "en/"])
def test_text_size_leads_nowhere_else(app: Flask, back: str) -> None:
    assert app.test_client().post("/text-size", data={"size": "large", "back": back}).status_code == 400


def test_a_made_up_text_size_does_no_harm(app: Flask) -> None:
    client = app.test_client()
    assert client.post("/text-size", data={"size": "huge", "back": "/en/"}).status_code == 400
    client.set_cookie("text-size", '"><script>')
    assert 'class="text-normal"' in client.get("/en/").text


@pytest.mark.browser
def test_what_the_others_saw_is_listed_while_one_looks(visit: Callable[..., Visitor]) -> None:
    looking = visit()
    looking.read("/en/what-the-others-saw")
    with_it, without_it = looking.page.locator(".way.with"), looking.page.locator(".way.without")
    expect(with_it).to_contain_text("Nobody was told anything.")
    expect(without_it).to_contain_text("Nobody was told anything.")
    reading = visit()
    reading.read_plain(VIDEO)
    expect(without_it).to_contain_text("/embed/aqz-KE-bpKQ")
    expect(without_it).to_contain_text("Cookie set: VISITOR_INFO1_LIVE=")
    expect(with_it).to_contain_text("Nobody was told anything.")
    looking.page.get_by_role("button", name="Clear the list").click()
    expect(without_it).to_contain_text("Nobody was told anything.")


@pytest.mark.browser
def test_what_the_others_saw_is_listed_without_a_script_too(visit: Callable[..., Visitor]) -> None:
    visitor = visit(java_script_enabled=False)
    visitor.read_plain(VIDEO, VIDEO)
    visitor.read("/de/what-the-others-saw")
    expect(visitor.page.locator(".way.without")).to_contain_text("Cookie erhalten: _pk_uid=")
    visitor.page.get_by_role("button", name="Liste leeren").click()
    expect(visitor.page.locator(".way.without")).to_contain_text("Niemand hat etwas erfahren.")


@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 768, 1280])
def test_no_page_is_wider_than_the_screen(visit: Callable[..., Visitor], width: int) -> None:
    visitor = visit(viewport={"width": width, "height": 700})
    for path in ("/de/", "/de/the-library-on-the-line", VIDEO, "/de/donate", "/de/privacy", "/de/what-the-others-saw"):
        visitor.read(path)
        assert visitor.page.evaluate("document.documentElement.scrollWidth") <= width, path
