"""Catching up with a Fabric channel, where the newest head alone can be proved: old blocks are read in parts, and nothing stands still.

One lane of the channel rests after its first message, the other is busy until the end. In the first parts the busy lane's head has
moved on already; the resting lane's can be proved only while the light client remembers its block.
"""

import time

import pytest
from sqlalchemy import insert, select

from adapters.conformance.world import SENDER_LIMIT
from adapters.fabric import ADAPTER
from adapters.guard import GuardedLedger
from adapters.protocol import Call
from adapters.solidity import administration
from adapters.solidity.calldata import encode_send
from light_clients import fabric
from relay.clients import client_configuration
from relay.context import Context
from relay.demo.balance import prove_ledger
from relay.following import Lied
from relay.observer import HeadMovedOn
from relay.operator.configuration import ChainConfig
from relay.operator.database import OperatorDatabase
from relay.operator.lanes import LaneBook
from relay.operator.view import LedgerView
from relay.pins import headers_to_pin
from relay.steps import look as looking
from relay.store import Lease
from relay.store.tables import chains, lanes, messages
from schemas.heads import outbox_genesis
from schemas.lane import Lane
from schemas.suites import EVM
from tests.support.fabric_world import FabricWorld, calldata, options_of
from tests.support.memory_hub import MemoryHub

PART = 6
BUSY = 8
SEAL = "seal(bytes32,bytes32[])"


class Channel:
    """A channel with a lane that rests and one that is busy, and what a hub registers of it."""

    def __init__(self, folder):
        self.world = world = FabricWorld(folder)
        network = world.networks[0]
        first = world.ledgers[0].installed(b"gateway")
        self.options = options_of(network, **first.options)
        self.ledger = GuardedLedger(ADAPTER, self.options)
        self.installed, self.identity = first, self.ledger.identity()
        configuration = client_configuration("fabric", {"channel": "trade"}, self.identity)
        (header,) = headers_to_pin(self.ledger, "fabric", configuration, 0)
        self.state = fabric.bootstrap(header, self.identity.first_block, configuration)
        self.header = header
        self.resting = world.lane.lane_id
        self.busy = self._open_another()
        world.send(b"the only one of its lane")
        self._send_busily()

    def _open_another(self):
        world = self.world
        lane = Lane("other", EVM, world.words[0], world.gateways[0], world.words[1], world.gateways[1], "main")
        caps = administration.Caps(receiver_length=33)
        opening = administration.open_lane(lane, 0, world.verifiers[0], world.code_hash(1), caps, accounts="bytes")
        world.act(0, opening)
        sender = world.account(0, world.sender)
        world.act(0, administration.allow_sender(lane.lane_id, sender, SENDER_LIMIT, accounts="bytes"))
        return lane.lane_id

    def _send_busily(self):
        world = self.world
        for number in range(BUSY):
            data = encode_send(self.busy, world.receiver, b"message %d" % number, 100_000, 0, 0)
            receipt = world.transact(0, world.sender, Call(world.gateways[0], data, 0))
            sealing = calldata(SEAL, self.busy, [receipt.transaction])
            assert world.transact(0, world.relayer, Call(world.gateways[0], sealing, 0)).success

    @property
    def row(self):
        """What the registry writes down."""
        return {
            "name": "trade",
            "chain_id": str(self.identity.chain_id),
            "chain_word": bytes(self.identity.word),
            "first_block": bytes(self.identity.first_block),
            "adapter": "fabric",
            "endpoints": [{"url": endpoint.url, "operator": ""} for endpoint in self.options.endpoints],
            "adapter_options": dict(self.options.extra),
            "consensus": "fabric",
            "gateway": b"gateway",
            "gateway_code_hash": bytes(self.installed.code_hash),
            "gateway_pin": self.installed.pin,
            "pinned_hash": bytes(self.state.block_hash),
            "client_state": self.state.to_bytes(),
            "client_header": self.header,
            "client_hash": bytes(self.state.block_hash),
            "client_time": self.state.timestamp,
        }


@pytest.fixture(scope="module")
def channel(tmp_path_factory):
    made = Channel(tmp_path_factory.mktemp("channel"))
    yield made
    made.ledger.close()
    made.world.close()


@pytest.fixture
def hub(channel, tmp_path):
    made = MemoryHub(tmp_path)
    with made.context.store.write() as connection:
        (lane,) = connection.execute(select(lanes).where(lanes.c.source == "alpha")).mappings().all()
        (chain,) = connection.execute(select(chains).where(chains.c.name == "alpha")).mappings().all()
        connection.execute(insert(chains).values(**{**chain, **channel.row}))
        for lane_id in (channel.resting, channel.busy):
            named = {"lane_id": bytes(lane_id), "source": "trade", "channel": lane_id.hex()[:8]}
            connection.execute(insert(lanes).values(**{**lane, **named, "final_head": bytes(outbox_genesis(lane_id))}))
    yield made
    made.close()


