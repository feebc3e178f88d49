"""Headers as anvil serves them, one shape for each generation of forks, made from hashes of labels."""

import hashlib

from rlp import encode

from schemas.suites import keccak256

ROOT = "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
FORKS = {"berlin": 15, "london": 16, "shanghai": 17, "cancun": 20, "prague": 21}
"""How many header items each fork has."""


def label(text, size=32):
    return hashlib.sha256(text.encode()).digest()[:size]


def integer(value):
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def anvil_block(number, fork="london", parent=bytes(32)):
    """A block document of anvil's shape and with anvil's hash, made without the code under test."""
    values = {
        "parentHash": parent,
        "sha3Uncles": label("uncles"),
        "miner": label("miner", 20),
        "stateRoot": label(f"state {number}"),
        "transactionsRoot": bytes.fromhex(ROOT[2:]),
        "receiptsRoot": bytes.fromhex(ROOT[2:]),
        "logsBloom": bytes(256),
        "difficulty": 0,
        "number": number,
        "gasLimit": 300_000_000,
        "gasUsed": 21_000 * number,
        "timestamp": 1_800_000_000 + number,
        "extraData": b"",
        "mixHash": label(f"random {number}"),
        "nonce": bytes(8),
        "baseFeePerGas": 10**9,
        "withdrawalsRoot": bytes.fromhex(ROOT[2:]),
        "blobGasUsed": 0,
        "excessBlobGas": 0,
        "parentBeaconBlockRoot": bytes(32),
        "requestsHash": label("requests"),
    }
    kept = list(values)[: FORKS[fork]]
    items = [integer(values[name]) if isinstance(values[name], int) else values[name] for name in kept]
    shown = {
        name: hex(value) if isinstance(value, int) else "0x" + value.hex()
        for name, value in values.items()
        if name in kept
    }
    if "parentBeaconBlockRoot" not in kept:
        shown |= {"blobGasUsed": "0x0", "excessBlobGas": "0x0"}
    size = hex(len(encode(items)) + 4)
    return {**shown, "hash": "0x" + keccak256(encode(items)).hex(), "size": size, "uncles": [], "transactions": []}
