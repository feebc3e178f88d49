"""A receipt: one message, what became of it, why either may be believed, and that the hub's log holds it; and the trust anchors.

Version 1. In JSON bytes are hexadecimal with `0x` and 64-bit integers decimal strings; anchors are TOML with plain integers.
Source: docs/evidence.md, sections The receipt and The trust anchors.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool

from schemas.claim import Claim
from schemas.message import Message
from schemas.outcome import Status
from schemas.primitives import (
    Account,
    BlockHash,
    Bytes32,
    ChainWord,
    Digest,
    Head,
    HexBytes,
    LaneId,
    MessageId,
    OutcomeId,
    Result,
    Uint64,
    bytes_from_hex,
    exact_integer,
)

RECEIPT_FORMAT: Literal["relayhub/receipt/v1"] = "relayhub/receipt/v1"
ANCHORS_FORMAT: Literal["relayhub/anchors/v1"] = "relayhub/anchors/v1"
MOST_IDS = 1_000_000
"""Ids that a receipt carries in one list at most."""
MOST_CHANGES = 1_000
"""Headers of changed validators that a receipt carries for one way at most."""
MOST_PATH = 64
"""Hashes of the longest inclusion proof."""

Ids = Annotated[tuple[Bytes32, ...], Field(max_length=MOST_IDS)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Leaf(_Part):
    """A leaf of the log: its index, its entry (at most 1,024 bytes), its path to the checkpoint's root from the leaf upwards."""

    index: Uint64
    entry: HexBytes
    path: Annotated[tuple[Bytes32, ...], Field(max_length=MOST_PATH)]


class LaneWords(_Part):
    """Every preimage of a lane's id."""

    hub: str
    suite: str
    source: ChainWord
    source_gateway: Account
    destination: ChainWord
    destination_gateway: Account
    channel: str


class OutcomePart(_Part):
    """What became of the message."""

    outcome_id: OutcomeId
    status: Annotated[Status, BeforeValidator(exact_integer)]
    result: Result


class Proof(_Part):
    """The proof of a head at the claim's block; `between_ids` lead from the claim's head to it."""

    consensus: str
    nonce: Uint64
    head: Head
    between_ids: Ids
    evidence: HexBytes
    leaf: Leaf


class Signature(_Part):
    """One signature of a quorum: the operator's own account, the committee's account of it, scheme, signature."""

    signer: Account
    account: Account
    scheme: Literal["secp256k1", "sm2"]
    signature: HexBytes


class Quorum(_Part):
    """Signatures over the attestation digest of the claim at one place, as many as the committee asks for."""

    chain: ChainWord
    gateway: Account
    verifier: Account
    epoch: Uint64
    threshold: Uint64
    digest: Digest
    signatures: Annotated[tuple[Signature, ...], Field(max_length=256)]
    leaf: Leaf


class Way(_Part):
    """That a history passes through an entry, and who believed it; `validators` are headers with which new sets of them began."""

    before: Head
    suffix_ids: Ids
    claim: Claim
    validators: Annotated[tuple[HexBytes, ...], Field(max_length=MOST_CHANGES)]
    proof: Proof
    quorum: Quorum | None


class Receipt(_Part):
    """One file about one message; parts are null only where it is not complete."""

    format: Literal["relayhub/receipt/v1"]
    complete: StrictBool
    lane_id: LaneId
    lane: LaneWords
    message_id: MessageId
    message: Message
    outcome: OutcomePart | None
    out: Way | None
    back: Way | None
    settled: Leaf | None
    checkpoint: str

    def leaves(self) -> dict[str, Leaf]:
        """The leaves that it has, by where they stand."""
        found: dict[str, Leaf] = {}
        for name, way in (("out", self.out), ("back", self.back)):
            if way is not None:
                found[f"{name}.proof"] = way.proof.leaf
                if way.quorum is not None:
                    found[f"{name}.quorum"] = way.quorum.leaf
        if self.settled is not None:
            found["settled"] = self.settled
        return found


def _height(value: Any) -> Any:
    """A TOML integer; never a truth value or a text."""
    return exact_integer(value)


def _maybe_bytes(value: Any) -> Any:
    return bytes_from_hex(value) if isinstance(value, str) else value


Number = Annotated[int, BeforeValidator(_height), Field(ge=0, lt=1 << 64)]
MaybeBytes = Annotated[bytes, BeforeValidator(_maybe_bytes)]


class LogAnchor(_Part):
    """The log: its origin, keys of which any may sign, and how many of which witnesses must have cosigned."""

    origin: str
    keys: tuple[str, ...]
    witnesses: tuple[str, ...] = ()
    witness_threshold: Number = 0


class ValidatorsAnchor(_Part):
    """Who seals from a height on."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    first: Number = Field(alias="from")
    members: tuple[Account, ...]


class ChainAnchor(_Part):
    """A ledger: its word and what that is made of, its consensus, its gateway, who notes the log there, who seals there."""

    chain: ChainWord
    name: str
    chain_id: str
    first_block: BlockHash
    consensus: str
    gateway: Account
    code_hash: Bytes32
    client_state: MaybeBytes = b""
    log_account: MaybeBytes = b""
    pin: dict[str, Any] = {}
    validators: tuple[ValidatorsAnchor, ...] = ()


class MemberAnchor(_Part):
    """One seat of a committee."""

    account: Account
    organisation: str
    scheme: Literal["secp256k1", "sm2"]
    public_key: MaybeBytes = b""
    struck: bool = False


class CommitteeAnchor(_Part):
    """A committee's epoch at one place."""

    chain: ChainWord
    gateway: Account
    verifier: Account
    epoch: Number
    threshold: Annotated[int, BeforeValidator(_height), Field(ge=1)]
    members: tuple[MemberAnchor, ...] = ()


class JudgeAnchor(_Part):
    """Who judges one direction of a lane."""

    kind: Literal["committee", "light-client", "both"]
    committee: MaybeBytes = b""


class LaneAnchor(_Part):
    """A lane and who judges its directions."""

    lane_id: LaneId
    out: JudgeAnchor
    back: JudgeAnchor


class Anchors(_Part):
    """What a verifier trusts; it comes by another way than the receipts."""

    format: Literal["relayhub/anchors/v1"]
    hub: str
    log: LogAnchor
    chains: tuple[ChainAnchor, ...] = ()
    committees: tuple[CommitteeAnchor, ...] = ()
    lanes: tuple[LaneAnchor, ...] = ()

    def chain(self, word: bytes) -> ChainAnchor | None:
        """The ledger of a chain word, if it is there."""
        return next((item for item in self.chains if item.chain == word), None)

    def lane(self, lane_id: bytes) -> LaneAnchor | None:
        """The lane, if it is there."""
        return next((item for item in self.lanes if item.lane_id == lane_id), None)

    def committee(self, chain: bytes, gateway: bytes, verifier: bytes, epoch: int) -> CommitteeAnchor | None:
        """The committee's epoch at a place, if it is there."""
        place = (chain, gateway, verifier, epoch)
        return next(
            (item for item in self.committees if (item.chain, item.gateway, item.verifier, item.epoch) == place), None
        )
