"""Verifiers of three kinds; a committee's epochs belong to its contract. Every ledger's committee gets its row."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create `verifiers` and give `committees` the address of its contract."""
    verifiers = op.create_table(
        "verifiers",
        sa.Column("chain", sa.String(length=64), nullable=False),
        sa.Column("address", sa.LargeBinary(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("peer", sa.String(length=64), nullable=False),
        sa.Column("committee", sa.LargeBinary(length=64), nullable=False),
        sa.Column("light_client", sa.LargeBinary(length=64), nullable=False),
        sa.Column("client_height", sa.BigInteger(), nullable=False),
        sa.Column("client_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("client_time", sa.BigInteger(), nullable=False),
        sa.Column("validators_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("validators_since", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("trusting_period_s", sa.BigInteger(), nullable=False),
        sa.Column("frozen", sa.Boolean(), nullable=False),
        sa.Column("generation", sa.LargeBinary(length=32), nullable=False),
        sa.Column("read_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("chain", "address"),
    )
    _fill_verifiers(verifiers)
    _rebuild_committees()


def _fill_verifiers(verifiers: sa.Table) -> None:
    """Until now every verifier was its ledger's committee."""
    connection = op.get_bind()
    for name, address in connection.execute(sa.text("SELECT name, verifier FROM chains")).all():
        connection.execute(
            sa.insert(verifiers).values(
                chain=name,
                address=address,
                kind="committee",
                peer="",
                committee=address,
                light_client=b"",
                client_height=0,
                client_hash=bytes(32),
                client_time=0,
                validators_hash=bytes(32),
                validators_since=0,
                expires_at=0,
                trusting_period_s=0,
                frozen=False,
                generation=bytes(32),
                read_at=0.0,
            )
        )


def _rebuild_committees() -> None:
    """SQLite cannot change a primary key: the table is made anew."""
    op.create_table(
        "committees_of_verifiers",
        sa.Column("chain", sa.String(length=64), nullable=False),
        sa.Column("verifier", sa.LargeBinary(length=64), nullable=False),
        sa.Column("epoch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("threshold", sa.Integer(), nullable=False),
        sa.Column("signers", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.PrimaryKeyConstraint("chain", "verifier", "epoch"),
    )
    op.execute(
        "INSERT INTO committees_of_verifiers (chain, verifier, epoch, threshold, signers, state) "
        "SELECT committees.chain, chains.verifier, epoch, threshold, signers, committees.state "
        "FROM committees JOIN chains ON chains.name = committees.chain"
    )
    op.drop_table("committees")
    op.rename_table("committees_of_verifiers", "committees")
