"""The sweep finds what was forgotten; a ledger's watch wakes its task at each new block, and survives its endpoint."""

import importlib
import sys
import time

import pytest
from sqlalchemy import update

import relay
from relay.config import HubConfig
from relay.home import Home
from relay.store import waits
from relay.store.tables import lanes
from relay.store.waits import Reason
from tests.support.memory_hub import RECEIVER

OUT, HOME = ("alpha", "beta"), ("beta", "alpha")


LOADED = ("watch", "tasks", "app")


@pytest.fixture(scope="module")
def watch(tmp_path_factory):
    """The module; its Celery application reads a hub's home when it is loaded, and is forgotten afterwards."""
    home = Home(tmp_path_factory.mktemp("home") / "hub")
    home.save(HubConfig(name="hub"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RELAYHUB_HOME", str(home.folder))
        yield importlib.import_module("relay.watch")
    for name in LOADED:
        sys.modules.pop(f"relay.{name}", None)
        vars(relay).pop(name, None)


@pytest.fixture
def woken(watch, monkeypatch):
    found = []
    monkeypatch.setattr(watch, "wake", lambda kind, identifier: found.append((kind, identifier)))
    return found


@pytest.fixture
def quiet(hub):
    """A hub with nothing to do."""
    hub.mine()
    hub.chain_task()
    for name in hub.names:
        hub.set_chain(name, tip_at=time.time())
    return hub


def test_nothing_to_do_wakes_nobody(watch, quiet, woken):
    assert (watch.sweep(quiet.context), woken) == (0, [])


@pytest.mark.parametrize(
    "values",
    [{"tip": 99}, {"observed_height": 0}, {"tip_at": 0}],
    ids=["behind_the_tip", "events_not_read", "long_quiet"],
)
def test_a_ledger_that_is_behind_is_woken(watch, quiet, woken, values):
    quiet.set_chain("beta", **values)
    watch.sweep(quiet.context)
    assert woken == [("chain", "beta")]


def test_a_frozen_ledger_is_not_woken(watch, quiet, woken):
    quiet.set_chain("beta", tip=99, state="frozen")
    watch.sweep(quiet.context)
    assert woken == []


@pytest.mark.parametrize("state", ["queued", "sent"])
def test_a_ledger_with_transactions_on_their_way_is_woken(watch, quiet, woken, state):
    quiet.send(*OUT, b"x", receiver=RECEIVER)
    quiet.mine()
    quiet.chain_task()
    quiet.lane_task(*OUT)
    quiet.attest()
    quiet.lane_task(*OUT)
    if state == "sent":
        quiet.chain_task("beta")
    watch.sweep(quiet.context)
    assert ("chain", "beta") in woken
    assert ("lane", quiet.lane_ids[OUT].hex()) in woken
    assert ("lane", quiet.lane_ids[HOME].hex()) not in woken


@pytest.mark.parametrize(
    "counters",
    [
        {"final": 2, "claimed": 1, "submitted": 2, "delivered": 2, "outcome_claimed": 2, "settle_submitted": 2},
        {"final": 2, "claimed": 2, "submitted": 1, "delivered": 2, "outcome_claimed": 2, "settle_submitted": 2},
        {"final": 2, "claimed": 2, "submitted": 2, "delivered": 1, "outcome_claimed": 2, "settle_submitted": 2},
        {"final": 2, "claimed": 2, "submitted": 2, "delivered": 2, "outcome_claimed": 1, "settle_submitted": 2},
        {"final": 2, "claimed": 2, "submitted": 2, "delivered": 2, "outcome_claimed": 2, "settle_submitted": 1},
    ],
)
def test_a_lane_with_an_unfinished_stage_is_woken(watch, quiet, woken, counters):
    with quiet.context.store.write() as connection:
        mine = lanes.c.lane_id == bytes(quiet.lane_ids[OUT])
        connection.execute(update(lanes).where(mine).values(settled=2, **counters))
    watch.sweep(quiet.context)
    assert woken == [("lane", quiet.lane_ids[OUT].hex())]


def test_a_delivered_lane_that_is_not_settled_is_woken_unless_it_is_frozen(watch, quiet, woken):
    names = ("final", "claimed", "submitted", "delivered", "outcome_claimed", "settle_submitted")
    with quiet.context.store.write() as connection:
        connection.execute(update(lanes).values(settled=1, **dict.fromkeys(names, 2)))
        connection.execute(update(lanes).where(lanes.c.lane_id == bytes(quiet.lane_ids[HOME])).values(state="frozen"))
    watch.sweep(quiet.context)
    assert woken == [("lane", quiet.lane_ids[OUT].hex())]


def test_what_is_due_is_woken_once_and_what_is_not_due_waits(watch, quiet, woken):
    lane = quiet.lane_ids[OUT].hex()
    with quiet.context.store.write() as connection:
        for kind, identifier, again_s in [("lane", lane, 0.001), ("back", lane, 0.001), ("chain", "beta", 500)]:
            waits.wait(connection, kind, identifier, Reason.WINDOW_FULL, party="p", text="t", again_s=again_s)
    quiet.forget_times()
    with quiet.context.store.write() as connection:
        waits.wait(connection, "chain", "beta", Reason.WALLET_EMPTY, party="p", text="t", again_s=500)
    watch.sweep(quiet.context)
    assert woken == [("lane", lane)]


def test_the_sweep_alone_carries_everything_when_the_broker_forgets_every_task(watch, hub, woken):
    hub.send(*OUT, b"x", receiver=RECEIVER)
    for _ in range(12):
        hub.mine()
        hub.forget_times()
        woken.clear()
        for name in hub.names:
            hub.set_chain(name, tip_at=1)
        watch.sweep(hub.context)
        hub.wanted = []
        for task in list(woken):
            hub.work(*task)
        hub.attest()
    assert hub.journey(*OUT).settled == 1
    hub.check()


class Killed(BaseException):
    """The process is gone."""


def watching(watch, hub, monkeypatch, name="alpha"):
    monkeypatch.setattr(watch, "process_context", lambda: hub.context)
    return watch.ChainWatch(hub.context.chain(name), 0.001)


def until(condition):
    for _ in range(60_000):
        if condition():
            return
        time.sleep(0.001)
    raise AssertionError("not within a minute")


def test_each_new_block_wakes_the_ledgers_task_and_a_dead_endpoint_only_delays(watch, hub, woken, monkeypatch):
    thread = watching(watch, hub, monkeypatch)
    thread.start()
    until(lambda: len(woken) == 1)
    hub.mine("alpha")
    until(lambda: len(woken) == 2)
    hub.faults("alpha").unreachable = True
    hub.mine("alpha")
    hub.faults("alpha").unreachable = False
    until(lambda: len(woken) == 3)
    thread.stopped.set()
    thread.join(timeout=60)
    assert not thread.is_alive()
    assert set(woken) == {("chain", "alpha")}


@pytest.mark.parametrize("point", ["watch.before_wake", "watch.after_wake"])
def test_a_watch_that_dies_at_a_block_is_made_good_by_the_sweep(watch, hub, woken, monkeypatch, point):
    thread = watching(watch, hub, monkeypatch)

    def crash(name):
        if name == point:
            raise Killed

    monkeypatch.setattr(watch, "crash_point", crash)
    with pytest.raises(Killed):
        thread.run()
    assert len(woken) == (point == "watch.after_wake")
    woken.clear()
    watch.sweep(hub.context)
    assert ("chain", "alpha") in woken


def test_a_watch_that_was_stopped_before_its_first_look_ends(watch, hub, woken, monkeypatch):
    thread = watching(watch, hub, monkeypatch)
    thread.stopped.set()
    thread.run()
    assert woken == []
