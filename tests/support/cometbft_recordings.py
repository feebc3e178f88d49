"""Recordings of a live network: commits one after another, its validators, and answers to queries with proofs."""

from dataclasses import dataclass
from typing import Any

from light_clients import cometbft
from light_clients.cometbft.block_json import bundle_from_json, header_from_json
from light_clients.cometbft.codec import read_bundle, read_header
from light_clients.cometbft.types import CometbftConfiguration, CometbftState
from light_clients.protobuf import message_field


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

    def state_at(self, height: int) -> CometbftState:
        """Trusting the header of a height by its own hash."""
        header = message_field(1, message_field(1, self.header(height)))
        return cometbft.bootstrap(header, read_header(self.header(height)).block_hash, CometbftConfiguration())

    def header(self, height: int) -> bytes:
        """Protobuf of a height's header."""
        return header_from_json(self.content["commits"][self.heights.index(height)]["signed_header"]["header"])

    def now(self, height: int) -> int:
        """A second after a commit's block."""
        return read_header(self.header(height)).time_ns // 10**9 + 1
