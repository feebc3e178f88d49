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

from light_clients.chainmaker.codec import Fields, integer, octets, read_known, single, write_fields
from light_clients.chainmaker.merkle import Hash
from light_clients.errors import ProtobufNotCanonical
from light_clients.protobuf import Message, as_text

GASLESS_VERSION = 2300
"""The first block version whose leaves leave the gas out."""

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
    fields = Message.read(data, range(1, 6), ordered=True).fields
    values = single(field for field in fields if field[0] != 3)
    payload = Message.read(octets(values, 1), ordered=True)
    parameters = []
    for item in payload.repeated(8):
        pair = read_known(item, (1, 2))
        parameters.append((as_text(octets(pair, 1), 1), octets(pair, 2)))
    result_fields = Message.read(octets(values, 4), range(1, 5), ordered=True).fields
    result = single(result_fields)
    contract_fields = Message.read(octets(result, 2), range(1, 6), ordered=True).fields
    contract = single(field for field in contract_fields if field[0] != 5)
    if _nest(fields, 4, _nest(result_fields, 2, write_fields(contract_fields))) != data:
        raise ProtobufNotCanonical("The transaction is not written as its ledger writes it.")
    without_gas = write_fields(field for field in contract_fields if field[0] != 4)
    return Transaction(
        transaction_type=payload.integer(2),
        contract=payload.text(6),
        method=payload.text(7),
        parameters=tuple(parameters),
        code=integer(result, 1),
        contract_code=integer(contract, 1),
        result=octets(contract, 2),
        events=tuple(_read_event(item) for item in Message(contract_fields).repeated(5)),
        write_set_hash=octets(result, 3),
        encoded=data,
        gasless=_nest(fields, 4, _nest(result_fields, 2, without_gas)),
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
    for item in Message.read(data, (1, 2, 3), ordered=True).repeated(3):
        values = read_known(item, (1, 2, 3))
        writes.append(Write(as_text(octets(values, 3), 3), octets(values, 1), octets(values, 2)))
    return tuple(writes)


def _nest(fields: Fields, number: int, inner: bytes) -> bytes:
    """The fields with another content of one of them, where it stands at all."""
    return write_fields((of, inner if of == number else value) for of, value in fields)


def _read_event(data: bytes) -> ContractEvent:
    message = Message.read(data, range(1, 6), ordered=True)
    return ContractEvent(
        topic=message.text(1),
        contract=message.text(3),
        version=message.text(4),
        data=tuple(as_text(item, 5) for item in message.repeated(5)),
    )
