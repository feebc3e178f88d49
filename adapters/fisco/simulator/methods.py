"""The JSON-RPC methods of a simulated node of either line, and the switches that no real node has.

Errors are those of the platform: line 2 `librpc/Common.h`, and -32603 with the text of the refusal for a transaction; line 3 the
status of the refused transaction as code, and the ledger's error for what is not there.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from adapters.fisco.simulator.answers import block_json, header_json, proof_json, receipt_json, transaction_json
from adapters.fisco.simulator.faults import Faults
from adapters.fisco.simulator.formats import SealedBlock
from adapters.fisco.simulator.ledger import Refused, SimulatedLedger

if TYPE_CHECKING:
    from adapters.fisco.simulator.network import FiscoNetwork

VERSION = {2: "2.9.1", 3: "3.16.3"}
COMMIT_WAIT_S = 30.0
_STATUS_3 = {
    "NonceCheckFail": 10000,
    "BlockLimitCheckFail": 10001,
    "TxPoolIsFull": 10002,
    "MalformedTx": 10003,
    "AlreadyInTxPool": 10004,
    "TxAlreadyInChain": 10005,
    "InvalidChainId": 10006,
    "InvalidGroupId": 10007,
    "InvalidSignature": 10008,
}
_TEXT_2 = {
    "NonceCheckFail": "TransactionNonceCheckFail",
    "BlockLimitCheckFail": "BlockLimitCheckFailed",
    "TxPoolIsFull": "TransactionPoolIsFull",
    "AlreadyInTxPool": "TransactionAlreadyKown",
    "TxAlreadyInChain": "TransactionAlreadyInChain",
    "InvalidChainId": "InvalidChainIdOrGroupId",
    "InvalidGroupId": "InvalidChainIdOrGroupId",
}


class MethodError(Exception):
    """An error object: a code, a message, and data where there is any."""

    def __init__(self, code: int, message: str, *, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.data = data


class Methods:
    """What one node answers."""

    def __init__(self, network: FiscoNetwork, index: int, faults: Faults) -> None:
        self._owner = network
        self._ledger: SimulatedLedger = network.ledger
        self._network = network.network
        self._index = index
        self._faults = faults
        self._line = self._network.line

    def answer(self, method: str, params: list[Any]) -> Any:
        """Answer a method.

        Raises:
            MethodError: it is refused.
        """
        if method.startswith("simulator_"):
            return self._switch(method.removeprefix("simulator_"), params)
        table = self._methods_2() if self._line == 2 else self._methods_3()
        if method not in table:
            raise MethodError(-32601, "The method does not exist/is not available.")
        if method not in ("getClientVersion", "getGroupInfo", "getGroupList"):
            params = self._of_group(params)
        try:
            return table[method](*params)
        except (TypeError, ValueError, IndexError) as error:
            raise MethodError(-32602, f"Invalid params: {error}") from error

    def _of_group(self, params: list[Any]) -> list[Any]:
        first = 1 if self._line == 2 else 2
        if len(params) < first or str(params[0]) != self._network.group:
            if self._line == 2:
                raise MethodError(-40001, "GroupID does not exist")
            raise MethodError(-32004, f"The group {params[0] if params else ''} does not exist!")
        return params[first:]

    def _blocks(self) -> list[SealedBlock]:
        with self._ledger.lock:
            return self._faults.view(self._network, self._ledger.blocks)

    def _block(self, number: Any) -> SealedBlock:
        height = int(number, 16) if isinstance(number, str) and number.startswith("0x") else int(number)
        blocks = self._blocks()
        if not 0 <= height < len(blocks):
            if self._line == 2:
                raise MethodError(-40004, "BlockNumber does not exist")
            raise MethodError(3008, "GetStorageError: the block does not exist")
        return blocks[height]

    def _find(self, transaction: str) -> tuple[SealedBlock, int] | None:
        place = self._ledger.places.get(bytes.fromhex(transaction.removeprefix("0x")))
        blocks = self._blocks()
        if place is None or place[0] >= len(blocks):
            return None
        return blocks[place[0]], place[1]

    # Line 2

    def _methods_2(self) -> dict[str, Callable[..., Any]]:
        return {
            "getClientVersion": self._version_2,
            "getGroupList": lambda: [int(self._network.group)],
            "getBlockNumber": lambda: hex(len(self._blocks()) - 1),
            "getBlockHashByNumber": lambda number: "0x" + self._block(number).hash.hex(),
            "getBlockHeaderByNumber": lambda number, signatures: header_json(
                self._network, self._block(number), signatures=signatures
            ),
            "getBlockByNumber": lambda number, whole: block_json(self._network, self._block(number), whole=whole),
            "getTransactionReceipt": self._receipt_2,
            "getTransactionReceiptByHashWithProof": self._proved_receipt_2,
            "getTransactionByHashWithProof": self._proved_transaction_2,
            "getTransactionByHash": self._transaction_2,
            "getSealerList": lambda: [sealer.public.hex() for sealer in self._ledger.executor.sealers],
            "getCode": self._code_2,
            "call": self._call_2,
            "sendRawTransaction": self._send_2,
            "getPendingTxSize": lambda: hex(self._ledger.waiting),
        }

    def _version_2(self) -> dict[str, str]:
        national = " gm" if self._network.suite == "sm" else ""
        return {
            "Build Time": "",
            "Build Type": "relayhub simulator, no FISCO BCOS node",
            "Chain Id": self._network.chain,
            "FISCO-BCOS Version": f"{VERSION[2]}{national} (simulator)",
            "Git Branch": "",
            "Git Commit Hash": "",
            "Supported Version": VERSION[2],
        }

    def _receipt_2(self, transaction: str) -> Any:
        found = self._find(transaction)
        return receipt_json(self._network, *found) if found else None

    def _proved_receipt_2(self, transaction: str) -> Any:
        found = self._find(transaction)
        if found is None:
            return None
        proof = proof_json(self._network, *found, receipts=True)
        return {"transactionReceipt": receipt_json(self._network, *found), "receiptProof": proof}

    def _proved_transaction_2(self, transaction: str) -> Any:
        found = self._find(transaction)
        if found is None:
            return None
        proof = proof_json(self._network, *found, receipts=False)
        return {"transaction": transaction_json(self._network, *found), "txProof": proof}

    def _transaction_2(self, transaction: str) -> Any:
        found = self._find(transaction)
        return transaction_json(self._network, *found) if found else None

    def _code_2(self, address: str) -> str:
        return "0x" + self._ledger.executor.code(bytes.fromhex(address.removeprefix("0x"))).hex()

    def _call_2(self, request: dict[str, str]) -> dict[str, str]:
        if not request.get("from"):
            raise MethodError(-40006, "Call needs a 'from' field")
        sender, target, data = (bytes.fromhex(request.get(name, "")[2:]) for name in ("from", "to", "data"))
        status, output = self._ledger.call(sender, target, data)
        height = hex(self._ledger.height)
        return {"currentBlockNumber": height, "status": hex(status), "output": "0x" + output.hex()}

    def _send_2(self, raw: str) -> str:
        try:
            return "0x" + self._ledger.submit(bytes.fromhex(raw.removeprefix("0x"))).hex()
        except Refused as refused:
            name = str(refused)
            raise MethodError(-32603, f"TransactionRefused: {_TEXT_2.get(name, name)}, txHash=…") from refused

    # Line 3

    def _methods_3(self) -> dict[str, Callable[..., Any]]:
        return {
            "getGroupInfo": self._group_3,
            "getGroupList": lambda: {"groupList": [self._network.group]},
            "getBlockNumber": lambda: len(self._blocks()) - 1,
            "getBlockHashByNumber": lambda number: "0x" + self._block(number).hash.hex(),
            "getBlockByNumber": self._block_3,
            "getTransaction": self._transaction_3,
            "getTransactionReceipt": self._receipt_3,
            "getSealerList": lambda: [
                {"nodeID": sealer.public.hex(), "weight": sealer.weight} for sealer in self._ledger.executor.sealers
            ],
            "getCode": self._code_3,
            "call": self._call_3,
            "sendTransaction": self._send_3,
            "getPendingTxSize": lambda: self._ledger.waiting,
        }

    def _group_3(self, group: str) -> dict[str, Any]:
        if group != self._network.group:
            raise MethodError(-32004, f"The group {group} does not exist!")
        settings = {
            "binaryInfo": {"version": f"{VERSION[3]} (simulator)", "platform": "relayhub"},
            "chainID": self._network.chain,
            "groupID": group,
            "isWasm": False,
            "smCryptoType": self._network.suite == "sm",
        }
        return {
            "chainID": self._network.chain,
            "groupID": group,
            "genesisConfig": "",
            "iniConfig": "",
            "nodeList": [{"name": f"node{self._index}", "iniConfig": json.dumps(settings), "type": 0}],
        }

    def _block_3(self, number: int, only_header: bool, only_hashes: bool) -> Any:
        block = self._block(number)
        if only_header:
            return header_json(self._network, block)
        return block_json(self._network, block, whole=not only_hashes)

    def _transaction_3(self, transaction: str, proof: bool) -> Any:
        found = self._find(transaction)
        if found is None:
            raise MethodError(3008, "GetStorageError: the transaction does not exist")
        answer = transaction_json(self._network, *found)
        if proof:
            answer |= {"transactionProof": [], "txProof": proof_json(self._network, *found, receipts=False)}
        return answer

    def _receipt_3(self, transaction: str, proof: bool) -> Any:
        found = self._find(transaction)
        if found is None:
            raise MethodError(3008, "GetStorageError: the receipt does not exist")
        return self._told_receipt_3(found, proof=proof)

    def _told_receipt_3(self, found: tuple[SealedBlock, int], *, proof: bool) -> Any:
        answer = receipt_json(self._network, *found)
        if proof:
            answer |= {"receiptProof": [], "txReceiptProof": proof_json(self._network, *found, receipts=True)}
        return answer

    def _code_3(self, address: str) -> str:
        code = self._ledger.executor.code(bytes.fromhex(address.removeprefix("0x")))
        return "0x" + code.hex() if code else ""

    def _call_3(self, to: str, data: str) -> Any:
        target = bytes.fromhex(to.removeprefix("0x"))
        status, output = self._ledger.call(bytes(20), target, bytes.fromhex(data.removeprefix("0x")))
        return {"blockNumber": self._ledger.height, "status": status, "output": "0x" + output.hex()}

    def _send_3(self, raw: str, proof: bool) -> Any:
        try:
            transaction = self._ledger.submit(bytes.fromhex(raw.removeprefix("0x")))
        except Refused as refused:
            name = str(refused).partition(":")[0]
            raise MethodError(_STATUS_3.get(name, 10003), name) from refused
        found = self._ledger.wait_for(transaction, COMMIT_WAIT_S)
        if found is None:
            raise MethodError(-32603, "the transaction was not committed in time")
        return self._told_receipt_3(found, proof=proof)

    # Switches that no real node has

    def _switch(self, name: str, params: list[Any]) -> Any:
        try:
            return self._owner.switch(self._index, name, params)
        except (TypeError, ValueError, IndexError, KeyError) as error:
            raise MethodError(-32602, f"simulator_{name}: {error}") from error
