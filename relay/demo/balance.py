"""What became of every message, from the ledgers alone: light clients of the demo's own, proved heads, events that fold to them.

Nothing here reads a counter of the hub. For each ledger a fresh light client starts from the block that was pinned at
registration, judges every header since, and proves the heads of all lanes at the newest one; the gateway's events are
believed because they fold to these heads. Source: docs/protocol.md, sections The lane digest, Conservation.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Row

from adapters.protocol import HeadMoved, Ledger, MessageDelivered
from relay.clients import options_of_state
from relay.errors import BadInput
from relay.following import HEADERS_A_LOOK, HEADERS_BEFORE_EVENTS, follow
from relay.observer import Believer, Entry, History, Track, observe, prove
from relay.registry.chains import open_chain
from relay.registry.consensus import Pin, trust_ledger
from relay.trail import Trail
from schemas.claim import Direction
from schemas.heads import outbox_genesis, outcomes_genesis
from schemas.primitives import BlockHash, LaneId
from schemas.suites import suite_named

ENDINGS = {1: "executed", 2: "failed", 3: "expired", 4: "refused"}


@dataclass(slots=True)
class Proved:
    """What one ledger proves.

    Attributes:
        name: the ledger.
        headers: how many headers were verified, from the pinned block on.
        height: the verified header at which the heads were proved.
        histories: by lane and direction, every entry since the lane was opened.
        settled: by lane, the last head that settle moved.
    """

    name: str
    headers: int
    height: int
    histories: dict[tuple[LaneId, Direction], History]
    settled: dict[LaneId, HeadMoved]


@dataclass(slots=True)
class LaneBalance:
    """A lane's messages by what became of them; conserved where nothing is missing and nothing is there twice."""

    source: str
    destination: str
    lane_id: str
    sent: int
    in_flight: int
    endings: Counter[str] = field(default_factory=Counter)
    outbox_height: int = 0
    outcome_height: int = 0

    @property
    def conserved(self) -> bool:
        """Whether sent = executed + failed + expired + refused + in flight."""
        return self.sent == sum(self.endings.values()) + self.in_flight

    def as_json(self) -> dict[str, Any]:
        """The balance as plain data."""
        return {
            "source": self.source,
            "destination": self.destination,
            "lane_id": self.lane_id,
            "sent": self.sent,
            **{ending: self.endings[ending] for ending in ENDINGS.values()},
            "in_flight": self.in_flight,
            "conserved": self.conserved,
            "outbox_height": self.outbox_height,
            "outcome_height": self.outcome_height,
        }

    def equation(self) -> str:
        """The balance in one line."""
        endings = " + ".join(f"{self.endings[ending]} {ending}" for ending in ENDINGS.values())
        return f"{self.sent} sent = {endings} + {self.in_flight} in flight"


def prove_ledger(row: Row[Any], lanes: Sequence[Row[Any]]) -> Proved:
    """Verify a ledger's headers from the pinned block on, and prove the histories of all lanes that touch it.

    Args:
        row: the ledger as it was registered.
        lanes: every lane.

    Raises:
        BadInput: the pinned block is not the ledger's.
        Lied: a header, a proof or an event is refused.
        AdapterError: the ledger does not answer.
    """
    ledger = open_chain(row)
    try:
        return _prove(ledger, row, lanes)
    finally:
        ledger.close()


def _prove(ledger: Ledger, row: Row[Any], lanes: Sequence[Row[Any]]) -> Proved:
    pinned = Pin(row.pinned_height, BlockHash(row.pinned_hash))
    options = options_of_state(row.consensus, bytes(row.client_state))
    trusted = trust_ledger(ledger, ledger.identity(), row.consensus, pinned, development_hub=True, options=options)
    believer = Believer.of(row.consensus, bytes(row.gateway), bytes(row.gateway_code_hash), row.gateway_pin or {})
    at_once = HEADERS_A_LOOK if believer.proves_state else HEADERS_BEFORE_EVENTS
    state, headers, first = trusted.state, 0, row.pinned_height + 1
    moved_on: tuple[LaneId, ...] = ()
    trail = Trail(state.height, (trusted.header,))
    tracks = [track for lane in lanes for track in _tracks(lane, row.name)]
    histories = {track.key: History(track) for track in tracks}
    settled: dict[LaneId, HeadMoved] = {}
    more = True
    while more:
        followed = follow(ledger, believer.client, state, trail, int(time.time()), most=at_once)
        state, trail, headers = followed.state, followed.trail, headers + len(followed.headers)
        more = bool(followed.headers)
        if more and believer.proves_state:
            continue
        known = [replace(item.track, nonce=item.nonce, head=item.head) for item in histories.values()]
        look = observe(ledger, believer, state, known, first)
        settled |= look.settled
        for moved in look.histories:
            whole = histories[moved.track.lane_id, moved.track.direction]
            whole.entries += moved.entries
            whole.evidence, whole.proofs = moved.evidence, whole.proofs + moved.proofs
        moved_on = look.moved_on
        if not moved_on:  # else what was read of them is read again up to where they rest
            first = state.height + 1
    if moved_on:
        raise BadInput(f"Messages are still on their way at {row.name}.", "Wait until the lanes rest.")
    prove(ledger, believer, state, [item for item in histories.values() if not item.entries])
    return Proved(row.name, headers, state.height, histories, settled)


def _tracks(lane: Row[Any], chain: str) -> list[Track]:
    suite, lane_id, found = suite_named(lane.suite), LaneId(lane.lane_id), []
    if lane.source == chain:
        found.append(Track(lane_id, Direction.OUTBOX, suite, 0, outbox_genesis(lane_id)))
    if lane.destination == chain:
        found.append(Track(lane_id, Direction.OUTCOMES, suite, 0, outcomes_genesis(suite, lane_id)))
    return found


def balance(lane: Row[Any], source: Proved, destination: Proved) -> LaneBalance:
    """Count a lane's messages; an outcome counts once its settlement at the source folds to the proved outcomes.

    Raises:
        BadInput: the outcomes are not those of the messages in their order, or more was settled than proved.
    """
    lane_id = LaneId(lane.lane_id)
    outbox = source.histories[lane_id, Direction.OUTBOX]
    outcomes = destination.histories[lane_id, Direction.OUTCOMES]
    ended = outcomes.entries[: _settled(source.settled.get(lane_id), outcomes.entries)]
    sent = [entry.entry_id for entry in outbox.entries]
    answered = [bytes(_delivered(entry).message_id) for entry in ended]
    if answered != sent[: len(answered)]:
        raise BadInput(f"The outcomes of {lane.source} → {lane.destination} are not those of what was sent, in order.")
    return LaneBalance(
        source=lane.source,
        destination=lane.destination,
        lane_id=lane_id.hex0x(),
        sent=len(sent),
        in_flight=len(set(sent) - set(answered)),
        endings=Counter(ENDINGS[int(_delivered(entry).status)] for entry in ended),
        outbox_height=source.height,
        outcome_height=destination.height,
    )


def _settled(moved: HeadMoved | None, outcomes: Sequence[Entry]) -> int:
    """How many outcomes the source has settled: its settled head must be the one after so many proved outcomes."""
    if moved is None:
        return 0
    if moved.nonce > len(outcomes) or outcomes[moved.nonce - 1].head != moved.head:
        raise BadInput(f"The source settled {moved.nonce} outcomes that do not fold to the proved ones.")
    return moved.nonce


def _delivered(entry: Entry) -> MessageDelivered:
    if not isinstance(entry.event, MessageDelivered):
        raise BadInput(f"Entry {entry.nonce} of the outcomes is no outcome.")
    return entry.event
