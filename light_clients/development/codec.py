"""Reading headers of a development chain, and its state as bytes (Ethereum Yellow Paper, section 4.4)."""

from __future__ import annotations

from light_clients import rlp
from light_clients.development.types import WINDOW, DevelopmentConfiguration, DevelopmentHeader, DevelopmentState
from light_clients.errors import ConfigurationInvalid, HeaderFieldInvalid, HeaderTooLarge, RlpRefused, StateUnreadable
from schemas.primitives import BlockHash, Bytes32, SchemaError
from schemas.suites import keccak256

MAXIMUM_HEADER_SIZE = 64 * 1024
"""Bytes of a header."""

STATE_VERSION = 1
"""Grows with every change of the form."""

MAXIMUM_STATE_SIZE = 16 * 1024
"""Bytes; a full window takes about 8.5 KiB."""


def parse_header(header: bytes) -> DevelopmentHeader:
    """Reads a header.

    Args:
        header: RLP of 15 to 21 items.

    Returns:
        The header with its block hash, not yet judged.

    Raises:
        HeaderTooLarge: It has more than 64 KiB.
        RlpRefused: It is not canonical RLP.
        HeaderFieldInvalid: The number, kind or size of its items is wrong.
    """
    if len(header) > MAXIMUM_HEADER_SIZE:
        raise HeaderTooLarge("The header is too large.", expected=MAXIMUM_HEADER_SIZE, found=len(header))
    items = rlp.decode_list(header)
    if not 15 <= len(items) <= 21:
        raise HeaderFieldInvalid("A header has 15 to 21 items.", found=len(items))
    strings = [item for item in items if isinstance(item, bytes)]
    if len(strings) != len(items):
        raise HeaderFieldInvalid("An item of a header is a string, never a list.")
    for index in (0, 3):
        if len(strings[index]) != 32:
            raise HeaderFieldInvalid(f"Item {index} of a header has 32 bytes.", found=len(strings[index]))
    return DevelopmentHeader(
        parent_hash=Bytes32(strings[0]),
        state_root=Bytes32(strings[3]),
        height=rlp.decode_integer(strings[8], 8),
        timestamp=rlp.decode_integer(strings[11], 8),
        block_hash=BlockHash(keccak256(header)),
    )


def write_state(state: DevelopmentState) -> bytes:
    """Writes a state: RLP of [version, confirmations, trusting period, height, timestamp, recent hashes, frozen]."""
    return rlp.encode(
        [
            _integer(STATE_VERSION),
            _integer(state.configuration.confirmations),
            _integer(state.configuration.trusting_period_s),
            _integer(state.height),
            _integer(state.timestamp),
            list(state.recent),
            _integer(state.frozen),
        ]
    )


def state_from_bytes(data: bytes) -> DevelopmentState:
    """Reads what `write_state` wrote.

    Args:
        data: At most 16 KiB.

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
    if not 1 <= len(state.recent) <= WINDOW or state.oldest_height < 0:
        raise StateUnreadable("The window of the state is damaged.", found=len(state.recent))
    return state


def _read_state(items: list[rlp.RlpItem]) -> DevelopmentState:
    if not items or items[0] != _integer(STATE_VERSION):
        raise StateUnreadable("The state is of another version.", expected=STATE_VERSION)
    _, confirmations, trusting_period, height, timestamp, recent, frozen = items
    if not isinstance(recent, list) or frozen not in (b"", b"\x01"):
        raise StateUnreadable("The state is damaged.")
    return DevelopmentState(
        configuration=DevelopmentConfiguration(
            rlp.decode_integer(confirmations, 8), rlp.decode_integer(trusting_period, 8)
        ),
        height=rlp.decode_integer(height, 8),
        timestamp=rlp.decode_integer(timestamp, 8),
        recent=tuple(BlockHash(item) for item in recent if isinstance(item, bytes)),
        frozen=frozen == b"\x01",
    )


def _integer(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")
