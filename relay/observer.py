"""One look at a ledger, shared by the hub and by every operator: what an endpoint says is believed only when it folds to a proof.

A look has two parts:

1. `follow(…)`: fetch the headers after the trusted one and judge each with the light client.
2. `observe(…)`: fetch the gateway's events up to a verified header, fold them onto the heads that are known, fetch the proof
   of each head at that header, and judge it. Only then are the events returned.

What goes wrong is one of: `AdapterError` (the endpoint is slow, down, or not of the platform's form), `Lied` (what it says
does not fold to what is proved, or its header is refused: leave it, keep waiting) or `Misbehaviour` (two final headers of one
height: freeze). What an endpoint leaves out is noticed too: `may_have_moved` reads the headers' bloom filters, and `prove` shows
that a history which seems to stand still does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.protocol import (
    HeadMoved,
    LaneOpened,
    Ledger,
    MessageDelivered,
    MessageSent,
    VerifierChanged,
)
from adapters.solidity.events import HEAD_MOVED, MESSAGE_SENT
from light_clients.errors import HeadAbsent, Refused
from light_clients.proofs.bloom import may_contain
from light_clients.proofs.gateway import GatewayPin, SlotEvidence
from relay.following import Lied
from schemas.claim import Claim, Direction
from schemas.heads import fold
from schemas.outcome import outcome_id
from schemas.primitives import BlockHash, Head, LaneId, SchemaError
from schemas.suites import Suite

BLOCKS_A_REQUEST = 500


@dataclass(frozen=True, slots=True)
class Track:
    """One history that is followed: how many entries are known and the head after them."""

    lane_id: LaneId
    direction: Direction
    suite: Suite
    nonce: int
    head: Head


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a history: its event, its id and the head after it."""

    nonce: int
    event: MessageSent | MessageDelivered
    entry_id: bytes
    head: Head


