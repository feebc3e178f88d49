"""Everything that jams a sender, one at a time: three blocks after it is gone each message has had its effect, once.

Blocks are counted, never seconds: nothing here makes a time pass. Each jam is made after three batches were attested; a block
is mined, each task runs as the watch would wake it, and so on.
"""

from dataclasses import replace

import pytest

from adapters.memory.adapter import MemoryLedger
from adapters.memory.transactions import read_transaction, sign_transaction
from adapters.protocol import Call, MessageDelivered, Rejected
from light_clients.crypto.secp256k1 import address_of
from relay import offers
from relay.steps import setback
from relay.steps.setback import WOULD_SUCCEED
from relay.store.tables import transactions, waits
from tests.support.memory_hub import RECEIVER

OUT = ("alpha", "beta")
BATCHES = 3
UNJAMMED_WITHIN = 3


class Beta:
    """The destination's ledger of a hub with three batches ready for it, a block at a time."""

    def __init__(self, hub, *, batches=BATCHES):
        self.hub, self.chain = hub, hub.ledgers["beta"]
        self.key = hub.context.keys.load("relayer-beta").private
        self.account = address_of(self.key)
        for number in range(2 * BATCHES):
            hub.send(*OUT, b"message %d" % number, receiver=RECEIVER)
        depth = hub.confirmations or 0
        self.chain.mine(1 + 2 * depth)  # the ledger is older than its depth
        hub.ledgers["alpha"].mine(1 + depth)
        hub.chain_task("alpha")
        hub.lane_task(*OUT)
        hub.attest()
        hub.lane_task(*OUT)
        assert len(hub.rows(transactions)) == batches

    def tasks(self):
        self.hub.chain_task("beta")
        self.hub.lane_task(*OUT)
        self.hub.chain_task("beta")

    def block(self, count=1):
        for _ in range(count):
            self.chain.mine()
            self.tasks()

    def rows(self):
        return self.hub.rows(transactions, transactions.c.chain == "beta")

    def delivered(self):
        return len(self.hub.events("beta", self.hub.lane_ids[OUT], MessageDelivered))

    def outside(self, nonce, fee=5_000, *, mined=True):
        """Somebody else uses the same key."""
        raw = sign_transaction(self.chain.word, self.key, nonce, Call(b"\x01" * 20, b"", 21_000), fee).raw
        self.chain.submit(raw)
        if mined:
            self.chain.mine()

    def stays_jammed(self, blocks=6):
        """As long as the cause is there nothing is delivered, however many blocks come."""
        self.block(blocks)
        assert self.delivered() == 0

    def is_unjammed(self, *, final_after=0):
        """Three blocks after the cause is gone."""
        self.block(UNJAMMED_WITHIN)
        assert self.delivered() == 2 * BATCHES
        self.hub.check()
        used = [row.account_nonce for row in self.rows() if row.account_nonce is not None]
        kept = [row.account_nonce for row in self.rows() if row.state in ("sent", "mined")]
        assert len(kept) == len(set(kept))
        self.block(offers.LATE_BLOCKS + final_after)
        assert {row.state for row in self.rows()} <= {"mined", "failed", "void"}
        assert self.chain.nonce(self.account) == max(used) + 1
        assert [item for item in self.chain.pool if item.sender == self.account] == []
        assert (self.hub.code("chain", "beta"), self.hub.code("lane", *OUT)) == ("", "")


@pytest.fixture
def beta(make_hub):
    return Beta(make_hub(batch_limit=2, pairs=[OUT]))


@pytest.fixture
def slow(make_hub):
    """The same on a ledger whose blocks are final under five others, with batches sent and in a block."""
    return Beta(make_hub(batch_limit=2, pairs=[OUT], confirmations=5))


def refusing(monkeypatch, code, text, *, only=lambda _transaction: True):
    """The pool refuses transactions; returns how to end that."""
    submit = MemoryLedger._submit

    def refuse(self, raw):
        if only(read_transaction(self.chain.word, raw)):
            return Rejected(text, code=code, reason=text)
        return submit(self, raw)

    monkeypatch.setattr(MemoryLedger, "_submit", refuse)
    return lambda: monkeypatch.setattr(MemoryLedger, "_submit", submit)


def test_dropped_by_the_pool(beta):
    beta.tasks()
    first = [row.raw for row in beta.rows()]
    beta.chain.pool.clear()
    beta.is_unjammed()
    assert [row.raw for row in beta.rows()] == first


