"""Every reason to wait, brought about for real: who is named, since when, when it is looked at again, and what ends it."""

import time
from dataclasses import replace

import pytest
from sqlalchemy import update

from adapters.memory.gateway import Reverted
from relay.steps.trouble import STALLED_S
from relay.store import waits
from relay.store.tables import committees, operators, transactions
from relay.store.waits import RETRY_TABLE_S, Reason, backoff_s
from tests.support.memory_hub import RECEIVER

OUT, HOME = ("alpha", "beta"), ("beta", "alpha")


def sent(hub, count=1):
    for number in range(count):
        hub.send(*OUT, b"message %d" % number, receiver=RECEIVER)
    hub.mine()
    hub.chain_task()


def attested(hub, count=1):
    sent(hub, count)
    hub.lane_task(*OUT)
    hub.attest()


def submitted(hub, count=1):
    attested(hub, count)
    hub.lane_task(*OUT)
    hub.chain_task("beta")


def reverted(hub):
    """A delivery that reverted, and was seen to have."""
    submitted(hub)
    hub.mine()
    hub.forget_times()
    hub.chain_task("beta")
    hub.lane_task(*OUT)


def goes_on(hub):
    hub.settle_down(hurry=True)
    hub.check()
    assert [hub.code(kind, *lane) for kind in ("lane", "back") for lane in hub.lane_ids] == [""] * 4
    assert [hub.code("chain", name) for name in hub.names] == ["", ""]


class TestOperatorsSilent:
    def test_names_those_who_did_not_sign_and_ends_with_the_quorum(self, hub):
        sent(hub)
        hub.lane_task(*OUT)
        hub.attest("two")
        hub.lane_task(*OUT)
        assert hub.code("lane", *OUT) == ""  # not yet silent for long
        hub.age_claims()
        hub.lane_task(*OUT)
        row = hub.wait_of("lane", *OUT)
        assert (row.code, row.party) == ("operators_silent", "operators one, three")
        assert "direction 0" in row.text
        hub.attest("three")
        hub.lane_task(*OUT)
        assert hub.code("lane", *OUT) == ""
        goes_on(hub)

    def test_the_way_back_waits_on_its_own(self, hub):
        submitted(hub)
        hub.mine()
        hub.chain_task("beta")
        hub.lane_task(*OUT)
        hub.age_claims()
        hub.lane_task(*OUT)
        assert hub.wait_of("back", *OUT).party == "operators one, three, two"
        assert hub.code("lane", *OUT) == ""
        goes_on(hub)

    def test_an_operator_outside_the_committee_or_struck_is_not_named(self, hub):
        sent(hub)
        hub.lane_task(*OUT)
        with hub.context.store.write() as connection:
            connection.execute(update(operators).where(operators.c.name == "one").values(state="struck"))
            members = [row.signer for row in connection.execute(operators.select().where(operators.c.name != "two"))]
            connection.execute(update(committees).values(signers=["0x" + signer.hex() for signer in members]))
        hub.age_claims()
        hub.lane_task(*OUT)
        assert hub.wait_of("lane", *OUT).party == "operators three"

    def test_since_is_kept_and_attempts_are_counted_while_it_lasts(self, hub):
        sent(hub)
        hub.lane_task(*OUT)
        hub.age_claims()
        hub.lane_task(*OUT)
        first = hub.wait_of("lane", *OUT)
        hub.lane_task(*OUT)
        again = hub.wait_of("lane", *OUT)
        assert (again.since, again.attempts) == (first.since, first.attempts + 1)
        assert again.next_at >= first.next_at


