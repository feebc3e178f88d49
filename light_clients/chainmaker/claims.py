"""What a transaction of an accepted block proves about a lane: by the gateway's event, or by its write to the head's slot.

An event is a word of the virtual machine, a write is the state itself. The machine for Solidity names in every event the
contract whose code ran; a container (docker-go) sends its events with whatever contract name it likes. So an event is taken
only from a transaction that called the gateway itself, and from no transaction where the pin says so (`write_set_only`).
A write set is taken from any transaction, also where an application's contract called the gateway.

1. The transaction calls a contract, and both of its result codes are 0.
2. The gateway reported an event in it, and every such event carries the pinned version: what ran is the pinned code.
3. By event: the transaction called the gateway; one of the gateway's events is of this lane and direction; it has the form of
   the machine (topics and data in hexadecimal); its head is the one that is claimed or proved; and its number of entries is
   the claimed one, or not below it where the claim is a prefix.
4. By write set: its hash is the one in the transaction; under the gateway's exact name it has the head's slot once — the
   machine also writes what was only read, under other names —; and the value is the head that is claimed or proved.

A head that was written is a true prefix of the lane for good, so it needs no proof that nothing followed it.
Keys are the slot's hexadecimal without its leading zero bytes, values the word without its leading zero bytes.
"""

from __future__ import annotations

from light_clients.chainmaker.errors import (
    ClaimNonceMismatch,
    EventInvalid,
    EventsNotAccepted,
    GatewayVersionMismatch,
    TransactionFailed,
    TransactionForeign,
    WriteSetMismatch,
)
from light_clients.chainmaker.merkle import Hash
from light_clients.chainmaker.transactions import INVOKE_CONTRACT, ContractEvent, Transaction, read_writes
from light_clients.chainmaker.types import ChainMakerPin
from light_clients.errors import GatewayAbsent, HeadAbsent, HeadMismatch
from light_clients.proofs.gateway import head_slot
from schemas.claim import Claim, Direction
from schemas.primitives import Head
from schemas.suites import integer_word, keccak256

MESSAGE_SENT = keccak256(b"MessageSent(bytes32,uint64,bytes32,bytes32,bytes,bytes,uint64,uint64,uint64,bytes)").hex()
"""Topic of the event that moves the outbox head: indexed lane and nonce; message id and head first in its data."""

HEAD_MOVED = keccak256(b"HeadMoved(bytes32,uint8,uint64,bytes32)").hex()
"""Topic of the event that moves another head: indexed lane and direction; nonce and head in its data."""

LOG_ANCHORED = keccak256(b"LogAnchored(address,uint64,bytes32)").hex()
"""Topic of the event that notes an evidence log: indexed account; size and root in its data (`log_notes`)."""

_HEXADECIMAL = frozenset("0123456789abcdef")


def check_claim(
    transaction: Transaction, write_set: bytes, digest: Hash, pin: ChainMakerPin, claim: Claim, proved_head: Head | None
) -> None:
    """Judges what a transaction shows; the list of checks is the module's.

    Args:
        transaction: A transaction that is in the claim's block.
        write_set: Protobuf of its read-write set; empty where its events are the evidence.
        digest: The chain's hash.
        pin: The gateway's name and version.
        claim: Names the lane, the direction, the head and the number of entries.
        proved_head: The head that is shown, where the claim is a prefix of it.

    Raises:
        ClaimRefused: The claim is not shown, by its name.
        WriteSetMismatch: The write set is another one.
        ProtobufRefused: The write set cannot be read.
    """
    # 1. and 2. The transaction, and the version of the gateway.
    events = gateway_events(transaction, pin)
    expected = claim.head if proved_head is None else proved_head
    if write_set:
        _check_write(gateway_writes(transaction, write_set, digest, pin), claim, expected)
        return
    # 3. The event.
    check_called(transaction, pin)
    moves = [move for move in (_move_of(event) for event in events) if move[:2] == (claim.lane_id, claim.direction)]
    if not moves:
        raise HeadAbsent("No event moves the head of this lane and direction.", expected=claim.lane_id)
    for _, _, nonce, head in moves:
        if head == expected:
            if nonce < claim.nonce or (proved_head is None and nonce > claim.nonce):
                raise ClaimNonceMismatch("The event counts other entries.", expected=claim.nonce, found=nonce)
            return
    raise HeadMismatch("The events show other heads.", expected=expected, found=moves[-1][3])


def slot_key(claim: Claim) -> bytes:
    """The key under which the machine for Solidity writes the slot of a claim's head."""
    return key_of(head_slot(claim.lane_id, claim.direction))


