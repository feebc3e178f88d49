"""A second opinion on ChainMaker's blocks: Google's protobuf, `cryptography`, gmssl, and the tree written out with its padding.

Nothing here comes from `light_clients`.
"""

from __future__ import annotations

import hashlib
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from google.protobuf.message import DecodeError

from tests.support.chainmaker_messages import message
from tests.support.gmssl_opinion import gmssl_verifies

_SM2_KEY = bytes.fromhex("06082a811ccf5501822d03420004")


def digest(name: str, data: bytes) -> bytes:
    """SHA-256 or SM3 by hashlib."""
    return hashlib.new(name.lower(), data).digest()


def block_hash(name: str, header: Any) -> bytes:
    """Hash of the header without hash and signature."""
    copy = message("BlockHeader")
    copy.CopyFrom(header)
    copy.ClearField("block_hash")
    copy.ClearField("signature")
    return digest(name, copy.SerializeToString())


def padded_root(name: str, leaves: list[bytes]) -> bytes:
    """The tree with its padding: an array of two powers of two, with nothing where there is no leaf."""
    if not leaves:
        return b""
    width = 1
    while width < len(leaves):
        width *= 2
    level: list[bytes | None] = [*leaves, *[None] * (width - len(leaves))]
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=True)
        level = [None if left is None else digest(name, left + (right or left)) for left, right in pairs]
    return level[0] or b""


def transaction_root(name: str, block: Any) -> bytes:
    """The root over the transactions, without gas from version 2300 on."""
    leaves = []
    for transaction in block.txs:
        copy = message("Transaction")
        copy.CopyFrom(transaction)
        if block.header.block_version >= 2300:
            copy.result.contract_result.gas_used = 0
        leaves.append(digest(name, copy.SerializeToString()))
    return padded_root(name, leaves)


def read_certificate(data: bytes) -> x509.Certificate:
    """A certificate by `cryptography`, PEM or DER."""
    return x509.load_pem_x509_certificate(data) if data.startswith(b"-") else x509.load_der_x509_certificate(data)


def signed_by(certificate: x509.Certificate, data: bytes, signature: bytes) -> bool:
    """Whether the key of a certificate signed: P-256 by `cryptography`, SM2 by gmssl."""
    at = certificate.tbs_certificate_bytes.find(_SM2_KEY)
    if at < 0:
        key = certificate.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        try:
            key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True
    start = at + len(_SM2_KEY)
    point = certificate.tbs_certificate_bytes[start : start + 64]
    try:
        r, s = utils.decode_dss_signature(signature)
    except ValueError:
        return False
    if max(r, s) >> 256:
        return False
    return gmssl_verifies(point, data, bytes.fromhex(f"{r:064x}{s:064x}"))


def issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Whether an authority issued a certificate: name and signature."""
    return certificate.issuer == authority.subject and signed_by(
        authority, certificate.tbs_certificate_bytes, certificate.signature
    )


def is_signed_by_member(config: Any, member: Any, data: bytes, signature: bytes) -> bool:
    """Whether a consensus node of an organisation signed, under one of the organisation's roots."""
    roots = [root for item in config.trust_roots if item.org_id == member.org_id for root in item.root]
    if member.member_type or not roots:
        return False
    try:
        certificate = read_certificate(member.member_info)
    except ValueError:
        return False
    units = certificate.subject.get_attributes_for_oid(x509.OID_ORGANIZATIONAL_UNIT_NAME)
    organisations = certificate.subject.get_attributes_for_oid(x509.OID_ORGANIZATION_NAME)
    return (
        [unit.value for unit in units] == ["consensus"]
        and [found.value for found in organisations] == [member.org_id]
        and any(issued_by(certificate, read_certificate(root.encode())) for root in roots)
        and signed_by(certificate, data, signature)
    )


def counted_votes(config: Any, header: Any, quorum: bytes) -> set[str]:
    """Names of the nodes that voted for a block."""
    homes = {name: node.org_id for node in config.consensus.nodes for name in node.node_id}
    found: set[str] = set()
    try:
        vote_set = message("CountedVotes", quorum)
    except DecodeError:
        return found
    for entry in vote_set.votes:
        vote, unsigned = entry.value, message("Vote")
        unsigned.CopyFrom(entry.value)
        unsigned.ClearField("endorsement")
        place = (vote.type, vote.height, vote.round, vote.hash, vote.voter)
        if place != (1, header.block_height, vote_set.round, header.block_hash, entry.key):
            continue
        signer = vote.endorsement.signer
        if homes.get(vote.voter) == signer.org_id and is_signed_by_member(
            config, signer, unsigned.SerializeToString(), vote.endorsement.signature
        ):
            found.add(vote.voter)
    return found