@dataclass(slots=True)
class History:
    """What one look added to a track: entries in order, and the proof of the last head."""

    track: Track
    entries: list[Entry] = field(default_factory=list)
    evidence: SlotEvidence | None = None

    @property
    def nonce(self) -> int:
        """Entries known after the look."""
        return self.entries[-1].nonce if self.entries else self.track.nonce

    @property
    def head(self) -> Head:
        """The head after them."""
        return self.entries[-1].head if self.entries else self.track.head


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at a ledger up to a verified header showed.

    Attributes:
        height: the header's height.
        block_hash: its hash.
        histories: the tracks that moved, each with its proof.
        settled: for each lane, the nonce of the last HeadMoved of direction 3.
        opened: lanes that the gateway opened.
        changed: lanes that were given another verifier, in the ledger's order.
    """

    height: int
    block_hash: BlockHash
    histories: tuple[History, ...]
    settled: dict[LaneId, HeadMoved]
    opened: tuple[LaneOpened, ...]
    changed: tuple[VerifierChanged, ...] = ()


def observe(ledger: Ledger, client: Any, state: Any, pin: GatewayPin, tracks: Sequence[Track], first: int) -> Look:
    """Read the gateway's events from height `first` to the state's height and believe them by proof.

    Args:
        ledger: where they are fetched.
        client: the light client.
        state: its trusted state; the proof is asked at its height.
        pin: the gateway's address and code hash.
        tracks: every history on this ledger that is followed.
        first: the first height whose events are not known yet.

    Returns:
        The look; its histories are those that moved.

    Raises:
        AdapterError: the endpoint does not answer properly.
        Lied: events do not fold, or the proof is refused.
    """
    histories = {(track.lane_id, int(track.direction)): History(track) for track in tracks}
    settled: dict[LaneId, HeadMoved] = {}
    opened: list[LaneOpened] = []
    changed: list[VerifierChanged] = []
    start = first
    while start <= state.height:
        end = min(start + BLOCKS_A_REQUEST - 1, state.height)
        events, endpoint = ledger.events(start, end, pin.address), ledger.endpoint
        for event in events:
            if isinstance(event, MessageSent):
                _add_message(histories, event, endpoint)
            elif isinstance(event, MessageDelivered):
                _add_outcome(histories, event, endpoint)
            elif isinstance(event, HeadMoved):
                _check_move(histories, event, endpoint)
                if event.direction == 3:
                    settled[event.lane_id] = event
            elif isinstance(event, VerifierChanged):
                changed.append(event)
            else:
                opened.append(event)
        start = end + 1
    moved = tuple(history for history in histories.values() if history.entries)
    prove(ledger, client, state, pin, moved)
    return Look(state.height, state.block_hash, moved, settled, tuple(opened), tuple(changed))


def may_have_moved(headers: Sequence[bytes], pin: GatewayPin, tracks: Sequence[Track]) -> list[Track]:
    """The tracks that, by the bloom filters of verified headers, may have moved in these blocks.

    An endpoint that shows no event of such a track has to prove that its head is the known one.
    """
    busy = [header for header in headers if may_contain(header, pin.address)]
    topics = {Direction.OUTBOX: MESSAGE_SENT, Direction.OUTCOMES: HEAD_MOVED}
    return [
        track
        for track in tracks
        if any(may_contain(header, track.lane_id) and may_contain(header, topics[track.direction]) for header in busy)
    ]


def prove(ledger: Ledger, client: Any, state: Any, pin: GatewayPin, histories: Sequence[History]) -> None:
    """Fetch and judge the proof of each history's last head at the state's height; keeps it in the history.

    A history without entries whose lane is proved not to be open at that end stays without evidence.

    Raises:
        AdapterError: the endpoint does not answer properly.
        Lied: a proof is refused: the endpoint's events or its proof are false.
    """
    if not histories:
        return
    wanted = [(history.track.lane_id, int(history.track.direction)) for history in histories]
    for history, found in zip(histories, ledger.evidence(pin.address, wanted, state.height), strict=True):
        evidence = SlotEvidence(found.header, found.account_proof, found.storage_proof)
        nonce = max(history.nonce, 1)  # a proof shows no nonce, and a claim has none of 0
        claim = Claim(
            history.track.lane_id, history.track.direction, nonce, history.head, state.height, state.block_hash
        )
        try:
            client.verify_claim(state, claim, evidence, pin)
        except HeadAbsent as absent:
            if history.nonce:
                raise Lied(absent.name, absent.message, ledger.endpoint) from absent
            continue
        except Refused as refusal:
            raise Lied(refusal.name, refusal.message, ledger.endpoint) from refusal
        history.evidence = evidence


def _add_message(histories: dict[tuple[LaneId, int], History], event: MessageSent, endpoint: str) -> None:
    history = histories.get((event.lane_id, 0))
    if history is None or event.message.nonce <= history.nonce:
        return
    suite = history.track.suite
    try:
        event.message.check(suite)
    except SchemaError as error:
        raise Lied("MessageMalformed", f"Message {event.message.nonce}: {error}.", endpoint) from error
    if event.message.hash_only:
        raise Lied("PayloadHidden", f"Message {event.message.nonce} came without its payload.", endpoint)
    entry_id = event.message.message_id(suite, event.lane_id)
    head = fold(suite, history.head, entry_id)
    if event.message.nonce != history.nonce + 1 or entry_id != event.message_id or head != event.head:
        raise Lied("EventDoesNotFold", f"Message {event.message.nonce} does not follow the known head.", endpoint)
    history.entries.append(Entry(event.message.nonce, event, entry_id, head))


def _add_outcome(histories: dict[tuple[LaneId, int], History], event: MessageDelivered, endpoint: str) -> None:
    history = histories.get((event.lane_id, 1))
    if history is None or event.nonce <= history.nonce:
        return
    suite = history.track.suite
    if event.nonce != history.nonce + 1:
        raise Lied("EventDoesNotFold", f"Outcome {event.nonce} does not follow outcome {history.nonce}.", endpoint)
    entry_id = outcome_id(suite, event.message_id, event.status, event.result)
    history.entries.append(Entry(event.nonce, event, entry_id, fold(suite, history.head, entry_id)))


def _check_move(histories: dict[tuple[LaneId, int], History], event: HeadMoved, endpoint: str) -> None:
    history = histories.get((event.lane_id, 1))
    if event.direction != 1 or history is None or event.nonce != history.nonce:
        return
    if event.head != history.head:
        raise Lied("EventDoesNotFold", f"Outcomes up to {event.nonce} do not fold to the head that moved.", endpoint)
