"""The configuration of a channel as a tree, its policies, and updates of it (Fabric 3.1 `common/configtx.proto`, `common/policies.proto`).

Groups are immutable; a change gives a new tree. An update is made of the frame of what it touches, as `configtxlator` makes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from adapters.fabric.simulator.wire import explicit, message

MEMBER, ADMIN, CLIENT, PEER, ORDERER = "member", "admin", "client", "peer", "orderer"
ROLES = {MEMBER: 0, ADMIN: 1, CLIENT: 2, PEER: 3, ORDERER: 4}
"""Numbers of `MSPRole.MSPRoleType`."""

ANY, ALL, MAJORITY = 0, 1, 2
"""Rules of an implicit policy."""


@dataclass(frozen=True)
class Item:
    """A value or a policy of a configuration."""

    content: bytes
    version: int = 0
    guard: str = "Admins"

    def encoded(self) -> bytes:
        """`ConfigValue` or `ConfigPolicy`."""
        return message((1, self.version), (2, self.content), (3, self.guard or None))


@dataclass(frozen=True)
class Group:
    """A group of a configuration."""

    version: int = 0
    groups: dict[str, Group] = field(default_factory=dict)
    values: dict[str, Item] = field(default_factory=dict)
    policies: dict[str, Item] = field(default_factory=dict)
    guard: str = "Admins"

    def encoded(self) -> bytes:
        """`ConfigGroup`."""
        written = message((1, self.version))
        for name, group in self.groups.items():
            written += message((2, message((1, name), (2, group.encoded()))))
        for number, items in ((3, self.values), (4, self.policies)):
            for name, item in items.items():
                written += message((number, message((1, name), (2, item.encoded()))))
        return written + message((5, self.guard or None))

    def changed(self, path: Sequence[str], change: Callable[[Group], Group]) -> Group:
        """The tree with one group of it changed."""
        if not path:
            return change(self)
        below = self.groups[path[0]].changed(path[1:], change)
        return replace(self, groups={**self.groups, path[0]: below})

    def at(self, *path: str) -> Group:
        """A group of the tree."""
        return self.groups[path[0]].at(*path[1:]) if path else self

    def frame(self, *path: str) -> Group:
        """The tree with nothing in it but the way to one group, as an update has it."""
        below = {path[0]: self.groups[path[0]].frame(*path[1:])} if path else {}
        return Group(self.version, below, guard="")


def role_principal(msp_id: str, role: str) -> bytes:
    """A principal: a role in an organisation."""
    return message((2, message((1, msp_id), (2, ROLES[role]))))


def signed_by(index: int) -> bytes:
    """A rule: one principal."""
    return explicit(1, index)


def out_of(count: int, *rules: bytes) -> bytes:
    """A rule: so many of others."""
    return message((2, message((1, count), *((2, rule) for rule in rules))))


def signature_policy(rule: bytes, *principals: bytes) -> bytes:
    """`SignaturePolicyEnvelope`."""
    return message((2, rule), *((3, principal) for principal in principals))


def roles_policy(count: int, *roles: tuple[str, str]) -> bytes:
    """`SignaturePolicyEnvelope`: so many of (organisation, role) pairs."""
    rules = [signed_by(index) for index in range(len(roles))]
    return signature_policy(out_of(count, *rules), *(role_principal(*pair) for pair in roles))


def signatures(envelope: bytes) -> bytes:
    """A `common.Policy` of signatures."""
    return message((1, 1), (2, envelope))


def implicit(name: str, rule: int) -> bytes:
    """A `common.Policy` over the groups below; 0 any, 1 all, 2 more than half."""
    return message((1, 3), (2, message((1, name), (2, rule))))


def meta_policies() -> dict[str, Item]:
    """Policies of a group above organisations."""
    return {
        "Readers": Item(implicit("Readers", ANY)),
        "Writers": Item(implicit("Writers", ANY)),
        "Admins": Item(implicit("Admins", MAJORITY)),
    }


def organisation_group(msp_id: str, content: bytes) -> Group:
    """The group of an organisation.

    Args:
        msp_id: its membership id.
        content: `FabricMSPConfig`.
    """
    return Group(
        values={"MSP": Item(message((2, content)))},
        policies={
            "Readers": Item(signatures(roles_policy(1, (msp_id, MEMBER)))),
            "Writers": Item(signatures(roles_policy(1, (msp_id, MEMBER)))),
            "Admins": Item(signatures(roles_policy(1, (msp_id, ADMIN)))),
            "Endorsement": Item(signatures(roles_policy(1, (msp_id, PEER)))),
        },
    )


def byzantine_policy(consenters: Sequence[bytes]) -> bytes:
    """`common.Policy` of SmartBFT's BlockValidation: a quorum of the consenters' own identities.

    Args:
        consenters: `SerializedIdentity` of each.
    """
    count = len(consenters)
    wanted = (count + (count - 1) // 3 + 2) // 2
    rules = [signed_by(index) for index in range(count)]
    return signatures(signature_policy(out_of(wanted, *rules), *(message((1, 2), (2, each)) for each in consenters)))


def config_envelope(
    root: Group, sequence: int, last_update: bytes, *, channel: str, timestamp: int, kind: int = 1
) -> bytes:
    """The envelope of a configuration."""
    header = message((1, kind), (3, message((1, timestamp))), (4, channel))
    content = message((1, message((1, sequence), (2, root.encoded()))), (2, last_update or None))
    payload = message((1, message((1, header), (2, message((2, bytes(24)))))), (2, content))
    return message((1, payload), (2, b"signature of an orderer"))


def unchanged(items: dict[str, Item]) -> dict[str, Item]:
    """Members as an update lists them: their versions and no more."""
    return {name: Item(b"", item.version, "") for name, item in items.items()}
