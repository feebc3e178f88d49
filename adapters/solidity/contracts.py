"""Creation code of gateways and committees for every kind of machine, and of the back-ends that they are given.

A gateway is built for one suite; how it computes its hash and how a committee checks signatures is chosen at deployment. A
way that the machine itself does not have is a contract of its own, a *back-end*: it is deployed first and its address is
given to those who use it. Source: adapters/solidity/README.md (constructors, machines).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adapters.solidity.compiled import ARTIFACTS, CODE_MAX_BYTES, Contract, Function, contract
from schemas.suites import keccak256

__all__ = [
    "ARTIFACTS",
    "CODE_MAX_BYTES",
    "SIGNATURE_BACK_ENDS",
    "Contract",
    "Function",
    "back_ends",
    "committee_creation",
    "contract",
    "gateway_creation",
    "organisation_word",
]

SIGNATURE_BACK_ENDS = {"ecrecover": None, "secp256k1": "Secp256k1"}
"""Contracts that check signatures, by the ways that `MachineTraits.signatures` names; None where none is needed."""


def back_ends(signatures: str = "ecrecover") -> list[tuple[str, bytes]]:
    """Return what must be deployed first: (name, creation code) of each back-end, in order.

    Args:
        signatures: how committees check signatures there, as `MachineTraits.signatures` says.

    Raises:
        ValueError: there is no such way.
    """
    names = [_chosen(SIGNATURE_BACK_ENDS, signatures, "signatures are checked")]
    return [(name, contract(name).creation_code()) for name in names if name]


def gateway_creation(
    *,
    chain_word: bytes,
    officers: Sequence[bytes],
    guardian: bytes,
    delay_s: int,
    minimum_expiry_s: int = 60,
    time_divisor: int = 1,
    self_name: bytes = b"",
) -> bytes:
    """Return the creation code of a gateway.

    Args:
        chain_word: word of the ledger that it will stand on, 32 bytes.
        officers: at least three accounts of 20 bytes, all different.
        guardian: an account that is no officer.
        delay_s: seconds between the second approval and execution; 24 h by default in production, 0 in development.
        minimum_expiry_s: seconds that a message must live at least.
        time_divisor: 1 where block time is in seconds, 1000 where it is in milliseconds.
        self_name: the contract's own name where the ledger gives names (ChainMaker), else empty.
    """
    return contract("Gateway").creation_code(
        chain_word, list(officers), guardian, delay_s, minimum_expiry_s, time_divisor, self_name
    )


def committee_creation(
    *,
    chain_word: bytes,
    officers: Sequence[bytes],
    guardian: bytes,
    delay_s: int,
    signers: Sequence[tuple[bytes, bytes]],
    threshold: int,
    development: bool = False,
    time_divisor: int = 1,
    self_name: bytes = b"",
    signatures: str = "ecrecover",
    keys: Sequence[bytes] = (),
    libraries: Mapping[str, bytes] | None = None,
) -> bytes:
    """Return the creation code of a committee verifier whose epoch 1 has these signers.

    Args:
        chain_word: word of the ledger that it will stand on, 32 bytes.
        officers: at least three accounts of 20 bytes, all different.
        guardian: an account that is no officer.
        delay_s: seconds between the second approval and execution.
        signers: (account of 20 bytes, organisation as 32 bytes) in the order of the bitmap; see `organisation_word`.
        threshold: organisations that must sign: more than half, at least 2 outside development.
        development: whether a threshold of 1 is allowed.
        time_divisor: 1 where block time is in seconds, 1000 where it is in milliseconds.
        self_name: the contract's own name where the ledger gives names (ChainMaker), else empty.
        signatures: how signatures are checked there, as `MachineTraits.signatures` says.
        keys: 64 bytes (X, Y) for each signer, in their order, where a back-end checks; none under `ecrecover`.
        libraries: address of 20 bytes of each back-end that `back_ends` named.

    Raises:
        ValueError: there is no such way, or its back-end's address is missing.
    """
    accounts, organisations = [signer for signer, _ in signers], [organisation for _, organisation in signers]
    back_end = _address(_chosen(SIGNATURE_BACK_ENDS, signatures, "signatures are checked"), libraries)
    return contract("CommitteeVerifier").creation_code(
        chain_word,
        list(officers),
        guardian,
        delay_s,
        time_divisor,
        development,
        accounts,
        organisations,
        threshold,
        self_name,
        back_end,
        list(keys),
    )


def organisation_word(name: str) -> bytes:
    """Return the 32 bytes under which the committee counts an organisation: the hash of its name."""
    return keccak256(name.encode())


def _chosen(ways: Mapping[str, str | None], way: str, what: str) -> str | None:
    if way not in ways:
        raise ValueError(f"{what} by {', '.join(ways)}, not by {way!r}")
    return ways[way]


def _address(name: str | None, libraries: Mapping[str, bytes] | None) -> bytes:
    if name is None:
        return bytes(20)
    address = (libraries or {}).get(name)
    if address is None:
        raise ValueError(f"the address of {name} is missing; deploy what back_ends names and give the addresses")
    return address
