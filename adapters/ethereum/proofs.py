"""State proofs as nodes answer them; whether they prove anything is for a light client to say.

Source: EIP-1186 (eth_getProof).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adapters.ethereum.answers import data, quantity, record, records
from adapters.ethereum.headers import header_rlp
from adapters.ethereum.refusals import proof_refusal
from adapters.jsonrpc import JsonRpc, RpcError
from adapters.protocol import BadAnswer, Rejected
from schemas.evidence import StateEvidence
from schemas.primitives import hex0x

MAX_NODES = 128
"""A path in a trie over 32-byte keys has at most 65 nodes."""


def fetch_evidence(rpc: JsonRpc, address: bytes, slots: Sequence[bytes], height: int) -> list[StateEvidence]:
    """Fetch the header of a block and, for each slot of a contract, its path in that block's state.

    Args:
        rpc: the endpoint.
        address: the contract, 20 bytes.
        slots: storage keys of 32 bytes.
        height: number of the block.

    Raises:
        Rejected: the node does not have that state (`no_state`).
        BadAnswer: an answer is not of its form.
        Unreachable: the endpoint does not answer.
    """
    number = hex(height)
    block, proof = rpc.batch(
        [
            ("eth_getBlockByNumber", [number, False]),
            ("eth_getProof", [hex0x(address), [hex0x(slot) for slot in slots], number]),
        ]
    )
    for answer in (block, proof):
        if isinstance(answer, RpcError):
            raise proof_refusal(answer)
    if block is None or proof is None:
        raise Rejected(f"{rpc.label} does not have block {height}.", code="no_state", endpoint=rpc.label)
    header = header_rlp(block, height)
    fields = record(proof, "the proof")
    account = read_nodes(fields.get("accountProof"), "accountProof")
    paths = records(fields.get("storageProof"), "storageProof")
    if [quantity(path.get("key"), "key of a storage proof") for path in paths] != [
        int.from_bytes(slot, "big") for slot in slots
    ]:
        raise BadAnswer("the storage proofs are of other slots than were asked for; leave the endpoint.")
    return [StateEvidence(height, header, account, read_nodes(path.get("proof"), "storage proof")) for path in paths]


def read_nodes(value: Any, name: str) -> tuple[bytes, ...]:
    """Read the nodes of one path.

    Raises:
        BadAnswer: they are no list of data, or more than any path has.
    """
    if not isinstance(value, list) or len(value) > MAX_NODES:
        raise BadAnswer(f"{name} is no list of trie nodes; leave the endpoint.")
    return tuple(data(node, f"a node of {name}") for node in value)
