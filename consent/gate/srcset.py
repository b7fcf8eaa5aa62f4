"""The URLs of a ``srcset`` attribute (HTML standard, 4.8.4.2.2)."""

from __future__ import annotations

import re
from collections.abc import Iterator

_CANDIDATE = re.compile(r"[\t\n\f\r ,]*+([^\t\n\f\r ]++)")
_DESCRIPTORS = re.compile(r"(?:[^,(]++|\([^)]*+(?:\)|$))*+,?")


def candidates(value: str) -> Iterator[str]:
    """Each image URL in turn. A comma inside a URL belongs to it; one at its end closes the candidate."""
    position = 0
    while match := _CANDIDATE.match(value, position):
        url = match[1]
        bare = url.rstrip(",")
        if bare:
            yield bare
        position = match.end()
        if bare == url:
            descriptors = _DESCRIPTORS.match(value, position)
            position = descriptors.end() if descriptors else len(value)
