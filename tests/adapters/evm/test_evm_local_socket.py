"""A bare node over its local socket (IPC): nobody seals its headers, and they have every later field."""

import contextlib
import subprocess
import time

import pytest

from adapters.evm.devnet import find_anvil
from adapters.protocol import AdapterOptions, Endpoint, Unreachable
from adapters.registry import open_ledger
from light_clients import development
from schemas.primitives import BlockHash

pytestmark = pytest.mark.live
START_S = 60


@pytest.fixture
def ledger(tmp_path):
    path = tmp_path / "anvil.ipc"
    command = [str(find_anvil()), "--port", "0", "--ipc", str(path), "--silent"]
    node = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    opened = open_ledger("evm", AdapterOptions((Endpoint(str(path)),)))
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        with contextlib.suppress(Unreachable):
            opened.tip()
            break
        time.sleep(0.05)
    yield opened
    opened.close()
    node.terminate()
    node.wait()


def test_a_node_answers_over_its_socket(ledger):
    identity = ledger.identity()
    assert identity.chain_id == "eip155:31337"
    assert identity.development
    assert ledger.endpoint.startswith("ipc:/")
    (header,) = ledger.headers(0, 0)
    state = development.bootstrap(header, BlockHash(identity.first_block), development.DevelopmentConfiguration())
    assert state.height == 0
