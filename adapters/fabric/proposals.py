"""Proposals and the envelopes of transactions (Fabric 3.1 `protoutil/proputils.go`, `protoutil/txutils.go`).

The id of a transaction is SHA-256(nonce ‖ creator): the nonce decides it, the time of the proposal does not. What the
endorsers hash is channel header ‖ signature header ‖ proposal payload, so all three are kept as they were first written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from google.protobuf.timestamp_pb2 import Timestamp

from adapters.fabric.identities import SigningIdentity
from adapters.fabric.stubs import relayhub_fabric_pb2 as messages

CONFIG, CONFIG_UPDATE, ENDORSER_TRANSACTION, SEEK_INFO = 1, 2, 3, 5
"""Types of a channel header (`common.HeaderType`)."""

GOLANG = 1
"""What clients write as the type of any chaincode (`ChaincodeSpec.Type`)."""

NONCE_SIZE = 24
"""Bytes."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What endorsers are asked.

    Attributes:
        transaction: the id, 32 bytes.
        channel_header: `ChannelHeader`.
        signature_header: `SignatureHeader`.
        payload: `ChaincodeProposalPayload` without a transient map.
    """

    transaction: bytes
    channel_header: bytes
    signature_header: bytes
    payload: bytes

    @property
    def hash(self) -> bytes:
        """What the answer is bound to, 32 bytes."""
        return hashlib.sha256(self.channel_header + self.signature_header + self.payload).digest()

    def signed(self, identity: SigningIdentity) -> bytes:
        """`SignedProposal`."""
        header = messages.Header(channel_header=self.channel_header, signature_header=self.signature_header)
        proposal = messages.Proposal(header=header.SerializeToString(), payload=self.payload).SerializeToString()
        return messages.SignedProposal(proposal_bytes=proposal, signature=identity.sign(proposal)).SerializeToString()


def propose(
    identity: SigningIdentity, channel: str, chaincode: str, arguments: Sequence[bytes], nonce: bytes, time_ns: int
) -> Proposal:
    """Write a proposal.

    Args:
        identity: who asks.
        channel: its name.
        chaincode: its name.
        arguments: the function's name and its arguments.
        nonce: 24 bytes.
        time_ns: Unix nanoseconds that the proposal states.
    """
    transaction = hashlib.sha256(nonce + identity.serialized).digest()
    name = messages.ChaincodeID(name=chaincode)
    channel_header = messages.ChannelHeader(
        type=ENDORSER_TRANSACTION,
        timestamp=Timestamp(seconds=time_ns // 10**9, nanos=time_ns % 10**9),
        channel_id=channel,
        tx_id=transaction.hex(),
        extension=messages.ChaincodeHeaderExtension(chaincode_id=name).SerializeToString(),
    )
    signature_header = messages.SignatureHeader(creator=identity.serialized, nonce=nonce)
    specification = messages.ChaincodeSpec(
        type=GOLANG, chaincode_id=name, input=messages.ChaincodeInput(args=list(arguments))
    )
    invocation = messages.ChaincodeInvocationSpec(chaincode_spec=specification).SerializeToString()
    return Proposal(
        transaction,
        channel_header.SerializeToString(),
        signature_header.SerializeToString(),
        messages.ChaincodeProposalPayload(input=invocation).SerializeToString(),
    )


def transaction_envelope(
    identity: SigningIdentity, proposal: Proposal, response_payload: bytes, endorsements: Iterable[tuple[bytes, bytes]]
) -> bytes:
    """Write `Envelope` of an endorsed proposal, signed by who proposed it.

    Args:
        identity: who proposed it.
        proposal: what was endorsed.
        response_payload: `ProposalResponsePayload`, the same from every endorser.
        endorsements: (endorser, signature) of each.
    """
    endorsed = messages.ChaincodeEndorsedAction(
        proposal_response_payload=response_payload,
        endorsements=[messages.Endorsement(endorser=who, signature=signature) for who, signature in endorsements],
    )
    content = messages.ChaincodeActionPayload(chaincode_proposal_payload=proposal.payload, action=endorsed)
    action = messages.TransactionAction(header=proposal.signature_header, payload=content.SerializeToString())
    header = messages.Header(channel_header=proposal.channel_header, signature_header=proposal.signature_header)
    data = messages.Transaction(actions=[action]).SerializeToString()
    return signed_envelope(identity, messages.Payload(header=header, data=data).SerializeToString())


def signed_envelope(identity: SigningIdentity, payload: bytes) -> bytes:
    """`Envelope` of a payload."""
    return messages.Envelope(payload=payload, signature=identity.sign(payload)).SerializeToString()


def seek_envelope(
    identity: SigningIdentity, channel: str, first: int | None, last: int | None, time_ns: int, tls_hash: bytes = b""
) -> bytes:
    """`Envelope` that asks to deliver blocks `first` to `last`, and fails where one is not there yet; None is the newest.

    Args:
        identity: who asks.
        channel: its name.
        first: number of a block.
        last: number of a block.
        time_ns: Unix nanoseconds; a peer refuses what is far from its clock.
        tls_hash: SHA-256 of the client's TLS certificate (DER), where TLS is mutual.
    """
    header = messages.ChannelHeader(
        type=SEEK_INFO,
        timestamp=Timestamp(seconds=time_ns // 10**9, nanos=time_ns % 10**9),
        channel_id=channel,
        tls_cert_hash=tls_hash,
    )
    signer = messages.SignatureHeader(
        creator=identity.serialized, nonce=hashlib.sha256(str(time_ns).encode()).digest()[:24]
    )
    seek = messages.SeekInfo(start=_position(first), stop=_position(last), behavior=1)
    headers = messages.Header(channel_header=header.SerializeToString(), signature_header=signer.SerializeToString())
    payload = messages.Payload(header=headers, data=seek.SerializeToString())
    return signed_envelope(identity, payload.SerializeToString())


def _position(number: int | None) -> messages.SeekPosition:
    if number is None:
        return messages.SeekPosition(newest=messages.SeekNewest())
    return messages.SeekPosition(specified=messages.SeekSpecified(number=number))
