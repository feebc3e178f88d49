"""Headers rebuilt from JSON hash as real networks hashed them."""

import copy

import pytest

from adapters.ethereum.headers import header_rlp
from adapters.protocol import BadAnswer
from light_clients.rlp import decode_list, encode, encode_integer
from schemas.suites import keccak256
from tests.support.shared_vectors import shared_json
from tests.support.vectors import unhex

STEADY = shared_json("goquorum_qbft/headers_steady.json")
MAINNET = shared_json("mpt/helios_rpc/block.json")
IBFT2 = shared_json("besu_bft/ibft2_block_2074747.json")


@pytest.mark.parametrize("name", ["headers_steady.json", "headers_vote_out.json"])
def test_goquorum_headers_are_rebuilt_byte_for_byte(name):
    for entry in shared_json(f"goquorum_qbft/{name}"):
        assert header_rlp(entry["json"], int(entry["json"]["number"], 16)) == unhex(entry["header_rlp"])


def test_a_mainnet_header_with_later_fields_hashes_to_its_hash():
    assert keccak256(header_rlp(MAINNET)) == unhex(MAINNET["hash"])
    assert len(decode_list(header_rlp(MAINNET))) == 20


def test_a_besu_ibft2_header_hashes_without_its_round_and_seals():
    fields = decode_list(header_rlp(IBFT2, int(IBFT2["number"], 16)))
    extra = decode_list(fields[12])
    fields[12] = encode(extra[:3])
    assert keccak256(encode(fields)) == unhex(IBFT2["hash"])


def later(**fields):
    return STEADY[0]["json"] | fields


ALL_LATER = {
    "baseFeePerGas": "0x0",
    "withdrawalsRoot": "0x" + "11" * 32,
    "blobGasUsed": "0x20000",
    "excessBlobGas": "0x0",
    "parentBeaconBlockRoot": "0x" + "22" * 32,
    "requestsHash": "0x" + "33" * 32,
}


def test_later_fields_stand_in_order_and_a_zero_base_fee_is_a_field():
    fields = decode_list(header_rlp(later(**ALL_LATER)))
    assert fields[15:] == [b"", b"\x11" * 32, b"\x02\x00\x00", b"", b"\x22" * 32, b"\x33" * 32]
    assert decode_list(header_rlp(later(baseFeePerGas="0x0")))[15:] == [b""]
    assert encode_integer(0) == b"\x80"


def test_a_null_field_is_absent():
    assert header_rlp(later(baseFeePerGas=None)) == header_rlp(STEADY[0]["json"])


@pytest.mark.parametrize("missing", list(ALL_LATER)[:-1])
def test_a_later_field_without_the_ones_before_it_is_refused(missing):
    block = later(**ALL_LATER)
    del block[missing]
    named = "blobGasUsed" if missing == "parentBeaconBlockRoot" else missing
    with pytest.raises(BadAnswer, match=f"and no {named}"):
        header_rlp(block)


def test_blob_gas_without_a_beacon_root_is_no_field():
    shown = later(baseFeePerGas="0x7", blobGasUsed="0x0", excessBlobGas="0x0")
    assert header_rlp(shown) == header_rlp(later(baseFeePerGas="0x7"))


@pytest.mark.parametrize(
    "name", sorted(STEADY[0]["json"].keys() - {"hash", "size", "totalDifficulty", "transactions", "uncles"})
)
def test_each_field_must_be_there_and_of_its_form(name):
    for value in (None, "", "0x", "0xzz", 7, "0x" + "1" * 65):
        block = copy.deepcopy(STEADY[0]["json"]) | {name: value}
        if value == "0x" and name == "extraData":
            continue
        with pytest.raises(BadAnswer, match=name):
            header_rlp(block)


def test_another_block_than_was_asked_for_is_refused():
    block = STEADY[0]["json"]
    with pytest.raises(BadAnswer, match="another block"):
        header_rlp(block, int(block["number"], 16) + 1)


def test_no_block_is_refused():
    with pytest.raises(BadAnswer, match="no JSON object"):
        header_rlp(None)
