"""The URLs of a ``srcset`` attribute (HTML standard, 4.8.4.2.2)."""

from __future__ import annotations

import re
from collections.abc import Iterator

_CANDIDATE = re.compile(r"[\t\n\f\r ,]*+([^\t\n\f\r ]++)(?:(?<=,)|(?:[^,(]++|\([^)]*+(?:\)|$))*+,?)")
"""A URL, and its descriptors unless a comma at its end says that it has none."""


def candidates(value: str) -> Iterator[str]:
    """Each image URL in turn. A comma inside a URL belongs to it; one at its end closes the candidate."""
    position = 0
    while match := _CANDIDATE.match(value, position):
        yield match[1].rstrip(",")
        position = match.end()
