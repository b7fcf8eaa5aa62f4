"""Life times as people write them, in days."""

from __future__ import annotations

import re
from math import floor

from consent.errors import nearest

SESSION = ("session", "browser session", "until the browser is closed")
PERSISTENT = ("persistent", "permanent", "forever", "until deleted", "no expiry")

_YEAR = 365
_UNITS = {
    "second": 1 / 86400,
    "minute": 1 / 1440,
    "hour": 1 / 24,
    "day": 1.0,
    "week": 7.0,
    "month": _YEAR / 12,
    "year": float(_YEAR),
}
_PART = re.compile(r"(?:(\d+(?:\.\d+)?)\s*|\b(?:an?|one)\s+)([a-z]+)")
_WHOLE = re.compile(rf"{_PART.pattern}(?:(?:\s*,\s*|\s+and\s+|\s+){_PART.pattern})*")


def days(text: str) -> float | None:
    """The days in ``"13 months"`` or ``"1 year and 2 weeks"``: 0 for a browser session, ``None`` without an end.

    A year has 365 days and a month a twelfth of that; whole days come as ``int``. Raises :class:`ValueError` for
    anything else; its second argument is the near match, if there is one.
    """
    words = " ".join(text.lower().split())
    if words in SESSION:
        return 0
    if words in PERSISTENT:
        return None
    if not _WHOLE.fullmatch(words):
        raise ValueError(text, nearest(words, (*SESSION, *PERSISTENT)))
    total = 0.0
    for number, unit in _PART.findall(words):
        singular = unit.removesuffix("s")
        if singular not in _UNITS:
            raise ValueError(text, _corrected(words, unit))
        total += float(number or 1) * _UNITS[singular]
    if total <= 0:
        raise ValueError(text, None)
    return floor(total + 0.5) if total >= 1 else round(total, 6)


def _corrected(words: str, unit: str) -> str | None:
    """The same duration with the unit that was probably meant."""
    near = nearest(unit, [*_UNITS, *(f"{name}s" for name in _UNITS)])
    return words.replace(unit, near) if near else None
