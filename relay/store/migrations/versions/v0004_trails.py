"""The newest headers of each ledger, to hold contradicting ones against."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add `chains.client_trail`; until the next look it is the newest header alone."""
    op.add_column("chains", sa.Column("client_trail", sa.LargeBinary(), nullable=True))
