"""Any bytes whatever: only refusals by name leave, and what is accepted means the same."""

from __future__ import annotations

import random

import pytest

from light_clients import beacon
from light_clients.errors import LightClientError
from tests.support.beacon_chain import BeaconChain

CHAIN = BeaconChain()
START = CHAIN.trusted(16)
BUNDLES = [CHAIN.update(40, 24), CHAIN.finality_update(40, 24), CHAIN.optimistic_update(40), CHAIN.bootstrap(16)]
STATE = START.to_bytes()


def spoiled(chance, data):
    match chance.randrange(4):
        case 0:
            return chance.randbytes(chance.randrange(200))
        case 1:
            return data[: chance.randrange(len(data))]
        case 2:
            place = chance.randrange(len(data))
            return data[:place] + chance.randbytes(chance.randrange(1, 9)) + data[place + chance.randrange(9) :]
        case _:
            changed = bytearray(data)
            for _ in range(chance.randrange(1, 5)):
                changed[chance.randrange(min(len(data), chance.choice((40, len(data)))))] ^= 1 << chance.randrange(8)
            return bytes(changed)


@pytest.mark.parametrize("seed", range(4))
def test_nothing_but_refusals_leaves(seed):
    chance = random.Random(seed)
    for _ in range(400):
        data = spoiled(chance, chance.choice(BUNDLES))
        stored = spoiled(chance, STATE)
        calls = (
            lambda data=data: beacon.verify_header(START, data, CHAIN.now(41)).block_hash,
            lambda data=data: beacon.find_misbehaviour(START, BUNDLES[0], data),
            lambda data=data: beacon.bootstrap(data, CHAIN.root(16), CHAIN.configuration).block_hash,
            lambda data=stored: beacon.state_from_bytes(data) and None,
        )
        for call, meant in zip(calls, (CHAIN.claim(24).block_hash, None, START.block_hash, None), strict=True):
            try:
                found = call()
            except LightClientError:
                continue
            assert found == meant
