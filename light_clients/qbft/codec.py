"""The extra data of QBFT (Besu `QbftExtraDataCodec`, `BftBlockHashing`; GoQuorum `core/types/istanbul.go`).

It is one RLP list: vanity, validators, vote, round, seals. The block hash is over the header with round 0 and no seals, the
digest that validators sign over the header with the real round and no seals.

Reading checks, after those of `bft.headers`:
1. The extra data has exactly five items; addresses have 20 bytes and seals 65.
2. A vote is empty, or an address with 0xff (add) or empty or 0x00 (drop).
3. The round is at most 2**31 - 1.
"""

from __future__ import annotations

from collections.abc import Sequence

from light_clients import rlp
from light_clients.bft.headers import (
    ADD_VOTE,
    MAXIMUM_ROUND,
    NO_SEALS,
    encode_addresses,
    header_of,
    read_parts,
    read_seals,
    read_validators,
    read_vote,
    with_extra_data,
)
from light_clients.bft.types import BftExtra, BftHeader
from light_clients.errors import ExtraDataInvalid, RoundOutOfBounds

_NO_VOTE = b"\xc0"
_DROP_VOTES = (b"", b"\x00")


def parse_header(header: bytes) -> BftHeader:
    """Reads a sealed header.

    Args:
        header: RLP of the header, with its seals.

    Returns:
        The header with its block hash and the digest of its seals, not yet judged.

    Raises:
        RlpRefused: It is not canonical RLP.
        HeaderRefused: It is too large, or an item or the extra data is wrong, by its name.
    """
    parts = read_parts(header)
    extra = _read_extra(parts.extra)
    unsealed = _unsealed_items(extra)
    block_hash = parts.hash_with(_extra_of_round(unsealed, 0))
    seal_digest = parts.hash_with(_extra_of_round(unsealed, extra.round)) if extra.round else block_hash
    return header_of(parts, extra, parts.items[2], block_hash, seal_digest)


def encode_extra(extra: BftExtra) -> bytes:
    """Writes the extra data of a header.

    Args:
        extra: The consensus part, with or without seals.

    Returns:
        The bytes of item 12.
    """
    seals = rlp.encode(list(extra.seals))
    return rlp.encode_list((_unsealed_items(extra), rlp.encode_integer(extra.round), seals))


def with_extra(header_items: Sequence[bytes], extra: BftExtra) -> bytes:
    """Writes a header.

    Args:
        header_items: The 15 to 21 items of a header, decoded; item 12 is replaced.
        extra: The consensus part.

    Returns:
        RLP of the header. `parse_header` gives its block hash and what validators sign.
    """
    return with_extra_data(header_items, encode_extra(extra))


def _read_extra(data: bytes) -> BftExtra:
    match rlp.decode_list(data):
        case [bytes() as vanity, list() as validators, list() as vote, bytes() as round_item, list() as seals]:
            round_number = rlp.decode_integer(round_item)
        case _:
            raise ExtraDataInvalid("The extra data of QBFT is vanity, validators, vote, round and seals.")
    if round_number > MAXIMUM_ROUND:
        raise RoundOutOfBounds("The round is too large.", expected=MAXIMUM_ROUND, found=round_item)
    cast = read_vote(vote, _DROP_VOTES) if vote else None
    return BftExtra(vanity, read_validators(validators), cast, round_number, read_seals(seals))


def _unsealed_items(extra: BftExtra) -> bytes:
    """The encoded vanity, validators and vote as the hashes have them."""
    vote = _NO_VOTE
    if extra.vote is not None:
        subject, add = extra.vote
        vote = rlp.encode([subject, ADD_VOTE if add else b""])
    return rlp.encode(extra.vanity) + encode_addresses(extra.validators) + vote


def _extra_of_round(unsealed: bytes, round_number: int) -> bytes:
    return rlp.encode_list((unsealed, rlp.encode_integer(round_number), NO_SEALS))
