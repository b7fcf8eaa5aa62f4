"""The file itself: bytes to TOML to tables, each mistake with its line."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path as File
from typing import Any

from consent.config.checks import Findings
from consent.config.position import positions

_INIT = "Run `consent init` there: it looks through your templates and writes one."
_HINTS = (
    ("Invalid value", 'Text stands in double quotes: name = "Harbour News".'),
    ("Expected ']' at the end of a table", "A table begins with its name in brackets: [site], or [[service]]."),
    ("Unclosed array", 'Close the list with "]"; its elements are separated by commas.'),
    ("Unclosed inline table", 'Close the table with "}"; in TOML 1.0 it has to be on one line.'),
    ("Expected '=' after a key", 'A key is followed by "=": name = "Harbour News"; text on its own begins with "#".'),
    ("Cannot overwrite a value", "The same key stands twice in one table; take one of them out."),
    ("Cannot declare", "The same table stands twice; join them, or use [[…]] if each is an entry of its own."),
    ("Unterminated string", "Close the text with a double quote on the same line."),
    ("Illegal character", "Close the text with a double quote on the same line; a line break in it is written \\n."),
    ("Expected newline", 'Only one key stands on a line; text in quotes has no quotes inside unless written as \\".'),
    ("Unescaped '\\'", "Write a backslash twice, or put the text in single quotes."),
)


def read(path: File, findings: Findings) -> dict[str, Any] | None:
    """The tables in the file, with ``findings.lines`` filled; ``None`` when it can't be read at all, and why."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        findings.add("E001", f'There is no file "{path}".', _INIT)
        return None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        findings.add("E002", f'"{path}" can\'t be read: {reason}.', "It has to be a file that this process may read.")
        return None
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        findings.add(
            "E002",
            f"There is a byte (0x{data[error.start]:02X}) that is not UTF-8 text.",
            "Save the file as UTF-8 in your editor.",
            line=data.count(b"\n", 0, error.start) + 1,
        )
        return None
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        _syntax(str(error), text, findings)
        return None
    if not tables:
        findings.add("E004", "The file is empty.", "It needs at least [site] with name and controller. " + _INIT)
        return None
    findings.lines = positions(text)
    return tables


def _syntax(message: str, text: str, findings: Findings) -> None:
    found = re.search(r" \(at line (\d+), column (\d+)\)| \(at end of document\)", message)
    line = int(found[1]) if found and found[1] else text.rstrip().count("\n") + 1
    column = f" in column {found[2]}" if found and found[2] else ""
    reason = message[: found.start()] if found else message
    hint = next(
        (remedy for start, remedy in _HINTS if reason.startswith(start)), "https://toml.io shows how to write it."
    )
    findings.add("E003", f"This is not valid TOML: {reason[:1].lower()}{reason[1:]}{column}.", hint, line=line)
