"""The first tables, as relay.store.tables has them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# An auto-incrementing key: SQLite wants INTEGER, PostgreSQL BIGINT.
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create every table."""
    op.create_table(
        "attestations",
        sa.Column("claim_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("signer", sa.LargeBinary(length=64), nullable=False),
        sa.Column("signature", sa.LargeBinary(length=80), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("claim_id", "signer"),
    )
    op.create_table(
        "chains",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("chain_id", sa.String(length=41), nullable=False),
        sa.Column("chain_word", sa.LargeBinary(length=32), nullable=False),
        sa.Column("first_block", sa.LargeBinary(length=32), nullable=False),
        sa.Column("adapter", sa.String(length=64), nullable=False),
        sa.Column("endpoints", sa.JSON(), nullable=False),
        sa.Column("software", sa.Text(), nullable=False),
        sa.Column("development", sa.Boolean(), nullable=False),
        sa.Column("consensus", sa.String(length=32), nullable=False),
        sa.Column("gateway", sa.LargeBinary(length=64), nullable=False),
        sa.Column("gateway_code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("verifier", sa.LargeBinary(length=64), nullable=False),
        sa.Column("mailbox", sa.LargeBinary(length=64), nullable=False),
        sa.Column("officers", sa.JSON(), nullable=False),
        sa.Column("account", sa.LargeBinary(length=64), nullable=False),
        sa.Column("account_key", sa.String(length=64), nullable=False),
        sa.Column("pinned_height", sa.BigInteger(), nullable=False),
        sa.Column("pinned_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("client_state", sa.LargeBinary(), nullable=False),
        sa.Column("client_header", sa.LargeBinary(), nullable=False),
        sa.Column("client_height", sa.BigInteger(), nullable=False),
        sa.Column("client_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("client_time", sa.BigInteger(), nullable=False),
        sa.Column("client_expires_at", sa.BigInteger(), nullable=False),
        sa.Column("observed_height", sa.BigInteger(), nullable=False),
        sa.Column("tip", sa.BigInteger(), nullable=False),
        sa.Column("tip_at", sa.Float(), nullable=False),
        sa.Column("balance", sa.String(length=80), nullable=False),
        sa.Column("fee", sa.String(length=40), nullable=False),
        sa.Column("wallet_at", sa.Float(), nullable=False),
        sa.Column("accused_at", sa.Float(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        sa.UniqueConstraint("chain_word"),
    )
    op.create_table(
        "claims",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("lane_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("direction", sa.Integer(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.LargeBinary(length=32), nullable=False),
        sa.Column("height", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("attested_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    op.create_index("claims_lane", "claims", ["lane_id", "direction", "nonce"], unique=False)
    op.create_index("claims_state", "claims", ["state", "id"], unique=False)
    op.create_table(
        "committees",
        sa.Column("chain", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("threshold", sa.Integer(), nullable=False),
        sa.Column("signers", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.PrimaryKeyConstraint("chain", "epoch"),
    )
    op.create_table(
        "endpoint_health",
        sa.Column("chain", sa.String(length=64), nullable=False),
        sa.Column("url", sa.String(length=256), nullable=False),
        sa.Column("since", sa.Float(), nullable=False),
        sa.Column("seen_at", sa.Float(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("chain", "url"),
    )
    op.create_table(
        "heartbeats",
        sa.Column("process", sa.String(length=64), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("process"),
    )
    op.create_table(
        "incidents",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=160), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("evidence", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "lanes",
        sa.Column("lane_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("hub", sa.String(length=64), nullable=False),
        sa.Column("suite", sa.String(length=8), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("destination", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("source_verifier", sa.LargeBinary(length=64), nullable=False),
        sa.Column("destination_verifier", sa.LargeBinary(length=64), nullable=False),
        sa.Column("trust", sa.String(length=32), nullable=False),
        sa.Column("batch_limit", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("opened_at", sa.Float(), nullable=False),
        sa.Column("final", sa.BigInteger(), nullable=False),
        sa.Column("final_head", sa.LargeBinary(length=32), nullable=False),
        sa.Column("final_height", sa.BigInteger(), nullable=False),
        sa.Column("final_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("claimed", sa.BigInteger(), nullable=False),
        sa.Column("attested", sa.BigInteger(), nullable=False),
        sa.Column("submitted", sa.BigInteger(), nullable=False),
        sa.Column("delivered", sa.BigInteger(), nullable=False),
        sa.Column("outcome_head", sa.LargeBinary(length=32), nullable=False),
        sa.Column("outcome_height", sa.BigInteger(), nullable=False),
        sa.Column("outcome_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("outcome_claimed", sa.BigInteger(), nullable=False),
        sa.Column("outcome_attested", sa.BigInteger(), nullable=False),
        sa.Column("settle_submitted", sa.BigInteger(), nullable=False),
        sa.Column("settled", sa.BigInteger(), nullable=False),
        sa.Column("executed", sa.BigInteger(), nullable=False),
        sa.Column("failed", sa.BigInteger(), nullable=False),
        sa.Column("expired", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("lane_id"),
        sa.UniqueConstraint("source", "destination", "channel"),
    )
    op.create_index(op.f("ix_lanes_destination"), "lanes", ["destination"], unique=False)
    op.create_index(op.f("ix_lanes_source"), "lanes", ["source"], unique=False)
    op.create_table(
        "leases",
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.Column("wanted", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "id"),
    )
    op.create_table(
        "messages",
        sa.Column("lane_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("nonce", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("message_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("head", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sender", sa.LargeBinary(length=64), nullable=False),
        sa.Column("receiver", sa.LargeBinary(length=64), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("gas_limit", sa.BigInteger(), nullable=False),
        sa.Column("callback_gas", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("height", sa.BigInteger(), nullable=False),
        sa.Column("transaction", sa.LargeBinary(length=64), nullable=False),
        sa.Column("sent_at", sa.Float(), nullable=False),
        sa.Column("seen_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("lane_id", "nonce"),
    )
    op.create_index(op.f("ix_messages_message_id"), "messages", ["message_id"], unique=False)
    op.create_index(op.f("ix_messages_transaction"), "messages", ["transaction"], unique=False)
    op.create_table(
        "milestones",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("lane_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("height", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("milestones_lane", "milestones", ["lane_id", "stage", "nonce"], unique=False)
    op.create_table(
        "operators",
        sa.Column("signer", sa.LargeBinary(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("organisation", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("seen_at", sa.Float(), nullable=False),
        sa.Column("signed_at", sa.Float(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("signer"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "outcomes",
        sa.Column("lane_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("nonce", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("message_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("result", sa.LargeBinary(length=256), nullable=False),
        sa.Column("head", sa.LargeBinary(length=32), nullable=False),
        sa.Column("height", sa.BigInteger(), nullable=False),
        sa.Column("transaction", sa.LargeBinary(length=64), nullable=False),
        sa.Column("seen_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("lane_id", "nonce"),
    )
    op.create_index(op.f("ix_outcomes_transaction"), "outcomes", ["transaction"], unique=False)
    op.create_table(
        "proofs",
        sa.Column("lane_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("direction", sa.Integer(), nullable=False),
        sa.Column("height", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("head", sa.LargeBinary(length=32), nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=False),
        sa.Column("evidence", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("lane_id", "direction", "height"),
    )
    op.create_table(
        "proposals",
        sa.Column("chain", sa.String(length=64), nullable=False),
        sa.Column("contract", sa.LargeBinary(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("action", sa.LargeBinary(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("officer", sa.String(length=64), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("chain", "contract", "number"),
    )
    op.create_table(
        "refusals",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("party", sa.String(length=128), nullable=False),
        sa.Column("subject", sa.String(length=160), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "settings",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "transactions",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("chain", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=12), nullable=False),
        sa.Column("lane_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("target", sa.LargeBinary(length=64), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("gas", sa.BigInteger(), nullable=False),
        sa.Column("account_nonce", sa.BigInteger(), nullable=True),
        sa.Column("fee", sa.String(length=40), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.Column("hash", sa.LargeBinary(length=64), nullable=True),
        sa.Column("earlier", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("sent_at", sa.Float(), nullable=True),
        sa.Column("height", sa.BigInteger(), nullable=True),
        sa.Column("gas_used", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_transactions_hash"), "transactions", ["hash"], unique=False)
    op.create_index("transactions_chain", "transactions", ["chain", "state", "id"], unique=False)
    op.create_index("transactions_lane", "transactions", ["lane_id", "purpose", "state"], unique=False)
    op.create_table(
        "waits",
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("party", sa.String(length=128), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("since", sa.Float(), nullable=False),
        sa.Column("next_at", sa.Float(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "id"),
    )
