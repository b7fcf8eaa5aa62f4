"""Where catalogues stand: those of the library, and those in ``locales/`` beside a site's ``consent.toml``."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

from consent.locale.tags import Tag
from consent.policy import Policy

SOURCE: Final = "en"
FOLDER: Final = Path(__file__).parent.parent / "locales"
TEMPLATE: Final = FOLDER / "consentry.pot"
VARIANT: Final = "-informal"
"""Ends the name of a catalogue that holds only what is said otherwise in the informal register."""
AVAILABLE: Final[tuple[str, ...]] = (
    SOURCE,
    *sorted(path.stem for path in FOLDER.glob("*.po") if not path.stem.endswith(VARIANT)),
)


def site_folder(policy: Policy) -> Path | None:
    """The site's own ``locales/``, if it has one."""
    folder = Path(policy.source).parent / "locales" if policy.source else None
    return folder if folder is not None and folder.is_dir() else None


@lru_cache(maxsize=128)
def site_tags(folder: Path | None) -> tuple[str, ...]:
    """The languages that a site's folder has a catalogue for; looked up once."""
    if folder is None:
        return ()
    flat = {path.stem for path in folder.glob("*.po")}
    nested = {path.parts[-3] for path in folder.glob("*/LC_MESSAGES/consentry.po")}
    names = {name.replace("_", "-") for name in flat | nested if not name.endswith(VARIANT)}
    return tuple(sorted(name for name in names if Tag.read(name) is not None))


def catalogues(tag: str, *, register: str, site: Path | None) -> list[Path]:
    """The files in which this language stands, each over the one before it."""
    names = [tag, f"{tag}{VARIANT}"] if register == "informal" else [tag]
    paths = [FOLDER / f"{name}.po" for name in names]
    if site is not None:
        spellings = dict.fromkeys(spelling for name in names for spelling in (name.replace("-", "_"), name))
        for name in spellings:
            paths += [site / f"{name}.po", site / name / "LC_MESSAGES" / "consentry.po"]
    return [path for path in paths if path.is_file()]
