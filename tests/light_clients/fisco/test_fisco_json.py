"""JSON-RPC answers of both lines as our bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from light_clients import fisco, rlp
from light_clients.errors import HeaderHashMismatch, HeaderJsonInvalid
from light_clients.fisco.block_json import (
    bundle_from_json,
    call_3_from_json,
    path_2_from_json,
    path_3_from_json,
    receipt_from_json,
)
from light_clients.fisco.evidence import Execution
from light_clients.fisco.executions import read_call
from light_clients.fisco.types import (
    FiscoConfiguration,
)
from tests.support.fisco_chain import (
    ATTACKER_EVENT,
    PIN,
    Block,
    FiscoChain,
    deliver,
    send,
)
from tests.support.fisco_json import block_json, proof_json, receipt_json
from tests.support.shared_vectors import shared_json

KINDS = [(2, "evm"), (2, "sm"), (3, "evm"), (3, "sm")]
LINE_2 = FiscoConfiguration(2)


@pytest.fixture(params=KINDS, ids=[f"{line}-{suite}" for line, suite in KINDS])
def chain(request: pytest.FixtureRequest) -> FiscoChain:
    return FiscoChain(*request.param)


def test_a_block_of_json(chain: FiscoChain) -> None:
    block = chain.mine(send(1))
    assert bundle_from_json(block_json(block), block.configuration) == block.bundle()
    answer = block_json(block)
    del answer["signatureList"]
    assert bundle_from_json(answer, block.configuration) == block.bundle(())
    step = block.execution(0, with_transaction=True)
    assert bundle_from_json(block_json(block), block.configuration, [step]) != block.bundle()


def test_extra_data_of_json() -> None:
    block = FiscoChain(2).newest.with_item(10, [b"one", b"two"])
    assert bundle_from_json(block_json(block), block.configuration) == block.bundle()


def path(block: Block, index: int, *, receipts: bool) -> tuple[tuple[bytes, ...], ...]:
    read: Callable[..., tuple[tuple[bytes, ...], ...]] = path_2_from_json if block.line == 2 else path_3_from_json
    return read(proof_json(block, index, receipts=receipts), index)


@pytest.mark.parametrize("count", [1, 2, 5, 17, 18])
def test_proofs_of_json(chain: FiscoChain, count: int) -> None:
    block = chain.mine(*(send(number) for number in range(1, count + 1)))
    for index in range(count):
        execution = block.execution(index, with_transaction=True)
        assert path(block, index, receipts=False) == execution.transaction_path
        assert path(block, index, receipts=True) == execution.receipt_path


def test_receipts_of_json(chain: FiscoChain) -> None:
    kinds = (
        send(1),
        deliver(2, [ATTACKER_EVENT]),
        send(3, status=15, remaining_gas=7),
        send(4, created=b"\x31" * 20, version=1),
    )
    block = chain.mine(*kinds)
    for index in range(len(kinds)):
        assert receipt_from_json(receipt_json(block, index), block.configuration) == block.execution(index).receipt


def transaction_json(**changes: Any) -> dict[str, Any]:
    answer = {
        "version": 0,
        "blockLimit": 502,
        "nonce": "2.0z",
        "to": PIN.address.hex(),
        "input": "0x01",
        "abi": "",
        "hash": "",
    }
    return {**answer, **changes}


def test_transactions_of_json() -> None:
    assert rlp.decode_list(call_3_from_json(transaction_json())) == [
        b"",
        (502).to_bytes(2, "big"),
        b"2.0z",
        PIN.address.hex().encode(),
        b"\x01",
        b"",
    ]
    plain = transaction_json(abi="abi")
    assert rlp.decode_list(call_3_from_json(plain))[5] == b"abi"
    del plain["abi"]
    assert rlp.decode_list(call_3_from_json(plain))[5] == b""
    fees = {"value": "0x1", "gasPrice": "0x2", "gasLimit": 3, "maxFeePerGas": "", "maxPriorityFeePerGas": "0x4"}
    later = transaction_json(version=1, **fees)
    assert rlp.decode_list(call_3_from_json(later))[5] == b"0x10x2" + (3).to_bytes(8, "big") + b"0x4"
    with pytest.raises(HeaderJsonInvalid):
        call_3_from_json(transaction_json(version=2))


def test_a_claim_out_of_json_alone() -> None:
    """What an adapter does on line 3: block, transaction, receipt and both proofs."""
    chain = FiscoChain(3)
    block = chain.mine(send(1), send(2), send(3))
    sent = rlp.decode_list(block.execution(1).transaction)
    version, limit, nonce, to, data, _ = (item for item in sent if isinstance(item, bytes))
    answer = transaction_json(
        version=int.from_bytes(version, "big"),
        blockLimit=int.from_bytes(limit, "big"),
        nonce=nonce.decode(),
        to=to.decode(),
        input="0x" + data.hex(),
    )
    execution = Execution(
        index=1,
        count=3,
        transaction=call_3_from_json(answer),
        transaction_path=path(block, 1, receipts=False),
        receipt=receipt_from_json(receipt_json(block, 1), block.configuration),
        receipt_path=path(block, 1, receipts=True),
    )
    header = bundle_from_json(block_json(block), block.configuration)
    fisco.verify_claim(chain.state(-1), block.claim(2), fisco.FiscoEvidence(header, execution), PIN)


def test_a_real_transaction_of_a_release_before_3_0() -> None:
    """Its hash is of an older layout, which does not hash as 3.x does; its fields are read all the same."""
    header = shared_json("fisco/v3_1_aa3fb2b6.json")["header"]
    (answer,) = header["transactions"]
    configuration = FiscoConfiguration(3, "evm", answer["chainID"], answer["groupID"])
    execution = Execution(0, 1, call_3_from_json(answer), (), b"", ())
    with pytest.raises(Exception, match="40 hexadecimal digits"):
        read_call(execution, configuration)  # a nonce of 75 digits


FIELDS_2 = [
    ("hash", "0x01"),
    ("parentHash", None),
    ("parentHash", "0x" + "zz" * 32),
    ("parentHash", "0x1"),
    ("logsBloom", "0x00"),
    ("number", "1"),
    ("number", "0x"),
    ("number", "0xg"),
    ("number", -1),
    ("number", True),
    ("number", 2**64),
    ("number", "0x" + "1" * 65),
    ("timestamp", None),
    ("extraData", "0x"),
    ("sealerList", {}),
    ("sealerList", ["00"]),
    ("sealerList", [5]),
    ("signatureList", "0x"),
    ("signatureList", ["0x"]),
    ("signatureList", [{"index": "0x0"}]),
    ("signatureList", [{"signature": "0x00"}]),
]
FIELDS_3 = [
    ("gasUsed", 5),
    ("gasUsed", "fünf"),
    ("parentInfo", None),
    ("parentInfo", ["0x"]),
    ("parentInfo", [{"blockNumber": 0}]),
    ("consensusWeights", None),
    ("consensusWeights", ["1"]),
    ("version", None),
    ("extraData", None),
    ("signatureList", [{"index": "0x0", "signature": "0x00"}]),
]


@pytest.mark.parametrize(
    ("line", "name", "value"), [(2, *field) for field in FIELDS_2] + [(3, *field) for field in FIELDS_3]
)
def test_fields_of_another_form(line: int, name: str, value: Any) -> None:
    block = FiscoChain(line).newest
    with pytest.raises(HeaderJsonInvalid):
        bundle_from_json({**block_json(block), name: value}, block.configuration)


def test_another_hash(chain: FiscoChain) -> None:
    block = chain.newest
    with pytest.raises(HeaderHashMismatch):
        bundle_from_json({**block_json(block), "hash": "0x" + "01" * 32}, block.configuration)
    name, value = ("gasUsed", "0x1") if chain.line == 2 else ("gasUsed", "1")
    with pytest.raises(HeaderHashMismatch):
        bundle_from_json({**block_json(block), name: value}, block.configuration)


EMPTY = {"left": [], "right": []}


@pytest.mark.parametrize(
    ("index", "proof"),
    [
        (0, None),
        (0, []),
        (0, ["0x"]),
        (0, [{"left": []}]),
        (0, [{"left": ["zz"], "right": []}, EMPTY]),
        (0, [{"left": ["00"], "right": []}]),
        (0, [{"left": ["00"], "right": []}, EMPTY]),
        (1, [EMPTY, EMPTY]),
    ],
)
def test_proofs_of_line_2_of_another_form(index: int, proof: Any) -> None:
    with pytest.raises(HeaderJsonInvalid):
        path_2_from_json(proof, index)


TWO, ONE, NODE = "00000002", "00000001", "11" * 32


@pytest.mark.parametrize(
    ("index", "proof"),
    [
        (0, None),
        (0, []),
        (0, [5, NODE]),
        (0, [TWO, NODE]),
        (0, ["00000003", NODE, NODE, NODE]),
        (0, ["00000000", NODE]),
        (1, [ONE, NODE]),
        (0, ["02", NODE, NODE]),
        (0, [TWO, NODE, NODE, ONE]),
    ],
)
def test_proofs_of_line_3_of_another_form(index: int, proof: Any) -> None:
    with pytest.raises(HeaderJsonInvalid):
        path_3_from_json(proof, index)


def test_receipts_of_another_form(chain: FiscoChain) -> None:
    answer = receipt_json(chain.mine(send(1)), 0)
    logs = "logs" if chain.line == 2 else "logEntries"
    for name, value in ((logs, None), ("output", "0x0"), ("status", "0"), (logs, [{}]), (logs, ["log"])):
        with pytest.raises(HeaderJsonInvalid):
            receipt_from_json({**answer, name: value}, chain.configuration)


def test_a_published_receipt_has_the_bytes_of_its_line() -> None:
    proof = shared_json("fisco/v2_merkle_proofs.json")[4]["proof"]
    items = rlp.decode_list(receipt_from_json(proof["transactionReceipt"], LINE_2))
    assert len(items) == 7
    assert items[6] == []
