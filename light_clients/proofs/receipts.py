"""Receipts and logs under the receipts root of a header.

A receipt stands in the trie under the RLP of its index, not hashed; typed ones begin with their type (EIP-2718), the others are
RLP alone (yellow paper, section 4.4.1). The rules, beyond those of the trie:
1. A receipt is [status or state root, cumulative gas, bloom, logs], and its type is below 0x80 and not 0.
2. The status is 0 or 1; the state root of blocks before Byzantium has 32 bytes and no type.
3. A log is [address, up to four topics, data], and the bloom is exactly the one of the logs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from light_clients import rlp
from light_clients.errors import ProofRefused, ProofValueInvalid
from light_clients.proofs.bloom import bloom_mask
from light_clients.proofs.patricia import verify_proof
from light_clients.proofs.trie import trie_root
from schemas.primitives import Bytes32

LEGACY_TYPE = 0
MAXIMUM_TYPE = 0x7F


class ReceiptAbsent(ProofRefused):
    """The block has no transaction of that index."""


class LogAbsent(ProofRefused):
    """The receipt has no log at that place, or its transaction failed."""


@dataclass(frozen=True, slots=True)
class Log:
    """What a contract told.

    Attributes:
        address: The contract, 20 bytes.
        topics: Up to four, 32 bytes each.
        data: Any bytes.
    """

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a transaction.

    Attributes:
        type: 0 for a transaction without a type.
        outcome: The status, one byte 1 for success and nothing for failure; or a state root of 32 bytes.
        cumulative_gas: Gas of the block up to and with this transaction.
        bloom: 256 bytes.
        logs: In order.
    """

    type: int
    outcome: bytes
    cumulative_gas: int
    bloom: bytes
    logs: tuple[Log, ...]

    @property
    def failed(self) -> bool:
        """Whether it says of itself that the transaction had no effect; a state root says nothing of it."""
        return not self.outcome


def receipts_root(receipts: Sequence[bytes]) -> Bytes32:
    """The receipts root of a block.

    Args:
        receipts: All receipts of a block in order, each as `encode_receipt` writes it.

    Returns:
        The root, 32 bytes.
    """
    return trie_root({rlp.encode_integer(index): receipt for index, receipt in enumerate(receipts)})


def encode_receipt(receipt: Receipt) -> bytes:
    """Writes a receipt as it stands in the trie."""
    logs: list[rlp.RlpItem] = [[log.address, list(log.topics), log.data] for log in receipt.logs]
    size = (receipt.cumulative_gas.bit_length() + 7) // 8
    body = rlp.encode([receipt.outcome, receipt.cumulative_gas.to_bytes(size, "big"), receipt.bloom, logs])
    return body if receipt.type == LEGACY_TYPE else bytes((receipt.type,)) + body


def decode_receipt(data: bytes) -> Receipt:
    """Reads a receipt as it stands in the trie.

    Raises:
        ProofValueInvalid: It is not of the form of a receipt.
        RlpRefused: It is not canonical RLP.
    """
    kind, body = LEGACY_TYPE, data
    if data and LEGACY_TYPE < data[0] <= MAXIMUM_TYPE:
        kind, body = data[0], data[1:]
    match rlp.decode_list(body):
        case [bytes() as outcome, bytes() as gas, bytes() as bloom, list() as logs] if len(bloom) == 256:
            receipt = Receipt(kind, outcome, rlp.decode_integer(gas, 8), bloom, tuple(map(_read_log, logs)))
        case _:
            raise ProofValueInvalid("A receipt has an outcome, gas, a bloom of 256 bytes and logs.", found=data[:80])
    if outcome not in {b"", b"\x01"} and (kind != LEGACY_TYPE or len(outcome) != 32):
        raise ProofValueInvalid("The status of a receipt is neither 0 nor 1.", found=outcome)
    if int.from_bytes(bloom, "big") != _bloom_of(receipt.logs):
        raise ProofValueInvalid("The bloom of a receipt is not the one of its logs.")
    return receipt


def verify_receipt(root: bytes, index: int, proof: Sequence[bytes]) -> Receipt:
    """Proves the receipt of a transaction.

    Args:
        root: The receipts root of an accepted header, 32 bytes.
        index: Place of the transaction in its block, from 0.
        proof: Nodes from the root to the receipt.

    Returns:
        The receipt.

    Raises:
        ReceiptAbsent: The proof shows that there is none of this index.
        ProofRefused: The proof does not hold, or shows no receipt.
        RlpRefused: A node or the receipt is not canonical RLP.
    """
    if index < 0:
        raise ReceiptAbsent("The index of a transaction is not negative.", found=index)
    value = verify_proof(root, rlp.encode_integer(index), proof)
    if value is None:
        raise ReceiptAbsent("The block has no transaction of this index.", found=index)
    return decode_receipt(value)


def verify_log(root: bytes, index: int, position: int, proof: Sequence[bytes]) -> Log:
    """Proves a log of a transaction that succeeded.

    Args:
        root: The receipts root of an accepted header, 32 bytes.
        index: Place of the transaction in its block, from 0.
        position: Place of the log in the receipt, from 0; not the place in the block that ``logIndex`` names.
        proof: Nodes from the root to the receipt.

    Returns:
        The log.

    Raises:
        LogAbsent: There is none at that place, or the transaction failed.
        LightClientError: As for `verify_receipt`.
    """
    receipt = verify_receipt(root, index, proof)
    if receipt.failed or not 0 <= position < len(receipt.logs):
        raise LogAbsent("The transaction has no log at this place.", expected=len(receipt.logs), found=position)
    return receipt.logs[position]


def _read_log(item: rlp.RlpItem) -> Log:
    match item:
        case [bytes() as address, list() as items, bytes() as data] if len(address) == 20 and len(items) <= 4:
            topics = tuple(topic for topic in items if isinstance(topic, bytes) and len(topic) == 32)
            if len(topics) == len(items):
                return Log(address, topics, data)
    raise ProofValueInvalid("A log has an address, up to four topics of 32 bytes, and data.")


def _bloom_of(logs: Sequence[Log]) -> int:
    bloom = 0
    for log in logs:
        for item in (log.address, *log.topics):
            bloom |= bloom_mask(item)
    return bloom
