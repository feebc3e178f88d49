"""Headers as the light client takes them: rebuilt from JSON, with signatures and, where sealers changed, the proofs of the change.

Whether they are right is for the light client to say. A header that lists other sealers than its parent is believed where the
calls of the consensus precompile (0x1003) in the parent lead to that list; they are looked for there and go along.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from adapters.fisco.answers import Json, data, listed, readable, record, whole
from adapters.fisco.executions import execution_of, transaction_bytes_2
from adapters.fisco.node import MAXIMUM_TRANSACTIONS, Node
from adapters.protocol import BadAnswer
from light_clients.fisco.block_json import bundle_from_json, path_2_from_json
from light_clients.fisco.evidence import Execution
from light_clients.fisco.steps import CONSENSUS_PRECOMPILE
from light_clients.fisco.types import MAXIMUM_SEALERS, FiscoConfiguration


def read_headers(node: Node, configuration: FiscoConfiguration, first: int, last: int) -> list[bytes]:
    """The bundles of headers `first` to `last`, in order.

    Raises:
        AdapterError: the node does not have one of them, or does not answer in its form.
    """
    start = max(first - 1, 1)
    blocks = node.each(node.header, range(start, last + 1))
    bundles = []
    for place, block in enumerate(blocks):
        height = start + place
        if height < first:
            continue
        changed = place > 0 and _sealers(blocks[place - 1]) != _sealers(block)
        steps = _steps(node, configuration, height - 1) if changed else ()
        bundles.append(_bundle(block, configuration, steps))
    return bundles


def unsigned_bundle(block: Json, configuration: FiscoConfiguration) -> bytes:
    """The bundle of a header without signatures, for evidence at a header that was accepted already.

    Raises:
        BadAnswer: the header is not of its form.
    """
    return _bundle({**block, "signatureList": []}, configuration, ())


def _bundle(block: Json, configuration: FiscoConfiguration, steps: Sequence[Execution]) -> bytes:
    with readable("The header"):
        return bundle_from_json(block, configuration, steps)


def _sealers(block: Json) -> dict[bytes, int]:
    keys = [data(key, "a sealer's key") for key in listed(block.get("sealerList"), "sealerList", MAXIMUM_SEALERS)]
    weights = listed(block.get("consensusWeights", [1] * len(keys)), "consensusWeights", MAXIMUM_SEALERS)
    if len(weights) != len(keys):
        raise BadAnswer("a header has another number of weights than of sealers; leave the endpoint.")
    return dict(zip(keys, (whole(weight, "a weight") for weight in weights), strict=True))


def _steps(node: Node, configuration: FiscoConfiguration, height: int) -> tuple[Execution, ...]:
    """Proofs of the calls in a block that changed the sealers; those that cannot be proved are left out."""
    block = node.block(height, whole_transactions=True)
    transactions = listed(block.get("transactions"), "transactions", MAXIMUM_TRANSACTIONS)
    steps = []
    for index, item in enumerate(transactions):
        transaction = record(item, "a transaction")
        if not _calls_precompile(transaction.get("to")):
            continue
        step = _step(node, configuration, block, index)
        if step is not None:
            steps.append(step)
    return tuple(steps)


def _calls_precompile(to: Any) -> bool:
    """Whether a receiver is the consensus precompile; on line 3 it may be written without leading zeros."""
    digits = to.removeprefix("0x") if isinstance(to, str) else ""
    return len(digits) in range(4, 41) and digits.rjust(40, "0") == CONSENSUS_PRECOMPILE.hex()


def _step(node: Node, configuration: FiscoConfiguration, block: Json, index: int) -> Execution | None:
    transaction, count = block["transactions"][index], len(block["transactions"])
    own_hash = data(transaction.get("hash"), "hash of a transaction", 32)
    receipt = node.receipt_with_proof(own_hash)[0]
    if whole(receipt.get("status"), "status of the receipt"):
        return None
    execution = execution_of(node, configuration, block, own_hash, index, count)
    if execution is None or node.line == 3:
        return execution
    written = transaction_bytes_2(transaction, configuration, own_hash)
    if written is None:
        return None
    path = node.transaction_with_proof(own_hash)[1]
    with readable("The path of a transaction"):
        return replace(execution, transaction=written, transaction_path=path_2_from_json(path, index))
