"""``consent log …``: what an operator and an auditor ask the log on the command line.

Exit codes: 0 good, 1 a finding, 2 the log can't be read, 3 wrong usage. Reasons go to the error stream.
"""

from __future__ import annotations

import click

from consent.log.commands.asking import bundle, proof, show, status, verify, verify_log
from consent.log.commands.counting import export, stats
from consent.log.commands.keeping import anchor, erase, prune, rotate, seal, upgrade

__all__ = ["log", "verify"]


@click.group()
def log() -> None:
    """Ask, and look after, the consent log."""


for command in (show, status, stats, export, proof, bundle, verify_log, seal, anchor, erase, prune, rotate, upgrade):
    log.add_command(command)
