"""Collect every English message the library can show into ``consent/locales/consentry.pot``.

Run as ``python tests/banner/extract_messages.py`` after changing a text; a test fails while the file is behind.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import write_po

from consent.config.service import own
from consent.policy import Ask, Site

PACKAGE = Path(__file__).parents[2] / "consent"
TEMPLATE = PACKAGE / "locales" / "consentry.pot"
_KEYWORDS: dict[str, Any] = {"N_": None, "t": None, "tn": (1, 2), "gettext": None, "ngettext": (1, 2)}
_DECLARED = ("purpose", "exempt_reason")


def messages() -> Catalog:
    """Every message of the code, the templates and the catalogue's services, with the file it comes from."""
    catalogue = Catalog(
        project="consentry", fuzzy=False, copyright_holder="the consentry contributors", msgid_bugs_address=" "
    )
    code = [*(PACKAGE / "banner").glob("*.py"), PACKAGE / "log" / "narrative.py"]
    for path in sorted([*code, *(PACKAGE / "templates").glob("*.html")]):
        method = "python" if path.suffix == ".py" else "jinja2.ext.babel_extract"
        with path.open("rb") as file:
            for _, message, _, _ in extract(method, file, keywords=_KEYWORDS, options={"trim_blocks": "true"}):
                if message:
                    catalogue.add(message, locations=[(path.relative_to(PACKAGE).as_posix(), "")])
    for path in sorted((PACKAGE / "catalogue").glob("*.toml")):
        for text in _declared(tomllib.loads(path.read_text(encoding="utf-8"))):
            catalogue.add(text, locations=[(path.relative_to(PACKAGE).as_posix(), "")])
    for text in _own():
        catalogue.add(text, locations=[("config/service.py", "")])
    return catalogue


def _declared(entry: dict[str, Any]) -> Iterator[str]:
    """The sentences of one catalogue entry that a visitor reads."""
    yield from (entry[field] for field in _DECLARED if entry.get(field))
    yield from (item["purpose"] for item in entry.get("storage", ()) if item.get("purpose"))


def _own() -> Iterator[str]:
    """What the library says of itself, in every form it has."""
    site = Site(name="", controller="")
    for ask in (Ask(), Ask(pages="shared"), Ask(cookie_domain="harbour.example")):
        service = own(site, ask)
        yield from (text for text in (service.name, service.purpose, service.exempt_reason) if text)
        yield from (item.purpose for item in service.storage)


def write() -> None:
    """Bring the template up to date."""
    with TEMPLATE.open("wb") as file:
        write_po(file, messages(), width=118, omit_header=False, sort_output=True, include_lineno=False)


if __name__ == "__main__":
    write()
