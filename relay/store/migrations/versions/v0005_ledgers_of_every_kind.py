"""Ledgers of every kind: what a light client is told of a gateway, options and certificates of an adapter, operators' keys, tickets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add `gateway_pin`, `adapter_options` and `certificates` of `chains`, `public_key` and `sm2_key` of `operators`, and `tickets`.

    What is there needs none of them.
    """
    op.add_column("chains", sa.Column("gateway_pin", sa.JSON(), nullable=True))
    op.add_column("chains", sa.Column("adapter_options", sa.JSON(), nullable=True))
    op.add_column("chains", sa.Column("certificates", sa.JSON(), nullable=True))
    op.add_column("operators", sa.Column("public_key", sa.LargeBinary(64), nullable=True))
    op.add_column("operators", sa.Column("sm2_key", sa.LargeBinary(64), nullable=True))
    op.create_table(
        "tickets",
        sa.Column("lane_id", sa.LargeBinary(32), nullable=False),
        sa.Column("ticket", sa.LargeBinary(32), nullable=False),
        sa.Column("chain", sa.String(64), nullable=False),
        sa.Column("height", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("lane_id", "ticket"),
    )
    op.create_index("ix_tickets_chain", "tickets", ["chain"])
