"""Answers of the Beacon API as bundles and as a configuration.

Read strictly: exactly the fields of the container, numbers as decimal text without leading zeros, bytes as hexadecimal text of
the exact size after ``0x``. What is read here is judged later, as every bundle is. Source: Ethereum Beacon APIs, paths
/eth/v1/beacon/light_client/*, /eth/v1/beacon/genesis and /eth/v1/config/spec.
"""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from light_clients.beacon.codec import MAXIMUM_BUNDLE_SIZE, write_bundle
from light_clients.beacon.containers import KINDS, container_of
from light_clients.beacon.types import FORKS, MAINNET, MINIMAL, BeaconConfiguration, Fork, Preset
from light_clients.errors import ConfigurationInvalid, HeaderJsonInvalid, HeaderTooLarge
from light_clients.ssz import ByteList, Container, SszType, Uint, Value, Vector
from schemas.primitives import Bytes32

MAXIMUM_JSON_SIZE = 8 * MAXIMUM_BUNDLE_SIZE
"""Characters of one answer; hexadecimal doubles the bytes, and names and spaces come on top."""

FAR_FUTURE_EPOCH = 2**64 - 1
"""The epoch of a fork that is not scheduled."""

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,77}")
_HEXADECIMAL = re.compile(r"0x((?:[0-9a-fA-F]{2})*)")


def parse_answer(text: str | bytes) -> Any:
    """Reads JSON in which no name stands twice.

    Args:
        text: At most 512 KiB.

    Raises:
        HeaderTooLarge: It is longer.
        HeaderJsonInvalid: It is no JSON.
    """
    if len(text) > MAXIMUM_JSON_SIZE:
        raise HeaderTooLarge("The answer is too long.", expected=MAXIMUM_JSON_SIZE, found=len(text))
    try:
        orjson.loads(text)  # it bounds the depth by itself, whatever the limit of recursion is
        return json.loads(text, object_pairs_hook=_object)
    except ValueError as error:
        raise HeaderJsonInvalid("The answer of the beacon node is no JSON.") from error


def bundle_from_answer(kind: str, answer: Any, preset: Preset) -> bytes:
    """Makes a bundle of one answer.

    Args:
        kind: One of `containers.KINDS`.
        answer: Parsed JSON with ``version`` and ``data``; of ``/updates``, one element of the list.
        preset: Sizes.

    Returns:
        The bundle.

    Raises:
        HeaderJsonInvalid: It is not of the form.
    """
    if kind not in KINDS:
        raise HeaderJsonInvalid(f"There is no bundle of the kind {kind[:40]!r}.")
    match answer:
        case {"version": str() as fork, "data": dict() as data} if fork in FORKS[1:]:
            container = container_of(kind, fork, preset)
            return write_bundle(kind, fork, container.encode(_read(container, data, kind)))
        case _:
            raise HeaderJsonInvalid("The answer has no version of a known fork, or no data.")


def configuration_from_answers(genesis: Any, specification: Any, *, checkpoint_age_limit_s: int) -> BeaconConfiguration:
    """Makes a configuration of what a node says of its ledger; the officers compare it with a source of their own.

    Args:
        genesis: Parsed answer of ``/eth/v1/beacon/genesis``.
        specification: Parsed answer of ``/eth/v1/config/spec``.
        checkpoint_age_limit_s: See `BeaconConfiguration`.

    Raises:
        HeaderJsonInvalid: A field is missing or not of its form.
        ConfigurationInvalid: The options cannot be, or the preset is unknown.
    """
    first, options = _data(genesis), _data(specification)
    names = {"mainnet": MAINNET, "minimal": MINIMAL}
    base = options.get("PRESET_BASE")
    if not isinstance(base, str) or base not in names:
        raise ConfigurationInvalid("PRESET_BASE must be mainnet or minimal.")
    preset = names[base]
    sizes = {
        "SLOTS_PER_EPOCH": preset.slots_per_epoch,
        "EPOCHS_PER_SYNC_COMMITTEE_PERIOD": preset.epochs_per_period,
        "SYNC_COMMITTEE_SIZE": preset.committee_size,
    }
    for name, size in sizes.items():
        if _integer(options.get(name), name) != size:
            raise ConfigurationInvalid(f"{name} must be {size}, as the preset says.")
    forks = [Fork(FORKS[0], 0, _bytes(first.get("genesis_fork_version"), 4, "genesis_fork_version"))]
    for name in FORKS[1:]:
        epoch = _integer(options.get(f"{name.upper()}_FORK_EPOCH", str(FAR_FUTURE_EPOCH)), f"{name} epoch")
        if epoch == FAR_FUTURE_EPOCH:
            break
        forks.append(Fork(name, epoch, _bytes(options.get(f"{name.upper()}_FORK_VERSION"), 4, f"{name} version")))
    return BeaconConfiguration(
        genesis_validators_root=Bytes32(_bytes(first.get("genesis_validators_root"), 32, "genesis_validators_root")),
        genesis_time=_integer(first.get("genesis_time"), "genesis_time"),
        forks=tuple(forks),
        seconds_per_slot=_integer(options.get("SECONDS_PER_SLOT"), "SECONDS_PER_SLOT"),
        preset=preset,
        checkpoint_age_limit_s=checkpoint_age_limit_s,
    )


def _data(answer: Any) -> dict[str, Any]:
    match answer:
        case {"data": dict() as data}:
            return data
        case _:
            raise HeaderJsonInvalid("The answer has no data.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise ValueError("a name stands twice")
    return read


def _read(kind: SszType, value: Any, name: str) -> Value:
    match kind:
        case Container():
            if not isinstance(value, dict) or set(value) != {field for field, _ in kind.fields}:
                raise HeaderJsonInvalid(f"{name} has not exactly its fields.")
            return tuple(_read(field, value[field_name], field_name) for field_name, field in kind.fields)
        case Vector():
            if not isinstance(value, list) or len(value) != kind.length:
                raise HeaderJsonInvalid(f"{name} must be a list of {kind.length}.")
            return tuple(_read(kind.element, item, name) for item in value)
        case Uint():
            number = _integer(value, name)
            if number >> 8 * kind.size:
                raise HeaderJsonInvalid(f"{name} must be a number of at most {kind.size} bytes.")
            return number
        case ByteList():
            data = _bytes(value, None, name)
            if len(data) > kind.limit:
                raise HeaderJsonInvalid(f"{name} must have at most {kind.limit} bytes.")
            return data
        case _:
            return _bytes(value, kind.fixed_size, name)


def _integer(value: Any, name: str) -> int:
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        raise HeaderJsonInvalid(f"{name} must be a decimal number in quotes, without leading zeros.")
    return int(value)


def _bytes(value: Any, size: int | None, name: str) -> bytes:
    match = _HEXADECIMAL.fullmatch(value) if isinstance(value, str) else None
    if match is None or (size is not None and len(match.group(1)) != 2 * size):
        raise HeaderJsonInvalid(f"{name} must be hexadecimal after 0x, of its size.")
    return bytes.fromhex(match.group(1))
