"""What a simulated node does wrong on demand. Each node has its own faults; the ledger behind is honest.

Failures: `busy` (HTTP 503), `throttled` (HTTP 429), `slow` (answers after two seconds), `cut` (the body breaks off), `flood` (a body of
a gigabyte), `garbage` (no JSON), `errors` (an error object for everything). Views: `lag` (ten blocks behind), `fork` (from a height
on other blocks, signed by keys that are no sealers'). Lies: see `LIES`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.fisco.simulator.formats import SealedBlock, seal
from adapters.fisco.simulator.keys import SealerKey, new_key, ordered
from adapters.fisco.transactions import Network

FAILURES = frozenset({"busy", "throttled", "slow", "cut", "flood", "garbage", "errors"})
VIEWS = frozenset({"lag", "fork"})
LAG_BLOCKS = 10
_FORK_LABEL = b"fork"


@dataclass
class Faults:
    """The faults of one node: names from `FAILURES`, `VIEWS` and `LIES`, and where its fork begins."""

    names: set[str] = field(default_factory=set)
    fork_from: int = 1
    _keys: dict[int, tuple[SealerKey, ...]] = field(default_factory=dict)
    _forked: list[SealedBlock] = field(default_factory=list)

    def set(self, names: Sequence[str], fork_from: int = 1) -> None:
        """Have these faults and no others.

        Raises:
            ValueError: one is unknown.
        """
        unknown = set(names) - known_faults()
        if unknown:
            raise ValueError(
                f"there is no fault {', '.join(sorted(unknown))}; there are {', '.join(sorted(known_faults()))}"
            )
        self.names, self.fork_from, self._forked = set(names), max(fork_from, 1), []

    def view(self, network: Network, blocks: Sequence[SealedBlock]) -> list[SealedBlock]:
        """The blocks that the node shows."""
        shown = list(blocks)
        if "lag" in self.names:
            shown = shown[: max(len(shown) - LAG_BLOCKS, 1)]
        if "fork" not in self.names or len(shown) <= self.fork_from:
            return shown
        for height in range(self.fork_from + len(self._forked), len(shown)):
            parent = self._forked[-1] if self._forked else shown[height - 1]
            self._forked.append(self._forge(network, parent, shown[height]))
        return shown[: self.fork_from] + self._forked[: len(shown) - self.fork_from]

    def _forge(self, network: Network, parent: SealedBlock, block: SealedBlock) -> SealedBlock:
        count = len(block.sealers)
        if count not in self._keys:
            self._keys[count] = ordered([new_key(network.suite) for _ in range(count)])
        signers = [index for index, _ in block.seals]
        own = self._keys[count]
        return seal(network, parent, own, signers, block.executed, block.timestamp_ms, extra=_FORK_LABEL)


def known_faults() -> frozenset[str]:
    """Names of all faults."""
    return FAILURES | VIEWS | LIES.keys()


def tell_lies(method: str, result: Any, names: set[str]) -> Any:
    """What a lying node answers.

    Args:
        method: of JSON-RPC.
        result: what an honest one answers.
        names: its faults.
    """
    for name in sorted(names & LIES.keys()):
        methods, change = LIES[name]
        if method in methods and result:
            result = change(result)
    return result


def flipped(text: str) -> str:
    """Hexadecimal text with its last digit changed."""
    return text[:-1] + ("1" if text[-1] != "1" else "2")


def _on_logs(change: Callable[[list[Any]], list[Any]]) -> Callable[[Any], Any]:
    def lie(result: Any) -> Any:
        if isinstance(result, dict) and "transactionReceipt" in result:
            return {**result, "transactionReceipt": lie(result["transactionReceipt"])}
        name = "logs" if "logs" in result else "logEntries"
        return {**result, name: change(result[name])} if result.get(name) else result

    return lie


def _false_log(log: dict[str, Any]) -> dict[str, Any]:
    return {**log, "data": flipped(log["data"])} if len(log["data"]) > 2 else log


def _false_receipt(result: Any) -> Any:
    if "transactionReceipt" in result:
        return {**result, "transactionReceipt": _false_receipt(result["transactionReceipt"])}
    numeric = isinstance(result["status"], int)
    failed = result["status"] if numeric else int(result["status"], 16)
    status = 0 if failed else 22
    return {**result, "status": status if numeric else hex(status)}


def _false_height(result: Any) -> Any:
    return result + 1000 if isinstance(result, int) else hex(int(result, 16) + 1000)


def _false_output(result: Any) -> Any:
    return {**result, "output": flipped(result["output"])} if len(result["output"]) > 2 else result


def _false_header(result: Any) -> Any:
    return {**result, "stateRoot": flipped(result["stateRoot"])}


def _foreign_seals(result: Any) -> Any:
    listed = [
        {**item, "signature": flipped(flipped(item["signature"][:-4]) + "0000")}
        for item in result.get("signatureList", [])
    ]
    return {**result, "signatureList": listed}


def _false_proof(result: Any) -> Any:
    """Line 2: a further level below; line 3: the last node changed, or a level where none is needed."""
    changed = dict(result)
    for name in ("txProof", "receiptProof", "txReceiptProof"):
        proof = result.get(name)
        if not isinstance(proof, list) or not proof:
            continue
        if not isinstance(proof[0], str):
            changed[name] = [{"left": ["00" * 33], "right": []}, *proof]
        elif len(proof) == 1:
            changed[name] = ["00000002", proof[0], flipped(proof[0])]
        else:
            changed[name] = [*proof[:-1], flipped(proof[-1])]
    return changed


_RECEIPTS = frozenset({"getTransactionReceipt", "getTransactionReceiptByHashWithProof"})
_BLOCKS = frozenset({"getBlockByNumber", "getBlockHeaderByNumber"})
_PROOFS = _RECEIPTS | {"getTransaction", "getTransactionByHashWithProof"}

LIES: dict[str, tuple[frozenset[str], Callable[[Any], Any]]] = {
    "events": (_RECEIPTS, _on_logs(lambda logs: [_false_log(log) for log in logs])),
    "missing_events": (_RECEIPTS, _on_logs(lambda logs: logs[:-1])),
    "repeated_events": (_RECEIPTS, _on_logs(lambda logs: [*logs, logs[-1]])),
    "reordered_events": (_RECEIPTS, _on_logs(lambda logs: logs[::-1])),
    "receipts": (_RECEIPTS, _false_receipt),
    "proofs": (_PROOFS, _false_proof),
    "heads": (frozenset({"call"}), _false_output),
    "height": (frozenset({"getBlockNumber"}), _false_height),
    "headers": (_BLOCKS, _false_header),
    "seals": (_BLOCKS, _foreign_seals),
}
"""The lies by name: the methods they touch and how they change the result."""