def test_dropped_in_the_middle(beta):
    beta.tasks()
    del beta.chain.pool[1]
    beta.is_unjammed()


def test_a_pool_that_forgets_whatever_it_is_given(beta):
    beta.hub.faults("beta").loses_transactions = True
    beta.tasks()
    beta.stays_jammed()
    beta.hub.faults("beta").loses_transactions = False
    beta.is_unjammed()


def test_a_pool_that_forgets_everything_time_and_again(beta):
    beta.tasks()
    for _ in range(4):
        beta.chain.pool.clear()
        beta.block()
    beta.chain.pool.clear()
    beta.is_unjammed()


def test_underpriced(beta, monkeypatch):
    pool_asks = 20_000
    refusing(monkeypatch, "underpriced", "transaction underpriced", only=lambda item: item.fee < pool_asks // 10)
    beta.tasks()
    beta.is_unjammed()
    assert all(pool_asks // 10 <= int(row.fee) <= pool_asks // 10 * 5 // 4 + 1 for row in beta.rows())


def test_a_base_fee_fifty_times_as_high(beta):
    beta.tasks()
    beta.chain.base_fee *= 50
    beta.is_unjammed()


def test_a_base_fee_that_rises_while_the_pool_keeps_what_is_too_cheap(beta):
    beta.tasks()
    for _ in range(10):
        beta.chain.base_fee = beta.chain.base_fee * 9 // 8 + 1
        beta.block()
    beta.is_unjammed()


def test_replaced_from_outside_under_the_same_nonce(beta):
    beta.tasks()
    beta.outside(0, mined=False)
    assert beta.chain.pool[-1].fee == 5_000
    beta.chain.mine()
    beta.is_unjammed()


def test_a_nonce_used_from_outside(beta):
    beta.tasks()
    beta.chain.pool.clear()
    beta.outside(0)
    beta.is_unjammed()


def test_every_nonce_used_from_outside(beta):
    beta.tasks()
    beta.chain.pool.clear()
    for nonce in range(BATCHES):
        beta.outside(nonce)
    beta.is_unjammed()


def test_a_lost_transaction_of_no_lane_wakes_none(beta):
    keepers = {"chain": "beta", "purpose": "update", "lane_id": b"", "first": 0, "last": 0, "target": beta.account}
    keepers |= {"data": b"", "gas": 21_000, "state": "queued", "earlier": [], "created_at": 0}
    with beta.hub.context.store.write() as connection:
        connection.execute(transactions.insert().values(**keepers))
    beta.tasks()
    beta.chain.pool.clear()
    for nonce in range(BATCHES + 1):
        beta.outside(nonce)
    beta.tasks()
    assert beta.rows()[BATCHES].state == "lost"
    assert ("lane", "") not in beta.hub.wanted


def test_a_nonce_used_from_outside_before_the_first_is_sent(beta):
    beta.outside(0)
    beta.tasks()
    beta.is_unjammed()


def test_reverted_on_the_ledger_by_what_is_gone_again(beta):
    beta.chain.reverting = 1
    beta.tasks()
    beta.chain.mine()
    beta.is_unjammed()
    assert next(row.reason for row in beta.rows() if row.state == "failed") == WOULD_SUCCEED


def test_what_the_ledger_says_of_a_failure_is_told_and_no_simulation_overrules_it(beta, monkeypatch):
    monkeypatch.setattr("relay.store.waits.RETRY_TABLE_S", (0.001,))
    receipts = MemoryLedger.receipts
    monkeypatch.setattr(
        MemoryLedger,
        "receipts",
        lambda ledger, asked: [
            item and replace(item, reason="" if item.success else "POLICY: too few endorsed it")
            for item in receipts(ledger, asked)
        ],
    )
    beta.chain.reverting = 1
    beta.tasks()
    told = []
    for _block in range(3):
        beta.block()
        told += [(wait.code, wait.text) for wait in beta.hub.rows(waits, waits.c.kind == "lane")]
    assert any(code == "transaction_reverted" and "POLICY: too few endorsed it" in text for code, text in told), told
    beta.is_unjammed()


def test_what_reverts_again_although_it_would_succeed_is_not_paid_for_in_each_block(beta, monkeypatch):
    monkeypatch.setattr("relay.store.waits.RETRY_TABLE_S", (3_600.0,))
    beta.chain.reverting = 100
    beta.tasks()
    beta.block(10)
    paid = [row for row in beta.rows() if row.state == "failed"]
    assert len(paid) == 2 * BATCHES
    assert beta.hub.code("lane", *OUT) == "transaction_reverted"


def test_what_lost_a_race_on_an_optimistic_ledger_is_tried_again_soon(beta, monkeypatch):
    """There it costs no fee, and two lanes that meet in one block would meet in the next one too if both waited as long."""
    machine = MemoryLedger.machine
    monkeypatch.setattr(MemoryLedger, "machine", lambda ledger: replace(machine(ledger), optimistic=True))
    monkeypatch.setattr("relay.store.waits.RETRY_TABLE_S", (3_600.0,))
    chosen = []
    monkeypatch.setattr(setback.random, "uniform", lambda least, most: chosen.append(most) or least)
    beta.chain.reverting = 100
    beta.tasks()
    beta.block(20)
    assert len([row for row in beta.rows() if row.state == "failed"]) > 3 * BATCHES
    assert chosen[:3] == [setback.RACE_S, 2 * setback.RACE_S, 4 * setback.RACE_S]
    assert max(chosen) == setback.LONGEST_RACE_S
    (wait,) = beta.hub.rows(waits, waits.c.kind == "lane")
    assert (wait.code, wait.party) == ("transaction_reverted", "hub")
    assert "another transaction of its block came first" in wait.text
    beta.chain.reverting = 0
    beta.is_unjammed()


def test_after_a_lost_race_one_goes_after_another_and_then_more(beta, monkeypatch):
    machine = MemoryLedger.machine
    monkeypatch.setattr(MemoryLedger, "machine", lambda ledger: replace(machine(ledger), optimistic=True))
    monkeypatch.setattr(setback.random, "uniform", lambda least, _most: least)
    monkeypatch.setattr("relay.submitter.MINED_UNTIL_ONE_MORE", 1)
    beta.chain.reverting = 1
    beta.tasks()
    assert [row.state for row in beta.rows()] == ["sent"] * BATCHES, "no race was lost yet"
    at_once = []
    for _block in range(BATCHES + 1):
        beta.block()
        at_once.append([row.state for row in beta.rows()].count("sent"))
    assert at_once == [3, 1, 2, 0], "a revert is asked after a block later"
    beta.is_unjammed()


def test_an_empty_wallet_parks_with_what_is_missing_and_resumes(beta):
    beta.chain.balances[beta.account] = 5
    beta.tasks()
    beta.stays_jammed()
    assert {row.state for row in beta.rows()} == {"queued"}  # no nonce was given out
    row = beta.hub.wait_of("chain", "beta")
    needed = beta.rows()[0].gas * beta.chain.base_fee
    assert (row.code, row.party) == ("wallet_empty", "wallet on beta")
    assert (
        f"0x{beta.account.hex()} holds 5; the next transaction may cost {needed}: {needed - 5} is missing" in row.text
    )
    del beta.chain.balances[beta.account]
    beta.is_unjammed()


def test_a_wallet_that_is_emptied_while_transactions_are_on_their_way(beta):
    beta.tasks()
    beta.chain.pool.clear()
    beta.chain.balances[beta.account] = 0
    beta.stays_jammed()
    assert beta.hub.code("chain", "beta") == "wallet_empty"
    assert "is missing" in beta.hub.wait_of("chain", "beta").text
    del beta.chain.balances[beta.account]
    beta.is_unjammed()


def test_a_wallet_that_pays_for_one_at_a_time(beta):
    beta.chain.balances[beta.account] = beta.rows()[0].gas * beta.chain.base_fee * 3 // 2
    beta.tasks()
    assert [row.state for row in beta.rows()] == ["sent", "queued", "queued"]
    assert beta.hub.code("chain", "beta") == ""
    for _ in range(BATCHES):
        beta.block()
    assert beta.delivered() == 2 * BATCHES


@pytest.mark.parametrize("sent_before", [False, True])
def test_a_fee_above_the_ceiling_parks_and_is_never_paid(beta, sent_before):
    beta.chain.fee_ceiling = 3_000
    if sent_before:
        beta.tasks()
    beta.chain.base_fee = 3_001
    beta.tasks()
    beta.stays_jammed()
    row = beta.hub.wait_of("chain", "beta")
    assert (row.code, row.party) == ("fee_ceiling", "chain beta")
    assert all(int(row.fee) <= 3_000 for row in beta.rows())
    beta.chain.base_fee = 3_000
    beta.is_unjammed()
    assert all(int(row.fee) <= 3_000 for row in beta.rows())


def test_a_node_that_takes_nothing_so_dear_is_offered_no_more_than_a_block_needs(beta, monkeypatch):
    beta.chain.base_fee = 2_000
    wallet = MemoryLedger.wallet

    def doubled(self, address):
        found = wallet(self, address)
        return replace(found, fee=found.fee * 2)

    monkeypatch.setattr(MemoryLedger, "wallet", doubled)
    refusing(
        monkeypatch, "too_dear", "tx fee (1.41 ether) exceeds the configured cap", only=lambda item: item.fee > 3_000
    )
    beta.tasks()
    beta.is_unjammed()
    assert {int(row.fee) for row in beta.rows()} == {2_500}


def test_a_node_whose_limit_is_below_what_a_block_needs(beta, monkeypatch):
    end = refusing(monkeypatch, "too_dear", "tx fee (1.41 ether) exceeds the configured cap")
    beta.tasks()
    beta.stays_jammed()
    row = beta.hub.wait_of("chain", "beta")
    assert row.code == "fee_ceiling"
    assert "exceeds the configured cap" in row.text
    end()
    beta.is_unjammed()


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("pool_full", "txpool is full"),
        ("not_ready", "Initial sync is still in progress"),
        ("nonce_too_high", "future transaction tries to replace pending"),
        ("other", "Sender account not authorized to send transactions"),
        ("too_large", "oversized data: transaction size 140000, limit 131072"),
    ],
)
def test_a_pool_that_refuses_everything_for_a_while(beta, monkeypatch, code, text):
    end = refusing(monkeypatch, code, text)
    beta.tasks()
    beta.stays_jammed()
    end()
    beta.hub.forget_times()  # a lane whose batch was refused for what it is looks again when its wait is due
    beta.is_unjammed()


