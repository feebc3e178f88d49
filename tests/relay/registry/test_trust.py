"""Which light client takes a ledger, told by its sealed headers alone and without a node's word."""

import pytest

from adapters.protocol import LedgerIdentity
from light_clients import ibft, ibft2, qbft
from light_clients.bft.block_json import header_from_json
from light_clients.ibft2.codec import parse_header as parse_ibft2
from relay.errors import BadInput
from relay.registry.consensus import Pin, trust_ledger
from schemas.primitives import BlockHash, ChainId
from tests.support import bft_chain as family
from tests.support import qbft_chain as chain
from tests.support.shared_vectors import shared_json
from tests.support.vectors import unhex
from tests.vectors.make_bft_vectors import ContractWorld


def identity(software="nobody knows", *, development=False):
    return LedgerIdentity(ChainId("eip155:7"), BlockHash(b"\x01" * 32), software, development=development)


class OneHeader:
    """A ledger that has one header."""

    def __init__(self, header, height):
        self.header, self.height = header, height

    def tip(self):
        return self.height

    def headers(self, first, last):
        assert (first, last) == (self.height, self.height)
        return [self.header]


SPECS = {"qbft": chain.Spec, "ibft2": family.Ibft2Spec, "ibft": family.IbftSpec}


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    monkeypatch.setattr("relay.registry.consensus.time.time", lambda: chain.START + 60.0)


def trust(header, height, consensus="auto", **options):
    pinned = options.pop("pin", None)
    hub = options.pop("development_hub", True)
    who = options.pop("who", identity())
    return trust_ledger(
        OneHeader(header, height), who, consensus, pinned, development_hub=hub, options=options.get("options")
    )


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("consensus", ["auto", "same"])
def test_each_family_is_told_by_its_seals(name, consensus):
    spec = family.first_of(SPECS[name], number=7)
    trusted = trust(spec.sealed(), 7, name if consensus == "same" else "auto")
    assert (trusted.consensus, trusted.state.height, bytes(trusted.state.block_hash)) == (name, 7, spec.hash())
    pinned = trust(spec.sealed(), 7, pin=Pin(7, BlockHash(spec.hash())), development_hub=False)
    assert pinned.state == trusted.state


def test_real_headers_are_told_too(monkeypatch):
    real = {
        "ibft": unhex(shared_json("goquorum_ibft/headers_steady.json")[0]["header_rlp"]),
        "qbft": unhex(shared_json("goquorum_qbft/headers_steady.json")[0]["header_rlp"]),
        "ibft2": header_from_json(shared_json("besu_bft/ibft2_block_2074747.json"), parse_ibft2),
    }
    monkeypatch.setattr("relay.registry.consensus.time.time", lambda: 0.0)
    for name, header in real.items():
        client = {"ibft": ibft, "qbft": qbft, "ibft2": ibft2}[name]
        height = client.verify.CLIENT.parse_header(header).height
        assert trust(header, height).consensus == name


@pytest.mark.parametrize("name", SPECS)
def test_a_refusal_is_that_of_the_headers_own_family(name):
    spec = family.first_of(SPECS[name], number=7, sealers=("a", "b"))
    with pytest.raises(BadInput, match="Too few seals"):
        trust(spec.sealed(), 7, who=identity(development=True))


def test_what_is_sealed_badly_is_no_development_chain():
    spec = family.first_of(family.Ibft2Spec, number=7, sealers=("a", "b", "stranger"))
    with pytest.raises(BadInput, match="No light client can judge"):
        trust(spec.sealed(), 7, who=identity(development=True))
    unsealed = family.first_of(chain.Spec, number=7, sealers=())
    assert trust(unsealed.sealed(), 7, who=identity(development=True)).consensus == "development"
    with pytest.raises(BadInput, match="No light client can judge"):
        trust(unsealed.sealed(), 7)


def test_another_family_than_was_said():
    spec = family.first_of(family.IbftSpec, number=7)
    with pytest.raises(BadInput):
        trust(spec.sealed(), 7, "ibft2")
    with pytest.raises(BadInput, match="no light client 'proof-of-hope'"):
        trust(spec.sealed(), 7, "proof-of-hope")


def test_options_are_those_of_a_family():
    spec = family.first_of(family.IbftSpec, number=7)
    assert trust(spec.sealed(), 7, "ibft", options={"epoch_length": 9}).state.configuration.epoch_length == 9
    with pytest.raises(BadInput, match="Options are those of one light client"):
        trust(spec.sealed(), 7, options={"epoch_length": 9})
    with pytest.raises(BadInput, match="no option 'speed'"):
        trust(spec.sealed(), 7, "ibft", options={"speed": 9})


def test_validators_by_contract():
    world = ContractWorld()
    bundled = world.old.bundled(world.genesis.sealed())
    told = {"height": 0, "mode": "contract", "contract": "0x" + family.CONTRACT.hex(), "slot": family.SLOT}
    trusted = trust(bundled, 1, "qbft", options={"selections": [told]})
    assert trusted.state.validators == tuple(chain.addresses("abcd"))
    assert bytes(trusted.state.block_hash) == world.genesis.hash()
    with pytest.raises(BadInput, match="the configuration says which"):
        trust(world.genesis.sealed(), 1)
