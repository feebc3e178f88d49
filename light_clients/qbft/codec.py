"""Reading and writing QBFT headers (yellow paper, section 4.4; Besu `QbftExtraDataCodec`, `BftBlockHashing`).

A header is an RLP list of 15 to 21 items. Item 12, the extra data, is itself an RLP list: vanity, validators, vote, round,
seals. The block hash is over the header with round 0 and no seals, the digest that validators sign over the header with the
real round and no seals; every other byte stays as it came.

Reading checks:
1. The header is at most 64 KiB and canonical RLP.
2. It has 15 to 21 items, each a string of its size; numbers have at most 8 bytes (gas and difficulty at most 32).
3. The extra data has exactly five items; addresses have 20 bytes and seals 65.
4. A vote is empty, or an address with 0xff (add) or empty or 0x00 (drop).
5. The round is at most 2**31 - 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from light_clients import rlp
from light_clients.errors import (
    ExtraDataInvalid,
    HeaderFieldInvalid,
    HeaderHashMismatch,
    HeaderJsonInvalid,
    HeaderTooLarge,
    RoundOutOfBounds,
    SealsTooMany,
    ValidatorsTooMany,
    VoteInvalid,
)
from light_clients.qbft.types import MAXIMUM_VALIDATORS, Address, QbftExtra, QbftHeader
from schemas.primitives import BlockHash, Bytes32
from schemas.suites import keccak256

MAXIMUM_HEADER_SIZE = 64 * 1024
"""Bytes of a sealed header; 256 validators and as many seals take about 23 KiB."""

MAXIMUM_ROUND = 2**31 - 1
"""Rounds are 32-bit signed integers in Besu."""

EXTRA_ITEM = 12
"""Position of the extra data in a header."""

_NO_SEALS = b"\xc0"
_NO_VOTE = b"\xc0"
_ADD = b"\xff"

_DATA_FIELDS = (
    ("parentHash", 32),
    ("sha3Uncles", 32),
    ("miner", 20),
    ("stateRoot", 32),
    ("transactionsRoot", 32),
    ("receiptsRoot", 32),
    ("logsBloom", 256),
)
_FIXED_SIZES = [(index, size) for index, (_, size) in enumerate(_DATA_FIELDS)] + [(13, 32), (14, 8)]
_LATER_FIELDS: tuple[tuple[str, int | None], ...] = (
    ("baseFeePerGas", None),
    ("withdrawalsRoot", 32),
    ("blobGasUsed", None),
    ("excessBlobGas", None),
    ("parentBeaconBlockRoot", 32),
    ("requestsHash", 32),
)
"""Fields of later forks in the order in which they were added; a size, or ``None`` for a number."""


def parse_header(header: bytes) -> QbftHeader:
    """Reads a sealed header.

    Args:
        header: RLP of the header, with its seals.

    Returns:
        The header with its block hash and the digest of its seals, not yet judged.

    Raises:
        HeaderTooLarge: It has more than 64 KiB.
        RlpRefused: It is not canonical RLP.
        HeaderFieldInvalid: The number, kind or size of its items is wrong.
        HeaderRefused: The extra data is wrong, by its name.
    """
    if len(header) > MAXIMUM_HEADER_SIZE:
        raise HeaderTooLarge("The header is too large.", expected=MAXIMUM_HEADER_SIZE, found=len(header))
    items = _header_items(header)
    extra_bytes = items[EXTRA_ITEM]
    extra, unsealed_items = _parse_extra(extra_bytes)
    # Everything before and after the extra data stays as it came.
    tail_size = sum(map(_encoded_size, items[EXTRA_ITEM + 1 :]))
    stop = len(header) - tail_size
    start = stop - _encoded_size(extra_bytes)
    before = header[_payload_offset(header[0]) : start]
    after = header[stop:]
    block_hash = _hash_with_round(before, after, unsealed_items, 0)
    seal_digest = _hash_with_round(before, after, unsealed_items, extra.round) if extra.round else block_hash
    return QbftHeader(
        parent_hash=Bytes32(items[0]),
        coinbase=Address(items[2]),
        state_root=Bytes32(items[3]),
        difficulty=items[7],
        height=rlp.decode_integer(items[8], 8),
        timestamp=rlp.decode_integer(items[11], 8),
        extra=extra,
        mix_hash=items[13],
        block_hash=BlockHash(block_hash),
        seal_digest=seal_digest,
    )


def _header_items(header: bytes) -> list[bytes]:
    items = rlp.decode_list(header)
    if not 15 <= len(items) <= 15 + len(_LATER_FIELDS):
        raise HeaderFieldInvalid("A header has 15 to 21 items.", found=len(items))
    strings = [item for item in items if isinstance(item, bytes)]
    if len(strings) != len(items):
        raise HeaderFieldInvalid("An item of a header is a string, never a list.")
    for index, size in _FIXED_SIZES:
        if len(strings[index]) != size:
            raise HeaderFieldInvalid(f"Item {index} of a header has {size} bytes.", found=len(strings[index]))
    for index in (7, 8, 9, 10, 11):
        rlp.decode_integer(strings[index], 32)
    for (name, field_size), item in zip(_LATER_FIELDS, strings[15:], strict=False):
        if field_size is None:
            rlp.decode_integer(item, 32)
        elif len(item) != field_size:
            raise HeaderFieldInvalid(f"The item {name} of a header has {field_size} bytes.", found=len(item))
    return strings


def _parse_extra(data: bytes) -> tuple[QbftExtra, bytes]:
    """Reads the extra data; also returns the encoded vanity, validators and vote as the hashes have them."""
    match rlp.decode_list(data):
        case [
            bytes() as vanity,
            list() as validator_items,
            list() as vote_items,
            bytes() as round_item,
            list() as seals,
        ]:
            pass
        case _:
            raise ExtraDataInvalid("The extra data is vanity, validators, vote, round and seals.")
    if len(validator_items) > MAXIMUM_VALIDATORS:
        raise ValidatorsTooMany("Too many validators.", expected=MAXIMUM_VALIDATORS, found=len(validator_items))
    validators = _strings(validator_items, 20, "a validator")
    if len(seals) > len(validators):
        raise SealsTooMany("There are more seals than validators.", expected=len(validators), found=len(seals))
    vote = _parse_vote(vote_items)
    round_number = rlp.decode_integer(round_item)
    if round_number > MAXIMUM_ROUND:
        raise RoundOutOfBounds("The round is too large.", expected=MAXIMUM_ROUND, found=round_item)
    extra = QbftExtra(vanity, tuple(map(Address, validators)), vote, round_number, tuple(_strings(seals, 65, "a seal")))
    return extra, _unsealed_items(extra)


def _strings(items: Sequence[rlp.RlpItem], size: int, name: str) -> list[bytes]:
    strings = [item for item in items if isinstance(item, bytes) and len(item) == size]
    if len(strings) != len(items):
        raise ExtraDataInvalid(f"In the extra data, {name} has {size} bytes.", expected=size)
    return strings


def _parse_vote(items: Sequence[rlp.RlpItem]) -> tuple[Address, bool] | None:
    match items:
        case []:
            return None
        case [bytes() as subject, (b"\xff" | b"" | b"\x00") as kind] if len(subject) == 20:
            return Address(subject), kind == _ADD
        case _:
            raise VoteInvalid("A vote is an address with 0xff to add it, or with nothing to drop it.")


def _unsealed_items(extra: QbftExtra) -> bytes:
    validators = rlp.encode_list([b"\x94" + validator for validator in extra.validators])
    vote = _NO_VOTE
    if extra.vote is not None:
        subject, add = extra.vote
        vote = rlp.encode([subject, _ADD if add else b""])
    return rlp.encode(extra.vanity) + validators + vote


def _hash_with_round(before: bytes, after: bytes, unsealed_items: bytes, round_number: int) -> bytes:
    extra = rlp.encode_list((unsealed_items, rlp.encode_integer(round_number), _NO_SEALS))
    return keccak256(rlp.encode_list((before, rlp.encode(extra), after)))


def _payload_offset(prefix: int) -> int:
    return 1 if prefix < 0xF8 else prefix - 0xF7 + 1


def _encoded_size(item: bytes) -> int:
    size = len(item)
    if size == 1 and item < b"\x80":
        return 1
    if size < 56:
        return 1 + size
    return 1 + (size.bit_length() + 7) // 8 + size


def encode_extra(extra: QbftExtra) -> bytes:
    """Writes the extra data of a header.

    Args:
        extra: The consensus part, with or without seals.

    Returns:
        The bytes of item 12.
    """
    return rlp.encode_list((_unsealed_items(extra), rlp.encode_integer(extra.round), rlp.encode(list(extra.seals))))


def with_extra(header_items: Sequence[bytes], extra: QbftExtra) -> bytes:
    """Writes a header.

    Args:
        header_items: The 15 to 21 items of a header, decoded; item 12 is replaced.
        extra: The consensus part.

    Returns:
        RLP of the header. `parse_header` gives its block hash and what validators sign.
    """
    items = list(header_items)
    items[EXTRA_ITEM] = encode_extra(extra)
    return rlp.encode_list(map(rlp.encode, items))


def header_from_json(block: Mapping[str, Any]) -> bytes:
    """Rebuilds a header out of a block of JSON-RPC and compares its hash.

    Args:
        block: The result of ``eth_getBlockByNumber`` or ``eth_getBlockByHash``.

    Returns:
        RLP of the sealed header.

    Raises:
        HeaderJsonInvalid: A field is missing or not in its form, or a later fork's field stands without an earlier one's.
        HeaderHashMismatch: The rebuilt header has another hash than the block says.
        HeaderRefused: As for `parse_header`.
    """
    items = [_data(block, name, size) for name, size in _DATA_FIELDS]
    items += [_quantity(block, name) for name in ("difficulty", "number", "gasLimit", "gasUsed", "timestamp")]
    items += [_data(block, "extraData", None), _data(block, "mixHash", 32), _data(block, "nonce", 8)]
    present = [block.get(name) is not None for name, _ in _LATER_FIELDS]
    if present != sorted(present, reverse=True):
        raise HeaderJsonInvalid("The block has a field of a later fork without those of the earlier ones.")
    for name, size in _LATER_FIELDS[: sum(present)]:
        items.append(_quantity(block, name) if size is None else _data(block, name, size))
    header = rlp.encode_list(map(rlp.encode, items))
    expected = _data(block, "hash", 32)
    found = parse_header(header).block_hash
    if found != expected:
        raise HeaderHashMismatch("The block does not have the hash that it says.", expected=expected, found=found)
    return header


def _hex_digits(block: Mapping[str, Any], name: str) -> str:
    text = block.get(name)
    if not isinstance(text, str) or not text.startswith("0x") or len(text) > 2 * MAXIMUM_HEADER_SIZE:
        raise HeaderJsonInvalid(f"The field {name} of the block is hexadecimal with 0x.")
    digits = text[2:]
    if any(digit not in "0123456789abcdefABCDEF" for digit in digits):
        raise HeaderJsonInvalid(f"The field {name} of the block is hexadecimal with 0x.", found=text[:80])
    return digits


def _data(block: Mapping[str, Any], name: str, size: int | None) -> bytes:
    digits = _hex_digits(block, name)
    if len(digits) % 2 or (size is not None and len(digits) != 2 * size):
        raise HeaderJsonInvalid(
            f"The field {name} of the block has a wrong size.", expected=size, found=len(digits) // 2
        )
    return bytes.fromhex(digits)


def _quantity(block: Mapping[str, Any], name: str) -> bytes:
    digits = _hex_digits(block, name)
    if not digits or (len(digits) > 1 and digits[0] == "0"):
        raise HeaderJsonInvalid(f"The number {name} of the block has no leading zeros.", found=digits[:80])
    number = int(digits, 16)
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
