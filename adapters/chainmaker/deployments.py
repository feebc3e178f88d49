"""Deployments: the parameters of CONTRACT_MANAGE / INIT_CONTRACT, and what the chain says of a contract.

Creation code is given to a chain in two parts, the compiled code and the constructor's arguments (`data`, in hexadecimal). Where
they part is known of our own contracts; other code goes as a whole, which the machine runs the same way.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache

from adapters.chainmaker.names import ADDRESS_BYTES, contract_address, is_contract_name
from adapters.protocol import BadAnswer, Installed, Misconfigured, Rejected
from adapters.solidity.contracts import ARTIFACTS, contract

CONTRACT_MANAGE, INIT_CONTRACT, GET_CONTRACT_INFO = "CONTRACT_MANAGE", "INIT_CONTRACT", "GET_CONTRACT_INFO"
RUNTIME = b"EVM"
_PIN_DOMAIN = b"relayhub/pin/chainmaker\x00"


@dataclass(frozen=True)
class ContractInfo:
    """What a chain says of a contract: name, version, and whether it may be called."""

    name: str
    version: str
    in_use: bool


def deployment_parameters(name: bytes, creation: bytes, version: str) -> dict[str, bytes]:
    """The parameters of a deployment.

    Raises:
        Misconfigured: the name cannot be one, or its address begins with a zero byte.
    """
    if not is_contract_name(name) or len(name) == ADDRESS_BYTES:
        raise Misconfigured(
            f"{name!r} is no name for a contract; use letters, digits and _, not 40 hexadecimal digits, not 20 characters."
        )
    if not contract_address(name)[0]:
        raise Misconfigured(
            f"The address of {name.decode()} begins with a zero byte, which contracts cannot call; rename it."
        )
    code, arguments = split_creation(creation)
    parameters = {
        "CONTRACT_NAME": name,
        "CONTRACT_VERSION": version.encode(),
        "CONTRACT_RUNTIME_TYPE": RUNTIME,
        "CONTRACT_BYTECODE": code,
    }
    return {**parameters, "data": arguments.hex().encode()} if arguments else parameters


def split_creation(creation: bytes) -> tuple[bytes, bytes]:
    """Compiled code and constructor arguments of one of our contracts; of other code all, and nothing."""
    for code in _known_creations():
        if creation.startswith(code):
            return code, creation[len(code) :]
    return creation, b""


def read_contract_info(data: bytes, label: str) -> ContractInfo:
    """Read the answer to GET_CONTRACT_INFO: JSON.

    Raises:
        BadAnswer: it is none.
    """
    try:
        told = json.loads(data)
    except ValueError as error:
        raise BadAnswer(f"{label} says of a contract what is no JSON; leave it.", endpoint=label) from error
    match told:
        case {"name": str(name), "version": str(version)} if name and version:
            return ContractInfo(name, version, told.get("status", 0) in (0, "NORMAL"))
    raise BadAnswer(f"{label} does not say a contract's name and version; leave it.", endpoint=label)


def installed_of(info: ContractInfo, address: bytes, *, write_set_only: bool, label: str) -> Installed:
    """What stands under a name or an address.

    Raises:
        BadAnswer: the chain told of another contract.
        Rejected: the contract is frozen or revoked.
    """
    name = info.name.encode()
    if address not in (name, contract_address(name)):
        raise BadAnswer(
            f"{label} told of the contract {info.name!r} and not of the one asked for; leave it.", endpoint=label
        )
    if not info.in_use:
        raise Rejected(f"The contract {info.name} is frozen or revoked; ask the consortium.", endpoint=label)
    code_hash = hashlib.sha256(_PIN_DOMAIN + name + b"\x00" + info.version.encode()).digest()
    return Installed(b"", code_hash, {"name": info.name, "version": info.version, "write_set_only": write_set_only})


@lru_cache(maxsize=1)
def _known_creations() -> tuple[bytes, ...]:
    names = sorted(path.stem for path in ARTIFACTS.glob("*.json"))
    creations = {contract(name).creation for name in names}
    return tuple(sorted((code for code in creations if code), key=len, reverse=True))