class TestTable:
    def test_the_next_look_follows_the_table(self, hub):
        store, looks = hub.context.store, []
        for _ in range(7):
            before = time.time()
            with store.write() as connection:
                waits.wait(connection, "lane", "x", Reason.TRANSACTION_REVERTED, party="p", text="t")
                looks.append(round(waits.find(connection, "lane", "x").next_at - before))
        assert looks == [5, 10, 30, 60, 180, 180, 180]
        assert [backoff_s(attempt) for attempt in (0, 4, 99)] == [RETRY_TABLE_S[0], RETRY_TABLE_S[4], RETRY_TABLE_S[4]]

    def test_another_reason_begins_anew(self, hub):
        with hub.context.store.write() as connection:
            for reason in (Reason.WINDOW_FULL, Reason.WINDOW_FULL, Reason.LANE_PAUSED):
                waits.wait(connection, "lane", "x", reason, party="p", text="t")
            assert waits.find(connection, "lane", "x").attempts == 0

    def test_a_better_time_is_taken_and_due_finds_what_is_due(self, hub):
        now = time.time()
        with hub.context.store.write() as connection:
            waits.wait(connection, "lane", "x", Reason.WINDOW_FULL, party="p", text="t", again_s=77)
            assert waits.find(connection, "lane", "x").next_at == pytest.approx(now + 77, abs=60)
            assert waits.due(connection, now + 10) == []
            assert [row.id for row in waits.due(connection, now + 1000)] == ["x"]

    def test_only_the_named_reasons_end(self, hub):
        with hub.context.store.write() as connection:
            waits.wait(connection, "lane", "x", Reason.WINDOW_FULL, party="p", text="t")
            assert not waits.clear_if(connection, "lane", "x", (Reason.LANE_PAUSED,))
            assert waits.find(connection, "lane", "x") is not None
            assert waits.clear_if(connection, "lane", "x", (Reason.WINDOW_FULL,))
            assert waits.find(connection, "lane", "x") is None


