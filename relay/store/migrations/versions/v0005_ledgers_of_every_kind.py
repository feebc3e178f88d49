"""Ledgers of every kind: what a light client is told of a gateway, options of an adapter, public keys of operators."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add `chains.gateway_pin`, `chains.adapter_options` and `operators.public_key`; what is there needs none of them."""
    op.add_column("chains", sa.Column("gateway_pin", sa.JSON(), nullable=True))
    op.add_column("chains", sa.Column("adapter_options", sa.JSON(), nullable=True))
    op.add_column("operators", sa.Column("public_key", sa.LargeBinary(64), nullable=True))
