"""Drills on one running hub: its processes die at every point, what it is built upon fails; nothing is lost or takes effect twice.

After each crash and each failure the hub goes on by itself (only the supervisor is started again, as a machine's service
manager would), every message is delivered and settled, and the ledgers' own logs and heads show each effect once.
"""

import os
import random
import shutil
import signal
import sqlite3
import time

import psutil
import pytest
import redis
from celery import Celery
from sqlalchemy import select

from relay.store.tables import chains, claims, leases, transactions, waits
from tests.support.crash_table import CELLS, crash, shown
from tests.support.drill import Drill
from tests.support.stack import stack_between

pytestmark = [pytest.mark.live, pytest.mark.stack]

BLOCK_TIME_S = 0.5
LOCKED_S = 5.0


@pytest.fixture(scope="module")
def drill(tmp_path_factory):
    """Three development networks, lanes both ways between the first two, one to the third."""
    file = tmp_path_factory.mktemp("drill") / "crash"
    chain_ids, lanes = (
        {"alpha": 43001, "beta": 43002, "gamma": 43003},
        [("alpha", "beta", "--both"), ("alpha", "gamma")],
    )
    environment = {"RELAYHUB_DRILL": str(file)}
    with stack_between(chain_ids, *lanes, block_time_s=BLOCK_TIME_S, environment=environment) as stack:
        yield Drill(stack, file)


@pytest.fixture(autouse=True)
def exactly_once(drill):
    """Every drill ends with everything settled, and each effect counted once on the ledgers."""
    yield
    drill.wait_settled()
    drill.check()


def test_every_process_dies_at_every_point(drill, record_property):
    chance = random.Random(3)
    table = {}
    for point, kind in CELLS:
        began = time.monotonic()
        crash(drill, point, kind, chance)
        drill.wait_settled()
        drill.check()
        table[point, kind] = time.monotonic() - began
    record_property("table", shown(table))
    assert set(table) == set(CELLS)


def wait_named(drill, chain):
    """Whether the hub says that it waits for this ledger."""
    with drill.store.read() as connection:
        row = connection.execute(select(waits).where(waits.c.kind == "chain", waits.c.id == chain)).one_or_none()
    return row is not None and row.party == f"chain {chain}"


def delivered(drill, *pair):
    return drill.lane_rows()[pair].delivered


def test_tasks_come_many_times_and_in_any_order(drill):
    chance = random.Random(5)
    home = drill.stack.home
    ids = [("chain", name) for name in drill.stack.networks]
    ids += [("lane", row.lane_id.hex()) for row in drill.lane_rows().values()]
    drill.send("alpha", "beta", 20)
    drill.send("beta", "alpha", 20)
    with Celery(broker=home.broker_url(home.load())) as publisher:
        while not drill.settled():
            tasks = ids * 4
            chance.shuffle(tasks)
            for task in tasks:
                publisher.send_task("relayhub.work", task, queue="relayhub", ignore_result=True)
            time.sleep(0.3)


def test_the_broker_forgets_everything(drill):
    drill.send("alpha", "beta", 5)
    drill.send("beta", "alpha", 5)
    (broker,) = drill.stack.processes("broker")
    run = drill.stack.home.run
    with redis.Redis(unix_socket_path=str(drill.stack.home.socket)) as memory:
        memory.set("drill", "remembered")
        broker.suspend()  # so that it is not started again before its file is gone
        shutil.rmtree(run / "appendonlydir")
        broker.kill()
        drill.wait_back("broker", broker.pid)
        drill.stack.wait_until("the broker answers", lambda: answers(memory))
        assert memory.get("drill") is None


def answers(memory):
    try:
        return memory.ping()
    except redis.RedisError:
        return False


@pytest.mark.parametrize("chain", ["alpha", "beta"])
def test_a_node_is_killed_and_comes_back(drill, chain):
    drill.send("alpha", "beta", 3)
    drill.send("beta", "alpha", 3)
    network = drill.stack.networks[chain]
    network.kill()
    drill.stack.wait_until(f"it waits for {chain}", lambda: wait_named(drill, chain))
    network.restart()
    drill.wait_settled()
    drill.stack.wait_until("it waits no more", lambda: not wait_named(drill, chain))


def stop_answering(network):
    psutil.Process(network.pid).suspend()


def answer_again(network):
    psutil.Process(network.pid).resume()


DOWN = {
    "gone": (lambda network: network.kill(), lambda network: network.restart()),
    "hanging": (stop_answering, answer_again),
}


