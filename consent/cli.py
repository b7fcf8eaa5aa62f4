"""The command ``consent``: it calls and prints, and holds no rule.

Exit codes: 0 good, 1 findings, 2 could not run or verify, 3 wrong usage. Results go to standard output, reasons to
standard error; colours only to a terminal, and never with ``NO_COLOR``.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from consent import terminal
from consent._version import __version__
from consent.errors import ConfigError, ConsentError

if TYPE_CHECKING:
    from consent.policy import Policy

GOOD, FINDINGS, FAILED, USAGE = 0, 1, 2, 3
CONFIG: Final = "consent.toml"
_UNREADABLE: Final = ("E001", "E002")
_LATER: Final = {
    "log": ("consent.log.commands", "Look into the log of decisions."),
    "verify": ("consent.log.commands", "Check a bundle of evidence, without the site."),
}
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


class Commands(click.Group):
    """A group whose exit codes are ours, and whose commands in ``_LATER`` are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *_LATER])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _LATER:
            command: click.Command = getattr(import_module(_LATER[cmd_name][0]), cmd_name)
            return command
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in ``--help``, which must not import what only one command needs."""
        rows = []
        for name in self.list_commands(ctx):
            command = None if name in _LATER else self.get_command(ctx, name)
            rows.append((name, command.get_short_help_str(80) if command else _LATER[name][1]))
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def main(self, *args: Any, **options: Any) -> Any:
        """Run, and end the process with one of the four codes."""
        options["standalone_mode"] = False
        try:
            code = super().main(*args, **options)
        except click.UsageError as error:
            error.show()
            code = USAGE
        except click.Abort:
            click.echo("Interrupted.", err=True)
            code = FAILED
        except click.ClickException as error:
            error.show()
            code = error.exit_code if error.exit_code != 1 else FAILED
        except ConfigError as error:
            terminal.print_problems(error.problems, err=True)
            code = FAILED
        except (ConsentError, OSError) as error:
            click.echo(str(error), err=True)
            code = FAILED
        sys.exit(code if isinstance(code, int) else GOOD)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="consentry")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Ask first, keep to the answer, and be able to prove it."""
    logging.getLogger("consent").addHandler(logging.NullHandler())  # what is logged at a start is printed here
    if os.environ.get("NO_COLOR"):
        ctx.color = False


@cli.command()
@click.argument("file", default=CONFIG, type=click.Path(path_type=Path))
@click.option("--lock", is_flag=True, help="If there is no error, add the present version to consent.lock.")
@click.option("--strict", is_flag=True, help="Let warnings fail as errors do.")
@_json
@click.pass_context
def check(ctx: click.Context, file: Path, lock: bool, strict: bool, as_json: bool) -> None:
    """Look for mistakes in FILE (consent.toml), all at once.

    Errors stop the site from starting and make this exit with 1; warnings don't, unless --strict.
    """
    from consent import config
    from consent.explain import standing

    problems = config.check(file)
    errors = [problem for problem in problems if problem.is_error]
    added = config.write_lock(file) if lock and not errors else False
    if added:
        problems = config.check(file)
    if as_json:
        terminal.print_json(
            {
                "file": str(file),
                "problems": [terminal.as_data(problem) for problem in problems],
                "errors": len(errors),
                "warnings": len(problems) - len(errors),
                "lock_written": added,
                "languages": standing(file),
            }
        )
    else:
        unreadable = any(problem.id in _UNREADABLE for problem in errors)
        terminal.print_problems(problems, err=unreadable)
        click.echo(terminal.summary(file, len(errors), len(problems) - len(errors)), err=bool(problems))
        if spoken := standing(file):
            click.echo(terminal.languages(spoken), err=bool(problems))
        if lock and not errors:
            click.echo(f"{file.with_name('consent.lock')} {'has a new version' if added else 'is up to date'}.")
        elif lock:
            click.echo("consent.lock is left as it was: mend the errors first.", err=True)
    if any(problem.id in _UNREADABLE for problem in errors):
        ctx.exit(FAILED)
    ctx.exit(FINDINGS if errors or (strict and problems) else GOOD)


@cli.command()
@click.argument("file", default=CONFIG, type=click.Path(path_type=Path))
@_json
def explain(file: Path, as_json: bool) -> None:
    """Tell the policy in FILE as prose, for a lawyer."""
    from consent.explain import as_data, sections

    policy = _load(file, as_json=as_json)
    if as_json:
        terminal.print_json(as_data(policy))
        return
    click.secho(f"How {policy.site.name} asks for consent", bold=True)
    for section in sections(policy):
        click.echo()
        click.secho(
            section.title if section.depth == 1 else f"  {section.title}", bold=True, underline=section.depth == 1
        )
        for paragraph in section.paragraphs:
            click.echo(terminal.wrapped(paragraph, indent=2 * (section.depth - 1)))
    click.echo()
    click.echo(
        terminal.wrapped(
            "This tells what consent.toml declares. It is no legal advice, and no proof that the site does so."
        )
    )


