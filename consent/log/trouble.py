"""What can go wrong with a database, and what of it passes by itself."""

from __future__ import annotations

import sqlite3
from typing import Final

from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from consent.errors import NotRecorded

UNUSABLE: Final = (SQLAlchemyError, sqlite3.Error, OSError)
"""What a database that can't be used raises."""
_LOCKED: Final = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_AGAIN: Final = ("40001", "40P01", "55P03")  # serialisation failure, deadlock, lock not available (SQLSTATE)


class Unavailable(NotRecorded):
    """The database can't be used just now; nothing is wrong with what was to be written."""


def is_locked(error: BaseException) -> bool:
    """Whether somebody else holds the database just now, or was faster, so that trying again may help."""
    if isinstance(error, IntegrityError):
        return True  # of two that write the same at once, one is told so here and finds it the next time
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.OperationalError):
        return getattr(cause, "sqlite_errorcode", 0) & 0xFF in _LOCKED
    return getattr(cause, "sqlstate", None) in _AGAIN


def cause(error: BaseException) -> str:
    """The driver's own words, in one line."""
    words = str(error.orig) if isinstance(error, DBAPIError) else str(error)
    return " ".join(words.split())
