"""What a contract says when it refuses: revert data turned into a sentence that names the error and what to do next.

Source: adapters/solidity/contracts/Errors.sol; the contract ABI specification, section Errors.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from adapters.solidity.contracts import Function, contract
from schemas.primitives import hex0x

DEPLOYED = (
    *("Gateway", "GatewaySm", "CommitteeVerifier", "CommitteeVerifierSm", "QbftVerifier", "BothVerifier"),
    *("Secp256k1", "ChainMakerSm2", "FiscoSm2", "Sm3", "FiscoSm3"),
)
"""The contracts whose refusals are known by name."""

_REVERT_TEXT = bytes.fromhex("08c379a0")
_PANIC = bytes.fromhex("4e487b71")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A decoded revert: name of the error, its arguments by name, and what to do next."""

    name: str
    arguments: dict[str, Any]
    advice: str

    def __str__(self) -> str:
        """Write `Name(argument=value): advice`."""
        values = ", ".join(f"{name}={_show(value)}" for name, value in self.arguments.items())
        return f"{self.name}({values}): {self.advice}" if self.advice else f"{self.name}({values})"


def decode_refusal(data: bytes) -> Refusal | None:
    """Read revert data; None if it is no error of the gateway, a verifier or the language."""
    described = _errors().get(data[:4])
    if described is None:
        return None
    error, advice = described
    from eth_abi.abi import decode
    from eth_abi.exceptions import DecodingError

    try:
        values = decode(error.inputs, data[4:])
    except DecodingError:
        return None
    return Refusal(error.name, dict(zip(error.input_names, values, strict=True)), advice)


def explain(data: bytes) -> str:
    """Turn revert data into a sentence; data that nobody knows is shown in hexadecimal."""
    refusal = decode_refusal(data)
    if refusal is not None:
        return str(refusal)
    if not data:
        return "the contract reverted without a reason; check the gas and the calldata"
    return f"the contract reverted with {hex0x(data[:68])}; it is no error of the gateway or a verifier"


def _show(value: Any) -> str:
    return hex0x(value) if isinstance(value, bytes) else str(value)


@lru_cache(maxsize=1)
def _errors() -> dict[bytes, tuple[Function, str]]:
    known = {
        _REVERT_TEXT: (
            Function(_REVERT_TEXT, "Error", ("string",), ("text",), ()),
            "the called program says so itself",
        ),
        _PANIC: (Function(_PANIC, "Panic", ("uint256",), ("code",), ()), "the calldata is malformed; encode it again"),
    }
    for name in DEPLOYED:
        known.update(contract(name).errors)
    return known
