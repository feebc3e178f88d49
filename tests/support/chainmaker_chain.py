"""A ChainMaker chain under TBFT, with real keys and certificates of either suite, built with Google's protobuf.

Every message is written by another encoder than the one under test. A hook spoils a header before its hash, a vote before or
after its signature, or a set of votes, so that a test can make what honest nodes never send.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from light_clients.chainmaker import ChainMakerConfiguration, ChainMakerState, apply, bootstrap, verify_header
from light_clients.chainmaker.claims import HEAD_MOVED, LOG_ANCHORED, MESSAGE_SENT
from schemas.primitives import BlockHash
from schemas.suites import integer_word, keccak256
from tests.support import chainmaker_opinion as opinion
from tests.support.certificate_authority import Issued, issue, root
from tests.support.chainmaker_messages import message

QUORUM_KEY = "TBFTAddtionalDataKey"
BEGAN = 1_790_000_000
SUITES = {"ecc": ("SHA256", "p256-sha256"), "sm": ("SM3", "sm2-sm3")}
GATEWAY, GATEWAY_VERSION = "RELAYGATEWAY1", "1.0"

Hook = Callable[[Any], None]


@dataclass(frozen=True)
class Node:
    """A consensus node: its name, its organisation and its signing certificate."""

    node_id: str
    organisation: str
    certificate: Issued
    authority: Issued


def consensus_node(label: str, organisation: str, authority: Issued, /, **certificate: Any) -> Node:
    """A node under an authority; further arguments as in `certificate_authority.issue`."""
    told = {"organisation": organisation, "units": ("consensus",), **certificate}
    digits = hashlib.sha256(label.encode()).hexdigest()[:44]
    return Node(f"Qm{digits}", organisation, issue(authority, f"{label}.sign", **told), authority)


def member(node: Node, **changed: Any) -> Any:
    """Who signs, by a certificate in PEM."""
    found = message("Member")
    found.org_id, found.member_info = node.organisation, node.certificate.pem
    for name, value in changed.items():
        setattr(found, name, value)
    return found


def transaction(
    label: str,
    *,
    contract: str = GATEWAY,
    method: str = "44e77d99",
    code: int = 0,
    contract_code: int = 0,
    result: bytes = b"",
    events: Sequence[tuple[str, str, str, Sequence[str]]] = (),
    writes: Sequence[tuple[str, bytes, bytes]] = (),
    tx_type: int = 0,
    gas: int = 84,
) -> tuple[Any, Any]:
    """A transaction and its read-write set.

    Args:
        label: gives its id.
        contract: that was called.
        method: of the contract.
        code: 0 for success.
        contract_code: 0 for success.
        result: what the contract returned.
        events: (topic, contract, version, data) each.
        writes: (contract, key, value) each.
        tx_type: 0 for a call of a contract.
        gas: that was used.
    """
    found = message("Transaction")
    found.payload.chain_id, found.payload.tx_id = "chain1", hashlib.sha256(label.encode()).hexdigest()
    found.payload.tx_type, found.payload.timestamp = tx_type, BEGAN
    found.payload.contract_name, found.payload.method = contract, method
    found.payload.limit.SetInParent()
    found.sender.signer.org_id = "org1"
    found.result.code = code
    inner = found.result.contract_result
    inner.code, inner.result, inner.gas_used = contract_code, result, gas
    for topic, name, version, data in events:
        inner.contract_event.add(
            topic=topic, tx_id=found.payload.tx_id, contract_name=name, contract_version=version, event_data=data
        )
    write_set = message("TxRWSet")
    write_set.tx_id = found.payload.tx_id
    for name, key, value in writes:
        write_set.tx_writes.add(key=key, value=value, contract_name=name)
    return found, write_set


def sent_event(lane: bytes, nonce: int, head: bytes, *, name: str = GATEWAY, version: str = GATEWAY_VERSION) -> Any:
    """MessageSent as the machine for Solidity reports it, with a short payload."""
    words = [keccak256(b"message"), head, *(integer_word(at) for at in (256, 320, 0, 100_000, 0, 384))]
    tails = [integer_word(20), b"\x11" * 20 + bytes(12)] * 2 + [integer_word(5), b"hello" + bytes(27)]
    return MESSAGE_SENT, name, version, (lane.hex(), integer_word(nonce).hex(), b"".join((*words, *tails)).hex())


def moved_event(
    lane: bytes, direction: int, nonce: int, head: bytes, *, name: str = GATEWAY, version: str = GATEWAY_VERSION
) -> Any:
    """HeadMoved as the machine for Solidity reports it."""
    data = (integer_word(nonce) + head).hex()
    return HEAD_MOVED, name, version, (lane.hex(), integer_word(direction).hex(), data)


def slot_write(lane: bytes, direction: int, head: bytes, *, name: str = GATEWAY) -> tuple[str, bytes, bytes]:
    """The write of a head: the slot in hexadecimal and the word, both without leading zero bytes."""
    slot = keccak256(lane + integer_word(direction)).lstrip(b"\0").hex().encode()
    return name, slot, head.lstrip(b"\0")


def noted_event(
    account: bytes, size: int, root: bytes, *, name: str = GATEWAY, version: str = GATEWAY_VERSION
) -> tuple[str, str, str, tuple[str, ...]]:
    """LogAnchored as the machine for Solidity reports it."""
    return LOG_ANCHORED, name, version, ((bytes(12) + account).hex(), (integer_word(size) + root).hex())


def note_writes(account: bytes, size: int, root: bytes, *, name: str = GATEWAY) -> list[tuple[str, bytes, bytes]]:
    """The writes of a note: two slots that follow each other, and their words."""
    first = int.from_bytes(keccak256(bytes(12) + account + integer_word(16)), "big")
    return [
        (name, integer_word(first + place).lstrip(b"\0").hex().encode(), word.lstrip(b"\0"))
        for place, word in enumerate((integer_word(size), root))
    ]


class ChainMakerChain:
    """A chain that grows block by block.

    Attributes:
        nodes: those that decide the next block.
        blocks: BlockInfo of every block, from the first one.
        config: the chain configuration in force.
    """

    def __init__(
        self, suite: str = "ecc", nodes: Sequence[Node] = (), *, version: int = 2_030_200, chain_id: str = "chain1"
    ) -> None:
        self.hash_name, self.scheme = SUITES[suite]
        self.version, self.chain_id = version, chain_id
        self.nodes = list(nodes) or [self.new_node(f"org{number}") for number in range(1, 5)]
        self.configuration_height = 0
        self.config = self.config_of(self.nodes, 0)
        first, write_set = transaction("genesis", contract="CHAIN_CONFIG", method="Genesis", gas=0)
        first.result.contract_result.result = self.config.SerializeToString()
        self.blocks: list[Any] = [self._assemble([(first, write_set)], None, BEGAN, block_type=1)]

    def new_node(self, organisation: str, label: str = "", **certificate: Any) -> Node:
        """A node of an organisation whose authority has this chain's kind of key."""
        authority = root(f"ca.{organisation}", self.scheme, organisation=organisation)
        return consensus_node(label or f"consensus1.{organisation}", organisation, authority, **certificate)

    def config_of(self, nodes: Sequence[Node], sequence: int, **changed: Any) -> Any:
        """A chain configuration with these nodes."""
        config = message("ChainConfig")
        config.chain_id, config.version, config.auth_type = self.chain_id, str(self.version), "permissionedWithCert"
        config.sequence, config.crypto.hash, config.consensus.type = sequence, self.hash_name, 1
        for organisation in dict.fromkeys(node.organisation for node in nodes):
            members = [node for node in nodes if node.organisation == organisation]
            config.consensus.nodes.add(org_id=organisation, node_id=[node.node_id for node in members])
            roots = dict.fromkeys(node.authority.pem.decode() for node in members)
            config.trust_roots.add(org_id=organisation, root=roots)
        for name, value in changed.items():
            setattr(config, name, value)
        return config

    @property
    def height(self) -> int:
        """Of the newest block."""
        return len(self.blocks) - 1

    def block(self, height: int) -> bytes:
        """A block in protobuf: the header argument of the light client."""
        return bytes(self.blocks[height].block.SerializeToString())

    def info(self, height: int) -> bytes:
        """A block with its read-write sets."""
        return bytes(self.blocks[height].SerializeToString())

    def hash_of(self, height: int) -> BlockHash:
        """Hash of a block."""
        return BlockHash(self.blocks[height].block.header.block_hash)

    def make(
        self,
        transactions: Sequence[tuple[Any, Any]] = (),
        *,
        proposer: Node | None = None,
        voters: Sequence[Node] | None = None,
        block_type: int = 0,
        timestamp: int | None = None,
        on_header: Hook | None = None,
        on_vote: Hook | None = None,
        on_signed_vote: Hook | None = None,
        on_votes: Hook | None = None,
    ) -> Any:
        """A BlockInfo on top of the chain that is not added to it.

        Args:
            transactions: with their read-write sets; one is made up where there are none.
            proposer: the first node where none is given.
            voters: the quorum where none are given.
            block_type: bit 0 for a configuration block.
            timestamp: one second later than the parent where none is given.
            on_header: changes the header before it is hashed.
            on_vote: changes each vote before it is signed.
            on_signed_vote: changes each vote after it was signed.
            on_votes: changes the set of votes.
        """
        parent = self.blocks[-1].block.header
        info = self._assemble(
            transactions or [transaction(f"block {self.height + 1}")],
            proposer or self.nodes[0],
            parent.block_timestamp + 1 if timestamp is None else timestamp,
            block_type=block_type,
            on_header=on_header,
        )
        quorum = len(self.nodes) * 2 // 3 + 1
        header, votes = info.block.header, message("VoteSet")
        votes.type, votes.height, votes.maj23, votes.sum = 1, header.block_height, header.block_hash, quorum
        for node in self.nodes[:quorum] if voters is None else voters:
            entry = votes.votes.add(key=node.node_id)
            self.sign_vote(entry.value, node, header, on_vote)
            if on_signed_vote:
                on_signed_vote(entry.value)
        by_block = votes.votes_by_block.add(key=base64.b64encode(header.block_hash).decode())
        by_block.value.votes.extend(votes.votes)
        if on_votes:
            on_votes(votes)
        info.block.additional_data.extra_data.add(key=QUORUM_KEY, value=votes.SerializeToString())
        return info

    def sign_vote(self, vote: Any, node: Node, header: Any, on_vote: Hook | None = None) -> None:
        """Fills a node's precommit for a header."""
        vote.type, vote.voter, vote.height, vote.hash = 1, node.node_id, header.block_height, header.block_hash
        if on_vote:
            on_vote(vote)
        vote.ClearField("endorsement")
        signature = node.certificate.key.sign(vote.SerializeToString())
        vote.endorsement.signer.CopyFrom(member(node))
        vote.endorsement.signature = signature

    def grow(self, transactions: Sequence[tuple[Any, Any]] = (), **told: Any) -> bytes:
        """Adds a block; arguments as for `make`."""
        self.blocks.append(self.make(transactions, **told))
        return self.block(self.height)

    def change(
        self, nodes: Sequence[Node] | None = None, *, config: Any = None, method: str = "NODE_ID_ADD", **told: Any
    ) -> bytes:
        """Adds a configuration block, decided by the present nodes, after which others decide."""
        following = list(self.nodes if nodes is None else nodes)
        config = config or self.config_of(following, self.config.sequence + 1)
        block = self.grow([self.config_transaction(config, method=method)], block_type=1, **told)
        self.nodes, self.config, self.configuration_height = following, config, self.height
        return block

    def config_transaction(self, config: Any, **told: Any) -> tuple[Any, Any]:
        """A call of CHAIN_CONFIG that returns a configuration."""
        result = config.SerializeToString()
        writes = [("CHAIN_CONFIG", b"CHAIN_CONFIG", result)]
        asked = {"contract": "CHAIN_CONFIG", "result": result, "writes": writes, "gas": 0, **told}
        return transaction(f"configuration {self.height}", **asked)

    def state(self, height: int = 0, configuration: ChainMakerConfiguration | None = None) -> ChainMakerState:
        """What a client trusts after it followed the chain from its first block."""
        configuration = configuration or ChainMakerConfiguration()
        state = bootstrap(self.block(0), self.hash_of(0), configuration)
        for number in range(1, height + 1):
            block = self.blocks[number].block
            verified = verify_header(state, self.block(number), block.header.block_timestamp)
            state = apply(state, verified)
        return state

    def state_stated(self, height: int, configuration: ChainMakerConfiguration | None = None) -> ChainMakerState:
        """What a client trusts that was pinned at a height, with the present configuration stated."""
        stated = replace(configuration or ChainMakerConfiguration(), chain_config=self.config.SerializeToString())
        return bootstrap(self.block(height), self.hash_of(height), stated)

    def _assemble(
        self,
        transactions: Sequence[tuple[Any, Any]],
        proposer: Node | None,
        timestamp: int,
        *,
        block_type: int = 0,
        on_header: Hook | None = None,
    ) -> Any:
        info, name = message("BlockInfo"), self.hash_name
        block, header = info.block, info.block.header
        for one, write_set in transactions:
            if not one.result.rw_set_hash:
                one.result.rw_set_hash = opinion.digest(name, write_set.SerializeToString())
            block.txs.add().CopyFrom(one)
            info.rwset_list.add().CopyFrom(write_set)
            block.dag.vertexes.add()
        header.block_version, header.block_type, header.chain_id = self.version, block_type, self.chain_id
        header.tx_count, header.block_timestamp = len(transactions), timestamp
        header.tx_root = opinion.transaction_root(name, block)
        header.rw_set_root = opinion.padded_root(name, [one.result.rw_set_hash for one in block.txs])
        header.dag_hash = opinion.digest(name, block.dag.SerializeToString())
        if proposer is not None:
            parent = self.blocks[-1].block.header
            header.block_height, header.pre_block_hash = parent.block_height + 1, parent.block_hash
            header.pre_conf_height = self.configuration_height
            header.proposer.CopyFrom(member(proposer))
        if on_header:
            on_header(header)
        header.block_hash = opinion.block_hash(name, header)
        if proposer is not None:
            header.signature = proposer.certificate.key.sign(header.block_hash)
        return info
