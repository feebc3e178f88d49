"""Endpoints that keep silent about events, on ledgers whose blocks prove what stands in them and not that nothing else does."""

import dataclasses

import pytest

from adapters.memory.adapter import MemoryLedger
from relay.steps import silence
from relay.store.tables import waits
from tests.support.memory_hub import RECEIVER, MemoryHub

OUT, HOME = ("alpha", "beta"), ("beta", "alpha")


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """Ledgers that prove no state, as ChainMaker, FISCO BCOS and Fabric, with three endpoints each."""
    monkeypatch.setattr("relay.observer.proves_state", lambda _: False)
    monkeypatch.setattr("relay.steps.look.ETHEREUM_FAMILIES", ())
    hub = MemoryHub(tmp_path, endpoints=3)
    yield hub
    hub.close()


@pytest.fixture
def asking(monkeypatch):
    """The counters are asked with each look; else never in these short tests but once."""
    monkeypatch.setattr("relay.steps.silence.ASK_EVERY_S", 0.0)


def withhold(hub, name, *endpoints):
    for endpoint in endpoints:
        hub.faults(name, endpoint).events_withheld = True


def one_settled(hub):
    hub.send(*OUT, b"one", receiver=RECEIVER)
    hub.settle_down()


def turns(hub, count):
    for _ in range(count):
        hub.forget_times()
        hub.mine()
        hub.turn()


def test_what_was_withheld_between_entries_is_read_again(hub, monkeypatch):
    monkeypatch.setattr("relay.steps.look.ask_counters", lambda *_: None)  # the next entry alone shows it
    one_settled(hub)
    withhold(hub, "alpha", 0, 1, 2)
    hub.send(*OUT, b"two", receiver=RECEIVER)
    turns(hub, 3)
    for endpoint in range(3):
        hub.faults("alpha", endpoint).events_withheld = False
    hub.send(*OUT, b"three", receiver=RECEIVER)
    hub.settle_down(rounds=80, hurry=True)
    hub.check()


@pytest.mark.usefixtures("asking")
@pytest.mark.parametrize(("name", "others"), [("alpha", ()), ("beta", ()), ("alpha", (1,)), ("beta", (1,))])
def test_the_last_entry_is_missed_by_the_counters(hub, name, others):
    """A message that the source's endpoints keep silent about, and an outcome at the destination."""
    one_settled(hub)
    withhold(hub, name, 0, *others)
    hub.send(*OUT, b"two", receiver=RECEIVER)
    hub.settle_down(rounds=120, hurry=True)
    hub.check()


@pytest.mark.usefixtures("asking")
def test_silence_of_every_endpoint_is_told(hub):
    one_settled(hub)
    withhold(hub, "alpha", 0, 1, 2)
    hub.send(*OUT, b"two", receiver=RECEIVER)
    said = set()
    for _ in range(12):
        turns(hub, 1)
        said |= {(row.code, "counted 2 entries" in row.text) for row in hub.rows(waits)}
    assert ("endpoint_accused", True) in said
    for endpoint in range(3):
        hub.faults("alpha", endpoint).events_withheld = False
    hub.settle_down(rounds=80, hurry=True)
    hub.check()


@pytest.mark.usefixtures("asking")
def test_a_false_counter_of_one_endpoint_is_no_matter(hub, monkeypatch):
    one_settled(hub)
    ends = MemoryLedger.lane_ends
    first = hub.urls["alpha"][0]

    def boasting(ledger, gateway, lane_id):
        said = ends(ledger, gateway, lane_id)
        return dataclasses.replace(said, sent=said.sent + 9) if ledger.endpoint == first else said

    monkeypatch.setattr(MemoryLedger, "lane_ends", boasting)
    turns(hub, 5)
    assert hub.rows(waits) == []
    hub.send(*OUT, b"two", receiver=RECEIVER)
    hub.settle_down(rounds=80, hurry=True)
    hub.check()


@pytest.mark.usefixtures("asking")
def test_who_keeps_silent_no_longer_is_not_accused(hub, monkeypatch):
    accused = []
    monkeypatch.setattr("relay.steps.look.leave_liar", lambda *given: accused.append(given))
    one_settled(hub)
    monkeypatch.setattr("relay.steps.look.ask_counters", lambda *_: None)
    withhold(hub, "alpha", 0)
    hub.send(*OUT, b"two", receiver=RECEIVER)
    turns(hub, 3)
    monkeypatch.setattr("relay.steps.look.ask_counters", silence.ask_counters)
    hub.faults("alpha", 0).events_withheld = False
    hub.settle_down(rounds=80, hurry=True)
    hub.check()
    assert accused == []
