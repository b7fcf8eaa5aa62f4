"""Ready-made services, one TOML file each; their file name is their key.

A file has the keys of a ``[[service]]`` in ``consent.toml``. Its table ``catalogue`` says about the facts themselves:
``confidence`` (``high``, ``medium``, or ``low`` where they still have to be confirmed with the provider), ``note``,
``advice`` where asking visitors is the second-best answer, and, for what sites host themselves, ``place``, the paths
below the host, with ``cloud`` for the hosts at which the provider runs it.

Cookie names and durations were compared with Open-Cookie-Database (Apache-2.0), load addresses with tarteaucitron.js
(MIT); the rest is from the providers' own publications.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

Entry = Mapping[str, Any]


@cache
def all() -> Mapping[str, Entry]:  # noqa: A001 - read as catalogue.all()
    """Every ready-made service by its key, in alphabetical order; treat it as read-only."""
    found = sorted(file.name for file in files("consent.catalogue").iterdir() if file.name.endswith(".toml"))
    return {name.removesuffix(".toml"): _read(name) for name in found}


def get(key: str) -> Entry | None:
    """The ready-made service called ``key``, or ``None``."""
    return all().get(key)


def by_host(host: str) -> tuple[str, ...]:
    """The keys of the services that load anything from this host."""
    host = host.lower().rstrip(".")
    return tuple(key for key, entry in all().items() if any(covers(name, host) for name in _hosts(entry)))


def by_url(url: str) -> tuple[str, ...]:
    """The keys of the services that load this address; a path named exactly comes before a whole host."""
    parts = urlsplit(url)
    host, path = (parts.hostname or "").rstrip("."), parts.path or "/"
    ranked = (
        (max((len(pattern) for pattern in patterns(entry) if covers(pattern, host, path)), default=0), key)
        for key, entry in all().items()
    )
    return tuple(key for length, key in sorted(ranked, reverse=True) if length)


def by_cookie(name: str) -> tuple[str, ...]:
    """The keys of the services that store something under this name."""
    return tuple(
        key for key, entry in all().items() if any(fnmatchcase(name, item["name"]) for item in entry.get("storage", ()))
    )


def patterns(entry: Entry) -> tuple[str, ...]:
    """The addresses of a service that are known without asking the site where it hosts it."""
    return (*entry.get("load", ()), *entry["catalogue"].get("cloud", ()))


def _hosts(entry: Entry) -> set[str]:
    return {pattern.partition("/")[0] for pattern in patterns(entry)}


def covers(pattern: str, host: str, path: str = "/") -> bool:
    """Whether a load pattern takes in this host and path; ``*.host`` means the hosts below it, not itself."""
    name, slash, glob = pattern.partition("/")
    at_host = host.endswith(name[1:]) if name.startswith("*.") else host == name.partition(":")[0]
    return at_host and (not slash or fnmatchcase(path, f"/{glob}"))


def _read(name: str) -> Entry:
    return tomllib.loads((files("consent.catalogue") / name).read_text("utf-8"))
