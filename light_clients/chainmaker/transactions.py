"""Transactions, their leaves, events and read-write sets (pb-go `common.Transaction`, `common.TxRWSet`, `common.DAG`).

    Transaction    {1 payload, 2 sender, 3 endorsers, 4 result, 5 payer}
    Payload        {1 chain id, 2 type, 3 id, 4 time, 5 expiry, 6 contract, 7 method, 8 parameters {1 key, 2 value}, …}
    Result         {1 code, 2 contract result, 3 hash of the read-write set, 4 message}
    ContractResult {1 code, 2 result, 3 message, 4 gas used, 5 events}
    ContractEvent  {1 topic, 2 transaction id, 3 contract, 4 contract version, 5 data}
    TxRWSet        {1 transaction id, 2 reads, 3 writes {1 key, 2 value, 3 contract}}

The leaf of a transaction is the hash of its bytes; from block version 2300 on, of its bytes with no gas in the contract
result, because nodes may count gas differently.
"""

from __future__ import annotations

from dataclasses import dataclass

from light_clients.chainmaker.codec import PAIR
from light_clients.chainmaker.fields import Spans, form_of, read_flat, without
from light_clients.chainmaker.merkle import Hash
from light_clients.protobuf import Message, as_text, message_field

GASLESS_VERSION = 2300
"""The first block version whose leaves leave the gas out."""

TRANSACTION, RESULT, CONTRACT_RESULT = form_of("ddrdd"), form_of("nddd"), form_of("nddnr")
EVENT, WRITE_SET, WRITE = form_of("ddddr"), form_of("drr"), form_of("ddd")
"""Forms of messages."""

INVOKE_CONTRACT = 0
"""The type of a transaction that calls a contract."""


@dataclass(frozen=True, slots=True)
class ContractEvent:
    """An event as a virtual machine reported it; whether the contract is the one it names depends on the machine."""

    topic: str
    contract: str
    version: str
    data: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction, read.

    Attributes:
        transaction_type: 0 for a call of a contract.
        contract: Which contract was called.
        method: Its method.
        parameters: By name, in order.
        code: 0 for success.
        contract_code: 0 for success.
        result: What the contract returned.
        events: In the order in which they were reported.
        write_set_hash: Hash of the read-write set.
        encoded: Its own bytes.
        gasless: Its bytes with no gas in the contract result.
    """

    transaction_type: int
    contract: str
    method: str
    parameters: tuple[tuple[str, bytes], ...]
    code: int
    contract_code: int
    result: bytes
    events: tuple[ContractEvent, ...]
    write_set_hash: bytes
    encoded: bytes
    gasless: bytes

    @property
    def succeeded(self) -> bool:
        """Whether the transaction and the contract say that it changed the state."""
        return self.code == 0 and self.contract_code == 0


@dataclass(frozen=True, slots=True)
class Write:
    """One write of a read-write set."""

    contract: str
    key: bytes
    value: bytes


def read_transaction(data: bytes) -> Transaction:
    """Reads a transaction.

    Args:
        data: Protobuf of a `common.Transaction`.

    Raises:
        ProtobufRefused: It is no such message, or not in canonical form.
    """
    spans: Spans = {}
    result_spans: Spans = {}
    contract_spans: Spans = {}
    values, _ = read_flat(data, TRANSACTION, spans)
    payload = Message.read(values.get(1, b""), ordered=True)
    pairs = [read_flat(item, PAIR)[0] for item in payload.repeated(8)]
    told: bytes = values.get(4, b"")
    result, _ = read_flat(told, RESULT, result_spans)
    returned: bytes = result.get(2, b"")
    contract, events = read_flat(returned, CONTRACT_RESULT, contract_spans)
    gasless = data
    if 4 in contract_spans:
        inner = _with(told, result_spans[2], 2, without(returned, contract_spans, 4))
        gasless = _with(data, spans[4], 4, inner)
    return Transaction(
        transaction_type=payload.integer(2),
        contract=payload.text(6),
        method=payload.text(7),
        parameters=tuple((as_text(pair.get(1, b""), 1), pair.get(2, b"")) for pair in pairs),
        code=result.get(1, 0),
        contract_code=contract.get(1, 0),
        result=contract.get(2, b""),
        events=tuple(_read_event(item) for _, item in events),
        write_set_hash=result.get(3, b""),
        encoded=data,
        gasless=gasless,
    )


def leaf_of(digest: Hash, transaction: Transaction, block_version: int) -> bytes:
    """The leaf of a transaction.

    Args:
        digest: The chain's hash.
        transaction: A transaction, read.
        block_version: Of the header of its block.

    Returns:
        32 bytes.
    """
    return digest(transaction.gasless if block_version >= GASLESS_VERSION else transaction.encoded)


def read_writes(data: bytes) -> tuple[Write, ...]:
    """Reads the writes of a read-write set.

    Args:
        data: Protobuf of a `common.TxRWSet`.

    Raises:
        ProtobufRefused: It is no such message.
    """
    writes = []
    for number, item in read_flat(data, WRITE_SET)[1]:
        if number == 3:
            values = read_flat(item, WRITE)[0]
            writes.append(Write(as_text(values.get(3, b""), 3), values.get(1, b""), values.get(2, b"")))
    return tuple(writes)


def _with(data: bytes, span: tuple[int, int], number: int, content: bytes) -> bytes:
    """The bytes of a message with another content of one of its fields."""
    return data[: span[0]] + message_field(number, content) + data[span[1] :]


def _read_event(data: bytes) -> ContractEvent:
    values, items = read_flat(data, EVENT)
    topic, contract, version = (as_text(values.get(number, b""), number) for number in (1, 3, 4))
    return ContractEvent(topic, contract, version, tuple(as_text(item, 5) for _, item in items))
