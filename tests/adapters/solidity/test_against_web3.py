"""Our codecs by hand against web3's: the same calldata, the same events."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hexbytes import HexBytes
from hypothesis import given, settings
from hypothesis import strategies as st
from web3 import Web3

from adapters.protocol import Position
from adapters.solidity import calldata
from adapters.solidity.events import decode_event
from schemas.claim import Claim, Direction
from schemas.message import Message
from schemas.outcome import Settled, Status
from schemas.primitives import BlockHash, Head, LaneId
from schemas.suites import EVM, keccak256

ARTIFACT = Path(calldata.__file__).parent / "artifacts" / "Gateway.json"
LANE = LaneId(keccak256(b"lane"))
CLAIM = Claim(LANE, Direction.OUTBOX, 7, Head(keccak256(b"head")), 11, BlockHash(keccak256(b"block")))
words = st.integers(0, 2**64 - 1)
accounts = st.binary(min_size=20, max_size=20)


@pytest.fixture(scope="module")
def gateway():
    return Web3().eth.contract(abi=json.loads(ARTIFACT.read_text())["abi"])


@st.composite
def messages(draw):
    return Message.create(
        EVM,
        nonce=draw(st.integers(1, 2**64 - 1)),
        sender=draw(accounts),
        receiver=draw(st.binary(min_size=1, max_size=64)),
        payload=draw(st.binary(max_size=130)),
        gas_limit=draw(words),
        callback_gas=draw(words),
        expires_at=draw(words),
    )


def as_tuple(message, *, payload=True):
    return (
        message.nonce, message.sender, message.receiver, message.expires_at, message.gas_limit, message.callback_gas,
        message.payload_length, bytes(message.payload_hash), message.payload if payload else b"",
    )  # fmt: skip


CLAIM_TUPLE = (bytes(LANE), 0, 7, bytes(CLAIM.head), 11, bytes(CLAIM.block_hash))
many = settings(max_examples=25, deadline=None)


@many
@given(
    st.lists(messages(), max_size=4), st.lists(st.binary(min_size=32, max_size=32), max_size=3), st.binary(max_size=200)
)
def test_deliver(gateway, found, suffix_ids, proof):
    expected = gateway.encode_abi(
        "deliver", [bytes(LANE), [as_tuple(item) for item in found], suffix_ids, CLAIM_TUPLE, proof]
    )
    assert calldata.encode_deliver(LANE, found, suffix_ids, CLAIM, proof).hex() == expected[2:]


@many
@given(
    st.lists(messages(), max_size=4), st.sampled_from(list(Status)), st.binary(max_size=256), st.binary(max_size=200)
)
def test_settle(gateway, found, status, result, proof):
    entries = [Settled(item.without_payload(), status, result) for item in found]
    tuples = [(as_tuple(item, payload=False), int(status), result) for item in found]
    expected = gateway.encode_abi("settle", [bytes(LANE), tuples, [], CLAIM_TUPLE, proof])
    assert calldata.encode_settle(LANE, entries, [], CLAIM, proof).hex() == expected[2:]


@many
@given(messages())
def test_send(gateway, message):
    numbers = [message.gas_limit, message.callback_gas, message.expires_at]
    expected = gateway.encode_abi("send", [bytes(LANE), message.receiver, message.payload, *numbers])
    assert calldata.encode_send(LANE, message.receiver, message.payload, *numbers).hex() == expected[2:]


def log(topics, data):
    return {
        "address": "0x" + "11" * 20, "topics": [HexBytes(item) for item in topics], "data": HexBytes(data),
        "blockNumber": 1, "blockHash": HexBytes(bytes(32)), "transactionHash": HexBytes(bytes(32)),
        "transactionIndex": 0, "logIndex": 0, "removed": False,
    }  # fmt: skip


@many
@given(messages())
def test_the_event_of_a_message(gateway, message):
    codec = gateway.w3.codec
    message_id, head = message.message_id(EVM, LANE), keccak256(b"new head")
    values = [
        bytes(message_id), head, message.sender, message.receiver,
        message.expires_at, message.gas_limit, message.callback_gas, message.payload,
    ]  # fmt: skip
    data = codec.encode(["bytes32", "bytes32", "bytes", "bytes", "uint64", "uint64", "uint64", "bytes"], values)
    signature = b"MessageSent(bytes32,uint64,bytes32,bytes32,bytes,bytes,uint64,uint64,uint64,bytes)"
    topics = [keccak256(signature), bytes(LANE), message.nonce.to_bytes(32, "big")]
    theirs = gateway.events.MessageSent().process_log(log(topics, data))["args"]
    ours = decode_event(topics, data, Position(1, bytes(32), bytes(32), 0))
    assert (ours.lane_id, ours.message.nonce, ours.message_id, ours.head) == (
        theirs["laneId"], theirs["nonce"], theirs["messageId"], theirs["head"],
    )  # fmt: skip
    assert (ours.message.sender, ours.message.receiver, ours.message.payload) == (
        theirs["sender"], theirs["receiver"], theirs["payload"],
    )  # fmt: skip
    assert (ours.message.expires_at, ours.message.gas_limit, ours.message.callback_gas) == (
        theirs["expiresAt"], theirs["gasLimit"], theirs["callbackGas"],
    )  # fmt: skip