def test_a_pool_that_takes_smaller_transactions_than_others(make_hub, monkeypatch):
    """As GoQuorum's, which takes 64 KiB unless its genesis says more: what is too large for it goes in parts."""
    beta = Beta(make_hub(batch_limit=2 * BATCHES, pairs=[OUT]), batches=1)
    limit = len(beta.rows()[0].data) * 2 // 3
    text = f"oversized data: transaction size 140000, limit {limit}"
    refusing(monkeypatch, "too_large", text, only=lambda item: len(item.call.data) > limit)
    beta.tasks()
    for _ in range(12):
        beta.hub.forget_times()
        beta.block()
    assert beta.delivered() == 2 * BATCHES
    beta.hub.check()
    assert [row.purpose for row in beta.rows()] == ["nothing", "deliver", "deliver"]
    assert [(row.first, row.last) for row in beta.rows()] == [(1, 6), (1, 3), (4, 6)]


def test_a_pool_with_room_for_one(beta):
    beta.chain.pool_limit = 1
    beta.tasks()
    beta.block(BATCHES)
    beta.chain.pool_limit = None
    beta.is_unjammed()


def test_a_ledger_without_a_base_fee(beta, monkeypatch):
    beta.chain.base_fee = 0
    beta.tasks()
    beta.chain.pool.clear()
    beta.is_unjammed()
    assert {row.fee for row in beta.rows()} == {"0"}


def test_receipts_that_a_reorganisation_takes_back(slow):
    slow.tasks()
    slow.block(2)
    assert slow.delivered() == 2 * BATCHES
    slow.chain.reorganise(2)
    assert slow.delivered() == 0
    slow.is_unjammed(final_after=5)


def test_receipts_that_a_longer_branch_takes_back(slow):
    slow.tasks()
    slow.block(2)
    slow.chain.reorganise(2)
    slow.chain.mine(4)
    slow.is_unjammed(final_after=5)


def test_a_nonce_that_was_used_from_outside_and_came_free_again(slow):
    slow.tasks()
    del slow.chain.pool[1:]
    slow.outside(1)
    slow.block(2)
    assert [row.state for row in slow.rows()][:3] == ["sent", "failed", "sent"]
    slow.chain.reorganise(3)
    slow.chain.pool.clear()
    slow.chain.mine(4)
    slow.is_unjammed(final_after=5)
    assert [row.account_nonce for row in slow.rows() if row.purpose == "nothing"] == [1]
