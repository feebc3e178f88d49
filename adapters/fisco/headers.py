"""Headers as the light client takes them: rebuilt from JSON, with signatures and, where sealers changed, the proofs of the change.

Whether they are right is for the light client to say. A header that lists other sealers than its parent is believed where the
calls of the consensus precompile (0x1003) in the parent lead to that list; they are looked for there and go along.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adapters.fisco.answers import Json, data, listed, readable, whole
from adapters.fisco.executions import whole_execution_of
from adapters.fisco.node import Node, whole_transactions
from adapters.protocol import BadAnswer
from light_clients.fisco.block_json import bundle_from_json
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


def header_of(node: Node, block: Json) -> Json:
    """The header of a block, with its signatures.

    Raises:
        BadAnswer: the node tells another block of that height than before.
    """
    header = node.header(whole(block.get("number"), "number of the block"))
    if data(header.get("hash"), "hash of the header", 32) != data(block.get("hash"), "hash of the block", 32):
        raise BadAnswer("the endpoint tells two blocks of one height; leave it.")
    return header


def signed_bundle(block: Json, configuration: FiscoConfiguration) -> bytes:
    """The bundle of a header with its signatures and without proofs of changed sealers.

    Raises:
        BadAnswer: the header is not of its form.
    """
    return _bundle(block, configuration, ())


def unsigned_bundle(block: Json, configuration: FiscoConfiguration) -> bytes:
    """The bundle of a header without signatures, for evidence at a header that was accepted already.

    Raises:
        BadAnswer: the header is not of its form.
    """
    return signed_bundle({**block, "signatureList": []}, configuration)


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
    transactions = whole_transactions(block)
    steps = []
    for index, transaction in enumerate(transactions):
        if not _calls_precompile(transaction.get("to")) or not _succeeded(node, transaction):
            continue
        step = whole_execution_of(node, configuration, block, transactions, index)
        if step is not None:
            steps.append(step)
    return tuple(steps)


def _calls_precompile(to: Any) -> bool:
    """Whether a receiver is the consensus precompile; on line 3 it may be written without leading zeros."""
    digits = to.removeprefix("0x") if isinstance(to, str) else ""
    return len(digits) in range(4, 41) and digits.rjust(40, "0") == CONSENSUS_PRECOMPILE.hex()


def _succeeded(node: Node, transaction: Json) -> bool:
    receipt = node.receipt_with_proof(data(transaction.get("hash"), "hash of a transaction", 32))[0]
    return not whole(receipt.get("status"), "status of the receipt")
