"""Python and Solidity compute the same ids, heads and digests: golden vectors and 10,000 random messages and outcomes."""

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.solidity.contracts import contract
from adapters.solidity.storage import head_slot
from schemas.attestation import Place, attestation_digest
from schemas.claim import Claim, Direction
from schemas.heads import fold_all, genesis
from schemas.lane import Lane
from schemas.message import Message
from schemas.outcome import Settled, Status
from schemas.primitives import BlockHash, ChainWord, Head, LaneId
from schemas.suites import EVM, keccak256
from tests.support.evm_world import EvmChain, EvmWorld

GOLDEN = json.loads((Path(__file__).parents[2] / "vectors" / "golden" / "evm.json").read_text())
HARNESS = "test/WordsHarness"
ENTRIES = 10_000
BATCH = 500


@pytest.fixture(scope="module")
def harness():
    chain = EvmChain("words")
    return chain, chain.create(HARNESS)


def random_settled(source, nonce):
    largest = source.choice([0, 1, 255, 2**32, 2**64 - 1])
    message = Message.create(
        EVM,
        nonce=source.choice([nonce, 2**64 - 1]),
        sender=source.randbytes(source.randint(1, 64)),
        receiver=source.randbytes(source.randint(1, 64)),
        payload=source.randbytes(source.choice([0, 1, 31, 32, 33, 200])),
        gas_limit=source.randint(0, largest),
        callback_gas=source.randint(0, largest),
        expires_at=source.randint(0, largest),
    )
    return Settled(message, source.choice(list(Status)), source.randbytes(source.choice([0, 1, 32, 100, 256])))


def as_tuple(entry):
    message = entry.message
    fields = (message.nonce, message.sender, message.receiver, message.expires_at, message.gas_limit)
    rest = (message.callback_gas, message.payload_length, message.payload_hash, message.payload)
    return ((*fields, *rest), int(entry.status), entry.result)


