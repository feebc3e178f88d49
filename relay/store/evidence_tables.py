"""The tables of the evidence log and of the organisations' records. Times are Unix seconds (REAL)."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from relay.store.columns import Serial, Unsigned64, Words, metadata

evidence_queue = (
    Table(  # what was decided, in order, until its leaf is in a published checkpoint (relay.evidence.outbox)
        "evidence_queue",
        metadata,
        Column("id", Serial, primary_key=True),
        Column("at", Float, nullable=False),
        Column("kind", String(16), nullable=False),
        Column("fields", LargeBinary, nullable=False),  # canonical CBOR of a list
        Column("objects", LargeBinary),  # canonical CBOR of a list of byte strings; null = none
        sqlite_autoincrement=True,  # a number is never given twice: the log knows by it what it has
    )
)

evidence_leaves = Table(  # where the leaves of a subject are; made anew from the log by relay.evidence.recorder
    "evidence_leaves",
    metadata,
    Column("leaf", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("subject", LargeBinary(64), nullable=False),
    Column("direction", Integer, nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("height", BigInteger, nullable=False),
    Index("evidence_leaves_subject", "subject", "kind", "direction", "nonce"),
)

record_rules = Table(  # access rules of records, each once (relay.evidence.access_rules)
    "record_rules",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("readers", Text, nullable=False),  # JSON list of texts, sorted
    UniqueConstraint("owner", "readers"),
)

records = Table(  # the organisations' own records; contents and salts are in files (relay.evidence.packs)
    "records",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("prefix", Unsigned64, nullable=False),  # the commitment's first 8 bytes: a small index finds it
    Column("commitment", LargeBinary(32), nullable=False),
    Column("rule", BigInteger, nullable=False),
    Column("name", Words, nullable=False),  # empty once erased
    Column("size", BigInteger, nullable=False),  # bytes of the content
    Column("pack", LargeBinary(16), nullable=False),  # the file; empty once erased
    Column("offset", BigInteger, nullable=False),
    Column("at", Float, nullable=False),
    Column("erased_at", Float),
    Index("records_prefix", "prefix"),
    Index("records_rule", "rule", "id"),
)

record_erasures = Table(  # erased by their owners, and not yet erased from the disk
    "record_erasures",
    metadata,
    Column("record", BigInteger, primary_key=True, autoincrement=False),
    Column("pack", LargeBinary(16), nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
)
