"""Headers read, written and rebuilt from JSON; the `rlp` library is the oracle of every hash."""

from dataclasses import replace

import pytest
import rlp as oracle
from hypothesis import given, settings
from hypothesis import strategies as st

from light_clients.bft.block_json import header_from_json
from light_clients.bft.types import BftExtra
from light_clients.errors import (
    HeaderFieldInvalid,
    HeaderHashMismatch,
    HeaderJsonInvalid,
    HeaderTooLarge,
    LightClientError,
    ValidatorsTooMany,
)
from light_clients.qbft.codec import encode_extra, parse_header, with_extra
from schemas.suites import keccak256
from tests.support import qbft_chain as chain
from tests.support.shared_vectors import shared_json

GENESIS = chain.first_spec()
GOOD = chain.next_spec(GENESIS)
LATER = (7, keccak256(b"withdrawals"), 131072, 0, keccak256(b"beacon"), keccak256(b"requests"))
JSON_NAMES = (
    "baseFeePerGas",
    "withdrawalsRoot",
    "blobGasUsed",
    "excessBlobGas",
    "parentBeaconBlockRoot",
    "requestsHash",
)


@pytest.mark.parametrize("vote", [None, (chain.address("e"), True), (chain.address("e"), False)])
@pytest.mark.parametrize("round_number", [0, 1, 200, 2**31 - 1])
@pytest.mark.parametrize("later", range(7))
def test_hashes_agree_with_the_oracle(vote, round_number, later):
    spec = replace(GOOD, vote=vote, round=round_number, later=LATER[:later])
    parsed = parse_header(spec.sealed())
    assert parsed.block_hash == spec.hash()
    assert parsed.seal_digest == spec.seal_digest()
    assert parsed.extra.vote == vote
    assert parsed.extra.round == round_number
    assert parsed.extra.seals == tuple(spec.seals())
    assert (parsed.height, parsed.timestamp) == (spec.number, spec.timestamp)
    assert (parsed.parent_hash, parsed.state_root, parsed.proposer) == (
        spec.parent_hash,
        spec.state_root,
        spec.proposer,
    )


def test_the_round_is_no_part_of_the_block_hash():
    assert parse_header(GOOD.sealed()).block_hash == parse_header(replace(GOOD, round=3).sealed()).block_hash


def test_a_drop_vote_of_one_zero_byte_has_the_hash_of_the_empty_one():
    zero = replace(GOOD, vote=[chain.address("e"), b"\x00"])
    empty = replace(GOOD, vote=(chain.address("e"), False))
    assert parse_header(zero.with_seals([])).block_hash == empty.hash()


@pytest.mark.parametrize("validators", [22, 256])
def test_large_sets(validators):
    labels = tuple(f"v{number}" for number in range(validators))
    spec = replace(GOOD, listed=tuple(chain.addresses(labels)))
    parsed = parse_header(spec.with_seals([bytes(65)] * validators))
    assert parsed.block_hash == spec.hash()
    assert len(parsed.extra.seals) == validators


def test_more_validators_than_a_client_keeps():
    spec = replace(GOOD, listed=tuple(number.to_bytes(20, "big") for number in range(1, 258)))
    with pytest.raises(ValidatorsTooMany):
        parse_header(spec.with_seals([]))


def test_a_header_larger_than_64_kib():
    with pytest.raises(HeaderTooLarge):
        parse_header(replace(GOOD, vanity=bytes(64 * 1024)).sealed())


def test_the_first_block_of_zero_parent_is_read():
    parsed = parse_header(GENESIS.sealed())
    assert parsed.parent_hash == bytes(32)
    assert parsed.block_hash == GENESIS.hash()


@pytest.mark.parametrize("vote", [None, (chain.address("e"), True), (chain.address("e"), False)])
def test_a_header_written_by_the_codec_is_the_one_of_the_oracle(vote):
    spec = replace(GOOD, vote=vote, round=2, later=LATER[:1])
    items = oracle.decode(spec.with_seals([]))
    extra = BftExtra(spec.vanity, tuple(chain.addresses(spec.validators)), vote, 2, tuple(spec.seals()))
    assert encode_extra(extra) == spec.extra(2, spec.seals())
    assert with_extra(items, extra) == spec.sealed()


