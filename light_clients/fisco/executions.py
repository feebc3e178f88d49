"""Transactions and receipts of both lines: reading, hashing, and their inclusion in a block.

Line 2 (FISCO-BCOS 2.x, `libprotocol/Transaction`, `TransactionReceipt`, `LogEntry`): the hash of their RLP. A transaction has
10 items without a group (before RC2: 7) and 3 of its signature; a receipt [stateRoot, gasUsed, contractAddress, bloom, status,
output, (remainGas, since 2.9.0), logs]. RLP is read in one way only.

Line 3 (FISCO-BCOS 3.x, `TarsHashable`): the hash of the fields one behind the other, without any length:

    transaction: int32 version ‖ chain id ‖ group id ‖ int64 block limit ‖ nonce ‖ to ‖ input ‖ abi ‖ (v1: fees ‖ v2: extension)
    receipt: int32 version ‖ gas used ‖ contract address ‖ int32 status ‖ output ‖ (v1: price) ‖ logs(address, topics, data) ‖ int64 number

**So one hash has many readings, and nodes put no rule on a nonce, an output or the data of a log:** a contract of anybody may
return, or log, bytes that read as an event of the gateway. A receipt of line 3 alone proves no event. What makes the reading the
only one is the transaction at the same position:

1. Chain and group id are the configured ones, which nodes enforce, and the block limit begins with a zero byte, so that no longer
   group's name is read into it: the nonce begins at a known place.
2. The receiver of a call is 40 hexadecimal digits. No other 40 digits may stand between the nonce's beginning and the end
   (`check_one_call`), so the transaction called no other contract; the receipt names no created contract, so it called one.
3. The transaction calls the function itself (`claims`, `steps`): then its output and logs are those of known code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from light_clients import rlp
from light_clients.fisco.errors import (
    InclusionInvalid,
    InclusionRootMismatch,
    ReceiptBlockMismatch,
    ReceiptMalformed,
    TransactionAmbiguous,
    TransactionMalformed,
)
from light_clients.fisco.evidence import Execution
from light_clients.fisco.trees import root_of_line_2, root_of_line_3
from light_clients.fisco.types import (
    FiscoConfiguration,
)
from light_clients.rlp import RlpItem
from schemas.primitives import Bytes32

_FORTY_DIGITS = re.compile(rb"(?=[0-9a-fA-F]{40})")
_DIGITS = re.compile(rb"[0-9]{1,20}")
_PRICE = re.compile(rb"(?:0x)?[0-9a-fA-F]{0,32}")
_ADDRESS = re.compile(rb"[0-9a-f]{40}")
_TO = re.compile(rb"(?:0x)?([0-9a-fA-F]{40})")

SHIFT_ALLOWED = 8
"""Hexadecimal digits by which another receiver may be shifted against the real one: it would share 128 bits with it."""

MAXIMUM_VERSION = 2
"""The newest version of transactions and receipts of line 3 that is known."""


@dataclass(frozen=True, slots=True)
class Log:
    """An event.

    Attributes:
        address: The contract, 20 bytes.
        topics: At most four words of 32 bytes.
        data: Its bytes.
    """

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a transaction did.

    Attributes:
        status: 0 for success.
        created: Whether it made a contract.
        output: What it returned.
        logs: Its events, in order.
        height: Line 3: the block's number; ``None`` on line 2.
        hash: Its hash, the leaf of the tree.
    """

    status: int
    created: bool
    output: bytes
    logs: tuple[Log, ...]
    height: int | None
    hash: bytes


@dataclass(frozen=True, slots=True)
class Call:
    """What a transaction asked for.

    Attributes:
        to: The contract that was called, 20 bytes; empty where one was created.
        data: The call's input.
        hash: Its hash, the leaf of the tree.
    """

    to: bytes
    data: bytes
    hash: bytes


def read_receipt(execution: Execution, configuration: FiscoConfiguration) -> Receipt:
    """Reads the receipt of an execution.

    Args:
        execution: Brings it.
        configuration: Says the line and the suite.

    Raises:
        ReceiptMalformed: It is not in the form of its line.
        RlpRefused: It is not canonical RLP.
    """
    items = rlp.decode_list(execution.receipt)
    read = _receipt_2 if configuration.line == 2 else _receipt_3
    return read(items, execution.receipt, configuration)


