"""What families say of themselves by name: the hash of a header, the form of evidence, and what their ledgers prove."""

from dataclasses import replace

import pytest

from light_clients.beacon.errors import BundleInvalid
from light_clients.cometbft.types import CometbftEvidence
from light_clients.errors import ClaimMalformed, Refused
from light_clients.families import (
    FAMILIES,
    evidence_of,
    header_hash,
    is_sealed,
    proves_newest_alone,
    proves_state,
    skips_heights,
)
from light_clients.proofs.gateway import SlotEvidence
from schemas.evidence import FamilyEvidence, StateEvidence
from tests.support import fabric_chain, fisco_chain
from tests.support.beacon_chain import BeaconChain
from tests.support.chainmaker_chain import ChainMakerChain
from tests.support.cometbft_chain import Chain as CometbftChain


def beacon_header():
    chain = BeaconChain()
    return chain.bootstrap(16), chain.root(16), chain.trusted(16).configuration


def cometbft_header():
    block = CometbftChain().grow()
    return block.bundle(), block.block_hash, None


def chainmaker_header():
    chain = ChainMakerChain()
    return chain.block(0), chain.hash_of(0), None


def fisco_header():
    chain = fisco_chain.FiscoChain(3, "evm")
    block = chain.mine(fisco_chain.send(1))
    return block.bundle(range(1)), block.hash, chain.configuration


def fabric_header():
    chain = fabric_chain.scene(fabric_chain.Network("BFT")).chain
    return chain.signed(chain.blocks[1]), chain.blocks[1].hash, None


HEADERS = {
    "beacon": beacon_header,
    "cometbft": cometbft_header,
    "chainmaker": chainmaker_header,
    "fisco": fisco_header,
    "fabric": fabric_header,
}


@pytest.mark.parametrize("name", HEADERS)
def test_the_hash_that_officers_pin(name):
    header, block_hash, configuration = HEADERS[name]()
    assert header_hash(name, header, configuration) == block_hash
    with pytest.raises(Refused):
        header_hash(name, header[:-1], configuration)
    assert not is_sealed(name, header)


def test_a_beacon_client_begins_with_a_bootstrap():
    chain = BeaconChain()
    with pytest.raises(BundleInvalid, match="kind bootstrap"):
        header_hash("beacon", chain.update(40, 24), chain.trusted(16).configuration)


def test_what_ledgers_prove():
    assert [name for name in FAMILIES if not proves_state(name)] == ["chainmaker", "fisco", "fabric"]
    assert [name for name in FAMILIES if proves_newest_alone(name)] == ["fabric"]
    assert [name for name in FAMILIES if skips_heights(name)] == ["beacon"]


def fisco_evidence():
    chain = fisco_chain.FiscoChain(3, "evm")
    return chain.mine(fisco_chain.send(1)).evidence(0)


def chainmaker_evidence():
    from light_clients.chainmaker.types import ChainMakerEvidence

    return ChainMakerEvidence(b"header", b"transaction", 300, (b"\x01" * 32,), b"write set")


def fabric_evidence():
    return fabric_chain.scene(fabric_chain.Network("BFT")).evidence()


EVIDENCE = {
    "cometbft": lambda: CometbftEvidence(b"head", b"store", b"code"),
    "chainmaker": chainmaker_evidence,
    "fisco": fisco_evidence,
    "fabric": fabric_evidence,
}


@pytest.mark.parametrize("name", EVIDENCE)
def test_evidence_in_the_form_of_its_family(name):
    evidence = EVIDENCE[name]()
    item = FamilyEvidence(7, b"header", evidence.to_bytes())
    assert evidence_of(name, item) == evidence
    with pytest.raises(Refused):
        evidence_of(name, replace(item, proof=b"\xff" + item.proof))


@pytest.mark.parametrize("name", FAMILIES)
def test_a_path_to_a_slot_is_the_same_everywhere(name):
    item = StateEvidence(7, b"header", (b"account",), (b"slot",))
    assert evidence_of(name, item) == SlotEvidence(b"header", (b"account",), (b"slot",))


@pytest.mark.parametrize("name", [name for name in FAMILIES if name not in EVIDENCE])
def test_nothing_else_where_a_path_is_wanted(name):
    with pytest.raises(ClaimMalformed, match="path to a slot"):
        evidence_of(name, FamilyEvidence(7, b"header", b"proof"))
