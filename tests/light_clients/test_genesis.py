"""Genesis files of Besu and GoQuorum as configurations of light clients, and what no client can follow."""

import copy

import pytest

from light_clients import ibft, ibft2, qbft
from light_clients.bft.types import Dialect, SelectionMode, ValidatorOverride, ValidatorSelection
from light_clients.errors import ConfigurationInvalid
from light_clients.genesis import read_genesis
from schemas.suites import keccak256
from tests.support import qbft_chain as chain
from tests.support.shared_vectors import shared_json
from tests.support.vectors import unhex

BESU_CONTRACT = shared_json("besu_bft/besu_genesis/genesis_validator_contract.json")
CONTRACT = bytes(18) + b"\x88\x88"
CODE_HASH = keccak256(unhex(BESU_CONTRACT["alloc"]["0x" + CONTRACT.hex()]["code"]))
FOUR = tuple(chain.addresses("abcd"))
LISTED = ["0x" + validator.hex() for validator in reversed(FOUR)]


def besu(section=None, transitions=None, **more):
    config = {"chainId": 1, "qbft": {"epochlength": 30_000, "blockperiodseconds": 2, **(section or {})}, **more}
    if transitions is not None:
        config["transitions"] = {"qbft": transitions}
    return {**BESU_CONTRACT, "config": config}


REAL = {
    "goquorum_qbft/network.json": ("qbft", qbft.QbftConfiguration(dialect=Dialect.GOQUORUM)),
    "goquorum_ibft/network.json": ("ibft", ibft.IbftConfiguration()),
    "besu_bft/lacnet/genesis-mainnet.json": ("ibft2", ibft2.Ibft2Configuration(epoch_length=150_000)),
    "besu_bft/elc_e2e_chains/chain1/network/genesis.json": ("qbft", qbft.QbftConfiguration()),
}


@pytest.mark.parametrize("path", REAL)
def test_files_of_real_networks(path):
    content = shared_json(path)
    found = read_genesis(content.get("genesis", content))
    assert (found.family, found.configuration) == REAL[path]


def test_validators_by_contract_from_the_first_block_on():
    found = read_genesis(besu({"validatorContractAddress": "0x" + CONTRACT.hex()}))
    selection = ValidatorSelection(0, SelectionMode.CONTRACT, CONTRACT, 0, CODE_HASH)
    assert found.configuration == qbft.QbftConfiguration(selections=(selection,))


def test_transitions():
    later = "0x" + "77" * 20
    found = read_genesis(
        besu(
            transitions=[
                {"block": 30, "validatorselectionmode": "blockheader", "validators": LISTED},
                {"block": "0x14", "validatorSelectionMode": "contract", "validatorcontractaddress": later},
                {"block": "10", "validators": LISTED[:2], "blockperiodseconds": 1, "blockreward": "5"},
                {"block": 40, "xblockperiodmilliseconds": 500},
            ]
        )
    )
    assert found.configuration == qbft.QbftConfiguration(
        sub_second_blocks=True,
        overrides=(
            ValidatorOverride(10, tuple(sorted(unhex(item) for item in LISTED[:2]))),
            ValidatorOverride(30, FOUR),
        ),
        selections=(
            ValidatorSelection(20, SelectionMode.CONTRACT, b"\x77" * 20),
            ValidatorSelection(30, SelectionMode.HEADER),
        ),
    )


def test_a_period_of_a_second_or_more_is_no_fraction():
    assert not read_genesis(besu({"xblockperiodmilliseconds": 1000})).configuration.sub_second_blocks


def test_the_default_epoch():
    genesis = besu()
    del genesis["config"]["qbft"]["epochlength"]
    assert read_genesis(genesis).configuration.epoch_length == 30_000


def test_goquorum_names_legacy_ibft_istanbul_and_lists_transitions():
    genesis = {"config": {"isQuorum": True, "istanbul": {"epoch": 77, "policy": 0}, "transitions": []}}
    found = read_genesis(genesis)
    assert (found.family, found.configuration) == ("ibft", ibft.IbftConfiguration(epoch_length=77))
    genesis["config"]["transitions"] = [{"block": 5, "blockperiodseconds": 3, "contractsizelimit": 64}]
    assert read_genesis(genesis) == found


def of_transitions(transitions):
    return {"config": {"qbft": {}, "transitions": transitions}}


