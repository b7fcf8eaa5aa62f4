"""One language from the page to the receipt, over every adapter: what is said stays in the one that was read."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from conftest import HTML, Answer, Recording, Served, make_policy
from contract_steps import choose, cookie

PAGE = b"<!doctype html><html%s><head><title>T</title></head><body><main>News.</main></body></html>"
FRENCH = {"accept_language": "fr"}


def page(lang: str = "", *fields: tuple[str, str]) -> dict[str, Answer]:
    written = PAGE % (f" lang={lang}".encode() if lang else b"")
    return {"/": Answer(written, fields=[("Content-Type", HTML), *fields])}


@pytest.mark.parametrize(
    ("lang", "content_language", "spoken"),
    [
        ("sv", "de", "sv"),
        ("", "de", "de"),
        ("tlh", "de-AT", "de"),
        ("", "de, en", "fr"),  # for readers of several languages: no choice of one
        ("", "", "fr"),
    ],
)
def test_a_page_that_names_no_language_is_in_that_of_its_content_language_field(
    make_site: Callable[..., Served], lang: str, content_language: str, spoken: str
) -> None:
    fields = [("Content-Language", content_language)] if content_language else []
    reply = make_site(page(lang, *fields)).get("/", **FRENCH)
    assert f'lang="{spoken}" dir="ltr" data-consent-banner' in reply.text


def test_the_language_of_a_link_to_the_preferences_comes_before_the_browsers(site: Served) -> None:
    assert '<html class="cst-page" lang="de"' in site.get("/consent/?lang=de", **FRENCH).text
    assert '<html class="cst-page" lang="fr"' in site.get("/consent/?lang=tlh", **FRENCH).text


@pytest.mark.parametrize(
    ("form", "fields", "status"),
    [
        ({"action": "dance"}, {}, 400),
        ({"action": "accept"}, {"sec_fetch_site": "cross-site"}, 403),
        ({"action": "once", "service": "youtube", "url": "https://nobody.example/", "artefact": "x"}, {}, 200),
        ({"action": "always", "service": "nobody"}, {}, 400),
    ],
)
def test_a_page_that_says_what_went_wrong_is_in_the_language_of_the_form(
    site: Served, form: dict[str, str], fields: dict[str, str], status: int
) -> None:
    artefact = {} if form["action"] != "always" else {"artefact": _shown(site)}
    reply = site.post(form | artefact | {"lang": "de"}, **FRENCH, **fields)
    assert reply.status == status
    assert '<html class="cst-page" lang="de"' in reply.text
    assert '<html class="cst-page" lang="fr"' in site.post(form | artefact, **FRENCH, **fields).text


def _shown(site: Served, path: str = "/") -> str:
    return site.get(path).text.partition('name="artefact" value="')[2][:64]


def test_too_many_answers_are_refused_in_the_language_of_the_form(site: Served) -> None:
    for _ in range(61):
        reply = site.post({"action": "accept", "lang": "de"}, client="203.0.112.9", **FRENCH)
    assert reply.status == 429
    assert "Aus Ihrem Netz kamen innerhalb einer Minute zu viele Antworten" in reply.text


@pytest.mark.parametrize("path", ["embed?service=youtube&url=https://nobody.example/", "receipt"])
def test_what_is_not_there_is_said_in_the_language_of_the_link(site: Served, path: str) -> None:
    joint = "&" if "?" in path else "?"
    assert 'lang="de"' in site.get(f"/consent/{path}{joint}lang=de", **FRENCH).text


def test_an_answer_that_the_script_sends_is_confirmed_in_the_language_of_the_form(site: Served) -> None:
    form = {"action": "accept", "artefact": _shown(site), "next": "/", "lang": "de"}
    assert "Sie haben alle akzeptiert." in json.loads(site.post(form, x_consent="fetch", **FRENCH).body)["html"]


def test_a_receipt_is_written_in_the_language_of_the_page_that_offers_it(site: Served) -> None:
    jar = cookie(choose(site, "accept"))
    offered = site.get("/consent/?lang=de", cookie=jar, **FRENCH).text
    link = "/consent/receipt?form=text&amp;lang=de"
    assert link in offered
    assert site.get(link.replace("&amp;", "&"), cookie=jar, **FRENCH).body.startswith(b"Erlaubt: ")


def test_after_an_answer_on_a_shared_page_the_preferences_speak_its_language(
    make_site: Callable[..., Served],
) -> None:
    site = make_site(page("de"), policy=make_policy(pages="shared"))
    reply = site.post({"action": "reject", "next": "/", "lang": "de"}, **FRENCH)
    assert reply.get("location") == "/consent/?next=%2F&lang=de"


def test_a_record_says_which_language_was_read(site: Served, log: Recording) -> None:
    site.post({"action": "accept", "artefact": _shown(site, "/consent/?lang=de")})
    assert [decision.locale for decision in log.decisions] == ["de"]
