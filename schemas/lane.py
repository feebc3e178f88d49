"""A lane: one direction between two gateways on one named channel.

Source: the hub's protocol (docs/protocol.md, sections Names and Words and tags).
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas.primitives import ChainWord, LaneId, account_bytes, name_text
from schemas.suites import Suite


@dataclass(frozen=True, slots=True)
class Lane:
    """Every preimage of a lane's id.

    Attributes:
        hub: name of the hub, NFC, at most 64 bytes.
        suite: the hash suite of every id, head and digest on the lane.
        source: chain word of the ledger that sends.
        source_gateway: native bytes of the gateway there (20 on an EVM), 1 to 64.
        destination: chain word of the ledger that receives.
        destination_gateway: native bytes of the gateway there.
        channel: name of the channel, NFC, at most 64 bytes.
    """

    hub: str
    suite: Suite
    source: ChainWord
    source_gateway: bytes
    destination: ChainWord
    destination_gateway: bytes
    channel: str

    def __post_init__(self) -> None:
        """Check names and sizes.

        Raises:
            SchemaError: a name, a chain word or an address is not of the protocol's form.
        """
        name_text(self.hub, "hub name")
        name_text(self.channel, "channel")
        ChainWord(self.source)
        ChainWord(self.destination)
        account_bytes(self.source_gateway, "source gateway")
        account_bytes(self.destination_gateway, "destination gateway")

    @property
    def lane_id(self) -> LaneId:
        """H(TAG("lane"), H(hub), source, H(source gateway), destination, H(destination gateway), H(channel))."""
        digest = self.suite.hash
        return LaneId(
            digest(
                self.suite.tag("lane")
                + digest(self.hub.encode())
                + self.source
                + digest(self.source_gateway)
                + self.destination
                + digest(self.destination_gateway)
                + digest(self.channel.encode())
            )
        )
