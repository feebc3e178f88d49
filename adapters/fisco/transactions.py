"""Transactions of both lines, signed.

Line 2 (FISCO BCOS 2.9.1, `libprotocol/Transaction`): RLP of [nonce, gas price, gas, block limit, to, value, data, chain id, group
id, extra data] and of the signature: [v (27 or 28), r, s] with secp256k1, [public key, r, s] with SM2. What is signed is the hash of
the ten; the transaction's hash is that of all thirteen.

Line 3 (FISCO BCOS 3.x, `bcos-tars-protocol/tars/Transaction.tars`): a Tars structure {1: data, 2: hash, 3: signature}, data =
{1: version 0, 2: chain id, 3: group id, 4: block limit, 5: nonce, 6: to, 7: input}. The hash, which is also what is signed, is of
the fields one behind the other without lengths.

There are no account nonces: a nonce is any number (line 2) or text (line 3) that was not used within the block limit. Ours is a
hash of everything that is asked for, so that the same request within one validity window is the same transaction. On line 3 it ends
in `z`, so that the hashed bytes can be read in one way only (docs/light-clients/fisco.md).
"""

from __future__ import annotations

from dataclasses import dataclass

from adapters.fisco.accounts import address_of, sign
from adapters.fisco.tars import TarsRefused, Value, decode, encode
from adapters.protocol import Call, Misconfigured, Signed
from light_clients import rlp
from light_clients.errors import LightClientError
from schemas.suites import SUITES

GAS_PRICE = 1
"""What line 2 writes into a transaction; nobody is paid."""
_NONCE_TAG = b"relayhub/fisco/nonce\0"


@dataclass(frozen=True, slots=True)
class Network:
    """What every transaction names: the line (2 or 3), the suite, the chain (line 2: a number) and the group."""

    line: int
    suite: str
    chain: str
    group: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """A transaction that was read: its hash, what is signed, the signature, and its fields.

    Attributes:
        hash: 32 bytes.
        digest: what is signed, 32 bytes.
        signature: as `adapters.fisco.accounts.sign` gives it.
        chain: the chain id as text.
        group: the group id as text.
        block_limit: the last block that may hold it.
        nonce: what makes it unique, as bytes.
        to: the contract, 20 bytes, or empty for a deployment.
        data: calldata or creation code.
        gas: the limit that it names, 0 on line 3.
        fields: line 3: what is hashed, by tag; empty on line 2.
    """

    hash: bytes
    digest: bytes
    signature: bytes
    chain: str
    group: str
    block_limit: int
    nonce: bytes
    to: bytes
    data: bytes
    gas: int
    fields: dict[int, str]


def sign_call(network: Network, private_key: bytes, *, nonce: int, call: Call, fee: int, block_limit: int) -> Signed:
    """Sign a call or a deployment.

    Args:
        network: what every transaction names.
        private_key: 32 bytes of the suite's curve.
        nonce: any number that makes it unique.
        call: target (20 bytes, or empty), calldata and gas.
        fee: kept in the answer; nobody is paid.
        block_limit: the last block that may hold it.

    Raises:
        Misconfigured: the key or the target is none.
    """
    if len(call.target) not in (0, 20):
        raise Misconfigured(f"The target has {len(call.target)} bytes; an address has 20, a deployment none.")
    asked = [
        address_of(private_key, network.suite),
        *(rlp.encode_integer(number) for number in (nonce, fee, block_limit, call.gas)),
        call.target,
        call.data,
        network.chain.encode(),
        network.group.encode(),
    ]
    unique = SUITES[network.suite].hash(_NONCE_TAG + rlp.encode([*asked]))
    write = _write_2 if network.line == 2 else _write_3
    transaction, raw = write(network, private_key, unique, call, block_limit)
    return Signed(transaction, raw, fee)


def parse(raw: bytes, network: Network) -> Parsed:
    """Read a signed transaction.

    Args:
        raw: as it is sent.
        network: the line and the suite.

    Raises:
        ValueError: it is none of this line.
    """
    try:
        return _parse_2(raw, network) if network.line == 2 else _parse_3(raw, network)
    except (LightClientError, TarsRefused) as error:
        raise ValueError(str(error)) from error


def hashed_3(fields: dict[int, str], block_limit: int, to: str, data: bytes) -> bytes:
    """What is hashed of a line-3 transaction of version 0.

    Args:
        fields: by their tags: 2 chain id, 3 group id, 5 nonce, 8 interface.
        block_limit: the last block that may hold it.
        to: the receiver as it is written.
        data: calldata or creation code.
    """
    head = bytes(4) + (fields[2] + fields[3]).encode() + block_limit.to_bytes(8, "big")
    return head + (fields[5] + to).encode() + data + fields.get(8, "").encode()


