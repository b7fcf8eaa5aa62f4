"""The tables of the log, and how a new database gets them at once; ``migrations/`` brings an older one up to them.

Every key begins with ``log_id``, so that several sites share a database and a distributed one keeps a log together.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
    inspect,
)

HEAD: Final = "0001"  # the newest migration; a test holds it against migrations/versions

metadata: Final = MetaData()

version: Final = Table(
    "alembic_version",
    metadata,
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)

log: Final = Table(
    "log",
    metadata,
    Column("log_id", Integer, primary_key=True),
    Column("origin", String(200), nullable=False),
    Column("created_on", String(10), nullable=False),
    UniqueConstraint("origin", name="log_origin"),
)

artefact: Final = Table(
    "artefact",
    metadata,
    Column("log_id", Integer, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("content", LargeBinary, nullable=False),  # the canonical JSON whose SHA-256 is the digest
    Column("archived_on", String(10), nullable=False),
    PrimaryKeyConstraint("log_id", "digest", name="artefact_key"),
    ForeignKeyConstraint(["log_id"], ["log.log_id"], name="artefact_log"),
)

record: Final = Table(
    "record",
    metadata,
    Column("log_id", Integer, nullable=False),
    Column("event_id", LargeBinary(16), nullable=False),
    Column("received_at", BigInteger, nullable=False),  # microseconds since 1970; midnight without a receipt
    Column("day", String(10), nullable=False),
    Column("event", String(20), nullable=False),
    Column("receipt", LargeBinary(16)),
    Column("artefact", LargeBinary(32)),
    Column("payload", LargeBinary),
    Column("salt", LargeBinary(32)),
    Column("entry", LargeBinary, nullable=False),
    Column("leaf", LargeBinary(32), nullable=False),
    PrimaryKeyConstraint("log_id", "event_id", name="record_key"),
    ForeignKeyConstraint(["log_id"], ["log.log_id"], name="record_log"),
    Index("record_receipt", "log_id", "receipt", "received_at"),
    Index("record_day", "log_id", "day", "event"),
)

unsealed: Final = Table(
    "unsealed",
    metadata,
    Column("log_id", Integer, nullable=False),
    Column("event_id", LargeBinary(16), nullable=False),
    Column("received_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("log_id", "event_id", name="unsealed_key"),
    Index("unsealed_order", "log_id", "received_at"),
)


def create(connection: Connection) -> None:
    """Make all tables in an empty database and say that they are at :data:`HEAD`; part of a transaction."""
    metadata.create_all(connection, checkfirst=False)
    connection.execute(version.insert().values(version_num=HEAD))


def found_version(connection: Connection) -> str | None:
    """The migration that the database is at, or ``None`` where it has no table of ours."""
    if not inspect(connection).has_table(version.name):
        return None
    return connection.execute(version.select()).scalar()
