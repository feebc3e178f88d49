"""The trusted state as bytes: RLP with the version of its form first, at most 128 KiB.

[version, configuration, chain id, anchors of accepted headers, frozen]
"""

from __future__ import annotations

from itertools import pairwise

from light_clients import rlp
from light_clients.cometbft.codec import HASH_SIZE, MAXIMUM_APP_HASH_SIZE
from light_clients.cometbft.types import WINDOW, Anchor, CometbftConfiguration, CometbftState
from light_clients.errors import ConfigurationInvalid, RlpRefused, StateUnreadable
from schemas.primitives import BlockHash, SchemaError

STATE_VERSION = 1
"""Grows with every change of the form."""

MAXIMUM_STATE_SIZE = 128 * 1024
"""Bytes; a full window takes about 32 KiB."""


def write_state(state: CometbftState) -> bytes:
    """Writes a state.

    Args:
        state: Any state.

    Returns:
        RLP with the version first.
    """
    configuration = state.configuration
    numbers = (
        configuration.trusting_period_s,
        configuration.unbonding_period_s,
        configuration.maximum_drift_s,
        configuration.trust_numerator,
        configuration.trust_denominator,
        configuration.block_version,
    )
    return rlp.encode(
        [
            _integer(STATE_VERSION),
            [_integer(number) for number in numbers],
            state.chain_id.encode(),
            [_anchor_items(anchor) for anchor in state.anchors],
            _integer(state.frozen),
        ]
    )


def state_from_bytes(data: bytes) -> CometbftState:
    """Reads what `write_state` wrote.

    Args:
        data: At most 128 KiB.

    Returns:
        The state.

    Raises:
        StateUnreadable: It is damaged, too large, or of another version.
    """
    if len(data) > MAXIMUM_STATE_SIZE:
        raise StateUnreadable("The state is too large.", expected=MAXIMUM_STATE_SIZE, found=len(data))
    try:
        state = _read_state(rlp.decode_list(data))
    except (RlpRefused, SchemaError, ConfigurationInvalid, ValueError) as error:
        raise StateUnreadable(f"The state is damaged: {error}") from error
    if not 1 <= len(state.anchors) <= WINDOW or not all(map(_is_sound, state.anchors)):
        raise StateUnreadable("The window of the state is damaged.", found=len(state.anchors))
    if any(lower.height >= upper.height or lower.time_ns >= upper.time_ns for lower, upper in pairwise(state.anchors)):
        raise StateUnreadable("The headers of the state are out of order.", found=state.height)
    return state


def _read_state(items: list[rlp.RlpItem]) -> CometbftState:
    if not items or items[0] != _integer(STATE_VERSION):
        raise StateUnreadable("The state is of another version.", expected=STATE_VERSION)
    _, configuration, chain_id, anchors, frozen = items
    numbers = (rlp.decode_integer(item, 8) for item in _list(configuration))
    trusting_period, unbonding_period, drift, numerator, denominator, version = numbers
    return CometbftState(
        CometbftConfiguration(trusting_period, unbonding_period, drift, numerator, denominator, version),
        _bytes(chain_id).decode(),
        tuple(_read_anchor(_list(item)) for item in _list(anchors)),
        _boolean(frozen),
    )


def _anchor_items(anchor: Anchor) -> list[rlp.RlpItem]:
    return [
        _integer(anchor.height),
        anchor.block_hash,
        _integer(anchor.time_ns),
        anchor.app_hash,
        anchor.next_validators_hash,
    ]


def _read_anchor(items: list[rlp.RlpItem]) -> Anchor:
    height, block_hash, time_ns, app_hash, next_validators_hash = items
    return Anchor(
        rlp.decode_integer(height, 8),
        BlockHash(_bytes(block_hash)),
        rlp.decode_integer(time_ns, 9),
        _bytes(app_hash),
        _bytes(next_validators_hash),
    )


def _is_sound(anchor: Anchor) -> bool:
    return (
        anchor.height >= 1
        and len(anchor.next_validators_hash) == HASH_SIZE
        and len(anchor.app_hash) <= MAXIMUM_APP_HASH_SIZE
    )


def _integer(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _boolean(item: rlp.RlpItem) -> bool:
    if item not in (b"", b"\x01"):
        raise StateUnreadable("A flag of the state is neither 0 nor 1.")
    return item == b"\x01"


def _bytes(item: rlp.RlpItem) -> bytes:
    if not isinstance(item, bytes):
        raise StateUnreadable("The state has a list where a string stands.")
    return item


def _list(item: rlp.RlpItem) -> list[rlp.RlpItem]:
    if not isinstance(item, list):
        raise StateUnreadable("The state has a string where a list stands.")
    return item
