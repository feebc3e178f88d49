"""Claims by events and by write sets, on chains of both suites; who could forge which of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from light_clients.chainmaker import ChainMakerEvidence, ChainMakerPin, ChainMakerState, evidence_of_block, verify_claim
from light_clients.chainmaker.claims import slot_key
from light_clients.errors import LightClientError
from schemas.claim import Claim, Direction
from schemas.primitives import BlockHash, Head, LaneId
from schemas.suites import integer_word, keccak256
from tests.support.chainmaker_chain import (
    GATEWAY,
    GATEWAY_VERSION,
    ChainMakerChain,
    moved_event,
    sent_event,
    slot_write,
    transaction,
)

LANE = LaneId(keccak256(b"lane"))
OTHER_LANE = LaneId(keccak256(b"other lane"))
HEADS = [Head(keccak256(b"head %d" % number)) for number in range(6)]
OUTCOME = Head(keccak256(b"outcome head"))
PIN = ChainMakerPin(GATEWAY, GATEWAY_VERSION)
SHADOW = "0e65789a8ed4f347c396490efaec39dfdbc45e13"


def send(nonce: int, *, label: str = "send", **told: Any) -> tuple[Any, Any]:
    """A transaction that sends a message: event and write of the outbox head."""
    head = HEADS[nonce]
    writes = [slot_write(LANE, 0, HEADS[0], name=SHADOW), slot_write(LANE, 0, head)]
    return transaction(f"{label} {nonce}", **{"events": [sent_event(LANE, nonce, head)], "writes": writes, **told})


def deliver(nonce: int) -> tuple[Any, Any]:
    """A transaction that delivers: a receiver's event first, then inbox and outcome heads."""
    receiver = ("ab" * 32, "RECEIVER", "1.0", ("00" * 32,))
    events = [receiver, moved_event(LANE, 2, nonce, HEADS[1]), moved_event(LANE, 1, nonce, OUTCOME)]
    return transaction("deliver", events=events, writes=[slot_write(LANE, 1, OUTCOME)])


def world(
    transactions: Sequence[tuple[Any, Any]], index: int, suite: str = "ecc", *, by_write_set: bool = False
) -> tuple[ChainMakerState, Claim, ChainMakerEvidence]:
    """A followed chain whose newest block has the transactions, and the evidence of one of them."""
    built = ChainMakerChain(suite)
    built.grow()
    built.grow(transactions)
    evidence = evidence_of_block(built.info(2), built.hash_name, index, by_write_set=by_write_set)
    claim = Claim(LANE, Direction.OUTBOX, 2, HEADS[2], 2, BlockHash(built.hash_of(2)))
    return built.state(2), claim, evidence


def refused(name: str, *arguments: Any, **told: Any) -> LightClientError:
    with pytest.raises(LightClientError) as caught:
        verify_claim(*arguments, **told)
    assert caught.value.name == name, caught.value
    return caught.value


@pytest.mark.parametrize("suite", ["ecc", "sm"])
@pytest.mark.parametrize("by_write_set", [False, True])
@pytest.mark.parametrize("place", [(0, 1), (1, 2), (2, 3), (4, 5), (7, 11)])
def test_a_head_is_proved_from_any_place_of_a_block(suite: str, place: tuple[int, int], *, by_write_set: bool) -> None:
    index, count = place
    transactions = [send(2) if at == index else transaction(f"other {at}") for at in range(count)]
    state, claim, evidence = world(transactions, index, suite, by_write_set=by_write_set)
    verify_claim(state, claim, evidence, PIN)
    assert ChainMakerEvidence.from_bytes(evidence.to_bytes()) == evidence


@pytest.mark.parametrize("by_write_set", [False, True])
def test_an_outcome_head_is_proved_by_its_own_event_and_slot(*, by_write_set: bool) -> None:
    state, claim, evidence = world([deliver(3)], 0, by_write_set=by_write_set)
    outcome = replace(claim, direction=Direction.OUTCOMES, nonce=3, head=OUTCOME)
    verify_claim(state, outcome, evidence, PIN)
    refused("HeadAbsent", state, replace(outcome, lane_id=OTHER_LANE), evidence, PIN)
    refused("HeadAbsent", state, replace(outcome, direction=Direction.OUTBOX), evidence, PIN)
    refused("HeadMismatch", state, replace(outcome, head=HEADS[1]), evidence, PIN)


