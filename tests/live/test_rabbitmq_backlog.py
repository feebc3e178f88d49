"""A worker with a backlog on RabbitMQ goes from task to task; without `relay.app.Tick` it sleeps ten seconds before each."""

import os
import subprocess
import sys
import time

import pytest
from sqlalchemy import select

from relay.store.tables import leases
from relay.supervisor import worker_command
from tests.production.brokers import RabbitMq
from tests.support.filled_hub import FilledHub

TASKS = 300
WAKE = f"from relay.tasks import wake\nfor _ in range({TASKS}): wake('chain', 'alpha')"
PATIENCE_S = 240.0
"""The worker's start and 300 glances take some seconds; 300 sleeps took 50 minutes."""


@pytest.fixture
def broker():
    broker = RabbitMq()
    yield broker
    broker.close()


@pytest.fixture
def hub(tmp_path, broker):
    """A hub of one ledger, at which a glance is all there is to do."""
    hub = FilledHub(tmp_path, broker=broker.url)
    hub.chain("alpha", 1, state="retired")
    yield hub
    hub.store.close()


def done(hub):
    """How many tasks were done: each takes the lease, whose token counts."""
    with hub.store.read() as connection:
        return connection.execute(select(leases.c.token)).scalar() or 0


def test_a_backlog_is_worked_off(hub):
    environment = {**os.environ, "RELAYHUB_HOME": str(hub.home.folder)}
    subprocess.run([sys.executable, "-c", WAKE], env=environment, check=True)
    with subprocess.Popen(worker_command(1), env=environment) as worker:
        ends = time.monotonic() + PATIENCE_S
        while done(hub) < TASKS and worker.poll() is None and time.monotonic() < ends:
            time.sleep(0.1)
        worker.terminate()
    assert done(hub) == TASKS
