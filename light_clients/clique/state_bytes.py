"""The trusted state as bytes: RLP with the version of its form first, at most 512 KiB.

[version, configuration, height, timestamp, votes, sealers, hashes of recent blocks, sets, frozen]
"""

from __future__ import annotations

from light_clients import rlp
from light_clients.bft.state_items import (
    address_of,
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
            integer_item(STATE_VERSION),
            [integer_item(number) for number in numbers],
            integer_item(newest.height),
            integer_item(newest.timestamp),
            [vote_items(vote) for vote in newest.votes],
            list(newest.sealers),
            list(state.recent),
            [set_items(known) for known in state.sets],
            integer_item(state.frozen),
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
    if not items or items[0] != integer_item(STATE_VERSION):
        raise StateUnreadable("The state is of another version.", expected=STATE_VERSION)
    _, configuration, height, timestamp, votes, sealers, recent, sets, frozen = items
    hashes = tuple(BlockHash(bytes_of(item)) for item in list_of(recent))
    known = tuple(read_set(item) for item in list_of(sets))
    if not hashes or not known:
        raise StateUnreadable("The state has no block or no set.")
    newest = Snapshot(
        height=rlp.decode_integer(height, 8),
        block_hash=hashes[-1],
        timestamp=rlp.decode_integer(timestamp, 8),
        signers=known[-1].members,
        votes=tuple(read_vote(item) for item in list_of(votes)),
        sealers=tuple(address_of(item) for item in list_of(sealers)),
    )
    return CliqueState(_read_configuration(list_of(configuration)), newest, hashes, known, boolean_of(frozen))


def _read_configuration(items: list[rlp.RlpItem]) -> CliqueConfiguration:
    *numbers, counts_idle_votes = items
    epoch_length, confirmations, period, trusting_period, drift = (rlp.decode_integer(item, 8) for item in numbers)
    return CliqueConfiguration(
        epoch_length, confirmations, period, trusting_period, drift, boolean_of(counts_idle_votes)
    )
