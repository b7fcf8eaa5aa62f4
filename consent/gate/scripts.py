"""What the text of a script does, by the script's type: code, an import map, or speculation rules."""

from __future__ import annotations

import json
import re
from typing import Final

from consent.gate import css
from consent.gate.charset import readings
from consent.gate.dataurls import strings
from consent.gate.elements import Outcome, disarm
from consent.gate.evidence import marks
from consent.gate.inline import IMPORT_WORDS
from consent.gate.page import Blocked, Page, untold
from consent.gate.tokens import Attribute

_SCRIPT_TYPE = re.compile(
    r"(?:(?:application|text)/(?:x-)?(?:java|ecma)script|text/(?:javascript1\.[0-5]|jscript|livescript)|module)?",
    re.IGNORECASE,
)
_LISTS = frozenset(("importmap", "webbundle"))
"""The types of a script whose text is JSON with addresses in it."""
SCAN_END: Final = b"@consent x;"
"""What stands before a style sheet in HTML in which scanners may find imports that CSS doesn't have.

It is a rule that means nothing, behind which imports still count, but every scanner stops looking for them. A block
would not do: to Chromium's, ``@consent{}@layer/*;`` is one rule without a value, behind which it goes on.
"""
FAR: Final = 4096
"""How far behind ``import`` or ``from`` a module's name ends at most in a script that is read in parts, in bytes."""
_NAMING: Final = re.compile(b"|".join(IMPORT_WORDS))
# What goes on to the end: the gap before the name, with its comments, or the name. Behind U+2028 a comment may be over.
_GOES_ON: Final = tuple(
    re.compile(
        rb"(?:[\s(\x80-\xff]++|" + line + rb"[^\n\r\xe2]*+[\n\r]|/\*(?:[^*]++|\*(?!/))*+\*/)*+(?:\Z|" + line
        + rb"[^\n\r\xe2]*+(?:\Z|\xe2)|" + begun + rb"\Z|/\*(?:[^*]++|\*(?!/))*+\Z|\"(?:[^\"\\\n\r]++|\\[\s\S])*+\\?\Z"
        rb"|'(?:[^'\\\n\r]++|\\[\s\S])*+\\?\Z|`(?:[^`\\]++|\\[\s\S])*+\\?\Z)"
    )
    for line, begun in ((rb"//", rb"/"), (rb"(?://|<!--|-->)", rb"(?:/|<(?:!-?)?|--?)"))
)  # fmt: skip
"""Behind ``from``, and behind ``import``."""


def runs(page: Page, attributes: list[Attribute]) -> bool:
    """Whether an inline script with these attributes may run as JavaScript, by any of its ``type`` attributes."""
    types = [page.text(a.value).strip() for a in attributes if a.name == b"type"]
    return not types or any(_SCRIPT_TYPE.fullmatch(kind.partition(";")[0].strip()) for kind in types)


def inline_script(page: Page, attributes: list[Attribute], body: bytes, codec: str = "") -> Outcome:
    """What the text of a script does, by the script's type, and what is to be done to its start tag.

    ``codec`` is for a text that is not in the page's own encoding.
    """
    outcome = Outcome()
    types = [page.text(a.value).strip().lower() for a in attributes if a.name == b"type"]
    if runs(page, attributes):
        outcome.said = page.script(body, "script", codec)
    elif not _LISTS.isdisjoint(types):
        outcome.said = _addresses(page, body, codec or page.codec)
    elif "speculationrules" in types:
        outcome.said = speculation(page, body)
    if any(finding.blocked for finding in outcome.said):
        disarm(outcome, attributes)
    return outcome


def far_import(page: Page, script: bytes, end: int) -> int:
    """Where, before ``end``, a script that is read in parts imports a module whose name ends too far away, or -1."""
    if page.denies_nothing:
        return -1
    for match in _NAMING.finditer(script, 0, end):
        until = match.start() + FAR
        goes_on = _GOES_ON[match[0].startswith(b"import")]
        if until <= len(script) and goes_on.match(script, match.end(), until):
            return match.start()
    return -1


