"""Questions to a node of either line over its JSON-RPC, each by itself: nodes of line 3 take no batches.

Line 2 takes the group's number first and writes heights in hexadecimal; line 3 takes the group and a node's name first. Sources:
FISCO BCOS 2.9.1 `librpc/Rpc.cpp` and its JSON-RPC API document; 3.x `bcos-rpc/jsonrpc/JsonRpcImpl_2_0.cpp`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Any, TypeVar

from adapters.fisco.answers import Json, data, listed, record, whole
from adapters.fisco.options import FiscoOptions
from adapters.fisco.refusals import asked_wrongly, no_such_block
from adapters.jsonrpc import JsonRpc, RpcError
from adapters.protocol import BadAnswer
from schemas.primitives import hex0x

MAXIMUM_TRANSACTIONS = 100_000
"""Transactions of a block that are read."""
FIRST_POOL_STATUS = 10_000
"""Line 3: statuses from here on are those of a pool that refuses."""
SENDS_AT_ONCE = 64
"""Line 3: transactions that wait for their block at once, for a node answers none before it stands in one."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class Node:
    """One endpoint's node. Safe to share between threads."""

    def __init__(self, rpc: JsonRpc, options: FiscoOptions) -> None:
        """Prepare to ask; nothing is asked yet."""
        self.rpc = rpc
        self.network = options.network
        self._parallel = options.parallel
        first: list[Any] = [int(self.network.group)] if self.network.line == 2 else [self.network.group, options.node]
        self._first = first
        self._lock = threading.Lock()
        self._workers: ThreadPoolExecutor | None = None
        self._senders: ThreadPoolExecutor | None = None

    @property
    def line(self) -> int:
        """Of the platform."""
        return self.network.line

    def ask(self, method: str, *params: Any) -> Any:
        """Ask for something of the group.

        Raises:
            RpcError: the node refuses.
        """
        return self.rpc.call(method, [*self._first, *params])

    def demand(self, method: str, *params: Any) -> Any:
        """Ask for something of the group that every node has.

        Raises:
            AdapterError: the node refuses; its kind says whether the group, the node or the question is at fault.
        """
        try:
            return self.ask(method, *params)
        except RpcError as error:
            raise asked_wrongly(error) from error

    def height(self) -> int:
        """Number of the newest block."""
        return whole(self.demand("getBlockNumber"), "the newest block's number")

    def block_hash(self, height: int) -> bytes:
        """Hash of the block at a height.

        Raises:
            Rejected: there is none.
        """
        return data(self._of_block(height, "getBlockHashByNumber", self._number(height)), "hash of the block", 32)

    def header(self, height: int) -> Json:
        """The header at a height with its signatures.

        Raises:
            Rejected: there is none.
        """
        if self.line == 2:
            return self._block(height, "getBlockHeaderByNumber", self._number(height), True)
        return self._block(height, "getBlockByNumber", height, True, True)

    def block(self, height: int, *, whole_transactions: bool = False) -> Json:
        """The block at a height with the hashes of its transactions, or with the transactions themselves.

        Raises:
            Rejected: there is none.
        """
        if self.line == 2:
            return self._block(height, "getBlockByNumber", self._number(height), whole_transactions)
        return self._block(height, "getBlockByNumber", height, False, not whole_transactions)

    def send(self, raw: bytes) -> bytes:
        """Send a transaction; the hash under which the node took it.

        Nodes of line 3 answer with its receipt, once it stands in a block; early ones write a refusal into its status.

        Raises:
            RpcError: the node refuses it.
        """
        if self.line == 2:
            return data(self.ask("sendRawTransaction", hex0x(raw)), "hash of the transaction", 32)
        receipt = record(self.ask("sendTransaction", hex0x(raw), False), "the receipt")
        status = receipt.get("status")
        if type(status) is int and status >= FIRST_POOL_STATUS:
            text = f"the pool says {status}"
            raise RpcError(text, rpc_code=status, data=None, endpoint=self.rpc.label)
        return data(receipt.get("transactionHash"), "hash of the transaction", 32)

    def receipt(self, transaction: bytes) -> Json:
        """The receipt of a mined transaction.

        Raises:
            RpcError: the node does not have it (line 3), or refuses.
            BadAnswer: it is none, or another transaction's.
        """
        answer = self.ask("getTransactionReceipt", hex0x(transaction), *([False] if self.line == 3 else []))
        return self._of(record(answer, "the receipt"), transaction)

    def receipts(self, transactions: Sequence[bytes]) -> list[Json]:
        """The receipts of transactions that the node says are mined.

        Raises:
            AdapterError: one is missing.
        """
        return self.each(lambda transaction: self._demanded(self.receipt, transaction), transactions)

    def receipt_with_proof(self, transaction: bytes) -> tuple[Json, Any]:
        """A receipt and its path.

        Raises:
            AdapterError: the node has none, or refuses.
        """
        if self.line == 2:
            answer = record(self.demand("getTransactionReceiptByHashWithProof", hex0x(transaction)), "the receipt")
            receipt = record(answer.get("transactionReceipt"), "the receipt")
            return self._of(receipt, transaction), answer.get("receiptProof")
        receipt = record(self.demand("getTransactionReceipt", hex0x(transaction), True), "the receipt")
        return self._of(receipt, transaction), receipt.get("txReceiptProof") or receipt.get("receiptProof")

    def transaction_with_proof(self, transaction: bytes) -> tuple[Json, Any]:
        """A transaction and its path.

        Raises:
            AdapterError: the node has none, or refuses.
        """
        if self.line == 2:
            answer = record(self.demand("getTransactionByHashWithProof", hex0x(transaction)), "the transaction")
            return record(answer.get("transaction"), "the transaction"), answer.get("txProof")
        answer = record(self.demand("getTransaction", hex0x(transaction), True), "the transaction")
        return answer, answer.get("txProof") or answer.get("transactionProof")

    def each(self, question: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """Ask the same of several, some at once; the answers come in order.

        Raises:
            AdapterError: the first failure; what was not asked yet is asked no more, what is under way ends first.
        """
        asked = list(items)
        if len(asked) < 2 or self._parallel == 1:
            return [question(item) for item in asked]
        with self._lock:
            if self._workers is None:
                self._workers = ThreadPoolExecutor(self._parallel, thread_name_prefix="fisco")
        return _all(self._workers, question, asked)

    def send_each(self, sending: Callable[[bytes], Result], transactions: Sequence[bytes]) -> list[Result]:
        """As `each` for what sends: where a node answers with the receipt, as many wait for one block as are there.

        Raises:
            AdapterError: as `each`.
        """
        if self.line == 2 or len(transactions) < 2:
            return self.each(sending, transactions)
        with self._lock:
            if self._senders is None:
                self._senders = ThreadPoolExecutor(SENDS_AT_ONCE, thread_name_prefix="fisco-send")
        return _all(self._senders, sending, transactions)

    def close(self) -> None:
        """Release connections and threads."""
        for workers in (self._workers, self._senders):
            if workers is not None:
                workers.shutdown(wait=True, cancel_futures=True)
        self.rpc.close()

    def _number(self, height: int) -> Any:
        return hex(height) if self.line == 2 else height

    def _block(self, height: int, method: str, *params: Any) -> Json:
        block = record(self._of_block(height, method, *params), "the block")
        if whole(block.get("number"), "number of the block") != height:
            raise BadAnswer(f"the endpoint answered another block where block {height} was asked for; leave it.")
        return block

    def _of_block(self, height: int, method: str, *params: Any) -> Any:
        try:
            return self.ask(method, *params)
        except RpcError as error:
            raise no_such_block(error, height) from error

    def _demanded(self, question: Callable[[bytes], Json], transaction: bytes) -> Json:
        try:
            return question(transaction)
        except RpcError as error:
            raise asked_wrongly(error) from error

    @staticmethod
    def _of(receipt: Json, transaction: bytes) -> Json:
        if data(receipt.get("transactionHash"), "transactionHash of the receipt", 32) != transaction:
            raise BadAnswer("the receipt is of another transaction than was asked for; leave the endpoint.")
        return receipt


def transaction_hashes(block: Json) -> list[bytes]:
    """The hashes of a block's transactions, where the block was asked for with hashes.

    Raises:
        BadAnswer: they are no hashes, or one stands twice.
    """
    listed_hashes = listed(block.get("transactions"), "the transactions of the block", MAXIMUM_TRANSACTIONS)
    hashes = [data(item, "hash of a transaction", 32) for item in listed_hashes]
    if len(set(hashes)) != len(hashes):
        raise BadAnswer("a transaction stands twice in a block; leave the endpoint.")
    return hashes


def whole_transactions(block: Json) -> list[Json]:
    """A block's transactions, where the block was asked for with them.

    Raises:
        BadAnswer: they are none.
    """
    items = listed(block.get("transactions"), "the transactions of the block", MAXIMUM_TRANSACTIONS)
    return [record(item, "a transaction") for item in items]


def _all(workers: ThreadPoolExecutor, question: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """The answers in order, or the first failure, once nothing is under way any more."""
    futures = [workers.submit(question, item) for item in items]
    done, others = wait(futures, return_when=FIRST_EXCEPTION)
    if others:
        for future in others:
            future.cancel()
        wait([future for future in others if not future.cancelled()])
    for future in futures:
        if future in done:
            future.result()
    return [future.result() for future in futures]
