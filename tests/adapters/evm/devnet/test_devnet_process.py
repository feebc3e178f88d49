"""The process: its clock, restart after a kill, what it leaves behind, plain networks, and how it refuses to start."""

import asyncio
import os
import socket
import subprocess
import sys
import time

import psutil
import pytest

from adapters.evm.devnet import (
    AnvilNotFoundError,
    DevelopmentNetwork,
    DevelopmentNetworkError,
    RpcError,
    find_anvil,
    server,
)
from adapters.evm.devnet.anvil import STATES_KEPT
from adapters.evm.devnet.header import header_hash, header_items
from tests.adapters.evm.devnet.conftest import Ledger

CEILING_S = 60


def wait_for(condition):
    """Waits until something holds; the ceiling is only there to end a broken run."""
    deadline = time.monotonic() + CEILING_S
    while not condition():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.02)


def is_gone(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def height(network):
    return int(network.rpc("eth_blockNumber"), 16)


def command(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "adapters.evm.devnet", "--chain-id", "31003", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=CEILING_S,
        check=False,
    )


@pytest.mark.live
def test_the_clock_goes_stalls_and_goes_on():
    with DevelopmentNetwork(chain_id=31_002, block_time_s=0.02) as network:
        wait_for(lambda: height(network) >= 3)
        assert network.rpc("devnet_stall", True)
        stalled = height(network)
        time.sleep(0.3)
        assert height(network) == stalled
        assert network.rpc("devnet_status")["stalled"]
        assert network.mine() == stalled + 1
        assert not network.rpc("devnet_stall", False)
        wait_for(lambda: height(network) >= stalled + 3)
        assert network.rpc("devnet_setBlockTime", 0)
        still = height(network)
        time.sleep(0.3)
        assert height(network) == still
        assert network.rpc("devnet_setBlockTime", 1)
        newest = network.mine(4)
        times = [
            int(network.rpc("eth_getBlockByNumber", hex(newest - back), False)["timestamp"], 16) for back in (2, 1, 0)
        ]
        assert times[0] < times[1] < times[2]


@pytest.mark.live
def test_once_a_stall_is_answered_no_block_comes():
    with DevelopmentNetwork(chain_id=31_003, block_time_s=0.005) as network:
        for _ in range(20):
            assert not network.rpc("devnet_stall", False)
            before = height(network)
            wait_for(lambda before=before: height(network) > before)
            assert network.rpc("devnet_stall", True)
            stalled = height(network)
            time.sleep(0.02)
            assert height(network) == stalled


@pytest.mark.live
def test_a_killed_network_goes_on_where_it_was():
    network = DevelopmentNetwork(chain_id=31_004, block_time_s=0, hardfork="berlin").start()
    try:
        ledger = Ledger(network)
        receipt = ledger.receipt(ledger.write(1, 5))
        ledger.receipt(ledger.write(1, 6))
        newest = height(network)
        asked = [
            ("eth_getBlockByNumber", [hex(number), full]) for number in range(newest + 1) for full in (False, True)
        ] + [
            ("eth_getTransactionReceipt", [receipt["transactionHash"]]),
            ("eth_getProof", [ledger.contract, [f"0x{1:064x}"], receipt["blockNumber"]]),
            ("eth_getStorageAt", [ledger.contract, "0x1", receipt["blockHash"]]),
            ("eth_getLogs", [{"fromBlock": "0x0"}]),
            ("qbft_getValidatorsByBlockNumber", ["0x1"]),
        ]
        before, url, front, anvil = network.batch(asked), network.url, network.pid, network.anvil_pid
        network.kill()
        assert is_gone(front)
        assert is_gone(anvil)
        with pytest.raises(DevelopmentNetworkError, match="does not run"):
            network.rpc("eth_blockNumber")
        network.restart()
        assert network.url == url
        assert network.batch(asked) == before
        assert network.mine() == newest + 1
        child = network.rpc("eth_getBlockByNumber", "latest", False)
        assert child["parentHash"] == before[2 * newest]["hash"]
        assert int(ledger.receipt(ledger.write(1, 7))["blockNumber"], 16) == newest + 2
        network.restart()
        assert height(network) == newest + 2
    finally:
        network.stop()


@pytest.mark.live
def test_stop_leaves_nothing_behind():
    network = DevelopmentNetwork(chain_id=31_005, block_time_s=0).start()
    front, anvil = network.pid, network.anvil_pid
    with pytest.raises(DevelopmentNetworkError, match="runs already"):
        network.start()
    network.stop()
    assert is_gone(front)
    assert is_gone(anvil)
    assert not network.directory.exists()


@pytest.mark.live
def test_it_ends_with_the_program_that_started_it(tmp_path):
    program = (
        "import os; from pathlib import Path; from adapters.evm.devnet import DevelopmentNetwork;"
        f"n = DevelopmentNetwork(chain_id=31006, block_time_s=0, directory=Path({str(tmp_path)!r})).start();"
        "print(n.pid, n.anvil_pid, flush=True); os._exit(0)"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=CEILING_S, check=True
    )
    for pid in map(int, result.stdout.split()):
        wait_for(lambda pid=pid: is_gone(pid))
    with DevelopmentNetwork(chain_id=31_006, block_time_s=0, directory=tmp_path) as network:
        assert height(network) == 0
    assert (tmp_path / "anvil-state.json").exists()
    assert (tmp_path / "validators.seed").stat().st_mode & 0o777 == 0o600


@pytest.mark.live
def test_the_end_of_anvil_ends_the_front():
    network = DevelopmentNetwork(chain_id=31_007, block_time_s=0).start()
    try:
        psutil.Process(network.anvil_pid).kill()
        wait_for(lambda: is_gone(network.pid))
    finally:
        network.stop()


@pytest.mark.live
def test_a_plain_network_is_unsealed_and_can_be_reorganised():
    with DevelopmentNetwork(chain_id=31_008, block_time_s=0, plain=True, hardfork="cancun") as network:
        assert network.mine(5) == 5
        served = network.rpc("eth_getBlockByNumber", "latest", False)
        assert "0x" + header_hash(header_items(served)).hex() == served["hash"]
        assert network.rpc("web3_clientVersion").startswith("anvil/")
        assert not network.rpc("devnet_status")["sealed"]
        with pytest.raises(RpcError):
            network.rpc("qbft_getValidatorsByBlockNumber", "latest")
        network.rpc("devnet_reorg", 2)
        assert height(network) == 5
        assert network.rpc("eth_getBlockByNumber", "0x5", False)["hash"] != served["hash"]
        assert network.rpc("devnet_lie", "height") == ["height"]
        assert height(network) == 1005


@pytest.mark.live
@pytest.mark.parametrize("hardfork", ["istanbul", "shanghai", "prague"])
def test_every_fork_is_sealed(hardfork):
    with DevelopmentNetwork(chain_id=31_009, block_time_s=0, hardfork=hardfork, validators=1) as network:
        assert network.mine(2) == 2
        parent, child = (network.rpc("eth_getBlockByNumber", number, False) for number in ("0x1", "0x2"))
        assert child["parentHash"] == parent["hash"]


@pytest.mark.live
def test_the_states_of_the_newest_blocks_are_kept():
    with DevelopmentNetwork(chain_id=31_011, block_time_s=0) as network:
        newest = network.mine(STATES_KEPT + 10)
        account = network.rpc("eth_accounts")[0]
        assert network.rpc("eth_getBalance", account, hex(newest - STATES_KEPT + 10)) != "0x0"
        with pytest.raises(RpcError, match="OutOfRange"):
            network.rpc("eth_getBalance", account, "0x1")
        assert network.rpc("eth_getBlockByNumber", "0x1", True)["number"] == "0x1"


@pytest.mark.live
def test_lost_state_is_told(tmp_path):
    with DevelopmentNetwork(chain_id=31_003, block_time_s=0, directory=tmp_path) as network:
        network.mine(3)
    (tmp_path / "anvil-state.json").unlink()
    result = command("--directory", str(tmp_path))
    assert result.returncode == 2
    assert "3 blocks are sealed but anvil's state ends at 0" in result.stderr


@pytest.mark.live
def test_a_taken_port_is_told():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = command("--port", str(taken.getsockname()[1]))
    assert result.returncode == 2
    assert "is taken" in result.stderr


@pytest.mark.live
def test_an_unknown_hardfork_is_told():
    network = DevelopmentNetwork(chain_id=31_003, hardfork="tomorrow")
    with pytest.raises(DevelopmentNetworkError, match="could not start"):
        network.start()
    network.stop()


def test_a_missing_anvil_is_told(tmp_path):
    result = command(RELAYHUB_ANVIL=str(tmp_path / "anvil"))
    assert result.returncode == 2
    assert "RELAYHUB_ANVIL names" in result.stderr


def test_anvil_is_found_or_make_setup_is_named(monkeypatch, tmp_path):
    monkeypatch.delenv("RELAYHUB_ANVIL", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("adapters.evm.devnet.anvil.__file__", str(tmp_path / "a" / "b" / "c" / "d.py"))
    with pytest.raises(AnvilNotFoundError, match="make setup"):
        find_anvil()
    cached = tmp_path / "relayhub" / "anvil"
    cached.parent.mkdir()
    cached.write_bytes(b"")
    with pytest.raises(AnvilNotFoundError, match="make setup"):
        find_anvil()
    cached.chmod(0o755)
    assert find_anvil() == cached
    named = tmp_path / "named"
    named.write_bytes(b"")
    named.chmod(0o755)
    monkeypatch.setenv("RELAYHUB_ANVIL", str(named))
    assert find_anvil() == named


@pytest.mark.parametrize("arguments", [("--validators", "0"), ("--epoch-length", "x"), ("--unknown",)])
def test_wrong_options_are_refused(arguments):
    assert command(*arguments).returncode == 2


def test_one_network_in_a_directory(monkeypatch, tmp_path):
    monkeypatch.setattr(server, "_LOCK_TIMEOUT_S", 0.0)

    async def twice():
        with await server._locked(tmp_path), pytest.raises(DevelopmentNetworkError, match="another network runs"):
            await server._locked(tmp_path)
        (await server._locked(tmp_path)).close()

    asyncio.run(twice())


def test_what_does_not_run_cannot_be_asked():
    network = DevelopmentNetwork(chain_id=31_010)
    for use in (lambda: network.pid, network.kill, network.mine):
        with pytest.raises(DevelopmentNetworkError, match="does not run"):
            use()
    network.stop()