def read_call(execution: Execution, configuration: FiscoConfiguration, *, own_digits: int = 0) -> Call:
    """Reads the transaction of an execution.

    Args:
        execution: Brings it.
        configuration: Says the line, the suite and the ids.
        own_digits: Hexadecimal digits at the end of the input that the called function itself asks for.

    Raises:
        TransactionMalformed: It is not in the form of its line.
        TransactionAmbiguous: Line 3: it can be read as a call of another contract.
        RlpRefused: It is not canonical RLP.
    """
    items = rlp.decode_list(execution.transaction)
    if configuration.line == 2:
        return _transaction_2(items, execution.transaction, configuration)
    return _transaction_3(items, configuration, own_digits)


def proved_receipt(execution: Execution, configuration: FiscoConfiguration, root: Bytes32, height: int) -> Receipt:
    """The receipt of an execution, which stands in a block.

    Args:
        execution: Brings it.
        configuration: Says the line and the suite.
        root: The block's root of receipts.
        height: The block's number.

    Raises:
        ReceiptBlockMismatch: It names another block.
        Refused: It is not in its form, or does not stand there.
    """
    receipt = read_receipt(execution, configuration)
    check_included(execution, configuration, root, receipt.hash, execution.receipt_path)
    if receipt.height not in (None, height):
        raise ReceiptBlockMismatch("The receipt is of another block.", expected=height, found=receipt.height)
    return receipt


def proved_call(execution: Execution, configuration: FiscoConfiguration, root: Bytes32, *, own_digits: int = 0) -> Call:
    """The transaction of an execution, which stands in a block.

    Args:
        execution: Brings it.
        configuration: Says the line, the suite and the ids.
        root: The block's root of transactions.
        own_digits: As for `read_call`.

    Raises:
        Refused: It is not in its form, can be read as another call, or does not stand there.
    """
    call = read_call(execution, configuration, own_digits=own_digits)
    check_included(execution, configuration, root, call.hash, execution.transaction_path)
    return call


def named_network(execution: Execution) -> tuple[str, str]:
    """The chain and the group that a transaction of line 2 names, as decimal digits.

    Raises:
        TransactionMalformed: It is of before there were groups.
        RlpRefused: It is not canonical RLP.
    """
    items = rlp.decode_list(execution.transaction)
    if len(items) != 13:
        raise TransactionMalformed("A transaction that names its group has 13 items.", expected=13, found=len(items))
    chain, group = (rlp.decode_integer(item) for item in items[7:9])
    return str(chain), str(group)


def check_included(
    execution: Execution,
    configuration: FiscoConfiguration,
    root: Bytes32,
    leaf: bytes,
    path: tuple[tuple[bytes, ...], ...],
) -> None:
    """Checks that a leaf stands at the position of an execution under a root.

    Args:
        execution: Says the position, and on line 3 the count.
        configuration: Says the line and the suite.
        root: The block's root of transactions or of receipts.
        leaf: Hash of the transaction or the receipt.
        path: Its siblings.

    Raises:
        InclusionInvalid: The path is not of the shape that the position asks for.
        InclusionRootMismatch: It leads to another root.
    """
    digest = configuration.hashing.hash
    if configuration.line == 3:
        found = root_of_line_3(digest, leaf, execution.index, execution.count, path)
    elif execution.count:
        raise InclusionInvalid("A proof of line 2 has no count.", expected=0, found=execution.count)
    else:
        found = root_of_line_2(digest, leaf, execution.index, path)
    if found != root:
        raise InclusionRootMismatch("The path leads to another root.", expected=root, found=found)


def check_one_call(hashed: bytes, receiver_at: int, own: range) -> None:
    """Checks that the hashed bytes of a transaction of line 3 hold one receiver only.

    Args:
        hashed: From the nonce to the end.
        receiver_at: Where the 40 digits of the receiver begin.
        own: Where forty digits may begin because the called function asks for a longer number in digits.

    Raises:
        TransactionAmbiguous: Forty hexadecimal digits stand somewhere else.
    """
    for match in _FORTY_DIGITS.finditer(hashed):
        start = match.start()
        if abs(start - receiver_at) > SHIFT_ALLOWED and start not in own:
            raise TransactionAmbiguous(
                "The transaction can be read as a call of another contract; use a nonce that ends in a letter after f and "
                "a payload without 40 hexadecimal digits, or prove a later event of the lane.",
                expected=receiver_at,
                found=start,
            )


