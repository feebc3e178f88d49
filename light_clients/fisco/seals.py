"""Signatures of sealers over a block's hash, by their index in the list of sealers."""

from __future__ import annotations

from light_clients.crypto import secp256k1, sm2
from light_clients.errors import SealDuplicate, SealForeign, SealsTooFew, SealsTooMany
from light_clients.fisco.errors import SealerIndexInvalid
from light_clients.fisco.types import (
    KEY_SIZE,
    FiscoConfiguration,
    FiscoHeader,
    quorum,
)

_RECOVERABLE_SIZE = 65
_SM2_SIZES = (64, 64 + KEY_SIZE)


def check_seals(header: FiscoHeader, configuration: FiscoConfiguration) -> tuple[int, ...]:
    """Checks that a quorum of a header's own sealers signed it; that these are the trusted ones is for the caller.

    Args:
        header: Its hash is signed: as it is with secp256k1, as a message with SM2.
        configuration: Says the suite.

    Returns:
        Indices of the signers, ascending.

    Raises:
        SealsTooMany: There are more signatures than sealers.
        SealerIndexInvalid: An index is outside of the list.
        SealDuplicate: One sealer signed twice.
        SealForeign: A signature is not by the sealer of its index.
        SealsTooFew: The signers have not enough votes.
    """
    sealers = header.sealers
    if len(header.seals) > len(sealers):
        raise SealsTooMany("There are more signatures than sealers.", expected=len(sealers), found=len(header.seals))
    signers: set[int] = set()
    for index, signature in header.seals:
        if index >= len(sealers):
            raise SealerIndexInvalid("A signature is by no sealer of the list.", expected=len(sealers), found=index)
        if index in signers:
            raise SealDuplicate("A sealer signed twice.", found=index)
        if not _is_signed(configuration, sealers[index].key, header.block_hash, signature):
            raise SealForeign(
                "A signature is not by the sealer that it names.", expected=sealers[index].key, found=index
            )
        signers.add(index)
    votes, wanted = sum(sealers[index].weight for index in signers), quorum(sealers)
    if votes < wanted:
        raise SealsTooFew("Too few votes of sealers signed the block.", expected=wanted, found=votes)
    return tuple(sorted(signers))


def _is_signed(configuration: FiscoConfiguration, key: bytes, block_hash: bytes, signature: bytes) -> bool:
    if configuration.suite == "sm":
        named = signature[64:]
        return (
            len(signature) in _SM2_SIZES and (not named or named == key) and sm2.verify(key, block_hash, signature[:64])
        )
    return (
        len(signature) == _RECOVERABLE_SIZE
        and signature[64] <= 1
        and secp256k1.verify(b"\x04" + key, block_hash, signature[:64], allow_high_s=True)
    )
