"""Who belongs to an organisation, and as what (Fabric 3.1 `msp/mspimplsetup.go`, `mspimplvalidate.go`, `mspimpl.go`).

An identity is a certificate of its organisation when all of this holds:
1. It can be read and has a key of P-256.
2. It is no authority, and a chain leads from it to one of the organisation's roots over its intermediates; no certificate of
   the chain is revoked.
3. Where the organisation asks for organisational units, and has no node units, it has one of them, from the authority that
   the rule names.
4. Where the organisation has node units, it has exactly one of client, peer, admin and orderer, from the authority that the
   rule names.

The time is not among them: Fabric validates an identity as of its issue. `Identity.expires_at` lets a caller be stricter.
Two certificates with one key count as one identity, so that a certificate whose signature was rewritten is no second voice.
"""

from __future__ import annotations

import hashlib
from collections import deque
from dataclasses import dataclass, replace
from functools import lru_cache

from light_clients.crypto import p256
from light_clients.crypto.certificates import (
    Certificate,
    RevocationList,
    read_certificate,
    read_revocation_list,
    verify_chain,
)
from light_clients.crypto.errors import CertificateRefused, CertificateRevoked
from light_clients.fabric.errors import IdentityInvalid, IdentityRevoked, IdentityRoleInvalid
from light_clients.protobuf import Message

NODE_ROLES = ("client", "peer", "admin", "orderer")
"""In the order of their fields in `FabricNodeOUs`, from field 2 on."""

MAXIMUM_AUTHORITIES = 64
"""Roots, intermediates or administrators of one organisation."""


@dataclass(frozen=True, slots=True)
class UnitRule:
    """An organisational unit that an organisation gives a meaning.

    Attributes:
        unit: Its name.
        authority: DER of the certificate that must have issued it, or empty for any of the organisation.
    """

    unit: str
    authority: bytes


@dataclass(frozen=True, slots=True)
class Membership:
    """The membership rules of one organisation.

    Attributes:
        msp_id: Its id.
        roots: Its root authorities.
        intermediates: Authorities below them.
        administrators: DER of certificates that are administrators by being listed.
        revocation_lists: As `crypto.certificates` reads them.
        unit_rules: Units of which an identity must have one; none for no such rule.
        node_rules: Rules for the roles, by role; empty where node units are off.
    """

    msp_id: str
    roots: tuple[Certificate, ...]
    intermediates: tuple[Certificate, ...]
    administrators: frozenset[bytes]
    revocation_lists: tuple[RevocationList, ...]
    unit_rules: tuple[UnitRule, ...]
    node_rules: tuple[tuple[str, UnitRule], ...]


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate that its organisation's rules accept.

    Attributes:
        msp_id: The organisation.
        certificate: DER.
        public_key: 65 bytes.
        authorities: DER of its issuer, the issuer's issuer, and so on up to the root.
        units: Organisational units.
        roles: The roles that it has: one of `NODE_ROLES`, or ``admin`` by being listed.
        expires_at: Unix seconds; the earliest end of validity in the chain.
    """

    msp_id: str
    certificate: bytes
    public_key: bytes
    authorities: tuple[bytes, ...]
    units: tuple[str, ...]
    roles: frozenset[str]
    expires_at: int

    @property
    def key(self) -> tuple[str, bytes]:
        """What makes it one identity: the organisation and the public key."""
        return self.msp_id, self.public_key

    @property
    def issuer_chain(self) -> bytes:
        """`CertifiersIdentifier` of its units: SHA-256 of the authorities' DER, 32 bytes."""
        return hashlib.sha256(b"".join(self.authorities)).digest()

    def signed(self, message: bytes, signature: bytes) -> bool:
        """Whether it signed a message: ECDSA with SHA-256, strict DER, low s alone, as Fabric's BCCSP asks.

        Args:
            message: Any bytes.
            signature: DER.
        """
        return p256.verify(self.public_key, message, signature, low_s=True)


@lru_cache(maxsize=64)
def read_membership(content: bytes) -> Membership:
    """Reads the rules of one organisation.

    Args:
        content: `FabricMSPConfig`.

    Raises:
        IdentityInvalid: There are too many authorities.
        CertificateRefused: A certificate or a revocation list in it cannot be read.
        ProtobufRefused: It is no such message.
    """
    message = Message.read(content, range(1, 12))
    nodes = Message.read(message.octets(11), range(1, 6))
    rules = [(role, nodes.octets(field)) for field, role in enumerate(NODE_ROLES, 2) if nodes.has(field)]
    return Membership(
        msp_id=message.text(1),
        roots=_read_certificates(message.repeated(2)),
        intermediates=_read_certificates(message.repeated(3)),
        administrators=frozenset(item.der for item in _read_certificates(message.repeated(4))),
        revocation_lists=tuple(read_revocation_list(item) for item in message.repeated(5)),
        unit_rules=tuple(_read_rule(item) for item in message.repeated(7)),
        node_rules=tuple((role, _read_rule(item)) for role, item in rules) if nodes.integer(1) else (),
    )


