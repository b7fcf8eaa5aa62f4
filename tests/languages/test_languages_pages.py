"""No page says a word that can't be translated, and no language leaves one in English.

A made-up language, in which every message stands between marks, goes through every page: what a visitor reads there
outside the marks has to come from ``consent.toml``. It is laid over Japanese, so that what CLDR writes has no Latin
letter either.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from every_page import brief, declared, every_page, heard, rich

from consent.banner.artefact import snapshot
from consent.decision import EVENTS
from consent.locale import AVAILABLE, texts
from consent.locale.shelf import FOLDER, TEMPLATE
from consent.log.narrative import text
from consent.log.receipt import Answer

OVER = "ja"
PLACE = re.compile(r"(\{[a-z_]+\})")
MARKED = re.compile(r"⟦[^⟦⟧]*⟧")
LETTER = re.compile(r"[A-Za-zÀ-ÖØ-öø-ɏ]+")
STANDARDS = {"Kantara 1.1 (JSON)", "ISO/IEC TS 27560 (JSON-LD)"}
NAMES = {"Global Privacy Control", "EU-US Data Privacy Framework"}
"""Names that are the same in every language that doesn't write them otherwise."""
with TEMPLATE.open("rb") as file:
    MESSAGES = [message for message in read_po(file) if message.id]


def marked(message: str) -> str:
    """The message with marks around each of its own pieces; what is filled in stands outside of them."""
    return "".join(part if PLACE.fullmatch(part) else f"⟦{part}⟧" for part in PLACE.split(message) if part)


def made_up(folder: Path, *, without: str = "") -> Path:
    """A site whose only language is the made-up one, ``without`` one message."""
    catalogue = Catalog(locale=OVER)
    for message in MESSAGES:
        said = message.id if isinstance(message.id, str) else message.id[1]
        said = said if said == without else marked(said)
        catalogue.add(message.id, said if isinstance(message.id, str) else (said,))
    (folder / "locales").mkdir()
    with (folder / "locales" / f"{OVER}.po").open("wb") as out:
        write_po(out, catalogue)
    return folder / "consent.toml"


def bare(html: str, known: re.Pattern[str]) -> list[str]:
    """What a page says that is neither a message nor declared."""
    return [said for said in heard(html) if LETTER.search(known.sub(" ", MARKED.sub(" ", said)))]


@lru_cache(maxsize=1)
def known() -> re.Pattern[str]:
    """What need not be a message: texts of ``consent.toml``, names of standards, hosts."""
    hosts = {"harbour.example", "news.harbour.example", "nobody.example"}
    said = declared(rich()) | STANDARDS | hosts | {"7e" * 16}
    return re.compile("|".join(re.escape(text) for text in sorted(said - {""}, key=len, reverse=True)))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(made_up(tmp_path_factory.mktemp("made-up")))


@pytest.fixture(scope="module")
def pages(source: str) -> dict[str, str]:
    return every_page(rich(source), OVER)


def test_whatever_a_page_says_is_a_message_or_declared(pages: dict[str, str]) -> None:
    assert len(pages) > 100
    assert {name: found for name, html in pages.items() if (found := bare(html, known()))} == {}


def test_every_message_of_the_pages_was_on_one_of_them(pages: dict[str, str]) -> None:
    read = "\n".join(said for html in pages.values() for said in heard(html))
    unseen = []
    for message in MESSAGES:
        on_pages = [place for place, _ in message.locations if place.startswith(("banner/", "templates/"))]
        said = message.id if isinstance(message.id, str) else message.id[1]
        if on_pages and not all(piece in read for piece in MARKED.findall(marked(said))):
            unseen.append(said)
    assert unseen == []


@pytest.mark.parametrize(
    "more",
    [
        "<p>Read this first.</p>",
        '<nav aria-label="Choices"></nav>',
        '<img alt="A cookie" src="/c.png">',
        '<input type="submit" value="Go on">',
        "<p>{{ t('Your choice') }} made</p>",
        "<p>{{ t('Made') }}<b>, then</b></p>",
    ],
)
def test_a_bare_string_in_a_template_is_found(tmp_path: Path, source: str, more: str) -> None:
    own = FOLDER.parent / "templates" / "settings.html"
    (tmp_path / "settings.html").write_text(own.read_text("utf-8") + more, "utf-8")
    found = every_page(brief(source), OVER, templates=tmp_path)["settings neutral"]
    assert bare(found, known()) != []