def test_several_messages_of_one_transaction_each_show_a_prefix() -> None:
    events = [sent_event(LANE, nonce, HEADS[nonce]) for nonce in (1, 2, 3)]
    state, claim, evidence = world([send(3, events=events)], 0)
    for nonce in (1, 2, 3):
        verify_claim(state, replace(claim, nonce=nonce, head=HEADS[nonce]), evidence, PIN)
    refused("HeadMismatch", state, replace(claim, nonce=4, head=HEADS[4]), evidence, PIN)


def test_a_claim_is_a_prefix_of_what_is_proved() -> None:
    state, claim, evidence = world([send(3)], 0)
    verify_claim(state, claim, evidence, PIN, proved_head=HEADS[3])
    verify_claim(state, replace(claim, nonce=3), evidence, PIN, proved_head=HEADS[3])
    refused("ClaimNonceMismatch", state, replace(claim, nonce=4), evidence, PIN, proved_head=HEADS[3])
    refused("HeadMismatch", state, claim, evidence, PIN, proved_head=HEADS[2])
    by_write_set = world([send(3)], 0, by_write_set=True)
    verify_claim(*by_write_set, PIN, proved_head=HEADS[3])
    refused("HeadMismatch", *by_write_set, PIN, proved_head=HEADS[2])


@pytest.mark.parametrize("nonce", [1, 3])
def test_the_number_of_entries_is_the_events(nonce: int) -> None:
    state, claim, evidence = world([send(2)], 0)
    error = refused("ClaimNonceMismatch", state, replace(claim, nonce=nonce), evidence, PIN)
    assert (error.expected, error.found) == (nonce, 2)


@pytest.mark.parametrize("by_write_set", [False, True])
@pytest.mark.parametrize("told", [{"code": 4}, {"contract_code": 1}, {"tx_type": 1}])
def test_a_transaction_that_failed_proves_nothing(told: dict[str, int], *, by_write_set: bool) -> None:
    refused("TransactionFailed", *world([send(2, **told)], 0, by_write_set=by_write_set), PIN)


def test_an_event_of_another_contract_proves_nothing() -> None:
    forged = [sent_event(LANE, 2, HEADS[2], name="FORGER")]
    refused("GatewayAbsent", *world([send(2, events=forged, contract="FORGER")], 0), PIN)


def test_an_event_in_the_gateways_name_from_anothers_transaction_proves_nothing() -> None:
    """A container writes any contract name into its events."""
    error = refused("TransactionForeign", *world([send(2, contract="CONTAINER", writes=[])], 0), PIN)
    assert error.found == "CONTAINER"


def test_an_application_that_calls_the_gateway_proves_by_write_set() -> None:
    verify_claim(*world([send(2, contract="APPLICATION")], 0, by_write_set=True), PIN)


def test_events_are_no_evidence_where_the_pin_says_so() -> None:
    strict = replace(PIN, write_set_only=True)
    refused("EventsNotAccepted", *world([send(2)], 0), strict)
    verify_claim(*world([send(2)], 0, by_write_set=True), strict)


@pytest.mark.parametrize("by_write_set", [False, True])
def test_replaced_code_proves_nothing(*, by_write_set: bool) -> None:
    events = [sent_event(LANE, 2, HEADS[2], version="2.0")]
    error = refused("GatewayVersionMismatch", *world([send(2, events=events)], 0, by_write_set=by_write_set), PIN)
    assert (error.expected, error.found) == ("1.0", "2.0")
    mixed = [sent_event(LANE, 2, HEADS[2]), moved_event(LANE, 2, 1, HEADS[1], version="")]
    refused("GatewayVersionMismatch", *world([send(2, events=mixed)], 0, by_write_set=by_write_set), PIN)


def test_a_write_without_any_event_of_the_gateway_has_no_version() -> None:
    refused("GatewayAbsent", *world([send(2, events=[])], 0, by_write_set=True), PIN)


WRITES = [
    ("HeadAbsent", []),
    ("HeadAbsent", [slot_write(LANE, 0, HEADS[2], name=SHADOW)]),
    ("HeadAbsent", [slot_write(LANE, 1, HEADS[2])]),
    ("HeadAbsent", [slot_write(LANE, 0, HEADS[1]), slot_write(LANE, 0, HEADS[2])]),
    ("HeadMismatch", [slot_write(LANE, 0, HEADS[1])]),
    ("HeadMismatch", [(*slot_write(LANE, 0, HEADS[2])[:2], b"")]),
    ("HeadMismatch", [(*slot_write(LANE, 0, HEADS[2])[:2], HEADS[2] + b"\0")]),
    ("HeadAbsent", [(GATEWAY, slot_write(LANE, 0, HEADS[2])[1].upper(), HEADS[2])]),
]


