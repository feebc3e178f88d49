"""A sync-committee update of 512 members beside one aggregate verification of 512 keys that are decoded already.

The bar: at most 2.5 verifications, with all that belongs to an update: reading, both headers, the next committee's root, branches.
"""

from __future__ import annotations

from light_clients import beacon
from light_clients.beacon.beacon_json import bundle_from_answer
from light_clients.beacon.codec import Bootstrap, parse_bundle, signing_root
from light_clients.beacon.verify import decoded_keys, read_update
from light_clients.crypto import bls
from schemas.primitives import BlockHash
from tests.bench.best import best_us
from tests.support.shared_vectors import shared_json
from tests.vector_table.beacon import MAINNET


def measure() -> dict[str, float]:
    """Real answers of a mainnet node: the update of a period, and a finality update, with the committee's keys kept."""
    answer = shared_json("beacon/helios_api/bootstrap.json")
    bootstrap = bundle_from_answer("bootstrap", answer, MAINNET.preset)
    pinned = parse_bundle(bootstrap, MAINNET.preset)
    assert isinstance(pinned, Bootstrap)
    root = BlockHash(pinned.header.root())
    state = beacon.bootstrap(bootstrap, root, MAINNET)
    updates = [
        bundle_from_answer("update", update, MAINNET.preset) for update in shared_json("beacon/helios_api/updates.json")
    ]
    for update in updates:
        now = MAINNET.timestamp_of(read_update(update, MAINNET.preset).signature_slot)
        before, state = state, beacon.apply(state, beacon.verify_header(state, update, now))
    newest = updates[-1]
    parsed = read_update(newest, MAINNET.preset)
    now = MAINNET.timestamp_of(parsed.signature_slot)
    committee = before.committee_of(MAINNET.period_of(parsed.signature_slot))
    assert committee is not None
    keys = decoded_keys(committee)
    message = signing_root(MAINNET, parsed.attested.root(), parsed.signature_slot)
    assert parsed.participants == len(keys)
    verification_us = best_us(lambda: bls.fast_aggregate_verify(keys, message, parsed.signature), 9, 20)
    update_us = best_us(lambda: beacon.verify_header(before, newest, now), 9, 20)
    return {
        "bls_fast_aggregate_verify_512_us": verification_us,
        "beacon_update_512_us": update_us,
        "beacon_update_512_ratio_to_fast_aggregate_verify": update_us / verification_us,
        "beacon_committee_decode_512_us": best_us(lambda: bls.decode_public_keys(committee.keys), 3, 2),
        "beacon_bootstrap_512_us": best_us(lambda: beacon.bootstrap(bootstrap, root, MAINNET), 5, 10),
    }
