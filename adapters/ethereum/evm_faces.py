"""What any ledger with an EVM answers once it can run a call: for adapters whose node speaks no Ethereum JSON-RPC.

An adapter inherits this beside its own reading, signing and sending; nothing here asks the network but by `simulate`.
"""

from __future__ import annotations

from adapters.ethereum.gas import action_gas
from adapters.ethereum.views import PAUSED, VERIFIER_CALLS, lane_call, read_lane_ends, read_verifier_parts
from adapters.protocol import Action, Call, CertificateState, LaneEnds, MachineTraits, Rejected, VerifierParts
from adapters.solidity.calldata import encode_action
from light_clients.crypto.secp256k1 import address_of
from schemas.primitives import LaneId, hex0x

NOBODY = bytes(20)
VIEW_GAS = 5_000_000
DEPLOYMENT_GAS = 12_000_000


class EvmFaces:
    """The gateway's views, calls and the host's traits of a ledger with an EVM.

    Attributes:
        endpoint: the endpoint in use, without credentials.
        block_gas: the most gas that one transaction may have.
    """

    endpoint: str = ""
    block_gas: int = 30_000_000

    def simulate(self, sender: bytes, call: Call) -> bytes:
        """Run a call against the newest state; the adapter's own."""
        raise Rejected(f"{self.endpoint} runs no calls.", code="no_method", endpoint=self.endpoint)

    def lane_ends(self, gateway: bytes, lane_id: LaneId) -> LaneEnds:
        """The counters that the gateway keeps of a lane, at the newest block.

        Raises:
            Rejected: there is no gateway, or it never opened the lane.
        """
        lane, paused = (self.simulate(NOBODY, Call(gateway, ask, VIEW_GAS)) for ask in (lane_call(lane_id), PAUSED))
        ends = read_lane_ends(lane, paused) if lane else None
        if ends is None:
            raise Rejected(
                f"No gateway at {hex0x(gateway)} opened lane {lane_id.hex0x()}.",
                reason="UnknownLane",
                endpoint=self.endpoint,
            )
        return ends

    def verifier_parts(self, verifier: bytes) -> VerifierParts:
        """Ask a verifier what it is.

        Raises:
            Rejected: it is none.
        """
        parts = read_verifier_parts(verifier, *(self._said(verifier, ask) for ask in VERIFIER_CALLS))
        if parts is None:
            raise Rejected(f"The contract at {hex0x(verifier)} is no verifier.", endpoint=self.endpoint)
        return parts

    def call_for(self, gateway: bytes, action: Action) -> Call:
        """Encode a delivery, a settlement or an anchoring, with a gas limit for the worst case."""
        calldata = encode_action(action)
        return Call(gateway, calldata, action_gas(action, len(calldata), self.block_gas))

    def machine(self) -> MachineTraits:
        """An Ethereum machine."""
        return MachineTraits()

    def account(self, private_key: bytes) -> bytes:
        """The account of a secp256k1 key, 20 bytes."""
        return address_of(private_key)

    def called_by(self, program: bytes) -> bytes:
        """Programs have addresses."""
        return program

    def new_name(self, program: str) -> bytes:
        """Programs have addresses."""
        del program
        return b""

    def deployment(self, name: bytes, creation: bytes) -> Call:
        """A transaction that deploys a contract."""
        del name
        return Call(b"", creation, DEPLOYMENT_GAS)

    def certificates(self) -> list[CertificateState]:
        """None is used."""
        return []

    def leave_endpoint(self, reason: str) -> bool:
        """There is no other endpoint here; the guard has them."""
        del reason
        return False

    def _said(self, verifier: bytes, ask: bytes) -> bytes:
        try:
            return self.simulate(NOBODY, Call(verifier, ask, VIEW_GAS))
        except Rejected:
            return b""