@pytest.mark.parametrize(("name", "writes"), WRITES)
def test_a_write_of_something_else_proves_nothing(name: str, writes: list[tuple[str, bytes, bytes]]) -> None:
    refused(name, *world([send(2, writes=writes)], 0, by_write_set=True), PIN)


def test_leading_zeros_of_slot_and_head_are_left_out() -> None:
    number = next(n for n in range(10_000) if keccak256(keccak256(b"%d" % n) + integer_word(0))[0] == 0)
    lane, head = LaneId(keccak256(b"%d" % number)), Head(bytes(3) + HEADS[2][3:])
    told = send(2, events=[sent_event(lane, 2, head)], writes=[slot_write(lane, 0, head)])
    for by_write_set in (False, True):
        state, claim, evidence = world([told], 0, by_write_set=by_write_set)
        short = replace(claim, lane_id=lane, head=head)
        verify_claim(state, short, evidence, PIN)
        assert len(slot_key(short)) < 64


DATA = sent_event(LANE, 2, HEADS[2])[3]
EVENTS = [
    (DATA[0], DATA[1]),
    (*DATA, "00" * 32),
    (DATA[0].upper(), *DATA[1:]),
    (DATA[0][:-2], *DATA[1:]),
    (DATA[0] * 2, *DATA[1:]),
    (DATA[0], DATA[1] * 2, DATA[2]),
    (*DATA[:2], DATA[2][: 7 * 64]),
    (*DATA[:2], "zz" + DATA[2][2:]),
    (DATA[0], "01" + DATA[1][2:], DATA[2]),
]


@pytest.mark.parametrize("data", EVENTS)
def test_an_event_of_another_form_is_refused(data: tuple[str, ...]) -> None:
    topic, name, version, _ = sent_event(LANE, 2, HEADS[2])
    refused("EventInvalid", *world([send(2, events=[(topic, name, version, data)])], 0), PIN)


def test_events_that_move_no_head_are_passed_over() -> None:
    delivered = ("cd" * 32, GATEWAY, GATEWAY_VERSION, ("no", "data"))
    refused("HeadAbsent", *world([send(2, events=[delivered])], 0), PIN)
    verify_claim(*world([send(2, events=[delivered, sent_event(LANE, 2, HEADS[2])])], 0), PIN)


def test_an_event_of_an_outbox_does_not_move_an_outcome_head_with_the_number_zero() -> None:
    moved = moved_event(LANE, 0, 2, HEADS[2])
    verify_claim(*world([send(2, events=[moved])], 0), PIN)


# --- the block -----------------------------------------------------------------------------------------------------------


def test_the_claim_is_at_an_accepted_block() -> None:
    state, claim, evidence = world([send(2)], 0)
    refused("ClientFrozen", state.freeze(), claim, evidence, PIN)
    refused("ClaimMalformed", state, replace(claim, nonce=0), evidence, PIN)
    refused("HeightNotReached", state, replace(claim, height=3), evidence, PIN)
    refused("HeightNotRetained", replace(state, recent=state.recent[-1:]), replace(claim, height=1), evidence, PIN)
    refused("ClaimBlockMismatch", state, replace(claim, block_hash=BlockHash(bytes(31) + b"\1")), evidence, PIN)
    other = replace(claim, height=1, block_hash=state.recent[1])
    refused("ClaimHeightMismatch", state, other, evidence, PIN)


def test_a_block_that_was_not_accepted_proves_nothing_with_its_own_header() -> None:
    state, claim, _ = world([send(1)], 0)
    built = ChainMakerChain()
    built.grow()
    built.grow([send(2)])
    evidence = evidence_of_block(built.info(2), "SHA256", 0)
    twin = replace(claim, block_hash=built.hash_of(2))
    verify_claim(built.state(2), twin, evidence, PIN)
    error = refused("ClaimBlockMismatch", state, twin, evidence, PIN)
    assert (error.expected, error.found) == (state.block_hash, twin.block_hash)


def test_the_header_is_that_block() -> None:
    state, claim, evidence = world([send(2)], 0)
    _, _, another = world([send(2), transaction("more")], 0)
    refused("ClaimBlockMismatch", state, claim, replace(evidence, header=another.header), PIN)
    refused("ProtobufTruncated", state, claim, replace(evidence, header=evidence.header[:-1]), PIN)


