"""The Clique light client on the headers of a live network: votes, a block that was reorganised away, and a fork with two majorities."""

import pytest

from adapters.protocol import AdapterOptions, Endpoint
from adapters.registry import open_ledger
from light_clients import clique
from light_clients.clique.types import CliqueConfiguration
from light_clients.errors import HeaderUnconfirmed, Misbehaviour, ParentMismatch
from tests.support.geth_network import GethNetwork

pytestmark = pytest.mark.live

CONFIGURATION = CliqueConfiguration(period_s=1)
FOLLOWERS = 2
"""Blocks that make one final where three, or two, sign."""


@pytest.fixture(scope="module")
def network():
    with GethNetwork(chain_id=63_001, twin=True) as network:
        yield network


@pytest.fixture(scope="module")
def ledgers(network):
    opened = [open_ledger("evm", AdapterOptions((Endpoint(url),))) for url in network.urls]
    yield opened
    for ledger in opened:
        ledger.close()


def run_of(ledger, height):
    """A header and those that make it final."""
    return b"".join(ledger.headers(height, height + FOLLOWERS))


def followed(ledger, state=None, *, to=None):
    """The state over all headers that are final at a ledger, or up to a height; from its first block, or from a state."""
    tip = ledger.tip()
    if state is None:
        state = clique.bootstrap(ledger.headers(0, 0)[0], ledger.identity().first_block, CONFIGURATION)
    while state.height < (tip - FOLLOWERS if to is None else to):
        assert state.confirmations == FOLLOWERS
        verified = clique.verify_header(state, run_of(ledger, state.height + 1), state.timestamp + 60)
        state = clique.apply(state, verified)
    return state


def test_every_header_of_a_network_whose_signers_vote_is_verified(network, ledgers):
    network.propose(2, signs=False)
    network.wait_blocks(2)
    assert network.signers() == [0, 1]
    network.propose(2, signs=True)
    network.wait_blocks(FOLLOWERS + 1)
    state = followed(ledgers[0])
    assert [len(known.members) for known in state.sets] == [3, 2, 3]
    assert ["0x" + bytes(signer).hex() for signer in state.signers] == network.addresses
    assert "0x" + bytes(state.block_hash).hex() == network.hash_at(state.height)


def test_a_block_that_one_signer_sealed_alone_is_never_final(network, ledgers):
    height = network.lone_block(0)
    lone, state = network.hash_at(height), followed(ledgers[0])
    assert state.height == height - FOLLOWERS
    with pytest.raises(HeaderUnconfirmed):
        clique.verify_header(state, b"".join(ledgers[0].headers(height - 1, height)), state.timestamp + 60)
    network.heal()
    network.wait_agreed()
    network.wait_for_height(height + FOLLOWERS)
    state = followed(ledgers[0], state)
    assert "0x" + bytes(state.hash_at(height)).hex() == network.hash_at(height) != lone


def test_two_majorities_on_two_branches_accuse_themselves(network, ledgers):
    network.wait_agreed()
    fork = network.split()
    network.wait_for_height(fork + 2 + FOLLOWERS)
    state = followed(ledgers[0], to=fork)
    ours, theirs = (run_of(ledgers[node], fork + 1) for node in (0, 2))
    for run in (ours, theirs):
        clique.verify_header(state, run, state.timestamp + 60)
    accusation = clique.find_misbehaviour(state, ours, theirs)
    assert isinstance(accusation, Misbehaviour)
    assert (accusation.height, accusation.evidence) == (fork + 1, (ours, theirs))
    state = followed(ledgers[0], state, to=fork + 1)
    with pytest.raises(ParentMismatch):
        clique.verify_header(state, run_of(ledgers[2], fork + 2), state.timestamp + 60)
