"""Which suite a lane gets from the gateways at its ends, and what machines say of themselves."""

from types import SimpleNamespace

import pytest

from adapters.chainmaker.options import ChainMakerOptions
from adapters.fisco import ADAPTER as FISCO
from adapters.protocol import AdapterOptions, Endpoint, MachineTraits, Misconfigured
from relay.errors import BadInput
from relay.registry import opening
from relay.registry.lane_verifiers import _check_machine
from schemas.suites import EVM, SM, keccak256, sm3

MEMBER = {"chain": "one", "member_certificate": "a.crt", "member_key": "a.key"}


@pytest.mark.parametrize(
    ("source", "destination", "suite"),
    [
        ("evm", "evm", EVM),
        ("sm", "sm", SM),
        ("any", "sm", SM),
        ("sm", "any", SM),
        ("evm", "any", EVM),
        ("any", "any", EVM),
    ],
)
def test_a_lane_has_the_suite_of_its_gateways(monkeypatch, source, destination, suite):
    monkeypatch.setattr(opening, "machine_of", lambda row: MachineTraits(suite=row.suite))
    ends = (SimpleNamespace(name="bank", suite=source), SimpleNamespace(name="court", suite=destination))
    assert opening.suite_of(*ends) is suite


def test_gateways_of_two_suites_get_no_lane_and_the_error_says_what_to_do(monkeypatch):
    monkeypatch.setattr(opening, "machine_of", lambda row: MachineTraits(suite=row.suite))
    ends = (SimpleNamespace(name="bank", suite="evm"), SimpleNamespace(name="court", suite="sm"))
    with pytest.raises(BadInput, match="gateway of bank is of evm but that of court is of sm") as refusal:
        opening.suite_of(*ends)
    assert "gateway_suite=sm" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_no_light_client_judges_for_a_gateway_of_the_suite_sm():
    ledger = SimpleNamespace(machine=lambda: MachineTraits(suite="sm", hashing="solidity"))
    with pytest.raises(BadInput, match="suite sm"):
        _check_machine(ledger, SimpleNamespace(name="court"))


def test_the_own_hash_of_a_machine_is_what_its_opcode_computes():
    assert MachineTraits().own_hash(b"x") == keccak256(b"x")
    assert MachineTraits(suite="sm").own_hash(b"x") == sm3(b"x")
    assert MachineTraits(suite="sm", hashing="solidity").own_hash(b"x") == keccak256(b"x")


@pytest.mark.parametrize(("suite", "signatures"), [("evm", "ecrecover"), ("sm", "fisco-sm2")])
def test_a_fisco_ledger_says_its_suite(suite, signatures):
    ledger = FISCO.open(AdapterOptions((Endpoint("http://127.0.0.1:1"),), extra={"line": "3", "suite": suite}))
    traits = ledger.machine()
    assert (traits.suite, traits.hashing, traits.signatures) == (suite, "opcode", signatures)


@pytest.mark.parametrize(
    ("said", "signatures"),
    [
        ({}, "secp256k1"),
        ({"gateway_suite": "sm"}, "chainmaker-sm2"),
        ({"gateway_suite": "sm", "signatures": "secp256k1"}, "secp256k1"),
        ({"signatures": "chainmaker-sm2"}, "chainmaker-sm2"),
    ],
)
def test_a_chainmaker_ledger_signs_as_its_suite_unless_said_otherwise(said, signatures):
    assert ChainMakerOptions.read(MEMBER | said).committee_signatures == signatures


def test_another_suite_of_a_gateway_is_refused_by_name():
    with pytest.raises(Misconfigured, match="gateway_suite"):
        ChainMakerOptions.read(MEMBER | {"gateway_suite": "gm"})
