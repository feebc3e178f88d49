"""Two River ledgers for the certification: development networks, each behind a node that speaks River."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from adapters.conformance.world import LaneWorld
from adapters.protocol import AdapterOptions, Endpoint, Ledger
from river.node import RiverNode


class RiverWorld(LaneWorld):
    """What `relayhub adapter certify river` tries the adapter on."""

    consensus = "qbft"

    def __init__(self, folder: Path, open_ledger: Callable[[AdapterOptions], Ledger]) -> None:
        """Start both ledgers; they make blocks when told."""
        del folder
        self.nodes = [RiverNode(number, block_time_s=0).start() for number in (31_201, 31_202)]
        super().__init__([AdapterOptions((Endpoint(node.url),)) for node in self.nodes], open_ledger)

    def consensus_options(self, end: int) -> Mapping[str, Any]:
        """These networks make several blocks a second."""
        del end
        return {"sub_second_blocks": True}

    def mine(self, end: int) -> None:
        """Make a block."""
        self.nodes[end].network.mine()

    def close(self) -> None:
        """Stop the ledgers."""
        super().close()
        for node in self.nodes:
            node.stop()
