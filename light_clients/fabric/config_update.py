"""Whether a change of the configuration was allowed (Fabric 3.1 `common/configtx/validator.go`, `update.go`).

Orderers sign the block of a new configuration, and on raft any one of them could sign any. The organisations need not believe
them, and neither does this client: an update carries the signatures of those who may change what it changes. A configuration
follows the one before it when all of this holds:
1. Its sequence is the next one.
2. The update is of this channel and can be read.
3. Every version that it read is the one of the configuration before.
4. It changes something; what it changes has the next version, and what is new has version 0 and a guard.
5. The signatures on it satisfy the guard that each changed item had before; what is new is guarded by its group, whose
   version must change with its members. Signatures that do not hold are not counted.
6. The new configuration is the one before with these changes, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from light_clients.errors import LightClientError
from light_clients.fabric.codec import CONFIG_UPDATE
from light_clients.fabric.config_block import ChannelConfig, ConfigBlock, read_config
from light_clients.fabric.config_tree import ConfigGroup, ConfigItem, read_group
from light_clients.fabric.errors import (
    ChannelMismatch,
    ConfigResultMismatch,
    ConfigSequenceInvalid,
    ConfigUpdateInvalid,
    ConfigUpdateUnauthorised,
)
from light_clients.fabric.membership import Identity
from light_clients.fabric.policies import satisfies_policy
from light_clients.protobuf import Message

Place = tuple[str, ...]
"""Where an item stands: its kind (groups, values, policies), then the names of the groups from the channel down, then its own."""

MAXIMUM_SIGNATURES = 256
"""On one update."""


@dataclass(frozen=True, slots=True)
class Update:
    """An update that was read.

    Attributes:
        read_set: What it was made against.
        write_set: What it changes, with the unchanged groups around it.
        identities: Whose signatures on it hold.
    """

    read_set: ConfigGroup
    write_set: ConfigGroup
    identities: tuple[Identity, ...]


def check_update(before: ChannelConfig, brought: ConfigBlock, channel: str) -> ChannelConfig:
    """Judges a change of the configuration; the list of checks is the module's.

    Args:
        before: The configuration in force.
        brought: What the block brings.
        channel: Name of the channel.

    Returns:
        The new configuration.

    Raises:
        HeaderRefused: By its name.
        ProtobufRefused: A part cannot be read.
    """
    after = read_config(brought.channel_config)
    # 1. The sequence.
    if after.sequence != before.sequence + 1:
        raise ConfigSequenceInvalid(
            "The configuration is not the next one.", expected=before.sequence + 1, found=after.sequence
        )
    # 2. The update.
    update = _read_update(before, brought.last_update, channel)
    current, read = dict(_items(before.root)), dict(_items(update.read_set))
    # 3. What it read.
    for place, item in read.items():
        if place not in current or current[place].version != item.version:
            raise ConfigUpdateInvalid("The update was made against another configuration.", found="/".join(place))
    # 4. and 5. What it changes.
    changes = {
        place: item
        for place, item in _items(update.write_set)
        if place not in read or read[place].version != item.version
    }
    if not changes:
        raise ConfigUpdateInvalid("The update changes nothing.")
    for place, item in changes.items():
        _check_change(before, current.get(place), place, item, update.identities)
    # 6. The result.
    expected = _rebuilt({**current, **changes}, ("groups",))
    if expected != after.root:
        raise ConfigResultMismatch("The configuration is not what the update leads to.", found=after.sequence)
    return after


def _read_update(before: ChannelConfig, envelope: bytes, channel: str) -> Update:
    payload = Message.read(Message.read(envelope, (1, 2)).octets(1), (1, 2))
    header = Message.read(Message.read(payload.octets(1), (1, 2)).octets(1), range(1, 9))
    if header.integer(1) != CONFIG_UPDATE:
        raise ConfigUpdateInvalid("A configuration comes without its update.", found=header.integer(1))
    content = Message.read(payload.octets(2), (1, 2))
    signed = content.octets(1)
    update = Message.read(signed, (1, 2, 3, 5))
    if update.text(1) != channel:
        raise ChannelMismatch("The update is of another channel.", expected=channel, found=update.text(1))
    signatures = content.repeated(2)
    if len(signatures) > MAXIMUM_SIGNATURES:
        raise ConfigUpdateInvalid("The update has too many signatures.", found=len(signatures))
    identities = tuple(identity for item in signatures if (identity := _signer(before, item, signed)))
    return Update(read_group(update.octets(2)), read_group(update.octets(3)), identities)


def _signer(before: ChannelConfig, data: bytes, signed: bytes) -> Identity | None:
    """Who made a signature on an update, or ``None`` where it does not hold."""
    try:
        message = Message.read(data, (1, 2))
        header = message.octets(1)
        identity = before.identity(Message.read(header, (1, 2)).octets(1))
        return identity if identity.signed(header + signed, message.octets(2)) else None
    except LightClientError:
        return None


def _check_change(
    before: ChannelConfig,
    existing: ConfigGroup | ConfigItem | None,
    place: Place,
    item: ConfigGroup | ConfigItem,
    identities: tuple[Identity, ...],
) -> None:
    name = "/".join(place)
    expected = 0 if existing is None else existing.version + 1
    if item.version != expected:
        raise ConfigUpdateInvalid(f"{name} has not the next version.", expected=expected, found=item.version)
    if not item.mod_policy:
        raise ConfigUpdateInvalid(f"Nobody may change {name} again.")
    if existing is None:
        return
    path = existing.mod_policy
    if not path.startswith("/"):
        kind, *names = place
        path = "/".join(("/Channel", *(names if kind == "groups" else names[:-1]), path))
    if not satisfies_policy(before.root, path, identities, before.memberships):
        raise ConfigUpdateUnauthorised(f"Those who may change {name} did not sign the update.", expected=path)


def _items(group: ConfigGroup, names: Place = ()) -> Iterator[tuple[Place, ConfigGroup | ConfigItem]]:
    """Everything in a tree by its place, the tree itself first."""
    yield ("groups", *names), group
    for kind, items in (("values", group.values), ("policies", group.policies)):
        for name, item in items.items():
            yield (kind, *names, name), item
    for name, below in group.groups.items():
        yield from _items(below, (*names, name))


def _rebuilt(items: Mapping[Place, ConfigGroup | ConfigItem], place: Place) -> ConfigGroup:
    """The tree from its items: each group has the members that it names, as they stand among the items."""
    group, names = cast("ConfigGroup", items[place]), place[1:]
    return ConfigGroup(
        version=group.version,
        groups={name: _rebuilt(items, ("groups", *names, name)) for name in group.groups},
        values={name: cast("ConfigItem", items["values", *names, name]) for name in group.values},
        policies={name: cast("ConfigItem", items["policies", *names, name]) for name in group.policies},
        mod_policy=group.mod_policy,
    )
