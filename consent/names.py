"""What a key and a host look like in ``consent.toml``."""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import chain, count
from typing import Final

KEY: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
"""A service's or a category's: it goes into forms and attributes."""
HOST: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*(?::\d{1,5})?")
"""A host as browsers send it, perhaps with a port."""
_UNFIT: Final = re.compile(r"[^a-z0-9_-]+")


def as_key(text: str, *, taken: Collection[str] = ()) -> str:
    """A key that is like ``text`` and none of those that are taken."""
    like = _UNFIT.sub("-", text.lower()).lstrip("-_")[:40].rstrip("-_") or "my-service"
    return next(key for key in chain((like,), (f"{like[:36]}-{number}" for number in count(2))) if key not in taken)
