"""The `eth_*` port that nodes of line 3 may open beside their own (3.10 and later), as far as the adapter uses it.

Source: FISCO-BCOS 3.16 `bcos-rpc/web3jsonrpc/endpoints/EthEndpoint.cpp`; what a call reverts with is in an error's data.
"""

from __future__ import annotations

from typing import Any

from adapters.fisco.simulator.ledger import SimulatedLedger
from adapters.fisco.simulator.methods import VERSION, MethodError


class Web3Methods:
    """What the port answers."""

    def __init__(self, ledger: SimulatedLedger) -> None:
        self._ledger = ledger

    def answer(self, method: str, params: list[Any]) -> Any:
        """Answer a method.

        Raises:
            MethodError: it is refused.
        """
        if method == "eth_blockNumber":
            return hex(self._ledger.height)
        if method == "web3_clientVersion":
            return f"FISCO-BCOS-Web3RPC/v{VERSION[3]} (simulator)"
        if method == "eth_call":
            return self._call(params)
        raise MethodError(-32601, "Method not found")

    def _call(self, params: list[Any]) -> str:
        try:
            names = ("from", "to", "data")
            sender, target, data = (bytes.fromhex(params[0].get(name, "0x")[2:]) for name in names)
        except (AttributeError, IndexError, ValueError) as error:
            raise MethodError(-32602, "Invalid call request!") from error
        status, output = self._ledger.call(sender, target, data)
        if status:
            text = "VM Exception while processing transaction, reason: RevertInstruction"
            raise MethodError(-32603, text, data={"message": text, "data": "0x" + output.hex()})
        return "0x" + output.hex()
