"""The trusted state as bytes: RLP with the version of its form first, at most 512 KiB.

[version, configuration, height, timestamp, hashes of recent blocks, sets, votes, frozen]
"""

from __future__ import annotations

from light_clients import rlp
from light_clients.bft.types import (
    MAXIMUM_SETS,
    MAXIMUM_VOTES,
    WINDOW,
    Address,
    BftConfiguration,
    BftState,
    Dialect,
    SelectionMode,
    ValidatorOverride,
    ValidatorSelection,
    ValidatorSet,
    Vote,
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
            _integer(STATE_VERSION),
            _configuration_items(state.configuration),
            _integer(state.height),
            _integer(state.timestamp),
            list(state.recent),
            [[_integer(known.first_height), list(known.members)] for known in state.sets],
            [_vote_items(vote) for vote in state.votes],
            _integer(state.frozen),
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
    if not items or items[0] != _integer(STATE_VERSION):
        raise StateUnreadable("The state is of another version.", expected=STATE_VERSION)
    _, configuration, height, timestamp, recent, sets, votes, frozen = items
    return BftState(
        configuration=_read_configuration(_list(configuration), configuration_type),
        height=rlp.decode_integer(height, 8),
        timestamp=rlp.decode_integer(timestamp, 8),
        recent=tuple(BlockHash(_bytes(item)) for item in _list(recent)),
        sets=tuple(_read_set(_list(item)) for item in _list(sets)),
        votes=tuple(_read_vote(_list(item)) for item in _list(votes)),
        frozen=_boolean(frozen),
    )


def _configuration_items(configuration: BftConfiguration) -> list[rlp.RlpItem]:
    return [
        configuration.dialect.encode(),
        _integer(configuration.epoch_length),
        _integer(configuration.trusting_period_s),
        _integer(configuration.sub_second_blocks),
        _integer(configuration.maximum_drift_s),
        [[_integer(override.height), list(override.validators)] for override in configuration.overrides],
        [_vote_items(vote) for vote in configuration.votes],
        *(_selection_items(selection) for selection in configuration.selections),
    ]


def _read_configuration(items: list[rlp.RlpItem], configuration_type: type[BftConfiguration]) -> BftConfiguration:
    dialect, epoch_length, trusting_period, sub_second_blocks, maximum_drift, overrides, votes, *selections = items
    return configuration_type(
        dialect=Dialect(_bytes(dialect).decode()),
        epoch_length=rlp.decode_integer(epoch_length, 8),
        trusting_period_s=rlp.decode_integer(trusting_period, 8),
        sub_second_blocks=_boolean(sub_second_blocks),
        maximum_drift_s=rlp.decode_integer(maximum_drift, 8),
        overrides=tuple(_read_override(_list(item)) for item in _list(overrides)),
        votes=tuple(_read_vote(_list(item)) for item in _list(votes)),
        selections=tuple(_read_selection(_list(item)) for item in selections),
    )


def _selection_items(selection: ValidatorSelection) -> list[rlp.RlpItem]:
    return [
        _integer(selection.height),
        selection.mode.encode(),
        selection.contract,
        _integer(selection.slot),
        selection.code_hash,
    ]


def _read_selection(items: list[rlp.RlpItem]) -> ValidatorSelection:
    height, mode, contract, slot, code_hash = items
    return ValidatorSelection(
        rlp.decode_integer(height, 8),
        SelectionMode(_bytes(mode).decode()),
        _bytes(contract),
        rlp.decode_integer(slot),
        _bytes(code_hash),
    )


def _read_override(items: list[rlp.RlpItem]) -> ValidatorOverride:
    height, validators = items
    return ValidatorOverride(rlp.decode_integer(height, 8), _addresses(validators))


def _read_set(items: list[rlp.RlpItem]) -> ValidatorSet:
    first_height, members = items
    return ValidatorSet(rlp.decode_integer(first_height, 8), _addresses(members))


def _vote_items(vote: Vote) -> list[rlp.RlpItem]:
    return [vote.voter, vote.subject, _integer(vote.add)]


def _read_vote(items: list[rlp.RlpItem]) -> Vote:
    voter, subject, add = items
    return Vote(_address(voter), _address(subject), _boolean(add))


def _addresses(item: rlp.RlpItem) -> tuple[Address, ...]:
    return tuple(_address(element) for element in _list(item))


def _address(item: rlp.RlpItem) -> Address:
    address = _bytes(item)
    if len(address) != 20:
        raise StateUnreadable("An address in the state has not 20 bytes.", expected=20, found=address)
    return Address(address)


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
