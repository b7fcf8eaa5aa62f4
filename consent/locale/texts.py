"""The texts of one language: translations, dates, lists, countries and durations.

Texts are plain: whoever puts them into HTML escapes them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from gettext import NullTranslations
from pathlib import Path
from typing import Final

from babel import Locale
from babel.core import UnknownLocaleError
from babel.dates import format_date
from babel.lists import format_list

from consent.locale.catalogue import Translations, opened
from consent.locale.shelf import AVAILABLE, SOURCE, TEMPLATE, catalogues, site_tags
from consent.locale.units import spelled

_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")
_HOME: Final = {"pt": "pt-PT"}
"""The region of tags that name none, where CLDR takes another for granted: its ``pt`` is Brazil's."""
_DURATION: Final = re.compile(r"(\d+) (second|minute|hour|day|week|month|year)s?")


class Texts:
    """The texts of one language. ``version`` is the SHA-256 of every message it knows, as 64 hex digits."""

    def __init__(self, tag: str, *, catalogues: Iterable[Translations], source: Translations) -> None:
        self.tag = tag
        self._locale = _locale(tag)
        self.direction = self._locale.text_direction
        self._translations: NullTranslations = NullTranslations()
        messages: dict[str, list[str]] = {}
        for translations in catalogues:
            translations.add_fallback(self._translations)
            self._translations = translations
            messages |= translations.messages()
        self._known = frozenset(messages)
        content = json.dumps({**source.messages(), **messages}, sort_keys=True, ensure_ascii=False)
        self.version = hashlib.sha256(content.encode()).hexdigest()

    def gettext(self, message: str, **values: object) -> str:
        """The message in this language, its ``{name}`` placeholders filled; untranslated, it stays as it is."""
        return fill(self._translations.gettext(message) if message else "", values)

    def ngettext(self, singular: str, plural: str, n: int, /, **values: object) -> str:
        """The form of the message for ``n`` things by this language's plural rule; ``{n}`` is filled as well."""
        return fill(self._translations.ngettext(singular, plural, n), {"n": n, **values})

    def knows(self, message: str) -> bool:
        """Whether a translation exists: otherwise the words are in the language they were declared in."""
        return message in self._known

    def date(self, day: date) -> str:
        """The day in full, as this language writes it."""
        return format_date(day, format="long", locale=self._locale)

    def list(self, names: Iterable[str]) -> str:
        """The names as one enumeration: "A, B, and C" (CLDR)."""
        return format_list(list(names), locale=self._locale)

    def country(self, code: str) -> str:
        """The name of an ISO 3166 country code; anything else is returned as it is."""
        name: str | None = self._locale.territories.get(code.upper())
        return name or code

    def duration(self, words: str) -> str:
        """A declared life time such as ``"13 months"`` in this language; other words go through the catalogue."""
        found = _DURATION.fullmatch(words.strip().casefold())
        if found is None:
            return self.gettext(words)
        return spelled(int(found[1]), found[2], self._locale)


def fill(message: str, values: Mapping[str, object]) -> str:
    """Put the values in place of their ``{name}``; a placeholder without a value stays, so that it is seen."""
    return _PLACEHOLDER.sub(lambda match: str(values.get(match[1], match[0])), message)


@lru_cache(maxsize=256)
def texts(tag: str, *, site_locales: Path | None = None, register: str = "formal") -> Texts:
    """The texts of an available language, read once; those in the site's ``locales/<tag>.po`` come first.

    ``register`` is ``formal`` or ``informal``; a language without informal texts has one register for both. An unknown
    tag means English. Raises ``OSError`` or Babel's ``PoFileError`` if a file can't be read.
    """
    tag = tag if tag in AVAILABLE or tag in site_tags(site_locales) else SOURCE
    paths = catalogues(tag, register=register, site=site_locales)
    return Texts(tag, catalogues=[opened(path, formatted(tag)) for path in paths], source=_source())


def digest(tag: str, *, site_locales: Path | None = None) -> str:
    """What a review of this language is of: 16 hex digits that change with each of its texts, in either register.

    Empty where a file can't be read.
    """
    try:
        versions = [texts(tag, site_locales=site_locales, register=name).version for name in ("formal", "informal")]
    except Exception:  # Babel raises what it likes for a broken file, and whoever speaks from it says so
        return ""
    return hashlib.sha256("".join(versions).encode()).hexdigest()[:16]


def formatted(tag: str) -> str:
    """The tag by which CLDR formats this language's dates and plurals: its own, or English where CLDR has none."""
    for name in (_HOME.get(tag, tag), tag.partition("-")[0]):
        try:
            Locale.parse(name, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
        return name
    return SOURCE


def _locale(tag: str) -> Locale:
    return Locale.parse(formatted(tag), sep="-")


@lru_cache(maxsize=1)
def _source() -> Translations:
    return opened(TEMPLATE, SOURCE)
