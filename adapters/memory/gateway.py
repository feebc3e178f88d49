"""The gateway's rules in Python, for the ledger in this process: send, deliver, settle, anchor, pause, close.

It has no allow-lists, windows or officers: the Solidity gateway has, and is tested for them. What it shares with
it, byte for byte, is every id, head, event, proof and status. Source: docs/protocol.md, section What a gateway does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import dropwhile
from typing import TypeVar

from adapters.memory.verifiers import Question, Verifier
from adapters.protocol import (
    Anchoring,
    Delivery,
    GatewayEvent,
    HeadMoved,
    LaneOpened,
    MessageDelivered,
    MessageSent,
    Position,
    Settlement,
    VerifierChanged,
)
from schemas.claim import Claim, Direction
from schemas.heads import fold, fold_all, outbox_genesis, outcomes_genesis
from schemas.lane import Lane
from schemas.message import Message
from schemas.outcome import Settled, Status, outcome_id
from schemas.primitives import RESULT_MAX_BYTES, ChainWord, Head, LaneId, MessageId, SchemaError
from schemas.suites import integer_word, keccak256

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
    verifier: Verifier
    peer_code_hash: bytes
    outbox_head: Head
    inbox_head: Head
    outcomes_head: Head
    settled_head: Head
    sent: int = 0
    settled: int = 0
    delivered: int = 0
    paused: bool = False
    closed: bool = False
    verifier_changes: int = 0
    anchors: Mapping[Head, bytes] = field(default_factory=dict)

    @property
    def peer_gateway(self) -> bytes:
        """The gateway at the other end."""
        return self.lane.source_gateway if self.end else self.lane.destination_gateway

    @property
    def generation(self) -> bytes:
        """What anchors are kept under: heads anchored under another generation are anchored no more."""
        return keccak256(integer_word(self.verifier_changes) + self.verifier.generation)

    def is_anchored(self, head: Head) -> bool:
        """Whether a head is anchored in the present generation."""
        return self.anchors.get(head) == self.generation


@dataclass(frozen=True, slots=True)
class LogNote:
    """What an account noted of its evidence log: the number of its leaves, and its root of 32 bytes."""

    size: int
    root: bytes


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
        self.notes: dict[bytes, LogNote] = {}

    def open_lane(self, frame: Frame, lane: Lane, end: int, verifier: Verifier, peer_code_hash: bytes) -> None:
        """Open this gateway's end (0 source, 1 destination) of a lane, once."""
        ours = (lane.source, lane.source_gateway) if end == 0 else (lane.destination, lane.destination_gateway)
        if ours != (self.chain_word, self.address):
            raise Reverted("NotOurEnd")
        if lane.lane_id in self.lanes:
            raise Reverted("LaneExists")
        outbox, outcomes = outbox_genesis(lane.lane_id), outcomes_genesis(lane.suite, lane.lane_id)
        self.lanes[lane.lane_id] = LaneState(lane, end, verifier, peer_code_hash, outbox, outbox, outcomes, outcomes)
        opened = LaneOpened(
            lane.lane_id,
            end,
            lane.hub,
            lane.source,
            lane.source_gateway,
            lane.destination,
            lane.destination_gateway,
            lane.channel,
            verifier.address,
            peer_code_hash,
            NOWHERE,
        )
        frame.events.append(opened)

    def set_verifier(self, frame: Frame, lane_id: LaneId, verifier: Verifier) -> None:
        """Give a lane another verifier; every anchor of it is void."""
        state = self.lanes[lane_id]
        changes = state.verifier_changes + 1
        self.lanes[lane_id] = replace(state, verifier=verifier, verifier_changes=changes)
        frame.events.append(VerifierChanged(lane_id, verifier.address, NOWHERE))

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
        anchors = self._consume(state, action, inbox, nonce)
        outcomes = state.outcomes_head
        for message, message_id in zip(new, ids, strict=True):
            status, result = self._run(frame, state, message, message_id)
            outcomes = fold(suite, outcomes, outcome_id(suite, message_id, status, result))
            frame.events.append(MessageDelivered(action.lane_id, message.nonce, message_id, status, result, NOWHERE))
        self.lanes[action.lane_id] = replace(
            state, delivered=nonce, inbox_head=inbox, outcomes_head=outcomes, anchors=anchors
        )
        frame.events.append(HeadMoved(action.lane_id, 2, nonce, inbox, NOWHERE))
        frame.events.append(HeadMoved(action.lane_id, 1, nonce, outcomes, NOWHERE))

    def settle(self, frame: Frame, action: Settlement) -> None:
        """Settle what was sent under a claim on the peer's outcome head."""
        state = self._lane(action.lane_id, end=0)
        suite = state.lane.suite
        new = _new_entries([(entry.message.nonce, entry) for entry in action.settled], state.settled)
        nonce = state.settled + len(new)
        if max(nonce, action.claim.nonce) > state.sent:
            raise Reverted("NeverSent")
        if any(entry.message.payload for entry in new):
            raise Reverted("PayloadGiven")
        head = fold_all(suite, state.settled_head, [entry.outcome_id(suite, action.lane_id) for entry in new])
        anchors = self._consume(state, action, head, nonce)
        self.lanes[action.lane_id] = replace(state, settled=nonce, settled_head=head, anchors=anchors)
        frame.events.append(HeadMoved(action.lane_id, 3, nonce, head, NOWHERE))

    def anchor(self, action: Anchoring) -> None:
        """Keep a head of the peer's history that leads by later ids to one that is believed."""
        state = self.lanes.get(action.lane_id)
        if state is None:
            raise Reverted("UnknownLane")
        if state.paused:
            raise Reverted("LanePaused")
        if fold_all(state.lane.suite, action.head, action.ids) != action.claim.head:
            raise Reverted("HeadMismatch")
        self._believe(state, action.claim, action.proof)
        self.lanes[action.lane_id] = replace(state, anchors={**state.anchors, action.head: state.generation})

    def anchor_log(self, frame: Frame, note: LogNote) -> None:
        """Note how long the sender's evidence log is; it only grows."""
        if note.size <= self.logged_anchor(frame.sender).size:
            raise Reverted("LogNotLonger")
        self.notes[frame.sender] = note

    def logged_anchor(self, account: bytes) -> LogNote:
        """What an account noted last; size 0: nothing yet."""
        return self.notes.get(account, LogNote(0, bytes(32)))

    def _lane(self, lane_id: LaneId, end: int) -> LaneState:
        state = self.lanes.get(lane_id)
        if state is None:
            raise Reverted("UnknownLane")
        if state.end != end:
            raise Reverted("WrongEnd")
        if state.paused:
            raise Reverted("LanePaused")
        return state

    def _consume(self, state: LaneState, action: Delivery | Settlement, head: Head, nonce: int) -> Mapping[Head, bytes]:
        """Believe that the entries up to `head` and the later ids lead to a claim that holds; returns the anchors that stay."""
        claim = action.claim
        if fold_all(state.lane.suite, head, action.suffix_ids) != claim.head:
            raise Reverted("HeadMismatch")
        if claim.nonce != nonce + len(action.suffix_ids):
            raise Reverted("ClaimNonceMismatch")
        self._believe(state, claim, action.proof)
        if action.proof or action.suffix_ids:
            return state.anchors
        return {anchored: generation for anchored, generation in state.anchors.items() if anchored != claim.head}

    def _believe(self, state: LaneState, claim: Claim, proof: bytes) -> None:
        if claim.lane_id != state.lane.lane_id:
            raise Reverted("ClaimForAnotherLane")
        if claim.direction != (Direction.OUTBOX if state.end else Direction.OUTCOMES):
            raise Reverted("WrongDirection")
        if not proof:
            if not state.is_anchored(claim.head):
                raise Reverted("NotAnchored")
            return
        question = Question(
            state.lane.suite,
            self.chain_word,
            self.address,
            state.peer_gateway,
            state.peer_code_hash,
            claim,
            proof,
        )
        refusal = state.verifier.judge(question)
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
    """Leave out what stands at the beginning and is done already; the rest follows without a gap, and is not empty."""
    new = list(dropwhile(lambda entry: entry[0] <= done, entries))
    if not new:
        raise Reverted("NothingNew")
    if [nonce for nonce, _ in new] != list(range(done + 1, done + 1 + len(new))):
        raise Reverted("NonceGap")
    return [entry for _, entry in new]


def _check_payload(state: LaneState, message: Message) -> None:
    try:
        message.check(state.lane.suite)
    except SchemaError as error:
        raise Reverted("PayloadMismatch") from error
