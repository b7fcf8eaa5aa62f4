"""The two kinds of database that a log lies in, and all in which they differ: SQLite and PostgreSQL.

SQLite has one writer at a time, which takes its lock when a transaction begins. On PostgreSQL many write at once; who
seals locks the log's own row, and whoever loses a race is told so by a constraint and begins again.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from typing import Any, Final, Protocol
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.pool import NullPool

from consent.log.address import Address

BUSY_SECONDS: Final = 0.1  # how long SQLite itself waits for a lock; the writer asks again until nobody waits
PATIENT_SECONDS: Final = 10.0  # the same for a command, which nobody's page waits for
CONNECT_SECONDS: Final = 2
STATEMENT_SECONDS: Final = 10  # after which a server that has gone silent counts as gone


class Database(Protocol):
    """Where the rows of a log are."""

    def engine(self, *, readonly: bool = False, wait: float = BUSY_SECONDS) -> Engine:
        """Connections that open no transaction unless the store says so; ``wait`` is for locks, in seconds."""

    def create(self) -> None:
        """Make what has to be there before anybody can connect."""

    def prepare(self, connection: Connection) -> None:
        """Set up a new connection for durable writing."""

    def begin(self, connection: Connection) -> None:
        """Begin a write transaction."""

    def one_view(self, connection: Connection) -> None:
        """Begin to read the database as it is now, whatever is committed meanwhile."""

    def scrub(self, connection: Connection) -> bool:
        """Remove earlier versions of what was erased, as far as that can be done from here; false: try again."""

    @property
    def identity(self) -> object:
        """What tells this database from another that has taken its place."""


class Sqlite:
    """A file, or nothing but memory."""

    def __init__(self, path: str | None) -> None:
        self.path = path

    def engine(self, *, readonly: bool = False, wait: float = BUSY_SECONDS) -> Engine:
        path = self.path

        def connect() -> sqlite3.Connection:
            # Without an isolation level the driver opens no transactions of its own: only BEGIN IMMEDIATE does.
            options: dict[str, Any] = {"isolation_level": None, "check_same_thread": False, "timeout": wait}
            place = f"file:{quote(path)}?mode={'ro' if readonly else 'rw'}" if path else ":memory:"
            connection = sqlite3.Connection(place, uri=path is not None, **options)
            connection.text_factory = _readable  # what somebody put in by hand must not keep the rest from being read
            return connection

        return create_engine("sqlite://", creator=connect, poolclass=NullPool)

    def create(self) -> None:
        """Make the file and its folder where they are missing, readable by the site's own user alone.

        A file that is there is left to SQLite: closing any descriptor of it would drop the locks of this process.
        """
        if self.path is not None:
            os.makedirs(os.path.dirname(self.path), exist_ok=True)
            with suppress(FileExistsError):
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))

    def prepare(self, connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        connection.exec_driver_sql("PRAGMA synchronous=FULL")
        connection.exec_driver_sql("PRAGMA secure_delete=ON")
        connection.exec_driver_sql("PRAGMA foreign_keys=ON")
        connection.rollback()

    def begin(self, connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def one_view(self, connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    def scrub(self, connection: Connection) -> bool:
        """Empty the write-ahead log; another process that still reads from it keeps it."""
        return not connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]

    @property
    def identity(self) -> object:
        if self.path is None:
            return None
        try:
            status = os.stat(self.path)
        except OSError:
            return None
        return status.st_dev, status.st_ino


class Postgresql:
    """A server, reached with psycopg 3; nothing is set beyond a transaction, so that a pooler may sit between."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._begin = ""

    def engine(self, *, readonly: bool = False, wait: float = BUSY_SECONDS) -> Engine:
        longest = int(max(wait, STATEMENT_SECONDS) * 1000)
        limit = "lock_timeout" if wait > BUSY_SECONDS else "statement_timeout"
        self._begin = f"SET LOCAL {limit} = {longest}"
        return create_engine(
            self.url,
            poolclass=NullPool,
            execution_options={"postgresql_readonly": readonly},
            connect_args={
                "connect_timeout": CONNECT_SECONDS,
                "application_name": "consentry",
                "tcp_user_timeout": STATEMENT_SECONDS * 1000,
                "prepare_threshold": None,
            },
        )

    def create(self) -> None:
        """A database on a server is made by whoever runs it."""

    def prepare(self, connection: Connection) -> None:
        """Refuse to be told of a commit that isn't on disk, where that is the server's default."""
        if connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "off":
            self._begin += "; SET LOCAL synchronous_commit = on"
        connection.rollback()

    def begin(self, connection: Connection) -> None:
        """The connection begins by itself; what is set ends with the transaction."""
        connection.exec_driver_sql(self._begin)

    def one_view(self, connection: Connection) -> None:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def scrub(self, connection: Connection) -> bool:
        """Earlier versions go with the server's own VACUUM, and with the end of its archives; documented so."""
        return connection.closed is False

    @property
    def identity(self) -> object:
        return self.url


def database(address: Address) -> Database:
    """The database at an address; nothing is opened yet."""
    return Postgresql(address.server) if address.server else Sqlite(address.path)


def _readable(data: bytes) -> str:
    return data.decode(errors="replace")
