"""The tables. Messages and outcomes are only ever inserted; where a message stands follows from its lane's counters.

Times are Unix seconds (REAL). Hashes, accounts and payloads are bytes. 64-bit words of the protocol that may exceed
a signed integer are stored in two's complement.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
)

from relay.store.columns import Serial, Unsigned64, Words, metadata
from relay.store.evidence_tables import evidence_leaves, evidence_queue, record_erasures, record_rules, records
from relay.store.interface_tables import (
    api_answers,
    api_tokens,
    operations,
    webhook_cursors,
    webhook_deliveries,
    webhooks,
)
from relay.store.statement_tables import operator_statements

__all__ = [
    "Serial",
    "Unsigned64",
    "Words",
    "anchors",
    "api_answers",
    "api_tokens",
    "attestations",
    "chains",
    "claims",
    "committees",
    "endpoint_health",
    "evidence_leaves",
    "evidence_queue",
    "heartbeats",
    "incidents",
    "lanes",
    "leases",
    "messages",
    "metadata",
    "milestones",
    "operations",
    "operator_statements",
    "operators",
    "outcomes",
    "proofs",
    "proposals",
    "record_erasures",
    "record_rules",
    "records",
    "refusals",
    "settings",
    "tickets",
    "transactions",
    "verifiers",
    "waits",
    "webhook_cursors",
    "webhook_deliveries",
    "webhooks",
]

settings = Table(
    "settings", metadata, Column("name", String(64), primary_key=True), Column("value", JSON, nullable=False)
)

chains = Table(
    "chains",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("chain_id", String(41), nullable=False),
    Column("chain_word", LargeBinary(32), nullable=False, unique=True),
    Column("first_block", LargeBinary(32), nullable=False),
    Column("adapter", String(64), nullable=False),
    Column("endpoints", JSON, nullable=False),  # [{"url": …, "operator": …}]
    Column("software", Words, nullable=False),
    Column("development", Boolean, nullable=False),
    Column("consensus", String(32), nullable=False),  # the light client's name
    Column("gateway", LargeBinary(64), nullable=False),
    Column("gateway_code_hash", LargeBinary(32), nullable=False),
    Column("gateway_pin", JSON),  # what the hash stands for (light_clients.pins); null = it says all
    Column("adapter_options", JSON),  # {name: text}; null = none
    Column("certificates", JSON),  # [{"name": …, "not_after": Unix seconds}], as a worker last saw them; null = never
    Column("verifier", LargeBinary(64), nullable=False),  # the committee that new lanes get
    Column("mailbox", LargeBinary(64), nullable=False, default=b""),  # the example receiver of a development hub
    Column("officers", JSON, nullable=False),  # key names on a development hub, else []
    Column("account", LargeBinary(64), nullable=False),  # the relayer's account there
    Column("account_key", String(64), nullable=False),  # name of its key
    Column("pinned_height", BigInteger, nullable=False),
    Column("pinned_hash", LargeBinary(32), nullable=False),
    Column("client_state", LargeBinary, nullable=False),
    Column("client_header", LargeBinary, nullable=False),  # the newest accepted header, byte for byte
    Column("client_trail", LargeBinary),  # the newest headers, for contradictions (relay.trail)
    Column("client_height", BigInteger, nullable=False),
    Column("client_hash", LargeBinary(32), nullable=False),
    Column("client_time", BigInteger, nullable=False),
    Column("client_expires_at", BigInteger, nullable=False),  # 0 = never
    Column("observed_height", BigInteger, nullable=False),
    Column("tip", BigInteger, nullable=False),
    Column("tip_at", Float, nullable=False),
    Column("balance", String(80), nullable=False, default="0"),
    Column("fee", String(40), nullable=False, default="0"),
    Column("wallet_at", Float, nullable=False, default=0),
    Column("accused_at", Float, nullable=False, default=0),
    Column("state", String(16), nullable=False),  # active | frozen | retired
    Column("created_at", Float, nullable=False),
)

endpoint_health = Table(
    "endpoint_health",
    metadata,
    Column("chain", String(64), primary_key=True),
    Column("url", String(256), primary_key=True),
    Column("since", Float, nullable=False),
    Column(
        "seen_at", Float, nullable=False
    ),  # each worker has its own view: trouble not seen again for a while is over
    Column("reason", Words, nullable=False),
)

lanes = Table(
    "lanes",
    metadata,
    Column("lane_id", LargeBinary(32), primary_key=True),
    Column("hub", String(64), nullable=False),
    Column("suite", String(8), nullable=False),
    Column("source", String(64), nullable=False, index=True),
    Column("destination", String(64), nullable=False, index=True),
    Column("channel", String(64), nullable=False),
    Column("source_verifier", LargeBinary(64), nullable=False),
    Column("destination_verifier", LargeBinary(64), nullable=False),
    Column("trust", String(32), nullable=False),
    Column("batch_limit", Integer, nullable=False),
    Column("state", String(16), nullable=False),  # opening | active | frozen | closed | abandoned | retired
    Column("opened_at", Float, nullable=False),
    # forward: what the source sent, up to which nonce each stage is reached
    Column("final", BigInteger, nullable=False, default=0),
    Column("final_head", LargeBinary(32), nullable=False),
    Column("final_height", BigInteger, nullable=False, default=0),  # the block whose proof shows final_head
    Column("final_hash", LargeBinary(32), nullable=True),
    Column("claimed", BigInteger, nullable=False, default=0),
    Column("attested", BigInteger, nullable=False, default=0),
    Column("submitted", BigInteger, nullable=False, default=0),
    Column("delivered", BigInteger, nullable=False, default=0),
    # back: what became of it
    Column("outcome_head", LargeBinary(32), nullable=False),
    Column("outcome_height", BigInteger, nullable=False, default=0),
    Column("outcome_hash", LargeBinary(32), nullable=True),
    Column("outcome_claimed", BigInteger, nullable=False, default=0),
    Column("outcome_attested", BigInteger, nullable=False, default=0),
    Column("settle_submitted", BigInteger, nullable=False, default=0),
    Column("settled", BigInteger, nullable=False, default=0),
    Column("executed", BigInteger, nullable=False, default=0),
    Column("failed", BigInteger, nullable=False, default=0),
    Column("expired", BigInteger, nullable=False, default=0),
    Column("refused", BigInteger, nullable=False, default=0),
    UniqueConstraint("source", "destination", "channel"),
)

messages = Table(
    "messages",
    metadata,
    Column("lane_id", LargeBinary(32), primary_key=True),
    Column("nonce", BigInteger, primary_key=True, autoincrement=False),
    Column("message_id", LargeBinary(32), nullable=False, index=True),
    Column("head", LargeBinary(32), nullable=False),
    Column("sender", LargeBinary(64), nullable=False),
    Column("receiver", LargeBinary(64), nullable=False),
    Column("expires_at", Unsigned64, nullable=False),
    Column("gas_limit", Unsigned64, nullable=False),
    Column("callback_gas", Unsigned64, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("height", BigInteger, nullable=False),
    Column("transaction", LargeBinary(64), nullable=False, index=True),
    Column("sent_at", Float, nullable=False),  # block time
    Column("seen_at", Float, nullable=False),
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("lane_id", LargeBinary(32), primary_key=True),
    Column("nonce", BigInteger, primary_key=True, autoincrement=False),
    Column("message_id", LargeBinary(32), nullable=False),
    Column("status", Integer, nullable=False),
    Column("result", LargeBinary(256), nullable=False),
    Column("head", LargeBinary(32), nullable=False),
    Column("height", BigInteger, nullable=False),
    Column("transaction", LargeBinary(64), nullable=False, index=True),
    Column("seen_at", Float, nullable=False),
)

milestones = Table(  # one row a batch and stage: a message's time at a stage is the first row that reaches its nonce
    "milestones",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("lane_id", LargeBinary(32), nullable=False),
    Column("stage", String(20), nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("at", Float, nullable=False),
    Column("height", BigInteger, nullable=False, default=0),
    Column("reference", LargeBinary, nullable=False, default=b""),  # transaction hash or claim digest
    Index("milestones_lane", "lane_id", "stage", "nonce"),
)

proofs = Table(
    "proofs",
    metadata,
    Column("lane_id", LargeBinary(32), primary_key=True),
    Column("direction", Integer, primary_key=True),
    Column("height", BigInteger, primary_key=True, autoincrement=False),
    Column("head", LargeBinary(32), nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("evidence", LargeBinary, nullable=False),
    Column("at", Float, nullable=False),
)

claims = Table(
    "claims",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("lane_id", LargeBinary(32), nullable=False),
    Column("direction", Integer, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("head", LargeBinary(32), nullable=False),
    Column("height", BigInteger, nullable=False),
    Column("block_hash", LargeBinary(32), nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("state", String(12), nullable=False),  # open | attested | void
    Column("created_at", Float, nullable=False),
    Column("attested_at", Float, nullable=True),
    UniqueConstraint("digest"),
    Index("claims_lane", "lane_id", "direction", "nonce"),
    Index("claims_state", "state", "id"),
)

attestations = Table(
    "attestations",
    metadata,
    Column("claim_id", BigInteger, primary_key=True, autoincrement=False),
    Column("signer", LargeBinary(64), primary_key=True),
    Column("signature", LargeBinary(80), nullable=False),
    Column("at", Float, nullable=False),
)

operators = Table(
    "operators",
    metadata,
    Column("signer", LargeBinary(64), primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("organisation", String(64), nullable=False),
    Column("public_key", LargeBinary(64)),  # X and Y, for ledgers that cannot recover a signer; null = not known
    Column("sm2_key", LargeBinary(64)),  # X and Y of its SM2 key, for ledgers whose committees check SM2
    Column("state", String(12), nullable=False),  # active | struck
    Column("seen_at", Float, nullable=False, default=0),
    Column("signed_at", Float, nullable=False, default=0),
    Column("created_at", Float, nullable=False),
)

verifiers = (
    Table(  # contracts that judge claims on a ledger, and what the hub last read of the light clients among them
        "verifiers",
        metadata,
        Column("chain", String(64), primary_key=True),  # the ledger on which it stands
        Column("address", LargeBinary(64), primary_key=True),
        Column("kind", String(16), nullable=False),  # committee | light-client | both
        Column("peer", String(64), nullable=False, default=""),  # the ledger that it judges; empty for a committee
        Column("committee", LargeBinary(64), nullable=False, default=b""),  # the committee in it or behind it
        Column("light_client", LargeBinary(64), nullable=False, default=b""),  # the light client in it or behind it
        # the rest of a light client's own row
        Column("client_height", BigInteger, nullable=False, default=0),
        Column("client_hash", LargeBinary(32), nullable=False, default=bytes(32)),
        Column("client_time", BigInteger, nullable=False, default=0),
        Column("validators_hash", LargeBinary(32), nullable=False, default=bytes(32)),
        Column(
            "validators_since", BigInteger, nullable=False, default=0
        ),  # the first height at which that set may speak
        Column("expires_at", BigInteger, nullable=False, default=0),  # Unix seconds on the ledger's clock; 0 = never
        Column("trusting_period_s", BigInteger, nullable=False, default=0),
        Column("frozen", Boolean, nullable=False, default=False),
        Column("generation", LargeBinary(32), nullable=False, default=bytes(32)),
        Column("read_at", Float, nullable=False, default=0),
    )
)

committees = Table(  # who may sign for a committee verifier in an epoch, as its ledger has it
    "committees",
    metadata,
    Column("chain", String(64), primary_key=True),
    Column("verifier", LargeBinary(64), primary_key=True),
    Column("epoch", BigInteger, primary_key=True, autoincrement=False),
    Column("threshold", Integer, nullable=False),
    Column("signers", JSON, nullable=False),  # [hex of signer, …] in the order of the bitmap
    Column("state", String(12), nullable=False),  # current | old
)

anchors = Table(  # heads that a lane's gateway keeps, or will once the transaction is mined: a long backlog is walked back from a proof
    "anchors",
    metadata,
    Column("lane_id", LargeBinary(32), primary_key=True),
    Column("direction", Integer, primary_key=True, autoincrement=False),
    Column("nonce", BigInteger, primary_key=True, autoincrement=False),
    Column("head", LargeBinary(32), nullable=False),
    Column("generation", LargeBinary(32), nullable=False),  # of the lane's verifier; another one voids the anchor
    Column("transaction_id", BigInteger, nullable=False),
)

transactions = Table(
    "transactions",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("chain", String(64), nullable=False),
    Column(
        "purpose", String(12), nullable=False
    ),  # deliver | settle | anchor | seal | nothing (in place of one that no pool takes); without a lane: client | log
    Column("lane_id", LargeBinary(32), nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("target", LargeBinary(64), nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("gas", BigInteger, nullable=False),
    Column("account_nonce", BigInteger, nullable=True),
    Column("fee", String(40), nullable=False, default="0"),
    Column("raw", LargeBinary, nullable=True),
    Column("hash", LargeBinary(64), nullable=True, index=True),
    Column("earlier", JSON, nullable=False, default=list),  # hashes of the same nonce that were replaced
    Column("state", String(12), nullable=False),  # queued | sent | mined | reverted | void
    Column("attempts", Integer, nullable=False, default=0),
    Column("created_at", Float, nullable=False),
    Column("sent_at", Float, nullable=True),
    Column(
        "height", BigInteger, nullable=True
    ),  # its block; while it is sent the newest one when it was offered, 0 once seen
    Column("gas_used", BigInteger, nullable=True),
    Column("reason", Words, nullable=False, default=""),
    Index("transactions_chain", "chain", "state", "id"),
    Index("transactions_lane", "lane_id", "purpose", "state"),
)

tickets = Table(  # messages that a gateway took and that wait to be sealed into their lane (adapters.protocol.MessageTicketed)
    "tickets",
    metadata,
    Column("lane_id", LargeBinary(32), primary_key=True),
    Column("ticket", LargeBinary(32), primary_key=True),
    Column("chain", String(64), nullable=False, index=True),
    Column("height", BigInteger, nullable=False),
    Column("asked_at", Float, nullable=False, default=0),
)

waits = Table(  # what waits, why, for whom, since when, and when the hub looks again
    "waits",
    metadata,
    Column("kind", String(12), primary_key=True),  # chain | lane | back (a lane's way back)
    Column("id", String(80), primary_key=True),
    Column("code", String(40), nullable=False),
    Column("party", String(128), nullable=False),
    Column("text", Words, nullable=False),
    Column("since", Float, nullable=False),
    Column("next_at", Float, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
)

leases = Table(
    "leases",
    metadata,
    Column("kind", String(12), primary_key=True),
    Column("id", String(80), primary_key=True),
    Column("token", BigInteger, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("wanted", BigInteger, nullable=False, default=0),
)

refusals = Table(  # what was offered and refused by name
    "refusals",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("at", Float, nullable=False),
    Column("name", String(64), nullable=False),
    Column("party", String(128), nullable=False),
    Column("subject", String(160), nullable=False),
    Column("text", Words, nullable=False),
)

incidents = Table(  # freezes and what led to them, with both objects kept
    "incidents",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("at", Float, nullable=False),
    Column("name", String(64), nullable=False),
    Column("subject", String(160), nullable=False),
    Column("text", Words, nullable=False),
    Column("evidence", LargeBinary, nullable=False),
)

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("process", String(64), primary_key=True),
    Column("pid", Integer, nullable=False),
    Column("at", Float, nullable=False),
)

proposals = (
    Table(  # what officers proposed on a ledger through this hub; the ledger itself keeps only the action's hash
        "proposals",
        metadata,
        Column("chain", String(64), primary_key=True),
        Column("contract", LargeBinary(64), primary_key=True),
        Column("number", BigInteger, primary_key=True, autoincrement=False),
        Column("action", LargeBinary, nullable=False),
        Column("text", Words, nullable=False),
        Column("officer", String(64), nullable=False),
        Column("at", Float, nullable=False),
    )
)

# Lists of messages: newest first, of one sender, and of one outcome (relay.web.api.messages).
Index("messages_sent_at", messages.c.sent_at, messages.c.lane_id, messages.c.nonce)
Index("messages_sender", messages.c.sender, messages.c.sent_at, messages.c.lane_id, messages.c.nonce)
Index("outcomes_status", outcomes.c.status, outcomes.c.lane_id, outcomes.c.nonce)
