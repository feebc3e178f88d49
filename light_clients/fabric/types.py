"""The nouns of Fabric: a block, a configuration, the trusted state, a claim's evidence and pin (Fabric 3.1 `protoutil`, `msp`).

Fabric has no time of a block. What is called the time of a header here is the greatest time that a client wrote into a
transaction up to it and that is not ahead of the verifier's clock: it only moves forward, and stops nothing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Self

from light_clients import rlp
from light_clients.errors import ClaimMalformed, ConfigurationInvalid
from schemas.primitives import BlockHash

WINDOW = 256
"""Hashes of recent blocks that a state remembers; older blocks are reached by links of headers."""

MAXIMUM_ATTESTATIONS = 64
"""Peers that may attest one read."""

MAXIMUM_LINKS = 100_000
"""Headers that may stand between the block of a transaction and the claim's block; about 8 MB."""


@dataclass(frozen=True, slots=True)
class FabricConfiguration:
    """What no header says.

    Attributes:
        channel: Name of the channel.
        trusting_period_s: Seconds after the newest accepted header during which the state may be extended. A channel without
            transactions makes no blocks, so it is longer than elsewhere.
        heeds_expiry: Whether an orderer's expired certificate is refused. Fabric itself accepts it.

    Raises:
        ConfigurationInvalid: An option is out of its range.
    """

    channel: str
    trusting_period_s: int = 90 * 24 * 3600
    heeds_expiry: bool = True

    def __post_init__(self) -> None:
        if not 1 <= len(self.channel.encode()) <= 249:
            raise ConfigurationInvalid("A channel has a name of 1 to 249 bytes.", found=self.channel)
        if not 1 <= self.trusting_period_s < 2**32:
            raise ConfigurationInvalid("The trusting period is at least 1 second.", found=self.trusting_period_s)


@dataclass(frozen=True, slots=True)
class BlockSignature:
    """One signature in a block's metadata.

    Attributes:
        signature_header: `SignatureHeader` of the signer, raft; empty on SmartBFT.
        signature: ECDSA, DER.
        identifier_header: `IdentifierHeader` of the consenter, SmartBFT; empty on raft.
    """

    signature_header: bytes
    signature: bytes
    identifier_header: bytes


@dataclass(frozen=True, slots=True)
class FabricBlock:
    """A block that was read but not yet judged.

    Attributes:
        height: Number of the block.
        previous_hash: Hash of the block before it; empty in the first one.
        data_hash: What the header says of its envelopes, 32 bytes.
        envelopes: The transactions, in order.
        skimmed: Type and time (Unix seconds) that each of them states; zeros where it cannot be read.
        header: DER of the header, what is hashed and signed.
        block_hash: SHA-256 of it.
        signed_value: `OrdererBlockMetadata`, signed with the header; empty where the metadata are left out.
        last_config: The number in it of the block with the configuration in force.
        signatures: The orderers', in order.
    """

    height: int
    previous_hash: bytes
    data_hash: bytes
    envelopes: tuple[bytes, ...]
    skimmed: tuple[tuple[int, int], ...]
    header: bytes
    block_hash: BlockHash
    signed_value: bytes
    last_config: int
    signatures: tuple[BlockSignature, ...]


@dataclass(frozen=True, slots=True)
class FabricState:
    """What the client trusts.

    Attributes:
        configuration: What no header says.
        channel_config: `Config` in force: its sequence and the tree of organisations, orderers and policies.
        config_height: Number of the block that it stands in.
        height: Number of the newest accepted block.
        timestamp: Its time, Unix seconds; see the module.
        recent: Hashes of the newest accepted blocks, the newest last; 1 to 256 of them.
        frozen: Whether misbehaviour was found.
    """

    configuration: FabricConfiguration
    channel_config: bytes
    config_height: int
    height: int
    timestamp: int
    recent: tuple[BlockHash, ...]
    frozen: bool = False

    @property
    def block_hash(self) -> BlockHash:
        """Hash of the newest accepted block."""
        return self.recent[-1]

    @property
    def confirmations(self) -> int:
        """None: what orderers signed is final."""
        return 0

    @property
    def expires_at(self) -> int:
        """Unix seconds from which no header is accepted any more."""
        return self.timestamp + self.configuration.trusting_period_s

    @property
    def oldest_height(self) -> int:
        """The lowest height at which a claim can be judged."""
        return self.height - len(self.recent) + 1

    def hash_at(self, height: int) -> BlockHash | None:
        """The accepted block of a height, or ``None`` where it is outside of the window."""
        index = height - self.oldest_height
        return self.recent[index] if 0 <= index < len(self.recent) else None

    def freeze(self) -> Self:
        """The same state, frozen for good."""
        return replace(self, frozen=True)

    def to_bytes(self) -> bytes:
        """The state with the version of its form."""
        from light_clients.fabric.state_bytes import write_state

        return write_state(self)


@dataclass(frozen=True, slots=True)
class VerifiedFabricHeader:
    """A block that passed every check against one state.

    Attributes:
        height: Number of the block.
        block_hash: Its hash.
        timestamp: Its time, Unix seconds; see the module.
        channel_config: The `Config` that it brings, or ``None`` where it is no configuration block.
    """

    height: int
    block_hash: BlockHash
    timestamp: int
    channel_config: bytes | None


