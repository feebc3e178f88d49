"""A configuration of FISCO BCOS as options that a person writes, in TOML or JSON.

    line = 3                            # 2 or 3; the only one that has no default
    suite = "sm"                        # evm: keccak-256 and secp256k1; sm: SM3 and SM2
    chain_id = "chain0"                 # needed on line 3; on line 2 a number, for notes of the log
    group_id = "group0"                 # as chain_id
    extra_data_size = 0                 # bytes of extra data in every header of line 3
    trusting_period_s = 1209600
    maximum_drift_s = 15

What is not said has its default; what is unknown is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from light_clients.errors import ConfigurationInvalid
from light_clients.fisco.types import (
    FiscoConfiguration,
)

_DEFAULTS = {field.name: field.default for field in fields(FiscoConfiguration)} | {"line": 0}


def read_options(options: Mapping[str, Any]) -> FiscoConfiguration:
    """Makes a configuration out of options.

    Args:
        options: As a TOML or JSON reader gives them.

    Raises:
        ConfigurationInvalid: An option is unknown, not of its kind, or out of its range, or the line is missing; the message
            names it.
    """
    for name, value in options.items():
        if name not in _DEFAULTS:
            raise ConfigurationInvalid(f"There is no option {name!r}; the options are {', '.join(_DEFAULTS)}.")
        if type(value) is not type(_DEFAULTS[name]):
            kind = "a text" if isinstance(_DEFAULTS[name], str) else "a whole number"
            raise ConfigurationInvalid(f"The option {name} is {kind}.", found=str(value)[:80])
    if "line" not in options:
        raise ConfigurationInvalid("The option line is missing: 2 for FISCO BCOS 2.x, 3 for 3.x.")
    return FiscoConfiguration(**options)


def write_options(configuration: FiscoConfiguration) -> dict[str, Any]:
    """The options of a configuration: what differs from the defaults; `read_options` makes the same one out of them."""
    values = {name: getattr(configuration, name) for name in _DEFAULTS}
    return {name: value for name, value in values.items() if value != _DEFAULTS[name]}
