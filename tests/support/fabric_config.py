"""The configuration of a synthetic Fabric channel, and what all its messages are written with: organisations, policies, groups.

Messages are written field by field by a writer of this file's own, not by the product's. Keys follow from labels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from schemas.primitives import LaneId
from tests.support import certificate_authority as authority
from tests.support.certificate_authority import Issued

START = 1_800_000_000
CHANNEL = "trade"
CHAINCODE = "gateway"
LIFECYCLE = "_lifecycle"
SEQUENCE_KEY = f"namespaces/fields/{CHAINCODE}/Sequence"
DEFINED_AT = (0, 0)
"""Where the builder says that the definition of the gateway was committed."""
LANE = LaneId(hashlib.sha256(b"lane").digest())
CLIENT, PEER, ADMIN, ORDERER, MEMBER = "client", "peer", "admin", "orderer", "member"
ROLES = {MEMBER: 0, ADMIN: 1, CLIENT: 2, PEER: 3, ORDERER: 4}


def varint(value: int) -> bytes:
    """A varint."""
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*written, value))


def message(*fields: tuple[int, int | str | bytes | None]) -> bytes:
    """A protobuf message: numbers other than 0 as varints, text and bytes with a length; ``None`` and 0 are left out."""
    written = b""
    for number, value in fields:
        if isinstance(value, int):
            written += varint(number << 3) + varint(value) if value else b""
        elif value is not None:
            data = value.encode() if isinstance(value, str) else value
            written += varint(number << 3 | 2) + varint(len(data)) + data
    return written


def explicit(number: int, value: int) -> bytes:
    """A number of a choice, written even where it is 0."""
    return varint(number << 3) + varint(value)


@dataclass(frozen=True)
class Organisation:
    """An organisation with its own root, and an intermediate below it where asked for.

    Attributes:
        msp_id: membership id.
        intermediate: whether certificates are issued by an intermediate authority.
        node_units: whether roles come from organisational units.
        listed: labels of certificates that are administrators by being listed.
        revoked: labels of certificates that were taken back.
        unit_rules: units of which an identity must have one.
    """

    msp_id: str
    intermediate: bool = False
    node_units: bool = True
    listed: tuple[str, ...] = ()
    revoked: tuple[str, ...] = ()
    unit_rules: tuple[str, ...] = ()

    @cached_property
    def root(self) -> Issued:
        """The root authority."""
        return authority.root(f"ca.{self.msp_id}", organisation=self.msp_id)

    @cached_property
    def issuer(self) -> Issued:
        """The authority that issues certificates."""
        if not self.intermediate:
            return self.root
        return authority.issue(self.root, f"ica.{self.msp_id}", authority=True)

    def member(self, role: str, label: str = "0", **wrong) -> Issued:
        """A certificate with a role; `wrong` as in `certificate_authority.issue`."""
        named = f"{role}{label}.{self.msp_id}"
        return authority.issue(self.issuer, named, **{"units": (role,), **wrong})

    def serialized(self, issued: Issued) -> bytes:
        """`SerializedIdentity`."""
        return message((1, self.msp_id), (2, issued.pem))

    @cached_property
    def content(self) -> bytes:
        """`FabricMSPConfig`."""
        rule = [message((1, self.issuer.pem), (2, role)) for role in (CLIENT, PEER, ADMIN, ORDERER)]
        lists = [
            authority.pem(authority.revocation_list(self.issuer, [serial_of(f"{label}.{self.msp_id}")]), "X509 CRL")
            for label in self.revoked
        ]
        return message(
            (1, self.msp_id),
            (2, self.root.pem),
            *(((3, self.issuer.pem),) if self.intermediate else ()),
            *((4, self.member(ADMIN, label, units=()).pem) for label in self.listed),
            *((5, item) for item in lists),
            *((7, message((1, self.issuer.pem), (2, unit))) for unit in self.unit_rules),
            (8, message((1, "SHA2"), (2, "SHA256"))),
            (11, message((1, int(self.node_units)), *enumerate(rule, 2))),
        )


def serial_of(label: str) -> int:
    """The serial number that the certificate of a label has."""
    return int.from_bytes(hashlib.sha256(b"serial " + label.encode()).digest()[:15], "big") + 1


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
        maps = ((2, self.groups), (3, self.values), (4, self.policies))
        entries = [
            (number, message((1, name), (2, each.encoded()))) for number, items in maps for name, each in items.items()
        ]
        return message((1, self.version), *entries, (5, self.guard or None))

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


def organisation_group(organisation: Organisation) -> Group:
    """The group of an organisation."""
    msp_id = organisation.msp_id
    return Group(
        values={"MSP": Item(message((2, organisation.content)))},
        policies={
            "Readers": Item(signatures(roles_policy(1, (msp_id, MEMBER)))),
            "Writers": Item(signatures(roles_policy(1, (msp_id, MEMBER)))),
            "Admins": Item(signatures(roles_policy(1, (msp_id, ADMIN)))),
            "Endorsement": Item(signatures(roles_policy(1, (msp_id, PEER)))),
        },
    )


def meta_policies() -> dict[str, Item]:
    """Policies of a group above organisations."""
    return {
        "Readers": Item(implicit("Readers", 0)),
        "Writers": Item(implicit("Writers", 0)),
        "Admins": Item(implicit("Admins", 2)),
    }


def config_envelope(
    root: Group, sequence: int, last_update: bytes, *, channel: str = CHANNEL, kind: int = 1, timestamp: int = START
) -> bytes:
    """The envelope of a configuration."""
    header = message((1, kind), (3, message((1, timestamp))), (4, channel))
    content = message((1, message((1, sequence), (2, root.encoded()))), (2, last_update or None))
    payload = message((1, message((1, header), (2, message((2, bytes(24)))))), (2, content))
    return message((1, payload), (2, b"signature of an orderer"))


def update_envelope(
    read_set: Group,
    write_set: Group,
    signers: Sequence[tuple[Organisation, Issued]],
    *,
    channel: str = CHANNEL,
    kind: int = 2,
    signed: bytes | None = None,
) -> bytes:
    """The envelope of an update with signatures of administrators; `signed` is what they sign in its place."""
    update = message((1, channel), (2, read_set.encoded()), (3, write_set.encoded()))
    made = []
    for organisation, issued in signers:
        header = message((1, organisation.serialized(issued)), (2, bytes(24)))
        made.append(message((1, header), (2, issued.key.sign(header + (update if signed is None else signed)))))
    header = message((1, message((1, kind), (4, channel))), (2, b""))
    payload = message((1, header), (2, message((1, update), *((2, item) for item in made))))
    return message((1, payload))
