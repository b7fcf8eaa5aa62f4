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
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    inspect,
)

HEAD: Final = "0004"  # the newest migration; a test holds it against migrations/versions

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


leaf: Final = Table(
    "leaf",
    metadata,
    Column("log_id", Integer, nullable=False),
    Column("leaf_index", BigInteger, nullable=False),
    Column("event_id", LargeBinary(16), nullable=False),
    PrimaryKeyConstraint("log_id", "leaf_index", name="leaf_key"),
    UniqueConstraint("log_id", "event_id", name="leaf_event"),
    sqlite_with_rowid=False,
)

tile: Final = Table(
    "tile",
    metadata,
    Column("log_id", Integer, nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("tile_index", BigInteger, nullable=False),
    Column("hashes", LargeBinary, nullable=False),  # up to 256 of them, 32 bytes each
    PrimaryKeyConstraint("log_id", "level", "tile_index", name="tile_key"),
)

head: Final = Table(
    "head",
    metadata,
    Column("log_id", Integer, nullable=False, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
    Column("sealed_at", BigInteger, nullable=False),  # microseconds since 1970, of the latest seal alone
    PrimaryKeyConstraint("log_id", name="head_key"),
)

checkpoint: Final = Table(
    "checkpoint",
    metadata,
    Column("log_id", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("day", String(10), nullable=False),
    Column("note", Text),  # the signed note; signed only after the tree was committed
    PrimaryKeyConstraint("log_id", "size", name="checkpoint_key"),
)

log_key: Final = Table(
    "log_key",
    metadata,
    Column("log_id", Integer, nullable=False),
    Column("vkey", String(400), nullable=False),
    Column("first_size", BigInteger, nullable=False),  # the smallest tree that it signed
    PrimaryKeyConstraint("log_id", "vkey", name="log_key_key"),
)

daily: Final = Table(
    "daily",
    metadata,
    Column("log_id", Integer, nullable=False),
    Column("day", String(10), nullable=False),
    Column("event", String(20), nullable=False),
    Column("choices", String(2000), nullable=False),  # the entry's granted and refused categories, as canonical JSON
    Column("n", BigInteger, nullable=False),
    PrimaryKeyConstraint("log_id", "day", "event", "choices", name="daily_key"),
)


tally: Final = Table(
    "tally",
    metadata,
    Column("log_id", Integer, nullable=False),
    Column("day", String(10), nullable=False),
    Column("what", String(20), nullable=False),
    Column("detail", String(300), nullable=False),
    Column("n", BigInteger, nullable=False),
    PrimaryKeyConstraint("log_id", "day", "what", "detail", name="tally_key"),
)


anchor: Final = Table(
    "anchor",
    metadata,
    Column("log_id", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("authority", String(400), nullable=False),  # where the token came from
    Column("token", LargeBinary, nullable=False),  # RFC 3161, over the checkpoint's signed note
    PrimaryKeyConstraint("log_id", "size", "authority", name="anchor_key"),
)

pruned: Final = Table(
    "pruned",
    metadata,
    Column("log_id", Integer, nullable=False, autoincrement=False),
    Column("size", BigInteger, nullable=False),  # how many leaves at the beginning are gone
    Column("kept", LargeBinary, nullable=False),  # their daily counts and keys, as the prune leaf commits to them
    PrimaryKeyConstraint("log_id", name="pruned_key"),
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
