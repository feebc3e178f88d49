"""Blocks of two live networks: raft with three orderers, SmartBFT with four."""

import base64
import hashlib
from dataclasses import replace

import pytest

from light_clients import errors, fabric
from light_clients.fabric import errors as own
from light_clients.fabric.codec import header_der, read_block
from light_clients.fabric.config_block import read_config
from light_clients.fabric.transactions import written_value
from light_clients.protobuf import Message
from schemas.primitives import BlockHash
from tests.support.shared_vectors import shared, shared_json

NOW = 1_800_000_000
CONFIGURATION = fabric.FabricConfiguration("mychannel")
NUMBERS = (1, 3, 4, 5, 6, 7)


def orderers_copy(network, number):
    return shared(f"fabric/{network}/blocks/{number}.block").read_bytes()


def peers_copy(network, number):
    return bytes.fromhex(shared(f"fabric/{network}/blocks/{number}.peer.hex").read_text().strip())


def start(network):
    data = shared(f"fabric/{network}/config.block").read_bytes()
    return fabric.bootstrap(data, read_block(data).block_hash, CONFIGURATION)


def before(network, block):
    """The state just before a block of the vectors; block 2 is not among them, its hash stands in block 3."""
    state = start(network)
    recent = (*state.recent, BlockHash(block.previous_hash))
    return replace(state, height=block.height - 1, recent=recent)


@pytest.mark.parametrize("network", ["raft", "bft"])
def test_every_block_in_both_copies(network):
    state = start(network)
    assert fabric.bootstrap(peers_copy(network, 0), state.block_hash, CONFIGURATION) == state
    for number in NUMBERS:
        for data in (orderers_copy(network, number), peers_copy(network, number)):
            block = read_block(data)
            verified = fabric.verify_header(before(network, block), data, NOW)
            assert (verified.height, verified.block_hash) == (number, block.block_hash)
    newest = shared_json(f"fabric/{network}/chaininfo.json")
    assert base64.b64decode(newest["previousBlockHash"]) == verified.block_hash


@pytest.mark.parametrize("network", ["raft", "bft"])
def test_blocks_are_linked_by_the_hash_of_their_header(network):
    for number in (3, 4, 5, 6):
        block = read_block(orderers_copy(network, number))
        found = hashlib.sha256(header_der(block.height, block.previous_hash, block.data_hash)).digest()
        assert read_block(orderers_copy(network, number + 1)).previous_hash == found


def test_a_block_of_one_network_is_none_of_the_other():
    for network, other in (("raft", "bft"), ("bft", "raft")):
        block = read_block(orderers_copy(other, 5))
        with pytest.raises(errors.LightClientError):
            fabric.verify_header(before(network, block), orderers_copy(other, 5), NOW)


def test_a_peers_copy_may_be_signed_by_another_orderer():
    one, other = (read_block(data) for data in (orderers_copy("raft", 5), peers_copy("raft", 5)))
    assert one.block_hash == other.block_hash
    assert one.signatures != other.signatures


def definition(network):
    """The pin of the chaincode of the vectors; its definition was committed in block 3 (SmartBFT)."""
    policy = b"\x12\x20/Channel/Application/Endorsement"
    return fabric.FabricPin("kv", "1", 3, 0, policy, ("Org1MSP", "Org2MSP"), 2)


def judge(number, place, key):
    block = read_block(orderers_copy("bft", number))
    config = read_config(start("bft").channel_config)
    return written_value(config, "mychannel", definition("bft"), block.envelopes[place], key)


def test_the_policy_that_is_pinned_is_the_committed_one():
    envelope = Message.read(read_block(orderers_copy("bft", 3)).envelopes[0])
    assert definition("bft").endorsement_policy in envelope.octets(1)


def test_transactions_of_a_real_block():
    assert [judge(7, place, key) for place, key in enumerate(("c1", "c3", "c2"))] == [b"x1", b"x3", b"x2"]


def test_the_block_with_too_few_endorsements_is_signed_and_yields_nothing():
    """Block 6: the peers' filter says 0x0a, and nobody signs the filter."""
    data = orderers_copy("bft", 6)
    assert fabric.verify_header(before("bft", read_block(data)), data, NOW).height == 6
    with pytest.raises(own.EndorsementsTooFew):
        judge(6, 0, "bad")


def test_a_transaction_under_another_definition():
    block = read_block(orderers_copy("bft", 7))
    config = read_config(start("bft").channel_config)
    for pin, error in (
        (replace(definition("bft"), definition_height=4), own.DefinitionMismatch),
        (replace(definition("bft"), version="2"), own.ChaincodeMismatch),
        (replace(definition("bft"), chaincode="vk"), own.ChaincodeMismatch),
    ):
        with pytest.raises(error):
            written_value(config, "mychannel", pin, block.envelopes[0], "c1")
    with pytest.raises(own.ChannelMismatch):
        written_value(config, "another", definition("bft"), block.envelopes[0], "c1")
