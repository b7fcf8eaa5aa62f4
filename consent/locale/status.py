"""Who has read each language's texts, from ``languages.toml``: the library's, and the site's own over it.

``source`` is English, in which the texts are written; ``machine`` nobody but the project has read; ``reviewed`` was
read and found right by a person who is named, word for word as it stands: a review names a digest of the texts.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from consent.locale.shelf import AVAILABLE, FOLDER, SOURCE, VARIANT, site_tags
from consent.locale.texts import digest

STATES: Final = ("source", "machine", "reviewed")
NAME: Final = "languages.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One language's standing. ``by``, ``on`` and ``texts`` are the reviewer, the day and the digest of what was read.

    Where the texts ``have_changed`` since, nobody has read them as they are: the status is ``machine``. ``register`` is
    how visitors are addressed (``formal``, or ``neutral`` where nobody is addressed formally in such texts), ``note``
    what the translation decided, and ``has_informal`` whether there are informal texts as well.
    """

    tag: str
    status: str
    by: str = ""
    on: date | None = None
    texts: str = ""
    have_changed: bool = False
    register: str = "formal"
    note: str = ""
    has_informal: bool = False

    @property
    def may_stand_alone(self) -> bool:
        """Whether a site that allows no unreviewed texts may show it: the source, or reviewed by somebody named."""
        is_whole = bool(self.by) and self.on is not None and bool(self.texts)
        return self.status == "source" or (self.status == "reviewed" and is_whole)


@lru_cache(maxsize=128)
def languages(site: Path | None = None) -> dict[str, Language]:
    """Every language there is for a site with this ``locales/`` folder, by tag; read once.

    A language without an entry, or with one that makes no sense, is ``machine``: a review has to be said plainly.
    Raises ``tomllib.TOMLDecodeError`` for a broken file.
    """
    said = _read(FOLDER / NAME) | (_read(site / NAME) if site is not None else {})
    tags = dict.fromkeys((*AVAILABLE, *site_tags(site)))
    return {tag: _language(tag, said.get(tag), site) for tag in tags}


def _language(tag: str, entry: object, site: Path | None) -> Language:
    facts: dict[str, Any] = entry if isinstance(entry, dict) else {}
    on, read = facts.get("on"), str(facts.get("texts", ""))
    is_reviewed = facts.get("status") == "reviewed"
    has_changed = is_reviewed and bool(read) and read != digest(tag, site_locales=site)
    return Language(
        tag=tag,
        status="reviewed" if is_reviewed and not has_changed else "source" if tag == SOURCE else "machine",
        by=str(facts.get("by", "")),
        on=on if isinstance(on, date) else None,
        texts=read,
        have_changed=has_changed,
        register=str(facts.get("register", "formal")),
        note=str(facts.get("note", "")),
        has_informal=(FOLDER / f"{tag}{VARIANT}.po").is_file(),
    )


def _read(path: Path) -> dict[str, object]:
    return tomllib.loads(path.read_text("utf-8")) if path.is_file() else {}
