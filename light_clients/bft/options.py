"""A configuration as options that a person writes, in TOML or JSON: addresses and hashes in hexadecimal with 0x.

    dialect = "besu"
    epoch_length = 30000
    [[overrides]]                       # a set that the network's configuration puts in place
    height = 1_000_000
    validators = ["0x…", "0x…"]
    [[selections]]                      # where the validators come from, from a height on
    height = 2_000_000
    mode = "contract"                   # header, contract or pinned
    contract = "0x…"
    slot = 0                            # of the address[] of validators
    code_hash = "0x…"                   # optional
    [[votes]]                           # open at the pinned header
    voter = "0x…"
    subject = "0x…"
    add = true

What is not said has its default; what is unknown is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

from light_clients.bft.types import (
    Address,
    BftConfiguration,
    Dialect,
    SelectionMode,
    ValidatorOverride,
    ValidatorSelection,
    Vote,
)
from light_clients.errors import ConfigurationInvalid

Options = Mapping[str, Any]
ItemT = TypeVar("ItemT")
ConfigurationT = TypeVar("ConfigurationT", bound=BftConfiguration)


def read_options(configuration_type: type[ConfigurationT], options: Options) -> ConfigurationT:
    """Makes a configuration out of options.

    Args:
        configuration_type: The family's configuration.
        options: As a TOML or JSON reader gives them.

    Returns:
        The configuration.

    Raises:
        ConfigurationInvalid: An option is unknown, not of its kind, or out of its range; the message names it.
    """
    known = {field.name for field in fields(configuration_type)}
    read: dict[str, Any] = {}
    for name, value in options.items():
        if name not in known:
            raise ConfigurationInvalid(f"There is no option {name!r}; the options are {', '.join(sorted(known))}.")
        read[name] = _READERS[name](value, name)
    return configuration_type(**read)


def write_options(configuration: BftConfiguration) -> dict[str, Any]:
    """The options of a configuration: `read_options` makes the same one out of them.

    Args:
        configuration: Any configuration.

    Returns:
        What differs from the family's defaults.
    """
    default = type(configuration)()
    told: dict[str, Any] = {}
    for name, write in _WRITERS.items():
        value = getattr(configuration, name)
        if value != getattr(default, name):
            told[name] = write(value)
    return told


def read_address(value: Any, name: str) -> Address:
    """Reads an address in hexadecimal, with or without 0x.

    Raises:
        ConfigurationInvalid: It has not 20 bytes.
    """
    return Address(_data(value, name, 20))


def _data(value: Any, name: str, size: int) -> bytes:
    digits = value.removeprefix("0x") if isinstance(value, str) else ""
    if len(digits) != 2 * size or any(digit not in "0123456789abcdefABCDEF" for digit in digits):
        raise ConfigurationInvalid(f"The option {name} is {size} bytes in hexadecimal with 0x.", found=str(value)[:80])
    return bytes.fromhex(digits)


def _integer(value: Any, name: str) -> int:
    if type(value) is not int or value < 0:
        raise ConfigurationInvalid(f"The option {name} is a whole number.", found=str(value)[:80])
    return value


def _boolean(value: Any, name: str) -> bool:
    if type(value) is not bool:
        raise ConfigurationInvalid(f"The option {name} is true or false.", found=str(value)[:80])
    return value


def _dialect(value: Any, name: str) -> Dialect:
    try:
        return Dialect(value)
    except ValueError:
        known = ", ".join(Dialect)
        raise ConfigurationInvalid(f"The option {name} is one of {known}.", found=str(value)[:80]) from None


def _mode(value: Any, name: str) -> SelectionMode:
    try:
        return SelectionMode(value)
    except ValueError:
        known = ", ".join(SelectionMode)
        raise ConfigurationInvalid(f"The option {name} is one of {known}.", found=str(value)[:80]) from None


def _list_of(read: Callable[[Any, str], ItemT]) -> Callable[[Any, str], tuple[ItemT, ...]]:
    def read_list(value: Any, name: str) -> tuple[ItemT, ...]:
        if not isinstance(value, list):
            raise ConfigurationInvalid(f"The option {name} is a list.", found=str(value)[:80])
        return tuple(read(item, name) for item in value)

    return read_list


def _table(value: Any, name: str, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> Options:
    if not isinstance(value, Mapping) or not set(required) <= set(value) <= {*required, *optional}:
        wanted = ", ".join((*required, *(f"{key} (optional)" for key in optional)))
        raise ConfigurationInvalid(f"An entry of {name} has {wanted}.", found=str(value)[:80])
    return value


def _override(value: Any, name: str) -> ValidatorOverride:
    table = _table(value, name, ("height", "validators"))
    validators = _list_of(read_address)(table["validators"], "validators")
    return ValidatorOverride(_integer(table["height"], "height"), tuple(sorted(validators)))


def _selection(value: Any, name: str) -> ValidatorSelection:
    table = _table(value, name, ("height", "mode"), ("contract", "slot", "code_hash"))
    return ValidatorSelection(
        _integer(table["height"], "height"),
        _mode(table["mode"], "mode"),
        read_address(table["contract"], "contract") if "contract" in table else b"",
        _integer(table.get("slot", 0), "slot"),
        _data(table["code_hash"], "code_hash", 32) if "code_hash" in table else b"",
    )


def _vote(value: Any, name: str) -> Vote:
    table = _table(value, name, ("voter", "subject", "add"))
    return Vote(
        read_address(table["voter"], "voter"),
        read_address(table["subject"], "subject"),
        _boolean(table["add"], "add"),
    )


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _write_override(override: ValidatorOverride) -> dict[str, Any]:
    return {"height": override.height, "validators": [_hex(validator) for validator in override.validators]}


def _write_selection(selection: ValidatorSelection) -> dict[str, Any]:
    told: dict[str, Any] = {"height": selection.height, "mode": str(selection.mode)}
    if selection.mode is SelectionMode.CONTRACT:
        told |= {"contract": _hex(selection.contract), "slot": selection.slot}
    return told | ({"code_hash": _hex(selection.code_hash)} if selection.code_hash else {})


def _write_vote(vote: Vote) -> dict[str, Any]:
    return {"voter": _hex(vote.voter), "subject": _hex(vote.subject), "add": vote.add}


_READERS: Mapping[str, Callable[[Any, str], Any]] = {
    "dialect": _dialect,
    "epoch_length": _integer,
    "trusting_period_s": _integer,
    "sub_second_blocks": _boolean,
    "maximum_drift_s": _integer,
    "overrides": _list_of(_override),
    "votes": _list_of(_vote),
    "selections": _list_of(_selection),
}
_WRITERS: Mapping[str, Callable[[Any], Any]] = {
    "dialect": str,
    "epoch_length": int,
    "trusting_period_s": int,
    "sub_second_blocks": bool,
    "maximum_drift_s": int,
    "overrides": lambda items: [_write_override(item) for item in items],
    "votes": lambda items: [_write_vote(item) for item in items],
    "selections": lambda items: [_write_selection(item) for item in items],
}
