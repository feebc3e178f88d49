"""A gateway that is a chaincode: told once who it is, who administers it and whom it believes.

A consortium installs and commits the chaincode by its own means; `configure` is its first transaction, in place of a
constructor. On a production network the organisations agree on its bytes beforehand (adapters/fabric/chaincode/README.md).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from adapters.protocol import Call, Rejected
from adapters.solidity.contracts import organisation_word
from relay.errors import NotNow
from relay.keys import Key
from relay.registry.gateways import ADMINISTRATION_GAS, Committee, Contract, Officers
from relay.registry.transact import transact
from schemas.primitives import ChainWord
from schemas.suites import keccak256

SIGNATURE = "configure(bytes32,bytes[],bytes,uint64,uint64,string,string,bool,bytes[],bytes32[],uint8)"
SCHEME = "secp256k1"


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the chaincode is told: its ledger, who administers it, its committee's first epoch, the least life of a message (s)."""

    word: ChainWord
    officers: Officers
    committee: Committee
    minimum_expiry_s: int


def application_account(name: str) -> bytes:
    """The account of an application inside the chaincode: 0x01 and the SHA-256 of its name, 33 bytes."""
    return b"\x01" + hashlib.sha256(name.encode()).digest()


def configuration_call(name: bytes, said: Configuration) -> bytes:
    """Calldata of `configure`.

    Args:
        name: the chaincode's.
        said: what it is told.
    """
    from eth_abi.abi import encode

    officers, members = said.officers, said.committee.members
    arguments = [
        bytes(said.word),
        list(officers.addresses),
        officers.guardian,
        officers.delay_s,
        said.minimum_expiry_s,
        name.decode(),
        SCHEME,
        said.committee.development,
        [bytes(row.signer) for row in members],
        [organisation_word(row.organisation) for row in members],
        said.committee.threshold,
    ]
    types = SIGNATURE[SIGNATURE.index("(") + 1 : -1].split(",")
    return keccak256(SIGNATURE.encode())[:4] + encode(types, arguments)


def configure_chaincode(gateway: Contract, key: Key, said: Configuration) -> None:
    """Configure a chaincode that was not yet; one that was stays as it is, and is looked at by who asks it next.

    Raises:
        Rejected: it refuses for another reason.
        NotNow: the ledger does not take it in time.
    """
    try:
        gateway.ask("chainWord")
    except (Rejected, NotNow):
        call = Call(gateway.address, configuration_call(gateway.address, said), ADMINISTRATION_GAS)
        transact(gateway.ledger, key, [call])
