"""The checks on a configuration, each with a stable id; findings are collected here, all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from consent.config.position import Path
from consent.errors import Problem

CHECKS: Final[Mapping[str, str]] = {
    "E001": "The file exists.",
    "E002": "The file can be read and is UTF-8 text.",
    "E003": "The file is valid TOML.",
    "E004": "The file is not empty.",
    "E010": "Every key is one that consentry knows.",
    "E011": "Every table is one that consentry knows.",
    "E012": "Every value has the right type.",
    "E013": "A value that has to be one of a few is one of them.",
    "E014": "What has to be said is said.",
    "E015": "Lists of tables are written with double brackets.",
    "E020": "An address is an https:// URL or a path on the site.",
    "E021": "A host is a host name alone.",
    "E022": "A load pattern is a host or host/path, narrow enough to mean one service.",
    "E023": "A route is a path that begins with a slash.",
    "E024": "A duration can be understood.",
    "E025": "A country is an ISO 3166-1 code.",
    "E026": "A key is short, lower case and safe in a form field.",
    "E027": "An inline token is long enough to mean one service.",
    "E028": "An embed template is an https:// URL with {id} that the service's own patterns cover.",
    "E030": "A choice is kept for at least six calendar months (184 days).",
    "E031": "A choice is kept no longer than the market and browsers allow.",
    "E032": "A trial has not ended.",
    "E033": "A trial ends within 14 days.",
    "E034": "A shared cookie domain covers the site's own hosts and nothing above them.",
    "E040": "A service's category exists.",
    "E041": "Keys are unique: services and categories share one namespace.",
    "E042": "A service taken from the catalogue is in it.",
    "E043": "A service can be recognised by an address, an inline token or what it stores.",
    "E044": "A self-hosted service says where it is hosted.",
    "E045": "A necessary service says why (at least 40 characters).",
    "E046": "Legitimate interest is never a basis for storing on or reading from a device.",
    "E047": "A service that is necessary on request says why (at least 40 characters).",
    "E048": "Legal basis and category don't contradict each other.",
    "E049": "Measurement, marketing and social media are not declared necessary.",
    "E050": "Every cookie has a duration.",
    "E051": "A stored name is narrow enough to mean one service's storage.",
    "E060": "consent.lock can be read and is undamaged.",
    "E061": "The site's own texts can be read.",
    "W001": "A purpose says what is done, and promises or plays down nothing.",
    "W002": "No trial is running.",
    "W003": "Necessary services were reviewed by a person within the last 365 days.",
    "W004": "Processing outside the EEA names its transfer basis.",
    "W005": "A service that involves somebody else links their privacy policy.",
    "W006": "The site names a contact.",
    "W007": "consent.lock holds the present version.",
    "W008": "A category that the site adds has a service in it.",
    "W009": "A cookie ends at some time.",
    "W010": "Undeclared third parties are blocked, and the policy says so in one voice.",
    "W011": "No address is claimed by two services.",
    "W012": "A service that can be self-hosted is self-hosted.",
    "W013": "Facts from the catalogue were confirmed with the provider.",
    "W014": "Measurement without consent is confirmed for the site's market.",
    "W015": "Nothing that only a person can decide is left open.",
    "W017": "Where the law lets a signal opt out, services that pass data on follow the signal.",
    "W018": "Languages that the site names can be spoken.",
    "W019": "The site's own texts are complete and keep their places.",
}
"""What each check holds true, by id. ``E…`` stops the start, ``W…`` is said and passes; an id is never reused."""


@dataclass(slots=True, kw_only=True)
class Findings:
    """What was found in one file so far; knows where everything stands."""

    file: str
    lines: Mapping[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def add(
        self, id: str, what: str, remedy: str, *, path: Path = (), line: int | None = None, near: str | None = None
    ) -> None:
        """One more finding, at ``line`` or where ``path``, or the innermost table around it, stands."""
        if id not in CHECKS:
            raise ValueError(f"no check is called {id}")
        self.problems.append(
            Problem(
                id=id,
                what=what[:1].upper() + what[1:],
                remedy=remedy,
                file=self.file,
                line=line or self._line(path),
                near=near,
            )
        )

    def in_order(self) -> list[Problem]:
        """All of them in the order of the file; those without a line first."""
        return sorted(self.problems, key=lambda problem: problem.line or 0)

    def _line(self, path: Path) -> int | None:
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[:-1]
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """One place in the file: where findings about it go, and what a person calls it."""

    findings: Findings
    path: Path = ()
    name: str = ""

    def at(self, *steps: str | int) -> Spot:
        """A place further in, called by the same name."""
        return Spot(findings=self.findings, path=(*self.path, *steps), name=self.name)

    def called(self, name: str) -> Spot:
        """The same place under a better name."""
        return Spot(findings=self.findings, path=self.path, name=name)

    def add(self, id: str, what: str, remedy: str, *, near: str | None = None) -> None:
        """A finding here."""
        self.findings.add(id, what, remedy, path=self.path, near=near)
