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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.protocol import (
    AdapterError,
    HeadMoved,
    LaneOpened,
    Ledger,
    MessageDelivered,
    MessageSent,
    MessageTicketed,
    VerifierChanged,
)
from adapters.solidity.events import HEAD_MOVED, MESSAGE_SENT
from light_clients.errors import HeadAbsent, HeightNotRetained, Refused
from light_clients.families import client_named, evidence_of, proves_newest_alone, proves_state
from light_clients.pins import pin_of
from light_clients.proofs.bloom import may_contain
from relay.following import Lied
from schemas.claim import Claim, Direction
from schemas.evidence import HeadEvidence
from schemas.heads import fold
from schemas.outcome import outcome_id
from schemas.primitives import BlockHash, Bytes32, Head, LaneId, SchemaError
from schemas.suites import Suite

BLOCKS_A_REQUEST = 500


class HeadMovedOn(AdapterError):
    """A head that only the present can show has moved on since the block that was looked at."""


@dataclass(frozen=True, slots=True)
class Proved:
    """What a proof showed: the head after so many entries, at a block."""

    nonce: int
    head: Head
    height: int
    block_hash: BlockHash


@dataclass(frozen=True, slots=True)
class Track:
    """One history that is followed.

    Attributes:
        lane_id: the lane.
        direction: outbox or outcomes.
        suite: the lane's hash suite.
        nonce: how many entries are known.
        head: the head after them.
        proved: what was proved further on, before the history was begun anew; entries up to there need no other proof.
    """

    lane_id: LaneId
    direction: Direction
    suite: Suite
    nonce: int
    head: Head
    proved: Proved | None = None

    @property
    def key(self) -> tuple[LaneId, Direction]:
        """Lane and direction."""
        return self.lane_id, self.direction


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a history: its event, its id and the head after it."""

    nonce: int
    event: MessageSent | MessageDelivered
    entry_id: bytes
    head: Head


@dataclass(slots=True)
class History:
    """What one look added to a track: entries in order, the evidence of the last head, and what was proved, oldest first."""

    track: Track
    entries: list[Entry] = field(default_factory=list)
    evidence: Any = None
    proofs: list[Proved] = field(default_factory=list)

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
        tickets: messages that wait to be sealed, as the endpoint says.
        moved_on: where the newest head alone can be proved: lanes whose head has moved since the header, so that nothing of theirs is
            believed yet; their events have to be read again up to a newer header.
    """

    height: int
    block_hash: BlockHash
    histories: tuple[History, ...]
    settled: dict[LaneId, HeadMoved]
    opened: tuple[LaneOpened, ...]
    changed: tuple[VerifierChanged, ...] = ()
    tickets: tuple[MessageTicketed, ...] = ()
    moved_on: tuple[LaneId, ...] = ()


@dataclass(frozen=True, slots=True)
class Believer:
    """Who judges a ledger: its consensus by name, the light client, and the gateway as the client knows it.

    Attributes:
        consensus: the light client's name.
        client: the light client.
        gateway: native bytes of the gateway.
        pin: what the client is told of it.
    """

    consensus: str
    client: Any
    gateway: bytes
    pin: Any

    @classmethod
    def of(cls, consensus: str, gateway: bytes, code_hash: bytes, statement: Mapping[str, Any]) -> Believer:
        """Whoever judges a gateway of which this is pinned.

        Raises:
            ConfigurationInvalid: the statement is not what is pinned.
        """
        pin = pin_of(consensus, gateway, Bytes32(code_hash), statement)
        return cls(consensus, client_named(consensus), gateway, pin)

    @property
    def newest_alone(self) -> bool:
        """Whether only the newest head can be proved."""
        return proves_newest_alone(self.consensus)

    @property
    def proves_state(self) -> bool:
        """Whether the ledger proves what its state is; another proves a head by the transaction that moved it."""
        return proves_state(self.consensus)


