"""Validators by contract: the layout of Besu's own example, a set that changes, switches of the mode, and bounds."""

from dataclasses import replace

import pytest
import rlp as oracle

from light_clients import qbft
from light_clients.bft.bundle import MAXIMUM_BUNDLE_SIZE, SetProof, bundle, element_slots, length_slot, unbundle
from light_clients.bft.contract import prove_validators
from light_clients.bft.types import SelectionMode, ValidatorOverride, ValidatorSelection
from light_clients.errors import (
    ConfigurationInvalid,
    HeaderTooLarge,
    HeightNotRetained,
    Misbehaviour,
    SealForeign,
    SetProofInvalid,
    SetProofMissing,
    ValidatorContractAbsent,
    ValidatorsUnexpected,
    VoteInvalid,
)
from light_clients.proofs.bloom import may_contain
from light_clients.proofs.gateway import SlotEvidence, head_slot
from schemas.claim import Claim
from schemas.primitives import BlockHash, Bytes32, Head, LaneId
from schemas.suites import keccak256
from tests.support import bft_chain as family
from tests.support import qbft_chain as chain
from tests.support.shared_vectors import shared_json
from tests.support.vectors import unhex
from tests.vectors.make_bft_vectors import ContractWorld

GENESIS = shared_json("besu_bft/besu_genesis/genesis_validator_contract.json")
BY_CONTRACT = ValidatorSelection(0, SelectionMode.CONTRACT, family.CONTRACT, family.SLOT)


def state_of(address, account):
    """The state of one account of a genesis file, by the oracle's tries."""
    words = {bytes.fromhex(key): bytes.fromhex(value) for key, value in account["storage"].items()}
    return chain.Storage(words, keccak256(bytes.fromhex(account["code"])), address, neighbours=0)


@pytest.mark.parametrize(("name", "members"), [("8888", 1), ("9999", 2)])
def test_the_layout_is_that_of_besus_own_contract(name, members):
    address = bytes(18) + bytes.fromhex(name)
    account = GENESIS["alloc"]["0x" + address.hex()]
    state = state_of(address, account)
    slots = [length_slot(0), *element_slots(0, members)]
    assert [slot.hex() for slot in slots] == list(account["storage"])
    proof = SetProof(state.account_proof(), tuple(map(state.storage_proof, slots)))
    code_hash = keccak256(unhex(account["code"]))
    selection = ValidatorSelection(0, SelectionMode.CONTRACT, address, 0, code_hash)
    found = prove_validators(Bytes32(state.root), selection, proof)
    assert sorted(found) == sorted(bytes.fromhex(word)[12:] for word in list(account["storage"].values())[1:])


def test_the_set_is_sorted_whatever_the_order_of_the_list():
    state = family.ValidatorState("cadb")
    assert prove_validators(Bytes32(state.root), BY_CONTRACT, state.proof()) == tuple(chain.addresses("abcd"))


def test_the_zero_address_may_be_a_member():
    state = family.ValidatorState("", words=[bytes(32), bytes(12) + chain.address("a")])
    members = prove_validators(Bytes32(state.root), BY_CONTRACT, state.proof())
    assert members == (bytes(20), chain.address("a"))


def test_any_code_is_taken_where_none_is_pinned():
    state = family.ValidatorState("ab", code_hash=keccak256(b"upgraded"))
    assert len(prove_validators(Bytes32(state.root), BY_CONTRACT, state.proof())) == 2


def test_no_proof_in_an_empty_state():
    empty = chain.Storage({}, gateway=chain.GATEWAY)
    proof = SetProof(empty.account_proof(family.CONTRACT), ())
    with pytest.raises(ValidatorContractAbsent):
        prove_validators(Bytes32(empty.root), BY_CONTRACT, proof)


def test_a_bundle_comes_apart_again():
    proof = family.ValidatorState("ab").proof()
    assert unbundle(bundle(b"\xc1\x01", proof)) == (b"\xc1\x01", proof)
    assert unbundle(GOOD.sealed()) == (GOOD.sealed(), None)


def test_a_bundle_has_a_bound():
    proof = SetProof((bytes(MAXIMUM_BUNDLE_SIZE),), ())
    with pytest.raises(HeaderTooLarge):
        unbundle(bundle(b"\xc0", proof))
    with pytest.raises(SetProofInvalid):
        unbundle(oracle.encode([bytes(70_000), b"", b"", b""]))


WORLD = ContractWorld()
GOOD = WORLD.good


def test_the_set_changes_from_the_next_block_on():
    state = WORLD.follow(WORLD.state, GOOD, WORLD.new)
    assert state.validators == tuple(chain.addresses("abcde"))
    assert [(known.first_height, len(known.members)) for known in state.sets] == [(2, 4), (4, 5)]
    after = family.next_of(GOOD, validators=tuple("abcde"), listed=(), state_root=WORLD.old.root)
    back = WORLD.follow(state, after, WORLD.old)
    assert back.validators == tuple(chain.addresses("abcd"))
    with pytest.raises(SealForeign):
        WORLD.follow(state, replace(after, sealers=(*after.sealers[:3], "stranger")), WORLD.old)


def test_who_sealed_the_pinned_header_is_not_known():
    assert WORLD.begun.sets[0].first_height == 2
    rival = replace(WORLD.genesis, state_root=WORLD.new.root)
    with pytest.raises(HeightNotRetained):
        qbft.find_misbehaviour(WORLD.begun, WORLD.genesis.sealed(), rival.sealed())


