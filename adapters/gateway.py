"""What a gateway says and is told: its events, the counters that it keeps, and the actions that carry messages to it.

Events are what an endpoint *says*; the hub believes them only when they fold to a proved head.
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas.claim import Claim
from schemas.message import Message
from schemas.outcome import Settled, Status
from schemas.primitives import ChainWord, Head, LaneId, MessageId


@dataclass(frozen=True, slots=True)
class Position:
    """Where an event stands: block height and hash, transaction hash, index of the log in the block, block time (0 if unknown).

    The height is that of the header which proves the event: its own block's, but on CometBFT the next one's, whose application
    hash is the first to commit to what the block did.
    """

    height: int
    block_hash: bytes
    transaction: bytes
    index: int
    timestamp: int = 0


@dataclass(frozen=True, slots=True)
class MessageSent:
    """The source gateway took a message and moved its outbox head."""

    lane_id: LaneId
    message_id: MessageId
    head: Head
    message: Message
    position: Position


@dataclass(frozen=True, slots=True)
class MessageDelivered:
    """The destination gateway consumed a message with this status and result (at most 256 bytes)."""

    lane_id: LaneId
    nonce: int
    message_id: MessageId
    status: Status
    result: bytes
    position: Position


@dataclass(frozen=True, slots=True)
class HeadMoved:
    """A head moved: direction 1 outcomes, 2 inbox, 3 settled (0 is in MessageSent)."""

    lane_id: LaneId
    direction: int
    nonce: int
    head: Head
    position: Position


@dataclass(frozen=True, slots=True)
class LaneOpened:
    """A gateway opened its end of a lane; the fields are every preimage of lane_id. `end`: 0 source, 1 destination."""

    lane_id: LaneId
    end: int
    hub: str
    source: ChainWord
    source_gateway: bytes
    destination: ChainWord
    destination_gateway: bytes
    channel: str
    verifier: bytes
    peer_code_hash: bytes
    position: Position


@dataclass(frozen=True, slots=True)
class VerifierChanged:
    """A gateway's officers gave a lane another verifier; whoever attests for the one before attests for nobody."""

    lane_id: LaneId
    verifier: bytes
    position: Position


@dataclass(frozen=True, slots=True)
class MessageTicketed:
    """A gateway took a message and gave a ticket for it, 32 bytes; it has its place in the lane once somebody seals the ticket."""

    lane_id: LaneId
    ticket: bytes
    position: Position


GatewayEvent = MessageSent | MessageDelivered | HeadMoved | LaneOpened | VerifierChanged | MessageTicketed


@dataclass(frozen=True, slots=True)
class VerifierParts:
    """What stands at a verifier's address.

    Attributes:
        kind: `committee`, `light-client` or `both`.
        committee: the contract that checks operators' signatures, itself or inside it; empty where there is none.
        light_client: the contract that follows the peer's validators, itself or inside it; empty where there is none.
    """

    kind: str
    committee: bytes
    light_client: bytes


@dataclass(frozen=True, slots=True)
class LaneEnds:
    """What a gateway keeps of a lane, as it says.

    Attributes:
        sent: messages sent, at the source.
        settled: messages settled, at the source.
        delivered: messages delivered, at the destination.
        paused: whether the lane or the whole gateway rests.
        closed: whether the lane takes no new messages.
        verifier: who judges the peer here.
        generation: 32 bytes; heads that were anchored under another generation are anchored no more.
    """

    sent: int
    settled: int
    delivered: int
    paused: bool
    closed: bool
    verifier: bytes
    generation: bytes


@dataclass(frozen=True, slots=True)
class Delivery:
    """A call of `deliver`: messages in order, later ids under the same claim, the claim and its proof bytes."""

    lane_id: LaneId
    messages: tuple[Message, ...]
    suffix_ids: tuple[bytes, ...]
    claim: Claim
    proof: bytes


@dataclass(frozen=True, slots=True)
class Settlement:
    """A call of `settle`: entries in order, later outcome ids under the same claim, the claim and its proof bytes."""

    lane_id: LaneId
    settled: tuple[Settled, ...]
    suffix_ids: tuple[bytes, ...]
    claim: Claim
    proof: bytes


@dataclass(frozen=True, slots=True)
class Anchoring:
    """A call of `anchor`: the later ids lead from `head` to the claim's head; an empty proof says that the latter is anchored."""

    lane_id: LaneId
    head: Head
    ids: tuple[bytes, ...]
    claim: Claim
    proof: bytes


Action = Delivery | Settlement | Anchoring
