"""The contracts as compiled: artifacts, creation code with constructor arguments, and calls that are not on the hot path.

eth_abi is imported when first used, so that the command line starts at once. Source: the contract ABI specification.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from schemas.primitives import bytes_from_hex
from schemas.suites import keccak256

ARTIFACTS = Path(__file__).resolve().parent / "artifacts"
CODE_MAX_BYTES = 24_576


@dataclass(frozen=True, slots=True)
class Function:
    """A function or custom error of a contract: its four bytes, and the types and names of what it takes and gives."""

    selector: bytes
    name: str
    inputs: tuple[str, ...]
    input_names: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Contract:
    """A compiled contract.

    Attributes:
        name: its name in the source.
        abi: its interface as JSON.
        creation: creation code without constructor arguments.
        runtime: code as it stands on the ledger, with zeros where immutables are written at deployment.
        immutables: (start, length) in bytes of every immutable in `runtime`.
        functions: functions by name; every name is used once in our contracts.
        errors: custom errors by their four bytes, each with what to do next.
    """

    name: str
    abi: Sequence[Mapping[str, Any]]
    creation: bytes
    runtime: bytes
    immutables: tuple[tuple[int, int], ...]
    functions: Mapping[str, Function]
    errors: Mapping[bytes, tuple[Function, str]]

    def creation_code(self, *arguments: Any) -> bytes:
        """Return the bytes of a deployment with these constructor arguments.

        Raises:
            ValueError: the arguments do not fit the constructor.
        """
        types = next((types_of(item["inputs"]) for item in self.abi if item["type"] == "constructor"), ())
        return self.creation + _encode(types, arguments)

    def with_accounts_as_bytes(self) -> Contract:
        """Return the same interface with `bytes` for every `address`, selectors too: as a chaincode has it.

        Accounts there have not 20 bytes. Creation and runtime code are left out, for no machine runs them so.
        """
        return _described(self.name, _with_bytes(self.abi), b"", b"", (), self._advice())

    def _advice(self) -> dict[str, str]:
        return {error.name: advice for error, advice in self.errors.values()}

    def encode(self, function: str, *arguments: Any) -> bytes:
        """Return the calldata of a function.

        Raises:
            ValueError: there is no such function, or the arguments do not fit it.
        """
        described = self._function(function)
        return described.selector + _encode(described.inputs, arguments)

    def decode(self, function: str, output: bytes) -> tuple[Any, ...]:
        """Read what a call of the function returned.

        Raises:
            ValueError: there is no such function, or the output is not of its form.
        """
        from eth_abi.abi import decode
        from eth_abi.exceptions import DecodingError

        try:
            return decode(self._function(function).outputs, output)
        except DecodingError as error:
            raise ValueError(
                f"{self.name}.{function} answered something else; check the address of the contract"
            ) from error

    def same_code(self, code: bytes) -> bool:
        """Whether the code of a ledger is this contract's, whatever its immutables are."""
        if len(code) != len(self.runtime):
            return False
        blank = bytearray(code)
        for start, length in self.immutables:
            blank[start : start + length] = bytes(length)
        return bytes(blank) == self.runtime

    def _function(self, name: str) -> Function:
        described = self.functions.get(name)
        if described is None:
            raise ValueError(f"{self.name} has no function {name}; it has {', '.join(sorted(self.functions))}")
        return described


@lru_cache(maxsize=64)
def contract(name: str, accounts: str = "address") -> Contract:
    """Load a compiled contract by its name, `Gateway` for instance.

    Args:
        name: of the artifact.
        accounts: how the interface writes an account: `address`, or `bytes` as a chaincode does.

    Raises:
        ValueError: no artifact has that name, or there is no such way to write an account.
    """
    if accounts == "bytes":
        return contract(name).with_accounts_as_bytes()
    if accounts != "address":
        raise ValueError(f"accounts are written as address or bytes, not as {accounts!r}")
    path = ARTIFACTS / f"{name}.json"
    if not path.is_file():
        raise ValueError(f"no compiled contract {name}; run `make contracts` in the checkout")
    raw = json.loads(path.read_text())
    references = [reference for group in raw["immutableReferences"].values() for reference in group]
    return _described(
        name.rpartition("/")[2],
        raw["abi"],
        bytes_from_hex(raw["bytecode"]),
        bytes_from_hex(raw["deployedBytecode"]),
        tuple(sorted((reference["start"], reference["length"]) for reference in references)),
        {signature.partition("(")[0]: advice for signature, advice in raw["errors"].items()},
    )


def _described(
    name: str,
    abi: Sequence[Mapping[str, Any]],
    creation: bytes,
    runtime: bytes,
    immutables: tuple[tuple[int, int], ...],
    advice: Mapping[str, str],
) -> Contract:
    functions = [_describe(item) for item in abi if item["type"] == "function"]
    errors = [_describe(item) for item in abi if item["type"] == "error"]
    return Contract(
        name=name,
        abi=abi,
        creation=creation,
        runtime=runtime,
        immutables=immutables,
        functions={function.name: function for function in functions},
        errors={error.selector: (error, advice.get(error.name, "")) for error in errors},
    )


def _with_bytes(described: Any) -> Any:
    """Copy a part of an ABI with `bytes` for `address` in every type, arrays and structs too."""
    if isinstance(described, Mapping):
        return {
            key: value.replace("address", "bytes") if key in ("type", "internalType") else _with_bytes(value)
            for key, value in described.items()
        }
    if isinstance(described, list):
        return [_with_bytes(item) for item in described]
    return described


def _encode(types: Sequence[str], arguments: Sequence[Any]) -> bytes:
    from eth_abi.abi import encode
    from eth_abi.exceptions import EncodingError

    try:
        return encode(types, arguments)
    except (EncodingError, TypeError) as error:
        raise ValueError(f"the arguments do not fit ({', '.join(types)}): {error}") from error


def types_of(parameters: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the canonical types of parameters as an ABI lists them, structs as tuples."""
    return tuple(_type(parameter) for parameter in parameters)


def _type(parameter: Mapping[str, Any]) -> str:
    kind: str = parameter["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(types_of(parameter['components']))}){kind.removeprefix('tuple')}"


def _describe(item: Mapping[str, Any]) -> Function:
    inputs = types_of(item["inputs"])
    return Function(
        selector=keccak256(f"{item['name']}({','.join(inputs)})".encode())[:4],
        name=item["name"],
        inputs=inputs,
        input_names=tuple(parameter["name"] for parameter in item["inputs"]),
        outputs=types_of(item.get("outputs", ())),
    )
