"""What a light client is told of a gateway, out of what lanes pin: its native bytes, a hash, and what a hash alone does not say.

A lane pins 32 bytes of the peer's code. On an Ethereum machine that is the hash of the code. Where a consortium can replace code
under one name, it is the hash of what names the code: a contract's version on ChainMaker, a committed definition on Fabric. The
statement beside it says those words in clear, and has to hash to the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from light_clients.chainmaker.types import ChainMakerPin
from light_clients.cometbft.types import EvmStorePin
from light_clients.errors import ConfigurationInvalid
from light_clients.fabric.types import FabricPin
from light_clients.fisco.evidence import FiscoPin
from light_clients.proofs.gateway import GatewayPin
from schemas.primitives import Bytes32

CHAINMAKER_TAG = b"relayhub/pin/chainmaker\0"
FABRIC_TAG = b"relayhub/pin/fabric\0"

Pin = GatewayPin | EvmStorePin | ChainMakerPin | FiscoPin | FabricPin
"""What one of the families takes."""


def chainmaker_hash(name: str, version: str) -> Bytes32:
    """What lanes pin of a ChainMaker contract: SHA-256(tag ‖ name ‖ 0x00 ‖ version)."""
    return Bytes32(hashlib.sha256(CHAINMAKER_TAG + name.encode() + b"\0" + version.encode()).digest())


def fabric_hash(chaincode: str, version: str, height: int, transaction: int) -> Bytes32:
    """What lanes pin of a chaincode's definition.

    SHA-256(tag ‖ chaincode ‖ 0x00 ‖ version ‖ 0x00 ‖ height ‖ transaction), the place of the transaction that committed the
    definition as two numbers of 8 bytes.

    Raises:
        ConfigurationInvalid: The place cannot be.
    """
    if not (0 <= height < 1 << 64 and 0 <= transaction < 1 << 64):
        raise ConfigurationInvalid("A definition stands at a block and a place in it.", found=height)
    place = height.to_bytes(8, "big") + transaction.to_bytes(8, "big")
    return Bytes32(hashlib.sha256(FABRIC_TAG + chaincode.encode() + b"\0" + version.encode() + b"\0" + place).digest())


def pin_of(family: str, gateway: bytes, code_hash: Bytes32, statement: Mapping[str, Any]) -> Pin:
    """The pin that a family's `verify_claim` takes.

    Args:
        family: The light client's name.
        gateway: Native bytes of the gateway.
        code_hash: What lanes pin.
        statement: What the hash stands for, by name: `version` and `write_set_only` on ChainMaker; `version`,
            `definition_height`, `definition_transaction`, `endorsement_policy` (hexadecimal), `organisations` and `threshold` on
            Fabric; `store` on CometBFT; nothing elsewhere.

    Raises:
        ConfigurationInvalid: The statement is not of its form, or hashes to something else than is pinned.
    """
    read = _READERS.get(family, _gateway_pin)
    try:
        return read(gateway, code_hash, dict(statement))
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigurationInvalid(
            f"What is stated of the gateway is not of {family}'s form ({error}); give its pin anew."
        ) from error


def _gateway_pin(gateway: bytes, code_hash: Bytes32, statement: dict[str, Any]) -> GatewayPin:
    _nothing_else(statement)
    return GatewayPin(gateway, code_hash)


def _store_pin(gateway: bytes, code_hash: Bytes32, statement: dict[str, Any]) -> EvmStorePin:
    store = str(statement.pop("store", "evm"))
    _nothing_else(statement)
    return EvmStorePin(gateway, code_hash, store.encode())


def _fisco_pin(gateway: bytes, code_hash: Bytes32, statement: dict[str, Any]) -> FiscoPin:
    del code_hash  # no proof shows code there: that this address runs it is the officers' statement
    _nothing_else(statement)
    return FiscoPin(gateway)


def _chainmaker_pin(gateway: bytes, code_hash: Bytes32, statement: dict[str, Any]) -> ChainMakerPin:
    name, version = _named(gateway, statement, "name"), statement.pop("version")
    write_set_only = statement.pop("write_set_only", False)
    _nothing_else(statement)
    if type(version) is not str or type(write_set_only) is not bool:
        raise TypeError("the version is a text, write_set_only true or false")
    _same(chainmaker_hash(name, version), code_hash)
    return ChainMakerPin(name, version, write_set_only)


def _fabric_pin(gateway: bytes, code_hash: Bytes32, statement: dict[str, Any]) -> FabricPin:
    chaincode, version = _named(gateway, statement, "chaincode"), statement.pop("version")
    height, transaction = statement.pop("definition_height"), statement.pop("definition_transaction")
    policy = bytes.fromhex(statement.pop("endorsement_policy").removeprefix("0x"))
    organisations = tuple(statement.pop("organisations"))
    threshold = statement.pop("threshold")
    _nothing_else(statement)
    numbers = type(height) is int and type(transaction) is int and type(threshold) is int
    if not numbers or any(type(item) is not str for item in (version, *organisations)):
        raise TypeError("the place and the threshold are numbers, version and organisations are texts")
    _same(fabric_hash(chaincode, version, height, transaction), code_hash)
    return FabricPin(chaincode, version, height, transaction, policy, organisations, threshold)


def _named(gateway: bytes, statement: dict[str, Any], field: str) -> str:
    """The gateway's name; a statement may repeat it."""
    name = gateway.decode()
    if statement.pop(field, name) != name:
        raise ValueError(f"{field} is another one than the gateway's, {name}")
    return name


def _nothing_else(statement: Mapping[str, Any]) -> None:
    if statement:
        raise ValueError(f"{', '.join(sorted(statement))} says nothing here")


def _same(found: Bytes32, pinned: Bytes32) -> None:
    if found != pinned:
        raise ConfigurationInvalid(
            "What is stated of the gateway is not what is pinned; read the gateway's definition again.",
            expected=pinned,
            found=found,
        )


_READERS: Mapping[str, Callable[[bytes, Bytes32, dict[str, Any]], Pin]] = {
    "cometbft": _store_pin,
    "chainmaker": _chainmaker_pin,
    "fisco": _fisco_pin,
    "fabric": _fabric_pin,
}
