"""What browsers report of our second policy: which host was stopped by which directive, and nothing else of a report.

Reports come from anybody; what isn't one is dropped without an error (CSP level 3 section 5.5; Reporting API).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

LEGACY: Final = "application/csp-report"
REPORTING: Final = "application/reports+json"
MOST: Final = 100  # violations read of one report
_DIRECTIVE = re.compile(r"[a-z][a-z-]{2,39}")
_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]")


@dataclass(frozen=True, slots=True)
class Violation:
    """A directive such as ``img-src`` and the host that it stopped, with a port if it isn't the scheme's own."""

    directive: str
    host: str

    def __str__(self) -> str:
        return f"{self.directive} {self.host}"


def read(content_type: str, body: bytes) -> tuple[Violation, ...]:
    """The different violations in a report, at most :data:`MOST`; empty for whatever isn't a report."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in (LEGACY, REPORTING, "application/json"):
        return ()
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return ()
    found = (_violation(report) for report in _reports(data)[:MOST])
    return tuple(dict.fromkeys(violation for violation in found if violation is not None))


def _reports(data: Any) -> list[dict[str, Any]]:
    if isinstance(data, dict):
        data = [{"type": "csp-violation", "body": data.get("csp-report")}]
    if not isinstance(data, list):
        return []
    return [
        report["body"]
        for report in data
        if isinstance(report, dict) and report.get("type") == "csp-violation" and isinstance(report.get("body"), dict)
    ]


def _violation(report: dict[str, Any]) -> Violation | None:
    directive = _text(report, "effectiveDirective", "effective-directive", "violated-directive").partition(" ")[0]
    host = _host(_text(report, "blockedURL", "blocked-uri"))
    if not host or not _DIRECTIVE.fullmatch(directive):
        return None
    return Violation(directive, host)


def _text(report: dict[str, Any], *names: str) -> str:
    """The first of these that is there; browsers spell them in two ways."""
    return next((report[name] for name in names if isinstance(report.get(name), str)), "")


def _host(url: str) -> str:
    """The host of a blocked address; empty for ``inline``, ``eval``, ``data`` and whatever has no host."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    usual = {"http": 80, "https": 443, "ws": 80, "wss": 443}
    if parts.scheme not in usual or not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname.rstrip(".")
    if not _HOST.fullmatch(host):
        return ""
    return host if port in (None, usual[parts.scheme]) else f"{host}:{port}"
