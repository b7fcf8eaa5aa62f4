"""The languages a site names, and the texts of its own beside ``consent.toml``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from consent.config.checks import Findings, Spot
from consent.errors import Problem
from consent.policy import Policy


def spoken(policy: Policy, site: Spot) -> list[Problem]:
    """Report what can't be said: languages that aren't there, at ``site``; the rest is returned, by file."""
    from consent.locale import site_folder

    folder = site_folder(policy)
    problems = [] if folder is None else _texts(folder)
    if not any(problem.is_error for problem in problems):
        _named(policy, site)
    return problems


def _named(policy: Policy, spot: Spot) -> None:
    from consent.locale import SOURCE, nearest, offered

    about = policy.site
    if not about.languages and about.default_language == SOURCE:
        return
    anything = offered(replace(policy, site=replace(about, languages=(), allow_unreviewed=True)))
    allowed = offered(replace(policy, site=replace(about, languages=())))
    wanted = [(spot.at("languages", number), tag) for number, tag in enumerate(about.languages)]
    for at, tag in [*wanted, (spot.at("default_language"), about.default_language)]:
        if nearest(tag, anything) is None:
            at.add(
                "W018",
                f'There are no texts in "{tag}".',
                f"Put locales/{tag}.po beside consent.toml; `consent/locales/consentry.pot` lists what it has to say.",
            )
        elif nearest(tag, allowed) is None:
            at.add(
                "W018",
                f'"{tag}" is left out, because nobody named has reviewed its texts as they are.',
                "Have them read and say so in locales/languages.toml, or write allow_unreviewed = true.",
            )


def _texts(folder: Path) -> list[Problem]:
    from consent.locale.gaps import gaps

    problems = list[Problem]()
    for gap in gaps(folder):
        findings = Findings(file=str(gap.file))
        name, remedy = ("E061", "Mend the file, or take it out.") if gap.fatal else ("W019", "Mend the file.")
        findings.add(name, gap.what, remedy)
        problems += findings.problems
    return problems
