"""A committee and a light client together: both must believe, and neither is enough."""

import pytest

from adapters.solidity import administration
from adapters.solidity.calldata import encode_bytes
from adapters.solidity.verifiers import VerifierKind, both_creation, both_proof
from schemas.attestation import Place, attestation_digest
from schemas.suites import EVM, keccak256
from tests.support.evm_world import (
    GUARDIAN,
    EvmChain,
    account,
    attest,
    make_committee,
    refusal_of,
    refuses,
)
from tests.support.light_client_world import LightClient, LightLane, rival_of, signed
from tests.support.qbft_chain import first_spec


class BothLane(LightLane):
    """A lane judged by both together at each end."""

    def __init__(self):
        super().__init__(with_committees=True)
        self.world.send()

    def judged(self, direction):
        """The ledger and address of the verifier that judges a direction's claims."""
        end = self.world.source if direction else self.world.destination
        return end.chain, end.committee

    def signatures(self, claim, direction=0, signers=(0, 1), verifier=None):
        end = self.world.source if direction else self.world.destination
        place = Place(end.chain.word, end.gateway, verifier or self.committees[direction], 1)
        return attest(end, claim, signers=signers, place=place)

    def both(self, claim, direction=0):
        return both_proof(self.signatures(claim, direction), self.proof(direction))

    def deliver_with(self, claim, proof):
        return self.world.deliver(claim=claim, proof=proof)

    def view(self, name, *arguments, direction=0):
        chain, address = self.judged(direction)
        return chain.view(address, "BothVerifier", name, *arguments)


@pytest.fixture
def lane():
    return BothLane()


def test_a_message_crosses_when_both_believe(lane):
    claim = lane.claim(0)
    lane.deliver_with(claim, lane.both(claim))
    assert lane.world.statuses() == [1]
    back = lane.claim(1)
    lane.world.settle(claim=back, proof=lane.both(back, 1))
    assert lane.world.source_view().settled == 1


def test_what_it_is_made_of_can_be_read(lane):
    assert lane.view("kind") == VerifierKind.BOTH
    assert lane.view("committee") == "0x" + lane.committees[0].hex()
    assert lane.view("lightClient") == "0x" + lane.clients[0].address.hex()
    chain = lane.judged(0)[0]
    assert chain.view(lane.committees[0], "CommitteeVerifier", "kind") == VerifierKind.COMMITTEE


def test_neither_alone_is_believed(lane):
    claim = lane.claim(0)
    signatures, sealed = lane.signatures(claim), lane.proof(0)
    with refuses("QuorumTooSmall"):
        lane.deliver_with(claim, both_proof(lane.signatures(claim, signers=(0,)), sealed))
    weak = lane.peers[0].proof(lane.lane_id, 0, (lane.peers[0].spec.signed(), lane.peers[0].spec.seals()[:2]))
    with refuses("SealsTooFew"):
        lane.deliver_with(claim, both_proof(signatures, weak))
    for proof in (both_proof(signatures, b""), both_proof(b"", sealed), signatures, sealed):
        with refuses("ProofNotCanonical"):
            lane.deliver_with(claim, proof)


def test_the_two_believe_the_same_claim(lane):
    claim = lane.claim(0)
    old = lane.signatures(claim)
    newer = lane.claim(0)
    with refuses("SignatureOfAnother"):
        lane.deliver_with(newer, both_proof(old, lane.proof(0)))


def test_operators_sign_for_the_committee_inside(lane):
    claim = lane.claim(0)
    chain, both = lane.judged(0)
    with refuses("SignatureOfAnother"):
        lane.deliver_with(claim, both_proof(lane.signatures(claim, verifier=both), lane.proof(0)))
    spoken = (claim.lane_id, 0, claim.nonce, claim.head, claim.height, claim.block_hash)
    gateway = lane.world.destination.gateway
    digest = chain.view(lane.committees[0], "CommitteeVerifier", "digest", keccak256(gateway), 1, spoken)
    assert digest == attestation_digest(EVM, Place(chain.word, gateway, lane.committees[0], 1), claim)


