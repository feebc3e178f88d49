"""A whole hub over in-process ledgers with its database on PostgreSQL: the journeys that SQLite has, ended alike."""

import threading

import pytest
from sqlalchemy import select

from relay.store.tables import messages, milestones
from relay.views.status import hub_status
from relay.views.trace import trace
from schemas.payloads import TextPayload, encode_payload
from tests.support.memory_hub import RECEIVER, REVERTING, MemoryHub


@pytest.fixture
def hub(cluster, tmp_path):
    hub = MemoryHub(tmp_path, seed=3, database=cluster.database())
    yield hub
    hub.close()


def test_messages_both_ways_are_settled_and_each_has_one_effect(hub):
    for number in range(25):
        hub.send("alpha", "beta", encode_payload(TextPayload(text=f"往 {number} 👋")), receiver=RECEIVER)
        hub.send("beta", "alpha", encode_payload(TextPayload(text=f"返 {number}")), receiver=REVERTING)
    hub.send("alpha", "beta", b"\x00late", receiver=RECEIVER, expires_at=int(hub.now()) + 3)
    hub.settle_down()
    hub.check()
    out, back = hub.lane("alpha", "beta"), hub.lane("beta", "alpha")
    assert (out.settled, out.executed, out.expired) == (26, 25, 1)
    assert (back.settled, back.failed) == (25, 25)


def test_a_hub_that_is_started_again_goes_on_from_the_database(hub):
    hub.send("alpha", "beta", b"\x00once", receiver=RECEIVER)
    hub.mine()
    hub.turn()
    hub.restart()
    hub.send("alpha", "beta", b"\x00twice", receiver=RECEIVER)
    hub.settle_down()
    hub.check()
    assert hub.lane("alpha", "beta").executed == 2


def test_status_and_trace_read_it(hub):
    hub.send("alpha", "beta", b"\x00hello", receiver=RECEIVER)
    hub.settle_down()
    (lane,) = [lane for lane in hub_status(hub.home)["lanes"] if lane["source"] == "alpha"]
    assert (lane["sent"], lane["settled"], lane["conserved"]) == (1, 1, True)
    (row,) = hub.rows(messages)
    (found,) = trace(hub.home, row.message_id.hex()[:12])
    assert found["stage"] == "settled"
    assert found["outcome"]["status"] == "executed"
    assert [stage["signers"] for stage in found["stages"] if "signers" in stage] == [["one", "three", "two"]] * 2
    (by_transaction,) = trace(hub.home, row.transaction.hex())
    assert by_transaction == found


def test_two_workers_at_once_work_on_the_same_ledgers_and_lanes(hub):
    """Each with its own connections: what one holds the other leaves, and nothing is counted twice."""
    for number in range(30):
        hub.send("alpha", "beta", b"\x00%d" % number, receiver=RECEIVER)
        hub.send("beta", "alpha", b"\x00%d" % number, receiver=RECEIVER)
    hub.mine()
    tasks = [("chain", name) for name in hub.names] + [("lane", lane.hex()) for lane in hub.lane_ids.values()]
    failures = []

    def worker(order):
        from relay.work import work

        context = hub.new_context()
        try:
            for task in order * 3:
                work(context, *task, lambda *_: None)
        except Exception as error:  # noqa: BLE001 - shown by the test's own thread
            failures.append(error)
        finally:
            context.close()

    for _ in range(3):
        workers = [threading.Thread(target=worker, args=(order,)) for order in (tasks, tasks[::-1])]
        for thread in workers:
            thread.start()
        for thread in workers:
            thread.join()
        hub.attest()
        hub.mine()
    hub.settle_down()
    hub.check()
    assert failures == []
    assert hub.lane("alpha", "beta").executed == hub.lane("beta", "alpha").executed == 30
    with hub.context.store.read() as connection:
        reached = connection.execute(
            select(milestones.c.nonce).where(milestones.c.stage == "delivered").order_by(milestones.c.id)
        ).scalars()
        assert max(reached) == 30
