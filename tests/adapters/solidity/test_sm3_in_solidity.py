"""SM3 in Solidity against the standard's vectors and OpenSSL, alone and as the hash of a gateway's suite."""

import random

import pytest

from adapters.solidity.contracts import back_ends, contract, gateway_creation
from schemas.suites import SM, keccak256, sm3
from tests.support.evm_world import GUARDIAN, OFFICERS, STRANGER, EvmChain, EvmWorld, account, refusal_of, refuses
from tests.support.machine_world import Platform, make_end
from tests.support.shared_vectors import shared_json

SELECTOR = contract("Sm3").functions["hash"].selector
GAS_TOO_LITTLE = range(30_000, 72_000, 3_000)
ORDINARY = Platform(None, SM, "secp256k1", "solidity")
"""An ordinary EVM at one end of a lane of the suite `sm`."""


@pytest.fixture(scope="module")
def hashing():
    chain = EvmChain("hash")
    ((name, creation),) = back_ends(hashing="solidity")
    assert name == "Sm3"
    address = chain.deploy(creation)
    return lambda message: chain.transact(STRANGER, address, SELECTOR + message)


def test_the_vectors_of_the_standard(hashing):
    for vector in shared_json("sm/sm3_golden.json"):
        assert hashing(vector["in_ascii"].encode()).output.hex() == vector["sm3"]


def test_every_length_around_three_blocks(hashing):
    source = random.Random(3)
    for length in range(200):
        message = source.randbytes(length)
        assert hashing(message).output == sm3(message), length


@pytest.mark.parametrize("fill", [b"\x00", b"\xff", b"\x80\x00\x00\x01"])
@pytest.mark.parametrize("length", [64, 320, 4_096])
def test_words_of_carries_and_of_none(hashing, fill, length):
    message = (fill * length)[:length]
    assert hashing(message).output == sm3(message)


def test_what_a_block_costs(hashing):
    blocks = hashing(bytes(64 * 20)).gas_used - hashing(bytes(64 * 10)).gas_used
    assert blocks / 10 < 25_000


def gateway(chain, hashing, address):
    people = {"chain_word": chain.word, "officers": OFFICERS, "guardian": GUARDIAN, "delay_s": 0}
    return gateway_creation(**people, suite="sm", hashing=hashing, libraries=address)


def test_a_machine_whose_opcode_is_no_sm3_is_refused():
    chain = EvmChain("keccak")
    with refuses("HashNotSm3"):
        chain.deploy(gateway(chain, "opcode", {}))


def test_a_back_end_that_computes_another_hash_is_refused():
    chain = EvmChain("keccak")
    liar = chain.create("test/KeccakAsHash")
    with refuses("HashNotSm3"):
        chain.deploy(gateway(chain, "solidity", {"Sm3": liar}))


def test_a_back_end_that_does_not_answer_is_refused():
    chain = EvmChain("keccak")
    for silent in (account("no code"), chain.create("Idle")):
        with refuses("HashSilent"):
            chain.deploy(gateway(chain, "solidity", {"Sm3": silent}))


def test_too_little_gas_for_the_hash_is_no_other_hash():
    chain = EvmChain("words")
    address = chain.create("test/WordsHarnessSm", chain.create("Sm3"))
    data = contract("test/WordsHarnessSm").encode("outcomesGenesis", keccak256(b"lane"))
    assert chain.transact(STRANGER, address, data).output == SM.hash(
        SM.tag("outcomes") + keccak256(b"lane") + bytes(32)
    )
    refused = [refusal_of(lambda gas=gas: chain.transact(STRANGER, address, data, gas=gas)) for gas in GAS_TOO_LITTLE]
    assert "HashSilent" in refused
    assert None not in refused


def test_messages_of_the_suite_travel_between_ordinary_machines():
    world = EvmWorld.between(make_end(EvmChain("alpha"), ORDINARY), make_end(EvmChain("beta"), ORDINARY))
    world.send(b"one")
    world.send(bytes(200), expires_at=world.source.chain.now + 100)
    world.deliver()
    world.settle()
    assert world.statuses() == [1, 1]
    assert world.source_view().settled == 2


def test_each_gateway_opens_lanes_of_its_own_suite_only():
    ordinary = make_end(EvmChain("alpha"), ORDINARY)
    evm = EvmWorld.create()
    with refuses("UnknownSuite", suite="sm"):
        evm.source.chain.view(evm.source.gateway, "Gateway", "laneIdOf", opening("sm"))
    with refuses("UnknownSuite", suite="evm"):
        ordinary.chain.view(ordinary.gateway, "GatewaySm", "laneIdOf", opening("evm"))
    for suite in ("", "s", "smm", "ev", "evmm", "SM"):
        with refuses("UnknownSuite", suite=suite):
            ordinary.chain.view(ordinary.gateway, "GatewaySm", "laneIdOf", opening(suite))


def opening(suite):
    return (0, "hub", suite, bytes(32), b"one", bytes(32), b"two", "main", bytes(20), bytes(32))


def test_a_suite_or_a_way_that_is_none():
    chain = EvmChain("alpha")
    people = {"chain_word": chain.word, "officers": OFFICERS, "guardian": GUARDIAN, "delay_s": 0}
    with pytest.raises(ValueError, match="evm, sm, not 'sha'"):
        gateway_creation(**people, suite="sha")
    with pytest.raises(ValueError, match="opcode, solidity, fisco2, fisco3, not 'sha'"):
        gateway_creation(**people, suite="sm", hashing="sha")
    with pytest.raises(ValueError, match="by the machine's opcode, not by solidity"):
        gateway_creation(**people, hashing="solidity")
    with pytest.raises(ValueError, match="Sm3 is missing"):
        gateway_creation(**people, suite="sm", hashing="solidity")
