"""Transactions signed by hand: legacy with a chain id (EIP-155), and type 2 with a base fee (EIP-1559, EIP-2718).

By hand because a general library takes several times as long, and the hub signs each batch of each lane.
"""

from __future__ import annotations

from adapters.protocol import Call, Misconfigured, Signed
from light_clients.crypto.secp256k1 import address_of, sign_seal
from light_clients.errors import LightClientError
from light_clients.rlp import encode, encode_integer, encode_list
from schemas.suites import keccak256

_EMPTY_LIST = b"\xc0"


def sign_legacy(private_key: bytes, *, chain_id: int, nonce: int, call: Call, gas_price: int, value: int = 0) -> Signed:
    """Sign a transaction with one gas price (EIP-155).

    Args:
        private_key: 32 bytes.
        chain_id: the number in `eip155:…`.
        nonce: the account's next number.
        call: target (20 bytes, or empty for a deployment), calldata and gas.
        gas_price: base units per gas; 0 is allowed.
        value: base units that go to the target.

    Raises:
        Misconfigured: the key or the target is none.
    """
    fields = [
        encode_integer(nonce),
        encode_integer(gas_price),
        encode_integer(call.gas),
        encode(_target(call)),
        encode_integer(value),
        encode(call.data),
    ]
    digest = keccak256(encode_list([*fields, encode_integer(chain_id), b"\x80", b"\x80"]))
    signature = _signature(private_key, digest)
    raw = encode_list([*fields, encode_integer(signature[64] + 35 + 2 * chain_id), *_scalars(signature)])
    return Signed(keccak256(raw), raw, gas_price)


def sign_with_base_fee(
    private_key: bytes, *, chain_id: int, nonce: int, call: Call, fee: int, priority_fee: int
) -> Signed:
    """Sign a transaction of type 2 (EIP-1559) with an empty access list.

    Args:
        private_key: 32 bytes.
        chain_id: the number in `eip155:…`.
        nonce: the account's next number.
        call: target (20 bytes, or empty for a deployment), calldata and gas.
        fee: the most that is paid per gas, base units.
        priority_fee: the part of it offered to the block's producer, not above `fee`.

    Raises:
        Misconfigured: the key or the target is none.
    """
    fields = [
        encode_integer(chain_id),
        encode_integer(nonce),
        encode_integer(min(priority_fee, fee)),
        encode_integer(fee),
        encode_integer(call.gas),
        encode(_target(call)),
        encode_integer(0),
        encode(call.data),
        _EMPTY_LIST,
    ]
    signature = _signature(private_key, keccak256(b"\x02" + encode_list(fields)))
    raw = b"\x02" + encode_list([*fields, encode_integer(signature[64]), *_scalars(signature)])
    return Signed(keccak256(raw), raw, fee)


def address_of_key(private_key: bytes) -> bytes:
    """Return the 20-byte address of a private key.

    Raises:
        Misconfigured: the key is none.
    """
    try:
        return address_of(private_key)
    except LightClientError as error:
        raise Misconfigured("The private key is no secp256k1 key of 32 bytes; give another.") from error


def _signature(private_key: bytes, digest: bytes) -> bytes:
    try:
        return sign_seal(private_key, digest)
    except LightClientError as error:
        raise Misconfigured("The private key is no secp256k1 key of 32 bytes; give another.") from error


def _scalars(signature: bytes) -> tuple[bytes, bytes]:
    return (
        encode_integer(int.from_bytes(signature[:32], "big")),
        encode_integer(int.from_bytes(signature[32:64], "big")),
    )


def _target(call: Call) -> bytes:
    if len(call.target) not in (0, 20):
        raise Misconfigured(f"The target has {len(call.target)} bytes; an address has 20, a deployment none.")
    return call.target
