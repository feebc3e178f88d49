"""Each lie changes what it names, and nothing else."""

import pytest
import rlp

from adapters.evm.devnet.chain import View
from adapters.evm.devnet.faults import LIES, flipped, tell_lies
from adapters.evm.devnet.header import header_items
from light_clients import qbft
from light_clients.errors import LightClientError
from schemas.primitives import BlockHash
from tests.adapters.evm.devnet.test_devnet_chain import chain_of
from tests.support.vectors import unhex


def encoded(document):
    return rlp.encode(header_items(document))


LOG = {"data": "0x00", "topics": ["0x01"]}
BARE_LOG = {"data": "0x", "topics": ["0x01", "0x05"]}
EMPTY_LOG = {"data": "0x", "topics": []}
RECEIPT = {"status": "0x1", "logs": [LOG]}


@pytest.mark.parametrize(
    ("name", "method", "honest", "lie"),
    [
        (
            "logs",
            "eth_getLogs",
            [LOG, BARE_LOG, EMPTY_LOG],
            [{"data": "0x01", "topics": ["0x01"]}, {"data": "0x", "topics": ["0x01", "0x01"]}, EMPTY_LOG],
        ),
        ("missing_logs", "eth_getLogs", [LOG, BARE_LOG], [LOG]),
        ("repeated_logs", "eth_getLogs", [LOG], [LOG, LOG]),
        ("receipts", "eth_getTransactionReceipt", RECEIPT, {"status": "0x0", "logs": [{**LOG, "data": "0x01"}]}),
        ("receipts", "eth_getBlockReceipts", [{"status": "0x0", "logs": []}], [{"status": "0x1", "logs": []}]),
        (
            "proofs",
            "eth_getProof",
            {"accountProof": ["0xaa"], "storageProof": [{"key": "0x0", "proof": ["0xab"]}]},
            {"accountProof": ["0xa1"], "storageProof": [{"key": "0x0", "proof": ["0xa1"]}]},
        ),
        ("heads", "eth_getStorageAt", "0xaa", "0xa1"),
        ("heads", "eth_call", "0x", "0x"),
        ("height", "eth_blockNumber", "0x1", hex(1001)),
        ("headers", "eth_getBlockByNumber", {"hash": "0x1", "stateRoot": "0xab"}, {"hash": "0x1", "stateRoot": "0xa1"}),
    ],
)
def test_lie(name, method, honest, lie):
    assert tell_lies(method, honest, {name}) == lie
    assert tell_lies("eth_chainId", honest, {name}) == honest


@pytest.mark.parametrize("name", LIES)
def test_nothing_is_not_lied_about(name):
    for method in LIES[name][0]:
        assert tell_lies(method, None, {name}) is None


def test_flipped_always_differs():
    assert all(flipped(f"0x{digit:x}") != f"0x{digit:x}" for digit in range(16))


def test_foreign_seals_keep_the_hash_and_are_refused():
    chain = chain_of(4)
    view = View(chain, None)
    shown = view.block(view.header(3), chain.blocks[3].document)
    lie = tell_lies("eth_getBlockByNumber", shown, {"seals"})
    assert lie["hash"] == shown["hash"]
    parent = view.header(2)
    state = qbft.bootstrap(parent.rlp(), BlockHash(parent.hash), qbft.QbftConfiguration())
    assert qbft.verify_header(state, encoded(shown), 1_800_001_000)
    with pytest.raises(LightClientError) as caught:
        qbft.verify_header(state, encoded(lie), 1_800_001_000)
    assert "Seal" in caught.value.name
    assert unhex(lie["extraData"]) != unhex(shown["extraData"])
