"""Transactions that fail, nodes that fail, and a channel that changes, under traffic."""

import time
from dataclasses import replace

import pytest

from adapters.conformance.world import OFFICERS
from adapters.fabric.proposals import propose, transaction_envelope
from adapters.protocol import AnswerTooLarge, Call, MessageSent, Misconfigured, Rejected, Unreachable
from adapters.solidity import administration
from adapters.solidity.calldata import encode_send
from light_clients import fabric, pins
from light_clients.errors import Refused
from schemas.claim import Claim, Direction
from schemas.primitives import Bytes32
from tests.support.fabric_world import followed, opened, options_of, pin_of

PATIENCE_S = 60
PROPOSE = administration.propose(administration.unpause(accounts="bytes"), accounts="bytes")


def eventually(act):
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return act()
        except Unreachable:
            assert time.monotonic() < deadline


def test_of_two_transactions_that_move_one_head_one_fails(world):
    tickets = [world.ticket(b"left"), world.ticket(b"right")]
    ledger, before = world.ledgers[0], len(world.events(0, MessageSent))
    signed = [world.signed(0, world.relayer, world.seal_call(ticket)) for ticket in tickets]
    assert ledger.broadcast([item.raw for item in signed]) == [None, None]
    receipts = [world.receipt(0, item.transaction) for item in signed]
    assert sorted(receipt.success for receipt in receipts) == [False, True]
    assert {receipt.reason for receipt in receipts} == {""}, "a race is none of its own"
    assert len(world.events(0, MessageSent)) == before + 1
    failed = tickets[[receipt.success for receipt in receipts].index(False)]
    assert world.seal(failed).success
    assert len(world.events(0, MessageSent)) == before + 2


def test_a_transaction_that_one_organisation_endorsed_never_becomes_an_event(world):
    network, ledger, before = world.networks[0], world.ledgers[0], world.events(0, MessageSent)
    identity = ledger._sender(world.relayer)
    call = world.seal_call(world.ticket(b"half"))
    proposal = propose(identity, "trade", "gateway", [b"call", call.data], b"\x07" * 24, time.time_ns())
    answer = network.peers[0].endorser.process(proposal.signed(identity))
    pairs = [(answer.endorsement.endorser, answer.endorsement.signature)]
    raw = transaction_envelope(identity, proposal, answer.payload, pairs)
    assert ledger.broadcast([raw]) == [None]
    receipt = world.receipt(0, proposal.transaction)
    assert receipt.success is False
    assert receipt.reason.startswith("ENDORSEMENT_POLICY_FAILURE")
    assert world.events(0, MessageSent) == before
    assert ledger.evidence(b"gateway", [(world.lane.lane_id, 0)], receipt.height) == [None]


def test_a_peer_that_calls_everything_valid_is_not_believed(world):
    network = world.networks[0]
    tickets = [world.ticket(b"true"), world.ticket(b"false")]
    signed = [world.signed(0, world.relayer, world.seal_call(ticket)) for ticket in tickets]
    with network.service.changed:
        for item in signed:
            network.service.submit(item.raw)
    receipts = [world.receipt(0, item.transaction) for item in signed]
    height = receipts[0].height
    assert height == receipts[1].height
    network.peers[0].node.faults.set(all_valid=True)
    with opened(options_of(network)) as liar:
        said = liar.events(height, height, b"gateway")
        assert len(said) == 2
        (found,) = liar.evidence(b"gateway", [(world.lane.lane_id, 0)], height)
        state, pin = followed(liar, "trade"), pin_of(liar)
    network.peers[0].node.faults.heal()
    evidence = fabric.FabricEvidence.from_bytes(found.proof)
    believed = []
    for event in said:
        claim = Claim(
            world.lane.lane_id, Direction.OUTBOX, event.message.nonce, event.head, height, event.position.block_hash
        )
        try:
            fabric.verify_claim(state, claim, evidence, pin)
            believed.append(event.position.transaction)
        except Refused:
            continue
    true = [receipt.transaction for receipt in receipts if receipt.success]
    assert believed == true


