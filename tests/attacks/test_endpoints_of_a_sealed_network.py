"""f of 2f + 1 endpoints of a sealed network over real HTTP: the adapter, the guard and the light client together.

Each path of the network's front is an endpoint with faults of its own; the preferred ones lie, fork, stall, drip or flood.
"""

import time

import pytest

from adapters.evm import ADAPTER
from adapters.evm.devnet import DevelopmentNetwork
from adapters.evm.devnet.faults import FAILURES
from adapters.evm.devnet.hostile_http import BUSY_S
from adapters.guard import GuardedLedger
from adapters.protocol import AdapterError, AdapterOptions, Endpoint
from light_clients import qbft
from light_clients.errors import Misbehaviour
from relay.following import Lied, follow
from relay.trail import Trail
from schemas.primitives import BlockHash
from tests.support.vectors import unhex

pytestmark = pytest.mark.live

TIMEOUT_S = 1.0
LARGEST = 4 << 20
GENEROUS_LOOKS = 12
LIES = sorted(FAILURES | {"headers", "seals", "height"})


@pytest.fixture(scope="module")
def network():
    with DevelopmentNetwork(chain_id=31_044, block_time_s=0, hardfork="berlin") as made:
        for _ in range(5):
            made.mine()
        yield made


class Follower:
    """A light client behind the guard, as the hub and every operator have one."""

    def __init__(self, network, count):
        self.network = network
        self.paths = [f"/of-{count}/{number}" for number in range(count)]
        endpoints = tuple(Endpoint(network.url + path, operator=f"house {path}") for path in self.paths)
        options = AdapterOptions(endpoints, timeout_s=TIMEOUT_S, max_answer_bytes=LARGEST)
        self.guard = GuardedLedger(ADAPTER, options)
        header = unhex(network.rpc("debug_getRawHeader", "0x1"))
        pinned = BlockHash(unhex(network.rpc("eth_getBlockByNumber", "0x1", False)["hash"]))
        self.state = qbft.bootstrap(header, pinned, qbft.QbftConfiguration(sub_second_blocks=True))
        self.trail = Trail(self.state.height, (header,))

    def look(self):
        """One look: what an endpoint says wrongly makes it be left."""
        try:
            followed = follow(self.guard, qbft, self.state, self.trail, int(time.time()))
        except Lied as lie:
            self.guard.leave_endpoint(f"{lie.name}: {lie}")
        except AdapterError:
            return
        else:
            self.state, self.trail = followed.state, followed.trail

    def reach(self, height):
        for _ in range(GENEROUS_LOOKS):
            self.look()
            if self.state.height >= height:
                return
        raise AssertionError([status.last_error for status in self.guard.status()])

    def heal(self):
        for path in self.paths:
            self.network.rpc("devnet_heal", path=path)
        self.guard.close()


@pytest.fixture
def make_follower(network):
    made = []

    def make(count):
        made.append(Follower(network, count))
        return made[-1]

    yield make
    for follower in made:
        follower.heal()


@pytest.mark.parametrize("liars", [1, 2])
@pytest.mark.parametrize("lie", LIES)
def test_the_newest_block_is_reached_and_the_liars_are_named(network, make_follower, lie, liars):
    follower = make_follower(2 * liars + 1)
    follower.look()
    for path in follower.paths[:liars]:
        network.rpc("devnet_lie", lie, path=path)
    for _ in range(3):
        network.mine()
    height = int(network.rpc("eth_blockNumber"), 16)
    follower.reach(height)
    assert bytes(follower.state.block_hash) == unhex(network.rpc("eth_getBlockByNumber", hex(height), False)["hash"])
    statuses = follower.guard.status()
    assert statuses[0].rests_s > 0
    assert statuses[0].last_error
    assert [status.rests_s for status in statuses[liars:]] == [0] * (liars + 1)
    if lie == "busy":
        assert all(BUSY_S - 5 < status.rests_s <= BUSY_S for status in statuses[:1])


def test_what_is_cut_or_flooded_costs_no_more_than_an_answer_may_have(network, make_follower):
    follower = make_follower(1)
    for lie, text in (("flood", f"more than {LARGEST} bytes"), ("cut", "broke off")):
        network.rpc("devnet_lie", lie, path=follower.paths[0])
        with pytest.raises(AdapterError, match=text):
            follower.guard.tip()
        network.rpc("devnet_heal", path=follower.paths[0])
    assert follower.guard.tip() >= 5


def test_a_fork_that_validators_sealed_is_found_wherever_it_is_shown(network, make_follower):
    """The one thing that stops a ledger: and it takes the validators' keys, not an endpoint."""
    follower = make_follower(3)
    follower.look()
    network.rpc("devnet_equivocate", hex(follower.state.height), path=follower.paths[0])
    network.mine()
    with pytest.raises(Misbehaviour):
        follower.look()
