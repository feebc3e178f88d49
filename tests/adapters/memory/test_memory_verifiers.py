"""Verifiers of the ledger in this process: each thing that a light client, or both, must not believe, alone and by its name."""

from dataclasses import replace

import pytest

from adapters.memory.verifiers import Both, LightClient, Question
from adapters.protocol import Anchoring, Rejected, VerifierParts
from adapters.solidity.contracts import contract
from adapters.solidity.verifiers import both_proof, qbft_proof
from light_clients.crypto.secp256k1 import address_of, sign_seal
from light_clients.qbft.signed import signed_form
from schemas.claim import Claim, Direction
from schemas.heads import fold
from schemas.primitives import BlockHash, Head
from schemas.suites import keccak256
from tests.support.memory_lane import MemoryLane


class Asked:
    """A message on a lane, proved at the newest block of its source, and a light client of that ledger."""

    def __init__(self):
        self.lane = MemoryLane()
        self.lane.send()
        self.chain = self.lane.source
        self.chain.mine()
        validators = tuple(sorted(address_of(key) for key in self.chain.validator_keys))
        self.client = LightClient(b"\x0c" * 20, validators)
        state = self.chain.gateway.lanes[self.lane.lane.lane_id]
        found = self.chain.evidence(self.chain.height, self.lane.gateways[0], self.lane.lane.lane_id, 0)
        block_hash = BlockHash(self.chain.blocks[-1].header.block_hash)
        self.claim = Claim(
            self.lane.lane.lane_id, Direction.OUTBOX, 1, state.outbox_head, self.chain.height, block_hash
        )
        self.signed = signed_form(found.header)
        self.account, self.storage = found.account_proof, found.storage_proof

    def proof(self, *, seals=None, account=None, storage=None):
        signed = (self.signed.header, self.signed.seals if seals is None else seals)
        return qbft_proof(signed, self.account if account is None else account, storage or self.storage)

    def question(self, **changes):
        asked = Question(
            self.lane.lane.suite, self.lane.words[1], self.lane.gateways[1], self.lane.gateways[0],
            self.lane.code_hash(0), self.claim, self.proof(),
        )  # fmt: skip
        return replace(asked, **changes)

    def judge(self, **changes):
        return self.client.judge(self.question(**changes))


@pytest.fixture
def asked():
    made = Asked()
    yield made
    made.lane.close()


def test_a_proved_head_is_believed(asked):
    assert asked.judge() == ""


def test_each_thing_that_is_false_is_refused_alone(asked):
    claim = asked.claim
    stranger = sign_seal(keccak256(b"relayhub test stranger"), keccak256(asked.signed.header))
    refusals = {
        "ProofNotCanonical": {"proof": b"\x01"},
        "ClaimBlockMismatch": {"claim": replace(claim, block_hash=BlockHash(b"\x01" * 32))},
        "HeadNotProved": {"claim": replace(claim, head=Head(b"\x01" * 32))},
        "CodeHashMismatch": {"peer_code_hash": b"\x01" * 32},
        "GatewayAbsent": {"peer_gateway": b"\x01" * 20},
    }
    assert {name: asked.judge(**changes) for name, changes in refusals.items()} == {name: name for name in refusals}
    assert asked.judge(claim=replace(claim, height=claim.height + 1)) == "ClaimBlockMismatch"
    few = asked.signed.seals[:2]
    for seals in (few, (*few, few[0]), (*few, stranger), (*few, b"\x00" * 65)):
        assert asked.judge(proof=asked.proof(seals=seals)) == "SealsTooFew"
    assert asked.judge(proof=asked.proof(seals=asked.signed.seals[:3])) == ""


def test_another_set_a_block_before_it_and_a_frozen_client_are_refused(asked):
    known, asked.client.validators = asked.client.validators, asked.client.validators[:3]
    assert asked.judge() == "ValidatorsUnexpected"
    asked.client.validators, asked.client.since = known, asked.claim.height + 1
    assert asked.judge() == "ValidatorsUnexpected"
    asked.client.since, before = 0, asked.client.generation
    asked.client.frozen = True
    assert asked.judge() == "ClientIsFrozen"
    assert asked.client.generation != before


def test_both_need_both(asked):
    lane = asked.lane
    both = Both(b"\x0b" * 20, lane.committees[1], asked.client)
    assert both.parts == VerifierParts("both", lane.committees[1].address, asked.client.address)
    signatures = lane.proof(asked.claim)
    judge = lambda *parts: both.judge(asked.question(proof=both_proof(*parts)))  # noqa: E731 - three lines say more than six
    assert judge(signatures, asked.proof()) == ""
    assert judge(lane.proof(asked.claim, operators=(1,)), asked.proof()) == "QuorumTooSmall"
    assert judge(signatures, asked.proof(seals=())) == "SealsTooFew"
    assert both.judge(asked.question(proof=b"\x01")) == "ProofNotCanonical"
    before, asked.client.pins = both.generation, 1
    assert both.generation != before


def test_a_light_client_answers_as_the_contract_does(asked):
    functions = contract("QbftVerifier").functions
    answer = asked.client.view(functions["client"].selector)
    client = contract("QbftVerifier").decode("client", answer)[0]
    assert (client[3], client[4], client[6]) == (asked.client.validators_hash, 0, False)
    assert contract("QbftVerifier").decode("kind", asked.client.view(functions["kind"].selector)) == ("light-client",)
    assert asked.client.view(b"\x00" * 4) == b""


class TestAnchors:
    """The gateway's anchors on this ledger; the Solidity gateway's are tested beside its source."""

    def anchor(self, asked, head, ids, claim, proof=b""):
        lane = asked.lane
        action = Anchoring(claim.lane_id, head, ids, claim, proof)
        return lane.ledgers[1].simulate(address_of(lane.relayer), lane.ledgers[1].call_for(lane.gateways[1], action))

    def refusal(self, asked, *arguments):
        with pytest.raises(Rejected) as caught:
            self.anchor(asked, *arguments)
        return caught.value.reason

    def test_a_head_is_anchored_under_a_claim_that_holds_and_no_other(self, asked):
        lane, claim = asked.lane, asked.claim
        signatures = lane.proof(claim)
        assert self.anchor(asked, claim.head, (), claim, signatures) == b""
        assert self.refusal(asked, claim.head, (b"\x01" * 32,), claim, signatures) == "HeadMismatch"
        assert self.refusal(asked, claim.head, (), claim) == "NotAnchored"
        assert self.refusal(asked, claim.head, (), claim, lane.proof(claim, operators=(1,))) == "QuorumTooSmall"
        back = replace(claim, direction=Direction.OUTCOMES)
        assert self.refusal(asked, claim.head, (), back, signatures) == "WrongDirection"
        other = replace(claim, lane_id=type(claim.lane_id)(b"\x01" * 32))
        assert self.refusal(asked, claim.head, (), other, signatures) == "UnknownLane"

    def test_another_generation_and_a_changed_verifier_void_it(self, asked):
        lane, claim = asked.lane, asked.claim
        lane_id, gateway = claim.lane_id, lane.destination.gateway
        leads = fold(lane.lane.suite, claim.head, b"\x01" * 32)
        gateway.anchor(Anchoring(lane_id, claim.head, (), claim, lane.proof(claim)))
        assert gateway.lanes[lane_id].is_anchored(claim.head)
        assert not gateway.lanes[lane_id].is_anchored(leads)
        lane.destination.set_verifier(lane_id, lane.committees[1])
        assert not gateway.lanes[lane_id].is_anchored(claim.head)
        assert self.refusal(asked, claim.head, (), claim) == "NotAnchored"
