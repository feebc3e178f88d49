"""Machines that hash or recover otherwise refuse the deployment: the probes of the constructors, against altered constants."""

import pytest

from adapters.solidity.contracts import contract
from schemas.suites import keccak256
from tests.support.evm_world import GUARDIAN, OFFICERS, SIGNERS, EvmChain, account, refuses

EMPTY = keccak256(b"")
KNOWN_R = bytes.fromhex("0eca5d08852e7aec597a93fcdc3aa3cb813f48910da127c3088ac46c34a8a207")
GATEWAY = (keccak256(b"word"), OFFICERS, GUARDIAN, 0, 60, 1, b"")
COMMITTEE = (
    *(keccak256(b"word"), OFFICERS, GUARDIAN, 0, 1, False),
    *([account(f"signer {number}") for number in range(3)], [organisation for _, organisation in SIGNERS], 2),
    *(b"", bytes(20), []),
)


@pytest.mark.parametrize(("name", "arguments"), [("Gateway", GATEWAY), ("CommitteeVerifier", COMMITTEE)])
def test_a_machine_whose_hash_is_another(name, arguments):
    creation = contract(name).creation_code(*arguments)
    assert creation.count(EMPTY) >= 1
    EvmChain("alpha").deploy(creation)
    with refuses("HashNotKeccak"):
        EvmChain("alpha").deploy(creation.replace(EMPTY, keccak256(b"another hash")))


def test_a_machine_that_recovers_nobody_or_somebody_else():
    creation = contract("CommitteeVerifier").creation_code(*COMMITTEE)
    assert creation.count(KNOWN_R) >= 1
    for r in (bytes(32), KNOWN_R[:-1] + b"\x08"):
        with refuses("SignatureBackendFails"):
            EvmChain("alpha").deploy(creation.replace(KNOWN_R, r))
