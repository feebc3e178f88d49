"""Tasks under leases: taken over in the middle, doubled, by two workers at once, unknown, or failing."""

import threading

import pytest
from sqlalchemy import update

from relay import work as work_module
from relay.errors import HubError, NotFound
from relay.steps import carry, claim
from relay.steps import look as look_step
from relay.store import Lease
from relay.store.tables import claims, leases, transactions
from relay.work import work
from tests.support.memory_hub import RECEIVER, MemoryHub

OUT, HOME = ("alpha", "beta"), ("beta", "alpha")


def expire(hub):
    with hub.context.store.write() as connection:
        connection.execute(update(leases).values(expires_at=0))


def in_the_middle(monkeypatch, module, name, act):
    """Call `act` once, after the named function of the step has run."""
    honest, done = getattr(module, name), []

    def acting(*arguments):
        found = honest(*arguments)
        if not done:
            done.append(True)
            act()
        return found

    monkeypatch.setattr(module, name, acting)


@pytest.mark.parametrize("task", ["look", "claim", "carry"])
def test_a_lease_taken_over_in_the_middle_of_a_step(hub, monkeypatch, logged, task):
    hub.send(*OUT, b"x", receiver=RECEIVER)
    hub.mine()
    if task != "look":
        hub.chain_task()
    if task == "carry":
        hub.lane_task(*OUT)
        hub.attest()
    second = hub.new_context()
    kind, identifier = ("chain", "alpha") if task == "look" else ("lane", hub.lane_ids[OUT].hex())

    def take_over():
        expire(hub)
        work(second, kind, identifier, hub.wake)

    module, name = {
        "look": (look_step, "_observe"),
        "claim": (claim, "_has_work"),
        "carry": (carry, "_calls"),
    }[task]
    in_the_middle(monkeypatch, module, name, take_over)
    work(hub.context, kind, identifier, hub.wake)
    assert [entry["event"] for entry in logged].count("lease_lost") == 1
    journey = hub.journey(*OUT)
    assert {"look": journey.final, "claim": journey.claimed, "carry": journey.submitted}[task] == 1
    assert len(hub.rows(claims)) == (task != "look")
    assert len(hub.rows(transactions)) == (task == "carry")
    second.store.close()
    hub.settle_down()
    hub.check()


def test_a_task_whose_lease_another_holds_leaves_and_the_holder_looks_again(hub, monkeypatch):
    passes = []
    chain = work_module._chain

    def counted(context, lease, name, wake):
        passes.append(name)
        if len(passes) == 1:
            work(context, "chain", "alpha", hub.wake)  # a second copy of the task
        return chain(context, lease, name, wake)

    monkeypatch.setattr(work_module, "_chain", counted)
    hub.chain_task("alpha")
    assert passes == ["alpha", "alpha"]
    assert Lease.take(hub.context.store, "chain", "alpha") is not None


def test_work_that_never_ends_makes_room_and_is_woken_again(hub, monkeypatch):
    monkeypatch.setattr(work_module, "WORK_S", -1.0)
    monkeypatch.setattr(work_module, "_chain", lambda *_: True)
    hub.chain_task("alpha")
    assert hub.wanted == [("chain", "alpha")]
    assert Lease.take(hub.context.store, "chain", "alpha") is not None


def test_a_task_that_fails_on_purpose_gives_the_lease_back(hub, monkeypatch, logged):
    def fail(*_):
        raise HubError("no", "wait")

    monkeypatch.setattr(work_module, "_chain", fail)
    hub.chain_task("alpha")
    assert [entry["event"] for entry in logged] == ["work_failed"]
    assert Lease.take(hub.context.store, "chain", "alpha") is not None


def test_a_frozen_ledger_or_lane_is_left_alone(hub, monkeypatch):
    hub.set_chain("alpha", state="frozen")
    hub.faults("alpha").unreachable = True
    hub.chain_task("alpha")
    assert hub.code("chain", "alpha") == ""


def test_an_unknown_ledger_or_lane_is_no_crash(hub, logged):
    work(hub.context, "chain", "nowhere", hub.wake)
    work(hub.context, "lane", "11" * 32, hub.wake)
    assert [entry["event"] for entry in logged] == ["work_failed"] * 2
    with pytest.raises(NotFound):
        hub.context.chain("nowhere")


def test_lanes_that_moved_and_ledgers_that_have_something_to_send_are_woken(hub):
    hub.send(*OUT, b"x", receiver=RECEIVER)
    hub.mine()
    hub.chain_task("alpha")
    assert hub.wanted == [("lane", hub.lane_ids[OUT].hex())]
    hub.wanted = []
    hub.lane_task(*OUT)
    assert hub.wanted == []
    hub.attest()
    hub.lane_task(*OUT)
    assert hub.wanted == [("chain", "beta")]


def test_two_workers_in_two_threads_on_one_database(make_hub):
    hub: MemoryHub = make_hub(batch_limit=3)
    for number in range(20):
        hub.send(*OUT, b"out %d" % number, receiver=RECEIVER)
        hub.send(*HOME, b"home %d" % number, receiver=RECEIVER)
    contexts = [hub.new_context() for _ in range(2)]
    failures = []
    stopped = threading.Event()

    def run(context):
        tasks = [("chain", name) for name in hub.names] + [("lane", lane.hex()) for lane in hub.lane_ids.values()]
        try:
            while not stopped.is_set():
                for task in tasks:
                    work(context, *task, lambda *_: None)
        except Exception as error:  # noqa: BLE001 - the test tells it
            failures.append(error)

    threads = [threading.Thread(target=run, args=(context,)) for context in contexts]
    for thread in threads:
        thread.start()
    try:
        for _ in range(400):
            hub.mine()
            hub.attest()
            hub.check()
            if failures or all(hub.journey(*lane).settled == 20 for lane in hub.lane_ids):
                break
    finally:
        stopped.set()
        for thread in threads:
            thread.join(timeout=60)
    for context in contexts:
        context.close()
    assert failures == []
    assert [hub.journey(*lane).executed for lane in hub.lane_ids] == [20, 20]
    hub.settle_down(hurry=True)
    hub.check()
