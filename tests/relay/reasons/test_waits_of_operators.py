"""Waits for operators, and the table of waits: who is named, since when, and when it is looked at again."""

import time

import pytest
from sqlalchemy import update

from relay.store import waits
from relay.store.tables import committees, operators
from relay.store.waits import RETRY_TABLE_S, Reason, backoff_s
from tests.support.waiting_scenes import OUT, goes_on, sent, submitted


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
