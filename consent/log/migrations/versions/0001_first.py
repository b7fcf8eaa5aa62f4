"""The first schema: logs, artefacts, records and the queue of what is not sealed yet."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "log",
        sa.Column("log_id", sa.Integer, primary_key=True),
        sa.Column("origin", sa.String(200), nullable=False),
        sa.Column("created_on", sa.String(10), nullable=False),
        sa.UniqueConstraint("origin", name="log_origin"),
    )
    op.create_table(
        "artefact",
        sa.Column("log_id", sa.Integer, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("archived_on", sa.String(10), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "digest", name="artefact_key"),
        sa.ForeignKeyConstraint(["log_id"], ["log.log_id"], name="artefact_log"),
    )
    op.create_table(
        "record",
        sa.Column("log_id", sa.Integer, nullable=False),
        sa.Column("event_id", sa.LargeBinary(16), nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("event", sa.String(20), nullable=False),
        sa.Column("receipt", sa.LargeBinary(16)),
        sa.Column("artefact", sa.LargeBinary(32)),
        sa.Column("payload", sa.LargeBinary),
        sa.Column("salt", sa.LargeBinary(32)),
        sa.Column("entry", sa.LargeBinary, nullable=False),
        sa.Column("leaf", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "event_id", name="record_key"),
        sa.ForeignKeyConstraint(["log_id"], ["log.log_id"], name="record_log"),
    )
    op.create_index("record_receipt", "record", ["log_id", "receipt", "received_at"])
    op.create_index("record_day", "record", ["log_id", "day", "event"])
    op.create_table(
        "unsealed",
        sa.Column("log_id", sa.Integer, nullable=False),
        sa.Column("event_id", sa.LargeBinary(16), nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("log_id", "event_id", name="unsealed_key"),
    )
    op.create_index("unsealed_order", "unsealed", ["log_id", "received_at"])
