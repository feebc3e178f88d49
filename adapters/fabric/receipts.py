"""What became of transactions, by the peer's index of ids (Fabric 3.1 `core/scc/qscc`)."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.message import DecodeError

from adapters.fabric.blocks import VALID, PeerBlock, find_entry, read_peer_block
from adapters.fabric.identities import SigningIdentity
from adapters.fabric.peers import Nodes
from adapters.fabric.stubs import relayhub_fabric_pb2 as messages
from adapters.protocol import BadAnswer, Receipt, Rejected

GAS = 1
"""There is none: what a call may use, and what a transaction is said to have used."""

REASONS = {
    2: "BAD_PAYLOAD: the peers cannot read it",
    4: "BAD_CREATOR_SIGNATURE: the channel does not accept who sent it",
    10: "ENDORSEMENT_POLICY_FAILURE: fewer organisations endorsed it than the channel asks for",
    17: "EXPIRED_CHAINCODE: the chaincode's definition is another one now",
}
"""What peers call invalid for another reason than a race (Fabric 3.1 `peer.TxValidationCode`)."""

_UNKNOWN = ("no such transaction", "not found in index")
"""How peers say that an id is in no block that they have."""


def fetch_receipts(nodes: Nodes, identity: SigningIdentity, transactions: Sequence[bytes]) -> list[Receipt | None]:
    """Ask the own peer for the blocks of transactions; None where one is in none.

    A peer answers the whole block of a transaction, so what else of `transactions` stands in it is not asked for.

    Raises:
        BadAnswer: what it answers is no block with the transaction.
        AdapterError: by kind.
    """
    wanted = set(transactions)
    found: dict[bytes, Receipt] = {}
    for transaction in transactions:
        if transaction in found:
            continue
        block = _block_of(nodes, identity, transaction)
        if block is None:
            continue
        entry = find_entry(block, transaction)
        valid = [each for each in block.entries if each.code == VALID and each.transaction in wanted]
        asked = [] if entry is None else [entry]
        for each in asked + valid:  # another invalid one may be a copy of one in an earlier block
            success = each.code == VALID
            found[each.transaction] = Receipt(
                each.transaction,
                block.content.height,
                block.content.block_hash,
                success,
                GAS,
                reason=REASONS.get(each.code, ""),
            )
        if transaction not in found:
            label = nodes.own.label
            raise BadAnswer(f"{label} answers a block without the transaction; leave it.", endpoint=label)
    return [found.get(transaction) for transaction in transactions]


def _block_of(nodes: Nodes, identity: SigningIdentity, transaction: bytes) -> PeerBlock | None:
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
    return read_peer_block(data, height)