def observe(ledger: Ledger, believer: Believer, state: Any, tracks: Sequence[Track], first: int) -> Look:
    """Read the gateway's events from height `first` to the state's height and believe them by proof.

    Args:
        ledger: where they are fetched.
        believer: who judges.
        state: the light client's trusted state; where state is proved, the proof is asked at its height.
        tracks: every history on this ledger that is followed.
        first: the first height whose events are not known yet.

    Returns:
        The look; its histories are those that moved and were proved.

    Raises:
        AdapterError: the endpoint does not answer properly.
        Lied: events do not fold, or the proof is refused.
    """
    histories = {(track.lane_id, int(track.direction)): History(track) for track in tracks}
    settled: dict[LaneId, HeadMoved] = {}
    opened: list[LaneOpened] = []
    changed: list[VerifierChanged] = []
    tickets: list[MessageTicketed] = []
    start = first
    while start <= state.height:
        end = min(start + BLOCKS_A_REQUEST - 1, state.height)
        events, endpoint = ledger.events(start, end, believer.gateway), ledger.endpoint
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
            elif isinstance(event, MessageTicketed):
                tickets.append(event)
            else:
                opened.append(event)
        start = end + 1
    moved = [history for history in histories.values() if history.entries]
    gone = prove(ledger, believer, state, moved)
    shown = tuple(history for history in moved if all(history is not other for other in gone))
    lanes = tuple(history.track.lane_id for history in gone)
    return Look(state.height, state.block_hash, shown, settled, tuple(opened), tuple(changed), tuple(tickets), lanes)


def may_have_moved(headers: Sequence[bytes], gateway: bytes, tracks: Sequence[Track]) -> list[Track]:
    """The tracks that, by the bloom filters of verified headers, may have moved in these blocks.

    An endpoint that shows no event of such a track has to prove that its head is the known one.

    Raises:
        RlpRefused: the ledger's headers have no bloom filter.
    """
    busy = [header for header in headers if may_contain(header, gateway)]
    topics = {Direction.OUTBOX: MESSAGE_SENT, Direction.OUTCOMES: HEAD_MOVED}
    return [
        track
        for track in tracks
        if any(may_contain(header, track.lane_id) and may_contain(header, topics[track.direction]) for header in busy)
    ]


def prove(ledger: Ledger, believer: Believer, state: Any, histories: Sequence[History]) -> list[History]:
    """Fetch and judge the proof of each history's last head, and keep in the history what it shows.

    It stands at the state's block. Where a ledger proves no state, the last head of each block with entries is proved there (the
    newest alone where nothing else can be), and a history without entries cannot be. One without entries whose lane is proved not
    to be open at that end stays without a proof.

    Returns:
        Histories whose head has moved since the state's block, where the newest alone can be proved: a look at newer blocks shows it.

    Raises:
        AdapterError: the endpoint does not answer properly.
        Lied: a proof is refused: the endpoint's events or its proof are false.
        HeightNotRetained: the light client no longer remembers the block.
    """
    wanted: dict[int, list[tuple[History, int, Head]]] = {}
    gone: list[History] = []
    for history in histories:
        if believer.proves_state:
            wanted.setdefault(state.height, []).append((history, history.nonce, history.head))
            continue
        _hold_against_proved(history, ledger.endpoint)
        _hold_against_blocks(history, state, ledger.endpoint)
        for entry in _last_of_each_block(history)[-1 if believer.newest_alone else 0 :]:
            wanted.setdefault(entry.event.position.height, []).append((history, entry.nonce, entry.head))
    for height, group in sorted(wanted.items()):
        keys = [(history.track.lane_id, int(history.track.direction)) for history, _, _ in group]
        found = ledger.evidence(believer.gateway, keys, height)
        for (history, nonce, head), item in zip(group, found, strict=True):
            try:
                judge_head(ledger.endpoint, believer, state, history, (nonce, head, height), item)
            except HeadMovedOn:
                gone.append(history)
    return gone


def _last_of_each_block(history: History) -> list[Entry]:
    """The entries to prove: the last of each block, but none that an earlier proof covers."""
    covered = history.track.proved.nonce if history.track.proved is not None else 0
    last = {entry.event.position.height: entry for entry in history.entries if entry.nonce > covered}
    return list(last.values())


