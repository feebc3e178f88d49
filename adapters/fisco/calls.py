"""Calls that are run and not sent: by the platform's own `call`, or with a sender by the `eth_*` port that 3.10 and later may open.

The own `call` of line 3 knows no sender, unless it is signed; what a contract refuses for want of one says nothing then.
Sources: FISCO BCOS 2.9.1 `librpc/Rpc.cpp` (call), 3.x `JsonRpcImpl_2_0.cpp` (call), `web3jsonrpc/endpoints/EthEndpoint.cpp` (eth_call).
"""

from __future__ import annotations

from adapters.ethereum.refusals import call_refusal
from adapters.ethereum.views import PAUSED, VERIFIER_CALLS, lane_call, read_lane_ends, read_verifier_parts
from adapters.fisco.answers import data, record, whole
from adapters.fisco.node import Node
from adapters.fisco.refusals import NO_CONTRACT, depends_on_sender, uncalled
from adapters.jsonrpc import JsonRpc, RpcError
from adapters.protocol import Call, LaneEnds, Rejected, VerifierParts
from adapters.solidity.refusals import explain
from schemas.primitives import LaneId, hex0x

NOBODY = bytes(20)


class Calls:
    """Runs calls at one node."""

    def __init__(self, node: Node, web3: JsonRpc | None) -> None:
        """Prepare to ask.

        Args:
            node: the node.
            web3: its `eth_*` port, where one is known.
        """
        self._node = node
        self._web3 = web3
        self._no_contract = NO_CONTRACT[node.line]

    def run(self, sender: bytes, target: bytes, call: bytes) -> tuple[int, bytes]:
        """Run a call; its status and output."""
        if self._node.line == 2:
            request = {"from": hex0x(sender), "to": hex0x(target), "value": "0x0", "data": hex0x(call)}
            answer = self._node.demand("call", request)
        else:
            answer = self._node.demand("call", hex0x(target), hex0x(call))
        fields = record(answer, "the answer of the call")
        output = data(fields.get("output") or "0x", "output of the call")
        return whole(fields.get("status"), "status of the call"), output

    def view(self, target: bytes, call: bytes) -> bytes:
        """What a contract's view answers.

        Raises:
            Rejected: there is no contract, or it refuses.
        """
        status, output = self.run(NOBODY, target, call)
        if status == self._no_contract or (status == 0 and not output):
            raise Rejected(
                f"There is no contract at {hex0x(target)}; check the gateway's address.", endpoint=self._endpoint
            )
        if status:
            raise uncalled(status, output, self._node.line, self._endpoint)
        return output

    def lane_ends(self, gateway: bytes, lane_id: LaneId) -> LaneEnds:
        """The counters that a gateway keeps of a lane.

        Raises:
            Rejected: there is no gateway at the address, or it never opened the lane.
        """
        lane, paused = (self.view(gateway, call) for call in (lane_call(lane_id), PAUSED))
        ends = read_lane_ends(lane, paused)
        if ends is None:
            raise Rejected(
                f"The gateway {hex0x(gateway)} never opened lane {lane_id.hex0x()}; open it first.",
                reason="UnknownLane",
                endpoint=self._endpoint,
            )
        return ends

    def verifier_parts(self, verifier: bytes) -> VerifierParts:
        """What a verifier says that it is.

        Raises:
            Rejected: the contract says no kind: it is no verifier.
        """
        answers = [
            b"" if status else output
            for status, output in (self.run(NOBODY, verifier, call) for call in VERIFIER_CALLS)
        ]
        parts = read_verifier_parts(verifier, *answers)
        if parts is None:
            raise Rejected(
                f"The contract at {hex0x(verifier)} is no verifier; check the address.", endpoint=self._endpoint
            )
        return parts

    def simulate(self, sender: bytes, call: Call) -> bytes:
        """Run what would be sent; its output, or nothing where that cannot be told: a deployment, or a missing sender.

        Raises:
            Rejected: it would revert.
        """
        if not call.target:
            return b""
        if self._web3 is not None and any(sender):
            return self._with_sender(self._web3, sender, call)
        status, output = self.run(sender, call.target, call.data)
        if status == self._no_contract:
            return b""
        if status == 0:
            return output
        if self._node.line == 3 and any(sender) and depends_on_sender(status, output):
            return b""
        raise uncalled(status, output, self._node.line, self._endpoint)

    @property
    def _endpoint(self) -> str:
        return self._node.rpc.label

    @staticmethod
    def _with_sender(web3: JsonRpc, sender: bytes, call: Call) -> bytes:
        request = {"from": hex0x(sender), "to": hex0x(call.target), "data": hex0x(call.data)}
        try:
            return data(web3.call("eth_call", [request, "latest"]), "output of the call")
        except RpcError as error:
            raise call_refusal(error, explain) from error
