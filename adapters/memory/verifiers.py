"""What judges the peer of a lane on a ledger in this process: a committee, a light client of QBFT, or both together.

The light client here takes the proof bytes of the one in Solidity and refuses for the same reasons under the same names. Its set
changes and its freeze are switches for tests: how a contract learns of either is the contract's own matter, tested there.
Source: docs/protocol.md (Who believes what: verifiers) and docs/encodings.md (Proof bytes).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from adapters.protocol import VerifierParts
from adapters.solidity.contracts import contract
from light_clients import rlp
from light_clients.crypto.secp256k1 import recover_sealer
from light_clients.errors import HeadMismatch, LightClientError
from light_clients.proofs.gateway import GatewayPin, verify_gateway_head
from schemas.claim import Claim
from schemas.primitives import Bytes32, ChainWord
from schemas.suites import Suite, keccak256

FOREVER = 1 << 62
"""Unix seconds: the trusting period of a light client on a ledger of this process never ends."""
_STATE_ROOT, _HEIGHT, _EXTRA = 3, 8, 12


@dataclass(frozen=True, slots=True)
class Question:
    """What a gateway asks its lane's verifier.

    Attributes:
        suite: the lane's suite.
        chain: word of the ledger that asks.
        gateway: the gateway that asks.
        peer_gateway: the gateway at the lane's other end.
        peer_code_hash: the hash of its code, as pinned when the lane was opened.
        claim: what is claimed of it.
        proof: why it is to be believed.
    """

    suite: Suite
    chain: ChainWord
    gateway: bytes
    peer_gateway: bytes
    peer_code_hash: bytes
    claim: Claim
    proof: bytes


class Verifier(Protocol):
    """A contract that a lane is opened with."""

    @property
    def address(self) -> bytes:
        """Its account, 20 bytes."""
        ...

    @property
    def parts(self) -> VerifierParts:
        """What it is."""
        ...

    @property
    def generation(self) -> bytes:
        """Changes whenever something that was believed before may no longer be believed."""
        ...

    def view(self, selector: bytes) -> bytes:
        """Answer a question of no arguments by its four bytes; nothing where it is not known."""
        ...

    def judge(self, question: Question) -> str:
        """Judge a claim; returns an empty text if it is to be believed, else the name of the refusal."""
        ...


@dataclass(slots=True)
class LightClient:
    """A light client of QBFT on a ledger.

    Attributes:
        address: its account, 20 bytes.
        validators: the set that it stores, ascending.
        peer: word of the ledger that it follows.
        since: the first height that it believes of that set.
        frozen: whether two blocks of one height were shown to it.
        pins: how often officers gave it a new beginning.
    """

    address: bytes
    validators: tuple[bytes, ...]
    peer: bytes = bytes(32)
    since: int = 0
    frozen: bool = False
    pins: int = 0

    @property
    def parts(self) -> VerifierParts:
        """A light client, and nothing else."""
        return VerifierParts("light-client", b"", self.address)

    @property
    def generation(self) -> bytes:
        """Another one once it is frozen, and after each new beginning."""
        return keccak256(b"light client %d %d" % (self.pins, self.frozen))

    @property
    def validators_hash(self) -> bytes:
        """Hash of the set: its addresses as words of 32 bytes."""
        return keccak256(b"".join(validator.rjust(32, b"\x00") for validator in self.validators))

    def view(self, selector: bytes) -> bytes:
        """Answer what anybody may ask it, as the one in Solidity does; nothing to a question that is not known."""
        functions = contract("QbftVerifier").functions
        answers: dict[str, object] = {
            "kind": "light-client",
            "generation": self.generation,
            "client": (0, bytes(32), 0, self.validators_hash, self.since, FOREVER, self.frozen),
            "configuration": (self.peer, 0, 30_000, FOREVER, 15),
        }
        for name, answer in answers.items():
            if functions[name].selector == selector:
                return _encode(functions[name].outputs, answer)
        return b""

    def judge(self, question: Question) -> str:
        """Judge a header of the stored set and the slot under it."""
        if self.frozen:
            return "ClientIsFrozen"
        fields = _decode(["bytes", "bytes[]", "bytes[]", "bytes[]"], question.proof)
        if fields is None:
            return "ProofNotCanonical"
        header, seals, account_proof, storage_proof = fields
        claim = question.claim
        items = rlp.decode_list(header)
        height, state_root, extra = items[_HEIGHT], items[_STATE_ROOT], items[_EXTRA]
        if not isinstance(height, bytes) or not isinstance(state_root, bytes) or not isinstance(extra, bytes):
            return "HeaderMalformed"
        # These ledgers seal in round 0 only: the block's hash is that of the header as its validators signed it.
        if int.from_bytes(height, "big") != claim.height or keccak256(header) != claim.block_hash:
            return "ClaimBlockMismatch"
        if claim.height < self.since or rlp.decode_list(extra)[1] != list(self.validators):
            return "ValidatorsUnexpected"
        if not self._sealed(keccak256(header), seals):
            return "SealsTooFew"
        pin = GatewayPin(question.peer_gateway, Bytes32(question.peer_code_hash))
        try:
            verify_gateway_head(Bytes32(state_root), pin, claim, account_proof, storage_proof)
        except HeadMismatch:
            return "HeadNotProved"
        except LightClientError as error:
            return error.name
        return ""

    def _sealed(self, digest: bytes, seals: Sequence[bytes]) -> bool:
        try:
            sealers = {bytes(recover_sealer(digest, seal)) for seal in seals}
        except LightClientError:
            return False
        needed = (2 * len(self.validators) + 2) // 3
        return needed <= len(seals) == len(sealers) and sealers <= set(self.validators)


@dataclass(frozen=True, slots=True)
class Both:
    """A committee and a light client, each of which has to believe the same claim.

    Attributes:
        address: its account, 20 bytes.
        committee: the one.
        light_client: the other.
    """

    address: bytes
    committee: Verifier
    light_client: Verifier

    @property
    def parts(self) -> VerifierParts:
        """The two contracts inside."""
        return VerifierParts("both", self.committee.address, self.light_client.address)

    @property
    def generation(self) -> bytes:
        """The hash of the two parts'."""
        return keccak256(self.committee.generation + self.light_client.generation)

    def view(self, selector: bytes) -> bytes:
        """Nothing more than its parts is asked of it on these ledgers."""
        del selector
        return b""

    def judge(self, question: Question) -> str:
        """Ask both; neither stands for the other."""
        fields = _decode(["bytes", "bytes"], question.proof)
        if fields is None:
            return "ProofNotCanonical"
        committee, light_client = (
            Question(
                question.suite,
                question.chain,
                question.gateway,
                question.peer_gateway,
                question.peer_code_hash,
                question.claim,
                part,
            )
            for part in fields
        )
        return self.committee.judge(committee) or self.light_client.judge(light_client)


def _encode(types: Sequence[str], value: object) -> bytes:
    from eth_abi.abi import encode

    return encode(types, [value])


def _decode(types: list[str], proof: bytes) -> tuple[Any, ...] | None:
    from eth_abi.abi import decode
    from eth_abi.exceptions import DecodingError

    try:
        return decode(types, proof)
    except DecodingError:
        return None
