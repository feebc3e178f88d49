"""Transactions that are dropped, forgotten, too cheap, overtaken, reverted or reorganised away: one effect each, always."""

import pytest
from sqlalchemy import update

from adapters.memory.adapter import MemoryLedger
from adapters.memory.transactions import read_transaction, sign_transaction
from adapters.protocol import Call, Delivery, MessageDelivered, Rejected
from adapters.solidity.calldata import encode_deliver
from relay import offers, submitter
from relay.attestations import claim_of
from relay.steps.entries import entries_of
from relay.steps.sides import OUT as OUTWARD
from relay.steps.signatures import committee_proofs
from relay.store.tables import claims, transactions
from relay.store.verifiers import verifier_of
from schemas.suites import EVM
from tests.support.memory_hub import RECEIVER, label_key

OUT = ("alpha", "beta")


def queue(hub, count=1):
    """Messages that are attested and queued for beta."""
    for number in range(count):
        hub.send(*OUT, b"message %d" % number, receiver=RECEIVER)
    hub.mine("alpha")
    hub.chain_task("alpha")
    hub.lane_task(*OUT)
    hub.attest()
    hub.lane_task(*OUT)


def submit(hub, count=1):
    queue(hub, count)
    hub.chain_task("beta")
    return hub.rows(transactions)[0]


def again(hub):
    hub.forget_times()
    hub.chain_task("beta")
    return hub.rows(transactions)[0]


def end(hub):
    hub.settle_down(hurry=True)
    hub.check()
    assert {row.state for row in hub.rows(transactions)} <= {"mined", "failed"}


def as_somebody(hub, data, name="beta"):
    """Another relayer sends the same call from an account of its own."""
    ledger = hub.ledgers[name]
    call = Call(ledger.gateway.address, data, 5_000_000)
    ledger.submit(sign_transaction(ledger.word, label_key("somebody"), 0, call, 10_000).raw)


@pytest.mark.parametrize("how", ["dropped", "forgotten"])
def test_the_same_bytes_are_sent_again(hub, how):
    hub.faults("beta").loses_transactions = how == "dropped"
    first = submit(hub)
    hub.ledgers["beta"].pool.clear()
    hub.faults("beta").loses_transactions = False
    second = again(hub)
    assert (second.raw, second.attempts, second.state) == (first.raw, 1, "sent")  # no block came: no attempt failed
    assert [transaction.hash for transaction in hub.ledgers["beta"].pool] == [first.hash]
    end(hub)
    assert len(hub.rows(transactions, transactions.c.purpose == "deliver")) == 1


def test_nothing_is_sent_again_before_its_time(hub):
    submit(hub)
    hub.ledgers["beta"].pool.clear()
    hub.chain_task("beta")
    assert hub.ledgers["beta"].pool == []
    end(hub)


def test_a_base_fee_that_rose_is_met_under_the_same_nonce(hub):
    first = submit(hub)
    hub.ledgers["beta"].pool.clear()
    hub.ledgers["beta"].base_fee = 50_000
    second = again(hub)
    assert int(second.fee) >= 50_000
    assert (second.account_nonce, second.earlier) == (first.account_nonce, [first.hash.hex()])
    end(hub)


def test_underpriced_is_raised_at_once(hub):
    first = submit(hub)
    refuse = Rejected("replacement transaction underpriced", code="underpriced")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MemoryLedger, "broadcast", lambda _self, raws: [refuse for _ in raws])
        refused = again(hub)
    assert refused.reason[:11] == "underpriced"
    fee = int(first.fee)
    for _ in range(submitter.OFFERS_AT_ONCE):  # a refusal that never ends costs no more than so many raises a block
        fee = fee * 5 // 4 + 1
    assert int(refused.fee) == fee
    hub.ledgers["beta"].mine()
    hub.chain_task("beta")
    raised = hub.rows(transactions)[0]
    assert raised.fee == refused.fee
    assert raised.reason == ""
    end(hub)


def test_what_stays_in_no_block_while_blocks_go_on_offers_more_but_not_without_end(hub):
    first = submit(hub)
    fees = []
    for _ in range(160):
        hub.ledgers["beta"].pool.clear()
        hub.ledgers["beta"].mine()
        fees.append(int(again(hub).fee))
    assert fees[5] == int(first.fee)
    assert fees[8] > int(first.fee)
    assert fees[-1] == fees[-9] == int(first.fee) * offers.MOST_TIMES
    end(hub)


def test_a_ledger_without_new_blocks_asks_for_no_more(hub):
    first = submit(hub)
    hub.set_chain("beta", tip_at=0)
    for _ in range(10):
        last = again(hub)
    assert (last.fee, last.raw) == (first.fee, first.raw)
    end(hub)


