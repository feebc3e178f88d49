"""The committee verifier in Python: k of n signers, each organisation counted once.

Source: docs/protocol.md (Who believes what) and docs/encodings.md (Proof bytes).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adapters.memory.verifiers import Question
from adapters.protocol import VerifierParts
from light_clients.crypto.secp256k1 import recover_address
from light_clients.errors import LightClientError
from schemas.attestation import Place, attestation_digest
from schemas.claim import Claim
from schemas.primitives import ChainWord
from schemas.suites import Suite

PROOF_TYPES = ["uint64", "uint256", "bytes[]"]


@dataclass(frozen=True, slots=True)
class Committee:
    """Who may vouch for the peer of a lane.

    Attributes:
        address: the verifier's account, 20 bytes; it enters the digest.
        epoch: the only epoch that is believed.
        signers: accounts of 20 bytes, in the order of the bitmap.
        organisations: the organisation of each signer.
        threshold: organisations that must vouch.
    """

    address: bytes
    epoch: int
    signers: tuple[bytes, ...]
    organisations: tuple[bytes, ...]
    threshold: int

    @property
    def parts(self) -> VerifierParts:
        """A committee, and nothing else."""
        return VerifierParts("committee", self.address, b"")

    @property
    def generation(self) -> bytes:
        """Never changes: nobody is struck out of a committee of this ledger."""
        return bytes(32)

    def view(self, selector: bytes) -> bytes:
        """Nothing more than its parts is asked of it on these ledgers."""
        del selector
        return b""

    def judge(self, question: Question) -> str:
        """Judge a proof; returns an empty text if it holds, else the name of the refusal."""
        return self.verify(question.suite, question.chain, question.gateway, question.claim, question.proof)

    def verify(self, suite: Suite, chain: ChainWord, gateway: bytes, claim: Claim, proof: bytes) -> str:
        """Judge a proof; returns an empty text if it holds, else the name of the refusal."""
        from eth_abi.abi import decode, encode
        from eth_abi.exceptions import DecodingError

        try:
            found: tuple[Any, ...] = decode(PROOF_TYPES, proof)
        except (DecodingError, OverflowError):
            return "ProofNotCanonical"
        epoch, bitmap, signatures = found
        if encode(PROOF_TYPES, found) != proof:
            return "ProofNotCanonical"
        if epoch != self.epoch:
            return "UnknownEpoch"
        indices = [index for index in range(256) if bitmap >> index & 1]
        if len(indices) != len(signatures) or (indices and indices[-1] >= len(self.signers)):
            return "SignatureCount"
        digest = attestation_digest(suite, Place(chain, gateway, self.address, epoch), claim)
        vouching = set()
        for index, signature in zip(indices, signatures, strict=True):
            try:
                signer = recover_address(digest, signature)
            except LightClientError:
                return "SignatureMalformed"
            if signer != self.signers[index]:
                return "SignatureOfAnother"
            vouching.add(self.organisations[index])
        return "" if len(vouching) >= self.threshold else "QuorumTooSmall"
