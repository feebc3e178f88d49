"""Claims of a gateway in an EVM's store, and of one in a module's, with every check failing alone."""

from dataclasses import replace

import pytest

from light_clients import cometbft
from light_clients.cometbft.errors import PinKindMismatch
from light_clients.errors import (
    ClaimBlockMismatch,
    ClaimMalformed,
    ClientFrozen,
    CodeHashMismatch,
    GatewayAbsent,
    HeadAbsent,
    HeadMismatch,
    HeightNotReached,
    HeightNotRetained,
)
from light_clients.proofs.ics23 import IAVL, TENDERMINT, prove_value
from light_clients.proofs.ics23_ops import ProofKeyMismatch, ProofKindUnsupported, ProofRootMismatch
from schemas.claim import Direction
from schemas.primitives import Bytes32, LaneId
from tests.support.cometbft_gateway import (
    ENTRIES,
    EVM,
    GATEWAY,
    HEAD,
    LANE,
    MODULE,
    OTHER_HEAD,
    GatewayWorld,
    storage_key,
)
from tests.support.cometbft_messages import message, read, written
from tests.support.cometbft_recordings import Recording
from tests.support.shared_vectors import shared_json


class World(GatewayWorld):
    """With a check that a claim is refused by one name."""

    def refuse(self, leaf, claim=None, evidence=None, pin=EVM, state=None, proved_head=None):
        with pytest.raises(leaf) as caught:
            cometbft.verify_claim(
                state or self.state, claim or self.claim(), evidence or self.evidence(), pin, proved_head
            )
        assert type(caught.value) is leaf


@pytest.fixture(scope="module")
def world():
    return World(ENTRIES)


def test_a_claim_of_an_evm_gateway_is_accepted(world):
    cometbft.verify_claim(world.state, world.claim(), world.evidence(), EVM)


def test_a_prefix_is_accepted_where_the_proof_shows_a_later_head(world):
    cometbft.verify_claim(world.state, world.claim(head=OTHER_HEAD), world.evidence(), EVM, HEAD)
    world.refuse(HeadMismatch, proved_head=OTHER_HEAD)


def test_a_claim_of_a_module_is_accepted_in_both_directions():
    keys = {direction: b"head/" + bytes([direction]) + LANE for direction in Direction}
    world = World({key: bytes(HEAD) for key in keys.values()} | {b"zzz": b"1"}, b"relay")
    for direction, key in keys.items():
        cometbft.verify_claim(world.state, world.claim(direction=direction), world.evidence(key), MODULE)
    world.refuse(ProofKeyMismatch, world.claim(direction=Direction.OUTCOMES), world.evidence(keys[0]), MODULE)
    world.refuse(ProofKeyMismatch, pin=replace(MODULE, store=b"other"), evidence=world.evidence(keys[0]))
    world.refuse(ProofKeyMismatch, pin=replace(MODULE, key_prefix=b""), evidence=world.evidence(keys[0]))


def test_a_frozen_client_judges_no_claim(world):
    world.refuse(ClientFrozen, state=world.state.freeze())


def test_a_claim_that_cannot_be_is_refused(world):
    world.refuse(ClaimMalformed, world.claim(nonce=0))


def test_the_height_is_accepted_and_kept(world):
    world.refuse(HeightNotReached, world.claim(height=8))
    world.refuse(HeightNotRetained, world.claim(height=4))


def test_the_block_is_the_accepted_one(world):
    world.refuse(ClaimBlockMismatch, world.claim(block_hash=world.chain.at(7).block_hash))


def test_the_state_is_the_one_under_this_header(world):
    other = world.chain.at(7)
    world.refuse(ProofRootMismatch, world.claim(height=7, block_hash=other.block_hash))


def test_a_proof_of_the_code_is_due_on_an_evm_and_nowhere_else(world):
    world.refuse(PinKindMismatch, evidence=world.evidence(code_proof=b""))
    world.refuse(PinKindMismatch, pin=MODULE)


def test_the_code_is_the_pinned_one(world):
    world.refuse(CodeHashMismatch, pin=replace(EVM, code_hash=Bytes32(b"\x56" * 32)))
    other = World({key: value for key, value in ENTRIES.items() if key != b"\x04" + GATEWAY})
    other.refuse(GatewayAbsent)


