"""The sealed tree: leaves in order, tiles, the head, checkpoints, keys, and the counts of each day."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "leaf",
        sa.Column("log_id", sa.Integer, nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
        sa.Column("event_id", sa.LargeBinary(16), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "leaf_index", name="leaf_key"),
        sa.UniqueConstraint("log_id", "event_id", name="leaf_event"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tile",
        sa.Column("log_id", sa.Integer, nullable=False),
        sa.Column("level", sa.SmallInteger, nullable=False),
        sa.Column("tile_index", sa.BigInteger, nullable=False),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("log_id", "level", "tile_index", name="tile_key"),
    )
    op.create_table(
        "head",
        sa.Column("log_id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("frontier", sa.LargeBinary, nullable=False),
        sa.Column("sealed_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("log_id", name="head_key"),
    )
    op.create_table(
        "checkpoint",
        sa.Column("log_id", sa.Integer, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("root", sa.LargeBinary(32), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("note", sa.Text),
        sa.PrimaryKeyConstraint("log_id", "size", name="checkpoint_key"),
    )
    op.create_table(
        "log_key",
        sa.Column("log_id", sa.Integer, nullable=False),
        sa.Column("vkey", sa.String(400), nullable=False),
        sa.Column("first_size", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("log_id", "vkey", name="log_key_key"),
    )
    op.create_table(
        "daily",
        sa.Column("log_id", sa.Integer, nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("event", sa.String(20), nullable=False),
        sa.Column("choices", sa.String(2000), nullable=False),
        sa.Column("n", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("log_id", "day", "event", "choices", name="daily_key"),
    )
