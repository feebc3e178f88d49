"""What operators say of themselves: the newest statement of each about each ledger."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make `operator_statements`."""
    op.create_table(
        "operator_statements",
        sa.Column("signer", sa.LargeBinary(64), nullable=False),
        sa.Column("chain", sa.String(64), nullable=False),
        sa.Column("code", sa.String(48), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("height", sa.BigInteger(), nullable=False),
        sa.Column("said_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("heard_at", sa.Float(), nullable=False),
        sa.Column("since", sa.Float(), nullable=False),
        sa.Column("contradiction", sa.JSON(), nullable=True),
        sa.Column("signature", sa.LargeBinary(65), nullable=False),
        sa.PrimaryKeyConstraint("signer", "chain"),
    )
