"""The trusted state as bytes: RLP with the version of its form first, at most 512 KiB.

[version, configuration, height, timestamp, hashes of recent blocks, sets, votes, frozen]
"""

from __future__ import annotations

from light_clients import rlp
from light_clients.bft.state_items import (
    addresses_of,
    boolean_of,
    bytes_of,
    integer_item,
    list_of,
    read_set,
    read_vote,
    set_items,
    vote_items,
)
from light_clients.bft.types import (
    MAXIMUM_SETS,
    MAXIMUM_VOTES,
    WINDOW,
    BftConfiguration,
    BftState,
    Dialect,
    SelectionMode,
    ValidatorOverride,
    ValidatorSelection,
    is_validator_set,
)
from light_clients.errors import ConfigurationInvalid, RlpRefused, StateUnreadable
from schemas.primitives import BlockHash, SchemaError

STATE_VERSION = 1
"""Grows with every change of the form."""

MAXIMUM_STATE_SIZE = 512 * 1024
"""Bytes; a full window, 16 sets of 256 and 4,096 votes take about 300 KiB."""


def write_state(state: BftState) -> bytes:
    """Writes a state.

    Args:
        state: Any state.

    Returns:
        RLP with the version first.
    """
    return rlp.encode(
        [
            integer_item(STATE_VERSION),
            _configuration_items(state.configuration),
            integer_item(state.height),
            integer_item(state.timestamp),
            list(state.recent),
            [set_items(known) for known in state.sets],
            [vote_items(vote) for vote in state.votes],
            integer_item(state.frozen),
        ]
    )


def read_state(data: bytes, configuration_type: type[BftConfiguration]) -> BftState:
    """Reads what `write_state` wrote.

    Args:
        data: At most 512 KiB.
        configuration_type: The family's configuration.

    Returns:
        The state.

    Raises:
        StateUnreadable: It is damaged, too large, of another version or of another family.
    """
    if len(data) > MAXIMUM_STATE_SIZE:
        raise StateUnreadable("The state is too large.", expected=MAXIMUM_STATE_SIZE, found=len(data))
    try:
        state = _read_state(rlp.decode_list(data), configuration_type)
    except (RlpRefused, SchemaError, ConfigurationInvalid, ValueError) as error:
        raise StateUnreadable(f"The state is damaged: {error}") from error
    newest = state.sets[-1].first_height if state.sets else 0
    if not 1 <= len(state.recent) <= WINDOW or state.oldest_height < 0 or newest > state.height + 1:
        raise StateUnreadable("The window of the state is damaged.", found=len(state.recent))
    if not 1 <= len(state.sets) <= MAXIMUM_SETS or not all(is_validator_set(known.members) for known in state.sets):
        raise StateUnreadable("A set of the state is damaged.", found=len(state.sets))
    if len(state.votes) > MAXIMUM_VOTES:
        raise StateUnreadable("The state has too many votes.", expected=MAXIMUM_VOTES, found=len(state.votes))
    return state


def _read_state(items: list[rlp.RlpItem], configuration_type: type[BftConfiguration]) -> BftState:
    if not items or items[0] != integer_item(STATE_VERSION):
        raise StateUnreadable("The state is of another version.", expected=STATE_VERSION)
    _, configuration, height, timestamp, recent, sets, votes, frozen = items
    return BftState(
        configuration=_read_configuration(list_of(configuration), configuration_type),
        height=rlp.decode_integer(height, 8),
        timestamp=rlp.decode_integer(timestamp, 8),
        recent=tuple(BlockHash(bytes_of(item)) for item in list_of(recent)),
        sets=tuple(read_set(item) for item in list_of(sets)),
        votes=tuple(read_vote(item) for item in list_of(votes)),
        frozen=boolean_of(frozen),
    )


def _configuration_items(configuration: BftConfiguration) -> list[rlp.RlpItem]:
    return [
        configuration.dialect.encode(),
        integer_item(configuration.epoch_length),
        integer_item(configuration.trusting_period_s),
        integer_item(configuration.sub_second_blocks),
        integer_item(configuration.maximum_drift_s),
        [[integer_item(override.height), list(override.validators)] for override in configuration.overrides],
        [vote_items(vote) for vote in configuration.votes],
        *(_selection_items(selection) for selection in configuration.selections),
    ]


def _read_configuration(items: list[rlp.RlpItem], configuration_type: type[BftConfiguration]) -> BftConfiguration:
    dialect, epoch_length, trusting_period, sub_second_blocks, maximum_drift, overrides, votes, *selections = items
    return configuration_type(
        dialect=Dialect(bytes_of(dialect).decode()),
        epoch_length=rlp.decode_integer(epoch_length, 8),
        trusting_period_s=rlp.decode_integer(trusting_period, 8),
        sub_second_blocks=boolean_of(sub_second_blocks),
        maximum_drift_s=rlp.decode_integer(maximum_drift, 8),
        overrides=tuple(_read_override(list_of(item)) for item in list_of(overrides)),
        votes=tuple(read_vote(item) for item in list_of(votes)),
        selections=tuple(_read_selection(list_of(item)) for item in selections),
    )


def _selection_items(selection: ValidatorSelection) -> list[rlp.RlpItem]:
    return [
        integer_item(selection.height),
        selection.mode.encode(),
        selection.contract,
        integer_item(selection.slot),
        selection.code_hash,
    ]


def _read_selection(items: list[rlp.RlpItem]) -> ValidatorSelection:
    height, mode, contract, slot, code_hash = items
    return ValidatorSelection(
        rlp.decode_integer(height, 8),
        SelectionMode(bytes_of(mode).decode()),
        bytes_of(contract),
        rlp.decode_integer(slot),
        bytes_of(code_hash),
    )


def _read_override(items: list[rlp.RlpItem]) -> ValidatorOverride:
    height, validators = items
    return ValidatorOverride(rlp.decode_integer(height, 8), addresses_of(validators))
