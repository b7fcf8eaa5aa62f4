"""Response header fields that make a browser contact others: gated like the page's own elements."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final

from consent.choice import Permissions
from consent.gate import elements
from consent.gate.page import Blocked, Page
from consent.gate.rewrite import Gate

_LINK = re.compile(
    r"\s*+(<[^>]*+>(?:\s*+;\s*+[^\s=;,\"]++(?:\s*+=\s*+(?:\"(?:[^\"\\]|\\.)*+\"|[^\s;,\"]*+))?+)*+"
    r"(?:\s*+;)?+)\s*+(?:,|$)"
)
_PARAMETER = re.compile(r";\s*([^\s=;,\"]+)(?:\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s;,\"]*)))?")
_ENDPOINT = re.compile(
    r"[ \t]*([a-z*][a-z0-9_\-.*]*+(?:=(?:\"((?:[^\"\\]|\\.)*+)\"|[^\",;]*+))?+"
    r"(?:[ \t]*+;[ \t]*+[a-z*][a-z0-9_\-.*]*+(?:=(?:\"(?:[^\"\\]|\\.)*+\"|[^\",;]*+))?+)*+)[ \t]*(?:,|$)"
)
_POLICIES: Final = ("content-security-policy", "content-security-policy-report-only")


def gate_fields(
    gate: Gate, headers: list[tuple[str, str]], permissions: Permissions, *, base_url: str
) -> list[tuple[str, str]]:
    """The response's header fields without what would contact a host that is not permitted.

    Of ``Link``, ``Reporting-Endpoints`` and ``Report-To`` the denied members go, of a Content-Security-Policy the
    denied ``report-uri``; ``Refresh`` goes whole, and so does ``Speculation-Rules`` unless nothing is denied, because
    its rules may name any link. ``NEL`` goes where a reporting endpoint did. The rest is as it was, in its order.
    """
    page = gate.page(permissions, base_url=base_url)
    kept: list[tuple[str, str]] = []
    lost_endpoint = False
    for name, value in headers:
        rewrite = _FIELDS.get(name.lower())
        if rewrite is None:
            kept.append((name, value))
            continue
        changed = rewrite(page, value)
        lost_endpoint = lost_endpoint or (changed != value and name.lower() in ("reporting-endpoints", "report-to"))
        if changed:
            kept.append((name, changed))
    if lost_endpoint:
        kept = [(name, value) for name, value in kept if name.lower() != "nel"]
    return kept


def _denied(page: Page, url: str, tag: str) -> bool:
    return _blocks(page, page.judge_each([url], tag))


def _blocks(page: Page, said: list[Blocked]) -> bool:
    for finding in said:
        page.tell(finding, None)
    return any(finding.blocked for finding in said)


def _links(page: Page, value: str) -> str:
    position, kept, lost = 0, [], False
    while match := _LINK.match(value, position):
        position = match.end()
        link = match[1]
        target, _, rest = link[1:].partition(">")
        parameters = [(found[1].lower(), _unquoted(found[2] or found[3] or "")) for found in _PARAMETER.finditer(rest)]
        kinds = {kind for name, value in parameters if name == "rel" for kind in value.strip("'").lower().split()}
        denied = bool(elements.FETCHING_LINKS & kinds) and (
            _blocks(page, elements.linked(page, kinds, target, "link"))
            or any(
                said.blocked
                for name, value in parameters
                if name == "imagesrcset"
                for said in page.judge_srcset(value, "link")
            )
        )
        lost = lost or denied
        if not denied:
            kept.append(link)
    if position < len(value.rstrip()):
        return ""  # What can't be read is not sent: a browser may read it otherwise.
    return ", ".join(kept) if lost else value


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value)


def _refresh(page: Page, value: str) -> str:
    return "" if any(said.blocked for said in elements.refresh(page, value, "refresh")) else value


def _speculation(page: Page, value: str) -> str:
    return value if page.denies_nothing else ""


def _endpoints(page: Page, value: str) -> str:
    position, kept, lost = 0, [], False
    while match := _ENDPOINT.match(value, position):
        position = match.end()
        denied = bool(match[2]) and _denied(page, _unquoted(match[2]), "report")
        lost = lost or denied
        if not denied:
            kept.append(match[1])
    if position < len(value.rstrip()):
        return ""  # What can't be read is not sent: a browser may read it otherwise.
    return ", ".join(kept) if lost else value


def _report_to(page: Page, value: str) -> str:
    try:
        groups = json.loads(f"[{value}]")
        kept = [g for g in groups if not any(_denied(page, str(e["url"]), "report") for e in g.get("endpoints", ()))]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return ""
    return value if len(kept) == len(groups) else ", ".join(json.dumps(group) for group in kept)


def _policy(page: Page, value: str) -> str:
    if "report-uri" not in value.lower():
        return value
    return ",".join(policy for policy in (_directives(page, policy) for policy in value.split(",")) if policy.strip())


def _directives(page: Page, policy: str) -> str:
    """One policy, of those that commas separate, without the addresses of others to report to."""
    directives = []
    for directive in policy.split(";"):
        words = directive.split()
        if words and words[0].lower() == "report-uri":
            kept = [url for url in words[1:] if not _denied(page, url, "report")]
            if len(kept) < len(words) - 1:
                directive = " " + " ".join((words[0], *kept)) if kept else ""
        directives.append(directive)
    return ";".join(directive for directive in directives if directive.strip())


_FIELDS: Final[dict[str, Callable[[Page, str], str]]] = {
    "link": _links,
    "refresh": _refresh,
    "speculation-rules": _speculation,
    "reporting-endpoints": _endpoints,
    "report-to": _report_to,
    **dict.fromkeys(_POLICIES, _policy),
}
