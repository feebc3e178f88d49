"""The chaincode's interface as ABI: its events, views and refusals, where accounts and verifiers are `bytes`.

Source: chaincode/abi.json, which the chaincode itself is made from; events without an account are those of Solidity and are
read by `adapters.solidity.events`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError

from adapters.protocol import BadAnswer, GatewayEvent, LaneEnds, LaneOpened, Position, VerifierChanged
from adapters.solidity.events import SIGNATURES as SHARED
from adapters.solidity.events import decode_event
from adapters.solidity.refusals import explain as explain_solidity
from schemas.primitives import ChainWord, LaneId, SchemaError
from schemas.suites import keccak256

_ABI = Path(__file__).resolve().parent / "chaincode" / "abi.json"
LANE = keccak256(b"lane(bytes32)")[:4]
PAUSED = keccak256(b"paused()")[:4]
KIND = keccak256(b"kind()")[:4]
_CAPS = "(uint32,uint40,uint40,uint8,uint32,uint32)"
_LANE_VIEW = f"(bool,uint8,bool,bool,bool,bytes,bytes32,bytes,{_CAPS},uint64,uint64,uint64,uint32,bytes32)"
_OPENED_TYPES = ("uint8", "string", "bytes32", "bytes", "bytes32", "bytes", "string", "bytes", "bytes32")
LANE_OPENED = keccak256(f"LaneOpened(bytes32,{','.join(_OPENED_TYPES)})".encode())
VERIFIER_CHANGED = keccak256(b"VerifierChanged(bytes32,bytes)")
TICKETED = keccak256(b"MessageTicketed(bytes32,bytes32,bytes,bytes,uint64,uint64,uint64,bytes)")
SIGNATURES = frozenset({LANE_OPENED, VERIFIER_CHANGED, *SHARED})
"""First topics of the events that the hub reads."""

_HEX = re.compile(r"0x((?:[0-9a-fA-F]{2})+)\s*$")


def read_event(topics: Sequence[bytes], data: bytes, position: Position) -> GatewayEvent:
    """Decode one log of the gateway's event.

    Args:
        topics: of 32 bytes each, the first one of `SIGNATURES`.
        data: the log's data.
        position: where the log stands.

    Raises:
        BadAnswer: it is not in the exact form that the chaincode writes.
    """
    if topics[0] not in (LANE_OPENED, VERIFIER_CHANGED):
        return decode_event(topics, data, position)
    if len(topics) != 2 or len(topics[1]) != 32:
        raise BadAnswer("an event of the gateway has other topics than it writes; leave the endpoint.")
    try:
        if topics[0] == VERIFIER_CHANGED:
            (verifier,) = _decode(("bytes",), data)
            return VerifierChanged(LaneId(topics[1]), verifier, position)
        end, hub, source, source_gateway, destination, destination_gateway, channel, verifier, code_hash = _decode(
            _OPENED_TYPES, data
        )
        return LaneOpened(
            lane_id=LaneId(topics[1]),
            end=end,
            hub=hub,
            source=ChainWord(source),
            source_gateway=source_gateway,
            destination=ChainWord(destination),
            destination_gateway=destination_gateway,
            channel=channel,
            verifier=verifier,
            peer_code_hash=code_hash,
            position=position,
        )
    except SchemaError as error:
        raise BadAnswer(f"an event of the gateway holds what the protocol does not allow ({error}).") from error


def read_lane_ends(lane: bytes, paused: bytes) -> LaneEnds | None:
    """Read the answers to `lane(laneId)` and `paused()`; None if the gateway never opened the lane.

    Raises:
        BadAnswer: an answer is not of the gateway's form.
    """
    (view,) = _decode((_LANE_VIEW,), lane)
    (resting,) = _decode(("bool",), paused)
    opened, _, closed, lane_paused, _, verifier, _, _, _, sent, settled, delivered, _, generation = view
    if not opened:
        return None
    return LaneEnds(sent, settled, delivered, lane_paused or resting, closed, verifier, generation)


def read_kind(answer: bytes) -> str:
    """Read the answer to `kind()`.

    Raises:
        BadAnswer: it is no text.
    """
    (kind,) = _decode(("string",), answer)
    return str(kind)


def refusal_data(message: str) -> bytes | None:
    """The revert data in the text of a refusal, or None where there is none."""
    match = _HEX.search(message)
    return bytes.fromhex(match.group(1)) if match else None


def explain(message: str) -> str:
    """Turn a refusal of the chaincode into a sentence; a text without revert data stays as it is."""
    data = refusal_data(message)
    if data is None:
        return message[:400]
    known = _errors().get(data[:4])
    if known is None:
        return explain_solidity(data)
    name, types, names, advice = known
    try:
        values = decode(types, data[4:])
    except DecodingError:
        return explain_solidity(data)
    shown = ", ".join(f"{label}={_show(value)}" for label, value in zip(names, values, strict=True))
    return f"{name}({shown}): {advice}" if advice else f"{name}({shown})"


def _decode(types: Sequence[str], data: bytes) -> tuple[Any, ...]:
    """Decode what was encoded in the canonical way and no other."""
    try:
        values = decode(types, data)
        if encode(types, values) != data:
            raise BadAnswer("what the gateway says is not encoded as it encodes it; leave the endpoint.")
    except (DecodingError, EncodingError, UnicodeDecodeError, OverflowError) as error:
        raise BadAnswer("the chaincode does not answer as a gateway; check its name.") from error
    return values


def _show(value: Any) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)


@lru_cache(maxsize=1)
def _errors() -> dict[bytes, tuple[str, list[str], list[str], str]]:
    described = json.loads(_ABI.read_text(encoding="utf-8"))
    found = {}
    for item in described["abi"]:
        if item["type"] == "error":
            types = [each["type"] for each in item["inputs"]]
            signature = f"{item['name']}({','.join(types)})"
            names = [each["name"] for each in item["inputs"]]
            advice = described["errors"].get(signature, "")
            found[keccak256(signature.encode())[:4]] = (item["name"], types, names, advice)
    return found
