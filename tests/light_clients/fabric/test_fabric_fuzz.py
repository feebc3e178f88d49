"""Whatever the bytes: nothing but an error of the light clients leaves, and nothing spoilt is believed."""

import random
from dataclasses import replace

import pytest

from light_clients import fabric
from light_clients.errors import LightClientError
from light_clients.fabric.codec import read_block
from light_clients.fabric.config_block import read_config
from light_clients.fabric.membership import read_identity, read_membership
from light_clients.fabric.policies import read_principal, read_signature_policy
from schemas.primitives import BlockHash
from tests.mutations.families.engine import mutate
from tests.mutations.families.fabric import subjects
from tests.mutations.mutators import spoil_bytes
from tests.support import fabric_chain as f

NETWORK = f.Network("BFT")
SCENE = f.scene(NETWORK)
STATE = SCENE.chain.followed()
BLOCK = SCENE.chain.signed(SCENE.chain.next(f.moving(NETWORK, b"\1" * 32)))
ORGANISATION = NETWORK.organisations[1]
POLICY = f.roles_policy(2, ("Org1MSP", f.PEER), ("Org2MSP", f.PEER))


def evidence(data):
    fabric.verify_claim(STATE, SCENE.claim(3), fabric.FabricEvidence.from_bytes(data), SCENE.pin())


def bootstrap(data):
    fabric.bootstrap(data, BlockHash(SCENE.chain.blocks[0].hash), STATE.configuration)


READERS = {
    "block": (BLOCK, lambda data: fabric.verify_header(STATE, data, f.START + 100)),
    "misbehaviour": (BLOCK, lambda data: fabric.find_misbehaviour(STATE, data, BLOCK)),
    "bootstrap": (SCENE.chain.blocks[0].signed(), bootstrap),
    "evidence": (SCENE.evidence(3).to_bytes(), evidence),
    "state": (STATE.to_bytes(), fabric.state_from_bytes),
    "config": (STATE.channel_config, read_config),
    "membership": (ORGANISATION.content, read_membership),
    "certificate": (ORGANISATION.member(f.PEER).pem, lambda data: read_identity(ORGANISATION.content, data)),
    "policy": (POLICY, read_signature_policy),
    "principal": (f.role_principal("Org1MSP", f.PEER), read_principal),
}


@pytest.mark.parametrize("name", READERS)
def test_only_our_errors_leave(name):
    good, reader = READERS[name]
    reader(good)
    chance = random.Random(name)
    refused = 0
    for number in range(400):
        data = chance.randbytes(chance.randrange(80)) if number % 4 == 0 else spoil_bytes(chance, good)
        try:
            reader(data)
        except LightClientError:
            refused += 1
    assert refused > 100


def test_nothing_spoilt_is_believed():
    tally = mutate(subjects(), seed=5, count=2_000)
    assert tally.total == 2_000
    assert len(tally.refused) > 15


def test_deep_nesting_is_refused_and_stops_nothing():
    deep = b""
    for _ in range(5_000):
        deep = f.message((2, deep))
    for reader in (read_block, read_config, read_signature_policy, read_principal, read_membership):
        with pytest.raises(LightClientError):
            reader(deep)
    with pytest.raises(LightClientError):
        fabric.verify_header(replace(STATE, channel_config=deep), BLOCK, f.START + 100)
