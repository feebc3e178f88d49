"""A Clique ledger joins by one pinned hash, or on a development hub by its newest final block; nobody states its signers."""

import json

import pytest

from adapters.protocol import LedgerIdentity
from light_clients import clique
from relay.clients import client_configuration, options_of_state
from relay.errors import BadInput
from relay.registry.client_options import read_client_options
from relay.registry.consensus import Pin, trust_ledger
from schemas.primitives import BlockHash, ChainId
from tests.support import clique_chain as chain

GENESIS = chain.first_spec()
SPECS = [GENESIS, *chain.chain_of(GENESIS, 40)]


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    monkeypatch.setattr("relay.registry.consensus.time.time", lambda: chain.START + 100.0)


def identity(software="Geth/v1.13.15"):
    return LedgerIdentity(ChainId("eip155:7"), BlockHash(GENESIS.hash()), software, development=False)


class Ledger:
    """A ledger of these headers."""

    def __init__(self, specs=SPECS):
        self.specs, self.asked = specs, []

    def tip(self):
        return len(self.specs) - 1

    def headers(self, first, last):
        self.asked.append((first, last))
        return [spec.sealed() for spec in self.specs[first : last + 1]]


def trust(ledger, pin=None, consensus="auto", *, development_hub=True, options=None, software="Geth/v1.13.15"):
    return trust_ledger(ledger, identity(software), consensus, pin, development_hub=development_hub, options=options)


def pin_at(height):
    return Pin(height, BlockHash(SPECS[height].hash()))


@pytest.mark.parametrize("consensus", ["auto", "clique"])
def test_without_a_pin_it_starts_at_the_newest_final_block(consensus):
    trusted = trust(Ledger(), consensus=consensus)
    assert trusted.consensus == "clique"
    assert trusted.state.height == 40 - trusted.state.confirmations
    assert trusted.header == SPECS[trusted.state.height].sealed()
    assert trusted.state.signers == chain.begun(GENESIS).signers


def test_a_young_ledger_starts_at_its_first_block():
    assert trust(Ledger(SPECS[:2])).state.height == 0


@pytest.mark.parametrize("height", [0, 1, 17])
def test_a_pinned_hash_is_enough(height):
    trusted = trust(Ledger(), pin_at(height), development_hub=False)
    assert (trusted.state.height, trusted.state.block_hash) == (height, SPECS[height].hash())
    assert trusted.state == chain.followed(chain.begun(GENESIS), SPECS[1 : height + 3])


def test_headers_are_fetched_from_the_last_list_of_signers_on_and_in_parts(monkeypatch):
    monkeypatch.setattr("relay.pins.HEADERS_A_LOOK", 4)
    specs = [*SPECS[:11]]
    specs[10] = chain.next_spec(specs[9], listed=GENESIS.listed)
    specs += chain.chain_of(specs[10], 9)
    ledger = Ledger(specs)
    trusted = trust(
        ledger, Pin(16, BlockHash(specs[16].hash())), "clique", options={"epoch_length": 10, "confirmations": 5}
    )
    assert ledger.asked[1:] == [(10, 13), (14, 16)]
    assert trusted.state.confirmations == 5
    assert options_of_state("clique", trusted.state.to_bytes()) == {"epoch_length": 10, "confirmations": 5}


def test_another_hash_is_refused():
    with pytest.raises(BadInput, match="not the pinned one"):
        trust(Ledger(), Pin(9, BlockHash(SPECS[8].hash())))


def test_an_old_pin_is_refused(monkeypatch):
    monkeypatch.setattr("relay.registry.consensus.time.time", lambda: chain.START + 16 * 86_400.0)
    with pytest.raises(BadInput, match="15 days old"):
        trust(Ledger(), pin_at(3))


@pytest.mark.parametrize("consensus", ["auto", "clique"])
def test_where_the_epoch_is_another_one_the_option_is_named(consensus):
    listed = [*SPECS[:4], chain.next_spec(SPECS[3], listed=GENESIS.listed)]
    with pytest.raises(BadInput) as refused:
        trust(Ledger(listed), consensus=consensus)
    assert "epoch_length" in refused.value.next_step


def test_options_of_nothing_that_clique_has_are_refused():
    with pytest.raises(BadInput, match="no option 'quorum'"):
        trust(Ledger(), consensus="clique", options={"quorum": 3})


@pytest.mark.parametrize(("software", "counts"), [("Geth/v1.13.15", False), ("besu/v24.1.0", True)])
def test_votes_are_counted_as_the_node_counts_them(software, counts):
    configuration = client_configuration("clique", {}, identity(software))
    assert configuration == clique.CliqueConfiguration(counts_idle_votes=counts)
    told = client_configuration("clique", {"counts_idle_votes": not counts}, identity(software))
    assert told.counts_idle_votes is not counts


def test_a_genesis_file_says_the_epoch_and_the_period(tmp_path):
    file = tmp_path / "genesis.json"
    file.write_text(json.dumps({"config": {"chainId": 7, "clique": {"period": 5, "epoch": 100}}}))
    said = read_client_options(str(file))
    assert (said.consensus, said.options) == ("clique", {"epoch_length": 100, "period_s": 5})


@pytest.mark.parametrize("config", [None, {}, {"clique": 3}])
def test_a_genesis_file_of_nothing_that_is_known(tmp_path, config):
    file = tmp_path / "genesis.json"
    file.write_text(json.dumps({"config": config}))
    with pytest.raises(BadInput):
        read_client_options(str(file))
