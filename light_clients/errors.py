"""The refusals of the light clients, drawn as one tree.

    LightClientError            the only family that leaves this package
    ├─ Retry                    their side is slow or behind: ask again, nothing is false
    │  └─ HeaderGap · HeaderBehind · HeaderUnconfirmed · TimestampAhead · HeightNotRetained
    │                           · HeightNotReached · SetProofMissing
    ├─ Refused                  the proof is false: keep the evidence, never retry
    │  ├─ RlpRefused            RlpTruncated · RlpNotCanonical · RlpTrailingBytes · RlpTooDeep
    │  ├─ ProtobufRefused       ProtobufTruncated · ProtobufNotCanonical · ProtobufFieldInvalid
    │  ├─ SignatureRefused      SignatureLength · SignatureRecoveryId · SignatureHighS · SignatureInvalid
    │  ├─ ProofRefused          ProofIncomplete · ProofNodeHashMismatch · ProofNodeInvalid · ProofNodeInlining
    │  │                        · ProofNodesUnused · ProofPathInvalid · ProofValueInvalid
    │  ├─ HeaderRefused         form: HeaderTooLarge · HeaderFieldInvalid · HeaderJsonInvalid · HeaderHashMismatch
    │  │                        · ExtraDataInvalid · VanityInvalid · VoteInvalid · RoundOutOfBounds · MixHashInvalid
    │  │                        · DifficultyInvalid · OmmersInvalid · NonceInvalid
    │  │                        place: ParentMismatch · TimestampNotIncreasing
    │  │                        set: ValidatorsNotAscending · ValidatorsTooMany · ValidatorsUnexpected
    │  │                        · ProposerNotValidator · VotesTooMany · ValidatorsExhausted · SetProofInvalid
    │  │                        · ValidatorContractAbsent · ValidatorContractReplaced
    │  │                        seals: SealsTooFew · SealsTooMany · SealForeign · SealDuplicate · SealTooSoon
    │  └─ ClaimRefused          ClaimMalformed · ClaimHeightMismatch · ClaimBlockMismatch · GatewayAbsent
    │                           · CodeHashMismatch · HeadAbsent · HeadMismatch · HistoryMismatch · HeadNotInHistory
    │                           · NoteAbsent
    ├─ Misbehaviour             two final headers contradict each other: freeze
    └─ Misconfigured            stop, and tell the operator what to change
       └─ ConfigurationInvalid · PinMismatch · StateUnreadable · ClientFrozen · ClientExpired

Every leaf has a name of its own, so that "refused by name" can be tested, logged and counted.
"""

from __future__ import annotations

from typing import ClassVar

Detail = int | str | bytes | None
"""A value that an error carries: an integer, a text, or bytes that are shown in hexadecimal."""


def _shown(value: Detail) -> int | str | None:
    return "0x" + value.hex() if isinstance(value, bytes) else value


class LightClientError(Exception):
    """The base of everything that a light client raises on purpose.

    Attributes:
        message: One sentence that says what is wrong.
        expected: What the rule asks for, where there is one value of it.
        found: What was found in its place.
        next_step: What the reader of the error does next.
    """

    next_step: ClassVar[str] = "Read the message."

    def __init__(self, message: str, *, expected: Detail = None, found: Detail = None) -> None:
        super().__init__(message)
        self.message = message
        self.expected = expected
        self.found = found

    @property
    def name(self) -> str:
        """The name of the refusal, as tests, logs and counters use it."""
        return type(self).__name__

    def diagnostics(self) -> dict[str, int | str]:
        """Everything that a person needs to act: name, message, values and the next step; bytes as 0x-hexadecimal."""
        details = {"expected": _shown(self.expected), "found": _shown(self.found)}
        told = {key: value for key, value in details.items() if value is not None}
        return {"error": self.name, "message": self.message, **told, "next_step": self.next_step}


class Retry(LightClientError):
    """Their side is slow or behind; nothing was proved false."""

    next_step = "Ask again later, or ask another endpoint."


class Refused(LightClientError):
    """The proof is false."""

    next_step = "Keep the evidence and ask another endpoint; the same bytes stay false."


class Misconfigured(LightClientError):
    """The client cannot work as it was configured."""

    next_step = "Stop this client and correct its configuration."


