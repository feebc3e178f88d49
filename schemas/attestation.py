"""An attestation: an operator's signature that a claim is true, good in one place only.

Source: the hub's protocol (docs/protocol.md, sections Words and tags, Who believes what).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pydantic import ConfigDict

from schemas.claim import Claim
from schemas.primitives import Account, ChainWord, Digest, HexBytes, SchemaError, Uint64, account_bytes, uint64
from schemas.suites import Suite, integer_word


@dataclass(frozen=True, slots=True)
class Place:
    """Where an attestation is checked: the ledger, gateway and verifier there, and the committee's epoch.

    Attributes:
        chain: chain word of the verifying ledger (the destination for direction 0, the source for direction 1).
        gateway: native bytes of the verifying gateway.
        verifier: native bytes of the contract that checks the signatures.
        epoch: the committee's epoch, from 1.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    chain: ChainWord
    gateway: Account
    verifier: Account
    epoch: Uint64


@dataclass(frozen=True, slots=True)
class Attestation:
    """What an operator posts: the claim, the epoch, the signer's account and the signature over the digest."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    claim: Claim
    epoch: Uint64
    signer: Account
    signature: HexBytes


def attestation_digest(suite: Suite, place: Place, claim: Claim) -> Digest:
    """H(TAG("attestation"), chain, H(gateway), H(verifier), epoch, lane_id, direction, nonce, head, height, block_hash).

    Raises:
        SchemaError: a field is out of the protocol's range.
    """
    claim.check()
    account_bytes(place.gateway, "verifying gateway")
    account_bytes(place.verifier, "verifier")
    if uint64(place.epoch, "epoch") == 0:
        raise SchemaError("epoch must not be 0; a committee's epochs count from 1")
    return Digest(
        suite.hash(
            suite.tag("attestation")
            + ChainWord(place.chain)
            + suite.hash_account(place.gateway)
            + suite.hash_account(place.verifier)
            + integer_word(place.epoch)
            + claim.lane_id
            + integer_word(claim.direction)
            + integer_word(claim.nonce)
            + claim.head
            + integer_word(claim.height)
            + claim.block_hash
        )
    )
