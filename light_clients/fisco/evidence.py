"""What a prover brings for a claim, a note or a change of sealers, untrusted, and what the officers pinned of the gateway, trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from light_clients import rlp
from light_clients.errors import ClaimMalformed
from light_clients.rlp import RlpItem
from schemas.suites import keccak256

_MESSAGE = "(uint64,bytes,bytes,uint64,uint64,uint64,uint64,bytes32,bytes)"
_CLAIM = "(bytes32,uint8,uint64,bytes32,uint64,bytes32)"

SEND_SELECTOR = keccak256(b"send(bytes32,bytes,bytes,uint64,uint64,uint64)")[:4]
"""The gateway's function that adds one message, returns its id and emits one event, `MessageSent`."""

DELIVER_SELECTOR = keccak256(f"deliver(bytes32,{_MESSAGE}[],bytes32[],{_CLAIM},bytes)".encode())[:4]
"""The gateway's function that consumes messages, returns nothing and emits `HeadMoved` of the outcomes last."""

MAXIMUM_EVIDENCE_SIZE = 4 * 1024 * 1024
"""Bytes; a delivery of a hundred messages of 16 KiB takes 1.7 MB."""


@dataclass(frozen=True, slots=True)
class Execution:
    """A transaction and its receipt under the roots of one block, untrusted.

    Attributes:
        index: Position in the block, from 0.
        count: Line 3: transactions in the block; 0 on line 2.
        transaction: Line 2: RLP as its signer sent it. Line 3: RLP of [version, block limit, nonce, to, input, tail]; the tail
            is everything that is hashed after the input. Empty in a claim of line 2.
        transaction_path: Siblings of each level from the leaf up, in their order, without the own node.
        receipt: Line 2: RLP as the ledger hashes it. Line 3: RLP of [version, gas used, contract address, status, output,
            effective gas price, [[address, [topics], data]], block number].
        receipt_path: As `transaction_path`.
    """

    index: int
    count: int
    transaction: bytes
    transaction_path: tuple[tuple[bytes, ...], ...]
    receipt: bytes
    receipt_path: tuple[tuple[bytes, ...], ...]

    def to_item(self) -> RlpItem:
        """As a list for RLP."""
        return [
            integer_bytes(self.index),
            integer_bytes(self.count),
            self.transaction,
            [list(level) for level in self.transaction_path],
            self.receipt,
            [list(level) for level in self.receipt_path],
        ]

    @classmethod
    def from_item(cls, item: RlpItem) -> Self:
        """Reads what `to_item` wrote.

        Raises:
            ClaimMalformed: The items are not those of an execution.
            RlpRefused: A number is not canonical.
        """
        match item:
            case [index, count, bytes() as transaction, list() as path, bytes() as receipt, list() as receipt_path]:
                return cls(
                    rlp.decode_integer(index, 8),
                    rlp.decode_integer(count, 8),
                    transaction,
                    _path(path),
                    receipt,
                    _path(receipt_path),
                )
            case _:
                raise ClaimMalformed("An execution has a position, a count, a transaction, a receipt and two paths.")


def _path(levels: list[RlpItem]) -> tuple[tuple[bytes, ...], ...]:
    path = []
    for level in levels:
        siblings = tuple(item for item in level if isinstance(item, bytes)) if isinstance(level, list) else None
        if siblings is None or len(siblings) != len(level):
            raise ClaimMalformed("A level of a path is a list of strings of bytes.")
        path.append(siblings)
    return tuple(path)


@dataclass(frozen=True, slots=True)
class FiscoEvidence:
    """What a prover brings for a claim or a note; every byte of it is untrusted.

    Attributes:
        header: The bundle of the block's header (`codec`); a claim's signatures are not looked at again.
        execution: The transaction that emitted the event.
    """

    header: bytes
    execution: Execution

    def to_bytes(self) -> bytes:
        """RLP of [header, execution]."""
        return rlp.encode([self.header, self.execution.to_item()])

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Reads what `to_bytes` wrote.

        Raises:
            ClaimMalformed: It is too large, or the items are not those of an evidence.
            RlpRefused: It is not canonical RLP.
        """
        if len(data) > MAXIMUM_EVIDENCE_SIZE:
            raise ClaimMalformed("Evidence is too large.", expected=MAXIMUM_EVIDENCE_SIZE, found=len(data))
        match rlp.decode_list(data):
            case [bytes() as header, execution]:
                return cls(header, Execution.from_item(execution))
            case _:
                raise ClaimMalformed("Evidence has a header and an execution; ask for it again.")


@dataclass(frozen=True, slots=True)
class FiscoPin:
    """What the officers pinned of the gateway when the lane was opened; trusted.

    There is no proof of state, so no code hash can be proved: that this address runs the gateway's code is the officers'
    statement, made after reading the code of the address at the block of its deployment.

    Attributes:
        address: The gateway, 20 bytes.
        send_selector: Line 3: selector of the function that sends.
        deliver_selector: Line 3: selector of the function that delivers.
    """

    address: bytes
    send_selector: bytes = SEND_SELECTOR
    deliver_selector: bytes = DELIVER_SELECTOR


def integer_bytes(value: int) -> bytes:
    """An unsigned integer as RLP holds it: big-endian, without leading zeros."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")
