"""Reading headers of Clique (EIP-225; go-ethereum `clique.SealHash`, Besu `CliqueBlockHashing`).

The extra data is 32 bytes of vanity, in the first block and in epoch blocks the signers, and the seal. The block hash is over
the whole header; the digest that the sealer signs is over the header without its seal.

Reading checks, after those of `bft.headers`:
1. The extra data has its vanity, its seal, and between them whole addresses; at most 256 of them.
"""

from __future__ import annotations

from functools import lru_cache

from light_clients.bft.headers import read_parts
from light_clients.bft.types import MAXIMUM_VALIDATORS, Address
from light_clients.clique.types import CliqueHeader
from light_clients.crypto.secp256k1 import SIGNATURE_SIZE, recover_sealer
from light_clients.errors import ExtraDataInvalid, Refused, ValidatorsTooMany
from light_clients.rlp import decode_integer
from schemas.primitives import BlockHash, Bytes32
from schemas.suites import keccak256

VANITY_SIZE = 32
"""Bytes of the sealer's choice."""

ADDRESS_SIZE = 20


@lru_cache(maxsize=2048)
def parse_header(header: bytes) -> CliqueHeader:
    """Reads a header; a header is read again with each run that it stands in, so the newest are remembered.

    Args:
        header: RLP of the header, with its seal.

    Returns:
        The header with its block hash and the digest of its seal, not yet judged.

    Raises:
        RlpRefused: It is not canonical RLP.
        HeaderRefused: It is too large, or an item or the extra data is wrong, by its name.
    """
    parts = read_parts(header)
    items, extra = parts.items, parts.extra
    listed_size = len(extra) - VANITY_SIZE - SIGNATURE_SIZE
    if listed_size < 0 or listed_size % ADDRESS_SIZE:
        raise ExtraDataInvalid("The extra data of Clique is vanity, signers and a seal.", found=len(extra))
    if listed_size > MAXIMUM_VALIDATORS * ADDRESS_SIZE:
        raise ValidatorsTooMany("Too many signers.", expected=MAXIMUM_VALIDATORS, found=listed_size // ADDRESS_SIZE)
    signers = extra[VANITY_SIZE:-SIGNATURE_SIZE]
    return CliqueHeader(
        parent_hash=Bytes32(items[0]),
        ommers_hash=items[1],
        subject=Address(items[2]),
        state_root=Bytes32(items[3]),
        difficulty=decode_integer(items[7]),
        height=decode_integer(items[8], 8),
        timestamp=decode_integer(items[11], 8),
        listed=tuple(Address(signers[start : start + ADDRESS_SIZE]) for start in range(0, listed_size, ADDRESS_SIZE)),
        seal=extra[-SIGNATURE_SIZE:],
        mix_hash=items[13],
        nonce=items[14],
        block_hash=BlockHash(keccak256(header)),
        seal_digest=parts.hash_with(extra[:-SIGNATURE_SIZE]),
    )


@lru_cache(maxsize=2048)
def sealer_of(seal_digest: bytes, seal: bytes) -> Address:
    """Who sealed a header; recovering a key is the dear part of judging one, so the newest are remembered.

    Args:
        seal_digest: 32 bytes.
        seal: 65 bytes.

    Raises:
        SignatureRefused: The seal is no signature.
    """
    return Address(recover_sealer(seal_digest, seal))


def has_form(header: bytes) -> bool:
    """Whether a header looks like one of Clique; no seal is judged.

    Args:
        header: RLP of one header.
    """
    try:
        parsed = parse_header(header)
    except Refused:
        return False
    if parsed.height == 0:
        return bool(parsed.listed)
    return parsed.difficulty in (1, 2) and not any(parsed.mix_hash)
