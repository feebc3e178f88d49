"""The tables of the public interface: tokens, answers, operations, webhooks. Times are Unix seconds (REAL)."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Float, Index, Integer, LargeBinary, String, Table

from relay.store.columns import Words, metadata

api_tokens = Table(  # who may ask the public interface (relay.tokens)
    "api_tokens",
    metadata,
    Column("id", String(12), primary_key=True),
    Column("digest", LargeBinary(32), nullable=False),  # SHA-256 of the secret
    Column("role", String(16), nullable=False),  # application | operator | officer | auditor
    Column("name", String(64), nullable=False),
    Column("organisation", String(64), nullable=False),
    Column("key", String(64), nullable=False),  # the local key from which an application sends
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),  # 0 = never
    Column("revoked_at", Float, nullable=False),  # 0 = it is not
)

api_answers = Table(  # what a change with an Idempotency-Key was answered
    "api_answers",
    metadata,
    Column("caller", String(16), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("request", LargeBinary(32), nullable=False),  # SHA-256 of method, path and body
    Column("status", Integer, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("at", Float, nullable=False, index=True),
)

operations = Table(  # changes that take longer than an answer (relay.web.operations)
    "operations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("caller", String(16), nullable=False),
    Column("state", String(12), nullable=False, index=True),  # running | done | failed
    Column("result", JSON),
    Column("error", JSON),  # {"name", "text"}
    Column("created_at", Float, nullable=False, index=True),
    Column("finished_at", Float, nullable=False),
)

webhooks = Table(  # where an application wants to be told of its messages (relay.webhooks)
    "webhooks",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("owner", String(16), nullable=False, index=True),  # the caller's id
    Column("url", String(2048), nullable=False),
    Column("secret", LargeBinary(32), nullable=False),
    Column("lane_id", LargeBinary(32)),  # null = every lane
    Column("sender", LargeBinary(64)),  # null = every sender
    Column("state", String(12), nullable=False),  # active | parked | removed
    Column("reason", Words, nullable=False),
    Column("created_at", Float, nullable=False),
)

webhook_cursors = Table(  # up to which nonce of a lane a webhook's deliveries were written
    "webhook_cursors",
    metadata,
    Column("webhook", String(32), primary_key=True),
    Column("lane_id", LargeBinary(32), primary_key=True),
    Column("delivered", BigInteger, nullable=False),
    Column("settled", BigInteger, nullable=False),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("webhook", String(32), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("state", String(12), nullable=False),  # waiting | done | parked
    Column("attempts", Integer, nullable=False),
    Column("next_at", Float, nullable=False),
    Column("reason", Words, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("done_at", Float, nullable=False),
    Index("webhook_deliveries_due", "state", "next_at"),
    Index("webhook_deliveries_of", "webhook", "created_at"),
)
