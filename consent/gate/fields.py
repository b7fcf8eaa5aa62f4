"""Response header fields that make a browser contact others: gated like the page's own elements."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final

from consent.choice import Permissions
from consent.gate import elements
from consent.gate.page import Page
from consent.gate.rewrite import Gate

_LINK = re.compile(
    r"\s*(<[^>]*>(?:\s*;\s*[^\s=;,\"]+(?:\s*=\s*(?:\"(?:[^\"\\]|\\.)*\"|[^\s;,\"]*))?)*+\s*;?)\s*(?:,|$)"
)
_REL = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s;,]+))", re.IGNORECASE)
_SRCSET = re.compile(r";\s*imagesrcset\s*=\s*\"([^\"]*)\"", re.IGNORECASE)
_ENDPOINT = re.compile(r"\s*([a-z*][a-z0-9_\-.*]*\s*=\s*\"((?:[^\"\\]|\\.)*)\"[^,]*)(?:,|$)")
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
    finding = page.judge(url, tag)
    if finding is not None:
        page.tell(finding, None)
    return finding is not None and finding.blocked


def _links(page: Page, value: str) -> str:
    position, kept, lost = 0, [], False
    while match := _LINK.match(value, position):
        if match.end() == position:
            break
        position = match.end()
        link = match[1]
        rel = _REL.search(link)
        kinds = (rel[1] or rel[2] or "").lower().split() if rel else []
        srcset = _SRCSET.search(link)
        denied = bool(elements.FETCHING_LINKS & set(kinds)) and (
            _denied(page, link[1 : link.index(">")], "link")
            or bool(srcset and any(said.blocked for said in page.judge_srcset(srcset[1], "link")))
        )
        lost = lost or denied
        if not denied:
            kept.append(link)
    if position < len(value.rstrip()):
        return ""  # What can't be read is not sent: a browser may read it otherwise.
    return ", ".join(kept) if lost else value


def _refresh(page: Page, value: str) -> str:
    return "" if any(said.blocked for said in elements.refresh(page, value, "refresh")) else value


def _speculation(page: Page, value: str) -> str:
    return value if page.denies_nothing else ""


def _endpoints(page: Page, value: str) -> str:
    members = [(match[1], match[2]) for match in _ENDPOINT.finditer(value)]
    kept = [member.strip() for member, url in members if not _denied(page, url, "report")]
    return value if len(kept) == len(members) else ", ".join(kept)


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
    directives = []
    for directive in value.split(";"):
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
