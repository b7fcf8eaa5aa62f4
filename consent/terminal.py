"""What the command line prints: findings, tables, paragraphs and JSON; colours go when the output is no terminal."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from consent.errors import Problem

if TYPE_CHECKING:
    from consent.proposal import Finding


def print_problems(problems: Sequence[Problem], *, err: bool = False) -> None:
    """Each finding as where, id and what, with the remedy below."""
    for problem in problems:
        where = f"{problem.file}:{problem.line}" if problem.line else problem.file
        colour = "red" if problem.is_error else "yellow"
        click.echo(f"{click.style(where, bold=True)}: {click.style(problem.id, fg=colour, bold=True)}", err=err)
        click.echo(wrapped(problem.what, indent=4), err=err)
        near = f"Did you mean {click.style(problem.near, fg='green')}? " if problem.near else ""
        click.echo(wrapped(near + problem.remedy, indent=4), err=err)


def summary(file: Path, errors: int, warnings: int) -> str:
    """How many findings a file has, in a sentence."""
    if not errors and not warnings:
        return click.style(f"{file} is in order.", fg="green")
    counts = [
        f"{number} {word}{'s' if number != 1 else ''}"
        for number, word in ((errors, "error"), (warnings, "warning"))
        if number
    ]
    return f"{file}: {' and '.join(counts)}."


def print_findings(findings: Sequence[Finding]) -> None:
    """The table of what `init` found: the first place of each, and how many more there are."""
    if not findings:
        click.echo("Nothing third-party is written out in these files.")
        return
    words = {
        "declare": "in the catalogue",
        "self-host": "host it yourself",
        "decide": "decide",
        "necessary": "own: say what it is",
    }
    colours = {"declare": "green", "self-host": "cyan", "decide": "red", "necessary": "yellow"}
    titles = [finding.title for finding in findings]
    width = max(len(title) for title in [*titles, "Found"])
    advice = max(len(word) for word in words.values())
    click.secho(f"{'Found':<{width}}  {'Proposal':<{advice}}  Where", bold=True)
    for finding in findings:
        proposal = click.style(f"{words[finding.proposal]:<{advice}}", fg=colours[finding.proposal])
        more = f" and {len(finding.places) - 1} more" if len(finding.places) > 1 else ""
        click.echo(f"{finding.title:<{width}}  {proposal}  {finding.places[0]}{more}")
    click.echo()


def wrapped(text: str, *, indent: int = 0) -> str:
    """A paragraph folded to the terminal, at most 100 columns, addresses left whole."""
    width = max(40, min(100, shutil.get_terminal_size((100, 24)).columns))
    margin = " " * indent
    return textwrap.fill(
        text, width, initial_indent=margin, subsequent_indent=margin, break_long_words=False, break_on_hyphens=False
    )


def as_data(problem: Problem) -> dict[str, Any]:
    """One finding as plain data."""
    return {
        "id": problem.id, "severity": "error" if problem.is_error else "warning", "file": problem.file,
        "line": problem.line, "what": problem.what, "remedy": problem.remedy, "near": problem.near,
    }  # fmt: skip


def print_json(data: object) -> None:
    """Data for a program: indented, in UTF-8."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))


def languages(known: list[dict[str, Any]]) -> str:
    """Who has read the texts of each language, in a line."""
    spoken = [one for one in known if one["offered"]]
    reviewed = [f"{one['tag']} ({one['by']}, {one['on']})" for one in spoken if one["status"] == "reviewed"]
    unread = [one["tag"] for one in spoken if one["status"] == "machine" and not one["changed_since"]]
    changed = [f"{one['tag']} ({one['by']}, {one['on']})" for one in known if one["changed_since"]]
    out = [one["tag"] for one in known if not one["offered"]]
    parts = [f"{len(spoken)} offered"]
    parts += [f"reviewed: {', '.join(reviewed)}"] if reviewed else []
    parts += [f"changed since they were reviewed: {', '.join(changed)}"] if changed else []
    parts += [f"nobody named has reviewed: {', '.join(unread)}"] if unread else []
    parts += [f"left out, as nobody named has reviewed them as they are: {', '.join(out)}"] if out else []
    return f"Languages: {'; '.join(parts)}."