@dataclass(frozen=True, slots=True)
class FabricPin:
    """What the officers pinned of a gateway; trusted, never part of the evidence.

    Attributes:
        chaincode: Name of the gateway's chaincode.
        version: Version in its committed definition.
        definition_height: Number of the block in which that definition was committed.
        definition_transaction: Place of the transaction in that block.
        endorsement_policy: `ApplicationPolicy` of the definition: a signature policy, or the path of a channel policy.
        organisations: Membership ids of those whose peers may attest.
        threshold: Organisations of them that must attest.

    Raises:
        ConfigurationInvalid: The threshold cannot be reached, an organisation stands twice, or there is no such place.
    """

    chaincode: str
    version: str
    definition_height: int
    definition_transaction: int
    endorsement_policy: bytes
    organisations: tuple[str, ...]
    threshold: int

    def __post_init__(self) -> None:
        if not (0 <= self.definition_height < 2**64 and 0 <= self.definition_transaction < 2**64):
            raise ConfigurationInvalid("A definition was committed at a block and a place in it.")
        if len(set(self.organisations)) != len(self.organisations):
            raise ConfigurationInvalid("An organisation is pinned twice.")
        if not 1 <= self.threshold <= len(self.organisations):
            raise ConfigurationInvalid("The threshold is 1 to the number of organisations.", found=self.threshold)

    @property
    def code_hash(self) -> bytes:
        """SHA-256 of the RLP of the pin's fields in order: what the other end pins as this gateway's code, 32 bytes."""
        heights = [_integer(self.definition_height), _integer(self.definition_transaction)]
        names: rlp.RlpItem = [name.encode() for name in self.organisations]
        words = [self.chaincode.encode(), self.version.encode(), *heights, self.endorsement_policy]
        return hashlib.sha256(rlp.encode([*words, names, _integer(self.threshold)])).digest()


@dataclass(frozen=True, slots=True)
class AttestedRead:
    """One read that several peers answered alike and signed.

    Attributes:
        channel_header: Of the proposal.
        signature_header: Of the proposal.
        proposal_payload: `ChaincodeProposalPayload`, without the transient map.
        response_payload: `ProposalResponsePayload`, the same bytes from every peer.
        endorsements: (endorser, signature) of each peer.
    """

    channel_header: bytes
    signature_header: bytes
    proposal_payload: bytes
    response_payload: bytes
    endorsements: tuple[tuple[bytes, bytes], ...]

    def to_item(self) -> rlp.RlpItem:
        """The five parts in order, for RLP."""
        endorsements: list[rlp.RlpItem] = [list(pair) for pair in self.endorsements]
        return [self.channel_header, self.signature_header, self.proposal_payload, self.response_payload, endorsements]

    @classmethod
    def from_item(cls, item: rlp.RlpItem) -> Self:
        """Reads what `to_item` wrote.

        Raises:
            ClaimMalformed: The parts are others.
        """
        match item:
            case [*words, list() as endorsements]:
                channel_header, signature_header, proposal, response = _strings(words, 4)
                pairs = tuple(_pair(pair) for pair in endorsements)
                return cls(channel_header, signature_header, proposal, response, pairs)
            case _:
                raise ClaimMalformed(
                    "An attested read has four parts and its endorsements; ask for the evidence again."
                )


@dataclass(frozen=True, slots=True)
class FabricEvidence:
    """What a prover brings for a claim; every byte of it is untrusted.

    Attributes:
        block: The block with the transaction that moved the head; its metadata may be left out.
        transaction: Place of that transaction in it.
        links: `BlockHeader` of every block after it up to the claim's.
        read: The head, attested.
    """

    block: bytes
    transaction: int
    links: tuple[bytes, ...]
    read: AttestedRead

    def to_bytes(self) -> bytes:
        """RLP of [block, transaction, links, [the five parts of the read]], for the evidence log and receipts."""
        return rlp.encode([self.block, _integer(self.transaction), list(self.links), self.read.to_item()])

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Reads what `to_bytes` wrote.

        Raises:
            ClaimMalformed: The items are not those of this evidence.
            RlpRefused: It is not canonical RLP.
        """
        match rlp.decode_list(data):
            case [bytes() as block, bytes() as place, list() as links, list() as read]:
                strings = _strings(links, len(links))
                return cls(block, rlp.decode_integer(place, 8), strings, AttestedRead.from_item(read))
            case _:
                raise ClaimMalformed("Evidence of Fabric is a block, a place, links and a read; ask for it again.")


@dataclass(frozen=True, slots=True)
class FabricNoteEvidence:
    """What shows a note of an evidence log; every byte of it is untrusted.

    Attributes:
        block: The block with the transaction that wrote the note, with the orderers' signatures.
        transaction: Place of that transaction in it.
        read: The note, attested.
    """

    block: bytes
    transaction: int
    read: AttestedRead

    def to_bytes(self) -> bytes:
        """RLP of [block, transaction, [the five parts of the read]]."""
        return rlp.encode([self.block, _integer(self.transaction), self.read.to_item()])

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Reads what `to_bytes` wrote.

        Raises:
            ClaimMalformed: The items are not those of this evidence.
            RlpRefused: It is not canonical RLP.
        """
        match rlp.decode_list(data):
            case [bytes() as block, bytes() as place, list() as read]:
                return cls(block, rlp.decode_integer(place, 8), AttestedRead.from_item(read))
            case _:
                raise ClaimMalformed("Evidence of a note on Fabric is a block, a place and a read; ask for it again.")


def _pair(item: rlp.RlpItem) -> tuple[bytes, bytes]:
    endorser, signature = _strings(item if isinstance(item, list) else [], 2)
    return endorser, signature


def _strings(items: list[rlp.RlpItem], count: int) -> tuple[bytes, ...]:
    found = tuple(item for item in items if isinstance(item, bytes))
    if not len(found) == len(items) == count:
        raise ClaimMalformed("A part of the evidence is missing or a list; ask for the evidence again.")
    return found


def _integer(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")
