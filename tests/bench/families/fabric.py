"""Fabric: a block of four SmartBFT orderers (three sign) and one of raft (one signs), beside one P-256 verification.

The blocks are those of live networks; the configuration and the certificates are known, as they are after the first block.
"""

from __future__ import annotations

from dataclasses import replace

from light_clients import fabric
from light_clients.crypto import p256
from light_clients.fabric.codec import read_block
from light_clients.fabric.config_block import read_config
from light_clients.fabric.orderers import check_signatures
from schemas.primitives import BlockHash
from tests.bench.best import best_us
from tests.support import fabric_chain as f
from tests.support.shared_vectors import shared

NOW = f.START + 100


def measure() -> dict[str, float]:
    """µs of a block, of a claim and of one verification, and their ratios."""
    found: dict[str, float] = {}
    key, message = f.Network("BFT").orderer(1).key, bytes(200)
    signature = key.sign(message)
    scene = f.scene(f.Network("BFT"))
    trusted, claim, evidence, pin = scene.chain.followed(), scene.claim(), scene.evidence(), scene.pin()
    blocks = {name: _block_and_state(name) for name in ("bft", "raft")}
    single = whole = float("inf")
    wholes = dict.fromkeys(blocks, float("inf"))
    # Turn by turn, so that a busy moment of the machine falls on all.
    for _ in range(5):
        single = min(single, best_us(lambda: p256.verify(key.public, message, signature, low_s=True), 5, 60))
        for name, (state, data) in blocks.items():
            wholes[name] = min(wholes[name], best_us(lambda: fabric.verify_header(state, data, NOW), 5, 30))  # noqa: B023
        whole = min(whole, best_us(lambda: fabric.verify_claim(trusted, claim, evidence, pin), 5, 20))
    found["fabric_p256_verify_us"] = single
    for name, us in wholes.items():
        found |= {f"fabric_block_{name}_us": us, f"fabric_block_{name}_ratio_to_p256": us / single}
    return found | {"fabric_claim_us": whole, "fabric_claim_ratio_to_p256": whole / single}


def _block_and_state(network: str) -> tuple[fabric.FabricState, bytes]:
    first = shared(f"fabric/{network}/config.block").read_bytes()
    data = shared(f"fabric/{network}/blocks/5.block").read_bytes()
    state = fabric.bootstrap(first, read_block(first).block_hash, fabric.FabricConfiguration("mychannel"))
    block = read_block(data)
    check_signatures(read_config(state.channel_config), block, None)
    return replace(state, height=4, recent=(BlockHash(block.previous_hash),)), data
