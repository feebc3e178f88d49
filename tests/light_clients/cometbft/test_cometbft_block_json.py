"""The JSON of nodes as bytes, and JSON that is refused."""

import copy

import pytest

from light_clients.cometbft.block_json import (
    bundle_from_json,
    commit_from_json,
    header_from_json,
    proofs_from_json,
    time_from_json,
    validators_from_json,
)
from light_clients.cometbft.codec import read_bundle, read_header, read_validator_set
from light_clients.errors import HeaderJsonInvalid
from tests.support.cometbft_chain import timestamp
from tests.support.shared_vectors import shared_json

LIVE = shared_json("ics23_app/sample.json")
SIGNED = LIVE["commits"][4]["signed_header"]
VALIDATORS = LIVE["validators"]["validators"]


def test_a_bundle_of_a_live_chain():
    read = read_bundle(bundle_from_json(SIGNED, VALIDATORS))
    assert read.header.block_hash.hex() == SIGNED["commit"]["block_id"]["hash"].lower()
    assert read.validators.set_hash == read.header.validators_hash
    assert (read.trusted_height, read.trusted_validators) == (0, None)
    assert read == read_bundle(bundle_from_json(SIGNED, VALIDATORS[::-1]))


def test_the_trusted_part_is_written_where_it_is_given():
    read = read_bundle(bundle_from_json(SIGNED, VALIDATORS, VALIDATORS, 3))
    assert (read.trusted_height, read.trusted_validators) == (3, read.validators)


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-11-23T02:16:00.494251377Z", 1795400160494251377),
        ("2024-02-29T23:59:59.5Z", 1709251199500000000),
        ("0001-01-01T00:00:00Z", -62135596800 * 10**9),
        ("9999-12-31T23:59:59.999999999Z", 253402300800 * 10**9 - 1),
    ],
)
def test_times_are_read(text, nanoseconds):
    assert time_from_json(text) == timestamp(nanoseconds).SerializeToString()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-23T02:16:00",
        "2026-11-23T02:16:00+00:00",
        "2026-11-23T02:16:00.Z",
        "2026-11-23T02:16:00.1234567890Z",
        "2026-11-23 02:16:00Z",
        "2026-13-01T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T02:60:00Z",
        "2026-11-23T02:16:60Z",
        "2026-11-23T02:16:00Z\n",
        "٢٠٢٦-11-23T02:16:00Z",
    ],
)
def test_times_of_another_form_are_refused(text):
    with pytest.raises(HeaderJsonInvalid):
        time_from_json(text)


def changed(value, path, new):
    value = copy.deepcopy(value)
    inner = value
    for step in path[:-1]:
        inner = inner[step]
    if new is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = new
    return value


@pytest.mark.parametrize(
    ("path", "new"),
    [
        (("version",), None),
        (("version", "block"), 11),
        (("version", "block"), "011"),
        (("version", "app"), "x"),
        (("chain_id",), None),
        (("chain_id",), "ü"),
        (("chain_id",), 5),
        (("height",), 5),
        (("height",), "5 "),
        (("height",), "٥"),
        (("height",), True),
        (("time",), "yesterday"),
        (("last_block_id", "hash"), "zz"),
        (("last_block_id", "hash"), "abc"),
        (("last_block_id", "parts"), None),
        (("last_block_id", "parts", "total"), "1"),
        (("last_block_id", "parts", "total"), True),
        (("app_hash",), None),
        (("app_hash",), "é"),
        (("proposer_address",), 7),
    ],
)
def test_a_header_of_another_form_is_refused(path, new):
    with pytest.raises(HeaderJsonInvalid):
        header_from_json(changed(SIGNED["header"], path, new))


def test_a_header_without_a_parent_or_an_application_version():
    header = changed(SIGNED["header"], ("last_block_id",), None)
    assert read_header(header_from_json(header)).height == 5
    assert read_header(header_from_json(changed(SIGNED["header"], ("version", "app"), "0"))).height == 5
    renamed = changed(
        SIGNED["header"], ("last_block_id", "part_set_header"), SIGNED["header"]["last_block_id"]["parts"]
    )
    renamed = changed(renamed, ("last_block_id", "parts"), None)
    assert read_header(header_from_json(renamed)).block_hash.hex() == SIGNED["commit"]["block_id"]["hash"].lower()


@pytest.mark.parametrize(
    ("path", "new"),
    [
        (("height",), None),
        (("round",), "0"),
        (("round",), False),
        (("round",), -1),
        (("round",), 2**64),
        (("height",), "-5"),
        (("block_id",), None),
        (("signatures",), None),
        (("signatures",), {}),
        (("signatures", 0), "vote"),
        (("signatures", 0, "block_id_flag"), 4),
        (("signatures", 0, "block_id_flag"), True),
        (("signatures", 0, "validator_address"), "zz"),
        (("signatures", 0, "timestamp"), None),
        (("signatures", 0, "signature"), "$"),
        (("signatures", 0, "signature"), "AAAA="),
        (("signatures", 0, "signature"), None),
    ],
)
def test_a_commit_of_another_form_is_refused(path, new):
    with pytest.raises(HeaderJsonInvalid):
        commit_from_json(changed(SIGNED["commit"], path, new))


def test_an_absent_vote_needs_nothing_else():
    absent = {"block_id_flag": 1, "validator_address": "", "timestamp": "0001-01-01T00:00:00Z", "signature": None}
    read = read_bundle(bundle_from_json(changed(SIGNED, ("commit", "signatures", 0), absent), VALIDATORS))
    assert [vote.flag for vote in read.commit.votes] == [1, 2, 2, 2]


@pytest.mark.parametrize(
    ("path", "new"),
    [
        ((0,), "validator"),
        ((0, "address"), None),
        ((0, "pub_key"), "key"),
        ((0, "pub_key", "type"), "cometbft/PubKeyBls12_381"),
        ((0, "pub_key", "value"), "é"),
        ((0, "voting_power"), 1),
    ],
)
def test_validators_of_another_form_are_refused(path, new):
    with pytest.raises(HeaderJsonInvalid):
        validators_from_json(changed(VALIDATORS, path, new))


def test_validators_of_both_kinds_of_key():
    secp = {
        "address": "00" * 20,
        "pub_key": {"type": "tendermint/PubKeySecp256k1", "value": "AnS4"},
        "voting_power": "3",
    }
    assert validators_from_json([secp])[:2] == b"\x0a\x1f"
    assert len(read_validator_set(validators_from_json(VALIDATORS)).members) == 4


def test_proofs_are_the_two_of_an_answer():
    response = LIVE["queries"][0]["response"]
    first, second = proofs_from_json(response)
    assert first[:1] == second[:1] == b"\x0a"
    for path, new in (
        (("proofOps",), None),
        (("proofOps", "ops"), []),
        (("proofOps", "ops", 0, "type"), "iavl:v"),
        (("proofOps", "ops", 0, "data"), "$"),
    ):
        with pytest.raises(HeaderJsonInvalid):
            proofs_from_json(changed(response, path, new))
