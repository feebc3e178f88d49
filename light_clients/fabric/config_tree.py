"""The tree of a channel's configuration (Fabric 3.1 `common/configtx.proto`).

A group has a version, groups, values and policies by name, and names the policy that guards it. It is read without
recursion beyond ``MAXIMUM_DEPTH``; a name that stands twice is refused, because readers differ in which of the two they take,
and so is one with a slash, because guards are named by paths.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from light_clients.fabric.errors import ConfigInvalid
from light_clients.protobuf import Message

MAXIMUM_DEPTH = 6
"""Groups inside groups; a channel's are Channel, Application or Orderer, and an organisation."""

MAXIMUM_CONFIG_SIZE = 4 * 1024 * 1024
"""Bytes of a configuration; one with two organisations has 31 KB."""


@dataclass(frozen=True, slots=True)
class ConfigItem:
    """A value or a policy.

    Attributes:
        version: Grows by one with every change.
        content: The value's bytes, or `common.Policy`.
        mod_policy: The policy that guards it.
    """

    version: int
    content: bytes
    mod_policy: str


@dataclass(frozen=True, slots=True)
class ConfigGroup:
    """A group.

    Attributes:
        version: Grows by one with every change of its members.
        groups: Groups in it by name.
        values: Values by name.
        policies: Policies by name.
        mod_policy: The policy that guards it.
    """

    version: int
    groups: Mapping[str, ConfigGroup]
    values: Mapping[str, ConfigItem]
    policies: Mapping[str, ConfigItem]
    mod_policy: str

    def value(self, name: str) -> bytes:
        """The bytes of a value; empty where there is none."""
        item = self.values.get(name)
        return item.content if item else b""


def read_group(data: bytes, depth: int = 0) -> ConfigGroup:
    """Reads a group with everything in it.

    Args:
        data: `ConfigGroup`.
        depth: Groups around it.

    Raises:
        ConfigInvalid: It is too deep, or a name stands twice.
        ProtobufRefused: It is no group.
    """
    if depth > MAXIMUM_DEPTH:
        raise ConfigInvalid("The groups of a configuration are nested too deep.", expected=MAXIMUM_DEPTH)
    message = Message.read(data, (1, 2, 3, 4, 5))
    groups = {name: read_group(content, depth + 1) for name, content in _entries(message, 2).items()}
    return ConfigGroup(
        version=message.integer(1),
        groups=MappingProxyType(groups),
        values=MappingProxyType({name: _read_value(content) for name, content in _entries(message, 3).items()}),
        policies=MappingProxyType({name: _read_value(content) for name, content in _entries(message, 4).items()}),
        mod_policy=message.text(5),
    )


def _entries(message: Message, number: int) -> dict[str, bytes]:
    """The entries of a map field."""
    found: dict[str, bytes] = {}
    for data in message.repeated(number):
        entry = Message.read(data, (1, 2))
        name = entry.text(1)
        if not name or "/" in name:
            raise ConfigInvalid("A name in the configuration is empty or looks like a path.", found=name)
        if name in found:
            raise ConfigInvalid("A name stands twice in a group of the configuration.", found=name)
        found[name] = entry.octets(2)
    return found


def _read_value(data: bytes) -> ConfigItem:
    """`ConfigValue` and `ConfigPolicy` have the same fields: version, content, guard."""
    message = Message.read(data, (1, 2, 3))
    return ConfigItem(message.integer(1), message.octets(2), message.text(3))
