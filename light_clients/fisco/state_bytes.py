"""The trusted state as bytes: RLP with the version of its form first, at most 512 KiB.

[version, configuration, height, timestamp, transactions root, receipts root, hashes of recent blocks, sets, frozen]
"""

from __future__ import annotations

from light_clients import rlp
from light_clients.errors import ConfigurationInvalid, RlpRefused, StateUnreadable
from light_clients.fisco.evidence import integer_bytes
from light_clients.fisco.types import (
    KEY_SIZE,
    MAXIMUM_SEALERS,
    MAXIMUM_SETS,
    WINDOW,
    FiscoConfiguration,
    FiscoState,
    Sealer,
    SealerSet,
)
from schemas.primitives import BlockHash, Bytes32, SchemaError

STATE_VERSION = 1
"""Grows with every change of the form."""

MAXIMUM_STATE_SIZE = 512 * 1024
"""Bytes; a full window and 16 sets of 256 sealers take about 310 KiB."""


def write_state(state: FiscoState) -> bytes:
    """Writes a state.

    Args:
        state: Any state.

    Returns:
        RLP with the version first.
    """
    options = state.configuration
    numbers = (options.line, options.extra_data_size, options.trusting_period_s, options.maximum_drift_s)
    texts = (options.suite, options.chain_id, options.group_id)
    return rlp.encode(
        [
            integer_bytes(STATE_VERSION),
            [*(integer_bytes(number) for number in numbers), *(text.encode() for text in texts)],
            integer_bytes(state.height),
            integer_bytes(state.timestamp),
            bytes(state.transactions_root),
            bytes(state.receipts_root),
            [bytes(known) for known in state.recent],
            [
                [
                    integer_bytes(known.first_height),
                    [[sealer.key, integer_bytes(sealer.weight)] for sealer in known.sealers],
                ]
                for known in state.sets
            ],
            integer_bytes(state.frozen),
        ]
    )


def state_from_bytes(data: bytes) -> FiscoState:
    """Reads what `write_state` wrote.

    Args:
        data: At most 512 KiB.

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
    if not 1 <= len(state.recent) <= WINDOW or state.oldest_height < 1:
        raise StateUnreadable("The window of the state is damaged.", found=len(state.recent))
    heights = [known.first_height for known in state.sets]
    ascending = heights == sorted(set(heights)) and heights[-1:] <= [state.height]
    if not 1 <= len(heights) <= MAXIMUM_SETS or not ascending or not all(map(_is_set, state.sets)):
        raise StateUnreadable("A set of the state is damaged.", found=len(state.sets))
    return state


def _read_state(items: list[rlp.RlpItem]) -> FiscoState:
    if not items or items[0] != integer_bytes(STATE_VERSION):
        raise StateUnreadable("The state is of another version.", expected=STATE_VERSION)
    _, configuration, height, timestamp, transactions_root, receipts_root, recent, sets, frozen = items
    return FiscoState(
        configuration=_read_configuration(_list(configuration)),
        height=rlp.decode_integer(height, 8),
        timestamp=rlp.decode_integer(timestamp, 8),
        transactions_root=Bytes32(_bytes(transactions_root)),
        receipts_root=Bytes32(_bytes(receipts_root)),
        recent=tuple(BlockHash(_bytes(item)) for item in _list(recent)),
        sets=tuple(_read_set(_list(item)) for item in _list(sets)),
        frozen=_boolean(frozen),
    )


def _read_configuration(items: list[rlp.RlpItem]) -> FiscoConfiguration:
    line, extra_data_size, trusting_period, drift, *texts = items
    suite, chain_id, group_id = (_bytes(text).decode("ascii") for text in texts)
    return FiscoConfiguration(
        line=rlp.decode_integer(line, 1),
        suite=suite,
        chain_id=chain_id,
        group_id=group_id,
        extra_data_size=rlp.decode_integer(extra_data_size, 2),
        trusting_period_s=rlp.decode_integer(trusting_period, 4),
        maximum_drift_s=rlp.decode_integer(drift, 4),
    )


def _read_set(items: list[rlp.RlpItem]) -> SealerSet:
    first_height, sealers = items
    return SealerSet(rlp.decode_integer(first_height, 8), tuple(_read_sealer(_list(item)) for item in _list(sealers)))


def _read_sealer(items: list[rlp.RlpItem]) -> Sealer:
    key, weight = items
    return Sealer(_bytes(key), rlp.decode_integer(weight, 6))


def _is_set(known: SealerSet) -> bool:
    keys = {sealer.key for sealer in known.sealers if len(sealer.key) == KEY_SIZE and sealer.weight}
    return 1 <= len(keys) == len(known.sealers) <= MAXIMUM_SEALERS


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
