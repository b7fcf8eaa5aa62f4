"""What is wrong with a site's own texts: what can't be read, what isn't translated, what lost its place."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from consent.locale.shelf import AVAILABLE, TEMPLATE, VARIANT
from consent.locale.status import NAME, languages
from consent.locale.texts import digest, formatted

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog, Message

_PLACE: Final = re.compile(r"\{[a-z_]+\}")
_CATALOGUE: Final = "catalogue/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One thing that is wrong in one file; ``fatal`` where the file can't be used at all."""

    file: Path
    what: str
    fatal: bool = False


def gaps(site: Path) -> Iterator[Gap]:
    """Everything that is wrong in a site's ``locales/``, file by file; never raises for what stands in them."""
    yield from _reviews(site)
    wanted = {_key(message): message for message in _read(TEMPLATE, "en") if message.id}
    for path in sorted([*site.glob("*.po"), *site.glob("*/LC_MESSAGES/consentry.po")]):
        name = path.stem if path.parent == site else path.parts[-3]
        tag = name.replace("_", "-").removesuffix(VARIANT)
        try:
            catalogue = _read(path, formatted(tag))
        except Exception as error:  # Babel raises what it likes for a broken file
            yield Gap(file=path, what=f"It can't be read: {error}.", fatal=True)
            continue
        own = {_key(message): message for message in catalogue if message.id}
        yield from _odd(path, own, wanted)
        if tag not in AVAILABLE and not name.endswith(VARIANT):
            yield from _missing(path, own, wanted)


def _reviews(site: Path) -> Iterator[Gap]:
    path = site / NAME
    if not path.is_file():
        return
    try:
        said = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        yield Gap(file=path, what=f"It can't be read: {error}.", fatal=True)
        return
    known = languages(site)
    for tag, entry in said.items():
        if tag not in known:
            yield Gap(file=path, what=f"[{tag}] is no language that this site has texts in.")
        elif known[tag].have_changed:
            now = digest(tag, site_locales=site)
            yield Gap(
                file=path,
                what=f"The texts of [{tag}] have changed since {known[tag].by or 'somebody'} read them, so that the "
                f'review counts no more. Once they are read as they are now, write texts = "{now}".',
            )
        elif isinstance(entry, dict) and entry.get("status") == "reviewed" and not known[tag].may_stand_alone:
            now = digest(tag, site_locales=site)
            yield Gap(
                file=path,
                what=f"The review of [{tag}] doesn't count: it needs by (who), on (the day) and what was read, "
                f'which is texts = "{now}" now.',
            )


def _odd(path: Path, own: dict[str, Message], wanted: dict[str, Message]) -> Iterator[Gap]:
    for key, message in own.items():
        if message.fuzzy:
            yield Gap(file=path, what=f"“{key}” is marked fuzzy, so it isn't used.")
            continue
        places = _places(wanted.get(key, message).id)
        for form in filter(None, _forms(message)):
            lost, strange = places - _places(form), _places(form) - places
            if lost or strange:
                named = ", ".join(sorted(lost or strange))
                yield Gap(file=path, what=f"“{form}” {'has lost' if lost else 'has no value for'} {named}.")


def _missing(path: Path, own: dict[str, Message], wanted: dict[str, Message]) -> Iterator[Gap]:
    said = {key for key, message in own.items() if all(_forms(message)) and not message.fuzzy}
    needed = [key for key, message in wanted.items() if not _of_services(message)]
    left = [key for key in needed if key not in said]
    if left:
        yield Gap(file=path, what=f"{len(left)} of {len(needed)} texts stay in English, such as “{left[0]}”.")


def _read(path: Path, tag: str) -> Catalog:
    from babel.messages.pofile import read_po

    with path.open("rb") as file:
        return read_po(file, locale=tag.replace("-", "_"), abort_invalid=True)


def _of_services(message: Message) -> bool:
    """Whether only ready-made services say this, which the site need not use."""
    return all(place.startswith(_CATALOGUE) for place, _ in message.locations)


def _key(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _forms(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string or ("",))


def _places(text: object) -> frozenset[str]:
    return frozenset(_PLACE.findall(str(text)))