@given(st.integers(0, 10_000), st.integers(1, 255))
@settings(deadline=None)
def test_a_flipped_byte_changes_the_hash_or_the_seals_or_is_refused(position, mask):
    header = bytearray(GOOD.sealed())
    header[position % len(header)] ^= mask
    before = parse_header(GOOD.sealed())
    try:
        after = parse_header(bytes(header))
    except LightClientError:
        return
    assert (after.block_hash, after.extra.seals, after.extra.round) != (
        before.block_hash,
        before.extra.seals,
        before.extra.round,
    )


# JSON


def block_json(later=0):
    spec = replace(GOOD, later=LATER[:later])
    items = oracle.decode(spec.sealed())
    numbers = {
        name: hex(int.from_bytes(items[index], "big"))
        for name, index in (("difficulty", 7), ("number", 8), ("gasLimit", 9), ("gasUsed", 10), ("timestamp", 11))
    }
    data = {
        name: "0x" + items[index].hex()
        for name, index in (
            ("parentHash", 0),
            ("sha3Uncles", 1),
            ("miner", 2),
            ("stateRoot", 3),
            ("transactionsRoot", 4),
            ("receiptsRoot", 5),
            ("logsBloom", 6),
            ("extraData", 12),
            ("mixHash", 13),
            ("nonce", 14),
        )
    }
    more = {
        name: hex(value) if isinstance(value, int) else "0x" + value.hex()
        for name, value in zip(JSON_NAMES, LATER[:later], strict=False)
    }
    return {
        **data,
        **numbers,
        **more,
        "hash": "0x" + spec.hash().hex(),
        "size": "0x346",
        "transactions": [],
    }, spec.sealed()


@pytest.mark.parametrize("later", range(7))
def test_json_with_the_fields_of_each_fork(later):
    block, header = block_json(later)
    assert header_from_json(block, parse_header) == header


def test_null_means_that_the_fork_is_not_there():
    block, header = block_json()
    assert header_from_json({**block, "baseFeePerGas": None}, parse_header) == header


def test_json_of_another_engine_is_refused():
    with pytest.raises(LightClientError):
        header_from_json(shared_json("mpt/helios_rpc/block.json"), parse_header)


def test_json_whose_hash_is_another():
    block, _ = block_json()
    with pytest.raises(HeaderHashMismatch):
        header_from_json({**block, "hash": "0x" + "11" * 32}, parse_header)


def test_json_whose_content_was_changed():
    block, _ = block_json()
    with pytest.raises(HeaderHashMismatch):
        header_from_json({**block, "gasUsed": "0x1"}, parse_header)


BAD_FIELDS = {
    "missing": ("stateRoot", None),
    "a number, not text": ("number", 1),
    "without 0x": ("number", "1"),
    "no digits": ("number", "0x"),
    "leading zero": ("number", "0x01"),
    "another digit": ("number", "0x1g"),
    "an underscore": ("number", "0x1_0"),
    "half a byte": ("extraData", "0xf"),
    "too short": ("stateRoot", "0x11"),
    "too long": ("miner", "0x" + "11" * 21),
    "endless": ("extraData", "0x" + "11" * 70_000),
    "a later fork without the earlier one": ("withdrawalsRoot", "0x" + "11" * 32),
}


@pytest.mark.parametrize("name", BAD_FIELDS)
def test_json_fields_that_cannot_be(name):
    field, value = BAD_FIELDS[name]
    block, _ = block_json()
    with pytest.raises(HeaderJsonInvalid):
        header_from_json({**block, field: value}, parse_header)


def test_a_number_of_more_than_32_bytes():
    block, _ = block_json()
    with pytest.raises(LightClientError):
        header_from_json({**block, "number": "0x1" + "0" * 64}, parse_header)


def test_a_header_of_too_few_items_by_the_oracle():
    with pytest.raises(HeaderFieldInvalid):
        parse_header(oracle.encode([b""] * 14))
