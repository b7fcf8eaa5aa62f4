"""Which language the notice speaks, and its texts: translations, dates, lists, countries and durations.

The only user of Babel. English is the source language, so its texts are the message ids themselves; the others are
gettext ``.po`` files beside this module, read at first use. Texts are plain: whoever puts them into HTML escapes them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Final

from babel import Locale
from babel.core import get_global
from babel.dates import format_date
from babel.lists import format_list
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.units import format_unit

from consent.policy import Policy

SOURCE: Final = "en"
_FOLDER: Final = Path(__file__).parent / "locales"
_TEMPLATE: Final = _FOLDER / "consentry.pot"
AVAILABLE: Final[tuple[str, ...]] = (SOURCE, *sorted(path.stem for path in _FOLDER.glob("*.po")))

_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")
_TAG: Final = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")
_DURATION: Final = re.compile(r"(\d+) (second|minute|hour|day|week|month|year)s?")
_MOST_PREFERENCES: Final = 20
_ALIASES: Final = {  # tags that were given up or mean more than one language, and what browsers mean by them
    "no": "nb", "iw": "he", "ji": "yi", "in": "id", "mo": "ro", "sh": "sr-Latn", "scc": "sr", "scr": "hr",
}  # fmt: skip


class Texts:
    """The texts of one language. ``version`` is the SHA-256 of every message it knows, as 64 hex digits."""

    def __init__(self, tag: str, *, catalogues: Iterable[Catalog], source: Catalog) -> None:
        self.tag = tag
        self._locale = Locale.parse(tag, sep="-")
        self.direction = self._locale.text_direction
        self._translations: NullTranslations = NullTranslations()
        messages: dict[str, object] = {}
        for catalogue in catalogues:
            translations = _translations(catalogue)
            translations.add_fallback(self._translations)
            self._translations = translations
            messages |= _messages(catalogue)
        self._known = frozenset(messages)
        content = json.dumps({**_messages(source), **messages}, sort_keys=True, ensure_ascii=False)
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
        return format_unit(int(found[1]), f"duration-{found[2]}", locale=self._locale)


def fill(message: str, values: Mapping[str, object]) -> str:
    """Put the values in place of their ``{name}``; a placeholder without a value stays, so that it is seen."""
    return _PLACEHOLDER.sub(lambda match: str(values.get(match[1], match[0])), message)


@lru_cache(maxsize=128)
def texts(tag: str, *, site_locales: Path | None = None) -> Texts:
    """The texts of an available language, read once; those in the site's ``locales/<tag>.po`` come first.

    An unknown tag means English. Raises ``OSError`` or Babel's ``PoFileError`` if a file can't be read.
    """
    tag = tag if tag in AVAILABLE else SOURCE
    paths = [_FOLDER / f"{tag}.po"]
    if site_locales is not None:
        paths += [site_locales / f"{tag}.po", site_locales / tag / "LC_MESSAGES" / "consentry.po"]
    catalogues = [_catalogue(path, tag) for path in paths if path.is_file()]
    return Texts(tag, catalogues=catalogues, source=_catalogue(_TEMPLATE, SOURCE))


def negotiate(policy: Policy, *, page: str | None = None, app: str | None = None, accept_language: str = "") -> str:
    """The available tag that suits best: the page's own language, the app's, the browser's, the site's. Never raises.

    ``page`` is the ``lang`` of the page's ``<html>``, ``app`` the framework's locale, ``accept_language`` the header
    (RFC 9110 section 12.5.4). ``site.languages`` narrows what is available.
    """
    available = [tag for tag in AVAILABLE if not policy.site.languages or tag in policy.site.languages] or [SOURCE]
    wanted = [page or "", app or "", *_preferences(accept_language), policy.site.default_language]
    for tag in wanted:
        found = _nearest(tag, available)
        if found is not None:
            return found
    return available[0]


def _preferences(header: str) -> list[str]:
    """The language ranges of an Accept-Language header, best first, without those refused by ``q=0``."""
    weighed: list[tuple[float, str]] = []
    for part in header.split(",")[:_MOST_PREFERENCES]:
        tag, _, parameter = part.partition(";")
        name, _, weight = parameter.partition("=")
        quality = 1.0
        if name.strip().lower() == "q":
            weight = weight.strip()
            quality = float(weight) if re.fullmatch(r"[01](\.\d{0,3})?", weight, re.ASCII) else 0.0
        if quality > 0:
            weighed.append((quality, tag.strip()))
    return [tag for _, tag in sorted(weighed, key=lambda pair: -pair[0])]


def _nearest(wanted: str, available: Iterable[str]) -> str | None:
    """The available tag in the same language and script: the longest prefix first (RFC 4647 section 3.4, lookup).

    Which script a tag means follows from its region by CLDR's likely subtags, so that ``zh-TW`` doesn't get
    simplified characters, and ``sr-ME`` gets Latin letters.
    """
    wanted = _ALIASES.get(wanted.strip().replace("_", "-").casefold(), wanted.strip().replace("_", "-"))
    meant = _meaning(wanted)
    if meant is None:
        return None
    fitting = {tag.casefold(): tag for tag in available if _meaning(tag) == meant}
    parts = wanted.casefold().split("-")
    parts[0] = meant[0]
    for length in range(len(parts), 0, -1):
        found = fitting.get("-".join(parts[:length]))
        if found is not None:
            return found
    return min(fitting.values(), key=lambda tag: (len(tag), tag), default=None)


@lru_cache(maxsize=512)
def _meaning(tag: str) -> tuple[str, str] | None:
    """Language and script of a tag, what it leaves out filled in as is likely; ``None`` if it is no tag (BCP 47)."""
    if not _TAG.fullmatch(tag):
        return None
    language, *subtags = _ALIASES.get(tag.casefold(), tag).casefold().split("-")
    language, *implied = _ALIASES.get(language, language).casefold().split("-")
    subtags = [*implied, *subtags]
    script = next((part for part in subtags if len(part) == 4 and part.isalpha()), "")
    region = next((part.upper() for part in subtags if len(part) == 2 or (len(part) == 3 and part.isdecimal())), "")
    if not script:
        likely = get_global("likely_subtags")
        full = likely.get(f"{language}_{region}") or likely.get(language) or ""
        script = next((part for part in full.split("_")[1:] if len(part) == 4), "")
    return language, script.casefold()


def _catalogue(path: Path, tag: str) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=tag.replace("-", "_"), abort_invalid=True)


def _translations(catalogue: Catalog) -> GNUTranslations:
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)


def _messages(catalogue: Catalog) -> dict[str, object]:
    """Each message id with its translation; a plural is found by its singular."""
    return {
        message.id if isinstance(message.id, str) else message.id[0]: message.string
        for message in catalogue
        if message.id and not message.fuzzy and (any(message.string or ()) or catalogue.locale == Locale(SOURCE))
    }
