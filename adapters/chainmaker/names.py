"""Names and addresses on ChainMaker: what is called by name has an address inside the machine all the same.

A contract has the address keccak(keccak(name))[12:], a member keccak(X ‖ Y)[12:] of its public key (`addr_type` 2). Both were
compared with blocks of a live chain of version 2.3.2.
"""

from __future__ import annotations

import re
import secrets

from schemas.primitives import ChainId
from schemas.suites import keccak256

NAMESPACE = "cmaker"
"""Before the colon of the CAIP-2 name."""

ADDRESS_BYTES = 20

_NAME = re.compile(rb"[A-Za-z][A-Za-z0-9_]{0,127}")
_LIKE_ADDRESS = re.compile(rb"[0-9a-fA-F]{40}")


def chain_name(chain: str) -> ChainId:
    """The CAIP-2 name of a chain; a name that CAIP-2 forbids is hashed."""
    return ChainId.of(NAMESPACE, chain)


def is_contract_name(name: bytes) -> bool:
    """Whether bytes are the name of a contract, and not an address of 20 bytes or something else."""
    return _NAME.fullmatch(name) is not None and _LIKE_ADDRESS.fullmatch(name) is None


def contract_address(name: bytes) -> bytes:
    """The address of a contract inside the machine, 20 bytes."""
    return keccak256(keccak256(name))[12:]


def account_address(public_key: bytes) -> bytes:
    """The account of a member.

    Args:
        public_key: X ‖ Y, 64 bytes, of either curve.
    """
    return keccak256(public_key)[12:]


def new_contract_name(program: str) -> bytes:
    """A fresh name for a program, such as ``relayhub_gateway_1a2b3c4d5e``.

    Its address does not begin with a zero byte (the machine drops it, and contracts could not call this one), and the name has
    not the 20 bytes of an address.
    """
    stem = re.sub(r"[^a-z0-9]+", "_", program.lower()).strip("_")[:64] or "program"
    while True:
        name = f"relayhub_{stem}_{secrets.token_hex(5)}".encode()
        if contract_address(name)[0] and len(name) != ADDRESS_BYTES:
            return name


def called_name(target: bytes) -> str:
    """What stands as `contract_name` in a call: a name, or an address in hexadecimal, under which the chain knows contracts too."""
    return target.decode() if is_contract_name(target) else target.hex()
