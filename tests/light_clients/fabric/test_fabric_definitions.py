"""Pins read from the block that committed a definition: of the live network, and with every check failed alone."""

from dataclasses import replace

import pytest

from light_clients import errors, fabric
from light_clients.fabric import errors as own
from light_clients.fabric.codec import read_block
from schemas.primitives import BlockHash
from tests.support import fabric_chain as f
from tests.support.shared_vectors import shared

NETWORK = f.Network("BFT")
ORG1, ORG2 = NETWORK.organisations
NAMES = ("Org1MSP", "Org2MSP")
POLICY = f.message((2, "/Channel/Application/Endorsement"))


def test_the_definition_of_the_live_network():
    for network in ("raft", "bft"):
        first = shared(f"fabric/{network}/config.block").read_bytes()
        data = shared(f"fabric/{network}/blocks/3.block").read_bytes()
        state = fabric.bootstrap(first, read_block(first).block_hash, fabric.FabricConfiguration("mychannel"))
        state = replace(state, height=3, recent=(read_block(data).block_hash,))
        pin = fabric.pin_from_block(state, data, 0, "kv", NAMES, 2)
        assert pin == fabric.FabricPin("kv", "1", 3, 0, POLICY, NAMES, 2)


def field(content):
    return f.message((2, content))


WRITES = {
    f.SEQUENCE_KEY: f.message((1, 1)),
    f"namespaces/fields/{f.CHAINCODE}/EndorsementInfo": field(f.message((1, "1.0"), (3, "escc"))),
    f"namespaces/fields/{f.CHAINCODE}/ValidationInfo": field(f.message((1, "vscc"), (2, POLICY))),
}


def committed(writes=None, *, endorsers=None, ran=f.LIFECYCLE, release="syscc", **options):
    """A state that accepted a block with the definition, and the block."""
    creator = ORG1.member(f.ADMIN)
    proposal = f.propose(ORG1, creator, b"CommitChaincodeDefinition", asked=f.LIFECYCLE, specified=f.LIFECYCLE)
    written = f.key_values(f.LIFECYCLE, {}, {**WRITES, **(writes or {})})
    response = f.answer(proposal, (written,), ran=ran, release=release)
    peers = [(each, each.member(f.PEER)) for each in (ORG1, ORG2)] if endorsers is None else endorsers
    envelope = f.transaction(proposal, response, [f.endorse(*pair, response) for pair in peers], creator)
    chain = NETWORK.first()
    block = chain.next(envelope, **options)
    verified = fabric.VerifiedFabricHeader(1, block.hash, f.START, None)
    return fabric.apply(chain.state(), verified), block.signed()


def refused(error, state, data, place=0, chaincode=f.CHAINCODE, threshold=2):
    with pytest.raises(error) as caught:
        fabric.pin_from_block(state, data, place, chaincode, NAMES, threshold)
    assert type(caught.value) is error


def test_a_pin_from_a_block():
    state, data = committed()
    pin = fabric.pin_from_block(state, data, 0, f.CHAINCODE, NAMES, 2)
    assert pin == fabric.FabricPin(f.CHAINCODE, "1.0", 1, 0, POLICY, NAMES, 2)
    refused(errors.ConfigurationInvalid, state, data, threshold=3)


def test_the_block_is_an_accepted_one():
    state, data = committed()
    refused(errors.ClaimBlockMismatch, replace(state, recent=(BlockHash(b"\1" * 32),)), data)
    refused(errors.ClaimBlockMismatch, replace(state, height=0, recent=state.recent[:1]), data)
    refused(own.DataHashMismatch, *committed(data_hash=b"\1" * 32))


def test_the_place_is_one_of_its_envelopes():
    state, data = committed()
    for place in (-1, 1):
        refused(own.DefinitionMismatch, state, data, place)


def test_the_definition_is_endorsed():
    refused(own.EndorsementsTooFew, *committed(endorsers=[(ORG1, ORG1.member(f.PEER))]))
    refused(own.EndorsementsTooFew, *committed(endorsers=[(each, each.member(f.CLIENT)) for each in (ORG1, ORG2)]))


def test_the_lifecycle_itself_committed_it():
    refused(own.ChaincodeMismatch, *committed(ran=f.CHAINCODE))
    refused(own.ChaincodeMismatch, *committed(release="2"))


def test_it_is_a_definition_of_this_chaincode_with_the_built_in_plug_ins():
    refused(own.DefinitionMismatch, *committed(), chaincode="another")
    refused(own.DefinitionMismatch, *committed({f.SEQUENCE_KEY: b""}))
    refused(own.DefinitionMismatch, *committed({f.SEQUENCE_KEY: None}))
    for name, content in (
        ("EndorsementInfo", f.message((1, "1.0"), (3, "own"))),
        ("ValidationInfo", f.message((1, "own"), (2, POLICY))),
    ):
        refused(own.DefinitionMismatch, *committed({f"namespaces/fields/{f.CHAINCODE}/{name}": field(content)}))
