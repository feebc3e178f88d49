"""The contracts of docs/write-an-application.md, as they stand there, on two development networks with a lane between them."""

import time

import pytest

from adapters.protocol import Call, HeadMoved, MessageDelivered, MessageSent
from adapters.solidity import administration
from adapters.solidity.calldata import encode_retry
from light_clients.crypto.secp256k1 import address_of
from schemas.outcome import Settled, Status
from schemas.payloads import decode_payload
from schemas.suites import keccak256
from tests.support.document_contracts import document_contracts
from tests.support.evm_lane import OFFICERS, EvmLane

SUPPLY = 1_000
CALLBACK_GAS = 80_000
PATIENCE_S = 60.0
CALLBACK_FAILED = keccak256(b"CallbackFailed(bytes32,uint64,bytes32)")


class Application:
    """Purse at the source, Credit and Greeter at the destination, all allowed on the lane."""

    def __init__(self):
        self.world = world = EvmLane()
        self.contracts = document_contracts("write-an-application.md")
        lane_id = world.lane.lane_id
        self.owner = address_of(OFFICERS[0])  # who deploys has the supply
        self.purse = self.deploy(0, "Purse", world.gateways[0], lane_id, SUPPLY)
        self.credit = self.deploy(1, "Credit", world.gateways[1], lane_id, self.purse)
        self.greeter = self.deploy(1, "Greeter", world.gateways[1])
        world.act(0, administration.allow_sender(lane_id, self.purse, 1_000))
        for receiver in (self.credit, self.greeter):
            world.act(1, administration.allow_receiver(lane_id, receiver))
        self.sent = self.delivered = self.settled = 0

    def deploy(self, end, name, *arguments):
        return self.world.deploy(end, self.contracts[name].creation_code(*arguments))

    def view(self, end, address, name, function, *arguments):
        contract = self.contracts[name]
        output = self.world.ledgers[end].simulate(
            bytes(20), Call(address, contract.encode(function, *arguments), 1_000_000)
        )
        return contract.decode(function, output)

    def pay(self, amount, *, callback_gas=CALLBACK_GAS, expires_at=0):
        """Pay; returns the message's event."""
        data = self.contracts["Purse"].encode("pay", self.credit, amount, callback_gas, expires_at)
        assert self.world.transact(0, OFFICERS[0], Call(self.purse, data, 500_000)).success
        return self.world.events(0, MessageSent)[-1]

    def deliver(self):
        """Deliver what was sent since the last time."""
        sent = self.world.events(0, MessageSent)[self.sent :]
        self.sent += len(sent)
        assert self.world.deliver(self.world.delivery(sent)).success

    def settle(self):
        """Bring home what was delivered since the last time; returns the entries that were settled."""
        sent = self.world.events(0, MessageSent)[self.settled : self.sent]
        delivered = self.world.events(1, MessageDelivered)[self.settled :]
        self.settled += len(sent)
        head = [event for event in self.world.events(1, HeadMoved) if event.direction == 1][-1].head
        assert self.world.settle(self.world.settlement(sent, delivered, head)).success
        return [
            Settled(event.message.without_payload(), outcome.status, outcome.result)
            for event, outcome in zip(sent, delivered, strict=True)
        ]

    def journey(self):
        self.deliver()
        return self.settle()[-1].status

    def retry(self, entry):
        call = Call(self.world.gateways[0], encode_retry(self.world.lane.lane_id, entry), 1_000_000)
        return self.world.transact(0, self.world.relayer, call)

    def failed_callbacks(self):
        network = self.world.networks[0]
        query = {
            "address": "0x" + self.world.gateways[0].hex(),
            "fromBlock": "0x0",
            "topics": ["0x" + CALLBACK_FAILED.hex()],
        }
        return len(network.rpc("eth_getLogs", query))

    def purse_of(self, owner):
        return self.view(0, self.purse, "Purse", "balance", owner)[0]

    def credit_of(self, owner):
        return self.view(1, self.credit, "Credit", "balance", owner)[0]

    def deposit(self, event):
        return self.view(0, self.purse, "Purse", "inFlight", bytes(event.message_id))

    def time_of(self, end):
        return int(self.world.networks[end].rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)


@pytest.fixture(scope="module")
def application():
    application = Application()
    yield application
    application.world.close()


