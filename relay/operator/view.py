"""One ledger as this operator sees it: headers that its light client accepted, histories that fold to proofs.

A block whose sealed bloom filter cannot hold an event of the gateway is not asked about. What an endpoint says is believed
only by proof (`relay.observer`); after a lie everything since the last proof of each history is read again elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import structlog

from adapters.protocol import LaneOpened, Ledger, Rejected
from light_clients.errors import HeaderUnconfirmed, HeightNotRetained, Misbehaviour, RlpRefused
from light_clients.families import ETHEREUM_FAMILIES, skips_heights
from light_clients.proofs.bloom import may_contain
from relay.clients import client_configuration, with_announced
from relay.following import HEADERS_A_LOOK, HEADERS_BEFORE_EVENTS, Lied, follow
from relay.observer import HeadMovedOn, History, Proved, judge_head, may_have_moved, observe
from relay.operator.chronicle import Chronicle
from relay.operator.configuration import ChainConfig
from relay.operator.database import Checkpoint, LedgerRow, OperatorDatabase
from relay.operator.lanes import DESTINATION, LaneBook
from relay.pins import headers_to_pin
from relay.signers import scheme_of
from relay.trail import Trail, run_of
from schemas.claim import Direction
from schemas.primitives import BlockHash, LaneId

PROVE_AGAIN_BLOCKS = 256
"""Histories that do not move are proved again after so many blocks, so that a restart need not read further back."""
PROOFS_KEPT = 4_096
OUTRUN_LOOKS = 20
"""Looks at an endpoint whose heads move on before they are read, before another one is asked."""
READ_MORE_EVERY_S = 20.0
"""Seconds between two readings of a history for claims that have more entries: whoever proposes false ones costs no more."""
UNCONFIRMED_LOOKS = 10
"""Looks at an endpoint that mixes branches without end, before another one is asked."""

Key = tuple[LaneId, int]

log = structlog.get_logger("relay.operator")


class LedgerView:
    """A ledger behind the operator's own endpoints.

    Args:
        config: the ledger, with everything that is pinned.
        ledger: the opened ledger.
        database: what is remembered.
        book: the lanes of all ledgers.
    """

    def __init__(self, config: ChainConfig, ledger: Ledger, database: OperatorDatabase, book: LaneBook) -> None:
        self.config = config
        self.ledger = ledger
        self.chronicles: dict[Key, Chronicle] = {}
        self.state: Any = None
        self._scheme = scheme_of(ledger.machine())
        self._believer = config.believer
        self._client: Any = self._believer.client
        self._database = database
        self._book = book
        self._trail = Trail(0, ())
        self._next = config.first_height  # first block whose events are not known yet
        self._may_hold_events = True  # whether a block since then may hold some
        self._may_have_moved: set[Key] = set()  # histories that moved since then, by the sealed bloom filters
        self._opened: list[LaneOpened] = []  # not yet in the database
        self._new_proofs: set[Key] = set()  # histories with proofs that are not yet in the database
        self._saved: LedgerRow | None = None
        self._unconfirmed = self._outrun = 0
        self._proofs: dict[tuple[LaneId, int, int], int] = {}  # (lane, direction, height) → entries proved there
        self._reading_more: set[Key] = set()  # histories that are to be read again, which no look has done yet
        self._read_more: dict[Key, tuple[int, float]] = {}  # entries known when a history was read again, and when
        self._remember()

    @property
    def frozen(self) -> bool:
        """Whether misbehaviour was found."""
        return self.state is not None and self.state.frozen

    def look(self, now: int, target: int | None = None) -> None:
        """Follow the headers up to a height (the newest final one if there is no target) and read the gateway.

        Raises:
            AdapterError: the endpoint does not answer properly.
            Lied: what it says cannot be true; it was left, and the next look reads again what was not proved.
            LightClientError: the client is frozen or expired, or clocks differ.
        """
        if self.state is None:
            self._bootstrap()
        if self._believer.newest_alone:
            target = None
        try:
            more = True
            while more:
                more = self._follow(now, target)
                if self.state.height >= self._next and not (self._may_hold_events and self._observe()):
                    self._next, self._may_hold_events = self.state.height + 1, False
                    self._prove_again()
            self._read_verifiers()
            self._check_outrun()
            self._reading_more.clear()
        except Lied as lie:
            self._distrust(lie)
            raise
        except HeightNotRetained as error:
            self._begin_anew(error)
            raise
        except HeaderUnconfirmed as error:
            self._unconfirmed += 1
            if self._unconfirmed % UNCONFIRMED_LOOKS == 0:
                self.ledger.leave_endpoint(f"{error.name}: {error}")
            raise
        except Misbehaviour:
            self.state = self.state.freeze()
            self.save()
            raise

    def block_hash(self, height: int, key: Key) -> BlockHash:
        """The block of an accepted height.

        Args:
            height: of the block.
            key: the history that is asked about; where something of it was proved at that block, the block is remembered longer.

        Raises:
            HeightNotRetained: it is no longer remembered.
        """
        found: BlockHash | None = self.state.hash_at(height)
        chronicle = self.chronicles.get(key)
        if found is None and chronicle is not None and height in chronicle.proofs:
            return chronicle.proofs[height].block_hash
        if found is None:
            raise HeightNotRetained("The height is no longer kept.", expected=self.state.oldest_height, found=height)
        return found

    def prove(self, keys: Sequence[Key], height: int) -> None:
        """Prove the heads of histories in the state of an accepted block; `proved` tells the result.

        Raises:
            AdapterError: the endpoint does not answer properly.
            Lied: a proof is refused.
            LightClientError: the height is not within the light client's window, or the client is frozen.
        """
        missing = [key for key in dict.fromkeys(keys) if self.proved(key, height) is None]
        if not missing or self._believer.newest_alone:  # a look proves what can be proved at all
            return
        try:
            self._prove(missing, height)
        except Lied as lie:
            for key in missing:
                self.chronicles[key].forget()
            self._distrust(lie)
            raise

    def proved(self, key: Key, height: int) -> int | None:
        """How many entries of a history are proved to stand in the state of a block, if that was proved."""
        chronicle = self.chronicles.get(key)
        if chronicle is not None and self._believer.newest_alone:
            entries = chronicle.nonce_at(
                height
            )  # in blocks that the light client accepted; a later head folds through them
            return entries if any(proof.nonce >= entries for proof in chronicle.proofs.values()) else None
        if chronicle is not None and height in chronicle.proofs:
            return chronicle.proofs[height].nonce
        return self._proofs.get((*key, height))

    def checkpoint(self, key: Key, nonce: int) -> Checkpoint:
        """Where a history goes on when everything up to `nonce` is signed."""
        chronicle = self.chronicles[key]
        return Checkpoint(
            chronicle.lane_id,
            chronicle.direction,
            nonce,
            chronicle.head_after(nonce),
            chronicle.restart_height(nonce),
        )

    def rewind(self, key: Key) -> None:
        """Forget a history, so that the next look reads it from the lane's opening."""
        known = self._book.get(key[0])
        if known is None:
            return
        direction = Direction(key[1])
        height = max(known.ends[int(direction)].height, self.config.first_height)
        proofs = self.chronicles[key].proofs
        self.chronicles[key] = Chronicle.from_opening(key[0], direction, known.lane.suite, height)
        self.chronicles[key].proofs = proofs
        self._read_again_from(height)

    def read_more(self, key: Key) -> bool:
        """Have a history read again, at another endpoint: the one that answered may have kept silent about its newest entries.

        From its last known entry on; where that was of no help, from the lane's opening. Bloom filters leave no room for such silence.

        Returns:
            Whether a coming look reads it; False where one did a short while ago.
        """
        if self.config.consensus in ETHEREUM_FAMILIES:
            return False
        chronicle, now = self.chronicles[key], time.monotonic()
        before, at = self._read_more.get(key, (-1, float("-inf")))
        if now - at < READ_MORE_EVERY_S:
            return key in self._reading_more
        self._read_more[key] = (chronicle.nonce, now)
        self._reading_more.add(key)
        self.ledger.leave_endpoint(f"a claim has more than the {chronicle.nonce} entries that it shows")
        log.warning("read_more", chain=self.config.name, lane=key[0].hex0x()[:18], entries=chronicle.nonce)
        if before == chronicle.nonce:
            self.rewind(key)
        else:
            self._read_again_from(chronicle.heights[-1] if chronicle.heights else chronicle.base_height)
        return True

    def read_openings_again(self) -> None:
        """Read everything from the first block again: an endpoint may have kept silent about a lane."""
        self._read_again_from(self.config.first_height)

    def save(self) -> None:
        """Remember how far the ledger was followed."""
        if self.state is None:
            return
        row = LedgerRow(self.state.to_bytes(), self._trail.to_bytes(), self._next - 1)
        if row != self._saved or self._new_proofs:
            proved = {key: list(self.chronicles[key].proofs.values()) for key in self._new_proofs}
            self._database.save_look(self.config.identity, row, self._opened, proved)
            self._saved, self._opened = row, []
            self._new_proofs.clear()

    def _remember(self) -> None:
        """Take up what the database remembers."""
        row = self._database.ledger(self.config.identity)
        if row is None:
            return
        config = self.config
        self.state = with_announced(config.consensus, self._client.state_from_bytes(row.state), config.client)
        self._trail = Trail.read(row.header, self.state.height)
        self._next, self._saved = row.observed + 1, row
        for opened in self._database.openings(self.config.identity):
            self._open(opened)
        for lane_id, committee in self._database.committees(self.config.identity).items():
            if (end := self._own_end(lane_id)) is not None:
                self._book.learn(lane_id, end, committee, doubted=True, scheme=self._scheme)
        for point in self._database.checkpoints(self.config.identity):
            chronicle = self.chronicles.get((point.lane_id, int(point.direction)))
            if chronicle is not None:
                chronicle.base_nonce, chronicle.base_head = point.nonce, point.head
                chronicle.base_height = chronicle.proved_height = point.height
        for key, proofs in self._database.proved(self.config.identity).items():
            if key in self.chronicles:
                self.chronicles[key].note_proofs(proofs)
        for chronicle in self.chronicles.values():
            self._read_again_from(chronicle.base_height)

    def _bootstrap(self) -> None:
        config = self.config
        configuration = client_configuration(config.consensus, config.client, self.ledger.identity())
        headers = headers_to_pin(self.ledger, config.consensus, configuration, config.pinned_height)
        self.state = self._client.bootstrap(run_of(headers), config.pinned_hash, configuration)
        self._trail = Trail(self.state.height, headers[-1:])
        log.info("pinned", chain=self.config.name, height=self.state.height)

    def _follow(self, now: int, target: int | None) -> bool:
        """Follow the headers; True where events have to be read before more of them are followed."""
        provable = self._believer.proves_state
        most = HEADERS_A_LOOK if provable else HEADERS_BEFORE_EVENTS
        skips = skips_heights(self.config.consensus)
        while True:
            followed = follow(
                self.ledger, self._client, self.state, self._trail, now, target=target, most=most, skips=skips
            )
            if not followed.headers:
                return False
            self.state, self._trail = followed.state, followed.trail
            self._read_blooms(followed.headers)
            if self.state.height >= (followed.tip if target is None else min(followed.tip, target)):
                return False
            if not provable:
                return True

    def _read_blooms(self, headers: Sequence[bytes]) -> None:
        """Which blocks may hold events, and of which histories; a ledger without bloom filters is asked about every block."""
        tracks = [chronicle.track for chronicle in self.chronicles.values()]
        moved, events = [], True
        if self.config.consensus in ETHEREUM_FAMILIES:
            with suppress(RlpRefused):
                moved = may_have_moved(headers, self.config.gateway, tracks)
                events = any(may_contain(header, self.config.gateway) for header in headers)
        self._may_hold_events = self._may_hold_events or events
        self._may_have_moved |= {(track.lane_id, int(track.direction)) for track in moved}

    def _check_outrun(self) -> None:
        """Newer blocks show where a head is that moved before it was read.

        Raises:
            HeadMovedOn: one has not been shown yet; that is no lie, but an endpoint that never shows it lies about its events.
            Lied: so many looks did not show it.
        """
        if self.state.height < self._next:
            self._outrun = 0
            return
        self._outrun += 1
        text = f"A head has moved since block {self.state.height}, or never stood in its block."
        if self._outrun % OUTRUN_LOOKS == 0:
            raise Lied("HeadNotShown", text, self.ledger.endpoint)
        raise HeadMovedOn(text, endpoint=self.ledger.endpoint)

    def _observe(self) -> bool:
        """Read the gateway's events; a lane that opened meanwhile is read in a second pass, from its opening.

        Returns:
            Whether some have to be read again up to a newer block, because the newest heads alone can be proved.
        """
        tracks = [chronicle.track for chronicle in self.chronicles.values()]
        look = observe(self.ledger, self._believer, self.state, tracks, self._next)
        new = [key for opened in look.opened if (key := self._open(opened)) is not None]
        for change in look.changed:
            if (end := self._own_end(change.lane_id)) is not None:
                self._book.doubt(change.lane_id, end)
        self._read_verifiers()
        histories, moved_on = list(look.histories), bool(look.moved_on)
        if new:
            first = min(self.chronicles[key].base_height for key in new)
            tracks = [self.chronicles[key].track for key in new]
            second = observe(self.ledger, self._believer, self.state, tracks, first)
            histories, moved_on = histories + list(second.histories), moved_on or bool(second.moved_on)
        for history in histories:
            key = (history.track.lane_id, int(history.track.direction))
            self.chronicles[key].extend(history, look.height)
            self._note_proofs(key, history.proofs)
            self._may_have_moved.discard(key)
        # What seems to stand still though its block's filter says that it moved has to be proved to stand.
        still = [key for key in self._may_have_moved if key in self.chronicles]
        if still:
            self._prove(still, look.height)
        self._may_have_moved.clear()
        return moved_on

    def _open(self, opened: LaneOpened) -> Key | None:
        """Take up a lane's end; its key if the history is new.

        Raises:
            Lied: the gateway cannot have said so: it computes the lane's id from the preimages, and opens its own end only.
        """
        lane = self._book.add(self.config.word, self.config.gateway, opened)
        if lane is None:
            text = f"Lane {opened.lane_id.hex0x()} does not follow from what it is said to be opened with."
            raise Lied("LaneIdMismatch", text, self.ledger.endpoint)
        key = (opened.lane_id, 1 if opened.end == DESTINATION else 0)
        if key in self.chronicles:
            return None
        height = opened.position.height
        self.chronicles[key] = Chronicle.from_opening(opened.lane_id, Direction(key[1]), lane.suite, height)
        self._opened.append(opened)
        return key

    def _read_verifiers(self) -> None:
        """Ask who verifies at the ends on this ledger where that is in doubt; what is no verifier has no committee that is known.

        Raises:
            AdapterError: the endpoint does not answer properly.
        """
        for lane_id, end in self._book.doubted(self.config.word, self.config.gateway):
            try:
                verifier = self.ledger.lane_ends(self.config.gateway, lane_id).verifier
                committee = self.ledger.verifier_parts(verifier).committee
            except Rejected as refusal:
                log.warning("verifier_unread", chain=self.config.name, lane=lane_id.hex0x()[:18], text=str(refusal))
                self._book.learn(lane_id, end, None)
                continue
            self._database.save_committee(self.config.identity, lane_id, committee)
            self._book.learn(lane_id, end, committee, scheme=self._scheme)

    def _own_end(self, lane_id: LaneId) -> int | None:
        known = self._book.get(lane_id)
        return None if known is None else known.own_end(self.config.word, self.config.gateway)

    def _prove(self, keys: Sequence[Key], height: int) -> None:
        """Prove the heads of histories at an accepted block; where no state is proved, those that an entry of that block moved."""
        found = self.ledger.evidence(self.config.gateway, list(keys), height)
        for key, item in zip(keys, found, strict=True):
            chronicle = self.chronicles[key]
            if height in chronicle.proofs:
                continue
            nonce = chronicle.nonce_at(height)
            history = History(chronicle.track)
            judge_head(
                self.ledger.endpoint,
                self._believer,
                self.state,
                history,
                (nonce, chronicle.head_after(nonce), height),
                item,
            )
            if nonce == chronicle.nonce:
                chronicle.proved_height = max(chronicle.proved_height, height)
            self._note_proofs(key, history.proofs)

    def _prove_again(self) -> None:
        """Prove histories that have not moved for long, and remember that nothing needs to be read before this block."""
        height = self.state.height
        if self._believer.proves_state:
            old = [key for key, item in self.chronicles.items() if item.proved_height <= height - PROVE_AGAIN_BLOCKS]
            if old:
                self._prove(old, height)
        else:
            old = [key for key, item in self.chronicles.items() if self._rests(item, height)]
            for key in old:
                self.chronicles[key].proved_height = height
        resting = [key for key in old if not self.chronicles[key].heads]
        if resting:
            self._database.save_checkpoints(
                self.config.identity, [self.checkpoint(key, self.chronicles[key].nonce) for key in resting]
            )

    @staticmethod
    def _rests(chronicle: Chronicle, height: int) -> bool:
        """Whether a history without new entries was last looked at long ago; no proof shows that it stands still."""
        return not chronicle.heads and chronicle.proved_height <= height - PROVE_AGAIN_BLOCKS

    def _begin_anew(self, error: HeightNotRetained) -> None:
        """Follow the ledger from the pin again: something of old was hidden, and only clients of then can judge it."""
        log.warning("followed_anew", chain=self.config.name, text=str(error))
        self.state, self._next = None, self.config.first_height
        self.chronicles.clear()
        self._proofs.clear()

    def _note_proofs(self, key: Key, proofs: Sequence[Proved]) -> None:
        if len(self._proofs) >= PROOFS_KEPT:
            for old in list(self._proofs)[: PROOFS_KEPT // 2]:
                del self._proofs[old]
        for proof in proofs:
            self._proofs[(*key, proof.height)] = proof.nonce
        if proofs and not self._believer.proves_state:
            self.chronicles[key].note_proofs(proofs)
            self._new_proofs.add(key)

    def _distrust(self, lie: Lied) -> None:
        another = self.ledger.leave_endpoint(f"{lie.name}: {lie}")
        log.warning(
            "endpoint_accused",
            chain=self.config.name,
            endpoint=lie.endpoint,
            refusal=lie.name,
            text=str(lie),
            another=another,
        )
        for chronicle in self.chronicles.values():
            self._read_again_from(chronicle.proved_height)

    def _read_again_from(self, height: int) -> None:
        self._next, self._may_hold_events = min(self._next, height), True
