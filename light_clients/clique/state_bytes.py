"""The trusted state as bytes: RLP with the version of its form first, at most 512 KiB.

[version, configuration, height, timestamp, votes, sealers, hashes of recent blocks, sets, frozen]
"""

from __future__ import annotations

from light_clients import rlp
from light_clients.bft.types import (
    MAXIMUM_SETS,
    MAXIMUM_VOTES,
    WINDOW,
    Address,
    ValidatorSet,
    Vote,
    is_validator_set,
)
from light_clients.clique.types import SEALERS_KEPT, CliqueConfiguration, CliqueState, Snapshot
from light_clients.errors import ConfigurationInvalid, RlpRefused, StateUnreadable
from schemas.primitives import BlockHash, SchemaError

STATE_VERSION = 1
"""Grows with every change of the form."""

MAXIMUM_STATE_SIZE = 512 * 1024
"""Bytes; a full window, 16 sets of 256 and 4,096 votes take about 300 KiB."""


def write_state(state: CliqueState) -> bytes:
    """Writes a state.

    Args:
        state: Any state.

    Returns:
        RLP with the version first.
    """
    configuration, newest = state.configuration, state.newest
    numbers = (
        configuration.epoch_length,
        configuration.confirmations,
        configuration.period_s,
        configuration.trusting_period_s,
        configuration.maximum_drift_s,
        configuration.counts_idle_votes,
    )
    return rlp.encode(
        [
            _integer(STATE_VERSION),
            [_integer(number) for number in numbers],
            _integer(newest.height),
            _integer(newest.timestamp),
            [[vote.voter, vote.subject, _integer(vote.add)] for vote in newest.votes],
            list(newest.sealers),
            list(state.recent),
            [[_integer(known.first_height), list(known.members)] for known in state.sets],
            _integer(state.frozen),
        ]
    )


def state_from_bytes(data: bytes) -> CliqueState:
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
    if len(state.recent) > WINDOW or state.oldest_height < 0 or state.sets[-1].first_height > state.height + 1:
        raise StateUnreadable("The window of the state is damaged.", found=len(state.recent))
    if len(state.sets) > MAXIMUM_SETS or not all(is_validator_set(known.members) for known in state.sets):
        raise StateUnreadable("A set of the state is damaged.", found=len(state.sets))
    if len(state.newest.votes) > MAXIMUM_VOTES or len(state.newest.sealers) > SEALERS_KEPT:
        raise StateUnreadable("The state has too many votes or sealers.")
    return state


def _read_state(items: list[rlp.RlpItem]) -> CliqueState:
    if not items or items[0] != _integer(STATE_VERSION):
        raise StateUnreadable("The state is of another version.", expected=STATE_VERSION)
    _, configuration, height, timestamp, votes, sealers, recent, sets, frozen = items
    hashes = tuple(BlockHash(_bytes(item)) for item in _list(recent))
    known = tuple(_read_set(_list(item)) for item in _list(sets))
    if not hashes or not known:
        raise StateUnreadable("The state has no block or no set.")
    newest = Snapshot(
        height=rlp.decode_integer(height, 8),
        block_hash=hashes[-1],
        timestamp=rlp.decode_integer(timestamp, 8),
        signers=known[-1].members,
        votes=tuple(_read_vote(_list(item)) for item in _list(votes)),
        sealers=tuple(_address(item) for item in _list(sealers)),
    )
    return CliqueState(_read_configuration(_list(configuration)), newest, hashes, known, _boolean(frozen))


def _read_configuration(items: list[rlp.RlpItem]) -> CliqueConfiguration:
    *numbers, counts_idle_votes = items
    epoch_length, confirmations, period, trusting_period, drift = (rlp.decode_integer(item, 8) for item in numbers)
    return CliqueConfiguration(epoch_length, confirmations, period, trusting_period, drift, _boolean(counts_idle_votes))


def _read_set(items: list[rlp.RlpItem]) -> ValidatorSet:
    first_height, members = items
    return ValidatorSet(rlp.decode_integer(first_height, 8), tuple(_address(item) for item in _list(members)))


def _read_vote(items: list[rlp.RlpItem]) -> Vote:
    voter, subject, add = items
    return Vote(_address(voter), _address(subject), _boolean(add))


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