def test_a_transaction_that_comes_again_has_one_effect(world):
    call = world.seal_call(world.ticket(b"again"))
    ledger = world.ledgers[0]
    signed = ledger.sign(world.relayer, 77, call, 0)
    assert ledger.sign(world.relayer, 77, call, 0).transaction == signed.transaction
    before = len(world.events(0, MessageSent))
    assert ledger.broadcast([signed.raw]) == [None]
    assert world.receipt(0, signed.transaction).success
    assert ledger.broadcast([signed.raw]) == [None]
    assert world.send(b"another").success
    assert world.receipt(0, signed.transaction).success
    assert len(world.events(0, MessageSent)) == before + 2
    with pytest.raises(Rejected) as caught:
        ledger.sign(world.relayer, 77, call, 0)
    assert caught.value.code == "known"


def test_a_refusal_says_why_in_the_gateways_words(world):
    ledger = world.ledgers[0]
    stranger = b"\x22" * 32
    ledger.endow([stranger])
    account = ledger.account(stranger)
    call = Call(b"gateway", encode_send(world.lane.lane_id, world.receiver, b"no", 1, 0, 0), 0)
    assert ledger.simulate(world.account(0, world.sender), call)
    for ask in (lambda: ledger.simulate(account, call), lambda: world.transact(0, stranger, call)):
        with pytest.raises(Rejected, match="SenderNotAllowed") as caught:
            ask()
        assert caught.value.code == "reverted"
        assert account.hex() in caught.value.reason


def test_orderers_restart_and_the_lane_goes_on(world):
    network = world.networks[0]
    network.orderers[0].node.stop()
    assert eventually(lambda: world.send(b"three orderers")).success
    signed = world.signed(0, world.relayer, world.seal_call(world.ticket(b"no orderers")))
    for orderer in network.orderers[1:]:
        orderer.node.stop()
    with pytest.raises(Unreachable):
        world.ledgers[0].broadcast([signed.raw])
    for orderer in network.orderers:
        orderer.node.start()
    assert eventually(lambda: world.send(b"all orderers")).success


def test_without_a_quorum_of_consenters_nothing_is_ordered(world):
    network = world.networks[0]
    signed = world.signed(0, world.relayer, world.seal_call(world.ticket(b"waits")))
    for consenter in network.service.consenters[:2]:
        consenter.up = False
    with pytest.raises(Unreachable, match="orders nothing now"):
        world.ledgers[0].broadcast([signed.raw])
    for consenter in network.service.consenters:
        consenter.up = True
    assert world.ledgers[0].broadcast([signed.raw]) == [None]
    assert world.receipt(0, signed.transaction).success


def test_an_organisation_and_a_consenter_come_under_traffic(world):
    network, registered = world.networks[0], world.ledgers[0].installed(b"gateway")
    assert world.send(b"before").success
    network.add_organisation()
    assert world.send(b"between").success
    network.add_orderer()
    assert world.send(b"after").success
    with opened(options_of(network)) as ledger:
        state, pin = followed(ledger, "trade"), pin_of(ledger)
        assert pin.organisations == ("Org1MSP", "Org2MSP", "Org3MSP")
        assert pin.threshold == 2
        event = world.events(0, MessageSent)[-1]
        place = event.position
        sending = Call(b"gateway", encode_send(world.lane.lane_id, world.receiver, b"two of three", 1, 0, 0), 0)
        for down in (None, network.peers[1].node):
            if down is not None:
                down.stop()
            with opened(options_of(network)) as asking:  # one that remembers no attested head
                (found,) = asking.evidence(b"gateway", [(world.lane.lane_id, 0)], place.height)
            claim = Claim(
                world.lane.lane_id, Direction.OUTBOX, event.message.nonce, event.head, place.height, place.block_hash
            )
            fabric.verify_claim(state, claim, fabric.FabricEvidence.from_bytes(found.proof), pin)
        signed = ledger.sign(world.sender, 4_242, sending, 0)
        network.peers[1].node.start()
        assert ledger.broadcast([signed.raw]) == [None]
        assert world.receipt(0, signed.transaction).success
        # Lanes of before pin two organisations, and a ledger that was registered then asks no third one.
        pinned = pins.pin_of("fabric", b"gateway", Bytes32(registered.code_hash), registered.pin)
        assert registered.options == {"attesters": "Org1MSP,Org2MSP", "threshold": "2"}
        with pytest.raises(Refused, match="no peer of a pinned organisation"):
            fabric.verify_claim(state, claim, fabric.FabricEvidence.from_bytes(found.proof), pinned)
        with opened(options_of(network, **registered.options)) as earlier:
            (found,) = earlier.evidence(b"gateway", [(world.lane.lane_id, 0)], place.height)
            fabric.verify_claim(state, claim, fabric.FabricEvidence.from_bytes(found.proof), pinned)


