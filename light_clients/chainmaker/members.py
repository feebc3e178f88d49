"""Who signed: certificates of consensus nodes (ChainMaker `module/accesscontrol`, permissionedWithCert).

A signature is believed when all of this holds:
1. The member is named by its certificate (type 0), or by the hash of a pinned one (type 1); others are refused by name.
2. Its organisation is the node's, and so is the organisation in the certificate (O).
3. The first organisational unit of the certificate (OU) is `consensus`.
4. Where the node has pins, or its organisation has several nodes, the certificate is one that is pinned for that node:
   nothing on the ledger says which certificate belongs to which of them.
5. The certificate is under the organisation's trust roots in the chain configuration, by at most three steps, is valid at the
   time of the block, and is none of the refused ones.
6. The signature holds under its key, by the scheme of the certificate: P-256 with SHA-256, or SM2 with SM3.

Judging a certificate costs as much as a vote, and the same few come with every block: the newest answers are remembered.
They are a function of the certificate's and the roots' bytes alone; times are compared for every block.
"""

from __future__ import annotations

from functools import lru_cache

from light_clients.chainmaker.errors import (
    MemberOrganisationMismatch,
    MemberRoleMismatch,
    MemberSignatureInvalid,
    MemberTypeUnsupported,
    MemberUnpinned,
    MemberUntrusted,
)
from light_clients.chainmaker.merkle import HASHES, sha256
from light_clients.chainmaker.types import ChainMakerConfiguration, ConsensusNode, Member, Membership
from light_clients.crypto import certificates
from light_clients.crypto.certificates import Certificate
from light_clients.errors import LightClientError

CERTIFICATE, CERTIFICATE_HASH = 0, 1
"""Types of members that can be judged."""

MEMBER_TYPES = {2: "public key", 3: "DID", 4: "alias", 5: "address"}
"""Types that cannot: `accesscontrol.MemberType`."""

CONSENSUS_ROLE = "CONSENSUS"


def check_signature(
    membership: Membership,
    configuration: ChainMakerConfiguration,
    member: Member,
    nodes: tuple[ConsensusNode, ...],
    timestamp: int,
    message: bytes,
    signature: bytes,
) -> bytes:
    """Judges a signature by a consensus node; the list of checks is the module's.

    Args:
        membership: Who may sign.
        configuration: Has the pins.
        member: Who is said to have signed.
        nodes: The nodes for which the member may sign: the voter, or all of its organisation for a proposer.
        timestamp: Of the block, Unix seconds.
        message: What is signed.
        signature: In DER.

    Returns:
        The public key, to count each once.

    Raises:
        HeaderRefused: The signature is not believed, by its name.
    """
    certificate = _certificate_of(membership, configuration, member)
    organisation = member.organisation
    stated, role = subject_of(certificate.der)
    # 2. The organisation.
    for home in (stated, *[node.organisation for node in nodes]):
        if home != organisation:
            raise MemberOrganisationMismatch(
                "The signer is of another organisation.", expected=home, found=organisation
            )
    # 3. The role.
    if role != CONSENSUS_ROLE:
        raise MemberRoleMismatch("The signer's certificate is none of a consensus node.", found=certificate.common_name)
    # 4. The pins.
    pinned = _pinned(configuration, nodes) if configuration.pins else []
    if certificate.der not in pinned and (pinned or len(membership.nodes_of(organisation)) > 1):
        raise MemberUnpinned("The certificate is not pinned for this node; state it in pins.", found=organisation)
    # 5. The trust roots.
    windows = validity_windows(certificate.der, membership.roots_of(organisation))
    if not [first for first, last in windows if first <= timestamp <= last]:
        raise MemberUntrusted("The certificate is not under the organisation's roots at this time.", found=organisation)
    if configuration.refused_certificates and sha256(certificate.der) in configuration.refused_certificates:
        raise MemberUntrusted("The certificate is one of the refused ones.", found=organisation)
    # 6. The signature.
    if not certificates.verify_message(certificate, message, signature):
        raise MemberSignatureInvalid("The signature does not hold.", found=organisation)
    return certificate.public_key


def _certificate_of(membership: Membership, configuration: ChainMakerConfiguration, member: Member) -> Certificate:
    """Finds the certificate of a member (check 1)."""
    if member.member_type == CERTIFICATE:
        try:
            return read_certificate(member.info)
        except LightClientError as error:
            raise MemberUntrusted(f"The certificate of a signer cannot be read: {error}") from error
    if member.member_type == CERTIFICATE_HASH:
        digest = HASHES[membership.hash_name]
        for pin in configuration.pins:
            certificate = read_certificate(pin.certificate)
            if digest(certificate.der) == member.info:
                return certificate
        raise MemberTypeUnsupported(
            "A signer is named by the hash of a certificate that is not pinned.", found=member.info
        )
    kind = MEMBER_TYPES.get(member.member_type, "unknown type")
    raise MemberTypeUnsupported(
        f"A signer is named by its {kind}; only certificates are verified.", found=member.member_type
    )


def _pinned(configuration: ChainMakerConfiguration, nodes: tuple[ConsensusNode, ...]) -> list[bytes]:
    names = {node.node_id for node in nodes}
    return [read_certificate(pin.certificate).der for pin in configuration.pins if pin.node_id in names]


@lru_cache(maxsize=1024)
def subject_of(certificate: bytes) -> tuple[str | None, str]:
    """Organisation and role that a certificate states: its O, and its first OU in capitals, empty where it has none.

    Args:
        certificate: PEM or DER.
    """
    read = read_certificate(certificate)
    units = read.organisational_units
    return read.organisation, units[0].upper() if units else ""


@lru_cache(maxsize=1024)
def read_certificate(data: bytes) -> Certificate:
    """Reads a certificate; a pure function whose newest answers are remembered.

    Args:
        data: PEM or DER.

    Raises:
        LightClientError: It cannot be read.
    """
    return certificates.read_certificate(data)


@lru_cache(maxsize=1024)
def validity_windows(certificate: bytes, authorities: tuple[bytes, ...]) -> tuple[tuple[int, int], ...]:
    """When a certificate is valid under the authorities of its organisation; the newest answers are remembered.

    An authority that names itself as its issuer is a root, another one an intermediate; one that cannot be read is none.

    Args:
        certificate: PEM or DER.
        authorities: PEM or DER, as the chain configuration has them.

    Returns:
        First and last second of each way to a root: of the certificate, the root, and all intermediates where they are needed.
    """
    judged = read_certificate(certificate)
    known = [read for read in map(_readable, authorities) if read is not None]
    roots = [authority for authority in known if authority.subject == authority.issuer]
    between = tuple(authority for authority in known if authority.subject != authority.issuer)
    windows = []
    for root in roots:
        for used in ((), between) if between else ((),):
            try:
                certificates.verify_chain(judged, (root,), used, None)
            except LightClientError:
                continue
            way = (judged, root, *used)
            windows.append((max(one.not_before for one in way), min(one.not_after for one in way)))
            break
    return tuple(windows)


def _readable(data: bytes) -> Certificate | None:
    try:
        return read_certificate(data)
    except LightClientError:
        return None
