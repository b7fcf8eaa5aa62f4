"""Which service a URL belongs to, compiled once per policy: a walk over the labels of its host."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import quote, unquote

from consent.gate.urls import Url, hostname
from consent.policy import Policy, Service

LOCAL: Final = "local"
FIRST_PARTY: Final = "first-party"
SERVICE: Final = "service"
UNDECLARED: Final = "undeclared"
_CACHE = 4096
_ENCODED = re.compile(r"%([0-9a-fA-F]{2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whose a URL is. ``kind`` is ``"local"`` (goes to no host), ``"first-party"``, ``"service"`` or ``"undeclared"``.

    ``services`` are those whose equally exact patterns match, in the order of the policy; any one allowed lets it pass.
    """

    kind: str
    host: str = ""
    url: str = ""
    services: tuple[Service, ...] = ()


class _Entry(NamedTuple):
    """One ``load`` pattern below a host: ``rank`` orders by how exact it is."""

    path: re.Pattern[str] | None
    port: int | None
    rank: tuple[int, int, int]
    service: Service


class Matcher:
    """The hosts and paths of a policy. Thread-safe: its cache only ever holds what it would compute again."""

    def __init__(self, policy: Policy) -> None:
        self._exact: dict[str, list[_Entry]] = {}
        self._below: dict[str, list[_Entry]] = {}
        self._globs: list[tuple[re.Pattern[str], _Entry]] = []
        self._hosts: dict[str, tuple[_Entry, ...]] = {}
        self._site: set[str] = set()
        self._site_below: set[str] = set()
        for host in policy.site.hosts:
            name = host.partition(":")[0] if not host.startswith("[") else host
            if name.startswith("*."):
                self._site_below.add(hostname(name[2:]))
            else:
                self._site.add(hostname(name))
        for service in policy.services:
            for pattern in service.load:
                self._add(pattern, service)

    def _add(self, pattern: str, service: Service) -> None:
        pattern = re.sub(r"^(?:[a-zA-Z][a-zA-Z0-9+.\-]*:)?//", "", pattern.strip())
        host, slash, path = pattern.partition("/")
        port = None
        if match := re.fullmatch(r"(.*):([0-9]+)", host):
            host, port = match[1], int(match[2])
        compiled = _path(slash + path) if path or slash else None
        length = len(slash + path)
        if host.startswith("*.") and "*" not in host[2:]:
            self._below.setdefault(hostname(host[2:]), []).append(
                _Entry(compiled, port, (1, len(host), length), service)
            )
        elif "*" not in host:
            self._exact.setdefault(hostname(host), []).append(_Entry(compiled, port, (2, len(host), length), service))
        else:
            glob = re.compile(".*".join(re.escape(part.lower()) for part in host.split("*")))
            self._globs.append((glob, _Entry(compiled, port, (0, len(host), length), service)))

    def services(self, url: Url) -> tuple[Service, ...]:
        """The services with the most exact pattern for ``url``; empty where none has any."""
        entries = self._hosts.get(url.host)
        if entries is None:
            entries = self._entries(url.host)
        best: tuple[int, int, int] | None = None
        found: list[Service] = []
        target = None
        for entry in entries:
            if best is not None and entry.rank != best:
                break
            if entry.port is not None and entry.port != (url.port or (80 if url.scheme in ("http", "ws") else 443)):
                continue
            if entry.path is not None:
                if target is None:
                    target = _normal(url.path) + url.query
                if not entry.path.match(target):
                    continue
            best = entry.rank
            found.append(entry.service)
        return tuple(found)

    def _entries(self, host: str) -> tuple[_Entry, ...]:
        entries = list(self._exact.get(host, ()))
        dot = host.find(".")
        while dot >= 0:
            entries += self._below.get(host[dot + 1 :], ())
            dot = host.find(".", dot + 1)
        entries += [entry for glob, entry in self._globs if glob.fullmatch(host)]
        entries.sort(key=lambda entry: entry.rank, reverse=True)
        if len(self._hosts) >= _CACHE:
            self._hosts.clear()
        self._hosts[host] = result = tuple(entries)
        return result

    def is_first_party(self, host: str, own: str) -> bool:
        """Whether ``host`` is the page's own host ``own`` or one of the site's; same-site alone isn't."""
        if host == own or host in self._site:
            return True
        if self._site_below:
            dot = host.find(".")
            while dot >= 0:
                if host[dot + 1 :] in self._site_below:
                    return True
                dot = host.find(".", dot + 1)
        return False

    def verdict(self, url: Url, *, own: str) -> Verdict:
        """Whose ``url`` is on a page of the host ``own``; a service's patterns win over the site's hosts."""
        if not url.host:
            return Verdict(kind=LOCAL, url=str(url))
        if services := self.services(url):
            return Verdict(kind=SERVICE, host=url.host, url=str(url), services=services)
        kind = FIRST_PARTY if self.is_first_party(url.host, own) else UNDECLARED
        return Verdict(kind=kind, host=url.host, url=str(url))

    def own_hosts(self, own: str) -> tuple[str, ...]:
        """The first-party hosts on a page of ``own`` that no service claims a part of."""
        return tuple(host for host in sorted({own, *self._site}) if host and not self.claims((host,)))

    def claims(self, hosts: Iterable[str]) -> bool:
        """Whether a service has patterns on one of these hosts, so that its own relative URLs matter."""
        return any(self._hosts.get(host) or self._entries(host) for host in hosts)


def _path(pattern: str) -> re.Pattern[str]:
    """A path pattern: ``*`` as in a glob; without one at its end it covers the path and all below it."""
    body = ".*".join(re.escape(_normal(part) if "?" not in part else part) for part in pattern.split("*"))
    # ``/embed/``, ``/pagead-`` and ``?id=AW-`` go on anywhere; ``/tr`` only at a boundary: not ``/trend``.
    return re.compile(body if not pattern[-1:].isalnum() or "?" in pattern else body + r"(?=[/?;]|$)")


def _normal(path: str) -> str:
    """The path with needless percent-encoding undone, so that ``/%67tag/js`` is ``/gtag/js``."""
    if "%" not in path:
        return path
    return _ENCODED.sub(
        lambda match: (
            char if (char := unquote(match[0])).isascii() and quote(char, safe="") == char else match[0].upper()
        ),
        path,
    )
