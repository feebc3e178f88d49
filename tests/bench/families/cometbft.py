"""CometBFT: a commit of 100 validators; ICS-23: an IAVL proof of depth 12."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from light_clients import cometbft
from light_clients.cometbft.codec import read_bundle, read_commit, read_header, read_validator_set
from light_clients.cometbft.commit import Tally
from light_clients.crypto import ed25519
from light_clients.proofs.ics23 import IAVL, verify_existence
from tests.bench.best import best_us
from tests.support.cometbft_chain import START, Chain, Store, members, set_bytes

VALIDATORS = 100


def measure() -> dict[str, float]:
    """Microseconds an operation, and the ratio to its primitive in the same run."""
    return {**_commit(), **_proof()}


def _commit() -> dict[str, float]:
    chain = Chain(members([f"validator {number}" for number in range(VALIDATORS)]))
    state, block = chain.bootstrap(), chain.grow()
    bundle, now = block.bundle(), START + 60
    written, own = block.commit().SerializeToString(), set_bytes(chain.validators)
    header, validators = read_header(block.header().SerializeToString()), read_validator_set(own)
    commit, alone = read_commit(written), block.header().SerializeToString()

    def judge() -> None:
        Tally(header, commit, validators).check_own()

    member = chain.validators[0]
    message, signature = b"\x00" * 120, member.sign(b"\x00" * 120)
    one = best = float("inf")
    for _ in range(4):  # turn by turn, so that a busy moment of the machine falls on both
        one = min(one, best_us(lambda: ed25519.verify(member.key, message, signature), 4, 200))
        best = min(best, best_us(judge, 4, 4))
    new = members([f"validator {number}" for number in range(60)] + [f"other {number}" for number in range(40)])
    chain.grow(next_validators=new)
    beyond = replace(chain.grow(5), trusted=chain.validators, trusted_height=1).bundle()
    whole = best_us(lambda: cometbft.verify_header(state, bundle, now), 9, 4)
    return {
        "cometbft_ed25519_us": one,
        "cometbft_commit_100_us": best,
        "cometbft_commit_100_ratio_to_ed25519": best / one,
        "cometbft_header_100_from_bytes_us": whole,
        "cometbft_header_100_from_bytes_ratio_to_ed25519": whole / one,
        "cometbft_header_100_skipping_us": best_us(lambda: cometbft.verify_header(state, beyond, now), 9, 4),
        "cometbft_header_hash_us": best_us(lambda: read_header(alone), 9, 100),
        "cometbft_set_100_hash_us": best_us(lambda: read_validator_set.__wrapped__(own), 9, 20),
        "cometbft_bundle_100_read_us": best_us(lambda: read_bundle(bundle), 9, 20),
    }


def _proof() -> dict[str, float]:
    # 4,096 entries have a path of twelve steps to every leaf.
    store = Store({b"\x02" + number.to_bytes(52, "big"): number.to_bytes(32, "big") for number in range(4096)})
    key = b"\x02" + (1234).to_bytes(52, "big")
    value, proof = store.entries[key], store.proof(key)
    path = store.paths[key]
    assert len(path) == 12
    leaf = b"\x00\x02\x0e" + bytes([len(key)]) + key + b"\x20" + sha256(value).digest()
    preimages, node = [value, leaf], sha256(leaf).digest()
    for prefix, suffix in path:
        preimages.append(prefix + node + suffix)
        node = sha256(preimages[-1]).digest()
    assert node == store.root

    def hashes() -> None:
        for preimage in preimages:
            sha256(preimage).digest()

    bare = ours = float("inf")
    for _ in range(4):
        bare = min(bare, best_us(hashes, 4))
        ours = min(ours, best_us(lambda: verify_existence(IAVL, store.root, key, value, proof), 4))
    return {"ics23_hashes_12_us": bare, "ics23_depth_12_us": ours, "ics23_depth_12_ratio_to_hashes": ours / bare}
