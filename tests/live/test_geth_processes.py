"""A network that goes on after the program which started it would keep keys and ports: it does not."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from adapters.evm.clique.node import PATIENCE_S
from tests.support.geth_network import GethNetwork

pytestmark = pytest.mark.live

PROGRAM = """
import time
from tests.support.geth_network import GethNetwork

network = GethNetwork(chain_id=64_001, signers=1).start()
print(network.nodes[0].folder, network.nodes[0].process.pid, flush=True)
time.sleep(600)
"""


def gone(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_nodes_and_keys_are_gone_when_the_program_was_killed():
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    )
    with program:
        folder, pid = program.stdout.readline().split()
        key = Path(folder) / "keystore" / "signer.json"
        assert key.stat().st_mode & 0o777 == 0o600
        assert not gone(int(pid))
        program.kill()
    deadline = time.monotonic() + PATIENCE_S
    while not gone(int(pid)) or Path(folder).parent.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_everything_listens_on_this_machine_alone():
    with GethNetwork(chain_id=64_002, signers=1) as network:
        listening = [
            item
            for item in psutil.Process(network.nodes[0].process.pid).net_connections("inet")
            if item.status in (psutil.CONN_LISTEN, psutil.CONN_NONE)
        ]
        assert len(listening) == 3
        assert {item.laddr.ip for item in listening} == {"127.0.0.1"}
