"""A configuration as options that a person writes, in TOML or JSON; hashes and versions in hexadecimal with 0x.

    genesis_validators_root = "0x…"     # 32 bytes
    genesis_time = 1606824023           # Unix seconds
    preset = "mainnet"                  # or minimal
    [[forks]]                           # from phase0 on, in order
    name = "phase0"
    epoch = 0
    version = "0x00000000"

What is not said has its default; what is unknown is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from light_clients.beacon.types import MAINNET, MINIMAL, BeaconConfiguration, Fork, Preset
from light_clients.errors import ConfigurationInvalid
from schemas.primitives import Bytes32, SchemaError, bytes_from_hex

PRESETS: Mapping[str, Preset] = {"mainnet": MAINNET, "minimal": MINIMAL}
NUMBERS = ("genesis_time", "seconds_per_slot", "checkpoint_age_limit_s", "maximum_drift_s")
OPTIONS = ("genesis_validators_root", "forks", "preset", *NUMBERS)
NEEDED = ("genesis_validators_root", "genesis_time", "forks")


def read_options(options: Mapping[str, Any]) -> BeaconConfiguration:
    """Makes a configuration out of options.

    Raises:
        ConfigurationInvalid: An option is unknown, missing, not of its kind, or out of its range; the message names it.
    """
    read: dict[str, Any] = {}
    for name, value in options.items():
        if name not in OPTIONS:
            raise ConfigurationInvalid(f"There is no option {name!r}; the options are {', '.join(OPTIONS)}.")
        if name in NUMBERS:
            read[name] = _number(name, value)
        elif name == "preset":
            if value not in PRESETS:
                raise ConfigurationInvalid(f"The preset is one of {', '.join(PRESETS)}.", found=str(value)[:80])
            read[name] = PRESETS[value]
        elif name == "forks":
            if not isinstance(value, list):
                raise ConfigurationInvalid("The option forks is a list.", found=str(value)[:80])
            read[name] = tuple(_fork(item) for item in value)
        else:
            read[name] = Bytes32(_data(name, value, 32))
    missing = [name for name in NEEDED if name not in read]
    if missing:
        raise ConfigurationInvalid(f"The option {missing[0]} is missing.")
    return BeaconConfiguration(**read)


def write_options(configuration: BeaconConfiguration) -> dict[str, Any]:
    """The options of a configuration; `read_options` makes the same one out of them."""
    names = {preset: name for name, preset in PRESETS.items()}
    return {
        "genesis_validators_root": "0x" + configuration.genesis_validators_root.hex(),
        "preset": names[configuration.preset],
        "forks": [
            {"name": fork.name, "epoch": fork.epoch, "version": "0x" + fork.version.hex()}
            for fork in configuration.forks
        ],
        **{name: getattr(configuration, name) for name in NUMBERS},
    }


def _fork(value: Any) -> Fork:
    if not isinstance(value, Mapping) or set(value) != {"name", "epoch", "version"}:
        raise ConfigurationInvalid("A fork has a name, an epoch and a version.", found=str(value)[:80])
    if not isinstance(value["name"], str):
        raise ConfigurationInvalid("The name of a fork is a text.", found=str(value["name"])[:80])
    return Fork(value["name"], _number("epoch", value["epoch"]), _data("version", value["version"], 4))


def _number(name: str, value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ConfigurationInvalid(f"The option {name} is a whole number.", found=str(value)[:80])
    return value


def _data(name: str, value: Any, size: int) -> bytes:
    try:
        found = bytes_from_hex(value) if isinstance(value, str) else b""
    except SchemaError:
        found = b""
    if len(found) != size:
        raise ConfigurationInvalid(f"The option {name} is {size} bytes in hexadecimal with 0x.", found=str(value)[:80])
    return found
