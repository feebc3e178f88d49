"""The evidence log: what waits to become a leaf, and where the leaves of a subject are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add `evidence_queue`, whose numbers are never given twice, and `evidence_leaves`."""
    serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "evidence_queue",
        sa.Column("id", serial, primary_key=True),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("fields", sa.LargeBinary(), nullable=False),
        sa.Column("objects", sa.LargeBinary(), nullable=True),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "evidence_leaves",
        sa.Column("leaf", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("subject", sa.LargeBinary(64), nullable=False),
        sa.Column("direction", sa.Integer(), nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=False),
        sa.Column("height", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("leaf"),
    )
    op.create_index("evidence_leaves_subject", "evidence_leaves", ["subject", "kind", "direction", "nonce"])
