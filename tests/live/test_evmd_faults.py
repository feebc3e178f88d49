"""A lane from one evmd network of three nodes to another: validators change, nodes are lost, start again, and lie."""

import time

import pytest

from adapters.cosmos import ADAPTER
from adapters.guard import GuardedLedger
from adapters.protocol import AdapterOptions, BadAnswer, Endpoint, HeadMoved, MessageDelivered, MessageSent, Unreachable
from adapters.solidity.events import MESSAGE_SENT
from light_clients import cometbft
from light_clients.cometbft.codec import read_bundle
from light_clients.cometbft.errors import ValidatorSetMismatch
from light_clients.cometbft.types import CometbftConfiguration, CometbftEvidence, EvmStorePin
from light_clients.errors import HeadMismatch, Refused
from schemas.claim import Claim, Direction
from schemas.primitives import Bytes32, hex0x
from tests.support.evmd_lane import EvmdLane
from tests.support.proxy_of_node import NodeProxy

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def world():
    lane = EvmdLane(("evmd", "evmd"), validators=2, followers=1)
    yield lane
    lane.close()


class Follower:
    """A light client that goes on from where it was, header by header, with nobody's help."""

    def __init__(self, ledger):
        self.ledger = ledger
        self.state = cometbft.bootstrap(ledger.headers(1, 1)[0], ledger.identity().first_block, CometbftConfiguration())

    def go_on(self):
        while self.state.height < (tip := self.ledger.tip()):
            last = min(tip, self.state.height + 400)
            for header in self.ledger.headers(self.state.height + 1, last):
                self.state = cometbft.apply(self.state, cometbft.verify_header(self.state, header, int(time.time())))
        return self.state

    def prove(self, world, direction, nonce, head, height):
        gateway = world.gateways[direction]
        pin = EvmStorePin(gateway, Bytes32(world.code_hash(direction)))
        (found,) = self.ledger.evidence(gateway, [(world.lane.lane_id, direction)], height)
        block_hash = self.state.anchor_at(height).block_hash
        assert read_bundle(found.header).header.block_hash == block_hash
        claim = Claim(world.lane.lane_id, Direction(direction), nonce, head, height, block_hash)
        cometbft.verify_claim(self.state, claim, CometbftEvidence.from_bytes(found.proof), pin)


@pytest.fixture(scope="module")
def followers(world):
    return [Follower(ledger) for ledger in world.ledgers]


def prove_last(world, followers):
    """Both ends' newest heads, by evidence that the light clients believe."""
    for direction, moved in (
        (0, world.events(0, MessageSent)[-1]),
        (1, [event for event in world.events(1, HeadMoved) if event.direction == 1][-1]),
    ):
        nonce = moved.message.nonce if direction == 0 else moved.nonce
        state = followers[direction].go_on()
        assert moved.position.height <= state.height
        followers[direction].prove(world, direction, nonce, moved.head, state.height)


def carry(world, payload):
    """One message all the way there and its outcome back."""
    known = len(world.events(0, MessageSent))
    assert world.send(payload).success
    sent = world.events(0, MessageSent)[known:]
    assert [event.message.payload for event in sent] == [payload]
    assert world.deliver(world.delivery(sent)).success
    delivered = world.events(1, MessageDelivered)[known:]
    head = [event for event in world.events(1, HeadMoved) if event.direction == 1][-1].head
    assert world.settle(world.settlement(sent, delivered, head)).success


def test_a_message_goes_its_whole_way_between_two_networks(world, followers):
    carry(world, b"from one Cosmos chain to another")
    prove_last(world, followers)
    ends = [world.ledgers[end].lane_ends(world.gateways[end], world.lane.lane_id) for end in (0, 1)]
    assert (ends[0].sent, ends[0].settled, ends[1].delivered) == (1, 1, 1)


def test_a_change_of_power_and_a_new_validator_are_followed_under_traffic(world, followers):
    network = world.networks[0]
    before = network.powers()
    network.delegate(0, 700)
    assert sum(network.powers().values()) == sum(before.values()) + 700
    carry(world, b"under another power")
    prove_last(world, followers)
    network.bond(2, 900)
    assert len(network.powers()) == len(before) + 1
    network.wait_blocks(3)
    carry(world, b"under three validators")
    prove_last(world, followers)
    newest = world.ledgers[0].headers(followers[0].state.height, followers[0].state.height)[0]
    assert len(read_bundle(newest).validators.members) == 3


def test_a_set_of_validators_from_before_the_change_is_refused(world, followers):
    state = followers[0].state
    proxy = NodeProxy(world.networks[0].nodes[0].consensus_url)
    old = world.networks[0].nodes[0].consensus("validators", height="2")
    proxy.change = lambda method, result: old if method == "validators" else result
    evm = world.networks[0].nodes[0].evm_url
    ledger = GuardedLedger(ADAPTER, AdapterOptions((Endpoint(f"{evm}#{proxy.port}"),)))
    world.networks[0].wait_for_height(state.height + 1)
    (header,) = ledger.headers(state.height + 1, state.height + 1)
    with pytest.raises(ValidatorSetMismatch):
        cometbft.verify_header(state, header, int(time.time()))
    ledger.close()
    proxy.close()