class Misbehaviour(LightClientError):
    """Two final headers of one ledger contradict each other.

    Attributes:
        height: The height of both headers.
        evidence: The two sealed headers, byte for byte.
    """

    next_step = "Freeze the client, pause the lanes of this ledger at both gateways, and keep both headers."

    def __init__(self, message: str, *, height: int, evidence: tuple[bytes, bytes]) -> None:
        super().__init__(message)
        self.height = height
        self.evidence = evidence

    def diagnostics(self) -> dict[str, int | str]:
        """As for every error, with the height and both headers in hexadecimal."""
        first, second = self.evidence
        return {
            **super().diagnostics(),
            "height": self.height,
            "header_a": "0x" + first.hex(),
            "header_b": "0x" + second.hex(),
        }


class RlpRefused(Refused):
    """Bytes that are not one canonical RLP item."""


class RlpTruncated(RlpRefused):
    """An item announces more bytes than there are."""


class RlpNotCanonical(RlpRefused):
    """An item is not in its only canonical form."""


class RlpTrailingBytes(RlpRefused):
    """Bytes follow the item."""


class RlpTooDeep(RlpRefused):
    """Lists are nested deeper than any ledger's object."""


class ProtobufRefused(Refused):
    """Bytes that are not one protobuf message, readable in one way only."""


class ProtobufTruncated(ProtobufRefused):
    """The bytes end inside a field."""


class ProtobufNotCanonical(ProtobufRefused):
    """A number is longer than needed, or fields are out of order."""


class ProtobufFieldInvalid(ProtobufRefused):
    """A field is not of this message, of another type, stands twice, or is no text."""


class SignatureRefused(Refused):
    """A signature that is not acceptable in form, or that recovers no key."""


class SignatureLength(SignatureRefused):
    """A signature is not 65 bytes, or a digest or key not 32."""


class SignatureRecoveryId(SignatureRefused):
    """The last byte of a signature is not one of the two that its use allows."""


class SignatureHighS(SignatureRefused):
    """The second half of a signature lies above half of the group order."""


class SignatureInvalid(SignatureRefused):
    """No public key can be recovered."""


class HeaderGap(Retry):
    """Headers are missing between the trusted one and this one."""

    next_step = "Send the headers in between first, in order."


class HeaderBehind(Retry):
    """The header is not above the trusted one."""

    next_step = "Send a newer header; if its hash differs from the accepted one, give both to find_misbehaviour."


class HeaderUnconfirmed(Retry):
    """Too few blocks follow the header, or what follows it is another branch."""

    next_step = "Send the header again with the blocks that follow it, once there are enough."


class TimestampAhead(Retry):
    """The header is further ahead of our clock than the drift that is allowed."""

    next_step = "Check the clocks of both sides, then send the header again."


class HeightNotRetained(Retry):
    """The height has left the window of headers that the state remembers."""

    next_step = "Prove the claim at a newer header."


class HeightNotReached(Retry):
    """The height is above the newest accepted header."""

    next_step = "Follow the headers up to that height first."


class SetProofMissing(Retry):
    """A header came without the proof of the validators that a contract selects for its child."""

    next_step = "Ask an endpoint that still has this block's state, or pin a newer block."


class ProofRefused(Refused):
    """A Merkle-Patricia proof that does not hold."""


class ProofIncomplete(ProofRefused):
    """A node that the path needs is missing."""


class ProofNodeHashMismatch(ProofRefused):
    """A node does not have the hash under which its parent knows it."""


class ProofNodeInvalid(ProofRefused):
    """A node is neither a branch, an extension nor a leaf."""


class ProofNodeInlining(ProofRefused):
    """A node below 32 bytes is referenced by hash, or a longer one is inlined."""


class ProofNodesUnused(ProofRefused):
    """Nodes are left over when the path ends."""


class ProofPathInvalid(ProofRefused):
    """The hexadecimal-prefix flag or padding of a path is wrong."""


class ProofValueInvalid(ProofRefused):
    """The value of a leaf is not what its trie holds."""


class HeaderRefused(Refused):
    """A header that its ledger would not have sealed."""


class HeaderTooLarge(HeaderRefused):
    """A header is larger than any header of this family."""


class HeaderFieldInvalid(HeaderRefused):
    """A field is missing, superfluous or of the wrong size."""


