"""The extra data of GoQuorum's legacy IBFT (GoQuorum `core/types/istanbul.go`, `consensus/istanbul/ibft/engine`; EIP-650).

It is 32 bytes of vanity, then an RLP list: validators, the proposer's seal, the committed seals. The block hash is over the
header without committed seals, but with the proposer's. The proposer signs the hash of the hash of the header without
either; the committee signs the hash of the block hash and a byte 0x02 (the code of a commit). The coinbase and the nonce are
the vote, so that the proposer is known from the seal alone.

GoQuorum tells this form from QBFT's by trying it first. Here nothing is tried: the configuration names the family, and a
header of the other one is refused.

Reading checks, after those of `bft.headers`:
1. After the vanity stand exactly three items; addresses have 20 bytes and seals 65.
2. The proposer's seal is a signature; the first block alone has none.
3. The nonce is all ones (add the coinbase) or zero (drop it; of a stranger, no vote).
"""

from __future__ import annotations

from collections.abc import Sequence

from light_clients import rlp
from light_clients.bft.headers import (
    HeaderParts,
    encode_addresses,
    header_of,
    read_parts,
    read_seals,
    read_validators,
    with_extra_data,
)
from light_clients.bft.types import Address, BftExtra, BftHeader
from light_clients.crypto.secp256k1 import SIGNATURE_SIZE, recover_sealer
from light_clients.errors import ExtraDataInvalid, VoteInvalid
from schemas.suites import keccak256

_VANITY_SIZE = 32
_COMMIT = b"\x02"
_NOBODY = bytes(20)
_ADD_NONCE = b"\xff" * 8
_DROP_NONCE = bytes(8)
_FIRST_BLOCK = b""


def parse_header(header: bytes) -> BftHeader:
    """Reads a sealed header.

    Args:
        header: RLP of the header, with its seals.

    Returns:
        The header with its proposer, its block hash and the digest of its seals, not yet judged.

    Raises:
        RlpRefused: It is not canonical RLP.
        SignatureRefused: The proposer's seal is no signature.
        HeaderRefused: It is too large, or an item or the extra data is wrong, by its name.
    """
    parts = read_parts(header)
    extra = _read_extra(parts)
    block_hash = parts.hash_with(_encoded(extra, extra.proposer_seal, ()))
    seal_digest = keccak256(block_hash + _COMMIT)
    return header_of(parts, extra, _proposer(parts, extra), block_hash, seal_digest)


def encode_extra(extra: BftExtra) -> bytes:
    """Writes the extra data of a header; its vote stands elsewhere.

    Args:
        extra: The consensus part, with or without seals.

    Returns:
        The bytes of item 12.
    """
    return _encoded(extra, extra.proposer_seal, extra.seals)


def with_extra(header_items: Sequence[bytes], extra: BftExtra) -> bytes:
    """Writes a header.

    Args:
        header_items: The 15 to 21 items of a header, decoded; item 12 is replaced.
        extra: The consensus part.

    Returns:
        RLP of the header. `parse_header` gives its block hash and what the committee signs.
    """
    return with_extra_data(header_items, encode_extra(extra))


def proposal_digest(header_items: Sequence[bytes], extra: BftExtra) -> bytes:
    """What the proposer signs: the hash of the hash of the header without any seal.

    Args:
        header_items: The items of the header, decoded.
        extra: The consensus part.

    Returns:
        32 bytes.
    """
    return keccak256(keccak256(with_extra_data(header_items, _encoded(extra, b"", ()))))


def _read_extra(parts: HeaderParts) -> BftExtra:
    data = parts.extra
    if len(data) <= _VANITY_SIZE:
        raise ExtraDataInvalid("The extra data of legacy IBFT begins with 32 bytes of vanity.", found=len(data))
    match rlp.decode_list(data[_VANITY_SIZE:]):
        case [list() as validators, bytes() as proposer_seal, list() as seals]:
            pass
        case _:
            raise ExtraDataInvalid(
                "The extra data of legacy IBFT is vanity, validators, the proposer's seal and seals."
            )
    sealed_size = 0 if parts.items[8] == _FIRST_BLOCK else SIGNATURE_SIZE
    if len(proposer_seal) != sealed_size:
        raise ExtraDataInvalid("The proposer's seal has another size.", expected=sealed_size, found=len(proposer_seal))
    vote = _read_vote(parts)
    return BftExtra(data[:_VANITY_SIZE], read_validators(validators), vote, 0, read_seals(seals), proposer_seal)


def _read_vote(parts: HeaderParts) -> tuple[Address, bool]:
    nonce = parts.items[14]
    if nonce not in (_ADD_NONCE, _DROP_NONCE):
        raise VoteInvalid("The nonce is all ones to add the coinbase, or zero.", found=nonce)
    return Address(parts.items[2]), nonce == _ADD_NONCE


def _proposer(parts: HeaderParts, extra: BftExtra) -> bytes:
    if not extra.proposer_seal:
        return _NOBODY
    return recover_sealer(proposal_digest(parts.items, extra), extra.proposer_seal)


def _encoded(extra: BftExtra, proposer_seal: bytes, seals: Sequence[bytes]) -> bytes:
    items = (encode_addresses(extra.validators), rlp.encode(proposer_seal), rlp.encode(list(seals)))
    return extra.vanity + rlp.encode_list(items)
