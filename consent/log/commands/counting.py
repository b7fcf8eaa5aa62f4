"""Commands that count, and that hand the records to other tools."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

import click

from consent.log.commands.console import (
    USAGE,
    Cell,
    days_of,
    fail,
    first_option,
    json_option,
    last_option,
    progress,
    reading,
    table,
    url_option,
)
from consent.log.figures import Day

_BAR: Final = 40  # columns of the widest bar
_FORMS: Final = {".jsonl": "jsonl", ".csv": "csv", ".parquet": "parquet"}


@click.command()
@first_option
@last_option
@url_option
@json_option
def stats(first: datetime | None, last: datetime | None, url: str, as_json: bool) -> None:
    """Count the answers of each day: how many allowed something, how many refused, how many withdrew."""
    from consent.log import figures

    begin, end = days_of(first, last)
    with reading(url) as store:
        days = figures.days(store, first=begin, last=end)
        categories = figures.categories(store, first=begin, last=end)
    if as_json:
        click.echo(json.dumps({
            "days": [{"day": day.day, **day.events, "rate": _rounded(day.rate)} for day in days],
            "categories": {key: {"granted": yes, "refused": no} for key, (yes, no) in categories.items()},
        }, indent=1))  # fmt: skip
    elif not days:
        click.echo("Nothing is sealed for these days.")
    else:
        click.echo("\n".join(_pictured(days, categories)))


@click.command()
@click.argument("out", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--format", "form", type=click.Choice(list(_FORMS.values())), help="By default as OUT's name ends.")
@first_option
@last_option
@url_option
@json_option
def export(out: Path, form: str | None, first: datetime | None, last: datetime | None, url: str, as_json: bool) -> None:
    """Write the sealed records into OUT (- for standard output) as JSON Lines, CSV or Parquet."""
    from consent.log.export import ExportError
    from consent.log.export import export as run

    chosen = form or _FORMS.get(out.suffix.lower())
    if chosen is None:
        fail("Say which form is wanted: --format jsonl, csv or parquet.", USAGE)
    begin, end = days_of(first, last)
    draft = out.with_name(f"{out.name}.{os.getpid()}.new")
    with reading(url) as store:
        try:
            if str(out) == "-":
                count = run(store, sys.stdout.buffer, form=chosen, first=begin, last=end)
                return
            with draft.open("wb") as file:
                count = run(store, file, form=chosen, first=begin, last=end, progress=progress("written"))
            draft.replace(out)
        except ExportError as error:
            fail(str(error), 2)
        finally:
            with suppress(FileNotFoundError):
                draft.unlink()
    click.echo(json.dumps({"records": count}) if as_json else f"{out}: {count} records.")


def _rounded(rate: float | None) -> float | None:
    return None if rate is None else round(rate, 4)


def _pictured(days: Sequence[Day], categories: dict[str, tuple[int, int]]) -> Iterator[str]:
    """A table with a bar for each day: what allowed in green, what refused in yellow."""
    most = max(day.allowed + day.refused for day in days) or 1
    rows: list[list[Cell]] = [[*_numbers(day), (_bar(day, most), None)] for day in days]
    total = Day(day="all", events={event: sum(day.events.get(event, 0) for day in days) for day in days
                                   for event in day.events})  # fmt: skip
    rows.append([*_numbers(total), ("", None)])
    yield from table(("Day (UTC)", "Allowed", "Refused", "Ended", "Allowed of answers", ""), rows)
    if categories:
        yield ""
        yield from table(
            ("Category", "Allowed", "Refused"),
            [[(key, None), (str(yes), "green"), (str(no), "yellow")] for key, (yes, no) in categories.items()],
        )


def _numbers(day: Day) -> list[Cell]:
    rate = "-" if day.rate is None else f"{day.rate:.0%}"
    return [(day.day, None), (str(day.allowed), "green"), (str(day.refused), "yellow"), (str(day.ended), None),
            (rate, None)]  # fmt: skip


def _bar(day: Day, most: int) -> str:
    allowed, refused = (round(n * _BAR / most) for n in (day.allowed, day.refused))
    return click.style("█" * allowed, fg="green") + click.style("░" * refused, fg="yellow")
