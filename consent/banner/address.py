"""The addresses of embeds: what is framed, the wrapper page around it, and the page to offer as a plain link."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

from consent.gate import Gate
from consent.policy import Service

_WATCH: Final = (
    (
        re.compile(r"https?://(?:www\.)?youtube(?:-nocookie)?\.com/embed/([\w-]{11})"),
        "https://www.youtube.com/watch?v={}",
    ),
    (re.compile(r"https?://player\.vimeo\.com/video/(\d+)"), "https://vimeo.com/{}"),
)


def is_web(url: str) -> bool:
    """Whether the address is http or https with a host, so that it may stand in a link or a frame."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme.lower() in ("http", "https") and bool(parts.netloc)


def declared(gate: Gate, key: str, url: str, *, base_url: str) -> str:
    """``url`` as a browser resolves it, if the service of this key has declared it and a frame can show it, else empty.

    It is absolute, and its host is the one that a policy has to name, however it was written.
    """
    verdict = gate.verdict(url, base_url=base_url)
    if not verdict.services or verdict.services[0].key != key or not is_web(verdict.url):
        return ""
    _, mark, fragment = url.partition("#")
    return verdict.url + mark + fragment


def framed(service: Service, ident_or_url: str) -> str:
    """The address to frame: a web address as it is, else the service's ``embed`` pattern with this identifier.

    Raises ``ValueError`` when the service has no pattern or the address isn't http(s).
    """
    if is_web(ident_or_url):
        return ident_or_url
    if ident_or_url.startswith("//") and is_web(f"https:{ident_or_url}"):
        return f"https:{ident_or_url}"
    if "{id}" not in service.embed:
        raise ValueError(f"{service.key!r} has no embed pattern with {{id}}: pass a full address, not {ident_or_url!r}")
    if ":" in ident_or_url:
        raise ValueError(f"{ident_or_url!r} is neither an identifier of {service.key!r} nor an http(s) address")
    return service.embed.replace("{id}", quote(ident_or_url, safe=""))


def wrapper(prefix: str, service: Service, url: str) -> str:
    """The same-origin page that frames the embed, for a visitor who has granted the service."""
    return f"{prefix}embed?{urlencode({'service': service.key, 'url': url})}"


def original(url: str) -> str:
    """The page a person would open instead of the embed; empty if the address must not be linked."""
    for player, page in _WATCH:
        found = player.match(url)
        if found:
            return page.format(found[1])
    return url if is_web(url) else ""


def host(url: str) -> str:
    """The host of an address, to be named in a sentence."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