def test_the_transaction_is_in_the_block_at_its_place() -> None:
    transactions = [transaction("first"), send(2), transaction("third")]
    state, claim, evidence = world(transactions, 1)
    verify_claim(state, claim, evidence, PIN)
    refused("MerklePathInvalid", state, claim, replace(evidence, index=3), PIN)
    refused("MerklePathInvalid", state, claim, replace(evidence, path=evidence.path[:1]), PIN)
    refused("MerklePathInvalid", state, claim, replace(evidence, path=(*evidence.path, bytes(32))), PIN)
    refused("MerklePathInvalid", state, claim, replace(evidence, path=(evidence.path[0], b"short")), PIN)
    refused("TransactionNotInBlock", state, claim, replace(evidence, index=0), PIN)
    swapped = replace(evidence, path=tuple(reversed(evidence.path)))
    refused("TransactionNotInBlock", state, claim, swapped, PIN)
    _, _, other = world([send(2, label="other")], 0)
    refused("TransactionNotInBlock", state, claim, replace(evidence, transaction=other.transaction), PIN)


def test_a_node_of_the_tree_is_no_transaction() -> None:
    state, claim, evidence = world([send(1), send(2)], 1)
    shorter = replace(evidence, path=(), transaction=evidence.path[0] + evidence.path[0])
    with pytest.raises(LightClientError):
        verify_claim(state, claim, shorter, PIN)


def test_the_write_set_is_the_transactions() -> None:
    state, claim, evidence = world([send(1), send(2)], 1, by_write_set=True)
    _, _, first = world([send(1), send(2)], 0, by_write_set=True)
    refused("WriteSetMismatch", state, claim, replace(evidence, write_set=first.write_set), PIN)


def test_gas_is_not_part_of_a_leaf_and_means_nothing() -> None:
    state, claim, evidence = world([send(2, gas=84)], 0)
    _, _, same = world([send(2, gas=85)], 0)
    assert evidence.transaction != same.transaction
    verify_claim(state, claim, replace(evidence, transaction=same.transaction), PIN)


def test_gas_is_part_of_a_leaf_before_version_2300() -> None:
    built = ChainMakerChain(version=2201)
    built.grow([send(2, gas=84)])
    evidence = evidence_of_block(built.info(1), "SHA256", 0)
    claim = Claim(LANE, Direction.OUTBOX, 2, HEADS[2], 1, built.hash_of(1))
    verify_claim(built.state(1), claim, evidence, PIN)
    other = ChainMakerChain(version=2201)
    other.grow([send(2, gas=85)])
    changed = evidence_of_block(other.info(1), "SHA256", 0).transaction
    refused("TransactionNotInBlock", built.state(1), claim, replace(evidence, transaction=changed), PIN)


# --- evidence ------------------------------------------------------------------------------------------------------------


def test_evidence_of_a_place_that_is_not_there_is_refused() -> None:
    built = ChainMakerChain()
    built.grow([send(1)])
    for index in (-1, 1):
        with pytest.raises(LightClientError) as caught:
            evidence_of_block(built.info(1), "SHA256", index)
        assert caught.value.name == "MerklePathInvalid"


def test_evidence_by_write_set_needs_the_write_set() -> None:
    built = ChainMakerChain()
    built.grow([send(1), send(2)])
    info = built.blocks[1]
    for spoil in (info.rwset_list[1].tx_writes.add, info.rwset_list.pop):
        spoil()
        with pytest.raises(LightClientError) as caught:
            evidence_of_block(built.info(1), "SHA256", 1, by_write_set=True)
        assert caught.value.name == "WriteSetMismatch"


def test_damaged_evidence_is_refused() -> None:
    _, _, evidence = world([send(2), send(1)], 0)
    data = evidence.to_bytes()
    assert ChainMakerEvidence.from_bytes(replace(evidence, index=0).to_bytes()).index == 0
    for bad in (b"", data[:-1], b"\xc0", b"\xc5\x80\x80\x80\x80\x80", b"\xc6\x80\x80\x80\xc1\xc0\x80",
                b"\xc6\x80\x80\x00\xc0\x80", b"\xca\x80\x80\x85\x01\x01\x01\x01\x01\xc0\x80"):  # fmt: skip
        with pytest.raises(LightClientError) as caught:
            ChainMakerEvidence.from_bytes(bad)
        assert caught.value.name == "ClaimMalformed", bad.hex()
