"""What is made of a node's blocks: header bundles, the gateway's events, and the evidence of heads and of notes.

Blocks are read with the light client's own codec, so that what leaves here has exactly the form that it judges; nothing is judged.
What is checked is whether an answer agrees with itself, since a node that contradicts itself need not be believed further:
1. The block has the height that was asked for, and the hash that its header names.
2. Transactions, read-write sets and the order among them are those that its header names (`check_body`).
3. An event of the gateway is hexadecimal, and in the contract's exact form.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from google.protobuf.message import DecodeError, Message

from adapters.chainmaker.requests import transaction_bytes
from adapters.chainmaker.stubs import chainmaker_pb2 as pb
from adapters.protocol import BadAnswer, GatewayEvent, HeadMoved, MessageSent, Position
from adapters.solidity.events import SIGNATURES, decode_event
from light_clients import protobuf
from light_clients.chainmaker.claims import LOG_ANCHORED
from light_clients.chainmaker.codec import ADDITIONAL, BLOCK, read_header
from light_clients.chainmaker.evidence import check_body, evidence_of_block
from light_clients.chainmaker.fields import read_flat
from light_clients.chainmaker.merkle import HASHES
from light_clients.chainmaker.types import ChainMakerEvidence, ChainMakerHeader
from light_clients.errors import LightClientError
from schemas.evidence import FamilyEvidence, StateEvidence
from schemas.primitives import LaneId

_TOPICS = {signature.hex(): signature for signature in SIGNATURES}
_HEADER, _TRANSACTIONS, _ADDITIONAL = 1, 3, 4


@dataclass(frozen=True)
class WholeBlock:
    """A block as a node gave it, with its read-write sets.

    Attributes:
        info: protobuf of the `BlockInfo`.
        encoded: protobuf of the `Block` in it.
        header: its header, read.
    """

    info: bytes
    encoded: bytes
    header: ChainMakerHeader

    @property
    def bundle(self) -> bytes:
        """The header argument of the light client: header, votes, and in a configuration block its transactions."""
        values, transactions = read_flat(self.encoded, BLOCK)
        parts = [protobuf.message_field(_HEADER, values.get(_HEADER, b""))]
        if self.header.is_configuration:
            parts += [protobuf.message_field(_TRANSACTIONS, one) for _, one in transactions]
        if _ADDITIONAL in values:
            parts.append(protobuf.message_field(_ADDITIONAL, values[_ADDITIONAL]))
        return b"".join(parts)


def parse(kind: type[Any], data: bytes, what: str) -> Any:
    """Read a message.

    Args:
        kind: its class in the stubs.
        data: protobuf.
        what: it is, for the error.

    Raises:
        BadAnswer: it is no such message.
    """
    try:
        message: Message = kind.FromString(data)
    except (DecodeError, UnicodeDecodeError) as error:
        raise BadAnswer(f"{what} is no message of ChainMaker; leave the endpoint.") from error
    return message


def read_block_info(data: bytes, height: int | None) -> WholeBlock:
    """Read a block.

    Args:
        data: protobuf of a `BlockInfo`.
        height: that it must have; None for any.

    Raises:
        BadAnswer: it is no block, or another one.
    """
    try:
        encoded = protobuf.Message.read(data, (1, 2), ordered=True).octets(1)
        values, _ = read_flat(encoded, BLOCK)
        read_flat(values.get(_ADDITIONAL, b""), ADDITIONAL)
        header = read_header(values.get(_HEADER, b""))
    except LightClientError as error:
        raise BadAnswer(f"a block cannot be read ({error}); leave the endpoint.") from error
    if height is not None and header.height != height:
        raise BadAnswer(f"block {header.height} came where block {height} was asked for; leave the endpoint.")
    return WholeBlock(data, encoded, header)


def check_hash(block: WholeBlock, hash_name: str) -> None:
    """Hold a header against the hash that it names for itself.

    Raises:
        BadAnswer: it has another one.
    """
    if HASHES[hash_name](block.header.hashed) != block.header.block_hash:
        raise BadAnswer(f"the header of block {block.header.height} has another hash than it says; leave the endpoint.")


def check_whole(block: WholeBlock, hash_name: str) -> None:
    """Hold a block against its own header.

    Raises:
        BadAnswer: they disagree.
    """
    try:
        check_body(block.info, hash_name)
    except LightClientError as error:
        raise BadAnswer(
            f"block {block.header.height} is not what its header says ({error}); leave the endpoint."
        ) from error


def events_of(block: WholeBlock, gateway: str) -> list[GatewayEvent]:
    """The events of a gateway in a block, in ledger order.

    Args:
        block: checked by `check_whole`.
        gateway: the contract's name.

    Raises:
        BadAnswer: an event of the gateway is not in its form.
    """
    return [event for _, event in _numbered_events(block, gateway)]


def evidence_at(
    block: WholeBlock,
    gateway: str,
    asked: Sequence[tuple[LaneId, int]],
    hash_name: str,
    *,
    by_write_set: bool,
) -> list[StateEvidence | FamilyEvidence | None]:
    """The evidence of the last transaction of a block that moved each head.

    Args:
        block: checked by `check_whole`.
        gateway: the contract's name.
        asked: lane and direction of each head.
        hash_name: the chain's hash.
        by_write_set: whether events are no evidence on this chain.

    Returns:
        In the order of the questions; None where the block did not move the head.

    Raises:
        BadAnswer: the block cannot be read, or an event is not in its form.
    """
    last: dict[tuple[bytes, int], int] = {}
    for index, event in _numbered_events(block, gateway):
        if isinstance(event, MessageSent):
            last[(event.lane_id, 0)] = index
        elif isinstance(event, HeadMoved):
            last[(event.lane_id, event.direction)] = index
    called = _called_contracts(block)
    made: dict[int, FamilyEvidence] = {}
    found: list[StateEvidence | FamilyEvidence | None] = []
    for lane_id, direction in asked:
        if (lane_id, int(direction)) not in last:
            found.append(None)
            continue
        index = last[lane_id, int(direction)]
        if index not in made:
            # An event is evidence only where the gateway itself was called; a write set always is.
            proof = _proof(block, hash_name, index, writes=by_write_set or called[index] != gateway)
            made[index] = FamilyEvidence(block.header.height, block.bundle, proof.to_bytes())
        found.append(made[index])
    return found


def note_at(block: WholeBlock, gateway: str, account: bytes, hash_name: str, *, by_write_set: bool) -> bytes | None:
    """The evidence of the last transaction of a block in which an account noted its evidence log.

    Args:
        block: checked by `check_whole`.
        gateway: the contract's name.
        account: that notes, 20 bytes.
        hash_name: the chain's hash.
        by_write_set: whether events are no evidence on this chain.

    Returns:
        In the form of the light client's `log_notes`; None where the account noted nothing.

    Raises:
        BadAnswer: the block cannot be read.
    """
    noted = [place for place, one in enumerate(_transactions(block)) if _notes(one, gateway, account)]
    if not noted:
        return None
    writes = by_write_set or _called_contracts(block)[noted[-1]] != gateway
    return replace(_proof(block, hash_name, noted[-1], writes=writes), header=block.bundle).to_bytes()


def _proof(block: WholeBlock, hash_name: str, index: int, *, writes: bool) -> ChainMakerEvidence:
    try:
        return evidence_of_block(block.info, hash_name, index, by_write_set=writes)
    except LightClientError as error:
        raise BadAnswer(f"block {block.header.height} gives no evidence ({error}); leave the endpoint.") from error


def _transactions(block: WholeBlock) -> Iterable[pb.Transaction]:
    return (parse(pb.Transaction, one, "a transaction") for _, one in read_flat(block.encoded, BLOCK)[1])


def _called_contracts(block: WholeBlock) -> list[str]:
    return [one.payload.contract_name for one in _transactions(block)]


def _notes(transaction: pb.Transaction, gateway: str, account: bytes) -> bool:
    """Whether an account noted its log in a transaction."""
    event = (LOG_ANCHORED, gateway, [(bytes(12) + account).hex()])
    reported = transaction.result.contract_result.contract_event
    return _succeeded(transaction) and event in [
        (one.topic, one.contract_name, list(one.event_data[:1])) for one in reported
    ]


def _succeeded(transaction: pb.Transaction) -> bool:
    return not transaction.result.code and not transaction.result.contract_result.code


def _numbered_events(block: WholeBlock, gateway: str) -> list[tuple[int, GatewayEvent]]:
    """The events of a gateway, each with the place of its transaction in the block."""
    found: list[tuple[int, GatewayEvent]] = []
    header, number = block.header, 0
    for place, transaction in enumerate(_transactions(block)):
        taken = _succeeded(transaction)
        for event in transaction.result.contract_result.contract_event:
            topic = _TOPICS.get(event.topic) if taken and event.contract_name == gateway else None
            if topic is not None:
                position = Position(
                    header.height,
                    header.block_hash,
                    transaction_bytes(transaction.payload.tx_id),
                    number,
                    header.timestamp,
                )
                *topics, data = _words(event)
                found.append((place, decode_event([topic, *topics], data, position)))
            number += 1
    return found


def _words(event: pb.ContractEvent) -> list[bytes]:
    try:
        words = [bytes.fromhex(text) for text in event.event_data]
    except ValueError as error:
        raise BadAnswer("an event of the gateway is no hexadecimal; leave the endpoint.") from error
    if not words or any(len(word) != 32 for word in words[:-1]):
        raise BadAnswer("an event of the gateway has topics of another size; leave the endpoint.")
    return words