class HeaderJsonInvalid(HeaderRefused):
    """The JSON of a block cannot be read as a header."""


class HeaderHashMismatch(HeaderRefused):
    """The hash that came with a header is not its hash."""


class ExtraDataInvalid(HeaderRefused):
    """The extra data is not of the form of its family."""


class VanityInvalid(HeaderRefused):
    """The vanity is not 32 bytes."""


class VoteInvalid(HeaderRefused):
    """A vote is neither to add nor to drop an address."""


class RoundOutOfBounds(HeaderRefused):
    """The round is larger than consensus can reach."""


class MixHashInvalid(HeaderRefused):
    """The mix hash is not the one that every header of the family has."""


class DifficultyInvalid(HeaderRefused):
    """The difficulty is not the one that the family writes for this sealer."""


class OmmersInvalid(HeaderRefused):
    """The header names ommers, which its family never has."""


class NonceInvalid(HeaderRefused):
    """The nonce is one that the family never writes."""


class ParentMismatch(HeaderRefused):
    """The parent is not the trusted header."""


class TimestampNotIncreasing(HeaderRefused):
    """The time does not move forward from the parent."""


class ValidatorsNotAscending(HeaderRefused):
    """The validators are not in ascending order, or one stands twice."""


class ValidatorsTooMany(HeaderRefused):
    """There are more validators than a client keeps."""


class ValidatorsUnexpected(HeaderRefused):
    """The validators are not the set that the votes so far lead to."""


class ProposerNotValidator(HeaderRefused):
    """The proposer is no validator."""


class VotesTooMany(HeaderRefused):
    """There are more open votes than a client keeps."""


class ValidatorsExhausted(HeaderRefused):
    """The votes would remove the last validator."""


class SetProofInvalid(HeaderRefused):
    """The proof of the validators that a contract selects is not of its form, or shows no set."""


class ValidatorContractAbsent(HeaderRefused):
    """There is no contract at the address that selects validators."""


class ValidatorContractReplaced(HeaderRefused):
    """The code of the contract that selects validators is not the one that was pinned."""


class SealsTooFew(HeaderRefused):
    """Fewer validators sealed than the family asks for."""


class SealsTooMany(HeaderRefused):
    """There are more seals than validators."""


class SealForeign(HeaderRefused):
    """A seal is not by a validator of the set, or is over other content."""


class SealDuplicate(HeaderRefused):
    """One validator sealed twice."""


class SealTooSoon(HeaderRefused):
    """A signer sealed again within the blocks for which it has to wait."""


class ClaimRefused(Refused):
    """A claim that its evidence does not show."""


class ClaimMalformed(ClaimRefused):
    """A field of the claim is out of its range."""


class ClaimHeightMismatch(ClaimRefused):
    """The header is of another height than the claim."""


class ClaimBlockMismatch(ClaimRefused):
    """The header is not the block that was accepted or claimed."""


class GatewayAbsent(ClaimRefused):
    """There is no account at the address of the gateway."""


class CodeHashMismatch(ClaimRefused):
    """The code of the gateway is not the one that was pinned."""


class HeadAbsent(ClaimRefused):
    """The slot holds no head: the lane is not open there."""


class HeadMismatch(ClaimRefused):
    """The slot holds another head."""


class NoteAbsent(ClaimRefused):
    """What is shown is no note of the evidence log of that account."""


class HistoryMismatch(ClaimRefused):
    """The entries do not fold to the proved head."""


class HeadNotInHistory(ClaimRefused):
    """The head of the claim is not the one after its number of entries."""


class ConfigurationInvalid(Misconfigured):
    """An option is out of its range."""

    next_step = "Correct the option that the message names."


class PinMismatch(Misconfigured):
    """The header is not the one that was pinned."""

    next_step = "Check the pinned block hash with a source of your own, then register again."


class StateUnreadable(Misconfigured):
    """The stored state is damaged or of another version."""

    next_step = "Restore the state from a backup, or register the client again from a pinned header."


class ClientFrozen(Misconfigured):
    """The client was frozen after misbehaviour."""

    next_step = "Let the officers reconcile, then register the ledger again."


class ClientExpired(Misconfigured):
    """The newest accepted header is older than the trusting period."""

    next_step = "Register the client again from a recent pinned header."
