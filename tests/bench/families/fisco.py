"""FISCO BCOS: a header of four sealers (a quorum of three) beside one signature verification of its suite."""

from __future__ import annotations

from light_clients.crypto import secp256k1, sm2
from light_clients.fisco import verify_claim, verify_header
from tests.bench.best import best_us
from tests.support.fisco_chain import PIN, FiscoChain, send


def measure() -> dict[str, float]:
    """µs of one header and of one verification, and their ratio, by line and suite; µs of a claim by its receipt."""
    found: dict[str, float] = {}
    for line in (2, 3):
        for suite in ("evm", "sm"):
            found |= _of(line, suite)
    return found


def _of(line: int, suite: str) -> dict[str, float]:
    chain = FiscoChain(line, suite)
    state = chain.state()
    block = chain.mine(*(send(number) for number in range(1, 17)))
    bundle, now, key = block.bundle(), chain.now, chain.sealers[0].public
    block_hash, signature = block.hash, block.seals()[0][1][:64]
    claim, evidence, after = block.claim(9), block.evidence(8), chain.state(-1)
    single = header = judged = float("inf")
    for _ in range(4):  # turn by turn, so that a busy moment of the machine falls on both
        if suite == "sm":
            single = min(single, best_us(lambda: sm2.verify(key, block_hash, signature), 4, 50))
        else:
            single = min(single, best_us(lambda: secp256k1.verify(b"\x04" + key, block_hash, signature), 4, 50))
        header = min(header, best_us(lambda: verify_header(state, bundle, now), 4, 30))
        judged = min(judged, best_us(lambda: verify_claim(after, claim, evidence, PIN), 4, 30))
    name = f"fisco_{line}_{suite}"
    return {
        f"{name}_header_4_us": header,
        f"{name}_signature_us": single,
        f"{name}_header_4_ratio_to_signature": header / single,
        f"{name}_claim_us": judged,
    }