@lru_cache(maxsize=4096)
def read_identity(content: bytes, id_bytes: bytes) -> Identity:
    """Judges a certificate by the rules of its organisation; the list of checks is the module's.

    Args:
        content: `FabricMSPConfig` of the organisation.
        id_bytes: The certificate, PEM.

    Raises:
        IdentityRevoked: A certificate of the chain is revoked.
        IdentityRoleInvalid: Its units are not those that the organisation asks for.
        IdentityInvalid: Its organisation did not issue it.
    """
    membership = read_membership(content)
    # 1. Form.
    try:
        certificate = read_certificate(id_bytes)
    except CertificateRefused as error:
        raise IdentityInvalid(f"The certificate of an identity cannot be read: {error}") from error
    if certificate.scheme != "p256-sha256" or certificate.is_authority:
        raise IdentityInvalid(
            "An identity of Fabric is a P-256 certificate and no authority.", found=certificate.scheme
        )
    # 2. The chain.
    chain = _chain(membership, certificate)
    found = Identity(
        msp_id=membership.msp_id,
        certificate=certificate.der,
        public_key=certificate.public_key,
        authorities=tuple(authority.der for authority in chain),
        units=tuple(certificate.organisational_units),
        roles=frozenset(),
        expires_at=min(item.not_after for item in (certificate, *chain)),
    )
    # 3. Units that every identity has.
    ruled = not membership.node_rules and bool(membership.unit_rules)
    if ruled and not any(_has_unit(found, rule) for rule in membership.unit_rules):
        raise IdentityRoleInvalid("The certificate has none of the units that its organisation asks for.")
    # 4. Node units.
    return _with_roles(membership, found)


def split_identity(serialized: bytes) -> tuple[str, bytes]:
    """The organisation and the certificate of a `SerializedIdentity`.

    Raises:
        ProtobufRefused: It is no such message.
    """
    message = Message.read(serialized, (1, 2))
    return message.text(1), message.octets(2)


def _chain(membership: Membership, certificate: Certificate) -> tuple[Certificate, ...]:
    """The authorities above a certificate, after the whole chain was verified."""
    try:
        verify_chain(certificate, membership.roots, membership.intermediates, None, membership.revocation_lists)
    except CertificateRevoked as error:
        raise IdentityRevoked(f"A certificate of the chain is revoked: {error}") from error
    except CertificateRefused as error:
        raise IdentityInvalid(f"The organisation did not issue the certificate: {error}") from error
    return _way_up(membership, certificate)


def _way_up(membership: Membership, certificate: Certificate) -> tuple[Certificate, ...]:
    """The authorities above a certificate up to a root, breadth first, as `verify_chain` searched before: there is a way."""
    ways: deque[tuple[Certificate, ...]] = deque([()])
    reached: set[Certificate] = set()
    while True:
        way = ways.popleft()
        below = way[-1] if way else certificate
        for issuer in (*membership.roots, *membership.intermediates):
            if issuer not in reached and _is_issued_by(membership, below, issuer):
                if issuer in membership.roots:
                    return (*way, issuer)
                reached.add(issuer)
                ways.append((*way, issuer))


def _is_issued_by(membership: Membership, certificate: Certificate, issuer: Certificate) -> bool:
    try:
        verify_chain(certificate, (issuer,), (), None, membership.revocation_lists, allow_authority=True)
    except CertificateRefused:
        return False
    return True


def _with_roles(membership: Membership, found: Identity) -> Identity:
    listed = found.certificate in membership.administrators
    rules = {rule.unit: (role, rule) for role, rule in membership.node_rules}
    roles: list[str] = []
    for unit in found.units:
        if unit in rules:
            role, rule = rules[unit]
            if not _has_unit(found, rule):
                raise IdentityRoleInvalid(
                    "Another authority than the rule's gave the certificate its unit.", found=unit
                )
            roles.append(role)
    if membership.node_rules and len(roles) != 1:
        raise IdentityRoleInvalid("A certificate is exactly one of client, peer, admin and orderer.", found=len(roles))
    if listed:
        roles.append("admin")
    return replace(found, roles=frozenset(roles))


def _has_unit(found: Identity, rule: UnitRule) -> bool:
    return rule.unit in found.units and rule.authority in (b"", found.authorities[0])


def _read_rule(data: bytes) -> UnitRule:
    message = Message.read(data, (1, 2))
    authority = message.octets(1)
    return UnitRule(message.text(2), read_certificate(authority).der if authority else b"")


def _read_certificates(items: tuple[bytes, ...]) -> tuple[Certificate, ...]:
    if len(items) > MAXIMUM_AUTHORITIES:
        raise IdentityInvalid(
            "An organisation has too many authorities.", expected=MAXIMUM_AUTHORITIES, found=len(items)
        )
    return tuple(read_certificate(item) for item in items)