@pytest.mark.parametrize("bundled", [True, False])
def test_two_sealed_blocks_accuse_in_their_bundles_or_alone(bundled):
    rival = replace(GOOD, state_root=WORLD.old.root)
    headers = [GOOD.sealed(), rival.sealed()]
    if bundled:
        headers = [WORLD.new.bundled(headers[0]), WORLD.old.bundled(headers[1])]
    found = qbft.find_misbehaviour(WORLD.state, *headers)
    assert isinstance(found, Misbehaviour)
    assert found.evidence == tuple(headers)


def test_the_bloom_of_a_bundle_is_that_of_its_header():
    filled = replace(GOOD, items={6: b"\xff" * 256})
    assert may_contain(WORLD.new.bundled(filled.sealed()), chain.GATEWAY)
    assert not may_contain(WORLD.new.bundled(GOOD.sealed()), chain.GATEWAY)


def test_a_claim_is_judged_by_the_header_alone():
    lane, head = LaneId(keccak256(b"lane")), keccak256(b"head")
    store = chain.Storage({head_slot(lane, 0): head})
    selections = (BY_CONTRACT, ValidatorSelection(3, SelectionMode.HEADER))
    override = (ValidatorOverride(3, tuple(chain.addresses("abcd"))),)
    state = WORLD.start(qbft.QbftConfiguration(selections=selections, overrides=override))
    spec = replace(WORLD.parent, state_root=store.root)
    state = qbft.apply(state, qbft.verify_header(state, spec.sealed(), spec.timestamp))
    claim = Claim(lane, 0, 1, Head(head), 2, BlockHash(spec.hash()))
    evidence = store.evidence(spec.sealed(), head_slot(lane, 0))
    qbft.verify_claim(state, claim, evidence, chain.PIN)
    assert isinstance(evidence, SlotEvidence)


# --- the pin and the switches


def test_a_pinned_header_needs_its_proof():
    with pytest.raises(SetProofMissing):
        qbft.bootstrap(WORLD.genesis.sealed(), BlockHash(WORLD.genesis.hash()), WORLD.configuration)


def test_a_pinned_header_of_contract_mode_lists_nobody():
    listing = replace(WORLD.genesis, listed=None)
    with pytest.raises(ValidatorsUnexpected):
        qbft.bootstrap(WORLD.old.bundled(listing.sealed()), BlockHash(listing.hash()), WORLD.configuration)
    with pytest.raises(ConfigurationInvalid, match="lists no set"):
        qbft.bootstrap(WORLD.genesis.sealed(), BlockHash(WORLD.genesis.hash()), qbft.QbftConfiguration())


def test_from_the_headers_to_a_contract():
    held = family.ValidatorState("wxyz")
    selections = (replace(BY_CONTRACT, height=2),)
    first = family.first_of(chain.Spec)
    state = qbft.bootstrap(first.sealed(), BlockHash(first.hash()), qbft.QbftConfiguration(selections=selections))
    last = family.next_of(first, state_root=held.root, vote=(chain.address("e"), True))
    with pytest.raises(SetProofMissing):
        qbft.verify_header(state, last.sealed(), last.timestamp)
    state = qbft.apply(state, qbft.verify_header(state, held.bundled(last.sealed()), last.timestamp))
    assert (state.validators, state.votes) == (tuple(chain.addresses("wxyz")), ())
    by_contract = family.next_of(last, validators=tuple("wxyz"), listed=())
    state = qbft.apply(state, qbft.verify_header(state, held.bundled(by_contract.sealed()), by_contract.timestamp))
    assert qbft.state_from_bytes(state.to_bytes()) == state


def test_from_a_contract_back_to_the_headers():
    selections = (BY_CONTRACT, ValidatorSelection(3, SelectionMode.HEADER))
    override = (ValidatorOverride(3, tuple(chain.addresses("wxyz"))),)
    state = WORLD.start(qbft.QbftConfiguration(selections=selections, overrides=override))
    state = qbft.apply(state, qbft.verify_header(state, WORLD.parent.sealed(), WORLD.parent.timestamp))
    listed = family.next_of(WORLD.parent, validators=tuple("wxyz"), vote=(chain.address("e"), True))
    state = qbft.apply(state, qbft.verify_header(state, listed.sealed(), listed.timestamp))
    assert (len(state.validators), len(state.votes)) == (4, 1)


PINNED = qbft.QbftConfiguration(
    selections=(ValidatorSelection(0, SelectionMode.PINNED),),
    overrides=(
        ValidatorOverride(1, tuple(chain.addresses("abcd"))),
        ValidatorOverride(3, tuple(chain.addresses("abcde"))),
    ),
)


@pytest.mark.parametrize("number", [0, 1])
def test_pinned_sets_need_no_proof(number):
    first = family.first_of(chain.Spec, number=number, listed=())
    state = qbft.bootstrap(first.sealed(), BlockHash(first.hash()), PINNED)
    spec = first
    while spec.number < 2:
        spec = family.next_of(spec, listed=())
        state = qbft.apply(state, qbft.verify_header(state, spec.sealed(), spec.timestamp))
    assert state.validators == tuple(chain.addresses("abcde"))
    with pytest.raises(SetProofInvalid):
        qbft.verify_header(
            state,
            WORLD.new.bundled(family.next_of(spec, validators=tuple("abcde"), listed=()).sealed()),
            spec.timestamp,
        )


def test_a_pinned_set_seals_the_pinned_header():
    first = family.first_of(chain.Spec, tuple("wxyz"), number=1, listed=())
    with pytest.raises(SealForeign):
        qbft.bootstrap(first.sealed(), BlockHash(first.hash()), PINNED)
    voting = family.first_of(chain.Spec, number=1, listed=(), vote=(chain.address("e"), True))
    with pytest.raises(VoteInvalid):
        qbft.bootstrap(voting.sealed(), BlockHash(voting.hash()), PINNED)
