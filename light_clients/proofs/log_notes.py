"""What the storage of a gateway on an EVM-like ledger proves about the note of an evidence log.

Notes are the mapping at slot 16, keyed by account: two slots each, first the number of leaves, then the root (docs/encodings.md,
section Solidity; layout of mappings and structs: Solidity documentation, Layout of State Variables in Storage). The slots are
computed here and never taken from the proof.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from light_clients import rlp
from light_clients.errors import ClaimMalformed, CodeHashMismatch, GatewayAbsent
from light_clients.proofs.gateway import GatewayPin
from light_clients.proofs.patricia import verify_account, verify_storage
from schemas.primitives import BlockHash, Bytes32
from schemas.suites import integer_word, keccak256

NOTES_SLOT = 16
"""Number of the mapping's own slot."""
_WORDS = 1 << 256


@dataclass(frozen=True, slots=True)
class ProvedNote:
    """What evidence shows of a note of an evidence log.

    Attributes:
        height: of the block under whose header it is shown.
        block_hash: of that block.
        size: leaves that were noted, 0 for none.
        root: root of the tree of so many leaves.
    """

    height: int
    block_hash: BlockHash
    size: int
    root: Bytes32


@dataclass(frozen=True, slots=True)
class NoteEvidence:
    """What proves a note; every byte of it is untrusted.

    Attributes:
        header: RLP of the sealed header.
        account_proof: nodes from the state root to the gateway's account.
        size_proof: nodes from the account's storage root to the slot of the size.
        root_proof: nodes from the account's storage root to the slot of the root.
    """

    header: bytes
    account_proof: tuple[bytes, ...]
    size_proof: tuple[bytes, ...]
    root_proof: tuple[bytes, ...]

    def to_bytes(self) -> bytes:
        """RLP of the four, each proof a list."""
        return rlp.encode([self.header, list(self.account_proof), list(self.size_proof), list(self.root_proof)])

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Reads what `to_bytes` wrote.

        Raises:
            ClaimMalformed: The items are others.
            RlpRefused: It is not canonical RLP.
        """
        match rlp.decode_list(data):
            case [bytes() as header, list() as account, list() as size, list() as root]:
                return cls(header, _nodes(account), _nodes(size), _nodes(root))
            case _:
                raise ClaimMalformed("Evidence of a note has a header and three proofs; ask for it again.")


def _nodes(items: list[rlp.RlpItem]) -> tuple[bytes, ...]:
    nodes = tuple(item for item in items if isinstance(item, bytes))
    if len(nodes) != len(items):
        raise ClaimMalformed("A node of a proof is a string of bytes; ask for the evidence again.")
    return nodes


def note_slots(account: bytes) -> tuple[Bytes32, Bytes32]:
    """The slots of an account's note, of its size and of its root.

    Args:
        account: 20 bytes.

    Returns:
        Two numbers of slots, 32 bytes each.

    Raises:
        ClaimMalformed: The account is no address.
    """
    if len(account) != 20:
        raise ClaimMalformed("An account on an Ethereum machine has 20 bytes.", found=account)
    first = keccak256(bytes(12) + account + integer_word(NOTES_SLOT))
    second = (int.from_bytes(first, "big") + 1) % _WORDS
    return Bytes32(first), Bytes32(second.to_bytes(32, "big"))


def noted(state_root: Bytes32, pin: GatewayPin, account: bytes, evidence: NoteEvidence) -> tuple[int, Bytes32]:
    """What a gateway holds as the note of an account, 0 leaves where there is none.

    Args:
        state_root: root of an accepted header.
        pin: the gateway's address and code hash.
        account: that notes, 20 bytes.
        evidence: the proofs.

    Returns:
        The number of leaves, and the root.

    Raises:
        GatewayAbsent: There is no such account.
        CodeHashMismatch: Its code is another one.
        ProofRefused: A proof does not hold.
        RlpRefused: A node is not canonical RLP.
        ClaimMalformed: The account is no address.
    """
    found = verify_account(state_root, pin.address, evidence.account_proof)
    if found is None:
        raise GatewayAbsent("There is no gateway at the pinned address.", expected=pin.address)
    if found.code_hash != pin.code_hash:
        raise CodeHashMismatch("The gateway runs other code.", expected=pin.code_hash, found=found.code_hash)
    size_slot, root_slot = note_slots(account)
    size = verify_storage(found.storage_root, size_slot, evidence.size_proof)
    root = verify_storage(found.storage_root, root_slot, evidence.root_proof)
    return int.from_bytes(size or b"", "big"), root or Bytes32(bytes(32))
