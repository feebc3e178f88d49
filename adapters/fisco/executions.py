"""A transaction and its receipt with their paths, as the light client takes them, out of a node's answers.

On line 3 the transaction goes along, because a receipt alone can be read in several ways (docs/light-clients/fisco.md). Its nonce is
text in the JSON of some versions and the hexadecimal of that text in others; the hash says which. On line 2 the transaction is needed
for a change of sealers and a note of an evidence log, with its signature, which the JSON of nodes before 2.7 does not hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from adapters.fisco.answers import Json, data, readable, record, whole
from adapters.fisco.node import Node
from light_clients import rlp
from light_clients.errors import LightClientError
from light_clients.fisco.block_json import call_3_from_json, path_2_from_json, path_3_from_json, receipt_from_json
from light_clients.fisco.evidence import Execution
from light_clients.fisco.executions import check_included, read_call, read_receipt
from light_clients.fisco.types import FiscoConfiguration
from schemas.primitives import Bytes32

SIGNATURE_SIZES = {"evm": 65, "sm": 128}


def execution_of(
    node: Node, configuration: FiscoConfiguration, block: Json, transaction: bytes, index: int, count: int
) -> Execution | None:
    """The execution of a transaction with its receipt's path and, on line 3, its own.

    Args:
        node: who is asked.
        configuration: the line and the suite.
        block: the block, or its header.
        transaction: its hash.
        index: its position in the block.
        count: transactions in the block.

    Returns:
        None where the transaction cannot be read in one way alone (line 3), so that nothing of it is proved.

    Raises:
        AdapterError: the node does not answer, or not in its form.
    """
    receipt, path = node.receipt_with_proof(transaction)
    if node.line == 2:
        with readable("The receipt and its path"):
            return _execution_2(configuration, block, receipt, path_2_from_json(path, index), index)
    answer, transaction_path = node.transaction_with_proof(transaction)
    written = call_bytes_3(answer, configuration, transaction)
    if written is None:
        return None
    with readable("The transaction, its receipt and their paths"):
        return Execution(
            index,
            count,
            written,
            path_3_from_json(transaction_path, index),
            receipt_from_json(receipt, configuration),
            path_3_from_json(path, index),
        )


def whole_execution_of(
    node: Node, configuration: FiscoConfiguration, block: Json, transactions: Sequence[Json], index: int
) -> Execution | None:
    """As `execution_of`, with the transaction and its path on line 2 too.

    Args:
        node: who is asked.
        configuration: the line and the suite.
        block: the block, or its header.
        transactions: all of the block's, as it was answered with them.
        index: which one.

    Returns:
        None also where the node does not tell all of the transaction.

    Raises:
        AdapterError: the node does not answer, or not in its form.
    """
    own_hash = data(transactions[index].get("hash"), "hash of a transaction", 32)
    execution = execution_of(node, configuration, block, own_hash, index, len(transactions))
    if execution is None or node.line == 3:
        return execution
    written = transaction_bytes_2(transactions[index], configuration, own_hash)
    if written is None:
        return None
    path = node.transaction_with_proof(own_hash)[1]
    with readable("The path of a transaction"):
        return replace(execution, transaction=written, transaction_path=path_2_from_json(path, index))


def _execution_2(
    configuration: FiscoConfiguration, block: Json, receipt: Json, path: tuple[tuple[bytes, ...], ...], index: int
) -> Execution:
    """A node of 2.9 tells the gas that remains also on a ledger that hashes receipts as earlier versions do: the root says which."""
    root = Bytes32(data(block.get("receiptsRoot"), "receiptsRoot", 32))
    told = Execution(index, 0, b"", (), receipt_from_json(receipt, configuration), path)
    shorter = {name: value for name, value in receipt.items() if name != "remainGas"}
    for execution in (told, replace(told, receipt=receipt_from_json(shorter, configuration))):
        with suppress(LightClientError):
            leaf = read_receipt(execution, configuration).hash
            check_included(execution, configuration, root, leaf, execution.receipt_path)
            return execution
    return told


def call_bytes_3(answer: Json, configuration: FiscoConfiguration, transaction: bytes) -> bytes | None:
    """The bytes of a line-3 transaction; None where no reading of its JSON has its hash, or it has more than one reading."""
    for nonce in _nonces(answer.get("nonce")):
        try:
            written = call_3_from_json({**answer, "nonce": nonce})
            # A call of the consensus precompile ends in a node's key, 128 digits that the function itself asks for.
            call = read_call(Execution(0, 1, written, (), b"", ()), configuration, own_digits=128)
        except LightClientError:
            continue
        if call.hash == transaction:
            return written
    return None


def transaction_bytes_2(answer: Json, configuration: FiscoConfiguration, transaction: bytes) -> bytes | None:
    """A line-2 transaction as its signer sent it; None where its JSON does not hold all of it."""
    if not isinstance(answer.get("signature"), dict):
        return None
    signature = data(record(answer["signature"], "signature").get("signature"), "signature")
    if len(signature) != SIGNATURE_SIZES[configuration.suite]:
        return None
    to = data(answer.get("to"), "to", 20)
    first: bytes = signature[64:] if configuration.suite == "sm" else bytes((27 + signature[64] % 2,))
    numbers = {name: _integer(answer.get(name), name) for name in ("nonce", "gasPrice", "gas", "value")}
    names = {name: _integer(answer.get(name), name) for name in ("blockLimit", "chainId", "groupId")}
    items: list[rlp.RlpItem] = [
        numbers["nonce"],
        numbers["gasPrice"],
        numbers["gas"],
        names["blockLimit"],
        to if any(to) else b"",
        numbers["value"],
        data(answer.get("input"), "input"),
        names["chainId"],
        names["groupId"],
        data(answer.get("extraData"), "extraData"),
        first,
        signature[:32].lstrip(b"\0"),
        signature[32:64].lstrip(b"\0"),
    ]
    written = rlp.encode(items)
    return written if configuration.hashing.hash(written) == transaction else None


def _nonces(nonce: Any) -> list[str]:
    """The texts that a nonce of line 3 may be."""
    if not isinstance(nonce, str):
        return []
    texts = [nonce]
    with suppress(ValueError):
        texts.append(bytes.fromhex(nonce.removeprefix("0x")).decode("ascii"))
    return texts


def _integer(value: Any, name: str) -> bytes:
    """An integer of up to 256 bits as RLP holds it."""
    if isinstance(value, str) and value.startswith("0x") and len(value) % 2:
        value = "0x0" + value[2:]
    if isinstance(value, str) and value.startswith("0x"):
        return data(value, name).lstrip(b"\0")
    return rlp.decode_list(rlp.encode_list([rlp.encode_integer(whole(value, name))]))[0]  # type: ignore[return-value] # an integer is bytes
