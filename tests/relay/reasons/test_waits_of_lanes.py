"""Waits of a lane whose entries cannot be carried, and of a ledger to which nothing can be sent."""

import time
from dataclasses import replace

import pytest
from sqlalchemy import update

from adapters.memory.gateway import Reverted
from relay.store.tables import committees, operators, transactions
from tests.support.memory_hub import RECEIVER
from tests.support.waiting_scenes import HOME, OUT, attested, goes_on, reverted, sent, submitted


class TestCarrying:
    def test_a_destination_that_is_down_is_named_and_other_lanes_go_on(self, make_hub):
        hub = make_hub(names=("alpha", "beta", "gamma"), pairs=(OUT, ("alpha", "gamma")))
        for destination in ("beta", "gamma"):
            hub.send("alpha", destination, b"x", receiver=RECEIVER)
        hub.mine()
        hub.chain_task()
        hub.faults("beta").unreachable = True
        for _ in range(8):
            hub.forget_times()
            hub.mine()
            hub.turn()
        row = hub.wait_of("lane", *OUT)
        assert (row.code, row.party) == ("destination_down", "chain beta")
        assert hub.journey("alpha", "gamma").settled == 1
        assert hub.journey(*OUT).submitted == 0
        hub.faults("beta").unreachable = False
        hub.settle_down()
        assert hub.code("lane", *OUT) == ""
        hub.check()

    def test_a_destination_that_a_new_worker_cannot_even_open(self, hub):
        attested(hub)
        hub.restart()
        hub.faults("beta").unreachable = True
        hub.lane_task(*OUT)
        assert hub.code("lane", *OUT) == "destination_down"
        hub.faults("beta").unreachable = False
        goes_on(hub)

    def test_when_the_destination_is_back_its_lanes_are_woken_at_once(self, hub):
        attested(hub)
        hub.faults("beta").unreachable = True
        hub.mine()
        hub.chain_task("beta")
        hub.lane_task(*OUT)
        assert hub.code("lane", *OUT) == "destination_down"
        hub.faults("beta").unreachable = False
        hub.wanted = []
        hub.set_chain("beta", tip=-1)
        hub.context._ledgers.clear()
        hub.chain_task("beta")
        assert ("lane", hub.lane_ids[OUT].hex()) in hub.wanted
        assert hub.code("lane", *OUT) == ""

    def test_a_reverted_delivery_says_why_waits_and_goes_on(self, hub):
        hub.ledgers["beta"].reverting = 1
        reverted(hub)
        row = hub.wait_of("lane", *OUT)
        assert (row.code, row.party) == ("transaction_reverted", "hub's owner")
        assert "deliver of 1..1 reverted on beta" in row.text
        before = len(hub.rows(transactions))
        hub.lane_task(*OUT)
        assert len(hub.rows(transactions)) == before, "nothing is sent again before its time"
        goes_on(hub)

    def test_a_paused_lane_costs_no_second_fee(self, hub):
        attested(hub)
        hub.lane_task(*OUT)
        hub.ledgers["beta"].set_lane(hub.lane_ids[OUT], paused=True)
        hub.chain_task("beta")
        hub.mine("beta")
        hub.forget_times()
        hub.chain_task("beta")
        hub.lane_task(*OUT)
        row = hub.wait_of("lane", *OUT)
        assert (row.code, row.party) == ("lane_paused", "officers")
        before = len(hub.rows(transactions))
        for attempt in range(1, 4):
            hub.forget_times()
            hub.lane_task(*OUT)
            assert hub.wait_of("lane", *OUT).attempts == attempt
        assert hub.wait_of("lane", *OUT).since == row.since
        assert len(hub.rows(transactions)) == before
        hub.ledgers["beta"].set_lane(hub.lane_ids[OUT])
        goes_on(hub)

    def test_a_lane_of_which_the_other_end_is_not_open(self, make_hub):
        hub = make_hub(pairs=(HOME,))
        hub.open(*OUT, channel="second", ends=(0,))
        reverted(hub)
        row = hub.wait_of("lane", *OUT)
        assert (row.code, row.party) == ("lane_not_open", "officers")

    def test_a_full_window_is_looked_at_when_it_opens(self, hub, monkeypatch):
        gateway = hub.ledgers["beta"].gateway
        opens = hub.ledgers["beta"].now + 30

        def deliver(frame, action):
            raise Reverted(f"WindowFull(laneId=0x00, retryAt={opens}): wait")

        honest = gateway.deliver
        monkeypatch.setattr(gateway, "deliver", deliver)
        reverted(hub)
        row = hub.wait_of("lane", *OUT)
        assert (row.code, row.party) == ("window_full", "time")
        assert row.next_at - time.time() == pytest.approx(opens - hub.now(), abs=20)
        monkeypatch.setattr(gateway, "deliver", honest)
        goes_on(hub)

    def test_a_revert_is_not_covered_by_a_later_silence(self, hub):
        hub.ledgers["beta"].set_lane(hub.lane_ids[OUT], paused=True)
        reverted(hub)
        hub.send(*OUT, b"later")
        hub.mine()
        hub.chain_task("alpha")
        hub.lane_task(*OUT)
        hub.age_claims()
        hub.lane_task(*OUT)
        assert hub.code("lane", *OUT) == "lane_paused"

    def test_no_committee(self, hub):
        with hub.context.store.write() as connection:
            connection.execute(update(committees).where(committees.c.chain == "beta").values(state="old"))
        sent(hub)
        hub.lane_task(*OUT)
        row = hub.wait_of("lane", *OUT)
        assert (row.code, row.party) == ("no_committee", "officers")
        assert "beta" in row.text
        with hub.context.store.write() as connection:
            connection.execute(update(committees).where(committees.c.chain == "beta").values(state="current"))
        hub.lane_task(*OUT)
        assert hub.code("lane", *OUT) == ""
        goes_on(hub)

    def test_a_signer_struck_out_of_a_quorum_is_replaced_by_another(self, hub):
        sent(hub)
        hub.lane_task(*OUT)
        hub.attest("one", "two")
        with hub.context.store.write() as connection:
            connection.execute(update(operators).where(operators.c.name == "one").values(state="struck"))
        hub.lane_task(*OUT)
        assert (hub.journey(*OUT).submitted, hub.rows(transactions)) == (0, [])
        hub.settle_down(operators_named=("two", "three"))
        hub.check()


