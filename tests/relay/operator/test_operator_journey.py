"""Operators from the hub's offer to the quorum: over memory ledgers with sealed headers and real proofs."""

import pytest

from tests.support.operator_world import OperatorWorld, wait_until


@pytest.fixture
def world(tmp_path):
    with OperatorWorld(tmp_path) as world:
        yield world


def test_three_operators_carry_messages_both_ways_to_settled(world):
    for name in ("one", "two", "three"):
        world.start(name)
    for number in range(25):
        world.hub.send("alpha", "beta", b"out %d" % number)
        world.hub.send("beta", "alpha", b"home %d" % number)
    lanes = list(world.hub.lane_ids)

    def settled():
        world.look()
        return all(world.hub.journey(*lane).settled == 25 for lane in lanes)

    wait_until(settled, "25 messages settled each way")
    assert set(world.states()) == {"attested"}