@pytest.mark.parametrize("how", DOWN)
def test_a_destination_that_is_down_holds_up_nobody_else(drill, how):
    """While gamma is down its lane waits by name, and the lanes between the others settle round after round."""
    end, begin = DOWN[how]
    gamma = drill.stack.networks["gamma"]
    drill.send("alpha", "gamma", 2)
    drill.wait_settled(("alpha", "gamma"))
    before = delivered(drill, "alpha", "gamma")
    end(gamma)
    try:
        drill.send("alpha", "gamma", 3)
        rounds = []
        for _ in range(3):
            drill.send("alpha", "beta", 2)
            drill.send("beta", "alpha", 2)
            drill.wait_settled(("alpha", "beta"), ("beta", "alpha"))
            rounds.append(delivered(drill, "alpha", "beta"))
        assert rounds == sorted(set(rounds)), "the others' lane did not go on"
        assert delivered(drill, "alpha", "gamma") == before
        drill.stack.wait_until("it waits for gamma", lambda: wait_named(drill, "gamma"))
    finally:
        begin(gamma)


def test_the_database_is_locked_by_another_process(drill):
    """Nobody dies of it, and nothing is written meanwhile."""
    restarts = {role: count for role, (_, count) in drill.roles().items()}
    drill.send("alpha", "beta", 3)
    with sqlite3.connect(drill.stack.home.folder / "relayhub.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        drill.send("beta", "alpha", 3)
        before = drill.lane_rows()
        time.sleep(LOCKED_S)
        assert drill.lane_rows() == before
        other.execute("ROLLBACK")
    other.close()
    drill.wait_settled()
    assert {role: count for role, (_, count) in drill.roles().items()} == restarts


def test_the_whole_machine_crashes(drill):
    """Every process of the hub and a ledger's front at one instant, then `relayhub up`."""
    drill.send("alpha", "beta", 10)
    drill.send("beta", "alpha", 10)
    for process in [*drill.stack.processes("supervisor"), *drill.stack.processes()]:
        if process.is_running():
            os.kill(process.pid, signal.SIGKILL)
    drill.stack.networks["alpha"].kill()
    drill.wait_all_gone()
    drill.stack.networks["alpha"].restart()
    drill.stack.up()


def chain_tokens(drill):
    with drill.store.read() as connection:
        rows = connection.execute(select(leases).where(leases.c.kind == "chain"))
        return {row.id: row.token for row in rows}


STOPPED_AT = (
    "worker.look.before_commit",  # about to write what it saw
    "worker.submit.before_broadcast",  # about to send what another sends meanwhile
)


@pytest.mark.parametrize("point", STOPPED_AT)
def test_a_worker_that_slept_beyond_its_lease_writes_nothing(drill, point):
    """It is stopped between reading and writing; the other worker takes over; woken, it finds its lease lost."""
    drill.arm(point, "SIGSTOP")
    drill.send("alpha", "beta", 2)
    drill.send("beta", "alpha", 2)
    pid, role = drill.wait_hit(point)
    log = drill.stack.home.run / f"{role}.log"
    try:
        said, held = log.read_text().count('"lease_lost"'), chain_tokens(drill)
        drill.wait_settled()
        drill.stack.wait_until(
            "another took the lease", lambda: all(token > held[name] for name, token in chain_tokens(drill).items())
        )
        drill.check()
        assert psutil.Process(pid).status() == psutil.STATUS_STOPPED
    finally:
        os.kill(pid, signal.SIGCONT)
    drill.stack.wait_until("it says that its lease is lost", lambda: log.read_text().count('"lease_lost"') > said)
    assert drill.roles()[role][0] == pid, "the worker did not go on"
    drill.send("alpha", "beta", 1)


def test_a_clock_set_back_by_a_day_holds_up_nobody(drill):
    """A worker dies between signing and sending, and every time in the database lies a day ahead, as after a correction."""
    drill.arm("worker.submit.before_broadcast")
    drill.send("alpha", "beta", 3)
    pid, role = drill.wait_hit("worker.submit.before_broadcast")
    day = 86_400
    with drill.store.write() as connection:
        connection.execute(leases.update().values(expires_at=leases.c.expires_at + day))
        connection.execute(waits.update().values(next_at=waits.c.next_at + day))
        connection.execute(claims.update().values(created_at=claims.c.created_at + day))
        connection.execute(chains.update().values(tip_at=chains.c.tip_at + day, wallet_at=chains.c.wallet_at + day))
        times = {name: transactions.c[name] + day for name in ("created_at", "sent_at")}
        connection.execute(transactions.update().values(**times))
    drill.wait_back(role, pid)
    drill.send("beta", "alpha", 3)
