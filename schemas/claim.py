"""A claim: what is said of a lane's history at a block.

Source: the hub's protocol (docs/protocol.md, section The lane digest).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, ConfigDict

from schemas.primitives import BlockHash, Head, LaneId, SchemaError, Uint64, exact_integer, uint64


class Direction(IntEnum):
    """Which history of a lane: the outbox at its source, or the outcomes at its destination."""

    OUTBOX = 0
    OUTCOMES = 1


@dataclass(frozen=True, slots=True)
class Claim:
    """The history of `direction` of `lane_id`, in the chain up to `block_hash` at `height`, passes through `head` after `nonce` entries.

    Attributes:
        lane_id: the lane.
        direction: 0 outbox, 1 outcomes.
        nonce: entries folded into the head, from 1.
        head: the running hash after them.
        height: height of the header whose root opens the proof.
        block_hash: hash of that header.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    lane_id: LaneId
    direction: Annotated[Direction, BeforeValidator(exact_integer)]
    nonce: Uint64
    head: Head
    height: Uint64
    block_hash: BlockHash

    def check(self) -> None:
        """Check numbers and that nothing is zero that must not be.

        Raises:
            SchemaError: something does not fit.
        """
        if exact_integer(self.direction) not in (0, 1):
            raise SchemaError(f"direction must be 0 (outbox) or 1 (outcomes), not {self.direction}")
        if uint64(self.nonce, "nonce") == 0:
            raise SchemaError("a claim speaks of at least one entry; its nonce must not be 0")
        uint64(self.height, "height")
        LaneId(self.lane_id)
        Head(self.head)
        BlockHash(self.block_hash)
