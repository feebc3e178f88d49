"""Recordings of a live network: commits one after another, its validators, and answers to queries with proofs."""

from dataclasses import dataclass
from typing import Any

from light_clients import cometbft
from light_clients.cometbft.block_json import bundle_from_json
from light_clients.cometbft.codec import read_bundle
from light_clients.cometbft.types import CometbftConfiguration, CometbftState


@dataclass(frozen=True)
class Recording:
    """What ``ics23_app`` and ``evmd`` hold of CometBFT."""

    content: dict[str, Any]

    @property
    def heights(self) -> list[int]:
        """Of the commits, as they were recorded."""
        return [int(commit["signed_header"]["header"]["height"]) for commit in self.content["commits"]]

    def bundle(self, height: int) -> bytes:
        """The commit of a height with the recorded validators; none of the recorded networks changed them."""
        commit = self.content["commits"][self.heights.index(height)]
        return bundle_from_json(commit["signed_header"], self.content["validators"]["validators"])

    def state(self, height: int) -> CometbftState:
        """Trusting the first commit and following to a height, one by one."""
        first = self.bundle(self.heights[0])
        state = cometbft.bootstrap(first, read_bundle(first).header.block_hash, CometbftConfiguration())
        for following in self.heights[1:]:
            if following <= height:
                state = cometbft.apply(
                    state, cometbft.verify_header(state, self.bundle(following), self.now(following))
                )
        return state

    def now(self, height: int) -> int:
        """A second after a commit's block."""
        return read_bundle(self.bundle(height)).header.time_ns // 10**9 + 1
