"""Reading the header that QBFT, IBFT2 and legacy IBFT share (yellow paper, section 4.4; Besu `BftBlockHashing`).

A header is an RLP list of 15 to 21 items. Item 12, the extra data, has a form of its own in each family. Every hash is over
the header with other extra data in its place; every other byte stays as it came.

Reading checks:
1. The header is at most 64 KiB and canonical RLP.
2. It has 15 to 21 items, each a string of its size; numbers have at most 8 bytes (gas and difficulty at most 32).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from light_clients import rlp
from light_clients.bft.types import MAXIMUM_VALIDATORS, Address, BftExtra, BftHeader
from light_clients.errors import (
    ExtraDataInvalid,
    HeaderFieldInvalid,
    HeaderTooLarge,
    SealsTooMany,
    ValidatorsTooMany,
    VoteInvalid,
)
from schemas.primitives import BlockHash, Bytes32
from schemas.suites import keccak256

MAXIMUM_HEADER_SIZE = 64 * 1024
"""Bytes of a sealed header; 256 validators and as many seals take about 23 KiB."""

MAXIMUM_ROUND = 2**31 - 1
"""Rounds are 32-bit signed integers in Besu."""

EXTRA_ITEM = 12
"""Position of the extra data in a header."""

NO_SEALS = b"\xc0"
"""An empty list."""

ADD_VOTE = b"\xff"
"""The byte of a vote to add an address."""

DATA_FIELDS = (
    ("parentHash", 32),
    ("sha3Uncles", 32),
    ("miner", 20),
    ("stateRoot", 32),
    ("transactionsRoot", 32),
    ("receiptsRoot", 32),
    ("logsBloom", 256),
)
"""Name and size of the items before the numbers."""

LATER_FIELDS: tuple[tuple[str, int | None], ...] = (
    ("baseFeePerGas", None),
    ("withdrawalsRoot", 32),
    ("blobGasUsed", None),
    ("excessBlobGas", None),
    ("parentBeaconBlockRoot", 32),
    ("requestsHash", 32),
)
"""Fields of later forks in the order in which they were added; a size, or ``None`` for a number."""

_FIXED_SIZES = [(index, size) for index, (_, size) in enumerate(DATA_FIELDS)] + [(13, 32), (14, 8)]


@dataclass(slots=True)
class HeaderParts:
    """A header around its extra data.

    Attributes:
        items: The 15 to 21 items, decoded.
        before: Encoded items before the extra data.
        after: Encoded items after it.
    """

    items: list[bytes]
    before: bytes
    after: bytes

    @property
    def extra(self) -> bytes:
        """The extra data, decoded."""
        return self.items[EXTRA_ITEM]

    def hash_with(self, extra: bytes) -> bytes:
        """Hash of the header with other extra data, 32 bytes."""
        return keccak256(rlp.encode_list((self.before, rlp.encode(extra), self.after)))


def read_parts(header: bytes) -> HeaderParts:
    """Reads the items of a header.

    Args:
        header: RLP of the header.

    Returns:
        Its items, and the bytes around its extra data.

    Raises:
        HeaderTooLarge: It has more than 64 KiB.
        RlpRefused: It is not canonical RLP.
        HeaderFieldInvalid: The number, kind or size of its items is wrong.
    """
    if len(header) > MAXIMUM_HEADER_SIZE:
        raise HeaderTooLarge("The header is too large.", expected=MAXIMUM_HEADER_SIZE, found=len(header))
    items = _header_items(header)
    tail_size = sum(map(_encoded_size, items[EXTRA_ITEM + 1 :]))
    stop = len(header) - tail_size
    start = stop - _encoded_size(items[EXTRA_ITEM])
    return HeaderParts(items, header[_payload_offset(header[0]) : start], header[stop:])


def header_of(parts: HeaderParts, extra: BftExtra, proposer: bytes, block_hash: bytes, seal_digest: bytes) -> BftHeader:
    """Puts a header together out of what a family's codec read and hashed.

    Args:
        parts: The items.
        extra: The extra data.
        proposer: Who proposed the block, 20 bytes.
        block_hash: 32 bytes.
        seal_digest: What validators sign, 32 bytes.

    Raises:
        RlpNotCanonical: The number or the time has more than 8 bytes.
    """
    items = parts.items
    return BftHeader(
        parent_hash=Bytes32(items[0]),
        ommers_hash=items[1],
        proposer=Address(proposer),
        state_root=Bytes32(items[3]),
        difficulty=items[7],
        height=rlp.decode_integer(items[8], 8),
        timestamp=rlp.decode_integer(items[11], 8),
        extra=extra,
        mix_hash=items[13],
        nonce=items[14],
        block_hash=BlockHash(block_hash),
        seal_digest=seal_digest,
    )


def read_validators(items: Sequence[rlp.RlpItem]) -> tuple[Address, ...]:
    """Reads the addresses of the extra data.

    Raises:
        ValidatorsTooMany: There are more than 256.
        ExtraDataInvalid: One has not 20 bytes.
    """
    if len(items) > MAXIMUM_VALIDATORS:
        raise ValidatorsTooMany("Too many validators.", expected=MAXIMUM_VALIDATORS, found=len(items))
    return tuple(map(Address, _strings(items, 20, "a validator")))


def read_seals(items: Sequence[rlp.RlpItem]) -> tuple[bytes, ...]:
    """Reads the seals of the extra data.

    Raises:
        SealsTooMany: There are more than 256.
        ExtraDataInvalid: One has not 65 bytes.
    """
    if len(items) > MAXIMUM_VALIDATORS:
        raise SealsTooMany("Too many seals.", expected=MAXIMUM_VALIDATORS, found=len(items))
    return tuple(_strings(items, 65, "a seal"))


def read_vote(items: Sequence[rlp.RlpItem], drop: Sequence[bytes]) -> tuple[Address, bool]:
    """Reads the vote of the extra data: a list of a subject and a kind.

    Args:
        items: The decoded list.
        drop: The kinds that drop; 0xff adds.

    Returns:
        The subject, and whether to add it.

    Raises:
        VoteInvalid: It is of another form.
    """
    match items:
        case [bytes() as subject, bytes() as kind] if len(subject) == 20 and (kind == ADD_VOTE or kind in drop):
            return Address(subject), kind == ADD_VOTE
        case _:
            raise VoteInvalid("A vote is an address with 0xff to add it, or with the mark to drop it.")


def encode_addresses(validators: Sequence[bytes]) -> bytes:
    """RLP of a list of addresses."""
    return rlp.encode_list([b"\x94" + validator for validator in validators])


def with_extra_data(header_items: Sequence[bytes], extra_data: bytes) -> bytes:
    """Writes a header with other extra data.

    Args:
        header_items: The 15 to 21 items of a header, decoded; item 12 is replaced.
        extra_data: The bytes of item 12.

    Returns:
        RLP of the header.
    """
    items = list(header_items)
    items[EXTRA_ITEM] = extra_data
    return rlp.encode_list(map(rlp.encode, items))


def _header_items(header: bytes) -> list[bytes]:
    items = rlp.decode_list(header)
    if not 15 <= len(items) <= 15 + len(LATER_FIELDS):
        raise HeaderFieldInvalid("A header has 15 to 21 items.", found=len(items))
    strings = [item for item in items if isinstance(item, bytes)]
    if len(strings) != len(items):
        raise HeaderFieldInvalid("An item of a header is a string, never a list.")
    for index, size in _FIXED_SIZES:
        if len(strings[index]) != size:
            raise HeaderFieldInvalid(f"Item {index} of a header has {size} bytes.", found=len(strings[index]))
    for index in (7, 8, 9, 10, 11):
        rlp.decode_integer(strings[index], 32)
    for (name, field_size), item in zip(LATER_FIELDS, strings[15:], strict=False):
        if field_size is None:
            rlp.decode_integer(item, 32)
        elif len(item) != field_size:
            raise HeaderFieldInvalid(f"The item {name} of a header has {field_size} bytes.", found=len(item))
    return strings


def _strings(items: Sequence[rlp.RlpItem], size: int, name: str) -> list[bytes]:
    strings = [item for item in items if isinstance(item, bytes) and len(item) == size]
    if len(strings) != len(items):
        raise ExtraDataInvalid(f"In the extra data, {name} has {size} bytes.", expected=size)
    return strings


def _payload_offset(prefix: int) -> int:
    return 1 if prefix < 0xF8 else prefix - 0xF7 + 1


def _encoded_size(item: bytes) -> int:
    size = len(item)
    if size == 1 and item < b"\x80":
        return 1
    if size < 56:
        return 1 + size
    return 1 + (size.bit_length() + 7) // 8 + size