def test_the_replaced_transaction_may_be_the_one_that_is_mined(hub):
    first = submit(hub)
    ledger = hub.ledgers["beta"]
    ledger.pool.clear()
    ledger.base_fee = 50_000
    assert again(hub).hash != first.hash
    ledger.base_fee = 1_000
    ledger.pool[:] = [read_transaction(ledger.word, first.raw)]
    ledger.mine()
    hub.chain_task("beta")
    row = again(hub)
    assert (row.state, row.hash) == ("mined", first.hash)
    end(hub)


def test_an_account_nonce_used_from_outside_is_lost_and_the_lane_submits_again(hub):
    hub.faults("beta").loses_transactions = True
    first = submit(hub)
    hub.faults("beta").loses_transactions = False
    ledger, key = hub.ledgers["beta"], hub.context.keys.load("relayer-beta").private
    ledger.submit(sign_transaction(ledger.word, key, 0, Call(b"\x01" * 20, b"", 21_000), 10_000).raw)
    ledger.mine()
    assert again(hub).state == "lost"
    hub.lane_task(*OUT)
    hub.chain_task("beta")
    old, new = hub.rows(transactions)
    assert (old.state, new.state, new.account_nonce) == ("failed", "sent", first.account_nonce + 1)
    assert hub.code("lane", *OUT) == ""
    end(hub)


def test_another_relayer_that_delivers_the_whole_batch_first(hub):
    queue(hub, 4)
    as_somebody(hub, hub.rows(transactions)[0].data)
    hub.mine("beta")
    hub.ledgers["beta"].pool.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("relay.work.look", lambda *_: type("Found", (), {"lanes": set(), "more": False, "down": False}))
        hub.chain_task("beta")  # ours is sent before the hub sees theirs
    hub.mine("beta")
    hub.chain_task("beta")
    assert hub.journey(*OUT).delivered == 4
    assert again(hub).state == "reverted"
    hub.lane_task(*OUT)
    assert (hub.rows(transactions)[0].state, hub.code("lane", *OUT)) == ("failed", "")
    end(hub)


def test_another_relayer_that_delivers_the_first_part(hub):
    queue(hub, 5)
    with hub.context.store.read() as connection:
        (row,) = connection.execute(claims.select()).all()
        lane = hub.lane(*OUT)
        verifier = verifier_of(connection, lane, claim_of(row).direction)
        (proof,) = committee_proofs(connection, verifier, [row]).values()
        batch = entries_of(connection, lane, OUTWARD, 1, 5)
    claim = claim_of(row)
    ids = tuple(message.message_id(EVM, claim.lane_id) for message in batch[2:])
    part = Delivery(claim.lane_id, tuple(batch[:2]), ids, claim, proof)
    as_somebody(hub, encode_deliver(part.lane_id, part.messages, part.suffix_ids, claim, proof))
    hub.mine("beta")
    hub.chain_task("beta")
    assert hub.journey(*OUT).delivered == 2
    hub.mine("beta")
    hub.chain_task("beta")
    assert hub.journey(*OUT).delivered == 5
    end(hub)


def test_the_batches_behind_a_reverted_one_follow_it(make_hub):
    hub = make_hub(batch_limit=2)
    hub.ledgers["beta"].reverting = 1
    submit(hub, 6)
    assert len(hub.ledgers["beta"].pool) == 3
    hub.mine("beta")
    again(hub)
    assert {row.state for row in hub.rows(transactions)} == {"reverted"}
    end(hub)
    assert hub.journey(*OUT).executed == 6


@pytest.mark.parametrize("kept", [True, False])
def test_a_delivery_that_a_reorganisation_takes_back_happens_once(make_hub, kept):
    hub = make_hub(confirmations=3)
    hub.send(*OUT, b"x", receiver=RECEIVER)
    for _ in range(4):
        hub.mine()
    hub.chain_task("alpha")
    hub.lane_task(*OUT)
    hub.attest()
    hub.lane_task(*OUT)
    hub.chain_task("beta")
    ledger = hub.ledgers["beta"]
    for _ in range(2):
        ledger.mine()
        hub.chain_task("beta")
    assert len(hub.events("beta", hub.lane_ids[OUT], MessageDelivered)) == 1
    assert hub.journey(*OUT).delivered == 0  # not final
    taken = ledger.reorganise(2)
    assert hub.events("beta", hub.lane_ids[OUT], MessageDelivered) == []
    if kept:
        ledger.pool.extend(taken)
    end(hub)
    assert hub.journey(*OUT).executed == 1


