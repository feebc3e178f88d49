"""A ledger without account nonces: nothing stands behind anything; what is refused for good is lost alone and made anew."""

import pytest

from adapters.memory.adapter import MemoryLedger
from adapters.protocol import MachineTraits, Rejected
from relay.store.tables import transactions
from tests.support.memory_hub import RECEIVER

OUT = ("alpha", "beta")


@pytest.fixture
def hub(hub, monkeypatch):
    """The memory ledgers count nonces; the hub is told that they do not, so that it sends one transaction of a lane at a time."""
    monkeypatch.setattr(MemoryLedger, "machine", lambda _: MachineTraits(ordered=False))
    return hub


def queue(hub, count=1):
    for number in range(count):
        hub.send(*OUT, b"message %d" % number, receiver=RECEIVER)
    hub.mine("alpha")
    hub.chain_task("alpha")
    hub.lane_task(*OUT)
    hub.attest()
    hub.lane_task(*OUT)


def states(hub):
    return [row.state for row in hub.rows(transactions)]


def end(hub):
    hub.settle_down(hurry=True)
    hub.check()


def test_everything_arrives(hub):
    queue(hub, 3)
    end(hub)
    assert hub.journey(*OUT).settled == 3


def test_one_transaction_of_a_lane_at_a_time(hub):
    queue(hub)
    assert states(hub) == ["queued"]
    queue(hub)
    assert states(hub) == ["queued"], "the second batch waits for the first"
    hub.chain_task("beta")
    hub.lane_task(*OUT)
    assert states(hub) == ["sent"]
    hub.mine("beta")
    hub.chain_task("beta")
    hub.lane_task(*OUT)
    assert states(hub)[1:] == ["queued"]
    end(hub)
    assert hub.journey(*OUT).settled == 2


def test_what_endorsers_refuse_is_reverted_and_tried_again(hub, monkeypatch):
    def refuses(*_, **__):
        raise Rejected("The endorsers refuse it.", code="reverted", reason="LanePaused()")

    queue(hub)
    monkeypatch.setattr(MemoryLedger, "sign", refuses)
    hub.chain_task("beta")
    row = hub.rows(transactions)[0]
    assert (row.state, row.reason, row.raw) == ("reverted", "LanePaused()", None)
    monkeypatch.undo()
    monkeypatch.setattr(MemoryLedger, "machine", lambda _: MachineTraits(ordered=False))
    end(hub)
    assert hub.journey(*OUT).settled == 1


def test_one_whose_time_is_over_is_lost_and_made_anew_without_fillers(hub, monkeypatch):
    def expired(_, raws):
        return [Rejected("Its time is over.", code="expired") for _ in raws]

    queue(hub)
    monkeypatch.setattr(MemoryLedger, "broadcast", expired)
    for _ in range(3):
        hub.forget_times()
        hub.chain_task("beta")
    assert "lost" in states(hub)
    monkeypatch.undo()
    monkeypatch.setattr(MemoryLedger, "machine", lambda _: MachineTraits(ordered=False))
    end(hub)
    assert hub.journey(*OUT).settled == 1
    assert {row.purpose for row in hub.rows(transactions)} <= {"deliver", "settle"}, "no filler"
