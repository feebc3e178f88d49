"""The contracts as compiled: artifacts, creation code with constructor arguments, and calls that are not on the hot path.

eth_abi is imported when first used, so that the command line starts at once. Source: adapters/solidity/README.md
(constructors) and the contract ABI specification.
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
        types = next((_types(item["inputs"]) for item in self.abi if item["type"] == "constructor"), ())
        return self.creation + _encode(types, arguments)

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


@lru_cache(maxsize=32)
def contract(name: str) -> Contract:
    """Load a compiled contract by its name, `Gateway` for instance.

    Raises:
        ValueError: no artifact has that name.
    """
    path = ARTIFACTS / f"{name}.json"
    if not path.is_file():
        raise ValueError(f"no compiled contract {name}; run `make contracts` in the checkout")
    raw = json.loads(path.read_text())
    references = [reference for group in raw["immutableReferences"].values() for reference in group]
    functions = [_describe(item) for item in raw["abi"] if item["type"] == "function"]
    errors = [_describe(item) for item in raw["abi"] if item["type"] == "error"]
    return Contract(
        name=name.rpartition("/")[2],
        abi=raw["abi"],
        creation=bytes_from_hex(raw["bytecode"]),
        runtime=bytes_from_hex(raw["deployedBytecode"]),
        immutables=tuple(sorted((reference["start"], reference["length"]) for reference in references)),
        functions={function.name: function for function in functions},
        errors={error.selector: (error, raw["errors"].get(_signature(error), "")) for error in errors},
    )


def gateway_creation(
    *,
    chain_word: bytes,
    officers: Sequence[bytes],
    guardian: bytes,
    delay_s: int,
    minimum_expiry_s: int = 60,
    time_divisor: int = 1,
) -> bytes:
    """Return the creation code of a gateway.

    Args:
        chain_word: word of the ledger that it will stand on, 32 bytes.
        officers: at least three accounts of 20 bytes, all different.
        guardian: an account that is no officer.
        delay_s: seconds between the second approval and execution; 24 h by default in production, 0 in development.
        minimum_expiry_s: seconds that a message must live at least.
        time_divisor: 1 where block time is in seconds, 1000 where it is in milliseconds.
    """
    return contract("Gateway").creation_code(
        chain_word, list(officers), guardian, delay_s, minimum_expiry_s, time_divisor
    )


def committee_creation(
    *,
    chain_word: bytes,
    officers: Sequence[bytes],
    guardian: bytes,
    delay_s: int,
    signers: Sequence[tuple[bytes, bytes]],
    threshold: int,
    development: bool = False,
    time_divisor: int = 1,
) -> bytes:
    """Return the creation code of a committee verifier whose epoch 1 has these signers.

    Args:
        chain_word: word of the ledger that it will stand on, 32 bytes.
        officers: at least three accounts of 20 bytes, all different.
        guardian: an account that is no officer.
        delay_s: seconds between the second approval and execution.
        signers: (account of 20 bytes, organisation as 32 bytes) in the order of the bitmap; see `organisation_word`.
        threshold: organisations that must sign: more than half, at least 2 outside development.
        development: whether a threshold of 1 is allowed.
        time_divisor: 1 where block time is in seconds, 1000 where it is in milliseconds.
    """
    accounts, organisations = [signer for signer, _ in signers], [organisation for _, organisation in signers]
    return contract("CommitteeVerifier").creation_code(
        chain_word, list(officers), guardian, delay_s, time_divisor, development, accounts, organisations, threshold
    )


def organisation_word(name: str) -> bytes:
    """Return the 32 bytes under which the committee counts an organisation: the hash of its name."""
    return keccak256(name.encode())


def _encode(types: Sequence[str], arguments: Sequence[Any]) -> bytes:
    from eth_abi.abi import encode
    from eth_abi.exceptions import EncodingError

    try:
        return encode(types, arguments)
    except (EncodingError, TypeError) as error:
        raise ValueError(f"the arguments do not fit ({', '.join(types)}): {error}") from error


def _types(parameters: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(_type(parameter) for parameter in parameters)


def _type(parameter: Mapping[str, Any]) -> str:
    kind: str = parameter["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(_types(parameter['components']))}){kind.removeprefix('tuple')}"


def _describe(item: Mapping[str, Any]) -> Function:
    inputs = _types(item["inputs"])
    return Function(
        selector=keccak256(f"{item['name']}({','.join(inputs)})".encode())[:4],
        name=item["name"],
        inputs=inputs,
        input_names=tuple(parameter["name"] for parameter in item["inputs"]),
        outputs=_types(item.get("outputs", ())),
    )


def _signature(function: Function) -> str:
    return f"{function.name}({','.join(function.inputs)})"