def test_a_message_without_a_translation_is_found(tmp_path: Path) -> None:
    path = made_up(tmp_path, without="Back to the page you came from")
    found = every_page(brief(str(path)), OVER)["preferences granting"]
    assert bare(found, known()) == ["Back to the page you came from"]


@lru_cache(maxsize=1)
def sentences() -> list[str]:
    """Every run of three English words or more that a message has of its own."""
    said = [form for m in MESSAGES for form in ([m.id] if isinstance(m.id, str) else m.id)]
    pieces = {piece.strip(" .,;:") for text in said for piece in PLACE.split(text)}
    return sorted(piece for piece in pieces - NAMES if len(LETTER.findall(piece)) > 2)


def english(pages: dict[str, str]) -> dict[str, list[str]]:
    read = {name: "\n".join(heard(html)) for name, html in pages.items()}
    found = {name: [piece for piece in sentences() if piece in text] for name, text in read.items()}
    return {name: pieces for name, pieces in found.items() if pieces}


@pytest.mark.parametrize("tag", [tag for tag in AVAILABLE if tag != "en"])
def test_no_page_is_left_in_english_and_each_carries_its_language_and_direction(tag: str) -> None:
    shown = every_page(brief(), tag)
    attributes = f'lang="{tag}" dir="{texts(tag).direction}"'
    assert english(shown) == {}
    assert [name for name, html in shown.items() if html and "embed " not in name and attributes not in html] == []


def test_a_page_that_is_left_in_english_is_found(tmp_path: Path) -> None:
    assert len(english(every_page(brief(), "en"))) > 100
    (tmp_path / "locales").mkdir()
    left = "You have not answered yet. Nothing optional is loaded."
    (tmp_path / "locales" / "de.po").write_text(f'msgid "{left}"\nmsgstr "{left}"\n', "utf-8")
    found = english(every_page(brief(str(tmp_path / "consent.toml")), "de"))
    assert found["preferences neutral"] == [left.rstrip(".")]


def receipt(source: str, tag: str) -> list[str]:
    """The lines of a receipt that has every kind of answer in it, without those that name what an auditor compares."""
    policy = rich(source)
    answers = [
        Answer(
            payload={
                "occurred_at": "2026-11-23T12:30:00Z", "valid_until": "2027-05-26T00:00:00Z", "event": event,
                "vendor_grants": {"youtube": "granted", "own-1": "denied"}, "controller_ref": "", "locale": tag,
                "notice_hash": "ab" * 32, "record_id": "cd" * 16,
            },
            leaf=b"leaf",
            shown={"policy": snapshot(policy)},
        )
        for event in EVENTS
    ]  # fmt: skip
    speech = texts(tag, site_locales=Path(source).parent / "locales" if source else None)
    return [line for line in text("7e" * 16, answers, log="l", speech=speech).splitlines() if "=" not in line]


def test_whatever_a_receipt_says_is_a_message_or_declared(source: str) -> None:
    lines = receipt(source, OVER)
    assert len(lines) > 50
    assert [line for line in lines if LETTER.search(known().sub(" ", MARKED.sub(" ", line)))] == []
    marks = {piece for line in lines for piece in MARKED.findall(line)}
    own = {m.id for m in MESSAGES if [place for place, _ in m.locations] == ["log/narrative.py"]}
    assert {piece for message in own for piece in MARKED.findall(marked(message))} <= marks


@pytest.mark.parametrize("tag", [tag for tag in AVAILABLE if tag != "en"])
def test_no_receipt_is_left_in_english(tag: str) -> None:
    read = "\n".join(receipt("", tag))
    assert [piece for piece in sentences() if piece in read] == []


def test_an_english_receipt_would_be_found() -> None:
    read = "\n".join(receipt("", "en"))
    assert len([piece for piece in sentences() if piece in read]) > 8
