"""One gettext catalogue: the ``.mo`` that stands beside it in what was built, else the ``.po``, compiled here."""

from __future__ import annotations

from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path

from consent.locale.shelf import TEMPLATE


class Translations(GNUTranslations):
    """Translations that can say which messages they hold."""

    _catalog: dict[str | tuple[str, int], str]

    def messages(self) -> dict[str, list[str]]:
        """The forms of each message; a plural is found by its singular."""
        found: dict[str, list[str]] = {}
        for key in sorted(self._catalog, key=str):
            message = key if isinstance(key, str) else key[0]
            if message:
                found.setdefault(message, []).append(self._catalog[key])
        return found


def opened(path: Path, tag: str) -> Translations:
    """The translations in this ``.po``. Raises ``OSError``, or Babel's ``PoFileError`` for a broken one."""
    built = path.with_suffix(".mo")
    content = built.read_bytes() if built.is_file() else compiled(path, tag)
    return Translations(BytesIO(content))


def compiled(path: Path, tag: str) -> bytes:
    """The catalogue in gettext's binary form, without fuzzy messages; the template becomes the source's own.

    What reads and writes catalogues is imported here: what was built never needs it.
    """
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with path.open("rb") as file:
        catalogue = read_po(file, locale=tag.replace("-", "_"), abort_invalid=True)
    if path.suffix == TEMPLATE.suffix:
        for message in catalogue:
            if message.id:
                message.string = message.id
    content = BytesIO()
    write_mo(content, catalogue)
    return content.getvalue()
