"""What each language says: answers that are answers, the law's words, and nothing promised."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po

from consent.locale import AVAILABLE, languages, texts
from consent.locale.shelf import FOLDER, TEMPLATE

REFERENCE = importlib.util.spec_from_file_location(
    "consent_reference", Path(__file__).parents[2] / "docs" / "_ext" / "consent_reference.py"
)
assert REFERENCE
assert REFERENCE.loader
GENERATED = importlib.util.module_from_spec(REFERENCE)
REFERENCE.loader.exec_module(GENERATED)
WEIGHTY: tuple[str, ...] = GENERATED.WEIGHTY
GLOSSARY: dict[str, dict[str, Any]] = tomllib.loads((FOLDER / "glossary.toml").read_text("utf-8"))
with TEMPLATE.open("rb") as file:
    MESSAGES = [message for message in read_po(file) if message.id]
VERBS = ("accept", "refuse", "withdraw", "purpose", "recipient")
LONGEST = 42
BENEFITS = {
    "bg": "подобр|по-добр|най-добр",
    "cs": "zlepš|vylepš|nejlepš",
    "da": "forbedr|bedre|bedst",
    "de": "verbesser|besser",
    "el": "βελτι|καλύτερ",
    "en": "improv|better",
    "es": "mejor",
    "et": "paranda|parema",
    "fi": "parant|paremm",
    "fr": "améliorer|meilleur",
    "ga": "fh?eabhs|níos fearr",
    "hr": "poboljš|najbolj",
    "hu": "javít|jobb élmény",
    "it": "miglior",
    "lt": "pagerin|geresn",
    "lv": "uzlabo|labāk",
    "mt": "ittejjeb|aħjar",
    "nl": "verbeter|betere",
    "pl": "ulepsz|lepsz",
    "pt": "melhor",
    "ro": "îmbunătăț|mai bun",
    "sk": "zlepš|vylepš|najlepš",
    "sl": "izboljš|najbolj",
    "sv": "förbättr|bättre",
    "nb": "forbedr|bedre",
    "nn": "forbetr|betre",
    "is": "bæta|betri",
    "uk": "поліпш|покращ|кращ",
    "ca": "millor",
    "gl": "mellor",
    "eu": "hobetu|hobetze|\\bhobea",
    "cy": "\\bg?well",
    "lb": "verbesser|besser",
    "tr": "iyileştir|daha iyi",
    "sr-Cyrl": "побољш|најбољ",
    "sr-Latn": "poboljš|najbolj",
    "bs": "poboljš|najbolj",
    "mk": "подобр",
    "sq": "përmirës|më të mirë",
    "ru": "улучш|лучш",
    "ar": "تحسين|أفضل",
    "he": "לשפר|שיפור|טוב יותר",
    "fa": "بهبود|بهتر",
    "ur": "بہتر",
    "zh-Hans": "改善|提升|更好",
    "ja": "向上|改善|より良い",
    "ko": "향상|개선|더 나은",
    "hi": "बेहतर|सुधार",
    "pt-BR": "melhor",
}
"""How each language promises that something gets better."""
PROMISED = {
    "en": "To improve your visit", "ar": "لتجربة أفضل", "bg": "За по-добро изживяване", "bs": "Za poboljšanje iskustva",
    "ca": "Per millorar la vostra visita", "cs": "Pro zlepšení vaší návštěvy", "cy": "I wella eich ymweliad",
    "da": "For at forbedre dit besøg", "de": "Damit Ihr Besuch besser wird", "el": "Για καλύτερη εμπειρία",
    "es": "Para mejorar su visita", "et": "Et teie külastust parandada", "eu": "Zure bisita hobetzeko",
    "fa": "برای بهبود بازدید شما", "fi": "Vierailusi parantamiseksi", "fr": "Pour améliorer votre visite",
    "ga": "Chun do chuairt a fheabhsú", "gl": "Para mellorar a súa visita", "he": "כדי לשפר את הביקור",
    "hi": "आपके अनुभव में सुधार के लिए", "hr": "Za poboljšanje vašeg posjeta", "hu": "A jobb élmény érdekében",
    "is": "Til að bæta heimsókn þína", "it": "Per migliorare la visita",
    "ja": "サービス向上のため", "ko": "경험 향상을 위해",
    "lb": "Fir Äre Besuch ze verbesseren", "lt": "Kad pagerintume jūsų apsilankymą",
    "lv": "Lai uzlabotu jūsu apmeklējumu",
    "mk": "За подобрување на посетата", "mt": "Biex iż-żjara tiegħek tkun aħjar", "nb": "For å forbedre besøket ditt",
    "nl": "Om uw bezoek te verbeteren", "nn": "For å forbetre besøket ditt", "pl": "Aby ulepszyć wizytę",
    "pt": "Para melhorar a sua visita", "pt-BR": "Para melhorar sua visita", "ro": "Pentru a îmbunătăți vizita",
    "ru": "Чтобы улучшить ваш визит", "sk": "Na zlepšenie vašej návštevy", "sl": "Za izboljšanje vašega obiska",
    "sq": "Për të përmirësuar vizitën tuaj", "sr-Cyrl": "За побољшање посете", "sr-Latn": "Za poboljšanje posete",
    "sv": "För att förbättra ditt besök", "tr": "Ziyaretinizi iyileştirmek için", "uk": "Щоб покращити ваш візит",
    "ur": "بہتر تجربے کے لیے", "zh-Hans": "为了改善您的体验",
}  # fmt: skip
"""A promise in each language, which must not be missed."""


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
    said = everything(tag).casefold()
    assert re.findall(BENEFITS[tag], said) == []
    assert re.findall("[!¡！]", said) == []


@pytest.mark.parametrize("tag", AVAILABLE)
def test_a_promise_is_found(tag: str) -> None:
    assert re.search(BENEFITS[tag], PROMISED[tag].casefold())


def back_faults(lines: list[str]) -> list[str]:
    """Back-translations that lack their sentence or one of its places."""
    said = [*lines, *[""] * (len(WEIGHTY) - len(lines))]
    pairs = list(zip(WEIGHTY, said, strict=False))
    return [sentence for sentence, back in pairs if not back.strip() or places(back) != places(sentence)]


def places(text: str) -> set[str]:
    return set(re.findall(r"\{[a-z_]+\}", text))


@pytest.mark.parametrize("tag", [tag for tag in AVAILABLE if tag != "en"])
def test_every_sentence_of_weight_is_given_back_in_english(tag: str) -> None:
    assert len(GLOSSARY[tag]["back"]) == 8
    assert back_faults(GLOSSARY[tag]["back"]) == []


def test_a_sentence_that_was_not_given_back_is_found() -> None:
    whole = GLOSSARY["de"]["back"]
    assert back_faults(whole[:-1]) == [WEIGHTY[-1]]
    assert back_faults([*whole[:3], "If you agree, data goes out.", *whole[4:]]) == [WEIGHTY[3]]


def test_the_sentences_of_weight_are_messages() -> None:
    known = {form for m in MESSAGES for form in ([m.id] if isinstance(m.id, str) else m.id)}
    assert set(WEIGHTY) <= known


@pytest.mark.parametrize("tag", [tag for tag in AVAILABLE if tag != "en"])
def test_every_language_notes_its_register(tag: str) -> None:
    one = languages()[tag]
    assert one.register in ("formal", "neutral")
    assert len(one.note) > 40
    assert one.has_informal is (tag in ("de", "es", "fr", "nl"))
