"""What the notice says, in English and German, built from what is declared."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from banner_site import ANALYTICS, DONORBOX, POLICY, SITE, VIMEO, YOUTUBE, banner, policy, text, view

from consent.choice import Choice
from consent.policy import Ask, Category, Policy, Service

SAID = {
    "en": (
        "Cookies on Harbour News",
        "This site uses cookies and other technologies.",
        "Some are essential;",
        "secure donations",
        "evaluating how the site is used",
        "the site's own videos on YouTube",
        "data goes to 3 third parties, who process it.",
        "You can change or withdraw your choice at any time under Cookie settings.",
        "How your data is used: Privacy policy.",
        "Accept all",
        "Accept only necessary",
        "Save selection",
    ),
    "de": (
        "Cookies bei Harbour News",
        "Diese Website nutzt Cookies und andere Technologien.",
        "Einige sind notwendig;",
        "sichere Spenden",
        "die Auswertung der Nutzung",
        "eigene Videos auf YouTube",
        "gehen Daten an 3 Dritte, die sie verarbeiten.",
        "Ihre Auswahl können Sie jederzeit unter Cookie-Einstellungen widerrufen oder anpassen.",
        "Wie Ihre Daten verwendet werden: Datenschutzerklärung.",
        "Alle akzeptieren",
        "Nur notwendige akzeptieren",
        "Auswahl speichern",
    ),
}
FORBIDDEN = re.compile(r"anonym|experience|legitimate interest|berechtigtes interesse|erlebnis|\bgot it\b|\bok\b", re.I)


@pytest.mark.parametrize(("locale", "sentence"), [(tag, said) for tag, all_said in SAID.items() for said in all_said])
def test_notice_says_what_the_law_wants_said(locale: str, sentence: str) -> None:
    assert sentence in text(banner().notice(view(locale)))


@pytest.mark.parametrize("locale", SAID)
def test_who_and_what_for_takes_at_most_thirty_words(locale: str) -> None:
    lead = re.search(rb'<p class="cst-lead"[^>]*>(.*?)</p>', banner().notice(view(locale)), re.S)
    assert lead
    assert 15 <= len(text(lead[1]).split()) <= 30


@pytest.mark.parametrize("locale", SAID)
def test_nothing_is_promised_or_played_down(locale: str) -> None:
    shown = [banner().notice(view(locale)), banner().preferences(view(locale)), banner().declaration(view(locale))]
    for html in shown:
        assert not FORBIDDEN.search(text(html))


def test_words_that_are_forbidden_would_be_found() -> None:
    assert FORBIDDEN.search("We collect anonymous statistics to improve your experience.")


def test_purposes_name_each_provider_once_and_join_them_as_the_language_does() -> None:
    several = policy(YOUTUBE, VIMEO, replace(YOUTUBE, key="youtube-nocookie", name="YouTube (privacy-enhanced mode)"))
    assert "for the site's own videos on YouTube and Vimeo." in text(banner(several).notice(view(of=several)))
    assert "für eigene Videos auf YouTube und Vimeo." in text(banner(several).notice(view("de", of=several)))


def test_many_providers_are_shortened_to_others() -> None:
    many = policy(*(replace(YOUTUBE, key=f"v{n}", name=f"Screen {n}") for n in range(6)))
    assert "videos on Screen 0, Screen 1, Screen 2, and others." in text(banner(many).notice(view(of=many)))


def test_categories_of_the_library_each_have_their_phrase() -> None:
    kinds = ("donations", "analytics", "video", "functional", "social", "marketing")
    every = policy(*(Service(key=f"s-{kind}", category=kind, name=f"N{kind}", purpose="P.") for kind in kinds))
    said = text(banner(every).notice(view(of=every)))
    for phrase in ("functions from Nfunctional", "posts and sharing on Nsocial", "advertising with Nmarketing"):
        assert phrase in said


def test_a_category_of_the_site_speaks_with_its_own_purpose() -> None:
    own = Category(key="comments", name="Comments", purpose="reading and writing comments.")
    talk = Service(key="talk", category="comments", name="Talk", purpose="Shows comments.", provider="Talk Ltd")
    site = Policy(site=SITE, categories=(*POLICY.categories, own), services=(DONORBOX, talk))
    said = text(banner(site).notice(view(of=site)))
    assert "others are for secure donations and reading and writing comments." in said
    assert "Comments Talk" in said


def test_the_site_itself_is_no_third_party() -> None:
    own = replace(ANALYTICS, provider="harbour news trust", recipients=("Harbour News",))
    at_home = policy(own)
    assert "third part" not in text(banner(at_home).notice(view(of=at_home)))
    abroad = policy(replace(own, recipients=("Google LLC",)))
    assert "data goes to 1 third party, who processes it." in text(banner(abroad).notice(view(of=abroad)))


def test_only_what_is_new_is_asked_and_the_notice_says_so() -> None:
    wider = policy(DONORBOX, YOUTUBE, VIMEO)
    answered = Choice(asked=frozenset({"donorbox", "youtube"}), granted=frozenset({"youtube"}))
    html = banner(wider).notice(view(choice=answered, of=wider))
    said = text(html)
    assert "Still to answer on Harbour News" in said
    assert "your other answers stay as they are" in said
    assert "videos on Vimeo" in said
    assert "Donorbox" not in said
    assert b'value="vimeo"' in html
    assert b'value="video"' not in html


def test_global_privacy_control_is_acknowledged() -> None:
    assert "Your browser sends Global Privacy Control." in text(banner().notice(view(gpc=True)))
    assert b'id="gpc-status"' in banner().notice(view(gpc=True))
    assert b"gpc-status" not in banner().notice(view())


def test_an_answer_for_all_subdomains_says_so() -> None:
    wide = Policy(site=SITE, ask=Ask(cookie_domain="harbour.example"), services=POLICY.services)
    assert "Your answer counts on harbour.example" in text(banner(wide).notice(view(of=wide)))


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("accepted", "You have accepted all."),
        ("refused", "You have accepted only what is necessary."),
        ("saved", "Your selection is saved."),
        ("withdrawn", "Your consent is withdrawn."),
        ("embedded", "this content will be shown from now on"),
        ("not-recorded", "could not be recorded just now, so nothing was allowed"),
        ("outdated", "so nothing was allowed. Please choose again."),
        ("cross-site", "did not say which page your answer came from"),
        ("erased", "The record of your choice is erased"),
    ],
)
def test_each_answer_is_confirmed_in_words(message: str, said: str) -> None:
    assert said in text(banner().confirmation(view(message=message)))


def test_without_an_answer_nothing_is_confirmed() -> None:
    assert banner().confirmation(view()) == b""


def test_what_scripts_alone_can_delete_is_said_where_it_was_declared() -> None:
    assert "Without JavaScript this site cannot delete" in text(banner().confirmation(view(message="withdrawn")))
    plain = policy(YOUTUBE)
    assert "Without JavaScript" not in text(banner(plain).confirmation(view(message="withdrawn", of=plain)))


def test_words_without_a_translation_carry_their_language() -> None:
    german = banner().preferences(view("de"))
    assert '<span lang="en">Takes donations.</span>' in german
    assert "Zeigt auf den Seiten dieser Website Videos, die bei YouTube liegen." in german
    assert '<span lang="en">' not in banner().preferences(view("en"))
