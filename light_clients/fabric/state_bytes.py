"""The trusted state as bytes: RLP with the version of its form first.

[version, [channel, trusting period, heeds expiry], channel configuration, its height, height, timestamp, recent hashes, frozen]
"""

from __future__ import annotations

from light_clients import rlp
from light_clients.errors import ConfigurationInvalid, Refused, StateUnreadable
from light_clients.fabric.config_block import read_config
from light_clients.fabric.config_tree import MAXIMUM_CONFIG_SIZE
from light_clients.fabric.types import WINDOW, FabricConfiguration, FabricState
from schemas.primitives import BlockHash, SchemaError

STATE_VERSION = 1
"""Grows with every change of the form."""

MAXIMUM_STATE_SIZE = MAXIMUM_CONFIG_SIZE + 16 * 1024
"""Bytes; a configuration of two organisations and a full window take about 40 KB."""


def write_state(state: FabricState) -> bytes:
    """Writes a state.

    Args:
        state: Any state.

    Returns:
        RLP with the version first.
    """
    configuration = state.configuration
    return rlp.encode(
        [
            _integer(STATE_VERSION),
            [
                configuration.channel.encode(),
                _integer(configuration.trusting_period_s),
                _integer(configuration.heeds_expiry),
            ],
            state.channel_config,
            _integer(state.config_height),
            _integer(state.height),
            _integer(state.timestamp),
            list(state.recent),
            _integer(state.frozen),
        ]
    )


def state_from_bytes(data: bytes) -> FabricState:
    """Reads what `write_state` wrote.

    Args:
        data: A little more than the largest configuration at most.

    Returns:
        The state.

    Raises:
        StateUnreadable: It is damaged, too large, or of another version.
    """
    if len(data) > MAXIMUM_STATE_SIZE:
        raise StateUnreadable("The state is too large.", expected=MAXIMUM_STATE_SIZE, found=len(data))
    try:
        state = _read_state(rlp.decode_list(data))
        read_config(state.channel_config)
    except (Refused, SchemaError, ConfigurationInvalid, ValueError) as error:
        raise StateUnreadable(f"The state is damaged: {error}") from error
    if not 1 <= len(state.recent) <= WINDOW or state.oldest_height < 0 or state.config_height > state.height:
        raise StateUnreadable("The window of the state is damaged.", found=len(state.recent))
    return state


def _read_state(items: list[rlp.RlpItem]) -> FabricState:
    match items:
        case [
            bytes() as version,
            [bytes() as channel, bytes() as trusting_period, bytes() as heeds_expiry],
            bytes() as channel_config,
            bytes() as config_height,
            bytes() as height,
            bytes() as timestamp,
            list() as recent,
            bytes() as frozen,
        ] if version == _integer(STATE_VERSION):
            period = rlp.decode_integer(trusting_period, 8)
            return FabricState(
                FabricConfiguration(channel.decode(), period, _boolean(heeds_expiry)),
                channel_config,
                rlp.decode_integer(config_height, 8),
                rlp.decode_integer(height, 8),
                rlp.decode_integer(timestamp, 8),
                tuple(BlockHash(_bytes(item)) for item in recent),
                _boolean(frozen),
            )
        case _:
            raise StateUnreadable("The state is of another version or form.", expected=STATE_VERSION)


def _integer(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _boolean(item: bytes) -> bool:
    if item not in (b"", b"\x01"):
        raise StateUnreadable("A flag of the state is neither 0 nor 1.")
    return item == b"\x01"


def _bytes(item: rlp.RlpItem) -> bytes:
    if not isinstance(item, bytes):
        raise StateUnreadable("The state has a list where a string stands.")
    return item
