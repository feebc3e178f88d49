"""Evidence out of a whole block: what a prover makes of a node's answer. It judges nothing that a claim relies on."""

from __future__ import annotations

from light_clients.chainmaker.chain_config import transactions_of
from light_clients.chainmaker.codec import read_block
from light_clients.chainmaker.errors import MerklePathInvalid, WriteSetMismatch
from light_clients.chainmaker.merkle import HASHES, merkle_path, merkle_root
from light_clients.chainmaker.transactions import leaf_of
from light_clients.chainmaker.types import ChainMakerEvidence
from light_clients.errors import HeaderFieldInvalid
from light_clients.protobuf import Message


def evidence_of_block(
    block_info: bytes, hash_name: str, index: int, *, by_write_set: bool = False
) -> ChainMakerEvidence:
    """Makes the evidence that a transaction of a block gives.

    Args:
        block_info: Protobuf of a `common.BlockInfo`: {1 block, 2 read-write sets in the order of the transactions}.
        hash_name: The chain's hash.
        index: Place of the transaction, from 0.
        by_write_set: Whether the write set is the evidence, and not an event.

    Raises:
        MerklePathInvalid: There is no such transaction.
        WriteSetMismatch: There is no read-write set, or it is another one.
        Refused: The block cannot be read, or its transactions are others.
    """
    message = Message.read(block_info, (1, 2), ordered=True)
    encoded = message.octets(1)
    block, digest = read_block(encoded), HASHES[hash_name]
    transactions = transactions_of(block, hash_name)
    if not 0 <= index < len(transactions):
        raise MerklePathInvalid("There is no such transaction in the block.", expected=len(transactions), found=index)
    leaves = [leaf_of(digest, transaction, block.header.version) for transaction in transactions]
    write_set = b""
    if by_write_set:
        write_set = message.repeated(2)[index : index + 1][0] if index < len(message.repeated(2)) else b""
        if digest(write_set) != transactions[index].write_set_hash:
            raise WriteSetMismatch("The read-write set of the transaction is missing or another one.")
    header = Message.read(encoded).octets(1)
    return ChainMakerEvidence(header, block.transactions[index], index, merkle_path(digest, leaves, index), write_set)


def check_body(block_info: bytes, hash_name: str) -> None:
    """Compares everything that a block carries with what its header says of it.

    Args:
        block_info: As for `evidence_of_block`, with every read-write set.
        hash_name: The chain's hash.

    Raises:
        HeaderFieldInvalid: The DAG or the read-write sets have another hash than the header says.
        WriteSetMismatch: A read-write set is missing or another one than its transaction says.
        Refused: The block cannot be read, or its transactions are others.
    """
    message, digest = Message.read(block_info, (1, 2), ordered=True), HASHES[hash_name]
    encoded = message.octets(1)
    block = read_block(encoded)
    transactions = transactions_of(block, hash_name)
    found = [digest(write_set) for write_set in message.repeated(2)]
    if found != [transaction.write_set_hash for transaction in transactions]:
        raise WriteSetMismatch("The read-write sets are others, missing or in another order.", found=len(found))
    header = block.header
    for name, said, is_hash in (
        ("DAG", header.dag_hash, digest(Message.read(encoded).octets(2))),
        ("root of the read-write sets", header.read_write_root, merkle_root(digest, found)),
    ):
        if said != is_hash:
            raise HeaderFieldInvalid(f"The header names another {name}.", expected=said, found=is_hash)
