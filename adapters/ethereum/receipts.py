"""Transaction receipts as nodes answer them.

Source: the Ethereum JSON-RPC specification (execution-apis), method eth_getTransactionReceipt; EIP-658 (status).
"""

from __future__ import annotations

from typing import Any

from adapters.ethereum.answers import data, quantity, record
from adapters.jsonrpc import RpcError
from adapters.protocol import BadAnswer, Receipt


def read_receipt(answer: Any, transaction: bytes) -> Receipt | None:
    """Read a receipt; None if the transaction is not mined, as far as the node knows.

    Args:
        answer: the node's answer, or the error object in its place (some nodes say "not found" where others say null).
        transaction: the 32-byte hash that was asked for.

    Raises:
        BadAnswer: it is no receipt, or another transaction's.
        RpcError: the node refused for another reason than not knowing it.
    """
    if isinstance(answer, RpcError):
        if "not found" in answer.reason.lower() or "unknown transaction" in answer.reason.lower():
            return None
        raise answer
    if answer is None:
        return None
    fields = record(answer, "the receipt")
    if data(fields.get("transactionHash"), "transactionHash of the receipt", 32) != transaction:
        raise BadAnswer("the receipt is of another transaction than was asked for; leave the endpoint.")
    if fields.get("blockNumber") is None:
        return None
    status = quantity(fields.get("status"), "status of the receipt")
    if status > 1:
        raise BadAnswer(f"the status of a receipt is {status}, neither 0 nor 1; leave the endpoint.")
    contract = fields.get("contractAddress")
    return Receipt(
        transaction=transaction,
        height=quantity(fields["blockNumber"], "blockNumber of the receipt"),
        block_hash=data(fields.get("blockHash"), "blockHash of the receipt", 32),
        success=status == 1,
        gas_used=quantity(fields.get("gasUsed"), "gasUsed"),
        contract=b"" if contract is None else data(contract, "contractAddress", 20),
    )