def test_the_code_is_that_of_the_gateway(world):
    world.refuse(ProofKeyMismatch, evidence=world.evidence(code_proof=world.store.proof(b"\x03")))
    world.refuse(ProofKeyMismatch, pin=replace(EVM, address=b"\x45" * 20))


def test_the_head_is_that_of_lane_and_direction(world):
    world.refuse(ProofKeyMismatch, evidence=world.evidence(storage_key(LaneId(b"\x12" * 32))))
    world.refuse(ProofKeyMismatch, world.claim(direction=Direction.OUTCOMES))
    world.refuse(ProofKeyMismatch, evidence=world.evidence(storage_key(address=b"\x45" * 20)))


def test_an_absent_head_is_refused_where_its_absence_is_proved(world):
    absent = LaneId(b"\x13" * 32)
    world.refuse(HeadAbsent, world.claim(lane_id=absent), world.evidence(storage_key(absent)))
    world.refuse(ProofKeyMismatch, world.claim(lane_id=absent), world.evidence(storage_key(LaneId(b"\x14" * 32))))


def test_the_head_is_the_claimed_one(world):
    world.refuse(HeadMismatch, world.claim(head=OTHER_HEAD))


def test_the_store_is_proved_to_exist(world):
    world.refuse(ProofKindUnsupported, evidence=world.evidence(store_proof=world.store.proof(storage_key(LANE, 1))))


def recorded():
    content = shared_json("evmd/sample.json")
    address = bytes.fromhex(content["eth_getProof"]["address"][2:])
    return content, Recording(content).state(10), address


def code_proof_of(content, address):
    """The proof of the code's hash, put together out of the recorded proof of an absent slot.

    There the right neighbour's lowest sibling is the leaf of ``04 ‖ address``: so the same path, seen from that sibling.
    """
    absent = content["abci_evm_slot_absent"]["response"]["proofOps"]["ops"][0]
    import base64

    right = read("CommitmentProof", base64.b64decode(absent["data"])).nonexist.right
    lowest = right.path[0]
    beside = prove_leaf(right)
    value = bytes.fromhex(content["eth_getProof"]["codeHash"][2:])
    path = [message("InnerOp", hash=1, prefix=lowest.prefix + beside + b"\x20"), *right.path[1:]]
    leaf = message("LeafOp", hash=1, prehash_value=1, length=1, prefix=b"\x00\x02\x12")
    exist = message("ExistenceProof", key=b"\x04" + address, value=value, leaf=leaf, path=path)
    return written("CommitmentProof", exist=exist)


def prove_leaf(proof):
    """The hash of the leaf of a proof, by hand."""
    from hashlib import sha256

    head = proof.leaf.prefix + bytes([len(proof.key)]) + proof.key
    return sha256(head + b"\x20" + sha256(proof.value).digest()).digest()


def test_a_live_chain_keeps_the_hash_of_a_contracts_code_under_04():
    content, state, address = recorded()
    import base64

    store_proof = base64.b64decode(content["abci_evm_slot0"]["response"]["proofOps"]["ops"][1]["data"])
    trees = ((IAVL, b"\x04" + address), (TENDERMINT, b"evm"))
    found = prove_value(state.anchor_at(10).app_hash, trees, (code_proof_of(content, address), store_proof))
    assert found.hex() == content["eth_getProof"]["codeHash"][2:]


def test_a_live_slot_is_under_the_header_after_its_height():
    content, state, address = recorded()
    from light_clients.cometbft.block_json import proofs_from_json

    proofs = proofs_from_json(content["abci_evm_slot0"]["response"])
    trees = ((IAVL, b"\x02" + address + bytes(32)), (TENDERMINT, b"evm"))
    assert prove_value(state.anchor_at(10).app_hash, trees, proofs) == bytes(31) + b"\x2a"
    for height in (9, 11):
        anchor = state.anchor_at(height) or Recording(content).state(11).anchor_at(11)
        with pytest.raises(ProofRootMismatch):
            prove_value(anchor.app_hash, trees, proofs)
