"""One plain anvil that makes a block when it is told to, and lets a test spoil its pool, its base fee and its accounts."""

import contextlib
import itertools
import subprocess
import time

import httpx

from adapters.evm.devnet import find_anvil
from adapters.loopback_ports import free_port

PATIENCE_S = 60.0


class AnvilNode:
    """Args: hardfork: the rules, `london` or older; options: further words of the command line."""

    def __init__(self, *options, hardfork="london"):
        self.url = f"http://127.0.0.1:{free_port()}"
        port = self.url.rpartition(":")[2]
        words = ["--port", port, "--no-mining", "--hardfork", hardfork, "--quiet", "--chain-id", "62001", *options]
        self._process = subprocess.Popen([str(find_anvil()), *words], stdin=subprocess.DEVNULL)
        self._client = httpx.Client(timeout=PATIENCE_S, trust_env=False)
        self._numbers = itertools.count(1)
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.TransportError):
                self.rpc("eth_chainId")
                return
            time.sleep(0.02)
        self.close()
        raise AssertionError("anvil did not start")

    def rpc(self, method, *params):
        body = {"jsonrpc": "2.0", "id": next(self._numbers), "method": method, "params": list(params)}
        answer = self._client.post(self.url, json=body).json()
        assert "error" not in answer, answer
        return answer["result"]

    def mine(self):
        self.rpc("evm_mine")

    def fund(self, account, coins):
        self.rpc("anvil_setBalance", "0x" + account.hex(), hex(coins))

    def empty(self, key, wallet):
        """Take everything that an account has."""
        del key
        self.fund(wallet.address, 0)

    def forget_pool(self):
        self.rpc("anvil_dropAllTransactions")

    def base_fee(self):
        return int(self.rpc("eth_getBlockByNumber", "latest", False)["baseFeePerGas"], 16)

    def set_base_fee(self, fee):
        """The newest block has this base fee."""
        self.rpc("anvil_setNextBlockBaseFeePerGas", hex(fee))
        self.mine()

    def raise_base_fee(self, times):
        self.set_base_fee(self.base_fee() * times)

    def take_back(self, blocks):
        """Blocks that are gone: the node's head is an older one."""
        self.rpc("anvil_rollback", blocks)

    def close(self):
        self._client.close()
        self._process.kill()
        self._process.wait()
