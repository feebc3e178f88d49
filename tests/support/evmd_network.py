"""An evmd network on this machine: an EVM on CometBFT, with one to four validators that are killed, restarted, and given power.

The EVM's chain id is 262,144 on every such network; the Cosmos chain's name tells them apart.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from eth_account import Account
from eth_utils import to_checksum_address

from tests.support.evmd_build import evmd
from tests.support.evmd_node import KEYRING, PATIENCE_S, EvmdError, EvmdNode
from tests.support.geth_network import WATCH

COIN = "atest"
EVM_CHAIN_ID = 262_144
POWER = 10**18
"""Base units that make one unit of voting power."""
RICH = 10**27
MAX_GAS = 40_000_000


class EvmdNetwork:
    """Nodes 0 to n - 1 are validators of equal power from the first block; the nodes after them only follow.

    Args:
        chain_id: the Cosmos chain's name.
        validators: how many.
        followers: further nodes, which `bond` makes validators.
        block_s: seconds between a block and the next proposal.
        prefunded: addresses (20 bytes) that get coins at the start.
    """

    def __init__(self, *, chain_id="relayhub-1", validators=1, followers=0, block_s=1.0, prefunded=()):
        self.chain_id, self.validators, self.followers, self.block_s = chain_id, validators, followers, block_s
        self.bank = Account.create()
        self.nodes = []
        self._prefunded = list(prefunded)
        self._folder = self._watcher = None

    # ——— life

    def start(self):
        """Make the genesis, start every node and wait for the second block."""
        binary = evmd(print)
        self._folder = Path(tempfile.mkdtemp(prefix="rh-evmd-"))
        self._watcher = subprocess.Popen(
            [sys.executable, "-c", WATCH, self._folder, binary], stdin=subprocess.PIPE, text=True
        )
        try:
            self.nodes = [
                EvmdNode(f"node{number}", binary, self._folder / f"node{number}", self.chain_id, self.block_s)
                for number in range(self.validators + self.followers)
            ]
            self._make_genesis()
            peers = [node.peer for node in self.nodes]
            for number, node in enumerate(self.nodes):
                node.configure([peer for other, peer in enumerate(peers) if other != number])
                self._launch(node)
            for node in self.nodes:
                node.wait_ready()
            self.wait_for_height(2)
            if self._prefunded:
                self.fund(*self._prefunded)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self):
        """Kill every node and remove everything."""
        for node in self.nodes:
            node.close()
        if self._watcher is not None:
            self._watcher.stdin.close()
            self._watcher.wait(PATIENCE_S)
            self._watcher = None

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if kind is not None:
            print(self._logs())
        self.stop()

    @property
    def url(self):
        """The endpoint of node 0, as the adapter `cosmos` takes it."""
        return self.nodes[0].endpoint

    @property
    def urls(self):
        """The endpoints of all nodes."""
        return [node.endpoint for node in self.nodes]

    def rpc(self, method, *params, node=0):
        """Call one method of a node's Ethereum JSON-RPC."""
        return self.nodes[node].rpc(method, *params)

    def kill(self, node):
        """End a node as a crash does."""
        self.nodes[node].kill()

    def stop_node(self, node):
        """End a node as its operator does."""
        self.nodes[node].stop()

    def start_node(self, node):
        """Start a node that was ended."""
        self._launch(self.nodes[node])
        self.nodes[node].wait_ready()

    def restart(self, node):
        """Kill a node and start it again."""
        self.kill(node)
        self.start_node(node)

    # ——— blocks

    def height(self, node=0):
        """The height of a node's newest block."""
        return self.nodes[node].height()

    def wait_for_height(self, height, *, nodes=None):
        """Wait until nodes (all that run, unless named) have a block of this height."""
        chosen = [self.nodes[number] for number in nodes] if nodes else [node for node in self.nodes if node.running]
        self._wait(f"height {height}", lambda: all(node.height() >= height for node in chosen))

    def wait_blocks(self, count, *, node=0):
        """Wait for further blocks at a node; returns its height then."""
        target = self.height(node) + count
        self.wait_for_height(target, nodes=[node])
        return self.height(node)

    # ——— coins and power

    def fund(self, *addresses, wei=RICH // 1_000):
        """Send coins to addresses (20 bytes) out of the bank's account; returns when all have them."""
        nonce = int(self.rpc("eth_getTransactionCount", self.bank.address, "pending"), 16)
        for number, address in enumerate(addresses):
            transaction = {
                "to": to_checksum_address(address),
                "value": wei,
                "gas": 21_000,
                "gasPrice": 10**11,
                "nonce": nonce + number,
                "chainId": EVM_CHAIN_ID,
            }
            raw = self.bank.sign_transaction(transaction).raw_transaction.hex().removeprefix("0x")
            self.rpc("eth_sendRawTransaction", "0x" + raw)
        last = nonce + len(addresses)
        self._wait(
            "coins arrive", lambda: int(self.rpc("eth_getTransactionCount", self.bank.address, "latest"), 16) >= last
        )

    def powers(self, height=None):
        """Voting powers by validator address at a height (the newest, unless given)."""
        asked = {} if height is None else {"height": str(height)}
        found = self.nodes[0].consensus("validators", per_page="100", **asked)["validators"]
        return {member["address"]: int(member["voting_power"]) for member in found}

    def delegate(self, node, power):
        """Give a validator more power out of its operator's coins; returns when the next set has it."""
        operator = self.nodes[node].command("keys", "show", f"node{node}", "--bech", "val", "-a", *KEYRING).strip()
        self._change(node, "delegate", operator, f"{power * POWER}{COIN}")

    def bond(self, node, power):
        """Make a follower a validator; returns when the set has it."""
        owner = self.nodes[node]
        wanted = {
            "pubkey": json.loads(owner.command("comet", "show-validator")),
            "amount": f"{power * POWER}{COIN}",
            "moniker": owner.name,
            "commission-rate": "0.1",
            "commission-max-rate": "0.2",
            "commission-max-change-rate": "0.01",
            "min-self-delegation": "1",
        }
        path = owner.folder / "validator.json"
        path.write_text(json.dumps(wanted))
        self._change(node, "create-validator", str(path))

    def _change(self, node, *words):
        before = self.powers()
        said = json.loads(
            self.nodes[node].command(
                *("tx", "staking", *words, "--from", f"node{node}", "--chain-id", self.chain_id, *KEYRING),
                *("--node", f"tcp://127.0.0.1:{self.nodes[0].ports['rpc']}", "--gas", "500000"),
                *("--gas-prices", f"{10**11}{COIN}", "--yes", "--output", "json"),
            )
        )
        if said["code"]:
            raise EvmdError(f"staking refuses: {said['raw_log']}")
        self._wait("the set of validators changes", lambda: self.powers() != before)

    # ——— parts

    def _make_genesis(self):
        """The first node's genesis file, with everybody's accounts and the validators' own delegations; every node gets it."""
        first = self.nodes[0]
        for node in self.nodes:
            node.initialise(COIN)
        key = self.bank.key.hex().removeprefix("0x")
        first.command("keys", "unsafe-import-eth-key", "bank", key, *KEYRING, text="development\n")
        for node in self.nodes:
            account = node.command("keys", "show", node.name, "-a", *KEYRING).strip()
            first.command("genesis", "add-genesis-account", account, f"{RICH}{COIN}")
        first.command("genesis", "add-genesis-account", "bank", f"{10**6 * RICH}{COIN}", *KEYRING)
        path = first.folder / "config" / "genesis.json"
        path.write_text(json.dumps(_with_one_coin(json.loads(path.read_text()))))
        written = first.folder / "config" / "gentx"
        written.mkdir()
        for number, node in enumerate(self.nodes[: self.validators]):
            shutil.copy(path, node.folder / "config" / "genesis.json") if number else None
            node.command(
                *("genesis", "gentx", node.name, f"{1_000 * POWER}{COIN}", "--chain-id", self.chain_id, *KEYRING),
                *("--output-document", str(written / f"gentx-{number}.json"), "--gas-prices", f"{10**9}{COIN}"),
            )
        first.command("genesis", "collect-gentxs")
        for node in self.nodes[1:]:
            shutil.copy(path, node.folder / "config" / "genesis.json")

    def _launch(self, node):
        node.launch()
        self._watcher.stdin.write(f"{node.process.pid}\n")
        self._watcher.stdin.flush()

    def _wait(self, what, condition, within_s=PATIENCE_S):
        deadline = time.monotonic() + within_s
        while not condition():
            if time.monotonic() > deadline:
                raise EvmdError(f"not within {within_s:.0f} s: {what}\n{self._logs()}")
            time.sleep(0.05)

    def _logs(self):
        return "\n".join(f"--- {node.name}\n{node.log_tail()}" for node in self.nodes)


def _with_one_coin(genesis):
    """One coin for staking, fees, inflation and votes; a block's gas has a limit, which the EVM shows as its own."""
    state = genesis["app_state"]
    state["evm"]["params"]["evm_denom"] = COIN
    state["bank"]["denom_metadata"] = [
        {
            "description": "The coin of a development network.",
            "denom_units": [{"denom": COIN, "exponent": 0}, {"denom": "test", "exponent": 18}],
            "base": COIN,
            "display": "test",
            "name": "Test",
            "symbol": "TEST",
        }
    ]
    genesis["consensus"]["params"]["block"]["max_gas"] = str(MAX_GAS)
    return genesis
