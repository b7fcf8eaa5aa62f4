"""What each language says: answers that are answers, the law's words, and nothing promised."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from babel.messages.pofile import read_po

from consent.config.lexicon import promise
from consent.locale import AVAILABLE, texts
from consent.locale.shelf import FOLDER, TEMPLATE

GLOSSARY: dict[str, dict[str, Any]] = tomllib.loads((FOLDER / "glossary.toml").read_text("utf-8"))
with TEMPLATE.open("rb") as file:
    MESSAGES = [message for message in read_po(file) if message.id]
VERBS = ("accept", "refuse", "withdraw", "purpose", "recipient")
LONGEST = 42


def folded(text: str) -> str:
    return text.casefold().replace("’", "'")


def faults(accept: str, refuse: str, terms: dict[str, Any]) -> list[str]:
    """What is wrong with two answers."""
    found = []
    if folded(accept) == folded(refuse):
        found.append("equal")
    if max(len(accept), len(refuse)) > LONGEST:
        found.append("long")
    found += [f"puts off: {word}" for word in terms["later"] if folded(word) in folded(refuse)]
    if not any(folded(word) in folded(refuse) for word in terms["refuse"]):
        found.append("refuses nothing")
    if not any(folded(word) in folded(accept) for word in terms["accept"]):
        found.append("accepts nothing")
    return found


def absent(said: str, terms: dict[str, Any]) -> list[str]:
    """The legal words of a glossary that the texts don't use, or that the glossary hasn't got."""
    return [verb for verb in VERBS if not any(folded(word) in folded(said) for word in terms.get(verb, ()))]


def everything(tag: str) -> str:
    spoken = texts(tag)
    keys = (m.id if isinstance(m.id, str) else m.id[0] for m in MESSAGES)
    return "\n".join(spoken.gettext(key) for key in keys)


def test_every_language_has_its_words_in_the_glossary_and_no_other() -> None:
    assert set(GLOSSARY) == set(AVAILABLE)


@pytest.mark.parametrize("tag", AVAILABLE)
def test_the_two_answers_accept_and_refuse(tag: str) -> None:
    spoken = texts(tag)
    answers = spoken.gettext("Accept all"), spoken.gettext("Accept only necessary")
    assert faults(*answers, GLOSSARY[tag]) == []


@pytest.mark.parametrize(
    ("accept", "refuse", "fault"),
    [
        ("Accept all", "accept ALL", "equal"),
        ("Accept all", "Learn more", "puts off: learn more"),
        ("Accept all", "Save", "refuses nothing"),
        ("OK", "Accept only necessary", "accepts nothing"),
        ("Accept all", "Accept only necessary, and nothing else, now or later", "long"),
    ],
)
def test_answers_that_are_none_are_found(accept: str, refuse: str, fault: str) -> None:
    assert fault in faults(accept, refuse, GLOSSARY["en"])


@pytest.mark.parametrize("tag", AVAILABLE)
def test_the_laws_words_are_those_of_the_glossary(tag: str) -> None:
    assert absent(everything(tag), GLOSSARY[tag]) == []


def test_a_word_that_is_missing_from_the_glossary_or_the_texts_is_found() -> None:
    assert absent(everything("en"), {**GLOSSARY["en"], "recipient": ["beneficiary"]}) == ["recipient"]
    assert "withdraw" in absent(everything("en"), {"accept": ["accept"]})


@pytest.mark.parametrize("tag", AVAILABLE)
def test_no_text_promises_anything_or_shouts(tag: str) -> None:
    said = everything(tag)
    assert "!" not in said
    assert "¡" not in said
    if tag == "de":
        keys = [m.id for m in MESSAGES if isinstance(m.id, str) and m.locations[0][0].startswith("catal")]
        assert [key for key in keys if promise(texts(tag).gettext(key))] == []
    assert promise("Improves your experience.") is not None


@pytest.mark.parametrize("tag", AVAILABLE)
def test_every_sentence_of_weight_is_given_back_in_english(tag: str) -> None:
    if tag not in ("en", "de"):
        assert len([line for line in GLOSSARY[tag]["back"] if line.strip()]) == 8
