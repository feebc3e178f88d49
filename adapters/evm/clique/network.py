"""A Clique network of real geth nodes on this machine: signers that hear each other, blocks, and a bank that hands out coins."""

from __future__ import annotations

import json
import secrets
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from adapters.child_watch import ChildWatch
from adapters.ethereum.transactions import sign_legacy
from adapters.evm.clique.build import geth
from adapters.evm.clique.genesis import RICH, genesis
from adapters.evm.clique.links import Links
from adapters.evm.clique.node import PATIENCE_S, GethError, GethNode
from adapters.foreground import fresh_folder
from adapters.protocol import Call
from light_clients.crypto.secp256k1 import address_of
from schemas.primitives import hex0x

GAS_PRICE = 10**11
TRANSFER_GAS = 21_000


class CliqueNetwork:
    """Nodes 0 to n - 1 are the signers in the order of their addresses.

    With three signers each may seal every second block, so that two of them go on for ever and one alone seals one block more.

    Args:
        chain_id: the chain id.
        signers: how many.
        period_s: seconds between blocks; 0 seals a block when there are transactions, and none otherwise.
        london: whether there is a base fee; else the rules are Berlin's.
        epoch: blocks between two lists of the signers.
        prefunded: addresses (20 bytes) that are rich from the first block.
        options: further words of every node's command line.
        folder: where the nodes' files and keys are, new or empty, removed at the end; a temporary one unless given.

    Attributes:
        bank: private key of the account that hands out coins.
        keys: the signers' private keys.
    """

    def __init__(
        self,
        *,
        chain_id: int,
        signers: int = 3,
        period_s: int = 1,
        london: bool = True,
        epoch: int = 30_000,
        prefunded: Sequence[bytes] = (),
        options: Sequence[str] = (),
        folder: Path | None = None,
    ) -> None:
        """Choose the keys; nothing is started or written."""
        self.chain_id, self.period_s = chain_id, period_s
        self.bank = secrets.token_bytes(32)
        self.keys = sorted((secrets.token_bytes(32) for _ in range(signers)), key=address_of)
        self.nodes: list[GethNode] = []
        self.links = Links()
        self._options = list(options)
        self._genesis = genesis(
            chain_id,
            [address_of(key) for key in self.keys],
            period_s=period_s,
            epoch=epoch,
            london=london,
            rich=[address_of(self.bank), *prefunded],
        )
        self._wanted_folder = folder
        self._folder = Path()
        self._watch: ChildWatch | None = None

    # ——— life

    def start(self) -> Self:
        """Start every signer, connect them, and wait for the first block (with a period).

        Raises:
            BuildFailed: there is no geth and none could be built.
            FolderInUse: there is something in the folder.
            GethError: a node does not start.
        """
        binary = geth(_tell)
        self._folder = fresh_folder(self._wanted_folder, "rh-geth-")
        self._watch = ChildWatch(self._folder, binary)
        try:
            (self._folder / "genesis.json").write_text(json.dumps(self._genesis))
            keys = self._node_keys()
            self.nodes = [self._make(binary, number, key, len(keys)) for number, key in enumerate(keys)]
            self._make_ledgers()
            for number in range(len(self.nodes)):
                self._launch(number, seal=self._seals(number))
            for node in self.nodes:
                node.wait_ready()
            self.heal()
            if self.period_s:
                self.wait_for_height(1)
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
            _tell(self._logs())
        self.stop()

    @property
    def url(self) -> str:
        """The endpoint of node 0."""
        return self.nodes[0].url

    @property
    def urls(self) -> list[str]:
        """The endpoints of all nodes."""
        return [node.url for node in self.nodes]

    def rpc(self, method: str, *params: Any, node: int = 0) -> Any:
        """Call one method of a node."""
        return self.nodes[node].rpc(method, *params)

    def kill(self, node: int) -> None:
        """End a node as a crash does."""
        self.nodes[node].kill()

    def stop_node(self, node: int) -> None:
        """End a node as its operator does."""
        self.nodes[node].stop()

    def start_node(self, node: int, *, seal: bool = True) -> None:
        """Start a node that was ended, with an empty pool; it joins its neighbours again."""
        self._launch(node, seal=seal and self._seals(node))
        self.nodes[node].wait_ready()
        self.link()

    def restart(self, node: int) -> None:
        """Kill a node and start it again."""
        self.kill(node)
        self.start_node(node)

    def heal(self) -> None:
        """Let everybody hear everybody."""
        self.links.group_of = {}
        self.link()

    def link(self) -> None:
        """Wait until the nodes that run hear whom they should, and no other."""
        heard, wanted = self.links.arrange(self.nodes)
        self.wait(lambda: f"nodes hear each other: {wanted}, not {heard()}", lambda: heard() == wanted)

    # ——— blocks

    def seal(self, node: int, *, on: bool) -> None:
        """Let a node seal, or not."""
        self.nodes[node].rpc("miner_start" if on else "miner_stop")

    def height(self, node: int = 0) -> int:
        """The height of a node's newest block."""
        return self.nodes[node].height()

    def wait_for_height(self, height: int, *, nodes: Sequence[int] | None = None) -> None:
        """Wait until nodes (all that run, unless named) have a block of this height."""
        chosen = self.chosen(nodes)
        self.wait(f"height {height}", lambda: all(node.height() >= height for node in chosen))

    def wait_blocks(self, count: int, *, node: int = 0) -> int:
        """Wait for further blocks at a node; returns its height then."""
        target = self.height(node) + count
        self.wait_for_height(target, nodes=[node])
        return target

    # ——— coins

    def fund(self, *addresses: bytes, wei: int = RICH // 1_000) -> None:
        """Send coins to addresses (20 bytes) out of the bank's account; returns when all have them."""
        nonce = int(self.rpc("eth_getTransactionCount", hex0x(address_of(self.bank)), "pending"), 16)
        sent = []
        for number, address in enumerate(addresses, nonce):
            transfer = Call(address, b"", TRANSFER_GAS)
            signed = sign_legacy(
                self.bank, chain_id=self.chain_id, nonce=number, call=transfer, gas_price=GAS_PRICE, value=wei
            )
            sent.append(self.rpc("eth_sendRawTransaction", hex0x(signed.raw)))
        self.wait("coins arrive", lambda: all(self._mined(item) for item in sent))

    def _mined(self, transaction: str) -> bool:
        """Whether there is a receipt; a node that just started says that it is not ready for the question."""
        try:
            return self.rpc("eth_getTransactionReceipt", transaction) is not None
        except GethError as error:
            if "indexing is in progress" not in str(error):
                raise
            return False

    # ——— parts

    def chosen(self, nodes: Sequence[int] | None) -> list[GethNode]:
        """The nodes of these numbers; all that run if none are named."""
        if nodes is None:
            return [node for node in self.nodes if node.running]
        return [self.nodes[number] for number in nodes]

    def wait(self, what: str | Callable[[], str], condition: Callable[[], bool]) -> None:
        """Wait until something is so.

        Raises:
            GethError: it does not become so.
        """
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            if time.monotonic() > deadline:
                text = what() if callable(what) else what
                raise GethError(f"not within {PATIENCE_S:.0f} s: {text}\n{self._logs()}")
            time.sleep(0.05)

    def _node_keys(self) -> list[bytes]:
        """The key of each node."""
        return self.keys

    def _seals(self, number: int) -> bool:
        """Whether a node seals from its start."""
        del number
        return True

    def _make(self, binary: Path, number: int, key: bytes, nodes: int) -> GethNode:
        """A node whose most peers are all the others: it looks for a heavier chain as soon as it has them."""
        peers = max(1, nodes - 1)
        path, folder = self._folder / "genesis.json", self._folder / f"node-{number}"
        return GethNode(f"node {number}", binary, folder, path, self.chain_id, key, peers, self._options)

    def _make_ledgers(self) -> None:
        """Write the genesis block into every node's folder, all at once."""
        writing = [node.make_ledger() for node in self.nodes]
        ended = [process.wait(PATIENCE_S) for process in writing]
        if any(ended):
            raise GethError(f"geth does not take the genesis:\n{self._logs()}")

    def _launch(self, number: int, *, seal: bool = True) -> None:
        node = self.nodes[number]
        node.launch(seal=seal)
        if self._watch is not None and node.process is not None:
            self._watch.add(node.process.pid)
        self.links.started(number, len(self.nodes))

    def _logs(self) -> str:
        return "\n".join(f"--- {node.name}\n{node.log_tail()}" for node in self.nodes)


def _tell(line: str) -> None:
    sys.stderr.write(line + "\n")
