"""Waits of a ledger that cannot be followed: who is named, since when, and what ends it."""

import time

import pytest

from relay.steps.trouble import STALLED_S
from tests.support.waiting_scenes import OUT, goes_on, sent, submitted, unseal


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
