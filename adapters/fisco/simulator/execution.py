"""Running transactions: the Solidity in the machine with the platform's traits, and the consensus precompile that changes sealers.

Sources: FISCO-BCOS 2.9.1 `libprecompiled/ConsensusPrecompiled`, 3.16 `bcos-executor/src/precompiled/ConsensusPrecompiled`.
"""

from __future__ import annotations

from dataclasses import replace

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from adapters.fisco.simulator.formats import Executed
from adapters.fisco.simulator.keys import SealerKey, ordered
from adapters.fisco.transactions import Network, Parsed
from adapters.solidity.machine import Execution, Machine, platforms
from schemas.suites import SUITES

CONSENSUS = (0x1003).to_bytes(20, "big")
GAS_LIMIT = 300_000_000
_INTRINSIC, _PER_BYTE = 21_000, 16
STATUS = {2: {"revert": 0x16, "gas": 12, "address": 0x1A}, 3: {"revert": 16, "gas": 12, "address": 19}}
_TRAITS = {
    (2, "evm"): platforms.FISCO_2_9,
    (2, "sm"): platforms.FISCO_2_9_SM,
    (3, "evm"): platforms.FISCO_3_16,
    (3, "sm"): platforms.FISCO_3_16_SM,
}
_NODE_ABSENT, _LAST_SEALER, _NODE_MALFORMED = -51_100, -51_101, -51_000


class Executor:
    """The state of one network: contracts in the machine, and the sealers of the next block."""

    def __init__(self, network: Network, sealers: tuple[SealerKey, ...]) -> None:
        self.network = network
        self.sealers = ordered(sealers)
        self.known = {sealer.public: sealer for sealer in sealers}
        self._machine = Machine(replace(_TRAITS[network.line, network.suite], chain_number=0))

    def run(self, parsed: Parsed, raw: bytes, sender: bytes, *, height: int, timestamp_ms: int) -> Executed:
        """Execute a transaction and keep what it changed if it succeeded."""
        if parsed.to == CONSENSUS:
            status, output = 0, self._consensus(parsed.data)
            return Executed(parsed, raw, sender, status, output, _INTRINSIC)
        create_at = None if parsed.to else SUITES[self.network.suite].hash(b"contract" + parsed.hash)[12:]
        if create_at is None and not self._machine.code(parsed.to):
            return Executed(parsed, raw, sender, self._status("address"), b"", _INTRINSIC)
        intrinsic = _INTRINSIC + _PER_BYTE * len(parsed.data)
        gas = min(parsed.gas or GAS_LIMIT, GAS_LIMIT) - intrinsic
        if gas <= 0:
            return Executed(parsed, raw, sender, self._status("gas"), b"", min(parsed.gas, GAS_LIMIT))
        done = self._machine.execute(
            sender, parsed.to, parsed.data, gas=gas, height=height, timestamp=timestamp_ms, create_at=create_at
        )
        return Executed(
            parsed,
            raw,
            sender,
            self._outcome(done),
            b"" if done.created else done.output,
            intrinsic + done.gas_used,
            done.created,
            done.logs,
        )

    def call(self, sender: bytes, target: bytes, data: bytes, *, height: int, timestamp_ms: int) -> tuple[int, bytes]:
        """Run a call that changes nothing; its status and output."""
        if not self._machine.code(target):
            return self._status("address"), b""
        done = self._machine.call(sender, target, data, gas=GAS_LIMIT, height=height, timestamp=timestamp_ms)
        return self._outcome(done), done.output

    def code(self, address: bytes) -> bytes:
        """Code of a contract."""
        return self._machine.code(address)

    def _outcome(self, done: Execution) -> int:
        if done.success:
            return 0
        return self._status("revert" if done.failure == "revert" else "gas")

    def _status(self, name: str) -> int:
        return STATUS[self.network.line][name]

    def _consensus(self, data: bytes) -> bytes:
        """Change the sealers of the next block; what it returns is a signed number of 256 bits."""
        code = self._change(data)
        success = 1 if self.network.line == 2 else 0
        return (success if code == 0 else code).to_bytes(32, "big", signed=True)

    def _change(self, data: bytes) -> int:
        weighted = self.network.line == 3
        types = {"addSealer": "string,uint256" if weighted else "string", "addObserver": "string", "remove": "string"}
        if weighted:
            types["setWeight"] = "string,uint256"
        for name, arguments in types.items():
            if data[:4] == SUITES[self.network.suite].hash(f"{name}({arguments})".encode())[:4]:
                try:
                    node, *weights = decode(arguments.split(","), data[4:])
                    return self._apply(name, bytes.fromhex(node), weights[0] if weights else 1)
                except (DecodingError, ValueError):
                    return _NODE_MALFORMED
        return _NODE_MALFORMED

    def _apply(self, name: str, node: bytes, weight: int) -> int:
        present = {sealer.public: sealer for sealer in self.sealers}
        if name in ("addSealer", "setWeight"):
            sealer = self.known.get(node)
            if sealer is None or (name == "setWeight" and node not in present):
                return _NODE_ABSENT
            present[node] = replace(sealer, weight=weight)
        else:
            if node not in present:
                return _NODE_ABSENT
            if len(present) == 1:
                return _LAST_SEALER
            del present[node]
        self.sealers = ordered(tuple(present.values()))
        return 0
