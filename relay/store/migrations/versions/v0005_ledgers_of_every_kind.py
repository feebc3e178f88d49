"""What a ledger needs beyond its gateway's address and code: what its light client is told of the gateway, options of its adapter."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add `chains.gateway_pin` and `chains.adapter_options`; ledgers that are there need neither."""
    op.add_column("chains", sa.Column("gateway_pin", sa.JSON(), nullable=True))
    op.add_column("chains", sa.Column("adapter_options", sa.JSON(), nullable=True))
