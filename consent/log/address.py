"""Where a log lies: the address that a site configures, taken apart once. Standard library only."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from consent.errors import ConfigError

DEFAULT: Final = "sqlite:///instance/consent.db"
_ORIGIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A database file, absolute so that a later change of directory moves nothing; no ``path`` means memory.

    ``origin`` names one log among several in a database, and in its checkpoints; empty means the first one.
    ``seals`` is whether the process that records also seals; without it ``consent log seal`` has to run somewhere.
    """

    path: str | None
    origin: str = ""
    seals: bool = True

    @classmethod
    def of(cls, url: str) -> Address:
        """The address in ``url``; raises :class:`ConfigError` for anything else."""
        if not isinstance(url, str):
            raise _wrong(repr(url))
        place, _, query = url.partition("?")
        options = dict(parse_qsl(query, keep_blank_values=True))
        origin, seal = options.pop("origin", None), options.pop("seal", "on")
        if options or seal not in ("on", "off") or not (origin is None or _ORIGIN.fullmatch(origin)):
            raise _wrong(repr(url))
        if place == "memory://":
            return cls(path=None, origin=origin or "", seals=False)
        path = place.removeprefix("sqlite:///")
        if path == place or not path or path.endswith("/") or "\0" in path:
            raise _wrong(repr(url))
        return cls(path=os.path.abspath(path), origin=origin or "", seals=seal == "on")


def default() -> str:
    """What ``consent log`` looks at when nobody says otherwise: ``CONSENT_LOG``, or the file in ``instance/``."""
    return os.environ.get("CONSENT_LOG") or DEFAULT


def _wrong(url: str) -> ConfigError:
    return ConfigError.of(
        "E801",
        f"The consent log can't be at {url}.",
        "Write sqlite:////absolute/path.db, sqlite:///relative/path.db, or memory:// in tests; "
        "?origin=news.example/consent and ?seal=off may follow.",
    )