ELSEWHERE = {"validatorcontractaddress": "0x" + "77" * 20}
BAD = {
    "no config": ("config of a genesis is an object", {}),
    "no family": ("has one of qbft", {"config": {"clique": {}}}),
    "two families": ("has one of qbft", besu(ibft2={})),
    "family is no object": ("qbft of a genesis is an object", {"config": {"qbft": 1}}),
    "unknown key": ("What weight in config.qbft", besu({"weight": 1})),
    "epoch is no number": ("epochlength of a genesis is a whole number", besu({"epochlength": "many"})),
    "epoch below zero": ("epochlength of a genesis is a whole number", besu({"epochlength": -1})),
    "epoch of no block": ("at least 1 block", besu({"epochlength": 0})),
    "address of the contract": ("20 bytes", besu({"validatorcontractaddress": "0x77"})),
    "alloc is no object": ("alloc of a genesis is an object", {**besu(), "alloc": []}),
    "code is no hexadecimal": ("no hexadecimal", {**besu(), "alloc": {"77" * 20: {"code": "0xzz"}}}),
    "account of 19 bytes": ("20 bytes", {**besu(), "alloc": {"77" * 19: {"code": "0x00"}}}),
    "transitions of another family": ("another family", of_transitions({"ibft2": []})),
    "transitions are a number": ("transitions of a genesis are a list", of_transitions(7)),
    "transition is no object": ("transitions of a genesis is an object", besu(transitions=[7])),
    "transition at a time": ("stands at a block", besu(transitions=[{"timestamp": 7}])),
    "transition of the epoch": ("What epochlength", besu(transitions=[{"block": 7, "epochlength": 5}])),
    "transition of the family": ("What algorithm", besu(transitions=[{"block": 7, "algorithm": "ibft"}])),
    "height is no number": ("block of a genesis", besu(transitions=[{"block": None}])),
    "validators are no list": ("validators of a transition", besu(transitions=[{"block": 7, "validators": "0x"}])),
    "validator of 19 bytes": ("20 bytes", besu(transitions=[{"block": 7, "validators": ["0x" + "77" * 19]}])),
    "nobody": ("1 to 256 addresses", besu(transitions=[{"block": 7, "validators": []}])),
    "contract without mode": ("to blockheader, or to contract", besu(transitions=[{"block": 7, **ELSEWHERE}])),
    "mode of nobody": ("to blockheader", besu(transitions=[{"block": 7, "validatorselectionmode": "lottery"}])),
    "mode without contract": ("20 bytes", besu(transitions=[{"block": 7, "validatorselectionmode": "contract"}])),
    "two transitions of one height": (
        "ascending",
        besu(transitions=[{"block": 7, "validatorselectionmode": "blockheader", "validators": LISTED}] * 2),
    ),
    "headers after a contract with nobody": (
        "give an override",
        besu(
            transitions=[
                {"block": 7, "validatorselectionmode": "contract", **ELSEWHERE},
                {"block": 9, "validatorselectionmode": "blockheader"},
            ]
        ),
    ),
    "set under a contract": (
        "where a contract selects",
        besu(transitions=[{"block": 7, "validatorselectionmode": "contract", "validators": LISTED, **ELSEWHERE}]),
    ),
    "set of GoQuorum": (
        "GoQuorum",
        {"config": {"isQuorum": True, "qbft": {}, "transitions": [{"block": 7, "validators": LISTED}]}},
    ),
    "set of legacy IBFT": ("GoQuorum", {"config": {"ibft": {}, "transitions": [{"block": 7, "validators": LISTED}]}}),
    "contract in GoQuorum": ("Only Besu", {"config": {"isQuorum": True, "qbft": dict(ELSEWHERE)}}),
}


@pytest.mark.parametrize("name", BAD)
def test_what_no_client_can_follow(name):
    match, genesis = BAD[name]
    with pytest.raises(ConfigurationInvalid, match=match):
        read_genesis(copy.deepcopy(genesis))


def test_accounts_of_another_form_have_no_code():
    genesis = {**besu({"validatorcontractaddress": "0x" + "77" * 20}), "alloc": {"77" * 20: 5, "78" * 20: {"code": 5}}}
    assert read_genesis(genesis).configuration.selections[0].code_hash == b""