@pytest.fixture(autouse=True)
def conserved(application):
    """Before and after each test: what was paid out there is what is missing here."""
    yield
    assert application.purse_of(application.owner) + application.credit_of(application.owner) == SUPPLY


def test_executed_what_is_paid_arrives_once(application):
    before = application.purse_of(application.owner)
    event = application.pay(40)
    assert application.deposit(event) == ("0x" + application.owner.hex(), 40)
    said = decode_payload(event.message.payload)
    assert (said.kind, said.data[-1]) == ("raw", 40), "tools can show it"
    assert application.journey() is Status.EXECUTED
    assert application.purse_of(application.owner) == before - 40
    assert application.credit_of(application.owner) == 40
    assert application.deposit(event)[1] == 0
    assert application.failed_callbacks() == 0


def test_failed_what_the_receiver_refuses_comes_back(application):
    before = application.purse_of(application.owner)
    event = application.pay(101)
    assert application.purse_of(application.owner) == before - 101
    assert application.journey() is Status.FAILED
    assert application.purse_of(application.owner) == before
    assert application.deposit(event)[1] == 0


def test_expired_what_comes_too_late_comes_back(application):
    before = application.purse_of(application.owner)
    expires_at = application.time_of(0) + 5
    application.pay(7, expires_at=expires_at)
    deadline = time.monotonic() + PATIENCE_S
    while application.time_of(1) < expires_at and time.monotonic() < deadline:
        time.sleep(0.2)
        application.world.mine(1)
    assert application.journey() is Status.EXPIRED
    assert application.purse_of(application.owner) == before


def test_refused_what_the_lane_does_not_allow_there_comes_back(application):
    world, lane_id, before = application.world, application.world.lane.lane_id, application.purse_of(application.owner)
    deny = Call(world.gateways[1], administration.deny_receiver(lane_id, application.credit), 500_000)
    assert world.transact(1, OFFICERS[0], deny).success
    application.pay(8)
    assert application.journey() is Status.REFUSED
    assert application.purse_of(application.owner) == before
    world.act(1, administration.allow_receiver(lane_id, application.credit))


def test_a_callback_that_had_too_little_gas_is_kept_and_retried_by_anyone(application):
    before = application.purse_of(application.owner)
    event = application.pay(102, callback_gas=2_000)
    application.deliver()
    (entry,) = application.settle()
    assert entry.status is Status.FAILED
    assert application.failed_callbacks() == 1
    assert application.purse_of(application.owner) == before - 102
    assert application.deposit(event)[1] == 102
    assert application.retry(entry).success
    assert application.purse_of(application.owner) == before
    assert not application.retry(entry).success, "once"
    assert application.purse_of(application.owner) == before


def test_nobody_but_the_gateway_brings_outcomes_or_messages(application):
    world, stranger = application.world, address_of(application.world.sender)
    event = application.pay(1)
    outcome = application.contracts["Purse"].encode("onOutcome", world.lane.lane_id, event.message_id, 2, b"")
    with pytest.raises(Exception, match="only the gateway brings outcomes"):
        world.ledgers[0].simulate(stranger, Call(application.purse, outcome, 500_000))
    message = [world.lane.lane_id, bytes(32), application.purse, bytes.fromhex("005840") + bytes(64)]
    forged = application.contracts["Credit"].encode("onMessage", *message)
    with pytest.raises(Exception, match="only this lane"):
        world.ledgers[1].simulate(stranger, Call(application.credit, forged, 500_000))
    assert application.journey() is Status.EXECUTED


def test_a_sender_that_is_not_the_purse_fails_and_gets_nothing(application):
    world = application.world
    assert world.send(
        bytes.fromhex("005840") + address_of(world.sender).rjust(32, b"\0") + (9).to_bytes(32, "big"),
        receiver=application.credit,
    ).success
    application.deliver()
    (entry,) = application.settle()
    assert entry.status is Status.FAILED
    assert b"only the purse" in entry.result
    assert application.credit_of(address_of(world.sender)) == 0


def test_ten_lines_are_an_application(application):
    world = application.world
    assert world.send("你好 👋".encode(), receiver=application.greeter).success
    application.deliver()
    (entry,) = application.settle()
    assert entry.status is Status.EXECUTED
    assert application.view(1, application.greeter, "Greeter", "last")[0] == "你好 👋"
    assert "read 你好 👋".encode() in entry.result
