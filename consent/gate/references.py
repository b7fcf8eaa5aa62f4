"""Character references in attribute values, decoded as a browser does (HTML standard, 13.2.5.72 and following)."""

from __future__ import annotations

import html
import re
from html.entities import html5

_LONG = re.compile(r"&#(?:([xX])([0-9a-fA-F]{9,}+)|([0-9]{9,}+))")
"""A reference by a number that may be longer than :func:`int` takes."""
_REFERENCE = re.compile(r"&(?:#[xX][0-9a-fA-F]+;?|#[0-9]+;?|[a-zA-Z][a-zA-Z0-9]*;?)")


def decode(value: str) -> str:
    """The attribute value a browser sees: ``&amp;`` decoded, but ``&copy=1`` left alone (ambiguous ampersand)."""
    if "&" not in value:
        return value
    return _REFERENCE.sub(lambda match: _character(match[0], value[match.end() : match.end() + 1]), value)


def unescape(text: str) -> str:
    """The text with all references in it decoded, as text and not as an attribute's value, however long a number is."""
    return html.unescape(_LONG.sub(_shorter, text) if "&#" in text else text)


def _shorter(match: re.Match[str]) -> str:
    digits = (match[2] or match[3]).lstrip("0")[:8]
    return f"&#{match[1] or ''}{digits or '0'}"


def _character(reference: str, follows: str) -> str:
    if reference[1] == "#":
        return unescape(reference) if reference.endswith(";") else unescape(reference + ";")
    name = reference[1:]
    if name in html5:
        if not name.endswith(";") and follows == "=":
            return reference
        return html5[name]
    # Without a semicolon a shorter legacy name may match, but in an attribute never before a letter or digit.
    return reference
