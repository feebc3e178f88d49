"""A second opinion on Fabric's blocks: Google's protobuf reads them, `cryptography` checks every certificate and signature.

Nothing of `light_clients` is used here, so that what both say alike is said twice.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet

CONFIG, ENDORSER_TRANSACTION = 1, 3
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

MESSAGES = """
Block header:1:BlockHeader data:2:BlockData metadata:3:BlockMetadata
BlockHeader number:1:u64 previous_hash:2:bytes data_hash:3:bytes
BlockData data:1:bytes*
BlockMetadata metadata:1:bytes*
Metadata value:1:bytes signatures:2:MetadataSignature*
MetadataSignature signature_header:1:bytes signature:2:bytes identifier_header:3:bytes
OrdererBlockMetadata last_config:1:LastConfig consenter_metadata:2:bytes
LastConfig index:1:u64
IdentifierHeader identifier:1:u32 nonce:2:bytes
SignatureHeader creator:1:bytes nonce:2:bytes
SerializedIdentity mspid:1:string id_bytes:2:bytes
Envelope payload:1:bytes signature:2:bytes
Payload header:1:Header data:2:bytes
Header channel_header:1:bytes signature_header:2:bytes
Timestamp seconds:1:i64 nanos:2:i32
ChannelHeader type:1:i32 version:2:i32 timestamp:3:Timestamp channel_id:4:string tx_id:5:string epoch:6:u64 extension:7:bytes tls:8:bytes
ConfigEnvelope config:1:Config last_update:2:Envelope
Config sequence:1:u64 channel_group:2:ConfigGroup
ConfigGroup version:1:u64 groups:2:GroupEntry* values:3:ValueEntry* policies:4:PolicyEntry* mod_policy:5:string
GroupEntry key:1:string value:2:ConfigGroup
ValueEntry key:1:string value:2:ConfigValue
PolicyEntry key:1:string value:2:ConfigPolicy
ConfigValue version:1:u64 value:2:bytes mod_policy:3:string
ConfigPolicy version:1:u64 policy:2:Policy mod_policy:3:string
Policy type:1:i32 value:2:bytes
SignaturePolicyEnvelope version:1:i32 rule:2:SignaturePolicy identities:3:bytes*
SignaturePolicy signed_by:1:i32 n_out_of:2:NOutOf
NOutOf n:1:i32 rules:2:bytes*
ImplicitMetaPolicy sub_policy:1:string rule:2:i32
ConsensusType type:1:string metadata:2:bytes state:3:i32
Orderers consenter_mapping:1:Consenter*
Consenter id:1:u32 host:2:string port:3:u32 msp_id:4:string identity:5:bytes client:6:bytes server:7:bytes
MSPConfig type:1:i32 config:2:bytes
FabricMSPConfig name:1:string root_certs:2:bytes* rest3:3:bytes* rest4:4:bytes* rest5:5:bytes* rest6:6:bytes rest7:7:bytes* rest8:8:bytes rest9:9:bytes* rest10:10:bytes* nodes:11:bytes
Transaction actions:1:TransactionAction*
TransactionAction header:1:bytes payload:2:bytes
ActionPayload proposal:1:bytes action:2:EndorsedAction
EndorsedAction response:1:bytes endorsements:2:Endorsement*
Endorsement endorser:1:bytes signature:2:bytes
ResponsePayload proposal_hash:1:bytes extension:2:bytes
ChaincodeAction results:1:TxReadWriteSet events:2:bytes response:3:bytes chaincode_id:4:ChaincodeId
ChaincodeId path:1:string name:2:string version:3:string
TxReadWriteSet data_model:1:i32 ns_rwset:2:NsReadWriteSet*
NsReadWriteSet namespace:1:string rwset:2:KVRWSet collections:3:Collection*
Collection name:1:string rwset:2:bytes hash:3:bytes
KVRWSet reads:1:KVRead* ranges:2:bytes* writes:3:KVWrite* metadata:4:bytes*
KVRead key:1:string version:2:Version
Version block_num:1:u64 tx_num:2:u64
KVWrite key:1:string is_delete:2:u32 value:3:bytes
"""
"""One message a line; a star for a repeated field."""

_TYPES = {"u64": 4, "i32": 5, "i64": 3, "string": 9, "bytes": 12, "u32": 13}


@cache
def _pool() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="fabric.proto", package="f", syntax="proto3")
    for line in MESSAGES.strip().splitlines():
        name, *fields = line.split()
        described = file.message_type.add(name=name)
        for told in fields:
            field, number, kind = told.split(":")
            base = kind.rstrip("*")
            added = described.field.add(name=field, number=int(number), label=3 if kind.endswith("*") else 1)
            if base in _TYPES:
                added.type = _TYPES[base]
            else:
                added.type, added.type_name = 11, f".f.{base}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


def read(name: str, data: bytes) -> Any:
    """A message of `MESSAGES`, by Google's protobuf.

    Raises:
        DecodeError: it is none, or has a field that is not in the list.
    """
    found = message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"f.{name}"))()
    found.ParseFromString(data)
    return found


def rewritten(name: str, data: bytes) -> bool:
    """Whether Google's protobuf knows every field of a message and writes it again as it was."""
    try:
        found = read(name, data)
        return bool(found.SerializeToString() == data) and _known(found)
    except (DecodeError, RecursionError):
        return False


def _known(found: Any) -> bool:
    if len(UnknownFieldSet(found)):
        return False
    for field, value in found.ListFields():
        if field.message_type is not None:
            repeated = not hasattr(value, "ListFields")
            if not all(_known(item) for item in (value if repeated else [value])):
                return False
    return True