def test_ten_thousand_messages_and_outcomes_are_hashed_alike(harness):
    chain, address = harness
    source = random.Random(20_240_817)
    compared = 0
    for _ in range(ENTRIES // BATCH):
        lane_id = LaneId(source.randbytes(32))
        entries = [random_settled(source, nonce) for nonce in range(1, BATCH + 1)]
        found = chain.view(address, HARNESS, "entries", lane_id, [as_tuple(entry) for entry in entries])
        message_ids, outcome_ids, outbox, outcomes = found
        assert list(message_ids) == [entry.message.message_id(EVM, lane_id) for entry in entries]
        assert list(outcome_ids) == [entry.outcome_id(EVM, lane_id) for entry in entries]
        assert outbox == fold_all(EVM, genesis(EVM, lane_id, 0), message_ids)
        assert outcomes == fold_all(EVM, genesis(EVM, lane_id, 1), outcome_ids)
        compared += len(message_ids)
    assert compared == ENTRIES


@pytest.mark.parametrize("seed", range(20))
def test_lanes_and_attestations_are_hashed_alike(harness, seed):
    chain, address = harness
    source = random.Random(seed)
    lane = Lane(
        source.choice(["hub", "枢纽", "größe"]),
        EVM,
        ChainWord(source.randbytes(32)),
        source.randbytes(source.randint(1, 64)),
        ChainWord(source.randbytes(32)),
        source.randbytes(20),
        source.choice(["main", "通道 1"]),
    )
    words = (lane.hub, lane.source, lane.source_gateway, lane.destination, lane.destination_gateway, lane.channel)
    assert chain.view(address, HARNESS, "nameLane", *words) == lane.lane_id
    place = Place(
        ChainWord(source.randbytes(32)), source.randbytes(20), source.randbytes(20), source.randint(1, 2**64 - 1)
    )
    claim = Claim(
        lane.lane_id,
        Direction(seed % 2),
        source.randint(1, 2**64 - 1),
        Head(source.randbytes(32)),
        source.randint(0, 2**64 - 1),
        BlockHash(source.randbytes(32)),
    )
    hashes = (place.chain, keccak256(place.gateway), keccak256(place.verifier), place.epoch)
    spoken = (claim.lane_id, int(claim.direction), claim.nonce, claim.head, claim.height, claim.block_hash)
    digest = chain.view(address, HARNESS, "attestation", *hashes, spoken)
    assert digest == attestation_digest(EVM, place, claim)


def test_heads_stand_at_the_slots_that_proofs_open():
    world = EvmWorld.create()
    world.send(b"one")
    world.send(b"two")
    world.deliver()
    source, destination = world.source, world.destination
    assert source.chain.slot(source.gateway, head_slot(world.lane_id, 0)) == world.head(0, 2)
    assert destination.chain.slot(destination.gateway, head_slot(world.lane_id, 1)) == world.head(1, 2)
    assert source.chain.slot(source.gateway, head_slot(world.lane_id, 1)) == bytes(32)
    assert destination.chain.slot(destination.gateway, head_slot(world.lane_id, 0)) == bytes(32)


def test_a_direction_that_is_none_has_no_slot():
    with pytest.raises(ValueError, match="2"):
        head_slot(LaneId(b"\x01" * 32), 2)


def test_opening_a_lane_writes_both_heads_of_its_end():
    world = EvmWorld.create()
    lane_id = world.lane_id
    start, outcomes = genesis(EVM, lane_id, 0), genesis(EVM, lane_id, 1)
    empty = bytes(32)
    assert world.source.chain.view(world.source.gateway, "Gateway", "heads", lane_id) == (start, empty, empty, outcomes)
    seen = world.destination.chain.view(world.destination.gateway, "Gateway", "heads", lane_id)
    assert seen == (empty, outcomes, start, empty)


def test_the_gateway_names_a_lane_as_python_does():
    world = EvmWorld.create()
    lane = replace(world.lane, channel="another")
    words = (lane.source, lane.source_gateway, lane.destination, lane.destination_gateway)
    opening = (0, lane.hub, "evm", *words, lane.channel, bytes(20), bytes(32))
    assert world.source.chain.view(world.source.gateway, "Gateway", "laneIdOf", opening) == lane.lane_id


def test_the_deployed_code_is_the_compiled_code():
    world = EvmWorld.create()
    size = len(contract("Gateway").runtime)
    code = bytes(world.source.chain.evm.get_code("0x" + world.source.gateway.hex()))[:size]
    assert contract("Gateway").same_code(code)
    assert not contract("Gateway").same_code(code[:-1])
    assert not contract("Gateway").same_code(bytes([code[0] ^ 1]) + code[1:])


def raw(text):
    return bytes.fromhex(text.removeprefix("0x"))


@pytest.mark.parametrize("vector", GOLDEN["lanes"], ids=lambda vector: vector["name"])
def test_golden_lane(harness, vector):
    chain, address = harness
    words = [
        vector["hub"],
        *(raw(vector[name]) for name in ("source", "source_gateway", "destination", "destination_gateway")),
    ]
    lane_id = chain.view(address, HARNESS, "nameLane", *words, vector["channel"])
    assert lane_id == raw(vector["lane_id"])
    assert chain.view(address, HARNESS, "outcomesGenesis", lane_id) == raw(vector["outcomes_genesis"])


@pytest.mark.parametrize("vector", GOLDEN["messages"], ids=lambda vector: vector["name"])
def test_golden_message(harness, vector):
    chain, address = harness
    fields = vector["message"]
    numbers = [int(fields[name]) for name in ("nonce", "expires_at", "gas_limit", "callback_gas", "payload_length")]
    message = (
        numbers[0],
        raw(fields["sender"]),
        raw(fields["receiver"]),
        *numbers[1:],
        raw(fields["payload_hash"]),
        b"",
    )
    ids, _, _, _ = chain.view(address, HARNESS, "entries", raw(vector["lane_id"]), [(message, 1, b"")])
    assert ids[0] == raw(vector["message_id"])


@pytest.mark.parametrize("vector", GOLDEN["outcomes"], ids=lambda vector: vector["name"])
def test_golden_outcome(harness, vector):
    chain, address = harness
    fields = vector["outcome"]
    values = (raw(fields["message_id"]), fields["status"], raw(fields["result"]))
    assert chain.view(address, HARNESS, "outcome", *values) == raw(vector["outcome_id"])


@pytest.mark.parametrize("vector", GOLDEN["folds"], ids=lambda vector: vector["name"])
def test_golden_fold(harness, vector):
    chain, address = harness
    ids = [raw(entry) for entry in vector["ids"]]
    for count, head in enumerate(vector["heads"], 1):
        assert chain.view(address, HARNESS, "foldAll", raw(vector["start"]), ids[:count]) == raw(head)


@pytest.mark.parametrize("vector", GOLDEN["attestations"], ids=lambda vector: vector["name"])
def test_golden_attestation(harness, vector):
    chain, address = harness
    place, claim = vector["place"], vector["claim"]
    hashes = (
        raw(place["chain"]),
        keccak256(raw(place["gateway"])),
        keccak256(raw(place["verifier"])),
        int(place["epoch"]),
    )
    numbers = (claim["direction"], int(claim["nonce"]))
    spoken = (raw(claim["lane_id"]), *numbers, raw(claim["head"]), int(claim["height"]), raw(claim["block_hash"]))
    assert chain.view(address, HARNESS, "attestation", *hashes, spoken) == raw(vector["digest"])
