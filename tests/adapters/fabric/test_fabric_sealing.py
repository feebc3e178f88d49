"""Messages wait under tickets until a sealer folds them into the lane's head, each once, in order of their age."""

import json
import subprocess
import sys
import time

import pytest

from adapters.fabric.sealing import Sealer
from adapters.protocol import Call, MessageSent, Rejected
from adapters.solidity.calldata import encode_send


def test_what_waits_is_sealed_once_in_order(world):
    ledger = world.ledgers[0]
    tickets = [world.ticket(payload) for payload in (b"one", b"two", b"three")]
    found = [ticket for lane, ticket in ledger.tickets(0, ledger.tip(), b"gateway") if lane == world.lane.lane_id]
    assert found == tickets
    sealer = Sealer(ledger, b"gateway", world.relayer)
    assert sealer.step() == 1
    assert [event.message.payload for event in world.events(0, MessageSent)] == [b"one", b"two", b"three"]
    assert sealer.step() == 0
    world.ticket(b"four")
    assert sealer.step() == 1
    assert Sealer(ledger, b"gateway", world.relayer).step() == 0
    assert [event.message.nonce for event in world.events(0, MessageSent)] == [1, 2, 3, 4]


def test_two_sealers_do_not_lose_a_message(world):
    ledger = world.ledgers[0]
    first, second = (Sealer(ledger, b"gateway", key) for key in (world.relayer, world.sender))
    before = len(world.events(0, MessageSent))
    ticket = world.ticket(b"raced")
    signed = world.signed(0, world.relayer, world.seal_call(ticket))
    other = world.ticket(b"other")
    ledger.broadcast([signed.raw])
    assert first.step() + second.step() >= 1
    world.receipt(0, signed.transaction)
    while first.step():
        pass
    payloads = [event.message.payload for event in world.events(0, MessageSent)][before:]
    assert sorted(payloads) == [b"other", b"raced"]
    assert other != ticket


def test_a_sealer_runs_as_a_process(world):
    options = world.networks[0].options
    command = [
        *(sys.executable, "-m", "adapters.fabric.sealer", "--endpoint", world.networks[0].endpoints[0]),
        *("--network", options["network"], "--member", options["reader"], "--gateway", "gateway", "--pause", "0.05"),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert json.loads(process.stdout.readline())["seals"] == "gateway"
    before, deadline = len(world.events(0, MessageSent)), time.monotonic() + 60
    world.ticket(b"by itself")
    while len(world.events(0, MessageSent)) == before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert world.events(0, MessageSent)[-1].message.payload == b"by itself"
    process.terminate()
    assert process.wait(timeout=60) == 0
    process.stdout.close()


def test_nobody_sends_who_is_not_allowed(world):
    data = encode_send(world.lane.lane_id, world.receiver, b"no", 1, 0, 0)
    with pytest.raises(Rejected, match="SenderNotAllowed"):
        world.transact(0, world.relayer, Call(b"gateway", data, 0))
