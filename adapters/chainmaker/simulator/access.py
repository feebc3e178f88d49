"""Who may do what on a simulated chain: signatures, certificates, roles, endorsements; and what was frozen or revoked.

The words of the refusals follow those of ChainMaker's `utils.VerifyTxWithoutPayload` and of its transaction pool.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from adapters.chainmaker.stubs import chainmaker_pb2 as pb
from light_clients.crypto.certificates import (
    Certificate,
    RevocationList,
    read_certificate,
    read_revocation_list,
    verify_chain,
    verify_message,
)
from light_clients.errors import LightClientError

INVOKE, QUERY, SUBSCRIBE = 0, 1, 2
MAJORITY_OF_ADMINISTRATORS = frozenset({"CONTRACT_MANAGE", "CHAIN_CONFIG"})
"""System contracts whose methods the administrators of more than half of the organisations endorse."""

TX_ID_SIZE = 64


class Refused(Exception):
    """A node refuses a request; the text is its message."""


@dataclass
class AccessControl:
    """What the nodes check of every request.

    Attributes:
        chain: its name.
        roots: certificates of the organisations' authorities.
        frozen: DER of certificates that were frozen.
        lists: revocation lists.
    """

    chain: str
    roots: dict[str, tuple[Certificate, ...]] = field(default_factory=dict)
    frozen: set[bytes] = field(default_factory=set)
    lists: list[RevocationList] = field(default_factory=list)

    def use(self, config: pb.ChainConfig) -> None:
        """Take the trust roots of a configuration."""
        self.roots = {
            trusted.org_id: tuple(read_certificate(root.encode()) for root in trusted.root)
            for trusted in config.trust_roots
        }

    def check(self, request: pb.TxRequest) -> Certificate:
        """Judge a request and return the certificate of its sender.

        Raises:
            Refused: it is not allowed.
        """
        payload = request.payload
        if payload.chain_id != self.chain:
            raise Refused(
                f"tx verify failed, verify tx header failed, chain id [{payload.chain_id}] is incorrect, "
                f"wanted [{self.chain}]"
            )
        if len(payload.tx_id) > TX_ID_SIZE:
            raise Refused(f"tx verify failed, verify tx header failed, tx id length is incorrect, wanted {TX_ID_SIZE}")
        if payload.expiration_time and payload.expiration_time <= payload.timestamp:
            raise Refused(
                f"tx verify failed, verify tx header failed, tx timestamp {payload.timestamp} should be before "
                f"expiration time {payload.expiration_time}"
            )
        signed = payload.SerializeToString()
        sender = self._check_entry(request.sender, signed)
        if payload.tx_type == INVOKE and payload.contract_name in MAJORITY_OF_ADMINISTRATORS:
            self._check_endorsements(request, signed)
        return sender

    def freeze(self, certificate: bytes) -> None:
        """Take no signatures of a certificate any more."""
        self.frozen.add(read_certificate(certificate).der)

    def unfreeze(self, certificate: bytes) -> None:
        """Take them again."""
        self.frozen.discard(read_certificate(certificate).der)

    def revoke(self, revocation_list: bytes) -> None:
        """Take no signatures of the certificates that an authority took back."""
        self.lists.append(read_revocation_list(revocation_list))

    def _check_endorsements(self, request: pb.TxRequest, signed: bytes) -> None:
        resource = f"{request.payload.contract_name}-{request.payload.method}"
        organisations = set()
        for entry in request.endorsers:
            certificate = self._check_entry(entry, signed)
            if certificate.organisational_units[:1] == ("admin",):
                organisations.add(entry.signer.org_id)
        if len(organisations) * 2 <= len(self.roots):
            raise Refused(
                f"tx verify failed, verify tx authentication failed, authentication error for {resource}: "
                f"authentication fail: {len(organisations)} valid endorsements, need more than half of {len(self.roots)}"
            )

    def _check_entry(self, entry: pb.EndorsementEntry, signed: bytes) -> Certificate:
        try:
            certificate = read_certificate(entry.signer.member_info)
        except LightClientError as error:
            raise _unauthenticated("the member info is no certificate") from error
        roots = self.roots.get(entry.signer.org_id, ())
        if certificate.organisation != entry.signer.org_id or not roots:
            raise _unauthenticated(f"authentication failed, unmatched organization: {entry.signer.org_id}")
        if certificate.der in self.frozen:
            raise _unauthenticated("certificate is frozen")
        try:
            verify_chain(certificate, roots, (), int(time.time()), self.lists)
        except LightClientError as error:
            kind = type(error).__name__
            if kind == "CertificateRevoked":
                raise _unauthenticated("checking CRL failed: certificate is revoked") from error
            raise _unauthenticated(f"certificate chain verify failed: x509: {kind}") from error
        if not verify_message(certificate, signed, entry.signature):
            raise _unauthenticated("signature is invalid")
        return certificate


def _unauthenticated(why: str) -> Refused:
    return Refused(f"tx verify failed, verify tx authentication failed, authentication error: {why}")
