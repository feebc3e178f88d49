"""Messages over a channel of three organisations, of whose peers one fails, lags or lies at random: every message is proved once."""

import random
import time

import pytest

from adapters.protocol import AdapterError, AdapterOptions, Call, Endpoint, MessageSent
from adapters.registry import open_ledger
from adapters.solidity.calldata import encode_send
from light_clients import fabric
from schemas.claim import Claim, Direction
from schemas.heads import fold_all, outbox_genesis
from tests.support.fabric_world import FabricWorld, followed, pin_of

ROUNDS = 12
MESSAGES = 5
FAULTS = ("unavailable", "exhausted", "cut", "garbage", "wrong_answer", "forged_block", "twice", "all_valid")
PATIENCE_S = 120


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    made = FabricWorld(tmp_path_factory.mktemp("random"), organisations=3, orderers=4)
    yield made
    made.close()


class Carrier:
    """Does each step until it is done; every failure must be an AdapterError."""

    def __init__(self, ledger):
        self.ledger, self.deadline = ledger, time.monotonic() + PATIENCE_S

    def until(self, act, done):
        while True:
            try:
                found = act()
                if done(found):
                    return found
            except AdapterError:
                pass
            assert time.monotonic() < self.deadline
            time.sleep(0.05)

    def transact(self, key, number, call):
        signed = self.until(lambda: self.ledger.sign(key, number, call, 0), bool)
        self.until(lambda: self.ledger.broadcast([signed.raw]), lambda said: said == [None])
        (receipt,) = self.until(lambda: self.ledger.receipts([signed.transaction]), lambda said: said[0] is not None)
        assert receipt.success
        return signed.transaction


def test_every_message_is_proved_once(wide):
    network, source = wide.networks[0], random.Random(1_123)
    endpoints = tuple(Endpoint(url, f"organisation {place}") for place, url in enumerate(network.endpoints))
    ledger = open_ledger("fabric", AdapterOptions(endpoints, timeout_s=20.0, extra=network.options))
    carrier, lane_id, number = Carrier(ledger), wide.lane.lane_id, 50_000
    for turn in range(ROUNDS):
        peer = source.choice(network.peers)
        peer.node.faults.set(**{source.choice(FAULTS): True, "lag": source.choice((0, 0, 2))})
        tickets = []
        for place in range(MESSAGES):
            number += 1
            data = encode_send(lane_id, wide.receiver, f"{turn}/{place}".encode(), 1, 0, 0)
            tickets.append(carrier.transact(wide.sender, number, Call(b"gateway", data, 0)))
        peer.node.faults.heal()
        number += 1
        carrier.transact(wide.relayer, number, wide.seal_call(*tickets))
    ledger.close()
    sent = wide.events(0, MessageSent)
    assert sorted(event.message.payload.decode() for event in sent) == sorted(
        f"{turn}/{place}" for turn in range(ROUNDS) for place in range(MESSAGES)
    )
    assert sent[-1].head == fold_all(wide.lane.suite, outbox_genesis(lane_id), [event.message_id for event in sent])
    place, own = sent[-1].position, wide.ledgers[0]
    (found,) = own.evidence(b"gateway", [(lane_id, 0)], place.height)
    claim = Claim(lane_id, Direction.OUTBOX, len(sent), sent[-1].head, place.height, place.block_hash)
    evidence = fabric.FabricEvidence.from_bytes(found.proof)
    fabric.verify_claim(followed(own, "trade"), claim, evidence, pin_of(own))