def speculation(page: Page, body: bytes) -> list[Blocked]:
    """Speculation rules: each listed URL; rules that name no URL could fetch any link, and are denied by default."""
    if page.denies_nothing:
        return []
    try:
        rules = json.loads(body)
        lists = [rule for key in rules for rule in rules[key] if isinstance(rules[key], list)]
        named = all(isinstance(rule.get("urls"), list) and "where" not in rule for rule in lists)
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError):
        named = False
    if not named:
        return [Blocked(service=None, host="speculationrules", url="", tag="script", blocked=True)]
    return page.judge_each([str(url) for rule in lists for url in rule["urls"]], "script")


def _addresses(page: Page, body: bytes, codec: str) -> list[Blocked]:
    texts = dict.fromkeys(text for reading in readings(body, codec) for text in strings(reading))
    return [said for text in texts for said in page.module(text, "script")]


def is_read_whole(page: Page, attributes: list[Attribute]) -> bool:
    """Whether the text is of a kind that can't be read in parts."""
    return any(
        page.text(a.value).strip().lower() in _LISTS | {"speculationrules"} for a in attributes if a.name == b"type"
    )


def applies(page: Page, name: bytes, attributes: list[Attribute]) -> bool:
    """Whether the text of a ``script`` or ``style`` element with these attributes means anything to a browser."""
    if name == b"style":
        return is_sheet(page, attributes)
    return runs(page, attributes) or is_read_whole(page, attributes)


def is_read(page: Page, name: bytes, attributes: list[Attribute], text: bytes) -> bool:
    """Whether this text of a ``script`` or ``style`` element in HTML means anything to a browser or its scanner.

    Scanners look ahead for the imports of a style sheet whatever its type, up to :data:`SCAN_END`.
    """
    return applies(page, name, attributes) or (name == b"style" and not text.startswith(SCAN_END))


def imports(page: Page, attributes: list[Attribute], sheet: bytes) -> bool:
    """Whether a ``style`` element with these attributes and this text applies, or is read for imports at least."""
    return is_sheet(page, attributes) or (b"import" in sheet.lower() and not sheet.startswith(SCAN_END))


def scanned(page: Page, sheet: bytes, codec: str = "", *, goes_on: bool = False) -> list[Blocked]:
    """What is blocked that a scanner may take for an import of a style sheet in HTML, though CSS does not.

    Scanners know strings, comments and escapes here and there at most, and Chromium's leaves out what is U+0000. What
    they find in one that is too long to be read, of which this is the beginning (``goes_on``), can't be told.
    """
    if sheet.startswith(SCAN_END) or page.denies_nothing or css.is_scanned_alike(sheet, goes_on=goes_on):
        return []
    if goes_on:
        return [untold("style")]
    seen = sheet.replace(b"\0", b"")
    if b"@import" not in seen.lower():
        return []
    for address in css.addresses(seen):
        text = address.decode(codec or page.codec, "replace")
        if page.relative_matters or css.names_host(address):
            said = page.judge_each([text], "style") + page.inner_sheet(text, "style")
            if blocked := [finding for finding in said if finding.blocked]:
                return blocked[:1]
    return []


def cut_imports(page: Page, sheet: bytes) -> list[tuple[int, Blocked]]:
    """The imports in a part of a long style sheet that hold another sheet, of which there may not be all."""
    if page.denies_nothing or not css.may_hold_sheet(sheet):
        return []
    found = css.loose(sheet, page.codec, marks(page.searches, sheet.lower(), is_sheet=True))
    return [(fetched.at, untold("style")) for fetched in found if fetched.cut]


def is_sheet(page: Page, attributes: list[Attribute]) -> bool:
    """Whether a ``style`` element with these attributes applies."""
    first = next((page.text(a.value).strip().lower() for a in attributes if a.name == b"type"), "")
    return first in ("", "text/css")
