"""Block hashes in bodies, both ways, and which bodies are passed on unread."""

import json

import pytest

from adapters.evm.devnet.rewrite import is_hash_free, rewrite_answer, rewrite_parameters
from tests.adapters.evm.devnet.test_devnet_chain import chain_of

CHAIN = chain_of(4)
VIEW = CHAIN.view(None)
ANVIL = "0x" + CHAIN.blocks[3].anvil_hash.hex()
SEALED = "0x" + CHAIN.blocks[3].header.hash.hex()
OTHER = "0x" + "22" * 32


def dumped(value):
    return json.dumps(value, separators=(",", ":")).encode()


@pytest.mark.parametrize("key", ["blockHash", "hash", "parentHash"])
def test_named_hashes_are_rewritten(key):
    assert rewrite_answer(dumped({"a": [{key: ANVIL, "x": 1}]}), VIEW) == dumped({"a": [{key: SEALED, "x": 1}]})


def test_transaction_hashes_and_data_stay():
    answer = dumped({"hash": OTHER, "data": ANVIL, "topics": [ANVIL]})
    assert rewrite_answer(answer, VIEW) == answer


def test_a_block_filter_lists_hashes():
    assert rewrite_answer(dumped({"result": [ANVIL, OTHER, ANVIL]}), VIEW, listed=True) == dumped(
        {"result": [SEALED, OTHER, SEALED]}
    )


@pytest.mark.parametrize(
    ("method", "given", "passed"),
    [
        ("eth_getBlockReceipts", [SEALED], [ANVIL]),
        ("eth_getProof", [OTHER, [SEALED], SEALED], [OTHER, [SEALED], ANVIL]),
        ("eth_call", [{"data": SEALED}, {"blockHash": SEALED}], [{"data": SEALED}, {"blockHash": ANVIL}]),
        ("eth_getStorageAt", [OTHER, SEALED, SEALED], [OTHER, SEALED, ANVIL]),
        ("eth_getLogs", [{"blockHash": SEALED, "topics": [SEALED]}], [{"blockHash": ANVIL, "topics": [SEALED]}]),
        ("eth_getLogs", [{"fromBlock": "finalized", "toBlock": "safe"}], [{"fromBlock": "0x3", "toBlock": "0x3"}]),
        ("eth_getBalance", [OTHER, "finalized"], [OTHER, "0x3"]),
        ("eth_getBalance", [OTHER, "latest"], [OTHER, "latest"]),
        ("eth_getBlockReceipts", [SEALED.upper().replace("0X", "0x")], [ANVIL]),
    ],
)
def test_parameters_name_anvils_blocks(method, given, passed):
    assert rewrite_parameters(method, given, VIEW) == passed


def test_parameters_by_name_stay():
    assert rewrite_parameters("eth_call", {"a": SEALED}, VIEW) == {"a": SEALED}


@pytest.mark.parametrize(
    ("body", "free"),
    [
        ({"method": "eth_sendRawTransaction", "params": ["0x00"]}, True),
        ([{"method": "eth_sendRawTransaction"}, {"method": "eth_gasPrice"}], True),
        ([{"method": "eth_sendRawTransaction"}, {"method": "eth_getLogs"}], False),
        ({"method": "eth_estimateGas", "params": [{}, "finalized"]}, False),
        ({"method": "eth_estimateGas", "params": [{}, "safe"]}, False),
        ({"method": "eth_estimateGas", "params": [{}, {"blockHash": SEALED}]}, False),
        ({"params": []}, False),
    ],
)
def test_bodies_passed_on_unread(body, free):
    assert is_hash_free(json.dumps(body).encode()) is free
