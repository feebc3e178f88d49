"""The heads of one history of a lane, in memory: after how many entries the head was which, and in which block.

A chronicle begins at a base (a checkpoint, or the head before any entry) and grows only by entries that a light client has
proved. Heights are what the endpoint's events said; a proof at a height shows whether they are right.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from relay.observer import History, Proved, Track
from schemas.claim import Direction
from schemas.heads import genesis
from schemas.primitives import Head, LaneId
from schemas.suites import Suite

ENTRIES_KEPT = 200_000
"""Entries that are kept in memory at most: some 30 MB."""
PROOFS_KEPT = 64
"""Blocks whose proofs are remembered where state cannot be proved anew."""


@dataclass(slots=True)
class Chronicle:
    """One history.

    Attributes:
        lane_id: the lane.
        direction: outbox or outcomes.
        suite: the lane's hash suite.
        base_nonce: entries before the first one that is kept.
        base_head: the head after them.
        base_height: a block in whose state they stand.
        heads: the head after each later entry.
        heights: the block of each.
        proved_height: the newest block in whose state the last head is proved to stand.
        proofs: by height, what was proved on a ledger that proves no state; the newest of them.
    """

    lane_id: LaneId
    direction: Direction
    suite: Suite
    base_nonce: int
    base_head: Head
    base_height: int
    heads: list[Head] = field(default_factory=list)
    heights: list[int] = field(default_factory=list)
    proved_height: int = 0
    proofs: dict[int, Proved] = field(default_factory=dict)

    @classmethod
    def from_opening(cls, lane_id: LaneId, direction: Direction, suite: Suite, height: int) -> Chronicle:
        """A history without entries, at the block that opened the lane."""
        head = genesis(suite, lane_id, direction)
        return cls(lane_id, direction, suite, 0, head, height, proved_height=height)

    @property
    def nonce(self) -> int:
        """Entries known."""
        return self.base_nonce + len(self.heads)

    @property
    def head(self) -> Head:
        """The head after them."""
        return self.heads[-1] if self.heads else self.base_head

    @property
    def track(self) -> Track:
        """What the observer follows."""
        newest = max(self.proofs.values(), key=lambda proof: proof.nonce, default=None)
        return Track(self.lane_id, self.direction, self.suite, self.nonce, self.head, newest)

    def note_proofs(self, proofs: Sequence[Proved]) -> None:
        """Remember what was proved: the light client forgets the blocks, and claims may still be at them."""
        for proof in proofs:
            self.proofs[proof.height] = proof
        for height in sorted(self.proofs)[:-PROOFS_KEPT]:
            del self.proofs[height]

    def extend(self, history: History, proved_height: int) -> None:
        """Add what a look proved."""
        self.heads += [entry.head for entry in history.entries]
        self.heights += [entry.event.position.height for entry in history.entries]
        self.proved_height = proved_height
        surplus = len(self.heads) - ENTRIES_KEPT
        if surplus > 0:
            self.base_nonce += surplus
            self.base_head, self.base_height = self.heads[surplus - 1], self.heights[surplus - 1]
            del self.heads[:surplus], self.heights[:surplus]

    def forget(self) -> None:
        """Go back to the base: where a proof contradicts what was kept, everything after it is read again."""
        self.heads.clear()
        self.heights.clear()
        self.proved_height = self.base_height

    def reaches_back_to(self, nonce: int, height: int) -> bool:
        """Whether the head after so many entries, and the entries up to so old a block, are kept."""
        return nonce >= self.base_nonce and height >= self.base_height

    def head_after(self, nonce: int) -> Head:
        """The head after `nonce` entries; they must be within what is kept."""
        return self.base_head if nonce == self.base_nonce else self.heads[nonce - self.base_nonce - 1]

    def nonce_at(self, height: int) -> int:
        """Entries that stand in the state of the block at `height`, as the events said."""
        return self.base_nonce + bisect_right(self.heights, height)

    def restart_height(self, nonce: int) -> int:
        """A block from which, inclusive, everything after `nonce` entries can be read again."""
        if nonce == self.nonce:
            return max(self.proved_height, self.base_height)
        return self.base_height if nonce == self.base_nonce else self.heights[nonce - self.base_nonce - 1]
