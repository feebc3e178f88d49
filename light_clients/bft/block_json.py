"""A header rebuilt out of a block of JSON-RPC (Ethereum JSON-RPC, `eth_getBlockByNumber`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from light_clients import rlp
from light_clients.bft.headers import DATA_FIELDS, LATER_FIELDS, MAXIMUM_HEADER_SIZE
from light_clients.bft.types import BftHeader
from light_clients.errors import HeaderHashMismatch, HeaderJsonInvalid


def header_from_json(block: Mapping[str, Any], parse_header: Callable[[bytes], BftHeader]) -> bytes:
    """Rebuilds a header out of a block of JSON-RPC and compares its hash.

    Args:
        block: The result of ``eth_getBlockByNumber`` or ``eth_getBlockByHash``.
        parse_header: The family's reading, which knows its hash.

    Returns:
        RLP of the sealed header.

    Raises:
        HeaderJsonInvalid: A field is missing or not in its form, or a later fork's field stands without an earlier one's.
        HeaderHashMismatch: The rebuilt header has another hash than the block says.
        HeaderRefused: As for `parse_header`.
    """
    items = [_data(block, name, size) for name, size in DATA_FIELDS]
    items += [_quantity(block, name) for name in ("difficulty", "number", "gasLimit", "gasUsed", "timestamp")]
    items += [_data(block, "extraData", None), _data(block, "mixHash", 32), _data(block, "nonce", 8)]
    present = [block.get(name) is not None for name, _ in LATER_FIELDS]
    if present != sorted(present, reverse=True):
        raise HeaderJsonInvalid("The block has a field of a later fork without those of the earlier ones.")
    for name, size in LATER_FIELDS[: sum(present)]:
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
