"""ChainMaker: a block of four nodes (a proposer and a quorum of three) beside one signature verification of its scheme.

The headers are those of live chains; the certificates are known, as they are after the first block.
"""

from __future__ import annotations

import base64

from light_clients.chainmaker import ChainMakerConfiguration, bootstrap, verify_header
from light_clients.chainmaker.codec import read_block
from light_clients.crypto.certificates import read_certificate, verify_message
from schemas.primitives import BlockHash
from tests.bench.best import best_us
from tests.support.shared_vectors import shared, shared_json


def measure() -> dict[str, float]:
    """µs of one block and of one verification, and their ratio, in both suites; the bar is 5."""
    found: dict[str, float] = {}
    for suite in ("ecc", "sm"):
        stated = ChainMakerConfiguration(
            chain_config=shared(f"chainmaker/{suite}/chain_config.pb").read_bytes(), trusting_period_s=2**31
        )
        parent, told = (shared_json(f"chainmaker/{suite}/blocks/{height}.json") for height in (2, 3))
        state = bootstrap(
            base64.b64decode(parent["block_pb_b64"]), BlockHash(bytes.fromhex(parent["block_hash"])), stated
        )
        block = base64.b64decode(told["block_pb_b64"])
        header = read_block(block).header
        assert header.proposer is not None
        certificate, now = read_certificate(header.proposer.info), header.timestamp
        verify_header(state, block, now)
        # Turn by turn, so that a busy moment of the machine falls on both.
        whole = single = float("inf")
        for _ in range(5):
            single = min(
                single,
                best_us(lambda: verify_message(certificate, header.block_hash, header.signature), 5, 60),  # noqa: B023
            )
            whole = min(whole, best_us(lambda: verify_header(state, block, now), 5, 20))  # noqa: B023
        found |= {
            f"chainmaker_block_{suite}_us": whole,
            f"chainmaker_signature_{suite}_us": single,
            f"chainmaker_block_{suite}_ratio_to_signature": whole / single,
        }
    return found
