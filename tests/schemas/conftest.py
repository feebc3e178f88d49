"""Objects that the tests of schemas begin from."""

import hashlib

import pytest

from schemas.attestation import Place
from schemas.claim import Claim, Direction
from schemas.lane import Lane
from schemas.message import Message
from schemas.primitives import BlockHash, Bytes32, ChainWord, Head, LaneId
from schemas.suites import EVM, SM


def filler(label, size=32):
    """Bytes that differ from label to label."""
    return b"".join(hashlib.sha256(f"{label}/{i}".encode()).digest() for i in range(size // 32 + 1))[:size]


@pytest.fixture(params=[EVM, SM], ids=["evm", "sm"])
def suite(request):
    return request.param


@pytest.fixture
def lane_fields(suite):
    return {
        "hub": "relayhub",
        "suite": suite,
        "source": ChainWord(filler("source")),
        "source_gateway": filler("source gateway", 20),
        "destination": ChainWord(filler("destination")),
        "destination_gateway": filler("destination gateway", 20),
        "channel": "main",
    }


@pytest.fixture
def lane(lane_fields):
    return Lane(**lane_fields)


@pytest.fixture
def message_fields(suite):
    payload = "跨链 👋".encode()
    return {
        "nonce": 7,
        "sender": filler("sender", 20),
        "receiver": filler("receiver", 20),
        "expires_at": 1_800_000_000,
        "gas_limit": 200_000,
        "callback_gas": 50_000,
        "payload_length": len(payload),
        "payload_hash": Bytes32(suite.hash(payload)),
        "payload": payload,
    }


@pytest.fixture
def message(message_fields):
    return Message(**message_fields)


@pytest.fixture
def claim_fields():
    return {
        "lane_id": LaneId(filler("lane")),
        "direction": Direction.OUTBOX,
        "nonce": 7,
        "head": Head(filler("head")),
        "height": 41,
        "block_hash": BlockHash(filler("block")),
    }


@pytest.fixture
def claim(claim_fields):
    return Claim(**claim_fields)


@pytest.fixture
def place_fields():
    return {
        "chain": ChainWord(filler("chain")),
        "gateway": filler("gateway", 20),
        "verifier": filler("verifier", 20),
        "epoch": 3,
    }


@pytest.fixture
def place(place_fields):
    return Place(**place_fields)
