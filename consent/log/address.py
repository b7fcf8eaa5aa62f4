"""Where a log lies: the address that a site configures, taken apart once. Standard library only."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from consent.errors import ConfigError

DEFAULT: Final = "sqlite:///instance/consent.db"
_BESIDE: Final = "instance/consent"  # where a log on a server has its key and its spool, unless it says where
_ORIGIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")
_OURS: Final = ("origin", "seal", "spool", "keys")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A database file, absolute so that a later change of directory moves nothing, a server, or neither: memory.

    ``origin`` names one log among several in a database, and in its checkpoints; empty means the first one.
    ``seals`` is whether the process that records also seals; without it ``consent log seal`` has to run somewhere.
    ``spool`` is the folder for what the database can't take just now, empty where there is none. ``keys`` is the
    beginning of the names of the files with the signing key and the guard.
    """

    path: str | None = None
    server: str = ""
    origin: str = ""
    seals: bool = True
    spool: str = ""
    keys: str = ""

    @classmethod
    def of(cls, url: str) -> Address:
        """The address in ``url``; raises :class:`ConfigError` for anything else."""
        if not isinstance(url, str):
            raise _wrong(repr(url))
        place, _, query = url.partition("?")
        options = dict(parse_qsl(query, keep_blank_values=True))
        ours: dict[str, str] = {name: options.pop(name) for name in _OURS if name in options}
        origin, seal = ours.get("origin", ""), ours.get("seal", "on")
        if seal not in ("on", "off") or ("origin" in ours and not _ORIGIN.fullmatch(origin)):
            raise _wrong(repr(url))
        if any("\0" in text or not text for text in (ours.get("spool", "-"), ours.get("keys", "-"))):
            raise _wrong(repr(url))
        if place.startswith(("postgresql://", "postgres://")):
            return cls._of_server(place, options, ours)
        if options:
            raise _wrong(repr(url))
        if place == "memory://":
            return cls(origin=origin, seals=False)
        path = place.removeprefix("sqlite:///")
        if path == place or not path or path.endswith("/") or "\0" in path:
            raise _wrong(repr(url))
        path = os.path.abspath(path)
        return cls(
            path=path,
            origin=origin,
            seals=seal == "on",
            spool=_spool(ours.get("spool", f"{path}.spool")),
            keys=os.path.abspath(ours.get("keys", path)),
        )

    @classmethod
    def _of_server(cls, place: str, options: dict[str, str], ours: dict[str, str]) -> Address:
        """A PostgreSQL address: what isn't ours in its query is the driver's, such as ``sslmode``."""
        server = f"postgresql+psycopg://{place.partition('://')[2]}" + (f"?{urlencode(options)}" if options else "")
        if "origin" not in ours or not urlsplit(place).path.strip("/"):
            raise ConfigError.of(
                "E801",
                f"The consent log at {_shown(server)} has no name.",
                "Several sites can share a database, and none may take another's log for its own: write "
                "postgresql://user@host/database?origin=news.example/consent.",
            )
        return cls(
            server=server,
            origin=ours["origin"],
            seals=ours.get("seal", "on") == "on",
            spool=_spool(ours.get("spool", f"{_BESIDE}.spool")),
            keys=os.path.abspath(ours.get("keys", _BESIDE)),
        )

    @property
    def lasts(self) -> bool:
        """Whether it outlives the process."""
        return bool(self.path or self.server)

    def __str__(self) -> str:
        """Where it is, for people: without the password."""
        return self.path or (_shown(self.server) if self.server else "memory://")


def default() -> str:
    """What ``consent log`` looks at when nobody says otherwise: ``CONSENT_LOG``, or the file in ``instance/``."""
    return os.environ.get("CONSENT_LOG") or DEFAULT


def _spool(folder: str) -> str:
    return "" if folder == "off" else os.path.abspath(folder)


def _shown(server: str) -> str:
    parts = urlsplit(server)
    host = parts.hostname or dict(parse_qsl(parts.query)).get("host", "")
    port = f":{parts.port}" if parts.port else ""
    return f"postgresql://{quote(host, safe='/')}{port}{parts.path}"


def _wrong(url: str) -> ConfigError:
    return ConfigError.of(
        "E801",
        f"The consent log can't be at {url}.",
        "Write sqlite:////absolute/path.db, sqlite:///relative/path.db, "
        "postgresql://user@host/database?origin=news.example/consent, or memory:// in tests; ?origin=…, ?seal=off, "
        "?spool=/a/folder (or off) and ?keys=/a/folder/consent may follow.",
    )
