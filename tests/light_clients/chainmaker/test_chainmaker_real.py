"""Blocks of live ChainMaker 2.3.2 chains, with P-256 and with SM2, and of the explorer's test data."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from light_clients.chainmaker import ChainMakerConfiguration, ChainMakerState, apply, bootstrap, verify_header
from light_clients.chainmaker.chain_config import next_membership
from light_clients.chainmaker.codec import read_block
from light_clients.chainmaker.evidence import check_body, evidence_of_block
from light_clients.chainmaker.merkle import HASHES, root_of_path
from light_clients.chainmaker.transactions import leaf_of, read_transaction, read_writes
from light_clients.errors import LightClientError
from schemas.primitives import BlockHash
from schemas.suites import keccak256
from tests.support.shared_vectors import shared, shared_json
from tests.vector_table.chainmaker import items

HEIGHTS = {"ecc": (0, 1, 2, 3, 4, 6, 9), "sm": (0, 1, 2, 3, 4, 7)}
HASH_NAMES = {"ecc": "SHA256", "sm": "SM3"}
EVERY = [(suite, height) for suite, heights in HEIGHTS.items() for height in heights]


def told(suite: str, height: int) -> dict[str, Any]:
    found: dict[str, Any] = shared_json(f"chainmaker/{suite}/blocks/{height}.json")
    return found


def block(suite: str, height: int) -> bytes:
    return base64.b64decode(told(suite, height)["block_pb_b64"])


def first_state(suite: str) -> ChainMakerState:
    pinned = BlockHash(bytes.fromhex(told(suite, 0)["block_hash"]))
    return bootstrap(block(suite, 0), pinned, ChainMakerConfiguration(trusting_period_s=2**31))


def test_every_row_of_the_table_is_as_it_should_be() -> None:
    rows = list(items(shared("chainmaker")))
    assert [row for row in rows if not row.passed] == []
    assert len(rows) > 200


@pytest.mark.parametrize("suite", ["ecc", "sm"])
def test_a_live_chain_is_followed(suite: str) -> None:
    state = first_state(suite)
    for height in (1, 2, 3, 4):
        now = read_block(block(suite, height)).header.timestamp
        verified = verify_header(state, block(suite, height), now)
        assert len(verified.voters) == 3
        state = apply(state, verified)
    assert state.block_hash.hex() == told(suite, 4)["block_hash"]


@pytest.mark.parametrize(("suite", "height"), EVERY)
def test_a_live_block_holds_what_its_header_says(suite: str, height: int) -> None:
    info = base64.b64decode(told(suite, height)["block_info_pb_b64"])
    check_body(info, HASH_NAMES[suite])


@pytest.mark.parametrize("suite", ["ecc", "sm"])
def test_no_byte_of_a_live_block_can_be_another(suite: str) -> None:
    """A spoilt byte of header or votes is refused, or changes nothing that is believed."""
    state, data = first_state(suite), block(suite, 1)
    now = read_block(data).header.timestamp
    true = verify_header(state, data, now)
    votes = data.find(b"TBFTAddtionalDataKey")
    for place in [*range(0, 1300, 13), *range(votes, votes + 3800, 41)]:
        spoilt = data[:place] + bytes((data[place] ^ 1,)) + data[place + 1 :]
        try:
            found = verify_header(state, spoilt, now)
        except LightClientError:
            continue
        assert (found.height, found.block_hash, found.membership) == (true.height, true.block_hash, true.membership)


def test_a_live_configuration_block_raises_the_sequence() -> None:
    state = first_state("ecc")
    following, is_newest = next_membership(read_block(block("ecc", 9)), state.membership)
    assert is_newest
    assert following is not None
    assert (following.sequence, following.first_height) == (1, 10)
    assert following.nodes == state.membership.nodes


@pytest.mark.parametrize("suite", ["ecc", "sm"])
def test_the_other_suites_blocks_are_refused(suite: str) -> None:
    other = {"ecc": "sm", "sm": "ecc"}[suite]
    with pytest.raises(LightClientError) as caught:
        verify_header(first_state(suite), block(other, 1), 2_000_000_000)
    assert caught.value.name == "ParentMismatch"


@pytest.mark.parametrize(("suite", "height"), [("ecc", 6), ("sm", 7), ("ecc", 1), ("sm", 4)])
def test_a_live_write_is_found_under_its_slot(suite: str, height: int) -> None:
    """Keys are the slot's hexadecimal, values the word, under the contract's exact name."""
    info, name = base64.b64decode(told(suite, height)["block_info_pb_b64"]), HASH_NAMES[suite]
    header = read_block(block(suite, height)).header
    for index in range(header.transaction_count):
        evidence = evidence_of_block(info, name, index, by_write_set=True)
        transaction = read_transaction(evidence.transaction)
        leaf = leaf_of(HASHES[name], transaction, header.version)
        root = root_of_path(HASHES[name], leaf, index, header.transaction_count, evidence.path)
        assert root == header.transaction_root
        writes = read_writes(evidence.write_set)
        for event in transaction.events:
            assert event.version == "1.0"
            assert len(event.topic) == 64
            slots = {write.key for write in writes if write.contract == event.contract}
            if len(event.data) == 3 and transaction.contract == event.contract:
                key = bytes.fromhex(event.data[0])
                assert keccak256(key + bytes(32)).hex().encode() in slots
