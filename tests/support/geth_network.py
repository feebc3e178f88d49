"""The Clique network of `adapters.evm.clique` with what tests do to it: signers that are partitioned, voted out, and made to fork.

With three signers each may seal every second block, so that two of them go on for ever and one alone seals one block more.
A fork of any depth therefore needs one key at both sides: the twin, a second node with a signer's key.
"""

from adapters.evm.clique.network import CliqueNetwork
from light_clients.crypto.secp256k1 import address_of


class GethNetwork(CliqueNetwork):
    """Nodes 0 to n - 1 are the signers in the order of their addresses.

    Args:
        twin: whether node n has the key of signer 1, for `split`; it seals only then.
        network: of `CliqueNetwork`.
    """

    def __init__(self, *, signers=3, twin=False, **network):
        super().__init__(signers=signers, **network)
        self.twin = signers if twin else None

    @property
    def addresses(self):
        """The signers' addresses, `0x…` in lower case."""
        return ["0x" + address_of(key).hex() for key in self.keys]

    def _node_keys(self):
        return [*self.keys, *([self.keys[1]] if self.twin else [])]

    def _seals(self, number):
        return number != self.twin

    # ——— who hears whom

    def partition(self, *groups):
        """Let nodes hear only those of their own group; those that are in none hear nobody."""
        alone = {node: f"alone {node}" for node in range(len(self.nodes))}
        self.links.group_of = alone | {node: number for number, group in enumerate(groups) for node in group}
        self.link()

    # ——— blocks

    def seal_pool(self, node=0):
        """Let a node that does not seal do it until nothing waits in its pool."""
        self.seal(node, on=True)
        self.wait("the pool is empty", lambda: self.rpc("txpool_status", node=node)["pending"] == "0x0")
        self.seal(node, on=False)

    def wait_agreed(self, *, nodes=None):
        """Wait until nodes (all that run, unless named) have one block at the height of the lowest of them; returns that height."""
        chosen, agreed = self.chosen(nodes), []

        def same():
            height = min(node.height() for node in chosen)
            agreed[:] = [height]
            return len({node.block(height)["hash"] for node in chosen}) == 1

        self.wait("the nodes have one chain", same)
        return agreed[0]

    def hash_at(self, height, *, node=0):
        """The hash of a node's block; empty where it has none."""
        block = self.nodes[node].block(height)
        return block["hash"] if block else ""

    def sealer(self, height, *, node=0):
        """The number of the signer who sealed a node's block."""
        address = self.rpc("clique_getSigner", hex(height), node=node)
        return self.addresses.index(address)

    def signers(self, *, node=0):
        """The numbers of the signers by a node's newest block."""
        listed = set(self.rpc("clique_getSigners", node=node))
        return [number for number, address in enumerate(self.addresses) if address in listed]

    def propose(self, subject, *, signs, by=None):
        """Let signers (all others, unless named) vote a signer in or out; returns when every node that runs counts it so."""
        voters = by if by is not None else [number for number in range(len(self.keys)) if number != subject]
        address = self.addresses[subject]
        for voter in voters:
            self.rpc("clique_propose", address, signs, node=voter)
        living = [number for number, node in enumerate(self.nodes) if node.running]
        self.wait(
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

        self.wait("the two sides have different blocks", forked)
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
        self.wait(
            "one side outweighs the other",
            lambda: all(
                mine > its for mine, its in zip(_size(self.nodes[2].block()), (height + 1, weight + 2), strict=True)
            ),
        )
        for node in (2, self.twin):
            self.seal(node, on=False)
        self.heal()
        self.wait(
            "the losing side has the winning one's blocks",
            lambda: all(self.hash_at(height, node=node) not in ("", lost["hash"]) for node in (0, 1)),
        )
        return self.height()


def _size(block):
    """Height and total difficulty."""
    return int(block["number"], 16), int(block["totalDifficulty"], 16)
