"""The light clients as the judge of a certification."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from adapters.conformance.proving import Followed, Refused
from adapters.conformance.steps import World
from adapters.protocol import Installed, LedgerIdentity
from light_clients.errors import LightClientError
from light_clients.families import client_named, evidence_of, header_hash
from light_clients.pins import pin_of
from relay.clients import client_configuration
from schemas.claim import Claim, Direction
from schemas.evidence import HeadEvidence
from schemas.primitives import BlockHash, Bytes32, Head, LaneId, SchemaError

AHEAD_S = 60
"""How far beyond the state's own time the clock of the trial stands at least: its ledgers may run ahead of ours."""


@dataclass(frozen=True, slots=True)
class FollowedLedger:
    """A ledger's light client after every header, and the hash of each block that it accepted."""

    consensus: str
    client: Any
    state: Any
    hashes: dict[int, BlockHash]

    @property
    def height(self) -> int:
        """Height of the newest block that was believed."""
        return int(self.state.height)

    def claim(self, lane_id: LaneId, direction: int, nonce: int, head: Head, height: int) -> Claim:
        """A claim about a head at a height that was believed."""
        found = self.hashes.get(height)
        if found is None:
            raise Refused(f"no header of block {height} was believed")
        return Claim(lane_id, Direction(direction), nonce, head, height, found)

    def judge(self, claim: Claim, evidence: HeadEvidence, gateway: bytes, installed: Installed) -> None:
        """Judge a claim."""
        try:
            pin = pin_of(self.consensus, gateway, Bytes32(installed.code_hash), installed.pin)
            self.client.verify_claim(self.state, claim, evidence_of(self.consensus, evidence), pin)
        except (LightClientError, SchemaError) as error:
            raise Refused(f"{type(error).__name__}: {error}") from error


class LightClientJudge:
    """Believes what the hub's light clients believe."""

    def follow(
        self, consensus: str, identity: LedgerIdentity, headers: list[bytes], world: World, end: int
    ) -> Followed:
        """Believe headers from the first on."""
        try:
            return self._follow(consensus, identity, headers, dict(world.consensus_options(end)))
        except (LightClientError, SchemaError) as error:
            raise Refused(f"{type(error).__name__}: {error}") from error

    def _follow(
        self, consensus: str, identity: LedgerIdentity, headers: list[bytes], options: dict[str, Any]
    ) -> FollowedLedger:
        client = client_named(consensus)
        configuration = client_configuration(consensus, options, identity)
        pinned = header_hash(consensus, headers[0], configuration)
        state = client.bootstrap(headers[0], pinned, configuration)
        hashes = {state.height: state.block_hash}
        for place in range(1, len(headers) - state.confirmations):
            header = b"".join(headers[place : place + 1 + state.confirmations])
            now = max(int(time.time()), state.timestamp) + AHEAD_S
            state = client.apply(state, client.verify_header(state, header, now))
            hashes[state.height] = state.block_hash
        return FollowedLedger(consensus, client, state, hashes)
