"""A second Content-Security-Policy from a visitor's permissions: it can only tighten what the application allows.

It limits *hosts*; inline code, ``eval``, ``data:`` and ``blob:`` stay the application's own business. Several policies
intersect (CSP level 3, section 8.1), so nothing here can loosen another header.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final
from urllib.parse import quote, urlsplit

from consent.choice import Permissions
from consent.policy import Policy, Service

LONGEST: Final = 4096
"""The most bytes the header's value takes; servers and proxies limit what they pass."""

ENFORCED: Final = "Content-Security-Policy"
"""The header that stops; its sibling with ``-Report-Only`` tells."""
_ALWAYS: Final = "'unsafe-inline' 'unsafe-eval' data: blob:"
_LOOPBACK: Final = re.compile(r"(?:.+\.)?localhost|127(?:\.[0-9]+){3}")
_HOST = re.compile(r"(?:\*\.)?[a-z0-9\-]+(?:\.[a-z0-9\-]+)*(?::[0-9]+)?|\[[0-9a-f:.]+\](?::[0-9]+)?")


def header_name(policy: Policy) -> str | None:
    """The header to send it in; ``None`` for none. While undeclared hosts pass, it can only report."""
    if policy.ask.csp == "off":
        return None
    if policy.ask.csp == "enforce" and policy.ask.undeclared == "block":
        return ENFORCED
    return f"{ENFORCED}-Report-Only"


def tightening(policy: Policy, permissions: Permissions, *, host: str, report_uri: str = "") -> str:
    """The header's value: the site's own hosts and those of the services that may run, at most :data:`LONGEST` bytes.

    ``host`` is the page's own, with its port. Where that isn't the scheme's, or nobody else can reach it, the site's
    hosts are meant with any port, as by the gate: a development server of one's assets has another than ``'self'``.
    A pattern that CSP can't say (``www.google.*``, ``*/matomo.js``) is left out: on other hosts than the site's, such
    a service needs a full host name.
    """
    allowed: list[str] = []
    denied: list[str] = []
    for service in policy.services:
        (allowed if service.key in permissions.allowed else denied).extend(service.load)
    return _value(policy.site.hosts, tuple(allowed), tuple(denied), host, report_uri)


def for_embed(service: Service, url: str) -> str:
    """The policy of the page that wraps one embed: a frame of this service, its own style and script, nothing else."""
    parts = urlsplit(url)
    own = f"{parts.scheme}://{quote(parts.netloc.rpartition('@')[2], safe=':[]*')}"  # a host may have semicolons
    frames = " ".join(dict.fromkeys((own, *_sources(service.load, paths=False))))
    return (
        f"default-src 'none'; frame-src {frames}; style-src 'self'; script-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )


@lru_cache(maxsize=512)
def _value(
    hosts: tuple[str, ...], patterns: tuple[str, ...], denied: tuple[str, ...], host: str, report_uri: str
) -> str:
    own = _own(hosts, host)
    tail = f"; report-uri {report_uri}" if report_uri else ""
    exact, bare = _sources(patterns, paths=True), _sources(patterns, paths=False)
    # Without paths it is shorter; that must let no denied service in that is on one of these hosts.
    lists = [exact, bare] if set(bare).isdisjoint(_sources(denied, paths=False)) else [exact]
    choices = [_with_sockets([*own, *others]) for others in lists] + [[*own, *others] for others in lists]
    for others in choices:
        sources = " ".join(dict.fromkeys(("'self'", *others)))
        value = f"default-src {sources} {_ALWAYS}{tail}"
        if len(value) <= LONGEST:
            return value
    # More hosts than fit: the last ones are left out, which denies and never allows.
    room = LONGEST - len(value) + len(sources)
    return f"default-src {sources[:room].rpartition(' ')[0]} {_ALWAYS}{tail}"


def _with_sockets(sources: list[str]) -> list[str]:
    """These host sources, for WebSockets too: without a scheme one lets none in but the page's own host's.

    ``ws:`` covers ``wss:`` (CSP level 3, section 6.7.2.8), and a page that came by TLS can open nothing else.
    """
    return [*sources, *(f"ws://{source}" for source in sources)]


def _own(hosts: tuple[str, ...], host: str) -> list[str]:
    """The site's hosts beside ``'self'``."""
    names = _sources(hosts, paths=False)
    name, _, port = host.lower().partition(":")
    if not (port or _LOOPBACK.fullmatch(name)):
        return [name for name in names if name != host]
    own = [] if "*" in name else _sources([name], paths=False)
    bare = dict.fromkeys((*own, *(name.partition(":")[0] for name in names if "[" not in name)))
    return [f"{name}:*" for name in bare]


def _sources(patterns: Iterable[str], *, paths: bool) -> list[str]:
    """These ``load`` patterns as CSP host sources, each once, in order."""
    found: dict[str, None] = {}
    for pattern in patterns:
        name, slash, path = re.sub(r"^(?:[a-zA-Z][a-zA-Z0-9+.\-]*:)?//", "", pattern).partition("/")
        name = _ascii(name)
        if "*" in name and not re.fullmatch(r"\*\.[^*]+", name):
            name = "*." + name.rpartition("*")[2].partition(".")[2]
        if not _HOST.fullmatch(name) or name.count(".") < ("*" in name) * 2:
            continue
        path = (slash + path).partition("?")[0]
        if not paths or not path:
            found[name] = None
            continue
        exact, star, _ = path.partition("*")
        if star or exact.endswith("/"):
            found[name + quote(exact.rpartition("/")[0] + "/", safe="/%")] = None
        else:
            found[name + quote(exact, safe="/%")] = None
            found[name + quote(exact, safe="/%") + "/"] = None
    return [source for source in found if "/" not in source or source.partition("/")[0] not in found]


def _ascii(name: str) -> str:
    if name.isascii():
        return name.lower().rstrip(".")
    return ".".join(
        label.lower() if label.isascii() else "xn--" + label.lower().encode("punycode").decode("ascii")
        for label in name.split(".")
    )
