"""The proposal written out as a commented ``consent.toml``."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

from consent import catalogue
from consent.config.site import LONGEST_TRIAL
from consent.config.values import DECIDE as MARK
from consent.names import as_key
from consent.proposal import DECIDE, DECLARE, NECESSARY, SELF_HOST, Finding, Proposal

_SHOWN: Final = 3  # places named in a comment

_HEAD = """\
# What this site loads from others and stores on devices, and whom it asks first. Written by `consent init` from the
# project's own files; a person has to read it: look for {mark}. Then run `consent check` and `consent explain`.

[site]
name = {name}
controller = "{mark}: name and postal address of who is responsible for the site"
contact = "{mark}: an address for questions about data"
privacy_policy = "/privacy"
market = "eu"               # or de, fr, it, es, uk, us-ca; eu is the strictest
{hosts}
[ask]
lifetime_days = 184         # an answer counts for half a year, a refusal as long as an acceptance
"""
_BLOCK = 'undeclared = "block"        # what is not in this file does not load\n'
_TRIAL = """\
undeclared = "report"       # a trial: what is not in this file loads and is reported in the site's log
trial_until = {until}    # from the day after, the site does not start with this; go back to "block" before
"""


def draft(proposal: Proposal, *, name: str, today: date, trial: bool) -> str:
    """The text of a ``consent.toml`` that loads as it is; what only a person can decide is marked in it."""
    hosts = (
        f"hosts = [{', '.join(map(_quoted, proposal.hosts))}]   # first party\n"
        if proposal.hosts
        else '# hosts = ["www.example.org"]   # first party; without it, the host of the page\n'
    )
    text = _HEAD.format(mark=MARK, name=_quoted(name), hosts=hosts)
    text += _TRIAL.format(until=today + timedelta(days=LONGEST_TRIAL)) if trial else _BLOCK
    for proposed, title, entry in _PARTS:
        findings = [finding for finding in proposal.findings if finding.proposal == proposed]
        if findings:
            text += f"\n# {'-' * 110}\n{title.format(unloaded='loaded and reported' if trial else 'not loaded')}"
            text += "".join(f"\n{entry(finding)}" for finding in findings)
    return text


def _declared(finding: Finding) -> str:
    lines = ["[[service]]", f'use = "{finding.service}"']
    meta = catalogue.all()[finding.service]["catalogue"]
    if meta.get("place"):
        if not finding.host:
            lines = [f"# {MARK}: where is it hosted?", *(f"# {line}" for line in lines), '# host = "stats.example.org"']
        else:
            lines.append(f"host = {_quoted(finding.host)}")
    return _with_places(finding, lines)


def _self_host(finding: Finding) -> str:
    if not finding.service:
        return _with_places(
            finding, [f"# {finding.title}: copy the files to your own server and change the addresses."]
        )
    advice = catalogue.all()[finding.service]["catalogue"]["advice"]
    lines = [f"# {finding.title}: {advice}", "# Or ask for it:", "# [[service]]", f'# use = "{finding.service}"']
    return _with_places(finding, lines)


def _decision(finding: Finding) -> str:
    key = as_key(finding.title.removeprefix("www.").partition(":")[0])
    lines = [
        f"# {MARK}: what is {finding.title}, and who is behind it?",
        "# [[service]]",
        f'# key = "{key}"',
        '# category = "functional"     # or analytics, donations, video, social, marketing',
        '# name = "…"',
        '# purpose = "…"               # one sentence: what it does',
        '# provider = "…"',
        '# country = "…"               # two letters, such as "IE"',
        '# privacy_policy = "https://…"',
        f"# load = [{', '.join(map(_quoted, finding.hosts))}]",
        '# storage = []                # { name = "…", lasts = "…", purpose = "…" }',
    ]
    return _with_places(finding, lines)


def _necessary(finding: Finding) -> str:
    if finding.service:
        lines = ["[[service]]", f'use = "{finding.service}"']
        lines += ["# Compare it with what your application really keeps, then say so:"]
        return _with_places(finding, [*lines, '# reviewed_by = "…"', "# reviewed_on = 2027-01-31"])
    lasts = 'lasts = "…", ' if finding.kind == "cookie" else ""
    stored = ", ".join(
        f'{{ name = {_quoted(name)}, kind = "{finding.kind}", {lasts}purpose = "…" }}' for name in finding.names
    )
    lines = [
        f"# {MARK}: is {finding.names[0]} needed for something the visitor asked for? If not, it waits for consent.",
        "# [[service]]",
        f'# key = "{as_key(finding.names[0])}"',
        '# category = "necessary"',
        '# name = "…"',
        '# purpose = "…"',
        '# exempt_reason = "Keeps … which the visitor chose with …; without it … (at least 40 characters)"',
        '# reviewed_by = "…"',
        "# reviewed_on = 2027-01-31",
        f"# storage = [{stored}]",
    ]
    return _with_places(finding, lines)


_PARTS: Final[tuple[tuple[str, str, Callable[[Finding], str]], ...]] = (
    (DECLARE, "# These are in the catalogue; they wait for the visitor's answer.\n", _declared),
    (
        SELF_HOST,
        "# These need not be asked for: host the files yourself. Until then they are {unloaded}.\n",
        _self_host,
    ),
    (DECIDE, "# Nothing is known about these. Until they are declared they are {unloaded}.\n", _decision),
    (
        NECESSARY,
        "# The site's own. They pass without an entry, and visitors should be told what they are.\n",
        _necessary,
    ),
)


def _with_places(finding: Finding, lines: list[str]) -> str:
    more = f" and {len(finding.places) - _SHOWN} more" if len(finding.places) > _SHOWN else ""
    return "\n".join([f"# seen in {', '.join(finding.places[:_SHOWN])}{more}", *lines]) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