def gateway_events(transaction: Transaction, pin: ChainMakerPin) -> list[ContractEvent]:
    """What the pinned gateway reported in a transaction (checks 1 and 2).

    Raises:
        TransactionFailed: The transaction failed, or calls no contract.
        GatewayAbsent: The gateway reported nothing.
        GatewayVersionMismatch: It ran another version.
    """
    if transaction.transaction_type != INVOKE_CONTRACT or not transaction.succeeded:
        raise TransactionFailed("The transaction failed, or calls no contract.", found=transaction.code)
    events = [event for event in transaction.events if event.contract == pin.name]
    if not events:
        raise GatewayAbsent("The transaction has no event of the gateway.", expected=pin.name)
    for event in events:
        if event.version != pin.version:
            raise GatewayVersionMismatch("The gateway ran another version.", expected=pin.version, found=event.version)
    return events


def check_called(transaction: Transaction, pin: ChainMakerPin) -> None:
    """Judges whether events of a transaction are evidence (check 3).

    Raises:
        EventsNotAccepted: They are none on this chain.
        TransactionForeign: It called another contract.
    """
    if pin.write_set_only:
        raise EventsNotAccepted("Events are no evidence on this chain; bring the write set.")
    if transaction.contract != pin.name:
        raise TransactionForeign(
            "The transaction called another contract; bring its write set.",
            expected=pin.name,
            found=transaction.contract,
        )


def gateway_writes(
    transaction: Transaction, write_set: bytes, digest: Hash, pin: ChainMakerPin
) -> list[tuple[bytes, bytes]]:
    """What a transaction wrote under the gateway's exact name, keys and values in order (check 4).

    Raises:
        WriteSetMismatch: The write set is another one.
        ProtobufRefused: It cannot be read.
    """
    found = digest(write_set)
    if found != transaction.write_set_hash:
        raise WriteSetMismatch("The write set is another one.", expected=transaction.write_set_hash, found=found)
    return [(write.key, write.value) for write in read_writes(write_set) if write.contract == pin.name]


def key_of(slot: bytes) -> bytes:
    """The key under which the machine for Solidity writes a slot of 32 bytes."""
    return slot.lstrip(b"\x00").hex().encode()


def event_words(event: ContractEvent, topics: int) -> tuple[list[bytes], list[bytes]]:
    """The indexed topics and the data of an event, in words of 32 bytes.

    Args:
        event: Of the gateway.
        topics: How many of its words are indexed, besides its own topic.

    Raises:
        EventInvalid: It is not of that form, in lower-case hexadecimal.
    """
    if len(event.data) != topics + 1 or any(len(text) % 64 or not _HEXADECIMAL.issuperset(text) for text in event.data):
        raise EventInvalid("An event of the gateway is not its topics and data in hexadecimal.", found=event.topic)
    *indexed, data = (bytes.fromhex(text) for text in event.data)
    if any(len(topic) != 32 for topic in indexed):
        raise EventInvalid("An event of the gateway has topics of another size.", found=event.topic)
    return indexed, [data[place : place + 32] for place in range(0, len(data), 32)]


def number(word: bytes) -> int:
    """A number of 64 bits in a word of 32 bytes.

    Raises:
        EventInvalid: It has more.
    """
    value = int.from_bytes(word, "big")
    if integer_word(value % 2**64) != word:
        raise EventInvalid("A number of the gateway has more than 64 bits.", found=word)
    return value


def _check_write(writes: list[tuple[bytes, bytes]], claim: Claim, expected: Head) -> None:
    # 4. The write set.
    key = slot_key(claim)
    values = [value for written, value in writes if written == key]
    if len(values) != 1:
        raise HeadAbsent("The transaction does not write the head's slot, or twice.", expected=key, found=len(values))
    if values[0].rjust(32, b"\x00") != expected:
        raise HeadMismatch("The transaction writes another head.", expected=expected, found=values[0])


def _move_of(event: ContractEvent) -> tuple[bytes, int, int, bytes]:
    """Lane, direction, nonce and head of an event of the gateway; a direction of -1 where it moves no head."""
    if event.topic == MESSAGE_SENT:
        (lane, nonce), data = _moved(event, minimum=8)
        return lane, Direction.OUTBOX, number(nonce), data[1]
    if event.topic == HEAD_MOVED:
        (lane, direction), data = _moved(event, minimum=2)
        return lane, number(direction), number(data[0]), data[1]
    return b"", -1, 0, b""


def _moved(event: ContractEvent, minimum: int) -> tuple[list[bytes], list[bytes]]:
    topics, data = event_words(event, 2)
    if len(data) < minimum:
        raise EventInvalid("An event of the gateway has data of another size.", found=event.topic)
    return topics, data
