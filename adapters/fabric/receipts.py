"""What became of transactions, by the peer's index of ids (Fabric 3.1 `core/scc/qscc`)."""

from __future__ import annotations

from google.protobuf.message import DecodeError

from adapters.fabric.blocks import VALID, find_entry, read_peer_block
from adapters.fabric.identities import SigningIdentity
from adapters.fabric.peers import Nodes
from adapters.fabric.stubs import relayhub_fabric_pb2 as messages
from adapters.protocol import BadAnswer, Receipt, Rejected

GAS = 1
"""There is none: what a call may use, and what a transaction is said to have used."""

_UNKNOWN = ("no such transaction", "not found in index")
"""How peers say that an id is in no block that they have."""


def fetch_receipt(nodes: Nodes, identity: SigningIdentity, transaction: bytes) -> Receipt | None:
    """Ask the own peer for the block of a transaction; None where it is in none.

    Raises:
        BadAnswer: what it answers is no block with this transaction.
        AdapterError: by kind.
    """
    label = nodes.own.label
    arguments = [b"GetBlockByTxID", nodes.channel.encode(), transaction.hex().encode()]
    try:
        data = nodes.ask(nodes.own, identity, "qscc", arguments).output
    except Rejected as refusal:
        if any(words in str(refusal).lower() for words in _UNKNOWN):
            return None
        raise
    try:
        height = messages.BlockHeader.FromString(messages.Block.FromString(data).header).number
    except DecodeError as error:
        raise BadAnswer(f"{label} answers no block; leave it.", endpoint=label) from error
    block = read_peer_block(data, height)
    entry = find_entry(block, transaction)
    if entry is None:
        raise BadAnswer(f"{label} answers a block without the transaction; leave it.", endpoint=label)
    return Receipt(transaction, height, block.content.block_hash, entry.code == VALID, GAS)
