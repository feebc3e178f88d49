"""The checks of a header that do not depend on where it stands (Besu `BftHelpers`, `bft/headervalidationrules`)."""

from __future__ import annotations

from itertools import pairwise

from light_clients.bft.types import Address, BftHeader, SelectionMode
from light_clients.crypto.secp256k1 import recover_sealer
from light_clients.errors import (
    DifficultyInvalid,
    MixHashInvalid,
    NonceInvalid,
    OmmersInvalid,
    SealDuplicate,
    SealForeign,
    SealsTooFew,
    SealsTooMany,
    ValidatorsNotAscending,
    ValidatorsUnexpected,
    VanityInvalid,
    VoteInvalid,
)
from schemas.suites import keccak256

MIX_HASH = bytes.fromhex("63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365")
"""The mark of Byzantine fault tolerance in a header (EIP-650)."""


NO_OMMERS = keccak256(b"\xc0")
"""Hash of an empty list, 32 bytes."""


def quorum(validators: int) -> int:
    """The least number of seals: ceil(2n/3)."""
    return (2 * validators + 2) // 3


def check_form(parsed: BftHeader) -> None:
    """Checks what a header of every family has, whatever the state.

    Args:
        parsed: A header that was read.

    Raises:
        VanityInvalid: The vanity is not 32 bytes.
        MixHashInvalid: The mark is missing.
        DifficultyInvalid: The difficulty is not 1.
    """
    if len(parsed.extra.vanity) != 32:
        raise VanityInvalid("The vanity has 32 bytes.", expected=32, found=len(parsed.extra.vanity))
    if parsed.mix_hash != MIX_HASH:
        raise MixHashInvalid("This is no header of a BFT family.", expected=MIX_HASH, found=parsed.mix_hash)
    if parsed.difficulty != b"\x01":
        raise DifficultyInvalid("The difficulty is 1.", expected=b"\x01", found=parsed.difficulty)


def check_ommers(parsed: BftHeader) -> None:
    """Checks that a header has no ommers.

    Raises:
        OmmersInvalid: It has.
    """
    if parsed.ommers_hash != NO_OMMERS:
        raise OmmersInvalid("A sealed block has no ommers.", expected=NO_OMMERS, found=parsed.ommers_hash)


def check_nonce(parsed: BftHeader) -> None:
    """Checks that the nonce is zero.

    Raises:
        NonceInvalid: It is not.
    """
    if any(parsed.nonce):
        raise NonceInvalid("The nonce is zero.", expected=bytes(8), found=parsed.nonce)


def check_seals(parsed: BftHeader, validators: tuple[Address, ...]) -> tuple[Address, ...]:
    """Checks that ceil(2n/3) distinct validators sealed, and nobody else.

    Args:
        parsed: A header that was read.
        validators: The set that had to seal it.

    Returns:
        Who sealed, in the order of the seals.

    Raises:
        SealsTooMany: There are more seals than validators.
        SealsTooFew: There are too few seals.
        SealForeign: A seal is of somebody else, or over other content.
        SealDuplicate: One validator sealed twice.
        SignatureRefused: A seal is no signature.
    """
    seals = parsed.extra.seals
    if len(seals) > len(validators):
        raise SealsTooMany("There are more seals than validators.", expected=len(validators), found=len(seals))
    if len(seals) < quorum(len(validators)):
        raise SealsTooFew("Too few seals.", expected=quorum(len(validators)), found=len(seals))
    sealers: list[Address] = []
    for seal in seals:
        sealer = Address(recover_sealer(parsed.seal_digest, seal))
        if sealer not in validators:
            raise SealForeign("A seal is of no validator of the set, or over other content.", found=sealer)
        if sealer in sealers:
            raise SealDuplicate("One validator sealed twice.", found=sealer)
        sealers.append(sealer)
    return tuple(sealers)


def check_validators(parsed: BftHeader, validators: tuple[Address, ...], mode: SelectionMode) -> None:
    """Checks that a header lists the set that seals it, or nobody where the set comes from elsewhere.

    Args:
        parsed: A header that was read.
        validators: The set that had to seal it.
        mode: Where that set came from.

    Raises:
        ValidatorsNotAscending: The list is not ascending.
        ValidatorsUnexpected: It is another set, or there is a list where none can be.
        VoteInvalid: A vote stands where votes do not count.
    """
    listed = parsed.extra.validators
    if mode is not SelectionMode.HEADER:
        if listed:
            raise ValidatorsUnexpected("No header lists validators that a contract selects.", found=b"".join(listed))
        if parsed.extra.vote is not None:
            raise VoteInvalid("No header votes on validators that a contract selects.", found=parsed.extra.vote[0])
    elif listed != validators:
        _refuse_validators(listed, validators)


def _refuse_validators(listed: tuple[Address, ...], expected: tuple[Address, ...]) -> None:
    if any(first >= second for first, second in pairwise(listed)):
        raise ValidatorsNotAscending("The validators are not in ascending order.", found=b"".join(listed))
    raise ValidatorsUnexpected(
        "The votes do not lead to this set.", expected=b"".join(expected), found=b"".join(listed)
    )
