"""The gateway's rules in Python, for the ledger in this process: send, deliver, settle, pause, close.

It has no allow-lists, windows, anchors or officers: the Solidity gateway has, and is tested for them. What it shares with
it, byte for byte, is every id, head, event, proof and status. Source: docs/protocol.md, section What a gateway does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from adapters.memory.committee import Committee
from adapters.protocol import (
    Delivery,
    GatewayEvent,
    HeadMoved,
    LaneOpened,
    MessageDelivered,
    MessageSent,
    Position,
    Settlement,
)
from schemas.claim import Claim, Direction
from schemas.heads import fold, fold_all, outbox_genesis, outcomes_genesis
from schemas.lane import Lane
from schemas.message import Message
from schemas.outcome import Settled, Status, outcome_id
from schemas.primitives import RESULT_MAX_BYTES, ChainWord, Head, LaneId, MessageId, SchemaError

Receiver = Callable[[LaneId, MessageId, bytes, bytes], bytes]
"""An application that takes messages: (lane, message, sender, payload) → result; raises `Reverted` to fail."""

NOWHERE = Position(0, bytes(32), bytes(32), 0)


class Reverted(Exception):
    """A transaction or a receiver's call reverted; the text names the error."""


@dataclass(frozen=True, slots=True)
class LaneState:
    """What a gateway keeps of one lane; replaced as a whole, so that a block's state can be kept and returned to."""

    lane: Lane
    end: int
    committee: Committee
    outbox_head: Head
    inbox_head: Head
    outcomes_head: Head
    settled_head: Head
    sent: int = 0
    settled: int = 0
    delivered: int = 0
    paused: bool = False
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """What a transaction runs in: who sent it, the block's time in Unix seconds, and the events that it emits."""

    sender: bytes
    now: int
    events: list[GatewayEvent]


