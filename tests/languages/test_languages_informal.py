"""The informal texts: nothing formal is left in them, and they are held to whatever the formal ones are."""

from __future__ import annotations

import re

import pytest
from babel.messages.pofile import read_po
from test_languages_words import BENEFITS, GLOSSARY, MESSAGES, absent, faults

from consent.locale import Texts, texts
from consent.locale.shelf import FOLDER, VARIANT

INFORMAL = sorted(path.stem.removesuffix(VARIANT) for path in FOLDER.glob(f"*{VARIANT}.po"))
FORMAL = {
    "de": r"\b(?:Sie|Ihnen|Ihr(?:e[mnrs]?)?)\b",
    "es": r"\b(?:usted|sus?|le|de la que viene|si acepta|aquí puede|eligió|había permitido|permitió|"
    r"(?<!se )(?:ha|haya) (?:aceptado|permitido|respondido|pedido)|"
    r"escriba|indique|elija|confirme|responda|inténtelo|guarde|quería)\b",
    "fr": r"\b(?:vous|votre|vos|(?!chez|assez)\w+ez)\b",
    "nl": r"\b(?:u|uw|uzelf)\b",
}
"""How each of these languages addresses somebody formally: pronouns, and the verbs that stand without them."""
NOBODY = {
    "es": {
        "su número": "of the receipt", "su protección": "of the form", "su efecto": "of advertising",
        "su proveedor": "of FundraisingBox", "sus propias direcciones": "of the providers",
    },
}  # fmt: skip
"""Words that are the same for "your" and "its", where a text means the latter, and whose it is."""


def key(message: object) -> str:
    return message if isinstance(message, str) else str(message[0])  # type: ignore[index]


def formal(tag: str, spoken: Texts) -> list[str]:
    """The texts in which a visitor is addressed formally."""
    found = []
    for message in MESSAGES:
        said = spoken.gettext(key(message.id))
        rest = said
        for words in NOBODY.get(tag, ()):
            rest = rest.replace(words, "")
        if re.search(FORMAL[tag], rest, 0 if tag == "de" else re.IGNORECASE):
            found.append(said)
    return found


def test_the_four_languages_of_the_promise_have_informal_texts() -> None:
    assert INFORMAL == ["de", "es", "fr", "nl"]


@pytest.mark.parametrize("tag", INFORMAL)
def test_nobody_is_addressed_formally_in_the_informal_texts(tag: str) -> None:
    assert formal(tag, texts(tag, register="informal")) == []


@pytest.mark.parametrize("tag", INFORMAL)
def test_formal_address_would_be_found(tag: str) -> None:
    with (FOLDER / f"{tag}{VARIANT}.po").open("rb") as file:
        otherwise = {key(message.id) for message in read_po(file) if message.id}
    spoken = texts(tag)
    found = set(formal(tag, spoken))
    unnoticed = {name for name in otherwise if spoken.gettext(name) not in found}
    assert len(found) > 30
    assert unnoticed == set()


@pytest.mark.parametrize("tag", INFORMAL)
def test_an_informal_file_holds_only_what_is_said_otherwise(tag: str) -> None:
    spoken = texts(tag)
    with (FOLDER / f"{tag}{VARIANT}.po").open("rb") as file:
        messages = [message for message in read_po(file) if message.id]
    known = {key(message.id) for message in MESSAGES}
    assert [key(m.id) for m in messages if key(m.id) not in known] == []
    assert [m.id for m in messages if isinstance(m.id, str) and m.string == spoken.gettext(m.id)] == []


@pytest.mark.parametrize("tag", INFORMAL)
def test_informal_texts_answer_with_the_laws_words_and_promise_nothing(tag: str) -> None:
    spoken = texts(tag, register="informal")
    said = "\n".join(spoken.gettext(key(message.id)) for message in MESSAGES)
    answers = spoken.gettext("Accept all"), spoken.gettext("Accept only necessary")
    assert faults(*answers, GLOSSARY[tag]) == []
    assert absent(said, GLOSSARY[tag]) == []
    assert re.findall(BENEFITS[tag], said.casefold()) == []
    assert re.findall("[!¡]", said) == []
