"""A Clique network of real geth nodes on this machine: signers that are killed, partitioned, voted out, and made to fork.

With three signers each may seal every second block, so that two of them go on for ever and one alone seals one block more.
A fork of any depth therefore needs one key at both sides: the twin, a second node with a signer's key.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from eth_account import Account
from eth_utils import to_checksum_address

from tests.support.geth_build import geth
from tests.support.geth_links import Links
from tests.support.geth_node import PATIENCE_S, GethError, GethNode

RICH = 10**27
WATCH = """
import os, shutil, signal, sys
for pid in [int(line) for line in sys.stdin]:
    try:
        if os.readlink(f"/proc/{pid}/exe") == sys.argv[2]:
            os.kill(pid, signal.SIGKILL)
    except OSError:
        pass
shutil.rmtree(sys.argv[1], ignore_errors=True)
"""
"""Ends the nodes and removes the keys when the program that started them is gone, however it ended."""


class GethNetwork:
    """Nodes 0 to n - 1 are the signers in the order of their addresses.

    Args:
        chain_id: the chain id.
        signers: how many.
        period_s: seconds between blocks; 0 seals a block when there are transactions, and none otherwise.
        london: whether there is a base fee; else the rules are Berlin's.
        epoch: blocks between two lists of the signers.
        prefunded: addresses (20 bytes) that are rich from the first block.
        options: further words of every node's command line.
        twin: whether node n has the key of signer 1, for `split`; it seals only then.
    """

    def __init__(
        self, *, chain_id, signers=3, period_s=1, london=True, epoch=30_000, prefunded=(), options=(), twin=False
    ):
        self.chain_id, self.period_s = chain_id, period_s
        self.bank = Account.create()
        self.keys = sorted((Account.create() for _ in range(signers)), key=lambda key: key.address.lower())
        self.nodes = []
        self._options, self._genesis = list(options), self._genesis_of(london, epoch, prefunded)
        self.twin = signers if twin else None
        self._links = Links()
        self._folder = self._watcher = None

    # ——— life

    def start(self):
        """Start every signer, connect them, and wait for the first block (with a period)."""
        binary = geth(print)
        self._folder = Path(tempfile.mkdtemp(prefix="rh-geth-"))
        self._watcher = subprocess.Popen(
            [sys.executable, "-c", WATCH, self._folder, binary], stdin=subprocess.PIPE, text=True
        )
        try:
            (self._folder / "genesis.json").write_text(json.dumps(self._genesis))
            keys = [*self.keys, *([self.keys[1]] if self.twin else [])]
            self.nodes = [self._make(binary, number, key, len(keys)) for number, key in enumerate(keys)]
            writing = [node.make_ledger() for node in self.nodes]
            assert [process.wait(PATIENCE_S) for process in writing] == [0] * len(writing), self._logs()
            for number in range(len(self.nodes)):
                self._launch(number, seal=number != self.twin)
            for node in self.nodes:
                node.wait_ready()
            self.heal()
            if self.period_s:
                self.wait_for_height(1)
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
        """The endpoint of node 0."""
        return self.nodes[0].url

    @property
    def urls(self):
        """The endpoints of all nodes."""
        return [node.url for node in self.nodes]

    def rpc(self, method, *params, node=0):
        """Call one method of a node."""
        return self.nodes[node].rpc(method, *params)

    def kill(self, node):
        """End a node as a crash does."""
        self.nodes[node].kill()

    def stop_node(self, node):
        """End a node as its operator does."""
        self.nodes[node].stop()

    def start_node(self, node, *, seal=True):
        """Start a node that was ended, with an empty pool; it joins its neighbours again."""
        self._launch(node, seal=seal and node != self.twin)
        self.nodes[node].wait_ready()
        self._link()

    def restart(self, node):
        """Kill a node and start it again."""
        self.kill(node)
        self.start_node(node)

    # ——— who hears whom

    def partition(self, *groups):
        """Let nodes hear only those of their own group; those that are in none hear nobody."""
        alone = {node: f"alone {node}" for node in range(len(self.nodes))}
        self._links.group_of = alone | {node: number for number, group in enumerate(groups) for node in group}
        self._link()

    def heal(self):
        """Let everybody hear everybody."""
        self._links.group_of = {}
        self._link()

    def _link(self):
        """Wait until the nodes that run hear whom they should, and no other."""
        heard, wanted = self._links.arrange(self.nodes)
        self._wait(lambda: f"nodes hear each other: {wanted}, not {heard()}", lambda: heard() == wanted)

    # ——— blocks

    def seal(self, node, *, on):
        """Let a node seal, or not."""
        self.nodes[node].rpc("miner_start" if on else "miner_stop")

    def seal_pool(self, node=0):
        """Let a node that does not seal do it until nothing waits in its pool."""
        self.seal(node, on=True)
        self._wait("the pool is empty", lambda: self.rpc("txpool_status", node=node)["pending"] == "0x0")
        self.seal(node, on=False)

    def height(self, node=0):
        """The height of a node's newest block."""
        return self.nodes[node].height()

    def wait_for_height(self, height, *, nodes=None):
        """Wait until nodes (all that run, unless named) have a block of this height."""
        chosen = self._chosen(nodes)
        self._wait(f"height {height}", lambda: all(node.height() >= height for node in chosen))

    def wait_blocks(self, count, *, node=0):
        """Wait for further blocks at a node; returns its height then."""
        target = self.height(node) + count
        self.wait_for_height(target, nodes=[node])
        return target

    def wait_agreed(self, *, nodes=None):
        """Wait until nodes (all that run, unless named) have one block at the height of the lowest of them; returns that height."""
        chosen, agreed = self._chosen(nodes), []

        def same():
            height = min(node.height() for node in chosen)
            agreed[:] = [height]
            return len({node.block(height)["hash"] for node in chosen}) == 1

        self._wait("the nodes have one chain", same)
        return agreed[0]

    def hash_at(self, height, *, node=0):
        """The hash of a node's block; empty where it has none."""
        block = self.nodes[node].block(height)
        return block["hash"] if block else ""

    def sealer(self, height, *, node=0):
        """The number of the signer who sealed a node's block."""
        address = self.rpc("clique_getSigner", hex(height), node=node)
        return [key.address.lower() for key in self.keys].index(address)

    def signers(self, *, node=0):
        """The numbers of the signers by a node's newest block."""
        listed = set(self.rpc("clique_getSigners", node=node))
        return [number for number, key in enumerate(self.keys) if key.address.lower() in listed]

    def propose(self, subject, *, signs, by=None):
        """Let signers (all others, unless named) vote a signer in or out; returns when every node that runs counts it so."""
        voters = by if by is not None else [number for number in range(len(self.keys)) if number != subject]
        address = self.keys[subject].address
        for voter in voters:
            self.rpc("clique_propose", address, signs, node=voter)
        living = [number for number, node in enumerate(self.nodes) if node.running]
        self._wait(
            f"signer {subject} {'signs' if signs else 'is out'}",
            lambda: all((subject in self.signers(node=number)) == signs for number in living),
        )
        for voter in voters:
            self.rpc("clique_discard", address, node=voter)

    # ——— forks

    def lone_block(self, node, before=lambda: None):
        """Part a node from all others and let it seal the one block that it may; returns the block's height.

        Args:
            node: which one.
            before: called when it is parted and does not seal yet: what it sends to the node stands in the block.
        """
        self.seal(node, on=False)
        self.wait_blocks(2, node=node)  # by others, so that this signer's turn may come
        self.partition([other for other in range(len(self.nodes)) if other != node])
        height = self.height(node) + 1
        before()
        self.seal(node, on=True)
        self.wait_for_height(height, nodes=[node])
        others = [other for other in range(len(self.nodes)) if other != node]
        self.wait_for_height(height + 2, nodes=others)
        assert self.hash_at(height, node=node) != self.hash_at(height, node=others[0])
        return height

    def split(self):
        """Part a network of three into signers 0 and 1, and signer 2 with a twin of signer 1; both sides go on.

        Returns:
            The height of the last block that both have.
        """
        self.wait_agreed()
        self.partition((0, 1), (2, self.twin))
        self.seal(self.twin, on=True)
        fork = [0]

        def forked():
            tops = min(self.height(0), self.height(2))
            while fork[0] < tops and self.hash_at(fork[0] + 1) == self.hash_at(fork[0] + 1, node=2):
                fork[0] += 1
            return fork[0] < tops

        self._wait("the two sides have different blocks", forked)
        return fork[0]

    def join(self):
        """Let the side of signer 2 and the twin outweigh the other, and connect them: the other side's blocks are gone.

        Nobody seals afterwards but for blocks that were under way (a signer who is told to stop finishes his).

        Returns:
            The height of node 0 when it has the other side's blocks.
        """
        for node in (0, 1):
            self.seal(node, on=False)
        lost = self.nodes[0].block()
        height, weight = _size(lost)
        self._wait(
            "one side outweighs the other",
            lambda: all(
                mine > its for mine, its in zip(_size(self.nodes[2].block()), (height + 1, weight + 2), strict=True)
            ),
        )
        for node in (2, self.twin):
            self.seal(node, on=False)
        self.heal()
        self._wait(
            "the losing side has the winning one's blocks",
            lambda: all(self.hash_at(height, node=node) not in ("", lost["hash"]) for node in (0, 1)),
        )
        return self.height()

    # ——— coins

    def fund(self, *addresses, wei=RICH // 1_000):
        """Send coins to addresses (20 bytes) out of the bank's account; returns when all have them."""
        nonce = int(self.rpc("eth_getTransactionCount", self.bank.address, "pending"), 16)
        sent = []
        for number, address in enumerate(addresses):
            transaction = {
                "to": to_checksum_address(address),
                "value": wei,
                "gas": 21_000,
                "gasPrice": 10**11,
                "nonce": nonce + number,
                "chainId": self.chain_id,
            }
            raw = self.bank.sign_transaction(transaction).raw_transaction.hex().removeprefix("0x")
            sent.append(self.rpc("eth_sendRawTransaction", "0x" + raw))
        self._wait("coins arrive", lambda: all(self._mined(item) for item in sent))

    def _mined(self, transaction):
        """Whether there is a receipt; a node that just started says that it is not ready for the question."""
        try:
            return self.rpc("eth_getTransactionReceipt", transaction) is not None
        except GethError as error:
            if "indexing is in progress" not in str(error):
                raise
            return False

    # ——— parts

    def _make(self, binary, number, key, nodes):
        """A node whose most peers are all the others: it looks for a heavier chain as soon as it has them."""
        peers = max(1, nodes - 1)
        genesis, folder = self._folder / "genesis.json", self._folder / f"node-{number}"
        return GethNode(f"node {number}", binary, folder, genesis, self.chain_id, key, peers, self._options)

    def _launch(self, number, *, seal=True):
        node = self.nodes[number]
        node.launch(seal=seal)
        self._watcher.stdin.write(f"{node.process.pid}\n")
        self._watcher.stdin.flush()
        self._links.started(number, len(self.nodes))

    def _chosen(self, nodes):
        return [self.nodes[number] for number in nodes] if nodes is not None else [n for n in self.nodes if n.running]

    def _wait(self, what, condition, within_s=PATIENCE_S):
        deadline = time.monotonic() + within_s
        while not condition():
            if time.monotonic() > deadline:
                text = what() if callable(what) else what
                raise GethError(f"not within {within_s:.0f} s: {text}\n{self._logs()}")
            time.sleep(0.05)

    def _logs(self):
        return "\n".join(f"--- {node.name}\n{node.log_tail()}" for node in self.nodes)

    def _genesis_of(self, london, epoch, prefunded):
        blocks = ["homestead", "eip150", "eip155", "eip158", "byzantium", "constantinople", "petersburg", "istanbul"]
        rules = {f"{name}Block": 0 for name in [*blocks, "berlin", *(["london"] if london else [])]}
        rich = [self.bank.address.removeprefix("0x"), *(address.hex() for address in prefunded)]
        return {
            "config": {"chainId": self.chain_id, **rules, "clique": {"period": self.period_s, "epoch": epoch}},
            "timestamp": hex(int(time.time())),
            "difficulty": "0x1",
            "gasLimit": hex(30_000_000),
            "extraData": "0x" + "00" * 32 + "".join(key.address[2:].lower() for key in self.keys) + "00" * 65,
            "alloc": {address: {"balance": hex(RICH)} for address in rich},
        }


def _size(block):
    """Height and total difficulty."""
    return int(block["number"], 16), int(block["totalDifficulty"], 16)
