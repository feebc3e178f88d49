"""Our bytes out of the JSON-RPC answers of nodes, both lines.

Line 2: `getBlockByNumber`, `getBlockHeaderByNumber`, `getTransactionReceiptByHashWithProof` …: numbers in hexadecimal with 0x
(the number of a header may be a JSON integer), keys of sealers without 0x. Line 3: `getBlockByNumber`, `getTransaction`,
`getTransactionReceipt`: numbers are JSON integers, gas used is *decimal* text, addresses have no 0x.

What is rebuilt is hashed and compared with the hash of the answer; nothing else of an answer is believed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from light_clients import rlp
from light_clients.errors import HeaderHashMismatch, HeaderJsonInvalid
from light_clients.fisco.codec import BLOOM_SIZE, encode_bundle, hashed_bytes
from light_clients.fisco.evidence import Execution, integer_bytes
from light_clients.fisco.types import (
    KEY_SIZE,
    FiscoConfiguration,
)
from light_clients.rlp import RlpItem

Json = Mapping[str, Any]

MAXIMUM_TEXT = 2 * 1024 * 1024
"""Characters of a field that are read."""

_HASHES_2 = ("parentHash", "stateRoot", "transactionsRoot", "receiptsRoot", "dbHash")
_HASHES_3 = ("txsRoot", "receiptsRoot", "stateRoot")


def bundle_from_json(block: Json, configuration: FiscoConfiguration, steps: Sequence[Execution] = ()) -> bytes:
    """Rebuilds a header and its signatures out of a block or header.

    Args:
        block: The answer.
        configuration: Says the line and the suite.
        steps: Proofs of the calls that changed the sealers, to go with it.

    Returns:
        The bundle of `codec`; without signatures where the answer has none.

    Raises:
        HeaderJsonInvalid: A field is missing or not in its form.
        HeaderHashMismatch: The rebuilt header has another hash than the answer says.
        HeaderRefused: The rebuilt header cannot be.
    """
    items = _header_2(block) if configuration.line == 2 else _header_3(block)
    found, expected = configuration.hashing.hash(hashed_bytes(items, configuration)), _data(block, "hash", 32)
    if found != expected:
        raise HeaderHashMismatch("The block does not have the hash that it says.", expected=expected, found=found)
    index_name = "index" if configuration.line == 2 else "sealerIndex"
    listed = block.get("signatureList")
    seals = [
        (_number(seal, index_name), _data(seal, "signature", None))
        for seal in ([] if listed is None else _objects(listed, "signatureList"))
    ]
    return encode_bundle(items, seals, steps)


def path_2_from_json(proof: Any, index: int) -> tuple[tuple[bytes, ...], ...]:
    """The path of a line-2 proof, `txProof` or `receiptProof`.

    Args:
        proof: A list of {left, right}, the last one empty.
        index: Position of the transaction in its block.

    Raises:
        HeaderJsonInvalid: It is not of that form, or the nodes on the left are not as many as the position asks for.
    """
    path, place = [], index
    for unit in _objects(proof, "proof"):
        left, right = (tuple(_hex(node, "proof", None) for node in _sequence(unit, side)) for side in ("left", "right"))
        path.append((left, right))
    if not path or path.pop() != ((), ()):
        raise HeaderJsonInvalid("A proof of line 2 ends with an empty level.")
    for left, _ in path:
        place, position = divmod(place, 16)
        if len(left) != position:
            raise HeaderJsonInvalid(
                "A level of the proof does not fit the position.", expected=position, found=len(left)
            )
    return tuple((*left, *right) for left, right in path)


def path_3_from_json(proof: Any, index: int) -> tuple[tuple[bytes, ...], ...]:
    """The path of a line-3 proof, `txProof`, `txReceiptProof` or `receiptProof`.

    Args:
        proof: A flat list: for each level the number of its nodes in 4 bytes and the nodes, the own one among them; of a
            block with one transaction the root alone.
        index: Position of the transaction in its block, which the proof does not say.

    Raises:
        HeaderJsonInvalid: It is not of that form, or a level has no node at the position.
    """
    if not isinstance(proof, list) or not proof:
        raise HeaderJsonInvalid("A proof of line 3 is a list of nodes.")
    items = [_hex(node, "proof", None) for node in proof]
    path: list[tuple[bytes, ...]] = []
    place = 0 if len(items) > 1 else 1
    while place < len(items):
        count = int.from_bytes(items[place], "big")
        group = items[place + 1 : place + 1 + count]
        own = index % 2
        if len(items[place]) != 4 or not own < count <= 2 or len(group) != count:
            raise HeaderJsonInvalid("A level of the proof has a wrong number of nodes.", found=count)
        path.append(tuple(group[:own] + group[own + 1 :]))
        place, index = place + 1 + count, index // 2
    return tuple(path)


def receipt_from_json(receipt: Json, configuration: FiscoConfiguration) -> bytes:
    """Rebuilds the bytes of a receipt as `Execution` has them.

    Args:
        receipt: The answer.
        configuration: Says the line.

    Raises:
        HeaderJsonInvalid: A field is missing or not in its form.
    """
    name = "logs" if configuration.line == 2 else "logEntries"
    logs = [_log(log, configuration.line) for log in _objects(receipt.get(name), name)]
    if configuration.line == 2:
        items: list[RlpItem] = [
            _data(receipt, "root", 32),
            _integer(receipt, "gasUsed"),
            _data(receipt, "contractAddress", 20),
            _data(receipt, "logsBloom", BLOOM_SIZE),
            _integer(receipt, "status"),
            _data(receipt, "output", None),
        ]
        if "remainGas" in receipt:
            items.append(_integer(receipt, "remainGas"))
        return rlp.encode([*items, logs])
    return rlp.encode(
        [
            _integer(receipt, "version"),
            _text(receipt, "gasUsed"),
            _bare(_text(receipt, "contractAddress")),
            _integer(receipt, "status"),
            _data(receipt, "output", None),
            _text(receipt, "effectiveGasPrice") if "effectiveGasPrice" in receipt else b"",
            logs,
            _integer(receipt, "blockNumber"),
        ]
    )


def call_3_from_json(transaction: Json) -> bytes:
    """Rebuilds the bytes of a line-3 transaction as `Execution` has them; versions 0 and 1.

    Args:
        transaction: The answer of `getTransaction`, or one of a block with whole transactions.

    Raises:
        HeaderJsonInvalid: A field is missing or not in its form.
    """
    version = _number(transaction, "version")
    if version > 1:
        raise HeaderJsonInvalid(
            "The JSON of a transaction above version 1 does not hold all that is hashed.", found=version
        )
    tail = _text(transaction, "abi") if "abi" in transaction else b""
    if version:
        gas_limit = _number(transaction, "gasLimit").to_bytes(8, "big")
        value, price = _text(transaction, "value"), _text(transaction, "gasPrice")
        fees = (_text(transaction, "maxFeePerGas"), _text(transaction, "maxPriorityFeePerGas"))
        tail = b"".join((tail, value, price, gas_limit, *fees))
    return rlp.encode(
        [
            integer_bytes(version),
            _integer(transaction, "blockLimit"),
            _text(transaction, "nonce"),
            _text(transaction, "to"),
            _data(transaction, "input", None),
            tail,
        ]
    )


def _header_2(block: Json) -> list[RlpItem]:
    extra: list[RlpItem] = [_hex(item, "extraData", None) for item in _sequence(block, "extraData")]
    sealers: list[RlpItem] = [_hex(key, "sealerList", KEY_SIZE) for key in _sequence(block, "sealerList")]
    return [
        *(_data(block, name, 32) for name in _HASHES_2),
        _data(block, "logsBloom", BLOOM_SIZE),
        *(_integer(block, name) for name in ("number", "gasLimit", "gasUsed", "timestamp")),
        extra,
        _integer(block, "sealer"),
        sealers,
    ]


def _header_3(block: Json) -> list[RlpItem]:
    parents: list[RlpItem] = [
        [_integer(parent, "blockNumber"), _data(parent, "blockHash", 32)]
        for parent in _objects(block.get("parentInfo"), "parentInfo")
    ]
    sealers: list[RlpItem] = [_hex(key, "sealerList", KEY_SIZE) for key in _sequence(block, "sealerList")]
    weights = _sequence(block, "consensusWeights")
    return [
        _integer(block, "version"),
        parents,
        *(_data(block, name, 32) for name in _HASHES_3),
        _integer(block, "number"),
        _text(block, "gasUsed"),
        _integer(block, "timestamp"),
        _integer(block, "sealer"),
        sealers,
        _data(block, "extraData", None),
        [_integer({"weight": weight}, "weight") for weight in weights],
    ]


def _log(log: Json, line: int) -> RlpItem:
    address = _data(log, "address", 20) if line == 2 else _bare(_text(log, "address"))
    topics: list[RlpItem] = [_hex(topic, "topics", 32) for topic in _sequence(log, "topics")]
    return [address, topics, _data(log, "data", None)]


def _sequence(block: Json, name: str) -> list[Any]:
    items = block.get(name)
    if not isinstance(items, list):
        raise HeaderJsonInvalid(f"The field {name} is a list.")
    return items


def _objects(items: Any, name: str) -> list[Json]:
    if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        raise HeaderJsonInvalid(f"The field {name} is a list of objects.")
    return items


def _hex(value: Any, name: str, size: int | None) -> bytes:
    digits = value.removeprefix("0x") if isinstance(value, str) else "?"
    if len(digits) % 2 or len(digits) > MAXIMUM_TEXT or any(digit not in "0123456789abcdefABCDEF" for digit in digits):
        raise HeaderJsonInvalid(f"The field {name} is hexadecimal.", found=digits[:80])
    if size is not None and len(digits) != 2 * size:
        raise HeaderJsonInvalid(f"The field {name} has a wrong size.", expected=size, found=len(digits) // 2)
    return bytes.fromhex(digits)


def _data(block: Json, name: str, size: int | None) -> bytes:
    return _hex(block.get(name), name, size)


def _number(block: Json, name: str) -> int:
    value = block.get(name)
    if isinstance(value, str) and value.startswith("0x") and 2 < len(value) <= 66:
        if all(digit in "0123456789abcdefABCDEF" for digit in value[2:]):
            return int(value, 16)
    elif type(value) is int and 0 <= value < 2**64:
        return value
    raise HeaderJsonInvalid(f"The field {name} is a number: a JSON integer, or hexadecimal with 0x.")


def _integer(block: Json, name: str) -> bytes:
    return integer_bytes(_number(block, name))


def _text(block: Json, name: str) -> bytes:
    value = block.get(name)
    if not isinstance(value, str) or not value.isascii() or len(value) > MAXIMUM_TEXT:
        raise HeaderJsonInvalid(f"The field {name} is a text of ASCII.")
    return value.encode()


def _bare(text: bytes) -> bytes:
    return text.removeprefix(b"0x").lower()
