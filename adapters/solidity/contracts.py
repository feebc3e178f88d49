"""Creation code of gateways and committees for every kind of machine, and of the back-ends that they are given.

A gateway is built for one suite; how it computes its hash and how a committee checks signatures is chosen at deployment. A
way that the machine itself does not have is a contract of its own, a *back-end*: it is deployed first and its address is
given to those who use it. Source: adapters/solidity/README.md (constructors, machines).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from adapters.solidity.compiled import ARTIFACTS, CODE_MAX_BYTES, Contract, Function, contract
from schemas.suites import keccak256

__all__ = [
    "ARTIFACTS",
    "CODE_MAX_BYTES",
    "HASH_BACK_ENDS",
    "SIGNATURE_BACK_ENDS",
    "Contract",
    "Function",
    "back_ends",
    "committee_creation",
    "contract",
    "gateway_creation",
    "organisation_word",
]

SIGNATURE_BACK_ENDS = {
    "ecrecover": None,
    "secp256k1": "Secp256k1",
    "chainmaker-sm2": "ChainMakerSm2",
    "fisco-sm2": "FiscoSm2",
}
"""Contracts that check signatures, by the ways that `MachineTraits.signatures` names; None where none is needed."""

HASH_BACK_ENDS = {"opcode": None, "solidity": "Sm3", "fisco2": "FiscoSm3", "fisco3": "FiscoSm3"}
"""Contracts that compute SM3, by the ways to choose for the suite `sm`; `opcode` where the machine's hash opcode is SM3."""

Name = TypeVar("Name", str, str | None)
_GATEWAYS = {"evm": "Gateway", "sm": "GatewaySm"}
_COMMITTEES = {"evm": "CommitteeVerifier", "sm": "CommitteeVerifierSm"}


def back_ends(signatures: str = "ecrecover", hashing: str = "opcode") -> list[tuple[str, bytes]]:
    """Return what must be deployed first: (name, creation code) of each back-end, in order.

    Args:
        signatures: how committees check signatures there, as `MachineTraits.signatures` says.
        hashing: how contracts of the suite `sm` compute SM3 there; `opcode` for the suite `evm`.

    Raises:
        ValueError: there is no such way.
    """
    names = [_signature_back_end(signatures), _hash_back_end(hashing)]
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
    suite: str = "evm",
    hashing: str = "opcode",
    libraries: Mapping[str, bytes] | None = None,
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
        suite: of its lanes, `evm` or `sm`.
        hashing: how SM3 is computed there, for the suite `sm`: `opcode`, `solidity`, `fisco2` or `fisco3`.
        libraries: address of 20 bytes of each back-end that `back_ends` named.

    Raises:
        ValueError: there is no such suite or way, or its back-end's address is missing.
    """
    return contract(_chosen(_GATEWAYS, suite, "a lane's suite is one")).creation_code(
        chain_word,
        list(officers),
        guardian,
        delay_s,
        minimum_expiry_s,
        time_divisor,
        self_name,
        *_hash_arguments(suite, hashing, libraries),
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
    suite: str = "evm",
    hashing: str = "opcode",
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
        suite: of the lanes that it judges, `evm` or `sm`.
        hashing: how SM3 is computed there, for the suite `sm`: `opcode`, `solidity`, `fisco2` or `fisco3`.
        libraries: address of 20 bytes of each back-end that `back_ends` named.

    Raises:
        ValueError: there is no such suite or way, or its back-end's address is missing.
    """
    accounts, organisations = [signer for signer, _ in signers], [organisation for _, organisation in signers]
    return contract(_chosen(_COMMITTEES, suite, "a lane's suite is one")).creation_code(
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
        _address(_signature_back_end(signatures), libraries),
        list(keys),
        *_hash_arguments(suite, hashing, libraries),
    )


def organisation_word(name: str) -> bytes:
    """Return the 32 bytes under which the committee counts an organisation: the hash of its name."""
    return keccak256(name.encode())


def _signature_back_end(signatures: str) -> str | None:
    return _chosen(SIGNATURE_BACK_ENDS, signatures, "signatures are checked by one")


def _hash_back_end(hashing: str) -> str | None:
    return _chosen(HASH_BACK_ENDS, hashing, "SM3 is computed by one")


def _hash_arguments(suite: str, hashing: str, libraries: Mapping[str, bytes] | None) -> tuple[bytes, ...]:
    """Return what constructors of the suite `sm` take behind the others; those of `evm` take nothing."""
    back_end = _hash_back_end(hashing)
    if suite == "sm":
        return (_address(back_end, libraries),)
    if back_end is not None:
        raise ValueError(f"the suite evm is computed by the machine's opcode, not by {hashing}")
    return ()


def _chosen(ways: Mapping[str, Name], way: str, what: str) -> Name:
    if way not in ways:
        raise ValueError(f"{what} of {', '.join(ways)}, not {way!r}")
    return ways[way]


def _address(name: str | None, libraries: Mapping[str, bytes] | None) -> bytes:
    if name is None:
        return bytes(20)
    address = (libraries or {}).get(name)
    if address is None:
        raise ValueError(f"the address of {name} is missing; deploy what back_ends names and give the addresses")
    return address
