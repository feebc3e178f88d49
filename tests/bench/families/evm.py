"""QBFT, IBFT2, legacy IBFT and Clique: a header of four validators beside one recovered key; a storage proof beside its hashes.

The bars: a header of QBFT takes at most 4.5 recoveries (three seals are the least quorum), a proof of depth 7 at most three
times its seven hashes of 532 bytes.
"""

from __future__ import annotations

from collections.abc import Callable

import rlp

from light_clients import clique, ibft, ibft2, qbft
from light_clients.clique import codec as clique_codec
from light_clients.crypto.secp256k1 import recover_address, sign
from light_clients.proofs.patricia import verify_storage
from schemas.primitives import BlockHash, Bytes32
from schemas.suites import keccak256
from tests.bench.best import best_us
from tests.support import bft_chain, clique_chain, qbft_chain

DEPTH = 7
NODE = 532
"""Bytes of a full branch."""
CHAINS = {
    "qbft": (qbft, qbft_chain.Spec, qbft.QbftConfiguration),
    "ibft2": (ibft2, bft_chain.Ibft2Spec, ibft2.Ibft2Configuration),
    "ibft": (ibft, bft_chain.IbftSpec, ibft.IbftConfiguration),
}


def measure() -> dict[str, float]:
    """Flat figures, the unit in the key."""
    digest, key = keccak256(b"bench digest"), keccak256(b"bench key")
    signature = sign(key, digest)
    headers = {f"{family}_header": _header(family) for family in CHAINS} | {"clique_header": _clique_run()}
    measured = _in_turn({"secp256k1_recover": lambda: recover_address(digest, signature), **headers})
    figures = {f"{name}_us": value for name, value in measured.items()}
    for name in headers:
        figures[f"{name}_ratio_to_recover"] = measured[name] / measured["secp256k1_recover"]
    return figures | _proof()


def _in_turn(operations: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Best of several rounds, so that a busy moment of the machine falls on all alike."""
    best = dict.fromkeys(operations, float("inf"))
    for _ in range(5):
        for name, operation in operations.items():
            best[name] = min(best[name], best_us(operation, 3, 100))
    return best


def _header(family: str) -> Callable[[], object]:
    """The next header of four validators, sealed by three."""
    client, kind, configuration = CHAINS[family]
    first = bft_chain.first_of(kind)
    second = bft_chain.next_of(first)
    state = client.bootstrap(first.sealed(), BlockHash(first.hash()), configuration())
    header = second.sealed()
    return lambda: client.verify_header(state, header, second.timestamp)


def _clique_run() -> Callable[[], object]:
    """The next header of four signers with the three that confirm it, none of them seen before."""
    labels = ("a", "b", "c", "d")
    first = clique_chain.first_spec(labels)
    chain = clique_chain.chain_of(first, 4, labels)
    state = clique_chain.begun(first)
    run = clique_chain.run(*chain)

    def judge() -> object:
        clique_codec.parse_header.cache_clear()
        clique_codec.sealer_of.cache_clear()
        return clique.verify_header(state, run, chain[-1].timestamp)

    return judge


def _proof() -> dict[str, float]:
    """A proof of seven full branches and a leaf, and hashing as many bytes as the branches have."""
    slot = Bytes32(bytes(32))
    nodes, root = _branches(keccak256(slot))
    block = bytes(range(256)) * 2 + bytes(20)

    def hashes() -> None:
        for _ in range(DEPTH):
            keccak256(block)

    measured = _in_turn({"hashes": hashes, "proof": lambda: verify_storage(root, slot, nodes)})
    return {
        "storage_proof_depth_7_us": measured["proof"],
        "keccak_532_seven_us": measured["hashes"],
        "storage_proof_depth_7_ratio_to_hashes": measured["proof"] / measured["hashes"],
    }


def _branches(key: bytes) -> tuple[list[bytes], Bytes32]:
    """Seven branches whose sixteen children are all hashes, and the leaf below them."""
    nibbles = key.hex()
    flagged = "3" + nibbles[DEPTH:]  # a leaf, and an odd number of nibbles is left
    nodes = [rlp.encode([bytes.fromhex(flagged), rlp.encode(b"value".ljust(32, b"."))])]
    for depth in reversed(range(DEPTH)):
        children = [keccak256(b"%d %d" % (depth, index)) for index in range(16)]
        children[int(nibbles[depth], 16)] = keccak256(nodes[0])
        nodes.insert(0, rlp.encode([*children, b""]))
        assert len(nodes[0]) == NODE
    return nodes, Bytes32(keccak256(nodes[0]))
