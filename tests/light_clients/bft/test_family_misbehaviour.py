"""Two sealed blocks of one height in IBFT2 and legacy IBFT: who is accused, and who is not."""

from dataclasses import replace

import pytest

from light_clients.errors import HeaderGap, HeightNotRetained, Misbehaviour, OmmersInvalid, SealForeign, SealsTooFew
from light_clients.ibft.codec import parse_header as parse_ibft
from schemas.primitives import BlockHash
from schemas.suites import keccak256
from tests.support import bft_chain as family
from tests.support import qbft_chain as chain
from tests.vectors.make_bft_vectors import World

FAMILIES = pytest.mark.parametrize("name", ["ibft2", "ibft"])


def rival_of(spec, **changes):
    return replace(spec, **{"state_root": keccak256(b"rival"), "sealers": spec.validators[1:], **changes})


@FAMILIES
def test_two_sealed_blocks_of_one_height(name):
    world = World(name)
    headers = world.good.sealed(), rival_of(world.good).sealed()
    found = world.client.find_misbehaviour(world.state, *headers)
    assert isinstance(found, Misbehaviour)
    assert (found.height, found.evidence) == (2, headers)


@FAMILIES
def test_other_seals_of_one_block_are_no_conflict(name):
    world = World(name)
    again = replace(world.good, sealers=world.good.validators[1:])
    assert world.client.find_misbehaviour(world.state, world.good.sealed(), again.sealed()) is None


def test_another_round_of_one_block_is_no_conflict():
    world = World("ibft2")
    again = replace(world.good, round=3)
    assert world.client.find_misbehaviour(world.state, world.good.sealed(), again.sealed()) is None


def test_another_seal_of_the_proposer_is_another_block():
    world = World("ibft")
    seal = world.good.own_seal()
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    high_s = order - int.from_bytes(seal[32:64], "big")
    mirrored = replace(world.good, proposer_seal=seal[:32] + high_s.to_bytes(32, "big") + bytes((1 - seal[64],)))
    assert parse_ibft(mirrored.sealed()).proposer == parse_ibft(world.good.sealed()).proposer
    stolen = mirrored.with_seals(world.good.seals())
    with pytest.raises(SealForeign):  # nobody but two thirds can make a conflict out of it
        world.client.find_misbehaviour(world.state, world.good.sealed(), stolen)
    found = world.client.find_misbehaviour(world.state, world.good.sealed(), mirrored.sealed())
    assert found.height == 2


@FAMILIES
@pytest.mark.parametrize("order", [1, -1])
def test_what_is_not_sealed_accuses_nobody(name, order):
    world = World(name)
    for error, rival in (
        (SealsTooFew, rival_of(world.good, sealers=world.labels[:2])),
        (SealForeign, rival_of(world.good, sealers=chain.ascending("wxyz"))),
        (OmmersInvalid, rival_of(world.good, items={1: bytes(32)})),
    ):
        with pytest.raises(error):
            world.client.find_misbehaviour(world.state, *[world.good.sealed(), rival.sealed()][::order])


@FAMILIES
def test_heights_of_which_the_set_is_not_known(name):
    world = World(name, start=5)
    later = family.next_of(world.good)
    with pytest.raises(HeaderGap):
        world.client.find_misbehaviour(world.state, later.sealed(), rival_of(later).sealed())
    state = world.client.bootstrap(world.good.sealed(), BlockHash(world.good.hash()), world.configuration)
    with pytest.raises(HeightNotRetained):
        world.client.find_misbehaviour(state, world.parent.sealed(), rival_of(world.parent).sealed())


@FAMILIES
def test_two_heights_are_no_conflict(name):
    world = World(name)
    assert world.client.find_misbehaviour(world.state, world.parent.sealed(), world.good.sealed()) is None
