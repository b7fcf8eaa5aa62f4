"""Pages that can't fall behind: checks, commands and the catalogue, read from the package at each build."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from inspect import cleandoc
from typing import Any

import click
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class _Generated(SphinxDirective):
    """A directive whose content is Markdown that Python wrote."""

    def lines(self) -> Iterator[str]:
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        holder = nodes.container()
        source = f"<{self.name}>"
        self.state.nested_parse(StringList(list(self.lines()), source=source), self.content_offset, holder)
        return holder.children


class Checks(_Generated):
    """Every check of ``consent.config`` whose id begins with the argument: ``E`` or ``W``."""

    required_arguments = 1

    def lines(self) -> Iterator[str]:
        from consent.config import CHECKS

        yield from ("| Id | What it holds true |", "|---|---|")
        for name, meaning in CHECKS.items():
            if name.startswith(self.arguments[0]):
                yield f"| `{name}` | {meaning} |"


class Commands(_Generated):
    """Every ``consent`` command with its arguments, options and help, as click knows them."""

    def lines(self) -> Iterator[str]:
        from consent.cli import cli

        for names, command in _walk(cli, ("consent",)):
            if names[1:] and not isinstance(command, click.Group):
                yield from _described(" ".join(names), command)


class Catalogue(_Generated):
    """The ready-made services."""

    def lines(self) -> Iterator[str]:
        from consent import catalogue

        yield from ("| `use` | Service | Category | Provider | Facts confirmed |", "|---|---|---|---|---|")
        for key, entry in catalogue.all().items():
            about = entry["catalogue"]
            provider = entry.get("provider") or "who hosts it"
            yield f"| `{key}` | {entry['name']} | {entry['category']} | {provider} | {about['confidence']} |"


class Languages(_Generated):
    """Every language with who has read it and how visitors are addressed."""

    def lines(self) -> Iterator[str]:
        from consent.locale import languages

        yield from ("| Tag | Status | Read by | Address | What the translation decided |", "|---|---|---|---|---|")
        for tag, one in languages().items():
            address = f"{one.register}, informal as well" if one.has_informal else one.register
            yield f"| `{tag}` | {one.status} | {one.by or '–'} | {address} | {one.note or '–'} |"


class Glossary(_Generated):
    """The words that carry legal weight, by language, and those that a refusal must not have."""

    def lines(self) -> Iterator[str]:
        verbs = ("accept", "refuse", "withdraw", "purpose", "recipient", "later")
        yield f"| Tag | {' | '.join(verbs)} |"
        yield "|---" * (len(verbs) + 1) + "|"
        for tag, terms in _terms().items():
            yield f"| `{tag}` | {' | '.join(', '.join(terms[verb]) for verb in verbs)} |"


WEIGHTY = (
    "Accept all",
    "Accept only necessary",
    "Continue without accepting",
    "If you agree, data goes to {n} third parties, who process it.",
    "Loading this sends data, such as your IP address, to {provider} in {country}, who processes it.",
    "This site uses cookies and other technologies. Some are essential; others are for {purposes}.",
    "You can change or withdraw your choice at any time under {settings}.",
    "Your consent is withdrawn. Nothing optional is loaded any more.",
)
"""The eight sentences that carry legal weight, in the order of ``back`` in ``glossary.toml``."""


class BackTranslations(_Generated):
    """What each language says for the eight sentences that carry legal weight, and that in English, word by word."""

    def lines(self) -> Iterator[str]:
        from consent.locale import texts

        for tag, terms in _terms().items():
            if "back" in terms:
                yield from (f"**`{tag}`**", "", "| Said | Back in English |", "|---|---|")
                spoken = texts(tag)
                for message, back in zip(WEIGHTY, terms["back"], strict=True):
                    several = "{n}" in message
                    said = spoken.ngettext(_ONE, message, 5, n="{n}") if several else spoken.gettext(message)
                    yield f"| {said} | {back} |"
                yield ""


_ONE = "If you agree, data goes to {n} third party, who processes it."


def _terms() -> dict[str, Any]:
    from consent.locale.shelf import FOLDER

    return tomllib.loads((FOLDER / "glossary.toml").read_text("utf-8"))


def _walk(command: click.Command, names: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield names, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None:
                yield from _walk(found, (*names, name))


def _described(name: str, command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=name)
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    yield from (f"**`{usage}`**", "", *cleandoc((command.help or "").replace("\b\n", "")).splitlines(), "")
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if record is not None and "--help" not in record[0]:
            yield from (f"- `{record[0]}`: {record[1]}".rstrip(": "), "")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives."""
    app.add_directive("consent-checks", Checks)
    app.add_directive("consent-commands", Commands)
    app.add_directive("consent-catalogue", Catalogue)
    app.add_directive("consent-languages", Languages)
    app.add_directive("consent-glossary", Glossary)
    app.add_directive("consent-back-translations", BackTranslations)
    return {"parallel_read_safe": True}
