"""How a backlog is carried to a verifier that judges heads as they stand in a block: which batches, which anchors. Pure.

A light client believes the head that a block's state shows, and no head before it. What was sent before that block is carried
in one of two ways, and each costs what grows with the number of messages, however long the backlog is:

- with *suffix ids*: a batch brings the ids of what stands between its end and a head that is believed;
- against an *anchor*: the gateway keeps an earlier head, which the ids between it and the next believed head lead to. From the
  proof backwards anchor leans on anchor, one every `spacing` entries, until one is near; then batches go against them.

Measured on the gateway: an anchor costs 65,000 gas, and each id 690 wherever it stands. Suffix ids are taken up to one spacing, where
they cost no more than a transaction of their own would; beyond that anchors are laid. They stand where full batches will end, so
that most batches bring no ids at all. Source: docs/protocol.md, section What a gateway does (4).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Anchor:
    """Keep the head after `nonce` entries: the ids of nonce + 1 … leans_on lead on to a head that is believed."""

    nonce: int
    leans_on: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Carry the entries first … last; the ids of last + 1 … leans_on lead on to a head that is believed."""

    first: int
    last: int
    leans_on: int


Step = Anchor | Batch


class Supports(Protocol):
    """The heads that are believed: shown by the state of a block, or anchored."""

    def below(self, first: int, last: int) -> int | None:
        """The furthest of them within first … last."""
        ...

    def above(self, last: int) -> int | None:
        """The nearest of them after `last`."""
        ...

    def add(self, nonce: int) -> None:
        """Another one will be anchored."""
        ...


def plan(
    first: int, covered: int, supports: Supports, longest: Callable[[int], int], *, spacing: int, room: int
) -> list[Step]:
    """Say what to send next, in this order.

    Args:
        first: the next entry to carry.
        covered: the last entry that may be carried.
        supports: the heads that are believed; those that the plan anchors are added.
        longest: for an entry, the last one that a batch which begins with it can hold.
        spacing: entries between two anchors, and suffix ids at most.
        room: how many steps may be made now; a walk goes on with the next plan.
    """
    steps: list[Step] = []
    while first <= covered and len(steps) < room:
        most = min(longest(first), covered)
        below, above = supports.below(first, most), supports.above(most)
        if below is not None and (above is None or 2 * (below - first + 1) >= most - first + 1):
            steps.append(Batch(first, below, below))
            first = below + 1
        elif above is None:
            break
        elif above - most <= spacing:
            steps.append(Batch(first, most, above))
            first = most + 1
        else:
            nonce = first - 1 + (above - first) // spacing * spacing
            steps.append(Anchor(nonce, above))
            supports.add(nonce)
    return steps
