"""Blocks of the simulator: roots, hashes, the proposer's signature and TBFT's votes, as ChainMaker 2.3.2 makes them.

Formats: the light client's `codec`, `merkle` and `transactions`, which judge these blocks and real ones alike.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from adapters.chainmaker.simulator.material import Organisation
from adapters.chainmaker.stubs import chainmaker_pb2 as pb
from light_clients.chainmaker.merkle import HASHES, merkle_root

VERSION = 2_030_200
QUORUM_KEY = "TBFTAddtionalDataKey"
CONFIGURATION_BLOCK = 1
PRECOMMIT = 1
GENESIS_TIME = 1_606_669_261
"""The time that ChainMaker gives to the first block where nobody says another one."""


@dataclass(frozen=True)
class Entry:
    """A transaction with its result, and its read-write set."""

    transaction: pb.Transaction
    write_set: pb.TxRWSet


def quorum_of(nodes: int) -> int:
    """Votes that decide a block."""
    return nodes * 2 // 3 + 1


def assemble(
    entries: Sequence[Entry],
    *,
    hash_name: str,
    chain: str,
    height: int,
    parent: bytes,
    configuration_height: int,
    timestamp: int,
    proposer: Organisation | None,
    is_configuration: bool,
) -> pb.BlockInfo:
    """Put a block together and sign it as its proposer; votes come later.

    Args:
        entries: the transactions in order.
        hash_name: the chain's hash.
        chain: its name.
        height: of the block.
        parent: hash of the block before, empty for the first one.
        configuration_height: of the last configuration block.
        timestamp: Unix seconds.
        proposer: whose node proposes; nobody's for the first block.
        is_configuration: whether it changes the configuration.
    """
    digest = HASHES[hash_name]
    info = pb.BlockInfo()
    block, leaves = info.block, []
    for number, entry in enumerate(entries):
        entry.transaction.result.rw_set_hash = digest(entry.write_set.SerializeToString())
        block.txs.add().CopyFrom(entry.transaction)
        info.rwset_list.add().CopyFrom(entry.write_set)
        block.dag.vertexes.add(neighbors=[number - 1] if number else [])
        gasless = pb.Transaction()
        gasless.CopyFrom(entry.transaction)
        gasless.result.contract_result.gas_used = 0
        leaves.append(digest(gasless.SerializeToString()))
    header = block.header
    header.block_version, header.chain_id, header.block_height = VERSION, chain, height
    header.block_type = CONFIGURATION_BLOCK if is_configuration else 0
    header.pre_block_hash, header.pre_conf_height = parent, configuration_height
    header.tx_count, header.block_timestamp = len(entries), timestamp
    header.tx_root = merkle_root(digest, leaves)
    header.rw_set_root = merkle_root(digest, [entry.transaction.result.rw_set_hash for entry in entries])
    header.dag_hash = digest(block.dag.SerializeToString())
    if proposer is not None:
        header.proposer.CopyFrom(proposer.member(proposer.node))
    header.block_hash = digest(header.SerializeToString())
    if proposer is not None:
        header.signature = proposer.node.key.sign(header.block_hash)
    return info


def decide(info: pb.BlockInfo, voters: Sequence[Organisation]) -> None:
    """Add the precommits of these nodes to a block."""
    header = info.block.header
    votes = pb.VoteSet(type=PRECOMMIT, height=header.block_height, sum=len(voters), maj23=header.block_hash)
    for organisation in voters:
        vote = pb.Vote(type=PRECOMMIT, voter=organisation.node_id, height=header.block_height, hash=header.block_hash)
        vote.endorsement.CopyFrom(organisation.endorse(organisation.node, vote.SerializeToString()))
        votes.votes.add(key=vote.voter).value.CopyFrom(vote)
    by_block = votes.votes_by_block.add(key=base64.b64encode(header.block_hash).decode())
    by_block.value.votes.extend(votes.votes)
    by_block.value.sum = len(voters)
    info.block.ClearField("additional_data")
    info.block.additional_data.extra_data.add(key=QUORUM_KEY, value=votes.SerializeToString())