class TestLedger:
    @pytest.mark.parametrize(
        ("fault", "code"), [("unreachable", "endpoint_unreachable"), ("truncated", "endpoint_bad_answer")]
    )
    def test_an_endpoint_that_fails(self, hub, fault, code):
        hub.send(*OUT, b"x")
        hub.mine()
        setattr(hub.faults("alpha"), fault, True)
        hub.chain_task("alpha")
        first = hub.wait_of("chain", "alpha")
        assert (first.code, first.party) == (code, "chain alpha")
        hub.chain_task("alpha")
        assert hub.wait_of("chain", "alpha").since == first.since
        assert hub.journey(*OUT).final == 0
        setattr(hub.faults("alpha"), fault, False)
        goes_on(hub)

    def test_an_endpoint_that_lies_is_accused_by_name(self, hub):
        hub.faults("alpha").events_lie = True
        sent(hub)
        row = hub.wait_of("chain", "alpha")
        assert row.code == "endpoint_accused"
        assert hub.urls["alpha"][0] in row.text
        assert "EventDoesNotFold" in row.text
        assert hub.journey(*OUT).final == 0
        assert hub.context.chain("alpha").accused_at > 0
        hub.faults("alpha").events_lie = False
        goes_on(hub)

    def test_a_refused_header_where_nobody_else_is_asked(self, hub):
        hub.mine("alpha")
        unseal(hub, "alpha")
        hub.chain_task("alpha")
        row = hub.wait_of("chain", "alpha")
        assert (row.code, row.party) == ("header_refused", "officers")
        assert "ValidatorsUnexpected" in row.text
        assert hub.context.chain("alpha").client_height == 0

    def test_a_state_that_is_not_there(self, hub):
        sent(hub)
        hub.lane_task(*OUT)
        hub.mine("alpha")
        hub.chain_task("alpha")
        for _ in range(70):
            hub.mine("alpha")
        ledger = hub.context.ledger(hub.context.chain("alpha"))
        from adapters.protocol import Rejected

        def pruned(*_):
            raise Rejected("missing trie node", code="no_state")

        honest, ledger.evidence = ledger.evidence, pruned
        hub.chain_task("alpha")
        assert hub.code("chain", "alpha") == "header_not_there"
        ledger.evidence = honest
        hub.chain_task("alpha")
        assert hub.code("chain", "alpha") == ""

    def test_a_client_beyond_its_trusting_period(self, hub):
        hub.mine()
        hub.clock_offset_s = 400 * 24 * 3600
        hub.chain_task("alpha")
        assert hub.code("chain", "alpha") == "client_expired"
        hub.clock_offset_s = 0
        hub.chain_task("alpha")
        assert hub.code("chain", "alpha") == ""

    @pytest.mark.parametrize("where", ["tip", "open"])
    def test_a_certificate_that_does_not_serve_goes_on_by_itself_once_replaced(self, hub, monkeypatch, where):
        from adapters.memory.adapter import MemoryLedger
        from adapters.protocol import MemberRefused

        def refused(*_, **__):
            raise MemberRefused("The certificate member.pem was revoked by OrgOne; ask it for another.")

        hub.send(*OUT, b"x")
        hub.mine()
        if where == "tip":
            monkeypatch.setattr(MemoryLedger, "tip", refused)
        else:
            monkeypatch.setattr("relay.context.open_ledger", refused)
            hub.context._ledgers.clear()
        hub.chain_task("alpha")
        row = hub.wait_of("chain", "alpha")
        assert (row.code, row.party) == ("member_refused", "hub's owner")
        assert "member.pem was revoked by OrgOne" in row.text
        monkeypatch.undo()
        hub.chain_task("alpha")
        assert (hub.code("chain", "alpha"), hub.journey(*OUT).final) == ("", 1)
        goes_on(hub)

    def test_a_destination_that_refuses_our_certificate(self, hub, monkeypatch):
        from adapters.memory.adapter import MemoryLedger
        from adapters.protocol import MemberRefused

        def refused(*_, **__):
            raise MemberRefused("The certificate relayer.pem ended; put a renewed one in its place.")

        monkeypatch.setattr(MemoryLedger, "broadcast", refused)
        submitted(hub)
        row = hub.wait_of("chain", "beta")
        assert (row.code, row.party) == ("member_refused", "hub's owner")
        assert "relayer.pem ended" in row.text
        monkeypatch.undo()
        goes_on(hub)

    def test_a_light_client_that_cannot_work_as_it_was_told(self, hub):
        hub.set_chain("alpha", gateway_pin={"version": 7})
        hub.chain_task("alpha")
        row = hub.wait_of("chain", "alpha")
        assert (row.code, row.party) == ("client_misconfigured", "hub's owner")
        hub.set_chain("alpha", gateway_pin=None)
        hub.chain_task("alpha")
        assert hub.code("chain", "alpha") == ""

    def test_a_sealed_header_ahead_of_this_clock(self, hub):
        hub.chain_task()
        hub.clock_offset_s = -1000
        hub.mine()
        hub.chain_task("alpha")
        row = hub.wait_of("chain", "alpha")
        assert (row.code, row.party) == ("clock_ahead", "this machine's clock")
        hub.clock_offset_s = 0
        hub.chain_task("alpha")
        assert hub.code("chain", "alpha") == ""

    def test_a_false_header_ahead_of_this_clock_blames_its_endpoint(self, hub):
        hub.chain_task()
        hub.clock_offset_s = -1000
        hub.mine()
        unseal(hub, "alpha")
        hub.chain_task("alpha")
        assert hub.code("chain", "alpha") == "header_refused"

    def test_no_new_block_for_long(self, hub):
        hub.mine()
        hub.chain_task()
        hub.set_chain("alpha", tip_at=time.time() - STALLED_S / 2)
        hub.chain_task("alpha")
        assert hub.code("chain", "alpha") == ""
        hub.set_chain("alpha", tip_at=time.time() - STALLED_S - 1)
        hub.chain_task("alpha")
        first = hub.wait_of("chain", "alpha")
        assert (first.code, first.party) == ("chain_stalled", "chain alpha")
        hub.chain_task("alpha")
        assert hub.wait_of("chain", "alpha").since == first.since
        hub.mine("alpha")
        hub.chain_task("alpha")
        assert hub.code("chain", "alpha") == ""

    def test_a_stalled_endpoint_is_left_for_one_that_goes_on(self, make_hub):
        hub = make_hub(endpoints=2)
        hub.mine()
        hub.chain_task()
        hub.faults("alpha", 0).stalled_at = 3
        hub.mine("alpha")
        sent(hub)
        assert hub.journey(*OUT).final == 0
        hub.set_chain("alpha", tip_at=time.time() - STALLED_S - 1)
        hub.chain_task("alpha")
        assert "another endpoint is asked" in hub.wait_of("chain", "alpha").text
        hub.chain_task("alpha")
        assert (hub.journey(*OUT).final, hub.code("chain", "alpha")) == (1, "")


def unseal(hub, name):
    """Serve the newest block as one validator alone would seal it."""
    from adapters.memory.headers import make_header

    ledger = hub.ledgers[name]
    block = ledger.blocks[-1]
    full = make_header(block.content, ledger.validator_keys[:1])
    ledger.blocks[-1] = replace(block, header=full)


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


def test_every_reason_is_brought_about_by_one_of_these_tests():
    from pathlib import Path

    here = Path(__file__)
    attacks = here.parents[2] / "attacks" / "test_silent_ledgers.py"
    kept = here.parents[2] / "live" / "test_kept_light_clients.py"
    rivals = attacks.with_name("test_rival_relayers.py")
    text = "".join(
        path.read_text()
        for path in (
            here,
            here.with_name("test_freeze.py"),
            here.with_name("test_lane_kinds.py"),
            attacks,
            kept,
            rivals,
        )
    )
    assert [reason for reason in Reason if f'"{reason}"' not in text] == []