class TestSending:
    def test_an_empty_wallet_parks_and_resumes(self, hub, monkeypatch):
        from adapters.memory.adapter import MemoryLedger

        wallet = MemoryLedger.wallet
        monkeypatch.setattr(MemoryLedger, "wallet", lambda self, address: replace(wallet(self, address), balance=5))
        submitted(hub)
        row = hub.wait_of("chain", "beta")
        assert (row.code, row.party) == ("wallet_empty", "wallet on beta")
        assert "holds 5" in row.text
        assert [item.state for item in hub.rows(transactions)] == ["queued"]
        monkeypatch.setattr(MemoryLedger, "wallet", wallet)
        goes_on(hub)

    def test_a_ledger_that_finds_the_wallet_empty(self, hub, monkeypatch):
        from adapters.memory.adapter import MemoryLedger
        from adapters.protocol import Rejected

        broadcast = MemoryLedger.broadcast
        monkeypatch.setattr(
            MemoryLedger,
            "broadcast",
            lambda _self, raws: [Rejected("insufficient funds", code="no_funds") for _ in raws],
        )
        submitted(hub)
        assert hub.code("chain", "beta") == "wallet_empty"
        monkeypatch.setattr(MemoryLedger, "broadcast", broadcast)
        goes_on(hub)

    def test_a_fee_above_the_ceiling(self, hub):
        hub.ledgers["beta"].fee_ceiling, hub.ledgers["beta"].base_fee = 2_000, 2_001
        submitted(hub)
        row = hub.wait_of("chain", "beta")
        assert (row.code, row.party) == ("fee_ceiling", "chain beta")
        assert "asks 2001 per gas; the ceiling is 2000" in row.text
        assert [item.state for item in hub.rows(transactions)] == ["queued"]
        hub.ledgers["beta"].base_fee = 2_000
        goes_on(hub)

    def test_a_key_that_cannot_be_read(self, hub):
        file = hub.home.keys / "relayer-beta.json"
        file.chmod(0o644)
        submitted(hub)
        row = hub.wait_of("chain", "beta")
        assert (row.code, row.party) == ("key_unreadable", "hub's owner")
        assert "chmod 600" in row.text
        file.chmod(0o600)
        goes_on(hub)

    def test_sent_and_in_no_block(self, hub):
        submitted(hub)
        for _ in range(10):
            hub.ledgers["beta"].pool.clear()
            hub.mine("beta")
            hub.chain_task("beta")
        row = hub.wait_of("chain", "beta")
        assert (row.code, row.party) == ("transaction_pending", "chain beta")
        goes_on(hub)