def form_holds(data: bytes) -> bool:
    """Whether a block, its signatures and what they sign can be read, and its hashes have their size."""
    if not rewritten("Block", data):
        return False
    block = read("Block", data)
    header, metadata = block.header, list(block.metadata.metadata) or [b""]
    if len(header.data_hash) != 32 or len(header.previous_hash) != (32 if header.number else 0):
        return False
    return rewritten("Metadata", metadata[0]) and rewritten("OrdererBlockMetadata", read("Metadata", metadata[0]).value)


def header_der(header: Any) -> bytes:
    """DER of a block's header, written out."""
    digits = header.number.to_bytes(9, "big").lstrip(b"\0") or b"\0"
    number = b"\0" + digits if digits[0] > 0x7F else digits
    content = b"".join(
        bytes((tag, len(value))) + value
        for tag, value in ((2, number), (4, header.previous_hash), (4, header.data_hash))
    )
    return bytes((0x30, len(content))) + content


def block_hash(header: Any) -> bytes:
    """SHA-256 of it."""
    return hashlib.sha256(header_der(header)).digest()


def data_holds(block: Any) -> bool:
    """Whether the envelopes hash to what the header says."""
    return bool(hashlib.sha256(b"".join(block.data.data)).digest() == block.header.data_hash)


def signed(certificate: x509.Certificate, data: bytes, signature: bytes) -> bool:
    """Whether a P-256 key signed, with a low s."""
    key = certificate.public_key()
    try:
        assert isinstance(key, ec.EllipticCurvePublicKey)
        key.verify(signature, data, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    s_place = 4 + signature[3]
    return int.from_bytes(signature[s_place + 2 :], "big") <= ORDER // 2


def issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Whether an authority issued a certificate."""
    try:
        certificate.verify_directly_issued_by(authority)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def groups(group: Any) -> dict[str, Any]:
    """Groups of a group."""
    return {entry.key: entry.value for entry in group.groups}


def values(group: Any) -> dict[str, bytes]:
    """Values of a group."""
    return {entry.key: entry.value.value for entry in group.values}


class Channel:
    """A channel's configuration, as far as the opinion needs it."""

    def __init__(self, envelope: bytes) -> None:
        payload = read("Payload", read("Envelope", envelope).payload)
        self.header = read("ChannelHeader", payload.header.channel_header)
        config = read("ConfigEnvelope", payload.data).config
        self.sequence = config.sequence
        top = groups(config.channel_group)
        self.orderer, self.application = top["Orderer"], top["Application"]
        self.consensus = read("ConsensusType", values(self.orderer)["ConsensusType"]).type
        mapping = read("Orderers", values(self.orderer).get("Orderers", b"")).consenter_mapping
        self.consenters = {consenter.id: consenter for consenter in mapping}
        self.roots: dict[str, list[x509.Certificate]] = {}
        self.peers: set[str] = set()
        self.orderers: set[str] = set()
        for kind, names in ((self.orderer, self.orderers), (self.application, self.peers)):
            for group in groups(kind).values():
                rules = read("FabricMSPConfig", read("MSPConfig", values(group)["MSP"]).config)
                self.roots[rules.name] = [x509.load_pem_x509_certificate(pem) for pem in rules.root_certs]
                names.add(rules.name)

    def member(self, msp_id: str, pem: bytes) -> x509.Certificate | None:
        """A certificate that its organisation issued."""
        try:
            certificate = x509.load_pem_x509_certificate(pem)
        except ValueError:
            return None
        return certificate if any(issued_by(certificate, root) for root in self.roots.get(msp_id, [])) else None

    def signers(self, block: Any) -> int | None:
        """How many orderers signed a block; ``None`` where a signature is wrong or a signer stands twice."""
        metadata = read("Metadata", block.metadata.metadata[0])
        found: set[tuple[str, bytes]] = set()
        for made in metadata.signatures:
            if self.consensus == "BFT":
                own = made.identifier_header
                consenter = self.consenters.get(read("IdentifierHeader", own).identifier)
                identity = (consenter.msp_id, consenter.identity) if consenter else ("", b"")
            else:
                own = made.signature_header
                creator = read("SerializedIdentity", read("SignatureHeader", own).creator)
                identity = (creator.mspid, creator.id_bytes)
            certificate = self.member(*identity) if identity[0] in self.orderers else None
            over = metadata.value + own + header_der(block.header)
            if certificate is None or identity in found or not signed(certificate, over, made.signature):
                return None
            found.add(identity)
        return len(found)

    @property
    def needed(self) -> int:
        """Signatures that a block needs."""
        count = len(self.consenters)
        return -(-(count + (count - 1) // 3 + 1) // 2) if self.consensus == "BFT" else 1

    def needed_endorsements(self, name: str) -> int:
        """Organisations that a policy of the application asks for."""
        policy = {entry.key: entry.value.policy for entry in self.application.policies}[name]
        if policy.type == 1:
            return int(read("SignaturePolicyEnvelope", policy.value).rule.n_out_of.n)
        return {0: 1, 1: len(self.peers), 2: len(self.peers) // 2 + 1}[read("ImplicitMetaPolicy", policy.value).rule]

    def endorsing(self, endorsed: Any) -> set[str]:
        """Organisations one of whose peers endorsed."""
        found = set()
        for endorsement in endorsed.endorsements:
            endorser = read("SerializedIdentity", endorsement.endorser)
            certificate = self.member(endorser.mspid, endorser.id_bytes) if endorser.mspid in self.peers else None
            if certificate is None:
                continue
            units = [
                item.value for item in certificate.subject.get_attributes_for_oid(x509.NameOID.ORGANIZATIONAL_UNIT_NAME)
            ]
            if "peer" in units and signed(certificate, endorsed.response + endorsement.endorser, endorsement.signature):
                found.add(endorser.mspid)
        return found
