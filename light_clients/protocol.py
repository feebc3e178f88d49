"""The one face of every light client: a module or object with these functions is one.

Bytes, a trusted state and the time come in; a new state or a `LightClientError` goes out. Nothing here does I/O or reads a
clock. Verification, the search for misbehaviour and the step of the state are three functions, and the last one cannot fail
(after the anatomy of ibc-go's 07-tendermint).
"""

from __future__ import annotations

from typing import Protocol, Self, TypeVar

from light_clients.errors import Misbehaviour
from light_clients.proofs.log_notes import ProvedNote
from schemas.claim import Claim
from schemas.primitives import BlockHash, Head


class VerifiedHeader(Protocol):
    """A header that passed every check against one state."""

    @property
    def height(self) -> int:
        """Number of the block."""

    @property
    def block_hash(self) -> BlockHash:
        """Hash of the block, as its ledger computes it."""

    @property
    def timestamp(self) -> int:
        """Unix seconds."""


class ClientState(Protocol):
    """What a client trusts: small, bounded, frozen."""

    @property
    def height(self) -> int:
        """Number of the newest accepted block."""

    @property
    def block_hash(self) -> BlockHash:
        """Its hash."""

    @property
    def timestamp(self) -> int:
        """Its time, Unix seconds."""

    @property
    def confirmations(self) -> int:
        """Blocks that must follow before a block counts as final; 0 where a sealed block is final."""

    @property
    def expires_at(self) -> int:
        """Unix seconds from which the state can no longer be extended."""

    @property
    def frozen(self) -> bool:
        """Whether misbehaviour was found."""

    @property
    def oldest_height(self) -> int:
        """The lowest height at which a claim can be judged."""

    def hash_at(self, height: int) -> BlockHash | None:
        """The block that was accepted at a height, or ``None`` where the state does not say."""

    def freeze(self) -> Self:
        """The same state, frozen for good."""

    def to_bytes(self) -> bytes:
        """The state with the version of its form."""


StateT = TypeVar("StateT", bound=ClientState)
VerifiedT = TypeVar("VerifiedT", bound=VerifiedHeader)
ConfigurationT_contra = TypeVar("ConfigurationT_contra", contravariant=True)
EvidenceT_contra = TypeVar("EvidenceT_contra", contravariant=True)
PinT_contra = TypeVar("PinT_contra", contravariant=True)
StateT_contra = TypeVar("StateT_contra", contravariant=True)


class LightClient(Protocol[StateT, VerifiedT, ConfigurationT_contra, EvidenceT_contra, PinT_contra]):
    """One consensus family.

    What a prover brings for a claim and what the officers pin of a gateway differ by family: `SlotEvidence` and `GatewayPin`
    where the gateway's storage is under a state root of Ethereum's form, a family's own types elsewhere.
    """

    def bootstrap(self, header: bytes, block_hash: BlockHash, configuration: ConfigurationT_contra) -> StateT:
        """Trusts a pinned header.

        Args:
            header: The header, byte for byte.
            block_hash: What the officers pinned.
            configuration: What no header says.

        Returns:
            The first state.

        Raises:
            Misconfigured: The pin or the configuration cannot be.
            Refused: The header cannot be.
        """

    def verify_header(self, state: StateT, header: bytes, now: int) -> VerifiedT:
        """Judges the next header.

        Args:
            state: What is trusted.
            header: The header, byte for byte, and after it as many that follow it as `confirmations` says.
            now: Unix seconds.

        Returns:
            What `apply` needs.

        Raises:
            Retry: Headers are missing, or clocks differ.
            Refused: The header is false.
            Misconfigured: The state is frozen or expired.
        """

    def find_misbehaviour(self, state: StateT, header_a: bytes, header_b: bytes) -> Misbehaviour | None:
        """Compares two headers of one height.

        Args:
            state: What is trusted.
            header_a: A sealed header, and after it those that confirm it, as for `verify_header`.
            header_b: Another one.

        Returns:
            The accusation with both headers as evidence, or ``None`` where they do not contradict each other.

        Raises:
            Retry: The state does not know who had to seal at that height.
            Refused: One of the headers is not sealed, and so accuses nobody.
        """

    def apply(self, state: StateT, verified: VerifiedT) -> StateT:
        """The state after a header that was verified against this very state; cannot fail."""

    def verify_claim(
        self,
        state: StateT,
        claim: Claim,
        evidence: EvidenceT_contra,
        pin: PinT_contra,
        proved_head: Head | None = None,
    ) -> None:
        """Judges a claim at an accepted header.

        Args:
            state: What is trusted.
            claim: What is claimed.
            evidence: The header and the proofs, untrusted.
            pin: The gateway's address and code hash, trusted.
            proved_head: The head that the slot shows, where the claim is a prefix of it.

        Raises:
            Retry: The height is not, or no longer, within the state's window.
            Refused: The claim is false.
            Misconfigured: The state is frozen.
        """

    def state_from_bytes(self, data: bytes) -> StateT:
        """Reads a state back.

        Raises:
            Misconfigured: It is damaged or of another version.
        """


class NoteJudge(Protocol[StateT_contra, PinT_contra]):
    """What a family says of notes of an evidence log where they stand under no state root of Ethereum's form.

    A family that has it has a module `log_notes` with these functions. A state may be older or newer than the note: what the
    members that it trusts now sealed, at whatever height, no honest third of them sealed twice.
    """

    def read_note(self, state: StateT_contra, evidence: bytes, pin: PinT_contra, account: bytes) -> ProvedNote:
        """Proves what the gateway noted for an account, under the header in the evidence; who made that is not asked.

        Args:
            state: What is trusted; only what it says of the chain itself (its name, its hashes, its configuration) is used.
            evidence: In the family's form, untrusted.
            pin: What the officers pinned of the gateway.
            account: That notes, in the gateway's native form.

        Raises:
            Refused: The evidence does not show a note of that account.
        """

    def check_note_block(self, state: StateT_contra, evidence: bytes) -> None:
        """Judges who made the block in the evidence: those who are trusted now have to have sealed it, at whatever height it is.

        Args:
            state: What is trusted.
            evidence: As for `read_note`; only its header and seals are looked at.

        Raises:
            Misconfigured: The state is frozen.
            Refused: Others made it, or too few sealed it.
        """
