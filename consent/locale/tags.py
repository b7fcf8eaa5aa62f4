"""Language tags compared as CLDR does: by language and script first, by region last (BCP 47, UTS 35).

Every tag has a script, written or not: ``zh-TW`` is ``zh-Hant-TW`` by CLDR's likely subtags, so it is no kind of
``zh-Hans``, which whoever asks for it may not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from babel.core import get_global

_WELL_FORMED: Final = re.compile(r"[a-z]{2,8}(?:-[a-z0-9]{1,8})*")
_LONGEST: Final = 100
_MACRO: Final = {"no": "nb", "cmn": "zh"}
"""Norwegian without more is written as Bokmål; CLDR's aliases leave that to its matching data."""
_EITHER_SCRIPT: Final = frozenset({"sr"})
"""Languages whose readers read both scripts (CLDR language matching, sr-Latn and sr-Cyrl); the last resort."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A language with its script and region; ``stated`` is whether the script was written, not inferred."""

    language: str
    script: str
    region: str
    stated: bool

    @classmethod
    def read(cls, tag: str) -> Tag | None:
        """The tag in ``tag``, also as ``sr_RS@latin`` or ``pt_BR.UTF-8``; ``None`` if it can't be one."""
        folded = tag.strip()[:_LONGEST].replace("_", "-").casefold()
        folded, _, modifier = folded.partition("@")
        folded = folded.partition(".")[0]
        if not _WELL_FORMED.fullmatch(folded):
            return None
        language, *rest = folded.split("-")
        if rest and len(rest[0]) == 3 and rest[0].isalpha():
            language, rest = rest[0], rest[1:]  # zh-yue: the extended language is the one that is meant
        script = {"latin": "Latn", "cyrillic": "Cyrl"}.get(modifier, "")
        region = ""
        for part in rest:
            if len(part) == 1:
                break  # an extension or private use
            if len(part) == 4 and part.isalpha() and not script:
                script = part.title()
            elif re.fullmatch(r"[a-z]{2}|\d{3}", part) and not region:
                region = part.upper()
        language, alias = _alias(language)
        return cls(language, *_likely(language, script or alias, region), stated=bool(script or alias or region))

    @property
    def base(self) -> tuple[str, str]:
        """What has to be the same for one to be read by who asks for the other."""
        return self.language, self.script


def nearest(wanted: str, available: Iterable[str], *, script: str = "") -> str | None:
    """The available tag that a reader of ``wanted`` can read, or ``None``.

    The same tag first, then the same region, then the language without a region, then another region's. ``script``
    is assumed where ``wanted`` names neither script nor region.
    """
    asked = Tag.read(wanted)
    if asked is None:
        return None
    if script and not asked.stated:
        asked = Tag(asked.language, script, asked.region, stated=True)
    plain = wanted.strip().replace("_", "-").casefold()
    found = [(tag, read) for tag in available if (read := Tag.read(tag)) is not None]
    kin = [(tag, read) for tag, read in found if read.base == asked.base]
    if not kin and asked.language in _EITHER_SCRIPT:
        kin = [(tag, read) for tag, read in found if read.language == asked.language]
    if not kin:
        return None

    def distance(pair: tuple[str, Tag]) -> tuple[bool, bool, bool]:
        tag, read = pair
        regional = _regional(tag)
        return tag.casefold() != plain, not (regional and read.region == asked.region), regional

    return min(kin, key=distance)[0]


def _alias(language: str) -> tuple[str, str]:
    """The language by its present code and, where the old one said it, the script (``sh`` is ``sr-Latn``)."""
    now = _MACRO.get(language) or get_global("language_aliases").get(language, language)
    code, *rest = str(now).split("_")
    return _MACRO.get(code, code), next((part for part in rest if len(part) == 4), "")


def _likely(language: str, script: str, region: str) -> tuple[str, str]:
    """Script and region, those that weren't written filled in from CLDR's likely subtags."""
    table = get_global("likely_subtags")
    for key in (f"{language}_{script}_{region}", f"{language}_{region}", f"{language}_{script}", language):
        full = table.get(key)
        if full is not None and not (script and key == f"{language}_{region}"):
            parts = str(full).split("_")
            return script or parts[1], region or (parts[2] if len(parts) > 2 else "")
    return script, region


def _regional(tag: str) -> bool:
    return any(re.fullmatch(r"[A-Za-z]{2}|\d{3}", part) for part in tag.replace("_", "-").split("-")[1:])
