"""Transactions of the in-process ledger: an RLP list of nonce, fee, gas, target and calldata, with a signature.

The form is this ledger's own (no other accepts it); keys, addresses and signatures are those of secp256k1.
"""

from __future__ import annotations

from dataclasses import dataclass

from adapters.protocol import Call, Misconfigured, Rejected, Signed
from light_clients import rlp
from light_clients.crypto.secp256k1 import recover_address, sign
from light_clients.errors import LightClientError
from schemas.primitives import ChainWord
from schemas.suites import keccak256


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction as it was read: its hash, sender (20 bytes), nonce, fee per gas and call."""

    hash: bytes
    sender: bytes
    nonce: int
    fee: int
    call: Call
    raw: bytes


def sign_transaction(word: ChainWord, private_key: bytes, nonce: int, call: Call, fee: int) -> Signed:
    """Sign a transaction for the ledger of that chain word.

    Raises:
        Misconfigured: the key is none.
    """
    body = rlp.encode_list(_fields(nonce, fee, call))
    try:
        signature = sign(private_key, keccak256(word + body))
    except LightClientError as error:
        raise Misconfigured("The private key is no secp256k1 key of 32 bytes; give another.") from error
    raw = rlp.encode_list([*_fields(nonce, fee, call), rlp.encode(signature)])
    return Signed(keccak256(raw), raw, fee)


def read_transaction(word: ChainWord, raw: bytes) -> Transaction:
    """Read a raw transaction and recover its sender.

    Raises:
        Rejected: it is no transaction of this ledger.
    """
    try:
        match rlp.decode_list(raw):
            case [nonce, fee, gas, bytes() as target, bytes() as data, bytes() as signature]:
                call = Call(target, data, rlp.decode_integer(gas))
                body = rlp.encode_list(_fields(rlp.decode_integer(nonce), rlp.decode_integer(fee), call))
                sender = recover_address(keccak256(word + body), signature)
                return Transaction(
                    keccak256(raw), sender, rlp.decode_integer(nonce), rlp.decode_integer(fee), call, raw
                )
    except LightClientError as error:
        raise Rejected(f"It is no transaction of this ledger ({error.name}).") from error
    raise Rejected("It is no transaction of this ledger (six fields are needed).")


def _fields(nonce: int, fee: int, call: Call) -> list[bytes]:
    return [
        *map(rlp.encode_integer, (nonce, fee, call.gas)),
        rlp.encode(call.target),
        rlp.encode(call.data),
    ]
