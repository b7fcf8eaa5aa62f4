"""What can go wrong with a database, and what of it passes by itself."""

from __future__ import annotations

import sqlite3
from typing import Final

from sqlalchemy.exc import OperationalError, SQLAlchemyError

UNUSABLE: Final = (SQLAlchemyError, sqlite3.Error, OSError)
"""What a database that can't be used raises."""
_LOCKED: Final = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def is_locked(error: BaseException) -> bool:
    """Whether somebody else holds the database just now, so that trying again may help."""
    cause = error.orig if isinstance(error, OperationalError) else error
    return isinstance(cause, sqlite3.OperationalError) and getattr(cause, "sqlite_errorcode", 0) & 0xFF in _LOCKED


def cause(error: BaseException) -> str:
    """The driver's own words."""
    return str(error.orig) if isinstance(error, OperationalError) else str(error)
