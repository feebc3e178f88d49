"""What the storage of a gateway on an EVM-like ledger proves about a lane.

The outbox heads of a gateway are the mapping at slot 0, the outcome heads the mapping at slot 1, both keyed by lane_id
(the hub's protocol, section The lane digest; layout of mappings: Solidity documentation, Layout of State Variables in
Storage). The key is computed here from (lane_id, direction) and is never taken from the proof.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from light_clients import rlp
from light_clients.errors import ClaimMalformed, CodeHashMismatch, GatewayAbsent, HeadAbsent, HeadMismatch
from light_clients.proofs.patricia import verify_account, verify_storage
from schemas.claim import Claim
from schemas.primitives import Bytes32, Head, LaneId, SchemaError
from schemas.suites import integer_word, keccak256


@dataclass(frozen=True, slots=True)
class GatewayPin:
    """What the officers pinned when the lane was opened; trusted, never part of the evidence.

    Attributes:
        address: The gateway, 20 bytes.
        code_hash: Hash of its code.
    """

    address: bytes
    code_hash: Bytes32


@dataclass(frozen=True, slots=True)
class SlotEvidence:
    """What a prover brings for a claim; every byte of it is untrusted.

    Attributes:
        header: RLP of the sealed header at the claim's height.
        account_proof: Nodes from the state root to the gateway's account.
        storage_proof: Nodes from the account's storage root to the slot of the head.
    """

    header: bytes
    account_proof: tuple[bytes, ...]
    storage_proof: tuple[bytes, ...]

    def to_bytes(self) -> bytes:
        """RLP of [header, account proof, storage proof], for the evidence log and receipts."""
        return rlp.encode([self.header, list(self.account_proof), list(self.storage_proof)])

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Reads what `to_bytes` wrote.

        Raises:
            ClaimMalformed: The items are not those of a slot evidence.
            RlpRefused: It is not canonical RLP.
        """
        match rlp.decode_list(data):
            case [bytes() as header, list() as account_proof, list() as storage_proof]:
                return cls(header, _nodes(account_proof), _nodes(storage_proof))
            case _:
                raise ClaimMalformed("Evidence of a slot has a header and two proofs; ask for it again.")


def _nodes(items: list[rlp.RlpItem]) -> tuple[bytes, ...]:
    nodes = tuple(item for item in items if isinstance(item, bytes))
    if len(nodes) != len(items):
        raise ClaimMalformed("A node of a proof is a string of bytes; ask for the evidence again.")
    return nodes


def check_claim_form(claim: Claim) -> None:
    """Refuses a claim with a field out of its range, a zero head above all.

    Raises:
        ClaimMalformed: A field is out of its range.
    """
    try:
        claim.check()
    except SchemaError as error:
        raise ClaimMalformed(f"The claim cannot be: {error}.") from error


def head_slot(lane_id: LaneId, direction: int) -> Bytes32:
    """The slot that holds a lane's head: keccak(lane_id ‖ uint256(0 or 1)).

    Args:
        lane_id: The key of the mapping.
        direction: 0 for the outbox, 1 for the outcomes; the number of the mapping's own slot.

    Returns:
        The number of the slot, 32 bytes.
    """
    return Bytes32(keccak256(lane_id + integer_word(direction)))


def verify_gateway_head(
    state_root: Bytes32,
    pin: GatewayPin,
    claim: Claim,
    account_proof: Sequence[bytes],
    storage_proof: Sequence[bytes],
    *,
    proved_head: Head | None = None,
) -> None:
    """Proves that a gateway's slot holds the head.

    Args:
        state_root: Root of an accepted header.
        pin: The gateway's address and code hash.
        claim: Names the lane, the direction and the head.
        account_proof: Nodes from ``state_root`` to the account.
        storage_proof: Nodes from the proven storage root to the slot.
        proved_head: The head that the slot shows, where the claim is a prefix; the claim's own head otherwise.

    Raises:
        GatewayAbsent: There is no such account.
        CodeHashMismatch: Its code is another one.
        HeadAbsent: The slot is zero.
        HeadMismatch: The slot holds another head.
        ProofRefused: A proof does not hold.
        RlpRefused: A node is not canonical RLP.
    """
    # 1. The account exists, and its code is the one that was pinned.
    account = verify_account(state_root, pin.address, account_proof)
    if account is None:
        raise GatewayAbsent("There is no gateway at the pinned address.", expected=pin.address)
    if account.code_hash != pin.code_hash:
        raise CodeHashMismatch("The gateway runs other code.", expected=pin.code_hash, found=account.code_hash)
    # 2. The slot, under the proven storage root, is not zero and holds the head.
    word = verify_storage(account.storage_root, head_slot(claim.lane_id, claim.direction), storage_proof)
    if word is None:
        raise HeadAbsent("The gateway holds no head for this lane and direction.", expected=claim.lane_id)
    expected = claim.head if proved_head is None else proved_head
    if Head(word) != expected:
        raise HeadMismatch("The gateway holds another head.", expected=expected, found=word)
