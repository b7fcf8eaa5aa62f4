"""A request and a response as the engine sees them: plain data that every adapter can translate to and from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

from consent.headers import Fields

PLAIN: Final[Fields] = [("Content-Type", "text/plain; charset=utf-8")]
_NOT_ASCII: Final = re.compile(r"[^\x00-\x7f]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request. ``fields`` has lower-case names and several fields of one name joined as HTTP says.

    ``root`` is where the application is mounted (``SCRIPT_NAME``), without a final slash; ``path`` what comes after
    it, decoded; ``query`` without the question mark. ``scheme`` and ``host`` are the visitor's, ``host`` with port;
    ``client`` is the address that the connection comes from, for counting in memory alone.
    """

    method: str
    scheme: str
    host: str
    path: str
    root: str = ""
    query: str = ""
    client: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str:
        """The field's value, or the empty string."""
        return self.fields.get(name, "")

    @property
    def hostname(self) -> str:
        """The host without its port, in lower case: what cookies are bound to."""
        host = self.host.lower()
        if host.startswith("["):
            return host.partition("]")[0] + "]"
        return host.partition(":")[0].rstrip(".")

    @property
    def base_url(self) -> str:
        """The absolute URL of the page, without query."""
        return f"{self.scheme}://{self.host}{self._quoted_path}"

    @property
    def target(self) -> str:
        """Path and query of the page, as a link on the same site."""
        return f"{self._quoted_path}?{self.query}" if self.query else self._quoted_path

    @property
    def mount(self) -> str:
        """``root`` as it stands in an address, and in a header field: a semicolon or a comma would end something.

        Two slashes at its beginning would begin a host.
        """
        root = self.root.lstrip("/\\")
        return root and "/" + quote(root, safe="/!$&'()*+=:@~-._")

    @property
    def _quoted_path(self) -> str:
        return "/" + quote(f"{self.root}{self.path}".lstrip("/\\"), safe="/!$&'()*+,;=:@~-._")


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One HTTP response of ours. ``body`` is whole; ``fields`` come without Content-Length."""

    status: int
    fields: Fields
    body: bytes = b""

    @classmethod
    def redirect(cls, target: str, fields: Fields) -> Response:
        """To ``target`` with a GET, also after a POST (RFC 9110 section 15.4.4)."""
        return cls(status=303, fields=[("Location", target), *PLAIN, *fields])

    @property
    def sized(self) -> Fields:
        """The fields as they are sent: with the body's length, where the status may have a body (RFC 9110 8.6)."""
        return self.fields if self.status == 204 else [*self.fields, ("Content-Length", str(len(self.body)))]

    @property
    def status_line(self) -> str:
        return f"{self.status} {HTTPStatus(self.status).phrase}"


def local_target(target: str, *, fallback: str) -> str:
    """``target`` if it is a path on this site and nothing else, else ``fallback``: no open redirect.

    Browsers read ``//host``, ``/\\host`` and control characters as ways to another site; all of those are refused.
    What isn't ASCII is quoted, as it is to stand in a header field.
    """
    if not target.startswith("/") or target.startswith(("//", "/\\")) or len(target) > 2048:
        return fallback
    if any(ch <= " " or ch == "\\" or ch == "\x7f" for ch in target):
        return fallback
    try:
        parts = urlsplit(target)
        sendable = _NOT_ASCII.sub(lambda match: quote(match[0]), target)
    except ValueError:
        return fallback
    return sendable if parts.scheme == parts.netloc == "" else fallback


def netloc(origin: str) -> str:
    """Host and port of an origin, the scheme's own port left out; empty for ``null`` and for what isn't an origin."""
    try:
        parts: SplitResult = urlsplit(origin)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return ""
    return canonical_host(parts.hostname, port, parts.scheme)


def canonical_host(host: str, port: int | None, scheme: str) -> str:
    """``host`` or ``host:port``, lower case, the scheme's own port left out."""
    usual = {"http": 80, "https": 443}.get(scheme)
    name = f"[{host}]" if ":" in host else host
    return name.lower() if port in (None, usual) else f"{name.lower()}:{port}"
