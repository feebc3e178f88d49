"""Calldata by hand is what a second encoder (eth_abi) makes of the same values."""

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from adapters.solidity import calldata
from adapters.solidity.contracts import contract
from schemas.claim import Claim, Direction
from schemas.message import Message
from schemas.outcome import Settled, Status
from schemas.primitives import BlockHash, Bytes32, Head, LaneId
from schemas.suites import keccak256

UINT64 = st.integers(0, 2**64 - 1)
WORDS = st.binary(min_size=32, max_size=32).filter(any)
ACCOUNTS = st.binary(min_size=1, max_size=64)
PAYLOADS = st.binary(max_size=130)
CLAIMS = st.builds(
    Claim,
    lane_id=WORDS.map(LaneId),
    direction=st.sampled_from(Direction),
    nonce=UINT64,
    head=WORDS.map(Head),
    height=UINT64,
    block_hash=WORDS.map(BlockHash),
)
MESSAGES = st.builds(
    lambda nonce, sender, receiver, expires, gas, callback, payload: Message(
        nonce, sender, receiver, expires, gas, callback, len(payload), Bytes32(keccak256(payload)), payload
    ),
    UINT64,
    ACCOUNTS,
    ACCOUNTS,
    UINT64,
    UINT64,
    UINT64,
    PAYLOADS,
)
SETTLED = st.builds(Settled, MESSAGES, st.sampled_from(Status), st.binary(max_size=256))
LISTS = {"max_size": 4}


def claim_tuple(claim):
    return (claim.lane_id, int(claim.direction), claim.nonce, claim.head, claim.height, claim.block_hash)


def message_tuple(message, *, payload=True):
    return (
        message.nonce,
        message.sender,
        message.receiver,
        message.expires_at,
        message.gas_limit,
        message.callback_gas,
        message.payload_length,
        message.payload_hash,
        message.payload if payload else b"",
    )


def settled_tuple(entry):
    return (message_tuple(entry.message, payload=False), int(entry.status), entry.result)


@given(WORDS, ACCOUNTS, PAYLOADS, UINT64, UINT64, UINT64)
def test_send(lane_id, receiver, payload, gas_limit, callback_gas, expires_at):
    ours = calldata.encode_send(lane_id, receiver, payload, gas_limit, callback_gas, expires_at)
    assert ours == contract("Gateway").encode("send", lane_id, receiver, payload, gas_limit, callback_gas, expires_at)


@given(WORDS, ACCOUNTS, PAYLOADS, UINT64, UINT64, UINT64, st.integers(0, 10_000))
def test_load(lane_id, receiver, payload, gas_limit, callback_gas, expires_at, count):
    ours = calldata.encode_load(lane_id, receiver, payload, gas_limit, callback_gas, expires_at, count)
    theirs = contract("Loader").encode("load", lane_id, receiver, payload, gas_limit, callback_gas, expires_at, count)
    assert ours == theirs


@given(WORDS, st.lists(MESSAGES, **LISTS), st.lists(WORDS, **LISTS), CLAIMS, st.binary(max_size=100))
def test_deliver(lane_id, messages, suffix_ids, claim, proof):
    ours = calldata.encode_deliver(lane_id, messages, suffix_ids, claim, proof)
    tuples = [message_tuple(message) for message in messages]
    assert ours == contract("Gateway").encode("deliver", lane_id, tuples, suffix_ids, claim_tuple(claim), proof)


@given(WORDS, st.lists(SETTLED, **LISTS), st.lists(WORDS, **LISTS), CLAIMS, st.binary(max_size=100))
def test_settle(lane_id, settled, suffix_ids, claim, proof):
    ours = calldata.encode_settle(lane_id, settled, suffix_ids, claim, proof)
    tuples = [settled_tuple(entry) for entry in settled]
    assert ours == contract("Gateway").encode("settle", lane_id, tuples, suffix_ids, claim_tuple(claim), proof)


@given(WORDS, st.integers(0, 1), WORDS, st.lists(WORDS, **LISTS), CLAIMS, st.binary(max_size=100))
def test_anchor(lane_id, direction, head, ids, claim, proof):
    ours = calldata.encode_anchor(lane_id, direction, head, ids, claim, proof)
    assert ours == contract("Gateway").encode("anchor", lane_id, direction, head, ids, claim_tuple(claim), proof)


@given(WORDS, SETTLED)
def test_retry(lane_id, entry):
    assert calldata.encode_retry(lane_id, entry) == contract("Gateway").encode("retry", lane_id, settled_tuple(entry))


@given(WORDS, CLAIMS, st.binary(max_size=100))
def test_probe(lane_id, claim, proof):
    ours = calldata.encode_probe(lane_id, claim, proof)
    assert ours == contract("Gateway").encode("probe", lane_id, claim_tuple(claim), proof)


@given(UINT64, st.dictionaries(st.integers(0, 255), st.binary(min_size=65, max_size=65), max_size=5))
def test_committee_proof(epoch, signatures):
    ours = calldata.committee_proof(epoch, list(signatures.items()))
    bitmap = sum(1 << index for index in signatures)
    ordered = [signatures[index] for index in sorted(signatures)]
    assert ours == encode(["uint64", "uint256", "bytes[]"], [epoch, bitmap, ordered])


@pytest.mark.parametrize(
    "signatures",
    [
        pytest.param([(0, bytes(65)), (0, bytes(65))], id="a signer twice"),
        pytest.param([(256, bytes(65))], id="an index over 255"),
        pytest.param([(-1, bytes(65))], id="a negative index"),
        pytest.param([(0, bytes(63))], id="a short signature"),
    ],
)
def test_a_committee_proof_that_no_committee_takes_is_not_made(signatures):
    with pytest.raises(ValueError, match="each signer once"):
        calldata.committee_proof(1, signatures)