@cli.command()
@click.argument("folder", default=".", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--from", "url", metavar="URL", help="Look at what a site really loads, in a browser (extra: scan).")
@click.option("--trial", is_flag=True, help="Report what is not declared for 14 days, and block it only then.")
@click.option("--force", is_flag=True, help="Replace a consent.toml that is there.")
@click.option("--host", "hosts", multiple=True, metavar="HOST", help="A host of the site itself; can be repeated.")
@_json
def init(folder: Path, url: str | None, trial: bool, force: bool, hosts: tuple[str, ...], as_json: bool) -> None:
    """Write a first consent.toml for the project in FOLDER.

    Looks through its templates and static files, and comments on what it wrote.

    Nothing is run and nothing is fetched: each third-party address and stored name that is written out in a file is
    listed with its line, and a service, self-hosting, or a decision is proposed for it.
    """
    from consent.config import load
    from consent.proposal import propose
    from consent.proposal.draft import draft

    if url is not None:
        _fail(
            f"Looking at {url} needs a browser, which comes with the extra `scan`: pip install 'consentry[scan]'. "
            "Without it, `consent init` reads the project's own files."
        )
    target = folder / CONFIG
    if target.exists() and not force:
        _fail(f"{target} is there already; --force replaces it.")
    proposal = propose(folder, hosts=hosts)
    name = folder.resolve().name.replace("-", " ").replace("_", " ").title() or "My site"
    target.write_text(draft(proposal, name=name, today=datetime.now(UTC).date(), trial=trial), "utf-8")
    policy = load(target)
    if as_json:
        found = [
            {"proposal": f.proposal, "title": f.title, "service": f.service or None, "hosts": f.hosts, "names": f.names,
             "places": f.places}
            for f in proposal.findings
        ]  # fmt: skip
        terminal.print_json({"file": str(target), "hosts": list(proposal.hosts), "findings": found,
                     "services": [service.key for service in policy.services]})  # fmt: skip
        return
    terminal.print_findings(proposal.findings)
    click.echo(f"Wrote {target}. Read it, decide what is marked DECIDE, then run `consent check`.")


@cli.command()
@click.argument("file", type=click.Path(allow_dash=True))
@click.option("--grant", multiple=True, metavar="KEY", help="A service or category the visitor allows; repeatable.")
@click.option("--base-url", required=True, metavar="URL", help="The address of the page, such as https://site.example/")
@click.option("--config", "config_file", default=CONFIG, show_default=True, type=click.Path(path_type=Path))
@_json
def gate(file: str, grant: Sequence[str], base_url: str, config_file: Path, as_json: bool) -> None:
    """Print what a visitor would get of an HTML page.

    FILE is the page; "-" reads standard input. Nothing is granted unless --grant says so.
    """
    from urllib.parse import urlsplit

    from consent.choice import Choice, Signals, decide
    from consent.errors import UnknownKeyError
    from consent.gate import Blocked, Gate

    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise click.BadParameter("has to be a whole address, such as https://site.example/", param_hint="--base-url")
    with click.open_file(file, "rb") as source:
        html = source.read()
    policy = _load(config_file, as_json=as_json)
    for key in grant:
        try:
            policy.services_of(key)
        except UnknownKeyError as error:
            raise click.BadParameter(str(error), param_hint="--grant") from None
    permissions = decide(policy, Choice.granting(*grant), Signals(), path=parts.path or "/")
    stopped: list[Blocked] = []
    page = Gate(policy).rewrite(html, permissions, base_url=base_url, report=stopped.append)
    if as_json:
        blocked = [
            {"service": b.service, "host": b.host, "url": b.url, "tag": b.tag, "blocked": b.blocked} for b in stopped
        ]
        terminal.print_json({"html": page.decode("utf-8", "replace"), "blocked": blocked})
    else:
        click.echo(page, nl=False)


def main() -> None:
    """The console entry point."""
    cli(prog_name="consent")


def _load(file: Path, *, as_json: bool) -> Policy:
    """The policy in a file; what is wrong with it goes to standard error, and as JSON where JSON was asked for."""
    from consent.config import load

    try:
        return load(file)
    except ConfigError as error:
        if as_json:
            terminal.print_json({"file": str(file), "problems": [terminal.as_data(one) for one in error.problems]})
        raise


def _fail(reason: str) -> NoReturn:
    click.echo(reason, err=True)
    raise click.exceptions.Exit(FAILED)
