"""A whole hub with a ledger sealed as Besu's IBFT2: told by its seals, voted over under traffic, its genesis file given."""

import json

import pytest

from adapters.evm.devnet import DevelopmentNetwork, Form
from light_clients.families import client_named
from relay.registry.chains import chain_named
from tests.support.drill import Drill
from tests.support.stack import Stack

pytestmark = [pytest.mark.live, pytest.mark.stack]

OUT, HOME = ("alpha", "beta"), ("beta", "alpha")
GENESIS = {"config": {"chainId": 63_001, "ibft2": {"epochlength": 5_000, "xblockperiodmilliseconds": 500}}}


class Ibft2Stack(Stack):
    """`alpha` is registered with its genesis file, `beta` by its seals alone."""

    def join(self):
        file = self.home.folder.parent / "genesis.json"
        file.write_text(json.dumps(GENESIS), encoding="utf-8")
        for name, network in self.networks.items():
            said = ("--client-options", str(file)) if name == "alpha" else ()
            self.json("chain", "add", name, "--rpc", network.url, *said)


@pytest.fixture(scope="module")
def drill(tmp_path_factory):
    networks = {
        name: DevelopmentNetwork(chain_id=chain_id, block_time_s=0.5, form=Form.IBFT2, epoch_length=5_000)
        for name, chain_id in (("alpha", 63_001), ("beta", 63_002))
    }
    with Ibft2Stack(networks) as stack:
        stack.up()
        stack.join()
        stack.json("lane", "open", "alpha", "beta", "--both")
        yield Drill(stack, tmp_path_factory.mktemp("drill") / "crash")


def state_of(drill, name):
    row = chain_named(drill.store, name)
    assert row.state == "active"
    return client_named(row.consensus).state_from_bytes(row.client_state)


def test_it_is_known_by_its_seals_and_by_its_genesis(drill):
    shown = {chain["name"]: chain["consensus"] for chain in drill.stack.json("chain", "list")}
    assert shown == {"alpha": "ibft2", "beta": "ibft2"}
    assert state_of(drill, "alpha").configuration.epoch_length == 5_000
    assert state_of(drill, "beta").configuration.epoch_length == 30_000


def test_an_announced_transition_is_taken_up_while_the_hub_runs(drill):
    """The set stays what it is, so that the network, which knows of no transition, goes on: only the votes are cleared."""
    state = state_of(drill, "beta")
    height = state.height + 40
    listed = ["0x" + validator.hex() for validator in state.validators]
    file = drill.stack.home.folder.parent / "announced.toml"
    file.write_text(
        f"consensus = 'ibft2'\nsub_second_blocks = true\n[[overrides]]\nheight = {height}\nvalidators = {listed}\n",
        encoding="utf-8",
    )
    said = drill.stack.json("chain", "announce", "beta", str(file))
    assert said["client"]["overrides"] == [{"height": height, "validators": listed}]
    drill.send(*HOME, 2)
    drill.stack.wait_until("the block was followed", lambda: state_of(drill, "beta").height > height)
    drill.wait_settled()


def test_messages_cross_both_ways_while_a_validator_comes_and_goes(drill):
    network = drill.stack.networks["alpha"]
    added = network.rpc("devnet_newValidator")
    for add, size in ((True, 5), (False, 4)):
        network.rpc("qbft_proposeValidatorVote", added, add)
        drill.send(*OUT, 3)
        drill.send(*HOME, 3)
        drill.stack.wait_until(
            "the hub follows the new set", lambda size=size: len(state_of(drill, "alpha").validators) == size
        )
        network.rpc("qbft_discardValidatorVote", added)
        drill.wait_settled()
    drill.check()
