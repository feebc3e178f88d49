"""Verifiers beside the committee: creation code, calls and proof bytes of a light client on the ledger, and of both together.

Headers are given as their validators signed them (their round, no seals) with the seals beside:
`light_clients.qbft.signed.signed_form` makes both. Sources: docs/encodings.md, sections Proof bytes and Verifiers on the
ledger; the Solidity contract ABI specification.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from enum import IntEnum, StrEnum

from adapters.solidity.calldata import encode_bytes, encode_list
from adapters.solidity.contracts import contract
from schemas.suites import integer_word, keccak256

SignedHeader = tuple[bytes, Sequence[bytes]]
"""RLP of a header as its validators signed it, and their seals of 65 bytes; none where the header stands by its child."""


class VerifierKind(StrEnum):
    """What `kind()` of a verifier says."""

    COMMITTEE = "committee"
    LIGHT_CLIENT = "light-client"
    BOTH = "both"


class ClientDialect(IntEnum):
    """Whose vote counting a light client on the ledger follows."""

    BESU = 0
    GOQUORUM = 1


@dataclass(frozen=True, slots=True)
class ClientConfiguration:
    """What a light client on the ledger is told once; the order of the fields is that of the struct of the same name.

    Attributes:
        peer_chain_word: word of the ledger that it judges, 32 bytes.
        dialect: whose vote counting applies.
        epoch_length: blocks after which open votes are cleared.
        trusting_period_s: seconds after the newest accepted header during which the client believes; below 2**32.
        maximum_drift_s: seconds that a header may be ahead of the ledger's clock; at most 3600.
    """

    peer_chain_word: bytes
    dialect: ClientDialect = ClientDialect.BESU
    epoch_length: int = 30_000
    trusting_period_s: int = 14 * 24 * 3600
    maximum_drift_s: int = 15


def qbft_creation(
    *,
    chain_word: bytes,
    officers: Sequence[bytes],
    guardian: bytes,
    delay_s: int,
    configuration: ClientConfiguration,
    header: bytes,
    pinned_hash: bytes,
    development: bool = False,
    time_divisor: int = 1,
) -> bytes:
    """Return the creation code of a light client that trusts a pinned header.

    Args:
        chain_word: word of the ledger that it will stand on, 32 bytes.
        officers: at least three accounts of 20 bytes, all different.
        guardian: an account that is no officer.
        delay_s: seconds between the second approval and execution.
        configuration: of the ledger that it judges.
        header: RLP of the pinned header as its validators signed it.
        pinned_hash: its block hash, 32 bytes.
        development: whether a set whose quorum is one is allowed.
        time_divisor: 1 where block time is in seconds, 1000 where it is in milliseconds.
    """
    return contract("QbftVerifier").creation_code(
        chain_word,
        list(officers),
        guardian,
        delay_s,
        time_divisor,
        development,
        astuple(configuration),
        header,
        pinned_hash,
    )


def both_creation(*, committee: bytes, light_client: bytes) -> bytes:
    """Return the creation code of a verifier that believes what a committee and a light client believe together.

    Args:
        committee: address of the committee's contract, 20 bytes.
        light_client: address of the light client's contract, 20 bytes.
    """
    return contract("BothVerifier").creation_code(committee, light_client)


def set_validators(header: bytes, pinned_hash: bytes) -> bytes:
    """Action on a light client: trust this header and its set, frozen and expired clients too (two officers, delay).

    Args:
        header: RLP of the header as its validators signed it.
        pinned_hash: its block hash, 32 bytes.
    """
    return contract("ILightClientActions").encode("setValidators", header, pinned_hash)


def encode_update(header: SignedHeader) -> bytes:
    """Call by anyone: a newer header of the trusted set."""
    return contract("QbftVerifier").encode("update", header[0], list(header[1]))


def encode_follow_run(headers: Sequence[SignedHeader], *, fresh: bool) -> bytes:
    """Call by anyone: consecutive headers that show the votes for another set.

    Args:
        headers: seals are needed at the last header of the old set and at the first of the new one.
        fresh: whether the first one lists the trusted set and begins a run; else the caller's run goes on.
    """
    return contract("QbftVerifier").encode("followRun", fresh, [(header, list(seals)) for header, seals in headers])


def encode_freeze(first: SignedHeader, second: SignedHeader) -> bytes:
    """Call by anyone: two sealed headers of one height with different block hashes."""
    return contract("QbftVerifier").encode("freeze", first[0], list(first[1]), second[0], list(second[1]))


def qbft_proof(header: SignedHeader, account_proof: Sequence[bytes], storage_proof: Sequence[bytes]) -> bytes:
    """Encode a light client's proof of a head.

    Args:
        header: of the claim's height, with its seals.
        account_proof: nodes from its state root to the gateway's account.
        storage_proof: nodes from the account's storage root to the slot of the head.
    """
    tails = (encode_bytes(header[0]), *map(_byte_strings, (header[1], account_proof, storage_proof)))
    return _joined(tails)


def both_proof(committee: bytes, light_client: bytes) -> bytes:
    """Encode the proofs of a committee and of a light client for the same claim."""
    return _joined((encode_bytes(committee), encode_bytes(light_client)))


def validators_hash(validators: Sequence[bytes]) -> bytes:
    """Return the hash under which a light client on the ledger keeps a set of addresses of 20 bytes, ascending."""
    return keccak256(b"".join(bytes(12) + validator for validator in validators))


def _byte_strings(items: Sequence[bytes]) -> bytes:
    return encode_list([encode_bytes(item) for item in items])


def _joined(tails: Sequence[bytes]) -> bytes:
    offsets = []
    place = 32 * len(tails)
    for tail in tails:
        offsets.append(integer_word(place))
        place += len(tail)
    return b"".join((*offsets, *tails))
