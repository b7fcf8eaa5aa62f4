"""What a catalogue can get wrong, in every file there is, and that each of it would be noticed."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from consent.locale.shelf import FOLDER, TEMPLATE, VARIANT

PLACE = re.compile(r"\{[^{}]*\}")
FILES = sorted(FOLDER.glob("*.po"))
ENDS = (".", "。", "।", "۔")
ABBREVIATED = "EE. UU."
"""The United States in Spanish, at whose end no sentence ends."""


def messages(content: bytes) -> dict[str, tuple[list[str], bool, set[str]]]:
    """By message: its forms, whether it is fuzzy, and the places it has to keep."""
    found = {}
    for message in read_po(BytesIO(content)):
        if message.id:
            name = message.id if isinstance(message.id, str) else message.id[0]
            forms = [message.string] if isinstance(message.string, str) else list(message.string or ())
            found[name] = (forms, message.fuzzy, set(PLACE.findall(name)))
    return found


def ends(form: str) -> bool:
    """Whether a sentence ends here."""
    return form.endswith(ENDS) and not form.endswith(ABBREVIATED)


def mistakes(content: bytes, *, whole: bool = True) -> list[str]:
    """What is wrong with a catalogue, each as a kind and a message; ``whole`` if it has to say everything."""
    wanted, said = messages(TEMPLATE.read_bytes()), messages(content)
    found = [f"missing: {name}" for name in wanted if name not in said and whole]
    found += [f"unknown: {name}" for name in said if name not in wanted]
    for name, (forms, fuzzy, _) in said.items():
        places = wanted.get(name, ([], False, set()))[2]
        found += [f"fuzzy: {name}"] if fuzzy else []
        found += [f"empty: {name}"] if not forms or not all(form.strip() for form in forms) else []
        found += [f"places: {name}" for form in forms if form and set(PLACE.findall(form)) != places]
        found += [f"end: {name}" for form in forms if form and name.endswith(".") != ends(form)]
        found += [f"space: {name}" for form in forms if form != form.strip() or "  " in form]
        found += [f"markup: {name}" for form in forms if re.search(r"[<>]|&\w+;", form)]
    return found


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_a_catalogue_says_everything_once_and_keeps_its_places(path: Path) -> None:
    assert mistakes(path.read_bytes(), whole=not path.stem.endswith(VARIANT)) == []


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ('msgid "Save selection"\nmsgstr "Auswahl speichern"\n', "", "missing: Save selection"),
        ('msgid "Save selection"', '#, fuzzy\nmsgid "Save selection"', "fuzzy: Save selection"),
        ('"Auswahl speichern"', '""', "empty: Save selection"),
        ('"Auswahl speichern"', '"Auswahl  speichern"', "space: Save selection"),
        ('"Auswahl speichern"', '"Auswahl <b>speichern</b>"', "markup: Save selection"),
        ('"Auswahl speichern"', '"Auswahl speichern."', "end: Save selection"),
        ('msgid "Save selection"', 'msgid "Save the selection"', "unknown: Save the selection"),
        ('"Cookies bei {site}"', '"Cookies bei {seite}"', "places: Cookies on {site}"),
        ('"Cookies bei {site}"', '"Cookies"', "places: Cookies on {site}"),
        ('"Cookies bei {site}"', '"Cookies bei {site} {0}"', "places: Cookies on {site}"),
    ],
)
def test_each_mistake_is_found(before: str, after: str, kind: str) -> None:
    content = (FOLDER / "de.po").read_text("utf-8")
    assert before in content
    assert kind in mistakes(content.replace(before, after).encode())


def test_a_form_of_a_plural_that_lost_its_number_is_found() -> None:
    content = (FOLDER / "de.po").read_text("utf-8").replace("{n} Dritte,", "Dritte,")
    assert mistakes(content.encode()) == ["places: If you agree, data goes to {n} third party, who processes it."]