def looks(hub, ledger, count=1):
    """So many looks of a worker; the row after each."""
    context = Context(hub.home, clock=time.time)
    lease = Lease.take(context.store, "chain", "trade")
    try:
        for _ in range(count):
            result = looking.look(context, lease, context.chain("trade"), ledger)
            yield result, context.chain("trade"), known(context)
    finally:
        lease.release()
        context.close()


def known(context):
    with context.store.read() as connection:
        return {
            bytes(row.lane_id): row.final
            for row in connection.execute(select(lanes.c.lane_id, lanes.c.final).where(lanes.c.source == "trade"))
        }


def test_a_hub_catches_up_in_parts(channel, hub, monkeypatch):
    monkeypatch.setattr(looking, "HEADERS_BEFORE_EVENTS", PART)
    tip, told = channel.ledger.tip(), []
    for result, row, final in looks(hub, channel.ledger, tip // PART + 2):
        told.append((row.client_height, row.observed_height, final[bytes(channel.resting)], final[bytes(channel.busy)]))
        if not result.more:
            break
    assert told[-1] == (tip, tip, 1, BUSY)
    assert any(seen < height and rest == 1 and not busy for height, seen, rest, busy in told), (
        "the resting lane did not wait"
    )
    with hub.context.store.read() as connection:
        rows = connection.execute(select(messages.c.nonce).where(messages.c.lane_id == bytes(channel.busy))).all()
    assert [row.nonce for row in rows] == list(range(1, BUSY + 1))


def test_a_hub_leaves_an_endpoint_that_never_shows_the_head(channel, hub, monkeypatch):
    monkeypatch.setattr(looking, "OUTRUN_LOOKS", 3)
    monkeypatch.setattr(looking, "_OUTRUN", {})
    monkeypatch.setattr(channel.ledger, "evidence", lambda _gateway, keys, _height: [None] * len(keys))
    left = []
    monkeypatch.setattr(looking, "leave_liar", lambda _lease, row, _ledger, lie: left.append((row.name, lie.name)))
    told = [(result.more, final) for result, _, final in looks(hub, channel.ledger, 3)]
    assert [more for more, _ in told] == [True, True, False]
    assert left == [("trade", "HeadNotShown")]
    assert told[-1][1] == {bytes(channel.resting): 0, bytes(channel.busy): 0}


def view_of(channel, folder):
    config = ChainConfig(
        name="trade",
        chain_id=str(channel.identity.chain_id),
        first_block=channel.identity.first_block,
        adapter="fabric",
        endpoints=tuple(endpoint.url for endpoint in channel.options.endpoints),
        consensus="fabric",
        gateway=b"gateway",
        gateway_code_hash=channel.installed.code_hash,
        pinned_height=0,
        pinned_hash=channel.identity.first_block,
        client={"channel": "trade"},
        gateway_pin=channel.installed.pin,
    )
    return LedgerView(config, channel.ledger, OperatorDatabase(folder / "operator.db"), LaneBook())


def test_an_operator_catches_up_in_parts(channel, tmp_path, monkeypatch):
    monkeypatch.setattr("relay.operator.view.HEADERS_BEFORE_EVENTS", PART)
    view = view_of(channel, tmp_path)
    view.look(int(time.time()))
    assert view.state.height == channel.ledger.tip()
    assert {key[0]: item.nonce for key, item in view.chronicles.items()} == {channel.resting: 1, channel.busy: BUSY}
    height = max(view.chronicles[channel.busy, 0].heights)
    assert view.proved((channel.busy, 0), height) == BUSY


def test_an_operator_leaves_an_endpoint_that_never_shows_the_head(channel, tmp_path, monkeypatch):
    monkeypatch.setattr("relay.operator.view.OUTRUN_LOOKS", 2)
    monkeypatch.setattr(channel.ledger, "evidence", lambda _gateway, keys, _height: [None] * len(keys))
    view, left = view_of(channel, tmp_path), []
    monkeypatch.setattr(channel.ledger, "leave_endpoint", left.append, raising=False)
    with pytest.raises(HeadMovedOn):
        view.look(int(time.time()))
    with pytest.raises(Lied, match="has moved"):
        view.look(int(time.time()))
    assert len(left) == 1
    assert {item.nonce for item in view.chronicles.values()} == {0}


def test_the_balance_is_proved_in_parts(channel, hub, monkeypatch):
    monkeypatch.setattr("relay.demo.balance.HEADERS_BEFORE_EVENTS", PART)
    with hub.context.store.read() as connection:
        rows = connection.execute(select(lanes).where(lanes.c.source == "trade")).all()
        row = connection.execute(select(chains).where(chains.c.name == "trade")).one()
    proved = prove_ledger(row, rows)
    counts = {lane_id: len(history.entries) for (lane_id, _), history in proved.histories.items()}
    assert counts == {channel.resting: 1, channel.busy: BUSY}