class Gateway:
    """One gateway: its lanes and the applications that it calls."""

    def __init__(self, chain_word: ChainWord, address: bytes, *, minimum_expiry_s: int) -> None:
        self.chain_word = chain_word
        self.address = address
        self.minimum_expiry_s = minimum_expiry_s
        self.lanes: dict[LaneId, LaneState] = {}
        self.receivers: dict[bytes, Receiver] = {}

    def open_lane(self, frame: Frame, lane: Lane, end: int, committee: Committee, peer_code_hash: bytes) -> None:
        """Open this gateway's end (0 source, 1 destination) of a lane, once."""
        ours = (lane.source, lane.source_gateway) if end == 0 else (lane.destination, lane.destination_gateway)
        if ours != (self.chain_word, self.address):
            raise Reverted("NotOurEnd")
        if lane.lane_id in self.lanes:
            raise Reverted("LaneExists")
        outbox, outcomes = outbox_genesis(lane.lane_id), outcomes_genesis(lane.suite, lane.lane_id)
        self.lanes[lane.lane_id] = LaneState(lane, end, committee, outbox, outbox, outcomes, outcomes)
        opened = LaneOpened(
            lane.lane_id,
            end,
            lane.hub,
            lane.source,
            lane.source_gateway,
            lane.destination,
            lane.destination_gateway,
            lane.channel,
            committee.address,
            peer_code_hash,
            NOWHERE,
        )
        frame.events.append(opened)

    def send(self, frame: Frame, lane_id: LaneId, message: Message) -> None:
        """Take a message that is checked and has the lane's next nonce, and move the outbox head."""
        state = self._lane(lane_id, end=0)
        if state.closed:
            raise Reverted("LaneIsClosed")
        if message.expires_at and message.expires_at < frame.now + self.minimum_expiry_s:
            raise Reverted("ExpiresTooSoon")
        message_id = message.message_id(state.lane.suite, lane_id)
        head = fold(state.lane.suite, state.outbox_head, message_id)
        self.lanes[lane_id] = replace(state, sent=message.nonce, outbox_head=head)
        frame.events.append(MessageSent(lane_id, message_id, head, message, NOWHERE))

    def deliver(self, frame: Frame, action: Delivery) -> None:
        """Consume new messages under a claim on the peer's outbox head, and keep each one's outcome."""
        state = self._lane(action.lane_id, end=1)
        suite = state.lane.suite
        new = _new_entries([(message.nonce, message) for message in action.messages], state.delivered)
        for message in new:
            _check_payload(state, message)
        ids = [message.message_id(suite, action.lane_id) for message in new]
        inbox = fold_all(suite, state.inbox_head, ids)
        nonce = state.delivered + len(new)
        self._check_claim(state, Direction.OUTBOX, action.claim, inbox, nonce, action.suffix_ids, action.proof)
        outcomes = state.outcomes_head
        for message, message_id in zip(new, ids, strict=True):
            status, result = self._run(frame, state, message, message_id)
            outcomes = fold(suite, outcomes, outcome_id(suite, message_id, status, result))
            frame.events.append(MessageDelivered(action.lane_id, message.nonce, message_id, status, result, NOWHERE))
        self.lanes[action.lane_id] = replace(state, delivered=nonce, inbox_head=inbox, outcomes_head=outcomes)
        frame.events.append(HeadMoved(action.lane_id, 2, nonce, inbox, NOWHERE))
        frame.events.append(HeadMoved(action.lane_id, 1, nonce, outcomes, NOWHERE))

    def settle(self, frame: Frame, action: Settlement) -> None:
        """Settle what was sent under a claim on the peer's outcome head."""
        state = self._lane(action.lane_id, end=0)
        suite = state.lane.suite
        new = _new_entries([(entry.message.nonce, entry) for entry in action.settled], state.settled)
        nonce = state.settled + len(new)
        if nonce > state.sent:
            raise Reverted("NeverSent")
        head = fold_all(suite, state.settled_head, [entry.outcome_id(suite, action.lane_id) for entry in new])
        self._check_claim(state, Direction.OUTCOMES, action.claim, head, nonce, action.suffix_ids, action.proof)
        self.lanes[action.lane_id] = replace(state, settled=nonce, settled_head=head)
        frame.events.append(HeadMoved(action.lane_id, 3, nonce, head, NOWHERE))

    def _lane(self, lane_id: LaneId, end: int) -> LaneState:
        state = self.lanes.get(lane_id)
        if state is None:
            raise Reverted("UnknownLane")
        if state.end != end:
            raise Reverted("WrongEnd")
        if state.paused:
            raise Reverted("LanePaused")
        return state

    def _check_claim(
        self,
        state: LaneState,
        direction: Direction,
        claim: Claim,
        head: Head,
        nonce: int,
        suffix_ids: Sequence[bytes],
        proof: bytes,
    ) -> None:
        suite = state.lane.suite
        if claim.lane_id != state.lane.lane_id:
            raise Reverted("ClaimForAnotherLane")
        if claim.direction != direction:
            raise Reverted("WrongDirection")
        if fold_all(suite, head, suffix_ids) != claim.head:
            raise Reverted("HeadMismatch")
        if claim.nonce != nonce + len(suffix_ids):
            raise Reverted("ClaimNonceMismatch")
        refusal = state.committee.verify(suite, self.chain_word, self.address, claim, proof)
        if refusal:
            raise Reverted(refusal)

    def _run(self, frame: Frame, state: LaneState, message: Message, message_id: MessageId) -> tuple[Status, bytes]:
        if message.expires_at and frame.now >= message.expires_at:
            return Status.EXPIRED, b""
        receiver = self.receivers.get(message.receiver)
        if state.closed or receiver is None:
            return Status.REFUSED, b""
        if message.hash_only:
            raise Reverted("PayloadMissing")
        try:
            result = receiver(state.lane.lane_id, message_id, message.sender, message.payload)
        except Reverted as error:
            return Status.FAILED, str(error).encode()[:RESULT_MAX_BYTES]
        return Status.EXECUTED, result[:RESULT_MAX_BYTES]


Entry = TypeVar("Entry", Message, Settled)


def _new_entries(entries: Sequence[tuple[int, Entry]], done: int) -> list[Entry]:
    """Leave out what is done already; the rest follows without a gap, and is not empty."""
    new = [entry for nonce, entry in entries if nonce > done]
    if not new:
        raise Reverted("NothingNew")
    if [nonce for nonce, _ in entries if nonce > done] != list(range(done + 1, done + 1 + len(new))):
        raise Reverted("NonceGap")
    return new


def _check_payload(state: LaneState, message: Message) -> None:
    try:
        message.check(state.lane.suite)
    except SchemaError as error:
        raise Reverted("PayloadMismatch") from error
