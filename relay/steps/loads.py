"""What one transaction of a lane carries: a batch under one claim, or an anchor in a walk back from a proof."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.protocol import Action, Anchoring, Delivery, Settlement
from relay.steps.entries import Entry, entry_id
from relay.steps.sides import Side
from schemas.claim import Claim
from schemas.message import Message
from schemas.outcome import Settled
from schemas.suites import Suite


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries in order from nonce `first`, the ids of those after them, and the claim that they lead to with its proof."""

    first: int
    entries: Sequence[Entry]
    suffix_ids: tuple[bytes, ...]
    claim: Claim
    proof: bytes

    @property
    def last(self) -> int:
        """Nonce of the last entry."""
        return self.first + len(self.entries) - 1

    @property
    def action(self) -> Action:
        """The call that carries it: a settlement where the entries are outcomes, a delivery otherwise."""
        lane_id, settled = self.claim.lane_id, tuple(item for item in self.entries if isinstance(item, Settled))
        if settled:
            return Settlement(lane_id, settled, self.suffix_ids, self.claim, self.proof)
        sent = tuple(item for item in self.entries if isinstance(item, Message))
        return Delivery(lane_id, sent, self.suffix_ids, self.claim, self.proof)

    def purpose(self, side: Side) -> str:
        """What its transaction is for."""
        return side.purpose

    def part(self, count: int, suite: Suite) -> Batch:
        """Its first `count` entries; the ids of the others lead on to the claim's head."""
        rest = tuple(entry_id(entry, suite, self.claim.lane_id) for entry in self.entries[count:])
        return Batch(self.first, self.entries[:count], rest + self.suffix_ids, self.claim, self.proof)


@dataclass(frozen=True, slots=True)
class Link:
    """An anchor for the head after `first` entries, which leans on the head after `last`; `generation` is the lane's."""

    first: int
    last: int
    action: Anchoring
    generation: bytes

    def purpose(self, side: Side) -> str:
        """What its transaction is for."""
        return side.anchoring


Load = Batch | Link
