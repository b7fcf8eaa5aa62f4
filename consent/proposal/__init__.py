"""A first ``consent.toml`` for a project, from its own templates and static files.

The story: look through the files, group what was seen by who is behind it, and propose for each a service from the
catalogue, hosting it oneself, or a decision that only a person can take.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from consent import catalogue
from consent.proposal.sources import Seen, host_of, look_through, path_of

DECLARE: Final = "declare"
SELF_HOST: Final = "self-host"
NECESSARY: Final = "necessary"
DECIDE: Final = "decide"
_LIBRARIES: Final = re.compile(
    r"(?:^|\.)(?:unpkg\.com|jsdelivr\.net|bootstrapcdn\.com|code\.jquery\.com|ajax\.googleapis\.com|use\.fontawesome\.com|"
    r"use\.typekit\.net|esm\.sh|skypack\.dev|polyfill\.io|fonts\.bunny\.net|ajax\.aspnetcdn\.com|cdn\.tailwindcss\.com)$"
)


@dataclass(slots=True, kw_only=True)
class Finding:
    """What stands behind one or more places in the files, and what to do about it.

    ``service`` is a catalogue key or empty; ``hosts`` are those seen, ``host`` the one at which something self-hosted
    was found; ``names`` are cookies or storage entries.
    """

    proposal: str
    title: str
    service: str = ""
    host: str = ""
    hosts: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    kind: str = "cookie"
    places: list[str] = field(default_factory=list)

    def add(self, seen: Seen) -> None:
        """One more place."""
        if seen.place not in self.places:
            self.places.append(seen.place)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What was found in a project, in the order in which to read it, and the site's own hosts."""

    findings: tuple[Finding, ...]
    hosts: tuple[str, ...] = ()


def propose(folder: Path, *, hosts: Iterable[str] = ()) -> Proposal:
    """Everything below ``folder`` that has to be declared, hosted by oneself, or decided about."""
    everything = list(look_through(folder))
    own = list(dict.fromkeys([*hosts, *(host_of(seen.what) for seen in everything if seen.kind == "own")]))
    found: dict[str, Finding] = {}
    for seen in everything:
        if seen.kind == "url":
            _address(seen, own, found)
        elif seen.kind == "framework":
            _of_catalogue(seen.what, found).add(seen)
    for seen in everything:
        if seen.kind == "script":
            _script(seen, found)
        elif seen.kind in ("cookie", "local_storage"):
            _name(seen, found)
    order = (DECLARE, SELF_HOST, DECIDE, NECESSARY)
    return Proposal(
        findings=tuple(sorted(found.values(), key=lambda finding: (order.index(finding.proposal), finding.title))),
        hosts=tuple(filter(None, own)),
    )


def _address(seen: Seen, own: list[str], found: dict[str, Finding]) -> None:
    host = host_of(seen.what)
    if not host or host in own:
        return
    known = next(iter(catalogue.by_url(_absolute(seen.what))), "") or next(iter(catalogue.by_host(host)), "")
    place = "" if known else _self_hosted(path_of(seen.what))
    if known or place:
        finding = _of_catalogue(known or place, found)
        if place and not finding.host:
            finding.host = host + path_of(seen.what).rpartition("/")[0]
    elif _LIBRARIES.search(host):
        finding = found.setdefault(host, Finding(proposal=SELF_HOST, title=host))
    else:
        finding = found.setdefault(host, Finding(proposal=DECIDE, title=host))
    if host not in finding.hosts:
        finding.hosts.append(host)
    finding.add(seen)


def _script(seen: Seen, found: dict[str, Finding]) -> None:
    for key, entry in catalogue.all().items():
        for token in entry.get("inline", ()):
            match = re.search(rf"(?<![\w.$]){re.escape(token)}", seen.what)
            if match is None:
                continue
            finding = _of_catalogue(key, found)
            line = seen.line + seen.what.lstrip().count("\n", 0, max(0, match.start() - _indent(seen.what)))
            finding.add(Seen(kind=seen.kind, what=token, file=seen.file, line=line))
            if entry["catalogue"].get("place") and not finding.host:
                _tracker(seen, finding, found)


def _tracker(seen: Seen, finding: Finding, found: dict[str, Finding]) -> None:
    """Take the address that a self-hosted service's own snippet names away from the unknown hosts."""
    for title, other in list(found.items()):
        if other.proposal == DECIDE and other.hosts and f"//{title}" in seen.what:
            finding.host = title + (re.search(rf"//{re.escape(title)}(/[\w/.-]*?)/?[\"']", seen.what) or ["", ""])[1]
            finding.hosts.append(title)
            finding.places += [place for place in other.places if place not in finding.places]
            del found[title]
            return


def _name(seen: Seen, found: dict[str, Finding]) -> None:
    if seen.what.startswith(("consent", "__Host-consent")):
        return
    owners = [key for key in catalogue.by_cookie(seen.what) if key in found or _sets_on_site(key, seen.what)]
    likely = [key for key in owners if key in found] or owners
    if len(likely) == 1 or (likely and likely[0] in found):
        _of_catalogue(likely[0], found).add(seen)
        return
    title = f"{seen.what} ({'cookie' if seen.kind == 'cookie' else 'local storage'})"
    finding = found.setdefault(f"{seen.kind} {seen.what}", Finding(proposal=NECESSARY, title=title, kind=seen.kind))
    if seen.what not in finding.names:
        finding.names.append(seen.what)
    finding.add(seen)


def _sets_on_site(key: str, name: str) -> bool:
    """Whether this service stores something by that name under the site's own host."""
    return any(
        fnmatchcase(name, item["name"]) and item.get("party", "first") == "first"
        for item in catalogue.all()[key].get("storage", ())
    )


def _of_catalogue(key: str, found: dict[str, Finding]) -> Finding:
    entry = catalogue.all()[key]
    proposal = SELF_HOST if "advice" in entry["catalogue"] else DECLARE
    if entry["category"] == NECESSARY:
        proposal = NECESSARY
    return found.setdefault(key, Finding(proposal=proposal, title=entry["name"], service=key))


def _self_hosted(path: str) -> str:
    """The catalogue's service that a site hosts itself and that has a file by this name, such as ``matomo.js``."""
    name = path.rpartition("/")[2]
    for key, entry in catalogue.all().items():
        if name and any("/" not in place and fnmatchcase(name, place) for place in entry["catalogue"].get("place", ())):
            return key
    return ""


def _absolute(url: str) -> str:
    return url if "://" in url else f"https:{url}"


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())
