"""f of 2f + 1 endpoints of a ledger lie, stall or fail, the preferred ones at that: nothing false passes and nothing is lost."""

import pytest

from relay.store.tables import endpoint_health, incidents, operators, transactions
from tests.support.lying_endpoints import COVERED, SEEN, SENDING, forged_fork, heal, spoil
from tests.support.memory_hub import RECEIVER, REVERTING

OUT, HOME = ("alpha", "beta"), ("beta", "alpha")
ALL = SEEN | COVERED | SENDING
MESSAGES = 4
CASES = [
    *((fault, 1, "beta") for fault in ALL),
    *((fault, 1, "alpha") for fault in SEEN | COVERED),
    *((fault, 2, "beta") for fault in SENDING),
]
"""Deliveries go to beta and settlements to alpha; both are read."""


def traffic(hub, count=MESSAGES):
    for number in range(count):
        hub.send(*OUT, b"out %d" % number, receiver=RECEIVER)
        hub.send(*HOME, b"home %d" % number, receiver=REVERTING)


def rounds(hub, count=20):
    """Rounds until everything is settled; in each of them nothing false is in the database."""
    for _ in range(count):
        hub.mine()
        hub.forget_times()
        hub.turn()
        hub.check()
        if all(hub.journey(*lane).in_flight == 0 and hub.caught_up(*lane) for lane in (OUT, HOME)):
            return
    raise AssertionError([hub.wait_of(*which) for which in [("chain", "alpha"), ("chain", "beta"), ("lane", *OUT)]])


def named(hub, ledger):
    return {row.url for row in hub.rows(endpoint_health, endpoint_health.c.chain == ledger)}


@pytest.mark.parametrize(("fault", "liars", "ledger"), CASES)
def test_everything_arrives_once_and_the_liars_are_named(make_hub, fault, ledger, liars):
    hub = make_hub(endpoints=2 * liars + 1)
    traffic(hub)
    rounds(hub)
    for number in range(liars):
        spoil(hub.faults(ledger, number), ALL[fault])
    traffic(hub)
    rounds(hub)
    assert [hub.journey(*lane).settled for lane in (OUT, HOME)] == [2 * MESSAGES] * 2
    assert (hub.journey(*OUT).executed, hub.journey(*HOME).failed) == (2 * MESSAGES, 2 * MESSAGES)
    assert hub.rows(incidents) == []
    assert {row.state for row in hub.rows(operators)} == {"active"}
    assert named(hub, ledger) <= {hub.urls[ledger][number] for number in range(liars)}
    if fault in SEEN:
        assert hub.urls[ledger][0] in named(hub, ledger)
    fees = {int(row.fee) for row in hub.rows(transactions) if row.state == "mined"}
    assert max(fees) <= 2 * min(fees)


@pytest.mark.parametrize("headers", [True, False], ids=["headers of strangers", "states under true headers"])
@pytest.mark.parametrize("depth", [0, 3])
@pytest.mark.parametrize("liars", [1, 2])
def test_a_forged_fork_is_neither_believed_nor_taken_for_misbehaviour(make_hub, headers, depth, liars):
    hub = make_hub(endpoints=2 * liars + 1)
    traffic(hub)
    rounds(hub)
    for number in range(liars):
        spoil(
            hub.faults("alpha", number),
            {"fork": forged_fork(hub, "alpha", depth=depth, blocks=depth + 40), "fork_headers": headers},
        )
    traffic(hub)
    rounds(hub)
    assert hub.rows(incidents) == []
    assert hub.context.chain("alpha").state == "active"
    assert hub.urls["alpha"][0] in named(hub, "alpha")


@pytest.mark.parametrize("lag", [-9, -40])
def test_an_endpoint_that_crawls_behind_is_left_and_named(make_hub, lag):
    """It never stands still, so it never seems to be stalled; and it is always late."""
    hub = make_hub(endpoints=3)
    for _ in range(50):
        hub.mine()
    hub.faults("alpha", 0).tip_jump = lag
    traffic(hub)
    rounds(hub, 12)
    (row,) = hub.rows(endpoint_health)
    assert row.url == hub.urls["alpha"][0]
    assert "others are at" in row.reason


def test_all_of_them_lie_and_the_lane_waits_and_then_goes_on(make_hub):
    hub = make_hub(endpoints=3)
    traffic(hub)
    rounds(hub)
    for number in range(3):
        hub.faults("alpha", number).events_lie = True
    traffic(hub)
    for _ in range(6):
        hub.mine()
        hub.turn()
        hub.check()
    assert hub.journey(*OUT).final == MESSAGES
    assert hub.code("chain", "alpha") == "endpoint_accused"
    assert named(hub, "alpha") == set(hub.urls["alpha"])
    for number in range(3):
        heal(hub.faults("alpha", number))
    rounds(hub)


def test_a_liar_that_stops_in_the_middle_gets_no_honest_endpoint_accused(make_hub, monkeypatch):
    """It invents messages and is busy when they are to be proved: the honest one, which proves them false, is not to blame."""
    from adapters.memory.adapter import MemoryLedger
    from adapters.protocol import Unreachable

    hub = make_hub(endpoints=3)
    liar = hub.urls["alpha"][0]
    evidence = MemoryLedger.evidence

    def busy(self, *asked):
        if self.endpoint == liar:
            raise Unreachable(f"{liar} is busy.", endpoint=liar)
        return evidence(self, *asked)

    monkeypatch.setattr(MemoryLedger, "evidence", busy)
    for count in range(1, 4):
        traffic(hub, 1)
        hub.mine()
        spoil(hub.faults("alpha", 0), {"fork": forged_fork(hub, "alpha"), "fork_headers": False})
        hub.mine()
        hub.forget_times()
        hub.chain_task("alpha")
        seats = hub.context.ledger(hub.context.chain("alpha"))._seats
        assert seats[0].failures["Contradicted"] == count
        assert [seat.failures.get("Accused") for seat in seats] == [None] * 3
        rounds(hub)
        seats[0].rests_until = 0.0  # it is asked first again
    assert hub.journey(*OUT).settled == 3
