"""What a lane carries, out of the database: messages on the way out, their outcomes on the way back, and the ids of both."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, literal, select

from relay.steps.sides import BACK, Side
from relay.store.tables import messages, outcomes
from schemas.message import Message
from schemas.outcome import Settled, Status, outcome_id
from schemas.primitives import Bytes32, Head, LaneId, MessageId
from schemas.suites import Suite, suite_named

BATCH_BYTES = 120_000
"""Calldata bytes of the entries of one delivery or settlement: with claim and proof it stays below the 128 KiB that pools take."""
BATCH_GAS = 12_000_000
"""Gas of the receivers of one delivery, or of the senders' callbacks of one settlement."""
MESSAGE_BYTES = 544
"""Calldata of a message besides its payload: fifteen words, and two more for a receiver of 64 bytes."""
OUTCOME_BYTES = 928
"""Calldata of a settled message: the same, its status, and a result of 256 bytes."""

Entry = Message | Settled


def batch_ends(
    connection: Connection, lane: Row[Any], side: Side, first: int, last: int, *, batches: int, room: int = BATCH_BYTES
) -> list[int]:
    """Cut a run of entries into batches by count, calldata and gas of what is called; return their last nonces.

    Args:
        connection: an open transaction.
        lane: the lane's row.
        side: the direction.
        first: nonce of the first entry.
        last: nonce of the last one.
        batches: no more of them are looked for than these, and one that may be cut short.
        room: bytes of calldata that the entries of a batch may take.
    """
    mine = (messages.c.lane_id == lane.lane_id, messages.c.nonce >= first, messages.c.nonce <= last)
    size_of: ColumnElement[Any]
    if side is BACK:
        called = select(messages.c.nonce).where(*mine, messages.c.callback_gas != 0).limit(1)
        if connection.execute(called).first() is None:
            step_size = min(lane.batch_limit, room // OUTCOME_BYTES)
            return [*range(first + step_size - 1, last, step_size), last][: batches + 1]
        size_of, gas_of = literal(OUTCOME_BYTES), messages.c.callback_gas
    else:
        size_of, gas_of = func.length(messages.c.payload) + literal(MESSAGE_BYTES + 31), messages.c.gas_limit
    sizes = connection.execute(
        select(messages.c.nonce, size_of, gas_of)
        .where(*mine)
        .order_by(messages.c.nonce)
        .limit(batches * lane.batch_limit)
    )
    ends: list[int] = []
    count = size = gas = 0
    previous = first - 1
    for nonce, length, gas_limit in sizes:
        if count and (count >= lane.batch_limit or size + length > room or gas + gas_limit > BATCH_GAS):
            ends.append(previous)
            count = size = gas = 0
        count, size, gas, previous = count + 1, size + length, gas + gas_limit, nonce
    return [*ends, previous]


def heads_after(connection: Connection, lane: Row[Any], side: Side, nonces: list[int]) -> dict[int, Head]:
    """The heads after the given entries."""
    table = outcomes if side is BACK else messages
    found = connection.execute(
        select(table.c.nonce, table.c.head).where(table.c.lane_id == lane.lane_id, table.c.nonce.in_(nonces))
    )
    return {row.nonce: Head(row.head) for row in found}


def entries_of(connection: Connection, lane: Row[Any], side: Side, first: int, last: int) -> list[Entry]:
    """The messages, or what became of them, from nonce `first` to `last`."""
    suite = suite_named(lane.suite)
    if side is BACK:
        return [*_settled_entries(connection, lane, suite, first, last)]
    return [*_messages(connection, lane, suite, first, last)]


def ids_of(connection: Connection, lane: Row[Any], side: Side, first: int, last: int) -> tuple[bytes, ...]:
    """The ids of the entries from nonce `first` to `last`, without the entries themselves."""
    table = outcomes if side is BACK else messages
    rows = connection.execute(
        select(table)
        .with_only_columns(*([table.c.message_id] if side is not BACK else _OUTCOME))
        .where(table.c.lane_id == lane.lane_id, table.c.nonce >= first, table.c.nonce <= last)
        .order_by(table.c.nonce)
    )
    if side is not BACK:
        return tuple(bytes(row.message_id) for row in rows)
    suite = suite_named(lane.suite)
    return tuple(bytes(outcome_id(suite, MessageId(row.message_id), Status(row.status), row.result)) for row in rows)


_OUTCOME = (outcomes.c.message_id, outcomes.c.status, outcomes.c.result)


def entry_id(entry: Entry, suite: Suite, lane_id: LaneId) -> bytes:
    """The id of a message, or of an outcome."""
    if isinstance(entry, Settled):
        return bytes(entry.outcome_id(suite, lane_id))
    return bytes(entry.message_id(suite, lane_id))


def _messages(connection: Connection, lane: Row[Any], suite: Suite, first: int, last: int) -> list[Message]:
    rows = connection.execute(
        select(messages)
        .where(messages.c.lane_id == lane.lane_id, messages.c.nonce >= first, messages.c.nonce <= last)
        .order_by(messages.c.nonce)
    )
    return [_message(row, suite) for row in rows]


def _message(row: Row[Any], suite: Suite) -> Message:
    return Message(
        row.nonce,
        row.sender,
        row.receiver,
        row.expires_at,
        row.gas_limit,
        row.callback_gas,
        len(row.payload),
        Bytes32(suite.hash(row.payload)),
        row.payload,
    )


def _settled_entries(connection: Connection, lane: Row[Any], suite: Suite, first: int, last: int) -> list[Settled]:
    rows = connection.execute(
        select(messages, outcomes.c.status, outcomes.c.result)
        .join(outcomes, (outcomes.c.lane_id == messages.c.lane_id) & (outcomes.c.nonce == messages.c.nonce))
        .where(messages.c.lane_id == lane.lane_id, messages.c.nonce >= first, messages.c.nonce <= last)
        .order_by(messages.c.nonce)
    )
    return [Settled(_message(row, suite).without_payload(), Status(row.status), row.result) for row in rows]