def _hold_against_proved(history: History, endpoint: str) -> None:
    """A history that is read anew has to pass through what was proved before."""
    track = history.track
    if track.proved is None or track.proved.nonce <= track.nonce:
        return
    if history.nonce < track.proved.nonce:
        text = f"Entries up to {track.proved.nonce} were proved, and only {history.nonce} are shown."
        raise Lied("HistoryHidden", text, endpoint, track.key)
    if history.entries[track.proved.nonce - track.nonce - 1].head != track.proved.head:
        text = f"Entry {track.proved.nonce} does not lead to the head that was proved."
        raise Lied("EventDoesNotFold", text, endpoint, track.key)


def _hold_against_blocks(history: History, state: Any, endpoint: str) -> None:
    """Where no state is proved, entries count in the blocks that the light client accepted."""
    for entry in history.entries:
        place = entry.event.position
        accepted = state.hash_at(place.height)
        if accepted is not None and bytes(accepted) != bytes(place.block_hash):
            text = f"Entry {entry.nonce} is said to stand in another block of height {place.height} than was accepted."
            raise Lied("EventOfAnotherBlock", text, endpoint, history.track.key)


def judge_head(
    endpoint: str,
    believer: Believer,
    state: Any,
    history: History,
    said: tuple[int, Head, int],
    item: HeadEvidence | None,
) -> None:
    """Hold what was fetched against a head at a block, and keep in the history what it shows.

    Args:
        endpoint: who brought it.
        believer: who judges.
        state: the light client's trusted state.
        history: of the head.
        said: entries, the head after them, and the block's height.
        item: the evidence; None where the block shows nothing of the history.

    Raises:
        HeadMovedOn: the newest head alone can be proved, and it is another one by now.
        Lied: it is refused.
        HeightNotRetained: the light client no longer remembers the block.
    """
    nonce, head, height = said
    if item is None and believer.newest_alone:
        raise HeadMovedOn(f"The head that stood at block {height} has moved, or never did.", endpoint=endpoint)
    block_hash = state.hash_at(height)
    if block_hash is None:
        raise HeightNotRetained("The block is no longer remembered.", expected=state.oldest_height, found=height)
    if item is None:
        text = f"Block {height} shows nothing of entry {nonce}, which was said to stand there."
        raise Lied("HeadNotShown", text, endpoint, history.track.key)
    track = history.track
    # A proof shows no nonce, and a claim has none of 0.
    claim = Claim(track.lane_id, track.direction, max(nonce, 1), head, height, block_hash)
    try:
        evidence = evidence_of(believer.consensus, item)
        believer.client.verify_claim(state, claim, evidence, believer.pin)
    except HeadAbsent as absent:
        if nonce:
            raise Lied(absent.name, absent.message, endpoint, track.key) from absent
        return
    except Refused as refusal:
        raise Lied(refusal.name, refusal.message, endpoint, track.key) from refusal
    history.evidence = evidence
    history.proofs.append(Proved(nonce, head, height, block_hash))


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
        text = f"Message {event.message.nonce} does not follow the known head."
        raise Lied("EventDoesNotFold", text, endpoint, history.track.key)
    history.entries.append(Entry(event.message.nonce, event, entry_id, head))


def _add_outcome(histories: dict[tuple[LaneId, int], History], event: MessageDelivered, endpoint: str) -> None:
    history = histories.get((event.lane_id, 1))
    if history is None or event.nonce <= history.nonce:
        return
    suite = history.track.suite
    if event.nonce != history.nonce + 1:
        text = f"Outcome {event.nonce} does not follow outcome {history.nonce}."
        raise Lied("EventDoesNotFold", text, endpoint, history.track.key)
    entry_id = outcome_id(suite, event.message_id, event.status, event.result)
    history.entries.append(Entry(event.nonce, event, entry_id, fold(suite, history.head, entry_id)))


def _check_move(histories: dict[tuple[LaneId, int], History], event: HeadMoved, endpoint: str) -> None:
    history = histories.get((event.lane_id, 1))
    if event.direction != 1 or history is None or event.nonce != history.nonce:
        return
    if event.head != history.head:
        text = f"Outcomes up to {event.nonce} do not fold to the head that moved."
        raise Lied("EventDoesNotFold", text, endpoint, history.track.key)
