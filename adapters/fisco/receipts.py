"""Receipts of both lines as nodes answer them: what a transaction did, and the gateway's events in a block.

What is checked is form alone (an event is what an endpoint *says*). The place of a log is its position among all logs of its block.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from adapters.fisco.answers import Json, data, gas, listed, record, whole
from adapters.fisco.node import Node, transaction_hashes
from adapters.protocol import BadAnswer, GatewayEvent, Position, Receipt
from adapters.solidity.events import SIGNATURES, decode_event

MAXIMUM_LOGS = 100_000
BLOCKS_AT_ONCE = 64
"""Blocks whose receipts are held at once."""
_SIGNATURES = frozenset(SIGNATURES)


class Log(NamedTuple):
    """An event of a receipt: the contract (20 bytes), its topics and data."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


def read_logs(receipt: Json, line: int) -> list[Log]:
    """The events of a receipt, in order.

    Raises:
        BadAnswer: one is not of its form.
    """
    name = "logs" if line == 2 else "logEntries"
    return [_log(item) for item in listed(receipt.get(name), name, MAXIMUM_LOGS)]


def read_receipt(receipt: Json, transaction: bytes, block_hash: bytes, line: int) -> Receipt:
    """What became of a transaction.

    Args:
        receipt: the answer.
        transaction: its hash.
        block_hash: hash of its block, which receipts of line 3 do not say.
        line: 2 or 3.

    Raises:
        BadAnswer: a field is not of its form.
    """
    contract = receipt.get("contractAddress")
    created = data(contract, "contractAddress", 20) if contract else b""
    success = whole(receipt.get("status"), "status of the receipt") == 0
    return Receipt(
        transaction=transaction,
        height=height_of(receipt),
        block_hash=block_hash,
        success=success,
        gas_used=gas(receipt.get("gasUsed"), line),
        contract=created if success and any(created) else b"",
    )


def height_of(receipt: Json) -> int:
    """The number of the block in which a receipt says that it stands.

    Raises:
        BadAnswer: it says none.
    """
    return whole(receipt.get("blockNumber"), "blockNumber of the receipt")


def read_events(node: Node, first: int, last: int, gateway: bytes) -> list[GatewayEvent]:
    """The gateway's events of blocks `first` to `last` inclusive, in ledger order.

    Raises:
        AdapterError: the node does not answer, or not in its form.
    """
    found: list[GatewayEvent] = []
    for start in range(first, last + 1, BLOCKS_AT_ONCE):
        blocks = node.each(node.block, range(start, min(start + BLOCKS_AT_ONCE, last + 1)))
        hashes = [transaction_hashes(block) for block in blocks]
        receipts = iter(node.receipts([transaction for group in hashes for transaction in group]))
        for place, (block, group) in enumerate(zip(blocks, hashes, strict=True)):
            found += _events_of(node, start + place, block, [(item, next(receipts)) for item in group], gateway)
    return found


def _events_of(
    node: Node, height: int, block: Json, receipts: Sequence[tuple[bytes, Json]], gateway: bytes
) -> list[GatewayEvent]:
    block_hash = data(block.get("hash"), "hash of the block", 32)
    time_s = whole(block.get("timestamp"), "timestamp") // 1000
    found: list[GatewayEvent] = []
    index = 0
    for transaction, receipt in receipts:
        if height_of(receipt) != height:
            raise BadAnswer(f"a receipt of block {height} says another block; leave the endpoint.")
        for log in read_logs(receipt, node.line):
            if log.address == gateway and log.topics and log.topics[0] in _SIGNATURES:
                position = Position(height, block_hash, transaction, index, time_s)
                found.append(decode_event(log.topics, log.data, position))
            index += 1
    return found


def last_move(
    logs: Sequence[Log], gateway: bytes, lane_id: bytes, direction: int, signatures: tuple[bytes, bytes]
) -> bool:
    """Whether one of the logs moves the head of a lane and direction.

    Args:
        logs: of one receipt.
        gateway: 20 bytes.
        lane_id: 32 bytes.
        direction: 0 outbox, 1 outcomes.
        signatures: first topics of `MessageSent` and `HeadMoved`.
    """
    sent, moved = signatures
    for log in logs:
        if log.address != gateway or len(log.topics) != 3 or log.topics[1] != lane_id:
            continue
        if direction == 0 and log.topics[0] == sent:
            return True
        if direction and log.topics[0] == moved and log.topics[2] == direction.to_bytes(32, "big"):
            return True
    return False


def _log(item: object) -> Log:
    fields = record(item, "a log")
    topics = tuple(data(topic, "topic of a log", 32) for topic in listed(fields.get("topics"), "topics", 4))
    return Log(data(fields.get("address"), "address of a log", 20), topics, data(fields.get("data"), "data of a log"))
