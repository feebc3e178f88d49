"""An evmd network on this machine: an EVM on CometBFT, with one to four validators that are killed, restarted, and given power.

The EVM's chain id is 262,144 on every such network; the Cosmos chain's name tells them apart.
"""

from __future__ import annotations

import json
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from adapters.child_watch import ChildWatch
from adapters.cosmos.devnet.build import evmd
from adapters.cosmos.devnet.node import KEYRING, PATIENCE_S, EvmdError, EvmdNode
from adapters.ethereum.transactions import address_of_key, sign_legacy
from adapters.foreground import fresh_folder
from adapters.protocol import Call
from schemas.primitives import hex0x

COIN = "atest"
EVM_CHAIN_ID = 262_144
POWER = 10**18
"""Base units that make one unit of voting power."""
RICH = 10**27
MAX_GAS = 40_000_000
GAS_PRICE = 10**11


class EvmdNetwork:
    """Nodes 0 to n - 1 are validators of equal power from the first block; the nodes after them only follow.

    Args:
        chain_id: the Cosmos chain's name.
        validators: how many.
        followers: further nodes, which `bond` makes validators.
        block_s: seconds between a block and the next proposal.
        prefunded: addresses (20 bytes) that get coins at the start.
        folder: where the nodes' files and keys are, new or empty, removed at the end; a temporary one unless given.

    Attributes:
        bank: private key of the account that hands out coins.
    """

    def __init__(
        self,
        *,
        chain_id: str = "relayhub-1",
        validators: int = 1,
        followers: int = 0,
        block_s: float = 1.0,
        prefunded: Sequence[bytes] = (),
        folder: Path | None = None,
    ) -> None:
        """Choose the bank's key; nothing is started or written."""
        self.chain_id, self.validators, self.followers, self.block_s = chain_id, validators, followers, block_s
        self.bank = secrets.token_bytes(32)
        self.nodes: list[EvmdNode] = []
        self._prefunded = list(prefunded)
        self._wanted_folder = folder
        self._folder = Path()
        self._watch: ChildWatch | None = None

    # ——— life

    def start(self) -> Self:
        """Make the genesis, start every node and wait for the second block.

        Raises:
            BuildFailed: there is no evmd and none could be built.
            FolderInUse: there is something in the folder.
            EvmdError: a node does not start.
        """
        binary = evmd(lambda line: sys.stderr.write(line + "\n"))
        self._folder = fresh_folder(self._wanted_folder, "rh-evmd-")
        self._watch = ChildWatch(self._folder, binary)
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

    def stop(self) -> None:
        """Kill every node and remove everything."""
        for node in self.nodes:
            node.close()
        if self._watch is not None:
            self._watch.close()
            self._watch = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None and issubclass(kind, Exception):
            sys.stderr.write(self._logs() + "\n")
        self.stop()

    @property
    def url(self) -> str:
        """The endpoint of node 0, as the adapter `cosmos` takes it."""
        return self.nodes[0].endpoint

    @property
    def urls(self) -> list[str]:
        """The endpoints of all nodes."""
        return [node.endpoint for node in self.nodes]

    def rpc(self, method: str, *params: Any, node: int = 0) -> Any:
        """Call one method of a node's Ethereum JSON-RPC."""
        return self.nodes[node].rpc(method, *params)

    def kill(self, node: int) -> None:
        """End a node as a crash does."""
        self.nodes[node].kill()

    def stop_node(self, node: int) -> None:
        """End a node as its operator does."""
        self.nodes[node].stop()

    def start_node(self, node: int) -> None:
        """Start a node that was ended."""
        self._launch(self.nodes[node])
        self.nodes[node].wait_ready()

    def restart(self, node: int) -> None:
        """Kill a node and start it again."""
        self.kill(node)
        self.start_node(node)

    # ——— blocks

    def height(self, node: int = 0) -> int:
        """The height of a node's newest block."""
        return self.nodes[node].height()

    def wait_for_height(self, height: int, *, nodes: Sequence[int] | None = None) -> None:
        """Wait until nodes (all that run, unless named) have a block of this height."""
        chosen = [self.nodes[number] for number in nodes] if nodes else [node for node in self.nodes if node.running]
        self._wait(f"height {height}", lambda: all(node.height() >= height for node in chosen))

    def wait_blocks(self, count: int, *, node: int = 0) -> int:
        """Wait for further blocks at a node; returns its height then."""
        target = self.height(node) + count
        self.wait_for_height(target, nodes=[node])
        return self.height(node)

    # ——— coins and power

    def fund(self, *addresses: bytes, wei: int = RICH // 1_000) -> None:
        """Send coins to addresses (20 bytes) out of the bank's account; returns when all have them."""
        bank = hex0x(address_of_key(self.bank))
        nonce = int(self.rpc("eth_getTransactionCount", bank, "pending"), 16)
        for number, address in enumerate(addresses, nonce):
            transfer = Call(address, b"", 21_000)
            signed = sign_legacy(
                self.bank, chain_id=EVM_CHAIN_ID, nonce=number, call=transfer, gas_price=GAS_PRICE, value=wei
            )
            self.rpc("eth_sendRawTransaction", hex0x(signed.raw))
        last = nonce + len(addresses)
        self._wait("coins arrive", lambda: int(self.rpc("eth_getTransactionCount", bank, "latest"), 16) >= last)

    def powers(self, height: int | None = None) -> dict[str, int]:
        """Voting powers by validator address at a height (the newest, unless given)."""
        asked = {} if height is None else {"height": str(height)}
        found = self.nodes[0].consensus("validators", per_page="100", **asked)["validators"]
        return {member["address"]: int(member["voting_power"]) for member in found}

    def delegate(self, node: int, power: int) -> None:
        """Give a validator more power out of its operator's coins; returns when the next set has it."""
        operator = self.nodes[node].command("keys", "show", f"node{node}", "--bech", "val", "-a", *KEYRING).strip()
        self._change(node, "delegate", operator, f"{power * POWER}{COIN}")

    def bond(self, node: int, power: int) -> None:
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

    def _change(self, node: int, *words: str) -> None:
        before = self.powers()
        said = json.loads(
            self.nodes[node].command(
                *("tx", "staking", *words, "--from", f"node{node}", "--chain-id", self.chain_id, *KEYRING),
                *("--node", f"tcp://127.0.0.1:{self.nodes[0].ports['rpc']}", "--gas", "500000"),
                *("--gas-prices", f"{GAS_PRICE}{COIN}", "--yes", "--output", "json"),
            )
        )
        if said["code"]:
            raise EvmdError(f"staking refuses: {said['raw_log']}")
        self._wait("the set of validators changes", lambda: self.powers() != before)

    # ——— parts

    def _make_genesis(self) -> None:
        """The first node's genesis file, with everybody's accounts and the validators' own delegations; every node gets it."""
        first = self.nodes[0]
        for node in self.nodes:
            node.initialise(COIN)
        first.command("keys", "unsafe-import-eth-key", "bank", self.bank.hex(), *KEYRING, text="development\n")
        for node in self.nodes:
            account = node.command("keys", "show", node.name, "-a", *KEYRING).strip()
            first.command("genesis", "add-genesis-account", account, f"{RICH}{COIN}")
        first.command("genesis", "add-genesis-account", "bank", f"{10**6 * RICH}{COIN}", *KEYRING)
        path = first.folder / "config" / "genesis.json"
        path.write_text(json.dumps(_with_one_coin(json.loads(path.read_text()))))
        written = first.folder / "config" / "gentx"
        written.mkdir()
        for number, node in enumerate(self.nodes[: self.validators]):
            if number:
                shutil.copy(path, node.folder / "config" / "genesis.json")
            node.command(
                *("genesis", "gentx", node.name, f"{1_000 * POWER}{COIN}", "--chain-id", self.chain_id, *KEYRING),
                *("--output-document", str(written / f"gentx-{number}.json"), "--gas-prices", f"{10**9}{COIN}"),
            )
        first.command("genesis", "collect-gentxs")
        for node in self.nodes[1:]:
            shutil.copy(path, node.folder / "config" / "genesis.json")

    def _launch(self, node: EvmdNode) -> None:
        node.launch()
        if self._watch is not None and node.process is not None:
            self._watch.add(node.process.pid)

    def _wait(self, what: str, condition: Callable[[], bool], within_s: float = PATIENCE_S) -> None:
        deadline = time.monotonic() + within_s
        while not condition():
            if time.monotonic() > deadline:
                raise EvmdError(f"not within {within_s:.0f} s: {what}\n{self._logs()}")
            time.sleep(0.05)

    def _logs(self) -> str:
        return "\n".join(f"--- {node.name}\n{node.log_tail()}" for node in self.nodes)


def _with_one_coin(genesis: dict[str, Any]) -> dict[str, Any]:
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
