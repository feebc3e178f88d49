"""Calldata and answers of the hub's contracts by function name, from their compiled artifacts (not on the hot path)."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files
from typing import Any

from schemas.suites import keccak256


@lru_cache
def artifact(contract: str) -> dict[str, Any]:
    """The compiled contract: `abi` and `bytecode`."""
    content = (files("adapters.solidity") / "artifacts" / f"{contract}.json").read_bytes()
    loaded: dict[str, Any] = json.loads(content)
    return loaded


def deployment(contract: str, *arguments: Any) -> bytes:
    """Bytecode and constructor arguments of a contract to be deployed."""
    from eth_abi.abi import encode

    entry = next(item for item in artifact(contract)["abi"] if item["type"] == "constructor")
    code = bytes.fromhex(artifact(contract)["bytecode"].removeprefix("0x"))
    return code + bytes(encode([_type(item) for item in entry["inputs"]], arguments))


def calldata(contract: str, function: str, *arguments: Any) -> bytes:
    """A call of a function."""
    from eth_abi.abi import encode

    types = [_type(item) for item in _function(contract, function)["inputs"]]
    selector = keccak256(f"{function}({','.join(types)})".encode())[:4]
    return selector + bytes(encode(types, arguments))


def answer(contract: str, function: str, data: bytes) -> tuple[Any, ...]:
    """What a function returned: its values in order, structs as tuples."""
    from eth_abi.abi import decode

    return tuple(decode([_type(item) for item in _function(contract, function)["outputs"]], data))


def _function(contract: str, function: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        item for item in artifact(contract)["abi"] if item["type"] == "function" and item["name"] == function
    )
    return found


def _type(item: dict[str, Any]) -> str:
    kind: str = item["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(_type(part) for part in item['components'])}){kind.removeprefix('tuple')}"
