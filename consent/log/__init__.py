"""The consent log: decisions made durable before they count, and evidence that can be checked without the site.

``open_recorder`` is all that the engine and the adapters use. Importing this package loads neither SQLAlchemy nor
cryptography; ``merkle``, ``note`` and ``checkpoint`` can be used by themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consent.log.recorder import Log

__all__ = ["open_recorder"]


def open_recorder(url: str) -> Log:
    """The log at ``sqlite:////absolute/path.db``, ``sqlite:///relative.db``, a PostgreSQL address or ``memory://``.

    ``postgresql://user@host/database?origin=news.example/consent`` needs ``consentry[postgres]``; ``memory://`` is for
    tests and kept nowhere.

    Raises :class:`consent.errors.ConfigError` for an address that can't be one. The database itself is opened with
    the first use, so that a site starts without it; it and its folder are made where they are missing. A query
    ``?origin=news.example/consent`` names this log in its checkpoints, and picks it where several share a database.
    """
    from consent.log.recorder import Log

    return Log(url)
