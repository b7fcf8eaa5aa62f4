"""``consent.toml`` to a checked :class:`~consent.policy.Policy`; every mistake has an id, a line and a remedy.

The story is :func:`_examine`: read the file, make sense of each table, look at all of them together, read the lock.
"""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime
from os import PathLike
from pathlib import Path

from consent.config import document, lint, lock, schema, table
from consent.config.checks import CHECKS, Findings, Spot
from consent.config.service import own, services
from consent.config.site import ask, categories, lifetime, site
from consent.config.spoken import spoken
from consent.duration import days
from consent.errors import ConfigError, Problem
from consent.policy import Policy

__all__ = ["CHECKS", "check", "days", "load", "write_lock"]

_log = logging.getLogger("consent")
_SAID_AT_START = frozenset({"W002", "W010", "W015"})


def load(path: str | PathLike[str], *, today: date | None = None) -> Policy:
    """The policy in this ``consent.toml``, with the history in ``consent.lock`` beside it.

    Raises :class:`ConfigError` with every error at once. A running trial, or undeclared third parties that are let
    through, are logged as warnings; other warnings are for :func:`check`. ``today`` is the UTC day.
    """
    policy, problems = _examine(Path(path), today)
    errors = [problem for problem in problems if problem.is_error]
    if policy is None or errors:
        raise ConfigError(errors)
    for problem in problems:
        if problem.id in _SAID_AT_START:
            _log.warning("%s", problem)
    return policy


def check(path: str | PathLike[str], *, today: date | None = None) -> list[Problem]:
    """Everything there is to say about this ``consent.toml`` and its lock, errors and warnings in file order."""
    return _examine(Path(path), today)[1]


def write_lock(path: str | PathLike[str], *, today: date | None = None) -> bool:
    """Add the present material version of this ``consent.toml`` to ``consent.lock``; false if it is there already.

    Keeps every older version. Raises :class:`ConfigError` when the policy or the lock is wrong.
    """
    policy = load(path, today=today)
    if policy.current.version in {version.version for version in policy.history}:
        return False
    lock.write(lock.beside(Path(path)), (*policy.history, policy.current))
    return True


def _examine(path: Path, today: date | None) -> tuple[Policy | None, list[Problem]]:
    """The policy, unless something essential is missing, and every finding."""
    today = today or datetime.now(UTC).date()
    findings = Findings(file=str(path))
    tables = document.read(path, findings)
    if tables is None:
        return None, findings.in_order()
    root = Spot(findings=findings)
    _unknown_tables(tables, root)
    about = site(tables.get("site"), root.at("site"))
    how = ask(tables.get("ask"), root.at("ask"), site=about, today=today)
    headings, spots = categories(tables.get("category"), root.at("category"))
    declared = services(tables.get("service"), root.at("service"), site=about)
    lint.together(declared, headings, spots=spots, site=about, today=today)
    given = tables.get("service", [])
    unread = not isinstance(given, list) or len(declared) < len(given)
    asked = unread or any(not one.service.is_necessary for one in declared)
    lifetime(how, root.at("ask"), market=about.market if about else "eu", asked=asked)

    locked = Findings(file=str(lock.beside(path)))
    history = lock.read(lock.beside(path), locked)
    policy, texts = None, list[Problem]()
    if about is not None and not any(problem.is_error for problem in findings.problems):
        policy = Policy(
            site=about,
            ask=how,
            categories=headings,
            services=(own(about, how), *(one.service for one in declared)),
            history=history,
            source=str(path),
        )
        _unlocked(policy, locked)
        texts = spoken(policy, root.at("site").called("[site]"))
    return policy, findings.in_order() + locked.in_order() + texts


def _unknown_tables(tables: dict[str, object], root: Spot) -> None:
    for name, value in tables.items():
        if name in schema.TABLES:
            continue
        if isinstance(value, dict | list):
            near = table.meant(name, schema.TABLES)
            root.at(name).add(
                "E011",
                f"There is no table called [{name}].",
                "Tables are [site], [ask], [[category]] and [[service]].",
                near=near,
            )
        else:
            table.unknown_key(name, root.at(name), schema.TABLES, where="the file's top")


def _unlocked(policy: Policy, locked: Findings) -> None:
    known = {version.version for version in policy.history}
    if known and policy.current.version not in known and policy.optional:
        locked.add(
            "W007",
            f"The present version {policy.current.version} is not in the lock: the next change re-asks everybody.",
            "Run `consent check --lock` and commit the lock.",
        )
