"""Recursive Length Prefix, canonical form only (Ethereum yellow paper, appendix B).

Reading is strict, because two encodings of one object would have two hashes:
1. A single byte below 0x80 stands for itself and never has a prefix.
2. A length below 56 uses the short form.
3. A long length has no leading zero byte.
4. An item fills its bytes: nothing is missing and nothing follows.
5. Lists are nested at most ``MAXIMUM_DEPTH`` deep.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from light_clients.errors import RlpNotCanonical, RlpTooDeep, RlpTrailingBytes, RlpTruncated

RlpItem: TypeAlias = "bytes | list[RlpItem]"
"""A byte string or a list of items."""

MAXIMUM_DEPTH = 32
"""Lists inside lists; headers need 3, receipts 4, and inlined trie nodes never more than a few."""


def decode(data: bytes) -> RlpItem:
    """Reads one item that fills ``data``.

    Args:
        data: Bytes of any size.

    Returns:
        ``bytes`` for a string, a ``list`` for a list.

    Raises:
        RlpTruncated: Bytes are missing.
        RlpNotCanonical: The form is not the canonical one.
        RlpTrailingBytes: Bytes follow the item.
        RlpTooDeep: Lists are nested too deep.
    """
    if not data:
        raise RlpTruncated("There is no RLP item in zero bytes; send the whole item.")
    size = len(data)
    prefix = data[0]
    if prefix >= 0xC0:
        start, end = _list_bounds(data, 0, size)
        if end < size:
            raise RlpTrailingBytes("Bytes follow the RLP list; send one item alone.", expected=end, found=size)
        return _read_list(data, start, end, 1)
    items = _read_list(data, 0, size, 0)
    if len(items) != 1:
        raise RlpTrailingBytes("Bytes follow the RLP string; send one item alone.", found=size)
    return items[0]


def decode_list(data: bytes) -> list[RlpItem]:
    """Reads one list that fills ``data``.

    Raises:
        RlpNotCanonical: It is a string.
        RlpRefused: As for `decode`.
    """
    item = decode(data)
    if isinstance(item, bytes):
        raise RlpNotCanonical("An RLP string stands where a list is required.")
    return item


def split_lists(data: bytes) -> list[bytes]:
    """Cuts lists that stand one after the other into the encoding of each; what is inside of them is not read.

    Args:
        data: At least one list.

    Returns:
        The encodings, in order; together they are ``data``.

    Raises:
        RlpNotCanonical: A string stands where a list is required.
        RlpTruncated: Bytes are missing.
    """
    if not data:
        raise RlpTruncated("There is no RLP list in zero bytes; send the whole list.")
    lists, position = [], 0
    while position < len(data):
        if data[position] < 0xC0:
            raise RlpNotCanonical("An RLP string stands where a list is required.")
        _, end = _list_bounds(data, position, len(data))
        lists.append(data[position:end])
        position = end
    return lists


def _read_list(data: bytes, position: int, end: int, depth: int) -> list[RlpItem]:
    """Reads the items between two offsets; one loop, because a header has 15 to 21 of them."""
    items: list[RlpItem] = []
    append = items.append
    while position < end:
        prefix = data[position]
        if prefix < 0x80:
            append(data[position : position + 1])
            position += 1
            continue
        if prefix < 0xB8:
            start = position + 1
            position = start + prefix - 0x80
            value = data[start:position]
            if prefix == 0x81 and value < b"\x80" and value:
                raise RlpNotCanonical("A byte below 0x80 has a prefix in RLP; it stands for itself.")
            append(value)
            continue
        if prefix < 0xC0:
            start, position = _long_bounds(data, position, end, prefix - 0xB7)
            append(data[start:position])
            continue
        if depth >= MAXIMUM_DEPTH:
            raise RlpTooDeep("RLP lists are nested too deep.", expected=MAXIMUM_DEPTH)
        start, position = _list_bounds(data, position, end)
        append(_read_list(data, start, position, depth + 1))
    if position != end:
        raise RlpTruncated("An RLP string announces more bytes than there are.", expected=position, found=end)
    return items


def _list_bounds(data: bytes, position: int, end: int) -> tuple[int, int]:
    prefix = data[position]
    if prefix >= 0xF8:
        return _long_bounds(data, position, end, prefix - 0xF7)
    start = position + 1
    stop = start + prefix - 0xC0
    if stop > end:
        raise RlpTruncated("An RLP list announces more bytes than there are.", expected=stop, found=end)
    return start, stop


def _long_bounds(data: bytes, position: int, end: int, length_size: int) -> tuple[int, int]:
    start = position + 1 + length_size
    if start > end:
        raise RlpTruncated("The length of an RLP item is cut off.", expected=start, found=end)
    if data[position + 1] == 0:
        raise RlpNotCanonical("The length of an RLP item has a leading zero byte.")
    length = int.from_bytes(data[position + 1 : start], "big")
    if length < 56:
        raise RlpNotCanonical("A length below 56 uses the short form in RLP.", found=length)
    stop = start + length
    if stop > end:
        raise RlpTruncated("An RLP item announces more bytes than there are.", expected=stop, found=end)
    return start, stop


def encode(item: RlpItem) -> bytes:
    """Writes an item in its canonical form.

    Args:
        item: ``bytes``, or a list of items.

    Returns:
        The encoding.
    """
    if isinstance(item, bytes):
        length = len(item)
        if length == 1 and item < b"\x80":
            return item
        return _prefix(0x80, length) + item
    return encode_list([encode(element) for element in item])


def encode_list(encoded_items: Iterable[bytes]) -> bytes:
    """Wraps items that are encoded already into a list.

    Args:
        encoded_items: The encoding of each element, in order.

    Returns:
        The encoding of the list.
    """
    payload = b"".join(encoded_items)
    return _prefix(0xC0, len(payload)) + payload


def _prefix(offset: int, length: int) -> bytes:
    if length < 56:
        return _SHORT_PREFIXES[offset + length]
    size = (length.bit_length() + 7) // 8
    return bytes((offset + 55 + size,)) + length.to_bytes(size, "big")


_SHORT_PREFIXES = tuple(bytes((value,)) for value in range(256))


def encode_integer(value: int) -> bytes:
    """Writes an unsigned integer as RLP: big-endian without leading zeros, zero as the empty string."""
    return encode(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def decode_integer(item: RlpItem, maximum_size: int = 32) -> int:
    """Reads an unsigned integer out of a decoded item.

    Args:
        item: A decoded item.
        maximum_size: The most bytes that the integer may have.

    Returns:
        The integer.

    Raises:
        RlpNotCanonical: The item is a list, too long, or has a leading zero byte.
    """
    if not isinstance(item, bytes) or len(item) > maximum_size:
        raise RlpNotCanonical("An RLP integer is a string within its size.", expected=maximum_size)
    if item[:1] == b"\x00":
        raise RlpNotCanonical("An RLP integer has a leading zero byte.", found=item)
    return int.from_bytes(item, "big")
