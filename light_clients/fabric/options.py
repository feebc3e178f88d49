"""A configuration as options that a person writes, in TOML or JSON; the names are those of `FabricConfiguration`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from light_clients.fabric.types import FabricConfiguration
from light_clients.plain_options import read_plain, write_plain


def read_options(options: Mapping[str, Any]) -> FabricConfiguration:
    """Makes a configuration out of options.

    Raises:
        ConfigurationInvalid: An option is unknown, not of its kind, or out of its range; the message names it.
    """
    return read_plain(FabricConfiguration, options)


def write_options(configuration: FabricConfiguration) -> dict[str, Any]:
    """The options of a configuration: what differs from the defaults; `read_options` makes the same one out of them."""
    return write_plain(configuration)
