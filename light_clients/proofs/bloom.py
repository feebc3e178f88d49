"""Whether a block may hold events of a gateway, by the bloom filter of its header.

The filter is part of the header that validators sealed, so an absence needs no trust in the endpoint. Source: Ethereum Yellow
Paper, section 4.3.1: three 11-bit numbers from the first six bytes of keccak256(address or topic) name bits of 2,048.
"""

from __future__ import annotations

from functools import lru_cache

from light_clients import rlp

BLOOM_ITEM = 6


@lru_cache(maxsize=1024)
def bloom_mask(item: bytes) -> int:
    """The bits that an address (20 bytes) or a topic (32 bytes) sets, as an integer of 2,048 bits."""
    from schemas.suites import keccak256

    digest = keccak256(item)
    mask = 0
    for index in (0, 2, 4):
        mask |= 1 << (int.from_bytes(digest[index : index + 2], "big") & 2047)
    return mask


def may_contain(header: bytes, item: bytes) -> bool:
    """Return False only if no event of the block carries this address or topic.

    Args:
        header: RLP of a verified header, alone or in the bundle of `bft.bundle`.
        item: a contract's address (20 bytes) or a topic (32 bytes).

    Raises:
        RlpRefused: the header is not canonical RLP.
    """
    items = rlp.decode_list(header)
    if len(items) <= BLOOM_ITEM and isinstance(items[0], bytes):
        items = rlp.decode_list(items[0])  # a header with the proof of its child's validators
    bloom = items[BLOOM_ITEM]
    mask = bloom_mask(item)
    return not isinstance(bloom, bytes) or int.from_bytes(bloom, "big") & mask == mask
