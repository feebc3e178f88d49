"""A configuration of Clique as options that a person writes, and what a genesis file says of it.

    epoch_length = 30000
    confirmations = 6                   # blocks that must follow before a block is final; floor(n / 2) + 1 at least
    period_s = 5
    trusting_period_s = 1209600
    maximum_drift_s = 15
    counts_idle_votes = false           # true for Besu

What is not said has its default; what is unknown is refused. Sources: go-ethereum `params.CliqueConfig` (period, epoch), Besu
`CliqueConfigOptions` (blockperiodseconds, epochlength, createemptyblocks).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from light_clients.clique.types import CliqueConfiguration
from light_clients.errors import ConfigurationInvalid

_GENESIS_KEYS = {
    "period": "period_s",
    "epoch": "epoch_length",
    "blockperiodseconds": "period_s",
    "epochlength": "epoch_length",
}
_PASSED_OVER = {"createemptyblocks"}


def read_options(options: Mapping[str, Any]) -> CliqueConfiguration:
    """Makes a configuration out of options.

    Args:
        options: As a TOML or JSON reader gives them.

    Raises:
        ConfigurationInvalid: An option is unknown, not of its kind, or out of its range; the message names it.
    """
    defaults = write_all(CliqueConfiguration())
    for name, value in options.items():
        if name not in defaults:
            raise ConfigurationInvalid(f"There is no option {name!r}; the options are {', '.join(defaults)}.")
        if type(value) is not type(defaults[name]):
            kind = "true or false" if isinstance(defaults[name], bool) else "a whole number"
            raise ConfigurationInvalid(f"The option {name} is {kind}.", found=str(value)[:80])
    return CliqueConfiguration(**options)


def write_options(configuration: CliqueConfiguration) -> dict[str, Any]:
    """The options of a configuration: what differs from the defaults; `read_options` makes the same one out of them."""
    defaults = write_all(CliqueConfiguration())
    return {name: value for name, value in write_all(configuration).items() if value != defaults[name]}


def write_all(configuration: CliqueConfiguration) -> dict[str, Any]:
    """Every option by its name."""
    return {field.name: getattr(configuration, field.name) for field in fields(configuration)}


def options_of_genesis(section: Mapping[str, Any]) -> dict[str, Any]:
    """Options out of the section `config.clique` of a genesis file; an epoch of 0 is the default one, as in geth.

    Raises:
        ConfigurationInvalid: What a key changes is not known, or a value is no number.
    """
    told: dict[str, Any] = {}
    for key, value in section.items():
        name = _GENESIS_KEYS.get(key.lower())
        if name is None:
            if key.lower() in _PASSED_OVER:
                continue
            raise ConfigurationInvalid(f"What {key} in config.clique changes is not known; write the options by hand.")
        if type(value) is not int or value < 0:
            raise ConfigurationInvalid(f"The {key} of config.clique is a whole number.", found=str(value)[:80])
        if value:
            told[name] = value
    return write_options(read_options(told))
