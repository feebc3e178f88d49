"""The heads of one history of a lane, in memory: after how many entries the head was which, and in which block.

A chronicle begins at a base (a checkpoint, or the head before any entry) and grows only by entries that a light client has
proved. Heights are what the endpoint's events said; a proof at a height shows whether they are right.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

from relay.observer import History, Track
from schemas.claim import Direction
from schemas.heads import genesis
from schemas.primitives import Head, LaneId
from schemas.suites import Suite

ENTRIES_KEPT = 200_000
"""Entries that are kept in memory at most: some 30 MB."""


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
        return Track(self.lane_id, self.direction, self.suite, self.nonce, self.head)

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
