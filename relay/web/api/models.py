"""What the public interface answers: the same fields as `--json` on the command line. The client (relay.client) reads them with it.

Bytes are hexadecimal with `0x`, times are Unix seconds, coins are decimal strings in base units. Fields that a later hub adds
are ignored by an older client.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

T = TypeVar("T")


class Item(BaseModel):
    """The base: frozen, and open to fields of later hubs."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ProblemBody(Item):
    """An error as RFC 9457 has it: what programs compare, and one sentence that says what to do."""

    type: str = "about:blank"
    title: str = Field(examples=["NotFound"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["There is no ledger named 'gamma' (known: alpha, beta)."])


class Page(Item, Generic[T]):
    """A part of a list; there is more while `next_cursor` is set, even where `items` is short or empty."""

    items: list[T]
    next_cursor: str | None = None


class Wait(Item):
    """What waits, why, for whom, since when, and when the hub looks again."""

    kind: str = Field(examples=["lane"])
    code: str = Field(examples=["waiting_for_signatures"])
    party: str = Field(examples=["operators org-2, org-3"])
    text: str
    since: float
    next_at: float


class NamedWait(Wait):
    """A wait with its subject: a ledger's name, or a lane's id in hexadecimal."""

    id: str


class Alarm(Item):
    """Something that asks for somebody's hand; it is on as long as its cause is."""

    code: str = Field(examples=["operator_silent"])
    kind: str = Field(description="alarm, or freeze where something stands still until officers act")
    subject: str = Field(description="chain, lane, client, operator, process or evidence")
    id: str = Field(description="a name, a lane's id in hexadecimal, the address of a light client")
    name: str
    party: str
    text: str
    since: float = Field(description="Unix seconds, 0 where it is not known")
    ends_at: float = Field(description="when what ends ends, Unix seconds; 0 for everything else")


class EndpointTrouble(Item):
    """An endpoint that rests."""

    url: str
    since: float
    reason: str


class Chain(Item):
    """A registered ledger as the hub follows it."""

    name: str = Field(examples=["alpha"])
    chain_id: str = Field(examples=["eip155:1337"])
    state: str = Field(description="active, frozen or retired", examples=["active"])
    trust: str
    consensus: str
    development: bool
    software: str
    tip: int
    height: int
    behind: int
    tip_age_s: float | None
    client_expires_in_s: int | None
    certificate: str | None
    certificate_ends_in_s: int | None
    gateway: str
    verifier: str
    account: str
    balance: str
    runway_days: float | None
    endpoint_trouble: list[EndpointTrouble]
    alarms: list[Alarm]
    waits: list[Wait]


class Verifier(Item):
    """What judges one way of a lane, with its parts."""

    judges: str
    chain: str
    address: str
    kind: str
    committee: str | None = None
    light_client: str | None = None


class Lane(Item):
    """A lane: how far each stage has come, what became of its messages, what waits for whom."""

    lane_id: str = Field(examples=["0x" + "5a" * 32])
    source: str
    destination: str
    channel: str
    state: str = Field(description="opening, active, frozen, closed, abandoned or retired", examples=["active"])
    trust: str
    verifiers: list[Verifier]
    sent: int
    proved: int
    attested: int
    submitted: int
    delivered: int
    settled: int
    executed: int
    failed: int
    expired: int
    refused: int
    in_flight: int
    backlog: int
    conserved: bool
    oldest_age_s: float | None
    head: str
    head_height: int
    outcome_head: str
    outcome_head_height: int
    waits: list[Wait]


class MessageRow(Item):
    """A message in a list."""

    message_id: str
    lane_id: str
    source: str
    destination: str
    channel: str
    nonce: int
    stage: str = Field(description="the furthest stage that it reached", examples=["settled"])
    outcome: str | None = Field(description="executed, failed, expired or refused", examples=["executed"])
    sender: str
    receiver: str
    transaction: str
    height: int
    sent_at: float


class Stage(Item):
    """A stage of a message's journey."""

    stage: str
    at: float | None
    height: int | None
    party: str
    reference: str
    signers: list[str] | None = None


class Outcome(Item):
    """What became of a message."""

    status: str = Field(examples=["executed"])
    result: str
    height: int
    transaction: str


class Message(Item):
    """A message's whole journey."""

    message_id: str
    lane_id: str
    source: str
    destination: str
    channel: str
    trust: str
    verifiers: list[Verifier]
    nonce: int
    stage: str
    sender: str
    receiver: str
    payload: str
    expires_at: int
    gas_limit: int
    stages: list[Stage]
    outcome: Outcome | None
    waits: list[Wait]


class Said(Item):
    """What an operator says of itself and one ledger: its word, and no fact of the hub."""

    chain: str
    code: str
    text: str
    height: int
    since: float
    heard_at: float
    fresh: bool
    contradiction: dict[str, Any] | None


class Operator(Item):
    """An operator with its last signature and silence."""

    name: str
    organisation: str
    signer: str
    state: str
    seen_at: float
    signed_at: float
    silent: bool
    says: list[Said]


class Incident(Item):
    """A freeze, or what led to it."""

    at: float
    name: str
    subject: str
    text: str


class KeyName(Item):
    """A local key: its name and address, never more."""

    name: str
    address: str
    trouble: str


class Adapter(Item):
    """An installed adapter."""

    name: str
    package: str
    version: str
    built_in: bool
    certified: bool
    why: str


class ParkedWebhook(Item):
    """A webhook whose receiver is gone."""

    id: str
    host: str
    parked: int = Field(description="deliveries that wait until it is there again")
    since: float | None
    reason: str
    until: float | None = Field(description="when it is tried again; null = once its owner retries")


class HubStatus(Item):
    """The whole state, as `relayhub status --json` shows it."""

    hub: str
    development: bool
    running: bool
    ready: bool
    chains: list[Chain]
    lanes: list[Lane]
    light_clients: list[dict[str, Any]]
    operators: list[Operator]
    incidents: list[Incident]
    alarms: list[Alarm]
    processes: list[dict[str, Any]]


class OperationError(Item):
    """Why an operation failed."""

    name: str
    text: str


class Operation(Item):
    """A change that takes longer than an answer. Look again at `/v1/operations/{id}` while it is running."""

    id: str
    kind: str = Field(examples=["chain.add"])
    state: str = Field(description="running, done or failed", examples=["running"])
    result: Any = Field(description="what the command line prints with --json; null until it is done")
    error: OperationError | None
    created_at: float
    finished_at: float


class Proposal(Item):
    """What an officer proposed through this hub."""

    proposal: str = Field(examples=["alpha/gateway/1"])
    state: str
    by: str
    text: str