def test_a_message_that_a_reorganisation_takes_back_is_not_carried(make_hub):
    hub = make_hub(confirmations=3)
    hub.send(*OUT, b"x", receiver=RECEIVER)
    hub.mine()
    hub.mine()
    hub.turn()
    hub.ledgers["alpha"].reorganise(2)
    for _ in range(8):
        hub.mine()
        hub.turn()
        hub.check()
    assert hub.journey(*OUT).final == 0
    hub.send(*OUT, b"y", receiver=RECEIVER)
    end(hub)
    assert hub.journey(*OUT).executed == 1


def test_a_ledger_without_fees(hub):
    hub.ledgers["beta"].base_fee = 0
    assert submit(hub).fee == "0"
    for _ in range(6):
        hub.ledgers["beta"].pool.clear()
        hub.ledgers["beta"].mine()
        assert again(hub).fee == "0"
    end(hub)


@pytest.mark.parametrize("jump", [1, 3])
def test_a_lie_about_the_account_nonce_leaves_no_gap_for_ever(hub, jump):
    hub.faults("beta").nonce_jump = jump
    assert submit(hub).account_nonce == jump
    hub.mine("beta")
    assert len(hub.ledgers["beta"].pool) == 1  # it waits for nonces that nobody has given out
    hub.faults("beta").nonce_jump = 0
    end(hub)
    assert hub.ledgers["beta"].nonce(bytes(hub.context.chain("beta").account)) > jump


def test_what_became_void_while_it_was_signed_is_not_sent_and_leaves_no_gap(hub, monkeypatch):
    queue(hub)
    sign = MemoryLedger.sign

    def void_meanwhile(self, *arguments):
        with hub.context.store.write() as connection:
            connection.execute(update(transactions).values(state="void"))
        return sign(self, *arguments)

    monkeypatch.setattr(MemoryLedger, "sign", void_meanwhile)
    hub.chain_task("beta")
    assert hub.ledgers["beta"].pool == []
    assert [(row.state, row.account_nonce) for row in hub.rows(transactions)] == [("void", None)]


def test_what_counts_as_submitted_but_is_carried_by_nothing_is_submitted_again(hub):
    submit(hub)
    hub.ledgers["beta"].pool.clear()
    with hub.context.store.write() as connection:
        connection.execute(update(transactions).values(state="mined"))  # as an endpoint could make the hub believe
    hub.lane_task(*OUT)
    assert [row.state for row in hub.rows(transactions)] == ["mined", "queued"]
    end(hub)
    assert hub.journey(*OUT).executed == 1


def test_only_so_many_are_on_their_way_at_once(make_hub, monkeypatch):
    monkeypatch.setattr(submitter, "SENT_AT_ONCE", 3)
    hub = make_hub(batch_limit=1)
    submit(hub, 8)
    hub.chain_task("beta")
    assert [row.state for row in hub.rows(transactions)] == ["sent"] * 3 + ["queued"] * 5
    end(hub)


def test_balance_and_fee_are_kept_for_the_status(hub):
    submit(hub)
    row = hub.context.chain("beta")
    assert (int(row.fee), int(row.balance) > 0, row.wallet_at > 0) == (hub.ledgers["beta"].base_fee, True, True)


def test_a_settlement_of_which_the_hub_missed_the_event_is_found_by_its_refusal(hub, monkeypatch):
    monkeypatch.setattr("relay.steps.rivals.SHORTEST_S", 0.0)  # it looks as if another relayer had settled it
    hub.send(*OUT, b"x", receiver=RECEIVER)
    hub.settle_down()
    with hub.context.store.write() as connection:  # as after a backup of an earlier moment was restored
        from relay.store.tables import lanes

        connection.execute(
            update(lanes).where(lanes.c.lane_id == bytes(hub.lane_ids[OUT])).values(settled=0, settle_submitted=0)
        )
        connection.execute(update(transactions).values(state="failed"))
    for _ in range(12):
        hub.forget_times()
        hub.mine()
        hub.turn()
    assert hub.journey(*OUT).settled == 1
    hub.check()


def test_each_endpoint_answer_that_is_no_answer_is_a_wait_not_a_crash(hub, monkeypatch):
    queue(hub)
    from adapters.protocol import Unreachable

    def down(*_):
        raise Unreachable("gone")

    monkeypatch.setattr(MemoryLedger, "wallet", down)
    hub.chain_task("beta")
    assert hub.code("chain", "beta") == "endpoint_unreachable"
    monkeypatch.undo()
    hub.context._ledgers.clear()
    end(hub)
