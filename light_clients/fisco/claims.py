"""What a receipt proves of a lane.

There is no proof of state on FISCO BCOS, so a head is believed because the gateway told it in an event: `MessageSent` tells the
head of the outbox, `HeadMoved` with direction 1 the head of the outcomes (docs/encodings.md, Solidity).

Line 2: any transaction's receipt; the last such event of the lane in it counts.
Line 3: a receipt can be read in more than one way (`executions`), so the transaction must be a direct call of the gateway:
- of `send`, which returns 32 bytes and emits one event: both boundaries are then known;
- or of `deliver`, whose last event is the head of the outcomes, of a known size before the block's number.
Heads are running, so an event of an application's own call is proved by the next direct one.
"""

from __future__ import annotations

from light_clients.errors import HeadAbsent, HeadMismatch
from light_clients.fisco.errors import CallUnexpected, ExecutionFailed
from light_clients.fisco.evidence import Execution, FiscoPin
from light_clients.fisco.executions import Log, Receipt, proved_call, proved_receipt
from light_clients.fisco.types import (
    FiscoConfiguration,
    FiscoHeader,
)
from schemas.claim import Claim, Direction
from schemas.primitives import Head
from schemas.suites import integer_word, keccak256

MESSAGE_SENT = keccak256(b"MessageSent(bytes32,uint64,bytes32,bytes32,bytes,bytes,uint64,uint64,uint64,bytes)")
HEAD_MOVED = keccak256(b"HeadMoved(bytes32,uint8,uint64,bytes32)")


def verify_event(
    header: FiscoHeader,
    configuration: FiscoConfiguration,
    pin: FiscoPin,
    claim: Claim,
    execution: Execution,
    proved_head: Head | None,
) -> None:
    """Proves that the gateway told a head in a block.

    Args:
        header: The accepted header of the block.
        configuration: Says the line and the suite.
        pin: The gateway.
        claim: Names the lane, the direction, the number of entries and the head.
        execution: The transaction that emitted the event.
        proved_head: The head that the event tells, where the claim is a prefix of it.

    Raises:
        HeadAbsent: There is no such event in the receipt.
        HeadMismatch: It tells another head or number of entries.
        ExecutionFailed: The transaction failed.
        ReceiptBlockMismatch: The receipt names another block.
        CallUnexpected: Line 3: the transaction is no direct call of the function.
        Refused: The transaction, the receipt or a path does not hold.
    """
    # 1. The receipt stands in the block and says success.
    receipt = proved_receipt(execution, configuration, header.receipts_root, header.height)
    if receipt.status:
        raise ExecutionFailed("The transaction failed.", expected=0, found=receipt.status)
    # 2. Its reading is the only one.
    if configuration.line == 3:
        _check_direct_call(header, configuration, pin, claim, execution, receipt)
    elif execution.transaction or execution.transaction_path:
        raise CallUnexpected("A claim of line 2 needs no transaction.")
    # 3. The last event of the lane tells the head.
    logs = receipt.logs[-1:] if configuration.line == 3 else receipt.logs
    told = [event for event in (_read_event(log, pin, claim) for log in logs) if event is not None]
    if not told:
        raise HeadAbsent("The gateway tells no head of this lane and direction in the receipt.", expected=claim.lane_id)
    nonce, head = told[-1]
    expected = claim.head if proved_head is None else proved_head
    if head != expected:
        raise HeadMismatch("The gateway tells another head.", expected=expected, found=head)
    if nonce < claim.nonce or (proved_head is None and nonce != claim.nonce):
        raise HeadMismatch("The head is of another number of entries.", expected=claim.nonce, found=nonce)


def _check_direct_call(
    header: FiscoHeader,
    configuration: FiscoConfiguration,
    pin: FiscoPin,
    claim: Claim,
    execution: Execution,
    receipt: Receipt,
) -> None:
    call = proved_call(execution, configuration, header.transactions_root)
    sends = claim.direction == Direction.OUTBOX
    selector = pin.send_selector if sends else pin.deliver_selector
    if call.to != pin.address or call.data[:4] != selector or receipt.created:
        raise CallUnexpected("The transaction is no direct call of the gateway's function.", expected=selector)
    if sends and (len(receipt.output) != 32 or len(receipt.logs) != 1):
        raise CallUnexpected("A call of send returns 32 bytes and emits one event.", found=len(receipt.logs))


def _read_event(log: Log, pin: FiscoPin, claim: Claim) -> tuple[int, bytes] | None:
    """The number of entries and the head that a log tells of the claim's lane and direction, if it does."""
    sends = claim.direction == Direction.OUTBOX
    if log.address != pin.address or len(log.topics) != 3 or log.topics[1] != claim.lane_id:
        return None
    if sends and log.topics[0] == MESSAGE_SENT and len(log.data) >= 64:
        return int.from_bytes(log.topics[2], "big"), log.data[32:64]
    moved = log.topics[0] == HEAD_MOVED and log.topics[2] == integer_word(Direction.OUTCOMES)
    if not sends and moved and len(log.data) == 64:
        return int.from_bytes(log.data[:32], "big"), log.data[32:]
    return None
