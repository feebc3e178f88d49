"""The slot of a lane's head, and the evidence that shows it, as bytes."""

from dataclasses import replace

import pytest

from light_clients import rlp
from light_clients.errors import (
    ClaimMalformed,
    CodeHashMismatch,
    GatewayAbsent,
    HeadAbsent,
    HeadMismatch,
    RlpRefused,
)
from light_clients.proofs.gateway import SlotEvidence, check_claim_form, head_slot, verify_gateway_head
from schemas.claim import Claim, Direction
from schemas.primitives import BlockHash, Bytes32, Head, LaneId
from schemas.suites import keccak256
from tests.support.beacon_chain import HEAD as HEAD_OF_WORLD
from tests.support.beacon_chain import LANE as LANE_OF_WORLD
from tests.support.beacon_chain import PIN as PIN_OF_WORLD
from tests.support.beacon_chain import GatewayWorld

LANE = LaneId(keccak256(b"lane"))
EVIDENCE = SlotEvidence(b"header", (b"node 1", b"node 2"), ())


@pytest.mark.parametrize("direction", [0, 1])
def test_the_slot_is_that_of_a_solidity_mapping(direction):
    assert head_slot(LANE, direction) == keccak256(LANE + bytes(31) + bytes((direction,)))


def test_evidence_both_ways():
    assert SlotEvidence.from_bytes(EVIDENCE.to_bytes()) == EVIDENCE


@pytest.mark.parametrize(
    "items",
    [[], [b"header", [], [], []], [[], [], []], [b"header", b"", []], [b"header", [[]], []], [b"header", [], [[]]]],
)
def test_evidence_of_another_form(items):
    with pytest.raises(ClaimMalformed):
        SlotEvidence.from_bytes(rlp.encode(items))


def test_evidence_that_is_not_canonical():
    with pytest.raises(RlpRefused):
        SlotEvidence.from_bytes(EVIDENCE.to_bytes() + b"\x00")


GOOD = {
    "lane_id": LANE,
    "direction": 0,
    "nonce": 1,
    "head": Head(keccak256(b"h")),
    "height": 0,
    "block_hash": BlockHash(keccak256(b"b")),
}


def test_a_claim_of_good_form():
    check_claim_form(Claim(**GOOD))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("lane_id", bytes(32)),
        ("head", bytes(32)),
        ("head", b"\x01" * 31),
        ("block_hash", bytes(32)),
        ("nonce", 0),
        ("nonce", 2**64),
        ("height", 2**64),
        ("height", -1),
        ("direction", 2),
    ],
)
def test_a_claim_with_a_field_out_of_range(field, value):
    with pytest.raises(ClaimMalformed):
        check_claim_form(Claim(**{**GOOD, field: value}))


WORLD = GatewayWorld()
CLAIM = Claim(LANE_OF_WORLD, Direction.OUTBOX, 1, HEAD_OF_WORLD, 1, BlockHash(keccak256(b"b")))


def judged(pin=PIN_OF_WORLD, claim=CLAIM, storage=WORLD.storage_proof, **options):
    verify_gateway_head(Bytes32(WORLD.state_root), pin, claim, WORLD.account_proof, storage, **options)


def test_the_slot_of_the_gateway_holds_the_head():
    judged()
    judged(claim=replace(CLAIM, head=Head(b"\x01" * 32)), proved_head=HEAD_OF_WORLD)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        (GatewayAbsent, {"pin": replace(PIN_OF_WORLD, address=keccak256(b"nobody")[:20])}),
        (CodeHashMismatch, {"pin": replace(PIN_OF_WORLD, code_hash=Bytes32(b"\x01" * 32))}),
        (HeadAbsent, {"claim": replace(CLAIM, direction=Direction.OUTCOMES)}),
        (HeadMismatch, {"claim": replace(CLAIM, head=Head(b"\x01" * 32))}),
        (HeadMismatch, {"proved_head": Head(b"\x01" * 32)}),
    ],
)
def test_another_gateway_code_slot_or_head_is_refused_by_name(name, options):
    with pytest.raises(name):
        judged(**options)
