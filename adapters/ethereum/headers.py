"""A block header in RLP, rebuilt from a node's JSON; whether its hash and seals are right is for a light client to say.

Sources: the yellow paper, section 4.3 (the fifteen fields); EIP-1559 (base fee), EIP-4895 (withdrawals), EIP-4844 (blob
gas), EIP-4788 (parent beacon block root), EIP-7685 (requests hash). A ledger has a first part of the later fields. anvil
shows blob gas on rules that have none: without a parent beacon block root, which came with it, it is no field.
"""

from __future__ import annotations

from typing import Any

from adapters.ethereum.answers import data, quantity, record
from adapters.protocol import BadAnswer
from light_clients.rlp import encode, encode_integer, encode_list

_FIELDS: tuple[tuple[str, int | None], ...] = (
    ("parentHash", 32),
    ("sha3Uncles", 32),
    ("miner", 20),
    ("stateRoot", 32),
    ("transactionsRoot", 32),
    ("receiptsRoot", 32),
    ("logsBloom", 256),
    ("difficulty", None),
    ("number", None),
    ("gasLimit", None),
    ("gasUsed", None),
    ("timestamp", None),
    ("extraData", -1),
    ("mixHash", 32),
    ("nonce", 8),
)
_LATER_FIELDS: tuple[tuple[str, int | None], ...] = (
    ("baseFeePerGas", None),
    ("withdrawalsRoot", 32),
    ("blobGasUsed", None),
    ("excessBlobGas", None),
    ("parentBeaconBlockRoot", 32),
    ("requestsHash", 32),
)
"""Name and size in bytes; None is an integer, -1 bytes of any length."""
_BLOB_FIELDS = ("blobGasUsed", "excessBlobGas")


def header_rlp(block: Any, height: int | None = None) -> bytes:
    """Rebuild the header of a block that `eth_getBlockByNumber` answered.

    Args:
        block: the block as JSON.
        height: the height that was asked for, if one was.

    Returns:
        The header in RLP: fifteen fields and as many of the later ones as the block has.

    Raises:
        BadAnswer: a field is missing or not of its form, a later field stands without the ones before it, or the block
            is of another height.
    """
    fields = record(block, "the block")
    if height is not None and quantity(fields.get("number"), "number of the block") != height:
        raise BadAnswer(f"the endpoint answered another block where block {height} was asked for; leave it.")
    parts = [_field(fields, name, size) for name, size in _FIELDS]
    without_blobs = fields.get("parentBeaconBlockRoot") is None
    ended = ""
    for name, size in _LATER_FIELDS:
        if fields.get(name) is None or (without_blobs and name in _BLOB_FIELDS):
            ended = ended or name
            continue
        if ended:
            raise BadAnswer(f"the block has {name} and no {ended}; no header is of that form; leave the endpoint.")
        parts.append(_field(fields, name, size))
    return encode_list(parts)


def _field(fields: dict[str, Any], name: str, size: int | None) -> bytes:
    value = fields.get(name)
    if size is None:
        return encode_integer(quantity(value, name))
    return encode(data(value, name, None if size < 0 else size))
