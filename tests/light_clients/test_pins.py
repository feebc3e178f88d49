"""light_clients.pins: what a light client is told of a gateway hashes to what lanes pin, or is refused with a reason."""

import hashlib

import pytest

from light_clients.chainmaker.types import ChainMakerPin
from light_clients.cometbft.types import EvmStorePin
from light_clients.errors import ConfigurationInvalid
from light_clients.fabric.types import FabricPin
from light_clients.fisco.evidence import FiscoPin
from light_clients.pins import chainmaker_hash, fabric_hash, pin_of
from light_clients.proofs.gateway import GatewayPin
from schemas.primitives import Bytes32

GATEWAY, CODE = b"\x11" * 20, Bytes32(b"\x22" * 32)
STATED = {
    "version": "1.0",
    "definition_height": 7,
    "definition_transaction": 2,
    "endorsement_policy": "0x0102",
    "organisations": ["OneMSP", "TwoMSP"],
    "threshold": 2,
}


@pytest.mark.parametrize("family", ["qbft", "ibft2", "ibft", "clique", "development", "beacon"])
def test_the_code_hash_says_all_on_an_ethereum_machine(family):
    assert pin_of(family, GATEWAY, CODE, {}) == GatewayPin(GATEWAY, CODE)
    with pytest.raises(ConfigurationInvalid, match="store says nothing here"):
        pin_of(family, GATEWAY, CODE, {"store": "evm"})


def test_the_store_of_cometbft():
    assert pin_of("cometbft", GATEWAY, CODE, {}) == EvmStorePin(GATEWAY, CODE, b"evm")
    assert pin_of("cometbft", GATEWAY, CODE, {"store": "other"}) == EvmStorePin(GATEWAY, CODE, b"other")
    with pytest.raises(ConfigurationInvalid, match="version"):
        pin_of("cometbft", GATEWAY, CODE, {"version": "1"})


def test_an_address_alone_on_fisco():
    assert pin_of("fisco", GATEWAY, CODE, {}) == FiscoPin(GATEWAY)
    with pytest.raises(ConfigurationInvalid):
        pin_of("fisco", GATEWAY, CODE, {"version": "1"})


class TestChainMaker:
    def test_hash(self):
        expected = hashlib.sha256(b"relayhub/pin/chainmaker\0gateway\x001.0").digest()
        assert chainmaker_hash("gateway", "1.0") == expected

    def test_pin(self):
        code_hash = chainmaker_hash("gateway", "1.0")
        assert pin_of("chainmaker", b"gateway", code_hash, {"version": "1.0"}) == ChainMakerPin("gateway", "1.0")
        told = {"version": "1.0", "name": "gateway", "write_set_only": True}
        assert pin_of("chainmaker", b"gateway", code_hash, told) == ChainMakerPin("gateway", "1.0", True)
        assert told["name"] == "gateway"  # what was given is not changed

    @pytest.mark.parametrize(
        ("gateway", "statement", "said"),
        [
            (b"gateway", {}, "version"),
            (b"gateway", {"version": 1}, "the version is a text"),
            (b"gateway", {"version": "1.0", "write_set_only": 1}, "true or false"),
            (b"gateway", {"version": "1.0", "more": 1}, "more says nothing here"),
            (b"gateway", {"version": "1.0", "name": "other"}, "another one than the gateway's"),
            (b"gateway", {"version": "2.0"}, "not what is pinned"),
            (b"other", {"version": "1.0"}, "not what is pinned"),
            (b"\xff", {"version": "1.0"}, "not of chainmaker's form"),
        ],
    )
    def test_refused(self, gateway, statement, said):
        with pytest.raises(ConfigurationInvalid, match=said):
            pin_of("chainmaker", gateway, chainmaker_hash("gateway", "1.0"), statement)


class TestFabric:
    def test_hash(self):
        data = b"relayhub/pin/fabric\0gateway\x001.0\0" + (7).to_bytes(8, "big") + (2).to_bytes(8, "big")
        assert fabric_hash("gateway", "1.0", 7, 2) == hashlib.sha256(data).digest()

    @pytest.mark.parametrize("place", [(-1, 0), (1 << 64, 0), (0, -1), (0, 1 << 64)])
    def test_a_place_that_cannot_be(self, place):
        with pytest.raises(ConfigurationInvalid, match="block and a place"):
            fabric_hash("gateway", "1.0", *place)

    @pytest.mark.parametrize("more", [{}, {"chaincode": "gateway"}, {"endorsement_policy": "0102"}])
    def test_pin(self, more):
        pin = pin_of("fabric", b"gateway", fabric_hash("gateway", "1.0", 7, 2), STATED | more)
        assert pin == FabricPin("gateway", "1.0", 7, 2, b"\x01\x02", ("OneMSP", "TwoMSP"), 2)

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"definition_height": 8}, "not what is pinned"),
            ({"version": "2.0"}, "not what is pinned"),
            ({"version": 1}, "are texts"),
            ({"organisations": [1, 2]}, "are texts"),
            ({"organisations": 3}, "not of fabric's form"),
            ({"definition_height": "7"}, "are numbers"),
            ({"definition_transaction": True}, "are numbers"),
            ({"threshold": "2"}, "are numbers"),
            ({"threshold": 3}, "threshold"),
            ({"endorsement_policy": "0xzz"}, "not of fabric's form"),
            ({"chaincode": "other"}, "another one"),
            ({"more": 1}, "more says nothing here"),
        ],
    )
    def test_refused(self, change, said):
        with pytest.raises(ConfigurationInvalid, match=said):
            pin_of("fabric", b"gateway", fabric_hash("gateway", "1.0", 7, 2), STATED | change)

    @pytest.mark.parametrize("missing", sorted(STATED))
    def test_missing(self, missing):
        statement = {name: value for name, value in STATED.items() if name != missing}
        with pytest.raises(ConfigurationInvalid, match=missing):
            pin_of("fabric", b"gateway", fabric_hash("gateway", "1.0", 7, 2), statement)
