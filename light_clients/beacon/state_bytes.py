"""The trusted state as bytes: one byte with the version of its form, then SSZ; at most 128 KiB.

Configuration, recent headers, the current committee, the next one (a list of none or one), frozen. Numbers have a fixed size, so
that a state with a full window has always the same one. Keys are kept compressed and are decoded when they are first needed.
"""

from __future__ import annotations

from light_clients.beacon.containers import ROOT, UINT64, committee_type
from light_clients.beacon.types import (
    FORKS,
    MAINNET,
    MINIMAL,
    WINDOW,
    BeaconConfiguration,
    BeaconState,
    FinalizedBlock,
    Fork,
    Preset,
    SyncCommittee,
)
from light_clients.errors import ConfigurationInvalid, StateUnreadable
from light_clients.ssz import ByteVector, Container, ListOf, SszRefused, Uint, Value
from schemas.primitives import BlockHash, Bytes32, SchemaError

STATE_VERSION = 1
"""Grows with every change of the form."""

MAXIMUM_STATE_SIZE = 128 * 1024
"""Bytes; a full window of mainnet takes about 86 KiB."""

_FORK = Container((("epoch", UINT64), ("version", ByteVector(4))))
_CONFIGURATION = (
    ("genesis_validators_root", ROOT),
    ("genesis_time", UINT64),
    ("seconds_per_slot", UINT64),
    ("checkpoint_age_limit_s", UINT64),
    ("maximum_drift_s", UINT64),
)
_BLOCK = Container(
    (
        ("slot", UINT64),
        ("root", ROOT),
        ("height", UINT64),
        ("block_hash", ROOT),
        ("state_root", ROOT),
        ("receipts_root", ROOT),
    )
)
_PRESETS = (MAINNET, MINIMAL)


def write_state(state: BeaconState) -> bytes:
    """Writes a state.

    Args:
        state: Any state.

    Returns:
        The version, the number of the preset, and SSZ.
    """
    configuration = state.configuration
    following = () if state.following is None else (state.following,)
    committee = committee_type(configuration.preset)
    value = (
        configuration.genesis_validators_root,
        configuration.genesis_time,
        configuration.seconds_per_slot,
        configuration.checkpoint_age_limit_s,
        configuration.maximum_drift_s,
        tuple((fork.epoch, fork.version) for fork in configuration.forks),
        tuple(
            (block.slot, block.root, block.height, block.block_hash, block.state_root, block.receipts_root)
            for block in state.recent
        ),
        committee.decode(state.current.encoded),
        tuple(committee.decode(known.encoded) for known in following),
        int(state.frozen),
    )
    number = _PRESETS.index(configuration.preset)
    return bytes((STATE_VERSION, number)) + _container(configuration.preset).encode(value)


def state_from_bytes(data: bytes) -> BeaconState:
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
    if data[:1] != bytes((STATE_VERSION,)) or data[1:2] not in {b"\x00", b"\x01"}:
        raise StateUnreadable("The state is of another version.", expected=STATE_VERSION)
    preset = _PRESETS[data[1]]
    try:
        state = _read_state(_container(preset).decode(data[2:]), preset)
    except (SszRefused, SchemaError, ConfigurationInvalid) as error:
        raise StateUnreadable(f"The state is damaged: {error}") from error
    slots = [block.slot for block in state.recent]
    if not slots or slots != sorted(set(slots)):
        raise StateUnreadable("The window of the state is damaged.", found=len(slots))
    return state


def _container(preset: Preset) -> Container:
    committee = committee_type(preset)
    return Container(
        (
            *_CONFIGURATION,
            ("forks", ListOf(_FORK, len(FORKS))),
            ("recent", ListOf(_BLOCK, WINDOW)),
            ("current", committee),
            ("following", ListOf(committee, 1)),
            ("frozen", Uint(1)),
        )
    )


def _read_state(value: tuple[Value, ...], preset: Preset) -> BeaconState:
    root, genesis_time, seconds, age_limit, drift, forks, recent, current, following, frozen = value
    if frozen > 1:
        raise StateUnreadable("A flag of the state is neither 0 nor 1.", found=frozen)
    committee = committee_type(preset)
    configuration = BeaconConfiguration(
        genesis_validators_root=Bytes32(root),
        genesis_time=genesis_time,
        forks=tuple(Fork(name, *fork) for name, fork in zip(FORKS, forks, strict=False)),
        seconds_per_slot=seconds,
        preset=preset,
        checkpoint_age_limit_s=age_limit,
        maximum_drift_s=drift,
    )
    return BeaconState(
        configuration,
        tuple(_read_block(block) for block in recent),
        SyncCommittee(committee.encode(current)),
        SyncCommittee(committee.encode(following[0])) if following else None,
        bool(frozen),
    )


def _read_block(value: tuple[Value, ...]) -> FinalizedBlock:
    slot, root, height, block_hash, state_root, receipts_root = value
    return FinalizedBlock(
        slot, Bytes32(root), height, BlockHash(block_hash), Bytes32(state_root), Bytes32(receipts_root)
    )