def _transaction_2(items: list[RlpItem], encoded: bytes, configuration: FiscoConfiguration) -> Call:
    if len(items) not in (10, 13):
        raise TransactionMalformed("A transaction of line 2 has 10 or 13 items.", expected=13, found=len(items))
    to, data = items[4], items[6]
    if not isinstance(to, bytes) or not isinstance(data, bytes) or len(to) not in (0, 20):
        raise TransactionMalformed("A transaction of line 2 has a receiver of 20 bytes or none, and its input.")
    return Call(to, data, configuration.hashing.hash(encoded))


def _transaction_3(items: list[RlpItem], configuration: FiscoConfiguration, own_digits: int) -> Call:
    match items:
        case [version, block_limit, bytes() as nonce, bytes() as to, bytes() as data, bytes() as tail]:
            matched = _TO.fullmatch(to)
            number = rlp.decode_integer(version, 4)
            if matched is None or number > MAXIMUM_VERSION:
                raise TransactionMalformed(
                    "A call of line 3 names a contract by 40 digits, in a known version.", found=to
                )
            head = number.to_bytes(4, "big") + configuration.chain_id.encode() + configuration.group_id.encode()
            hashed = b"".join((nonce, to, data, tail))
            input_end = len(hashed) - len(tail)
            own = range(input_end - own_digits, input_end - 39 + SHIFT_ALLOWED) if own_digits else range(0)
            check_one_call(hashed, len(nonce) + matched.start(1), own)
            limit = rlp.decode_integer(block_limit, 7).to_bytes(8, "big")
            called = bytes.fromhex(matched[1].decode("ascii"))
            return Call(called, data, configuration.hashing.hash(head + limit + hashed))
        case _:
            raise TransactionMalformed("A transaction of line 3 has a version, a block limit and four strings.")


def _receipt_2(items: list[RlpItem], encoded: bytes, configuration: FiscoConfiguration) -> Receipt:
    match items:
        case [
            bytes(),
            gas,
            bytes() as address,
            bytes() as bloom,
            status,
            bytes() as output,
            *remaining,
            list() as logs,
        ]:
            if len(items) > 8 or len(address) != 20 or len(bloom) != 256:
                raise ReceiptMalformed("A receipt of line 2 has 7 or 8 items of their sizes.", found=len(items))
            for number in (gas, *remaining):
                rlp.decode_integer(number)
            read = tuple(_log(log, 20) for log in logs)
            digest = configuration.hashing.hash(encoded)
            return Receipt(rlp.decode_integer(status, 4), any(address), output, read, None, digest)
        case _:
            raise ReceiptMalformed("A receipt of line 2 has 7 or 8 items.", found=len(items))


def _receipt_3(items: list[RlpItem], _: bytes, configuration: FiscoConfiguration) -> Receipt:
    match items:
        case [
            version,
            bytes() as gas,
            bytes() as made,
            status,
            bytes() as output,
            bytes() as price,
            list() as logs,
            height,
        ]:
            number, code = rlp.decode_integer(version, 4), rlp.decode_integer(status, 4)
            texts = _DIGITS.fullmatch(gas) and (not made or _ADDRESS.fullmatch(made)) and _PRICE.fullmatch(price)
            if not texts or number > MAXIMUM_VERSION or (price and not number):
                raise ReceiptMalformed("A text of the receipt is not in its form, or its version is unknown.")
            read = [_log(log, 40) for log in logs]
            block = rlp.decode_integer(height, 8)
            parts = [number.to_bytes(4, "big"), gas, made, code.to_bytes(4, "big"), output, price]
            for log in read:
                parts += [log.address.hex().encode(), *log.topics, log.data]
            parts.append(block.to_bytes(8, "big"))
            return Receipt(code, bool(made), output, tuple(read), block, configuration.hashing.hash(b"".join(parts)))
        case _:
            raise ReceiptMalformed("A receipt of line 3 has 8 items.", expected=8, found=len(items))


def _log(item: RlpItem, address_size: int) -> Log:
    match item:
        case [bytes() as address, list() as topics, bytes() as data]:
            words = tuple(word for word in topics if isinstance(word, bytes) and len(word) == 32)
            if len(words) == len(topics) <= 4 and len(address) == address_size:
                return Log(_contract(address), words, data)
    raise ReceiptMalformed("A log has the address of its contract, at most four topics of 32 bytes, and data.")


def _contract(address: bytes) -> bytes:
    """20 bytes as they are on line 2, or out of 40 lower-case digits on line 3."""
    if len(address) == 20:
        return address
    if _ADDRESS.fullmatch(address) is None:
        raise ReceiptMalformed("A contract of line 3 is 40 lower-case hexadecimal digits.", found=address)
    return bytes.fromhex(address.decode("ascii"))
