"""Which geth nodes hear which: connections over the admin interface, and the two habits of geth's dialler that stand in the way.

It does not dial a node again that it dialled shortly ago, and it dials one again at once that left without a word. So of two nodes
that are to part the one that dialled is told first, and of two that are to meet the one dials that did not lately.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from adapters.evm.clique.node import GethNode

Pair = tuple[int, int]

DIAL_AGAIN_S = 36.0
"""A node does not dial another one that it dialled so shortly ago."""


class Links:
    """The connections between nodes, by their numbers in a list that the network keeps; `group_of` says who should hear whom."""

    def __init__(self) -> None:
        """Nobody is started yet, and everybody is to hear everybody."""
        self.group_of: Mapping[int, Hashable] = {}
        self._dialled: dict[Pair, float] = {}

    def started(self, number: int, count: int) -> None:
        """A node of so many was started: it remembers nobody, and those who miss it have dialled it all the while."""
        now, others = time.monotonic(), [other for other in range(count) if other != number]
        for other in others:
            self._dialled[number, other] = now - DIAL_AGAIN_S
            if self.group_of.get(other) == self.group_of.get(number):
                self._dialled[other, number] = now

    def arrange(self, nodes: Sequence[GethNode]) -> tuple[Callable[[], set[Pair]], set[Pair]]:
        """Begin to connect and disconnect the nodes that run as the groups say; returns what says who hears whom, and who should."""
        living = {number: node for number, node in enumerate(nodes) if node.running}
        cards = {number: node.rpc("admin_nodeInfo") for number, node in living.items()}
        pairs = list(itertools.combinations(living, 2))
        wanted = {pair for pair in pairs if self.group_of.get(pair[0]) == self.group_of.get(pair[1])}
        outgoing = {number: _dialled_peers(node) for number, node in living.items()}
        for pair in pairs:
            if pair not in wanted:
                self._part(living, cards, pair)
        for pair in wanted:
            if not _connected(living, cards, *pair):
                self._dial(living, cards, pair, outgoing)
        return lambda: {pair for pair in pairs if _connected(living, cards, *pair)}, wanted

    def _part(self, living: Mapping[int, GethNode], cards: Mapping[int, Any], pair: Pair) -> None:
        for one, other in sorted((pair, pair[::-1]), key=lambda way: self._dialled.get(way, 0), reverse=True):
            living[one].rpc("admin_removePeer", cards[other]["enode"])

    def _dial(
        self, living: Mapping[int, GethNode], cards: Mapping[int, Any], pair: Pair, outgoing: dict[int, int]
    ) -> None:
        """Let that one of a pair dial which did not lately, else which dials fewer."""
        now = time.monotonic()
        one, other = min(
            (pair, pair[::-1]),
            key=lambda way: (now - self._dialled.get(way, -DIAL_AGAIN_S) < DIAL_AGAIN_S, outgoing[way[0]]),
        )
        living[other].rpc("admin_addTrustedPeer", cards[one]["enode"])  # its places are for those that it dials itself
        living[one].rpc("admin_removePeer", cards[other]["enode"])
        living[one].rpc("admin_addPeer", cards[other]["enode"])
        self._dialled[one, other] = now
        outgoing[one] += 1


def _connected(living: Mapping[int, GethNode], cards: Mapping[int, Any], one: int, other: int) -> bool:
    return all(
        cards[there]["id"] in {peer["id"] for peer in living[here].rpc("admin_peers")}
        for here, there in ((one, other), (other, one))
    )


def _dialled_peers(node: GethNode) -> int:
    return sum(not peer["network"]["inbound"] for peer in node.rpc("admin_peers"))