def test_each_part_changes_the_generation_and_voids_anchors(lane):
    chain, _ = lane.judged(0)

    def generations():
        parts = (
            chain.view(lane.committees[0], "CommitteeVerifier", "generation"),
            chain.view(lane.clients[0].address, "QbftVerifier", "generation"),
        )
        assert lane.view("generation") == keccak256(b"".join(parts))
        return parts

    seen = {generations()}
    claim = lane.claim(0)
    lane.world.anchor(lane.world.destination, 0, claim.head, (), claim, lane.both(claim))
    anchored = (lane.world.destination.gateway, "Gateway", "anchored", lane.lane_id, claim.head)
    assert chain.view(*anchored) is True
    chain.transact(GUARDIAN, lane.committees[0], administration.strike(account("signer 2")))
    seen.add(generations())
    assert chain.view(*anchored) is False
    lane.world.anchor(lane.world.destination, 0, claim.head, (), claim, lane.both(claim))
    assert chain.view(*anchored) is True
    spec = lane.peers[0].spec
    lane.clients[0].freeze(signed(spec), signed(rival_of(spec)))
    seen.add(generations())
    assert chain.view(*anchored) is False
    assert len(seen) == 3
    with refuses("NotAnchored"):
        lane.deliver_with(claim, b"")
    with refuses("ClientIsFrozen"):
        lane.deliver_with(claim, lane.both(claim))


def words(*numbers):
    return b"".join(number.to_bytes(32, "big") for number in numbers)


def test_the_proof_has_one_encoding(lane):
    claim = lane.claim(0)
    chain, both = lane.judged(0)
    spoken = (claim.lane_id, 0, claim.nonce, claim.head, claim.height, claim.block_hash)
    first, second = lane.signatures(claim), lane.proof(0)
    good = both_proof(first, second)
    tails = encode_bytes(first) + encode_bytes(second)
    cases = {
        "nothing": b"",
        "one word": words(64),
        "first elsewhere": words(96, 160 + len(first)) + bytes(32) + tails,
        "second elsewhere": words(64, 128 + len(first)) + tails,
        "trailing word": good + bytes(32),
        "cut": good[:-32],
        "second in the first": words(64, 64) + encode_bytes(first),
        "a gap": words(64, 128 + len(first)) + encode_bytes(first) + bytes(32) + encode_bytes(second),
        "first of any length": words(64, 96, 2**256 - 32) + tails,
        "first of no whole words": both_proof(first + b"\x00", second),
    }

    def refusal(proof):
        arguments = (keccak256(b"gateway"), b"peer", bytes(32), spoken, proof)
        return refusal_of(lambda: chain.view(both, "BothVerifier", "verify", *arguments))

    assert {name: refusal(proof) for name, proof in cases.items()} == dict.fromkeys(cases, "ProofNotCanonical")
    assert refusal(good) == "SignatureOfAnother"


def test_the_parts_are_a_committee_and_a_light_client():
    chain = EvmChain("alpha")
    client = LightClient(first_spec(number=9), chain).address
    committee = make_committee(chain)
    stub = chain.create("test/StubVerifier")
    for bad in (account("nobody"), client, stub):
        with refuses("PartUnfit", part="0x" + bad.hex()):
            chain.deploy(both_creation(committee=bad, light_client=client))
    for bad in (account("nobody"), committee, stub):
        with refuses("PartUnfit", part="0x" + bad.hex()):
            chain.deploy(both_creation(committee=committee, light_client=bad))
    assert chain.view(chain.deploy(both_creation(committee=committee, light_client=client)), "BothVerifier", "kind")


def test_both_are_asked_with_the_gateways_own_words(lane):
    """A proof for another gateway's lane is refused by the committee inside, whoever asks."""
    claim = lane.claim(0)
    chain, both = lane.judged(0)
    spoken = (claim.lane_id, 0, claim.nonce, claim.head, claim.height, claim.block_hash)
    peer = lane.world.source
    arguments = (peer.gateway, peer.chain.code_hash(peer.gateway), spoken, lane.both(claim))
    own = keccak256(lane.world.destination.gateway)
    assert chain.view(both, "BothVerifier", "verify", own, *arguments) is True
    with refuses("SignatureOfAnother"):
        chain.view(both, "BothVerifier", "verify", keccak256(b"another gateway"), *arguments)
    with refuses("CodeHashMismatch"):
        chain.view(both, "BothVerifier", "verify", own, arguments[0], bytes(31) + b"\x01", *arguments[2:])
