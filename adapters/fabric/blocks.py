"""Blocks as a peer delivers them, read for what they say happened (Fabric 3.1 `common/common.proto`, `peer/transaction.proto`).

The verdict on each transaction is the peer's word, in the block's metadata; nobody signs it. An envelope that cannot be read
is a transaction that nothing is known of: a client may put such a one into a block, and it stops nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from adapters.fabric.interface import SIGNATURES, TICKETED, read_event
from adapters.fabric.proposals import ENDORSER_TRANSACTION
from adapters.fabric.stubs import relayhub_fabric_pb2 as messages
from adapters.protocol import BadAnswer, GatewayEvent, MessageTicketed, Position
from light_clients import rlp
from light_clients.errors import LightClientError
from light_clients.fabric.codec import hash_data, read_block
from light_clients.fabric.types import FabricBlock
from schemas.primitives import LaneId

EVENT = "gateway"
"""Name of the gateway's event."""

FILTER = 2
"""Place of the verdicts among a block's metadata (`common.BlockMetadataIndex`)."""

VALID = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """A transaction of a chaincode in a block.

    Attributes:
        place: in the block.
        transaction: the id, 32 bytes.
        code: the peer's verdict, 0 = valid.
        time_s: Unix seconds that its client stated.
        chaincode: that was called.
        event: `ChaincodeEvent`, or empty.
        results: `TxReadWriteSet`.
    """

    place: int
    transaction: bytes
    code: int
    time_s: int
    chaincode: str
    event: bytes
    results: bytes


@dataclass(frozen=True, slots=True)
class PeerBlock:
    """A block with the peer's verdicts.

    Attributes:
        raw: `common.Block`.
        content: the same, read.
        header: `common.BlockHeader`.
        entries: transactions of chaincodes, in order.
    """

    raw: bytes
    content: FabricBlock
    header: bytes
    entries: tuple[Entry, ...]


def read_peer_block(data: bytes, height: int) -> PeerBlock:
    """Read the block of a height.

    Raises:
        BadAnswer: it is no block, of another height, or does not hold together.
    """
    try:
        content = read_block(data)
        parsed = messages.Block.FromString(data)
    except (LightClientError, DecodeError) as error:
        raise BadAnswer(f"what came as block {height} is no block ({error}); leave the peer.") from error
    if content.height != height:
        raise BadAnswer(f"block {content.height} came where block {height} was asked for; leave the peer.")
    if hash_data(content.envelopes) != content.data_hash:
        raise BadAnswer(f"the transactions of block {height} are not those of its header; leave the peer.")
    metadata = parsed.metadata.metadata
    codes = metadata[FILTER] if len(metadata) > FILTER else b""
    if len(codes) != len(content.envelopes):
        raise BadAnswer(f"block {height} comes without the verdict on each transaction; ask a peer, not an orderer.")
    found = (_entry(place, envelope, codes[place]) for place, envelope in enumerate(content.envelopes))
    return PeerBlock(data, content, parsed.header, tuple(entry for entry in found if entry is not None))


def gateway_events(block: PeerBlock, chaincode: str) -> list[GatewayEvent]:
    """The gateway's events of a block, of valid transactions alone.

    Raises:
        BadAnswer: an event is not of the form that the gateway writes.
    """
    events: list[GatewayEvent] = []
    for index, (entry, topics, data) in enumerate(_valid_logs(block, chaincode)):
        if topics and topics[0] in SIGNATURES:
            place = Position(block.content.height, block.content.block_hash, entry.transaction, index, entry.time_s)
            events.append(read_event(topics, data, place))
        elif topics[:1] == (TICKETED,):
            if len(topics) != 3 or not any(topics[1]):
                raise BadAnswer("an event of the gateway has other topics than it writes; leave the peer.")
            place = Position(block.content.height, block.content.block_hash, entry.transaction, index, entry.time_s)
            events.append(MessageTicketed(LaneId(topics[1]), topics[2], place))
    return events


def gateway_tickets(block: PeerBlock, chaincode: str) -> list[tuple[LaneId, bytes]]:
    """The (lane, ticket) pairs under which messages of a block's valid transactions wait.

    Raises:
        BadAnswer: an event is not of the form that the gateway writes.
    """
    events = gateway_events(block, chaincode)
    return [(event.lane_id, event.ticket) for event in events if isinstance(event, MessageTicketed)]


def find_entry(block: PeerBlock, transaction: bytes) -> Entry | None:
    """The first transaction of an id in a block."""
    return next((entry for entry in block.entries if entry.transaction == transaction), None)


def _valid_logs(block: PeerBlock, chaincode: str) -> Iterator[tuple[Entry, tuple[bytes, ...], bytes]]:
    for entry in block.entries:
        if entry.code == VALID and entry.chaincode == chaincode and entry.event:
            for topics, data in _logs(entry, chaincode):
                yield entry, topics, data


def _logs(entry: Entry, chaincode: str) -> list[tuple[tuple[bytes, ...], bytes]]:
    try:
        event = messages.ChaincodeEvent.FromString(entry.event)
        if event.event_name != EVENT or event.chaincode_id != chaincode:
            return []
        found = []
        for item in rlp.decode_list(event.payload):
            match item:
                case [list() as topics, bytes() as data] if all(
                    isinstance(topic, bytes) and len(topic) == 32 for topic in topics
                ):
                    found.append((tuple(topic for topic in topics if isinstance(topic, bytes)), data))
                case _:
                    raise BadAnswer("an event of the gateway is no list of logs; leave the peer.")
    except (LightClientError, DecodeError) as error:
        raise BadAnswer("an event of the gateway is no list of logs; leave the peer.") from error
    return found


def _entry(place: int, envelope: bytes, code: int) -> Entry | None:
    try:
        payload = messages.Payload.FromString(messages.Envelope.FromString(envelope).payload)
        header = messages.ChannelHeader.FromString(payload.header.channel_header)
        if header.type != ENDORSER_TRANSACTION:
            return None
        transaction = messages.Transaction.FromString(payload.data)
        if len(transaction.actions) != 1:
            return None
        content = messages.ChaincodeActionPayload.FromString(transaction.actions[0].payload)
        response = messages.ProposalResponsePayload.FromString(content.action.proposal_response_payload)
        action = messages.ChaincodeAction.FromString(response.extension)
        identifier = bytes.fromhex(header.tx_id)
    except (DecodeError, ValueError):
        return None
    if len(identifier) != 32:
        return None
    seconds = max(0, header.timestamp.seconds)
    return Entry(place, identifier, code, seconds, action.chaincode_id.name, action.events, action.results)
