"""A process's view of the hub: what it opened is released when it is closed."""

import threading

import pytest

from relay.store import Lease
from tests.support.memory_hub import MemoryHub


def renewers():
    return [thread for thread in threading.enumerate() if thread.name == "lease-renewer"]


@pytest.fixture
def hub(tmp_path):
    hub = MemoryHub(tmp_path)
    yield hub
    hub.close()


def test_a_closed_context_leaves_no_thread_and_no_ledger_open(hub):
    before = set(renewers())
    context = hub.new_context()
    lease = Lease.take(context.store, "chain", "alpha")
    with context.holding(lease):
        mine = set(renewers()) - before
    assert len(mine) == 1
    opened = context.ledger(context.chain("alpha"))
    context.close()
    for thread in mine:
        thread.join(timeout=60)
        assert not thread.is_alive()
    assert context.ledger(hub.context.chain("alpha")) is not opened
    context.close()
