"""An operator's keys and the accounts under which committees know it.

An operator is named by its secp256k1 account, in what it posts and in the hub's tables. Where a ledger's committee checks SM2, it
signs with a second key, of SM2, and the committee knows it by the account that the ledger's own hash makes of that key: the last 20
bytes of Keccak-256 (ChainMaker) or of SM3 (FISCO BCOS with national cryptography) of X and Y. So the scheme follows from the account.

Source: adapters/solidity/README.md (Machines).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from sqlalchemy import Row

from adapters.protocol import MachineTraits
from light_clients.crypto import sm2
from light_clients.crypto.secp256k1 import recover_address
from light_clients.errors import SignatureInvalid, SignatureLength
from schemas.primitives import Digest, bytes_from_hex
from schemas.suites import keccak256, sm3

SECP256K1, SM2 = "secp256k1", "sm2"


def scheme_of(traits: MachineTraits) -> str:
    """The signature scheme of committees on a ledger."""
    return SM2 if traits.signatures in ("chainmaker-sm2", "fisco-sm2") else SECP256K1


def account_on(operator: Row[Any], traits: MachineTraits) -> bytes:
    """The account under which a ledger's committee knows an operator, 20 bytes; empty where the key for it is not known."""
    if scheme_of(traits) == SECP256K1:
        return bytes(operator.signer)
    return traits.own_hash(bytes(operator.sm2_key))[12:] if operator.sm2_key else b""


def accounts_of(operator: Row[Any]) -> dict[bytes, str]:
    """Every account under which a committee may know an operator, with the scheme of its signatures there."""
    found = {bytes(operator.signer): SECP256K1}
    if operator.sm2_key:
        found |= dict.fromkeys(_sm2_accounts(bytes(operator.sm2_key)), SM2)
    return found


def by_account(operators: Iterable[Row[Any]]) -> dict[bytes, Row[Any]]:
    """Operators by every account under which a committee may know them."""
    return {account: row for row in operators for account in accounts_of(row)}


def seats(committee: Row[Any]) -> list[bytes]:
    """The accounts that sit in a committee, in the order of the bitmap."""
    return [bytes_from_hex(text) for text in committee.signers]


def scheme_in(committee: Row[Any], operator: Row[Any]) -> str:
    """The scheme with which an operator signs for a committee; empty where it does not sit there."""
    sitting = set(seats(committee))
    return next((scheme for account, scheme in accounts_of(operator).items() if account in sitting), "")


def signed_by(operator: Row[Any], scheme: str, digest: Digest, signature: bytes) -> bool:
    """Whether an operator signed a digest.

    Args:
        operator: its row.
        scheme: `secp256k1` (65 bytes: r, s, v) or `sm2` (64 bytes: r, s, over the digest as the message).
        digest: 32 bytes.
        signature: as posted.

    Raises:
        SignatureRefused: the signature is of another form than the scheme's, or none at all.
    """
    if scheme == SECP256K1:
        return recover_address(digest, signature) == bytes(operator.signer)
    if len(signature) != sm2.SIGNATURE_SIZE:
        raise SignatureLength("An SM2 signature has 64 bytes.", expected=sm2.SIGNATURE_SIZE, found=len(signature))
    if not operator.sm2_key:
        raise SignatureInvalid("No SM2 key of this operator is known.")
    return sm2.verify(bytes(operator.sm2_key), bytes(digest), signature)


@lru_cache(maxsize=1024)
def _sm2_accounts(key: bytes) -> tuple[bytes, bytes]:
    return keccak256(key)[12:], sm3(key)[12:]
