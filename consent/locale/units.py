"""A number of days, months or years in words, by CLDR; what Babel's copy of it lacks stands in ``units.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from babel import Locale
from babel.localedata import LocaleDataDict, load
from babel.numbers import format_decimal

from consent.locale.shelf import FOLDER

_LENGTHS: Final = ("long", "short", "narrow")
"""Babel has no long form where CLDR inherits it from the short one, as for ``giorni`` or ``dagen``, and its
``format_unit`` then takes the unit's name for it, in whatever number that stands."""


def spelled(number: int, unit: str, locale: Locale) -> str:
    """The duration in this language: ``unit`` is a second, minute, hour, day, week, month or year."""
    category, forms = locale.plural_form(number), _forms(str(locale), unit)
    return forms.get(category, forms["other"]).replace("{0}", format_decimal(number, locale=locale))


@lru_cache(maxsize=512)
def _forms(tag: str, unit: str) -> Mapping[str, str]:
    """The words for the unit by plural category, ``{0}`` for the number; ``other`` is always among them."""
    own = _own().get(tag, {}).get(unit)
    if own is not None:
        return own
    for source in (tag, "en"):
        known: Any = load(source)
        patterns = LocaleDataDict(known)["unit_patterns"][f"duration-{unit}"]
        for length in _LENGTHS:
            if length in patterns and "other" in patterns[length]:
                return dict(patterns[length])
    raise KeyError(unit)


@lru_cache(maxsize=1)
def _own() -> dict[str, dict[str, dict[str, str]]]:
    return tomllib.loads((FOLDER / "units.toml").read_text("utf-8"))