def test_a_node_that_restarts_goes_on_and_its_pool_is_sent_again(world, followers):
    network = world.networks[0]
    signed = world.post(0, world.sender, world.send_call(b"through a restart"))
    network.restart(0)
    assert world.ledgers[0].broadcast([signed.raw])[0] is None or world.receipt(0, signed.transaction).success
    assert world.receipt(0, signed.transaction).success
    prove_last(world, followers)
    assert world.events(0, MessageSent)[-1].message.payload == b"through a restart"


def test_an_endpoint_that_is_lost_is_left_with_both_its_interfaces(world, followers):
    ledger, network = world.ledgers[0], world.networks[0]
    network.wait_for_height(network.height(2), nodes=[2])
    network.stop_node(2)
    endpoints = tuple(Endpoint(network.urls[number]) for number in (2, 1))
    fresh = GuardedLedger(ADAPTER, AdapterOptions(endpoints))
    assert fresh.tip() >= followers[0].state.height
    assert fresh.endpoint == network.nodes[1].evm_url
    assert world.receipt(0, world.post(0, world.sender, world.send_call(b"two of three")).transaction).success
    status = fresh.status()
    assert not status[0].in_use
    assert "cannot be reached" in status[0].last_error
    network.start_node(2)
    fresh.close()
    prove_last(world, followers)
    assert ledger.tip() > 0


class TestLies:
    """Behind a proxy between the adapter and a true node."""

    @pytest.fixture
    def proxied(self, world):
        node = world.networks[0].nodes[1]
        evm, consensus = NodeProxy(node.evm_url), NodeProxy(node.consensus_url)
        ledger = GuardedLedger(ADAPTER, AdapterOptions((Endpoint(f"{evm.url}#{consensus.port}"),)))
        ledger.identity()  # a node that lies from the start is left there already
        yield ledger, evm, consensus
        ledger.close()
        evm.close()
        consensus.close()

    def test_a_changed_header_is_not_believed(self, world, followers, proxied):
        ledger, _, consensus = proxied
        state = followers[0].go_on()

        def other_state(method, result):
            if method == "commit":
                result["signed_header"]["header"]["app_hash"] = "11" * 32
            return result

        consensus.change = other_state
        world.networks[0].wait_for_height(state.height + 1)
        (header,) = ledger.headers(state.height + 1, state.height + 1)
        with pytest.raises(Refused):
            cometbft.verify_header(state, header, int(time.time()))

    def test_a_head_that_events_claim_and_the_state_does_not_show_is_not_believed(self, world, followers, proxied):
        ledger, evm, _ = proxied
        state = followers[0].go_on()

        def other_head(method, result):
            if method == "eth_getLogs":
                for log in [item for item in result if item["topics"][0] == hex0x(MESSAGE_SENT)]:
                    log["data"] = log["data"][:66] + ("0" if log["data"][66] != "0" else "1") + log["data"][67:]
            return result

        evm.change = other_head
        true = world.events(0, MessageSent)[-1]
        liar = Follower(ledger)
        liar.state = state
        told = bytes(byte ^ 1 for byte in true.head)
        with pytest.raises(HeadMismatch):
            liar.prove(world, 0, true.message.nonce, type(true.head)(told), state.height)
        said = [event for event in ledger.events(0, state.height, world.gateways[0]) if isinstance(event, MessageSent)]
        assert said[-1] != true

    def test_busy_and_cut_answers_are_errors_of_the_family(self, proxied):
        ledger, evm, consensus = proxied
        for proxy in (evm, consensus):
            proxy.status = 503
        with pytest.raises(Unreachable, match="busy"):
            ledger.tip()
        for proxy in (evm, consensus):
            proxy.status, proxy.cut = 0, True
        with pytest.raises((BadAnswer, Unreachable)):
            ledger.headers(2, 3)
        for proxy in (evm, consensus):
            proxy.cut = False
        assert ledger.tip() > 0

    def test_a_node_far_behind_two_others_is_left(self, world):
        nodes = world.networks[0].nodes
        proxy = NodeProxy(nodes[0].consensus_url)

        def behind(method, result):
            if method == "status":
                result["sync_info"]["latest_block_height"] = "5"
            return result

        proxy.change = behind
        urls = [f"{nodes[0].evm_url}#{proxy.port}", nodes[1].endpoint, nodes[2].endpoint]
        ledger = GuardedLedger(ADAPTER, AdapterOptions(tuple(Endpoint(url) for url in urls)))
        assert ledger.tip() > 5
        assert ledger.status()[0].rests_s > 0
        ledger.close()
        proxy.close()
