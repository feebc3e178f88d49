"""The light clients by the name that a configuration gives them."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from light_clients import development, ibft, ibft2, qbft
from light_clients.errors import ConfigurationInvalid
from light_clients.protocol import LightClient

FAMILIES: MappingProxyType[str, LightClient[Any, Any, Any]] = MappingProxyType(
    {"qbft": qbft, "ibft2": ibft2, "ibft": ibft, "development": development}
)
"""Every consensus family that this version judges."""


def client_named(name: str) -> LightClient[Any, Any, Any]:
    """The light client of a family.

    Args:
        name: Such as ``qbft``.

    Returns:
        Its functions.

    Raises:
        ConfigurationInvalid: There is none of that name.
    """
    client = FAMILIES.get(name)
    if client is None:
        raise ConfigurationInvalid(f"There is no light client {name!r}; choose one of {', '.join(FAMILIES)}.")
    return client
