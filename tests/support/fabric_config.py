"""The configuration of a synthetic Fabric channel, and what all its messages are written with: organisations, policies, groups.

The writer of messages and the tree of the configuration are the simulator's. Keys follow from labels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from adapters.fabric.simulator import configuration
from adapters.fabric.simulator.configuration import (
    ADMIN,
    CLIENT,
    MEMBER,
    ORDERER,
    PEER,
    ROLES,
    Group,
    Item,
    implicit,
    meta_policies,
    out_of,
    role_principal,
    roles_policy,
    signature_policy,
    signatures,
    signed_by,
)
from adapters.fabric.simulator.wire import explicit, message, varint
from schemas.primitives import LaneId
from tests.support import certificate_authority as authority
from tests.support.certificate_authority import Issued

__all__ = [
    "ADMIN", "CHAINCODE", "CHANNEL", "CLIENT", "DEFINED_AT", "LANE", "LIFECYCLE", "MEMBER", "ORDERER", "PEER", "ROLES",
    "SEQUENCE_KEY", "START", "Group", "Item", "Organisation", "config_envelope", "explicit", "implicit", "message",
    "meta_policies", "organisation_group", "out_of", "role_principal", "roles_policy", "serial_of", "signature_policy",
    "signatures", "signed_by", "update_envelope", "varint",
]  # fmt: skip

START = 1_800_000_000
CHANNEL = "trade"
CHAINCODE = "gateway"
LIFECYCLE = "_lifecycle"
SEQUENCE_KEY = f"namespaces/fields/{CHAINCODE}/Sequence"
DEFINED_AT = (0, 0)
"""Where the builder says that the definition of the gateway was committed."""
LANE = LaneId(hashlib.sha256(b"lane").digest())


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


def organisation_group(organisation: Organisation) -> Group:
    """The group of an organisation."""
    return configuration.organisation_group(organisation.msp_id, organisation.content)


def config_envelope(
    root: Group, sequence: int, last_update: bytes, *, channel: str = CHANNEL, kind: int = 1, timestamp: int = START
) -> bytes:
    """The envelope of a configuration."""
    return configuration.config_envelope(root, sequence, last_update, channel=channel, kind=kind, timestamp=timestamp)


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
