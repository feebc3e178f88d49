"""The organisations' own records: what is kept for whom, and where on the disk."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add `record_rules`, `records` and `record_erasures`."""
    serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "record_rules",
        sa.Column("id", serial, primary_key=True),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("readers", sa.Text(), nullable=False),
        sa.UniqueConstraint("owner", "readers"),
    )
    op.create_table(
        "records",
        sa.Column("id", serial, primary_key=True),
        sa.Column("prefix", sa.BigInteger(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(32), nullable=False),
        sa.Column("rule", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("pack", sa.LargeBinary(16), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("erased_at", sa.Float(), nullable=True),
    )
    op.create_index("records_prefix", "records", ["prefix"])
    op.create_index("records_rule", "records", ["rule", "id"])
    op.create_table(
        "record_erasures",
        sa.Column("record", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("pack", sa.LargeBinary(16), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("record"),
    )