def _write_2(network: Network, private_key: bytes, unique: bytes, call: Call, block_limit: int) -> tuple[bytes, bytes]:
    hash_bytes = SUITES[network.suite].hash
    integers = (int.from_bytes(unique[:31], "big") | 1, GAS_PRICE, call.gas, block_limit)
    items = [
        *map(rlp.encode_integer, integers),
        rlp.encode(call.target),
        rlp.encode_integer(0),
        rlp.encode(call.data),
        rlp.encode_integer(int(network.chain)),
        rlp.encode_integer(int(network.group)),
        rlp.encode(b""),
    ]
    signature = sign(private_key, hash_bytes(rlp.encode_list(items)), network.suite)
    first = rlp.encode(signature[64:]) if network.suite == "sm" else rlp.encode_integer(27 + signature[64])
    scalars = [rlp.encode_integer(int.from_bytes(part, "big")) for part in (signature[:32], signature[32:64])]
    raw = rlp.encode_list([*items, first, *scalars])
    return hash_bytes(raw), raw


def _write_3(network: Network, private_key: bytes, unique: bytes, call: Call, block_limit: int) -> tuple[bytes, bytes]:
    nonce = unique[:16].hex() + "z"
    to = "0x" + call.target.hex() if call.target else ""
    names = {2: network.chain, 3: network.group, 5: nonce}
    digest = SUITES[network.suite].hash(hashed_3(names, block_limit, to, call.data))
    data: dict[int, Value] = {1: 0, 2: network.chain, 3: network.group, 4: block_limit, 5: nonce, 6: to, 7: call.data}
    raw = encode({1: data, 2: digest, 3: sign(private_key, digest, network.suite)})
    return digest, raw


def _parse_2(raw: bytes, network: Network) -> Parsed:
    items = rlp.decode_list(raw)
    if len(items) != 13:
        raise ValueError(f"a transaction of line 2 has 13 items, not {len(items)}")
    to, data, extra, first = items[4], items[6], items[9], items[10]
    if not all(isinstance(item, bytes) for item in (to, data, extra, first)):
        raise ValueError("a text of the transaction is a list")
    assert isinstance(to, bytes) and isinstance(data, bytes) and isinstance(first, bytes)  # noqa: PT018 - told to mypy
    nonce, price, gas, limit, value, chain, group, r, s = (
        rlp.decode_integer(items[place]) for place in (0, 1, 2, 3, 5, 7, 8, 11, 12)
    )
    del price, value
    if len(to) not in (0, 20):
        raise ValueError("the receiver is no address")
    scalars = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    if network.suite == "sm":
        signature = scalars + first
    else:
        v = rlp.decode_integer(first)
        signature = scalars + bytes((v - 27,)) if v in (27, 28) else b""
    hash_bytes = SUITES[network.suite].hash
    digest = hash_bytes(rlp.encode(items[:10]))
    unique = nonce.to_bytes(32, "big")
    return Parsed(hash_bytes(raw), digest, signature, str(chain), str(group), limit, unique, to, data, gas, {})


def _parse_3(raw: bytes, network: Network) -> Parsed:
    match decode(raw):
        case {1: dict() as fields, 3: bytes() as signature}:
            pass
        case _:
            raise ValueError("a transaction of line 3 has its data and a signature")
    version, limit, data = fields.get(1, 0), fields.get(4, 0), fields.get(7, b"")
    texts = {tag: fields.get(tag, "") for tag in (2, 3, 5, 6, 8)}
    if version != 0 or not isinstance(limit, int) or limit < 0 or not isinstance(data, bytes):
        raise ValueError("the transaction is of another version than 0, or a field is of another kind")
    names = {tag: text for tag, text in texts.items() if isinstance(text, str)}
    if len(names) != len(texts):
        raise ValueError("a text of the transaction is of another kind")
    try:
        to = bytes.fromhex(names[6].removeprefix("0x"))
    except ValueError as error:
        raise ValueError("the receiver is no address") from error
    if len(to) not in (0, 20):
        raise ValueError("the receiver is no address")
    digest = SUITES[network.suite].hash(hashed_3(names, limit, names[6], data))
    nonce = names[5].encode()
    return Parsed(digest, digest, signature, names[2], names[3], limit, nonce, to, data, 0, names)
