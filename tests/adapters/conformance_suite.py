"""What every adapter must do, whatever its ledger: one class, run by a subclass with a fixture `world` (a `LaneWorld`).

The tests of a class share the world and run in the order of the file: a message goes its whole way.
"""

import hashlib
from dataclasses import replace

import pytest

from adapters.protocol import AdapterError, Call, HeadMoved, LaneOpened, MessageDelivered, MessageSent, Rejected
from light_clients.crypto.secp256k1 import address_of
from schemas.heads import fold_all, outbox_genesis, outcomes_genesis
from schemas.outcome import Status

PAYLOADS = ("hello", "你好,世界 🌏", "三")


class LedgerConformance:
    """A ledger as the hub sees it through Reader, Prover and Writer."""

    development = True
    """Whether the ledgers' software is made for development only."""

    def test_a_ledger_says_what_it_is_and_says_it_again(self, world):
        for ledger, word in zip(world.ledgers, world.words, strict=True):
            identity = ledger.identity()
            assert identity == ledger.identity()
            assert identity.word == word
            assert identity.development is self.development
        assert world.words[0] != world.words[1]

    def test_a_lane_was_opened_with_every_preimage_of_its_id(self, world):
        for end in (0, 1):
            (opened,) = world.events(end, LaneOpened)
            lane = replace(
                world.lane,
                hub=opened.hub,
                source=opened.source,
                source_gateway=opened.source_gateway,
                destination=opened.destination,
                destination_gateway=opened.destination_gateway,
                channel=opened.channel,
            )
            assert (lane.lane_id, opened.lane_id, opened.end) == (world.lane.lane_id, world.lane.lane_id, end)
            assert opened.verifier == world.verifiers[end]
            assert opened.peer_code_hash == world.code_hash(1 - end)

    def test_what_is_sent_comes_as_events_that_fold_to_the_head(self, world):
        receivers = (world.receiver, world.reverting, b"\x01" * 20)
        for payload, receiver in zip(PAYLOADS, receivers, strict=True):
            receipt = world.send(payload.encode(), receiver=receiver)
            assert receipt.success
            assert receipt.height == world.ledgers[0].tip()
            assert receipt.gas_used > 0
        sent = world.events(0, MessageSent)
        assert [event.message.payload.decode() for event in sent] == list(PAYLOADS)
        assert [event.message.nonce for event in sent] == [1, 2, 3]
        suite, lane_id = world.lane.suite, world.lane.lane_id
        ids = [event.message.message_id(suite, lane_id) for event in sent]
        assert ids == [event.message_id for event in sent]
        assert sent[-1].head == fold_all(suite, outbox_genesis(lane_id), ids)
        assert all(event.message.sender == address_of(world.sender) for event in sent)

    def test_events_stand_in_ledger_order_with_place_and_time(self, world):
        found = world.ledgers[0].events(0, world.ledgers[0].tip(), world.gateways[0])
        places = [(event.position.height, event.position.index) for event in found]
        assert places == sorted(set(places))
        assert all(event.position.timestamp > 0 for event in found)
        last = found[-1].position
        again = world.ledgers[0].events(last.height, last.height, world.gateways[0])
        assert again == [event for event in found if event.position.height == last.height]
        assert world.ledgers[0].events(0, last.height, b"\x05" * 20) == []

    def test_headers_are_linked_and_name_their_heights(self, world):
        tip = world.ledgers[0].tip()
        headers = world.ledgers[0].headers(tip - 2, tip)
        assert len(headers) == 3
        assert headers == [world.ledgers[0].headers(height, height)[0] for height in range(tip - 2, tip + 1)]
        assert len({hashlib.sha256(header).digest() for header in headers}) == 3

    def test_a_block_that_is_not_there_is_no_answer(self, world):
        tip = world.ledgers[0].tip()
        with pytest.raises(AdapterError):
            world.ledgers[0].headers(tip + 1, tip + 1)
        with pytest.raises(AdapterError):
            world.ledgers[0].events(tip, tip + 5, world.gateways[0])
        with pytest.raises(AdapterError):
            world.ledgers[0].evidence(world.gateways[0], [(world.lane.lane_id, 0)], tip + 1)

    def test_a_delivery_is_refused_in_words_and_then_taken(self, world):
        sent = world.events(0, MessageSent)
        action = world.delivery(sent)
        relayer, ledger = address_of(world.relayer), world.ledgers[1]
        for forged, reason in [
            (replace(action, messages=action.messages[:2]), "HeadMismatch"),
            (replace(action, messages=action.messages[1:]), "NonceGap"),
            (replace(action, claim=replace(action.claim, height=action.claim.height + 1)), "SignatureOfAnother"),
            (replace(action, proof=world.proof(action.claim, operators=(2,))), "QuorumTooSmall"),
        ]:
            with pytest.raises(Rejected) as caught:
                ledger.simulate(relayer, ledger.call_for(world.gateways[1], forged))
            assert caught.value.code == "reverted"
            assert caught.value.reason.startswith(reason)
        call = ledger.call_for(world.gateways[1], action)
        ledger.simulate(relayer, call)
        receipt = world.transact(1, world.relayer, call)
        assert receipt.success
        assert receipt.gas_used <= call.gas

    def test_outcomes_come_in_order_and_fold_to_the_head_that_moved(self, world):
        delivered = world.events(1, MessageDelivered)
        assert [event.status for event in delivered] == [Status.EXECUTED, Status.FAILED, Status.REFUSED]
        heads = {event.direction: event for event in world.events(1, HeadMoved)}
        assert set(heads) == {1, 2}
        assert heads[2].head == world.events(0, MessageSent)[-1].head
        suite, lane_id = world.lane.suite, world.lane.lane_id
        sent = world.events(0, MessageSent)
        settled = world.settlement(sent, delivered, heads[1].head).settled
        ids = [entry.outcome_id(suite, lane_id) for entry in settled]
        assert heads[1].head == fold_all(suite, outcomes_genesis(suite, lane_id), ids)
        assert [event.nonce for event in delivered] == [1, 2, 3]

    def test_the_same_delivery_has_no_second_effect(self, world):
        call = world.ledgers[1].call_for(world.gateways[1], world.delivery(world.events(0, MessageSent)))
        with pytest.raises(Rejected) as caught:
            world.ledgers[1].simulate(address_of(world.relayer), call)
        assert caught.value.reason.startswith("NothingNew")
        assert not world.transact(1, world.relayer, call).success
        assert len(world.events(1, MessageDelivered)) == 3

    def test_the_outcomes_come_home(self, world):
        head = next(event for event in world.events(1, HeadMoved) if event.direction == 1).head
        action = world.settlement(world.events(0, MessageSent), world.events(1, MessageDelivered), head)
        assert world.settle(action).success
        (settled,) = world.events(0, HeadMoved)
        assert (settled.direction, settled.nonce, settled.head) == (3, 3, head)

    def test_the_gateways_count_the_same(self, world):
        source, destination = (world.ledgers[end].lane_ends(world.gateways[end], world.lane.lane_id) for end in (0, 1))
        assert (source.sent, source.settled, destination.delivered) == (3, 3, 3)
        assert not any((source.paused, source.closed, destination.paused, destination.closed))

    def test_an_unknown_lane_or_gateway_is_rejected(self, world):
        with pytest.raises(Rejected):
            world.ledgers[0].lane_ends(world.gateways[0], type(world.lane.lane_id)(b"\x07" * 32))
        with pytest.raises(Rejected):
            world.ledgers[0].lane_ends(b"\x07" * 20, world.lane.lane_id)

    def test_evidence_comes_for_each_question_in_order(self, world):
        ledger, tip = world.ledgers[0], world.ledgers[0].tip()
        other = type(world.lane.lane_id)(b"\x07" * 32)
        asked = [(world.lane.lane_id, 0), (other, 0), (world.lane.lane_id, 1)]
        found = ledger.evidence(world.gateways[0], asked, tip)
        assert len({item.header for item in found}) == 1
        assert found[0].header == ledger.headers(tip, tip)[0]
        alone = [ledger.evidence(world.gateways[0], [question], tip)[0] for question in asked]
        assert found == alone
        assert found[0].account_proof
        assert found[0].storage_proof

    def test_a_pool_knows_what_it_has_and_counts_it(self, world):
        ledger, sender = world.ledgers[0], address_of(world.sender)
        before = ledger.wallet(sender)
        calls = [world.send_call(b"one"), world.send_call(b"two")]
        signed = [ledger.sign(world.sender, before.nonce + place, call, before.fee) for place, call in enumerate(calls)]
        raws = [item.raw for item in signed]
        assert ledger.broadcast(raws) == [None, None]
        assert ledger.broadcast(raws) == [None, None]
        assert ledger.receipts([item.transaction for item in signed]) == [None, None]
        waiting = ledger.wallet(sender)
        assert (waiting.nonce, waiting.pending_nonce) == (before.nonce, before.nonce + 2)
        world.mine(0)
        receipts = ledger.receipts([item.transaction for item in reversed(signed)])
        assert [receipt.transaction for receipt in receipts] == [item.transaction for item in reversed(signed)]
        assert all(receipt.success for receipt in receipts)
        assert ledger.wallet(sender).nonce == before.nonce + 2
        stale = ledger.sign(world.sender, before.nonce, world.send_call(b"stale"), before.fee)
        assert [refusal.code for refusal in ledger.broadcast([stale.raw])] == ["nonce_too_low"]
        assert ledger.receipts([b"\x09" * 32]) == [None]

    def test_a_transaction_that_reverts_says_so_in_its_receipt(self, world):
        call = Call(world.gateways[0], b"\x01\x02\x03\x04", 200_000)
        receipt = world.transact(0, world.sender, call)
        assert not receipt.success
        assert receipt.contract == b""

    def test_a_signature_depends_on_every_field(self, world):
        ledger, call = world.ledgers[0], world.send_call(b"x")
        signed = [
            ledger.sign(world.sender, 900, call, 7),
            ledger.sign(world.sender, 901, call, 7),
            ledger.sign(world.sender, 900, call, 8),
            ledger.sign(world.sender, 900, replace(call, gas=call.gas + 1), 7),
            ledger.sign(world.relayer, 900, call, 7),
            world.ledgers[1].sign(world.sender, 900, call, 7),
        ]
        assert len({item.transaction for item in signed}) == len({item.raw for item in signed}) == 6
        assert [item.fee for item in signed] == [7, 7, 8, 7, 7, 7]