def test_blocks_that_are_larger_than_an_answer_come_in_smaller_ranges(world):
    for number in range(4):
        assert world.send(b"%d" % number * 8_000).success
    network, sent = world.networks[0], world.events(0, MessageSent)
    sizes = [len(block) for block in network.service.blocks]
    assert sum(sizes) > 3 * max(sizes)
    options = replace(options_of(network), max_answer_bytes=max(sizes) + 4_000)
    with opened(options) as ledger:
        assert [event for event in ledger.events(0, ledger.tip(), b"gateway") if isinstance(event, MessageSent)] == sent
    with opened(replace(options, max_answer_bytes=max(sizes) // 2)) as ledger, pytest.raises(AnswerTooLarge):
        list(ledger.events(0, ledger.tip(), b"gateway"))


def test_a_member_whose_certificate_was_revoked_sends_nothing(world):
    network, ledger = world.networks[0], world.ledgers[0]
    key = b"\x33" * 32
    ledger.endow([key])
    identity = ledger._sender(key)
    ordered = len(network.service.blocks)
    network.revoke(identity.certificate.serial_number, "Org1MSP")
    with pytest.raises(Misconfigured, match="revoked"):
        ledger.sign(key, 1, world.seal_call(b"\x01" * 32), 0)
    assert len(network.service.blocks) == ordered + 1


def test_endorsers_that_answer_differently_make_no_transaction(world):
    network, ledger = world.networks[1], world.ledgers[1]
    call = Call(b"gateway", PROPOSE, 0)
    ordered = len(network.service.blocks)
    network.peers[1].node.faults.set(wrong_answer=True)
    with pytest.raises(Rejected, match="endorse the same answer"):
        ledger.sign(OFFICERS[0], 1, call, 0)
    network.peers[1].node.faults.heal()
    network.peers[1].node.stop()
    with pytest.raises(Unreachable, match="1 of the 2 organisations"):
        ledger.sign(OFFICERS[0], 1, call, 0)
    network.peers[1].node.start()
    assert len(network.service.blocks) == ordered
    signed = eventually(lambda: ledger.sign(OFFICERS[0], 1, call, 0))
    assert ledger.broadcast([signed.raw]) == [None]
    assert world.receipt(1, signed.transaction).success


def test_a_new_definition_under_the_same_name_is_noticed(world):
    network, ledger = world.networks[0], world.ledgers[0]
    before, pin = ledger.installed(b"gateway"), pin_of(ledger)
    network.install("gateway", "2.0", network.address_of("gateway"), sequence=2)
    after = ledger.installed(b"gateway")
    assert (after.pin["version"], after.pin["definition_height"]) == ("2.0", ledger.tip())
    assert after.code_hash != before.code_hash
    assert world.send(b"under the new one").success
    event = world.events(0, MessageSent)[-1]
    place = event.position
    (found,) = ledger.evidence(b"gateway", [(world.lane.lane_id, 0)], place.height)
    claim = Claim(world.lane.lane_id, Direction.OUTBOX, event.message.nonce, event.head, place.height, place.block_hash)
    state, evidence = followed(ledger, "trade"), fabric.FabricEvidence.from_bytes(found.proof)
    with pytest.raises(Refused):
        fabric.verify_claim(state, claim, evidence, pin)
    fabric.verify_claim(state, claim, evidence, pin_of(ledger))
