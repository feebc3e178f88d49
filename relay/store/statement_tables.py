"""The table of what operators say of themselves: the newest statement of each operator about each ledger."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Float, LargeBinary, String, Table

from relay.store.columns import Unsigned64, Words, metadata

operator_statements = Table(  # relay.statements
    "operator_statements",
    metadata,
    Column("signer", LargeBinary(64), primary_key=True),  # of operators
    Column("chain", String(64), primary_key=True),  # the hub's name of the ledger
    Column("code", String(48), nullable=False),  # of relay.reasons, or well
    Column("text", Words, nullable=False),  # the operator's own words, printable
    Column("height", Unsigned64, nullable=False),  # the newest block that it accepted; 0 = none
    Column("said_at_ms", BigInteger, nullable=False),  # Unix milliseconds by the operator's clock
    Column("heard_at", Float, nullable=False),
    Column("since", Float, nullable=False),  # when the hub first heard this code of it without another between
    Column("contradiction", JSON),  # the claim that it refuses and what it knows instead
    Column("signature", LargeBinary(65), nullable=False),
)
