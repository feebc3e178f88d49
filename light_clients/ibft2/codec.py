"""The extra data of Besu's IBFT2 (Besu `IbftExtraDataCodec`, `BftBlockHashing`).

It is one RLP list as in QBFT, with other encodings: no vote is an empty string, a vote to drop is the byte 0x00, and the
round has four bytes. The block hash is over the header with vanity, validators and vote alone; the digest that validators
sign has the round as a fourth item, and no list of seals.

Reading checks, after those of `bft.headers`:
1. The extra data has exactly five items; addresses have 20 bytes and seals 65.
2. A vote is an empty string, or an address with 0xff (add) or 0x00 (drop).
3. The round has four bytes and is at most 2**31 - 1.
"""

from __future__ import annotations

from collections.abc import Sequence

from light_clients import rlp
from light_clients.bft.headers import (
    ADD_VOTE,
    MAXIMUM_ROUND,
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

_NO_VOTE = b"\x80"
_DROP_VOTE = b"\x00"
_ROUND_SIZE = 4


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
    hashed = _hashed_items(extra)
    block_hash = parts.hash_with(rlp.encode_list((hashed,)))
    seal_digest = parts.hash_with(rlp.encode_list((hashed, _encoded_round(extra))))
    return header_of(parts, extra, parts.items[2], block_hash, seal_digest)


def encode_extra(extra: BftExtra) -> bytes:
    """Writes the extra data of a header.

    Args:
        extra: The consensus part, with or without seals.

    Returns:
        The bytes of item 12.
    """
    return rlp.encode_list((_hashed_items(extra), _encoded_round(extra), rlp.encode(list(extra.seals))))


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
        case [bytes() as vanity, list() as validators, b"" | list() as vote, bytes() as round_item, list() as seals]:
            pass
        case _:
            raise ExtraDataInvalid("The extra data of IBFT2 is vanity, validators, vote, round and seals.")
    round_number = int.from_bytes(round_item, "big")
    if len(round_item) != _ROUND_SIZE or round_number > MAXIMUM_ROUND:
        raise RoundOutOfBounds("The round has four bytes, the first below 0x80.", found=round_item)
    cast = read_vote(vote, (_DROP_VOTE,)) if isinstance(vote, list) else None
    return BftExtra(vanity, read_validators(validators), cast, round_number, read_seals(seals))


def _hashed_items(extra: BftExtra) -> bytes:
    """The encoded vanity, validators and vote: all that the block hash has of the extra data."""
    vote = _NO_VOTE
    if extra.vote is not None:
        subject, add = extra.vote
        vote = rlp.encode([subject, ADD_VOTE if add else _DROP_VOTE])
    return rlp.encode(extra.vanity) + encode_addresses(extra.validators) + vote


def _encoded_round(extra: BftExtra) -> bytes:
    return rlp.encode(extra.round.to_bytes(_ROUND_SIZE, "big"))
