"""Validators that a contract selects: their proof, and the bundle that carries it (Besu `TransactionValidatorProvider`).

The set of block N is what `getValidators()` of the contract answers in the state of block N - 1, sorted; headers list nobody.
A header whose *child's* validators come from a contract therefore travels as a bundle, RLP of [header, account proof,
storage proofs]: the account of the contract under this header's own state root, then one storage proof for the length of the
``address[]`` and one for each element, in order (Solidity documentation, Layout of State Variables in Storage: the length is
at the slot, element i at keccak(slot) + i). A claim's evidence has the header alone.

1. The contract is there, and runs the pinned code where one is pinned.
2. The length is 1 to 256, and there is one proof for each element, none more.
3. Each word is an address.
4. No address stands twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from light_clients import rlp
from light_clients.bft.headers import MAXIMUM_HEADER_SIZE
from light_clients.bft.types import MAXIMUM_VALIDATORS, Address, ValidatorSelection
from light_clients.errors import (
    HeaderTooLarge,
    SetProofInvalid,
    SetProofMissing,
    ValidatorContractAbsent,
    ValidatorContractReplaced,
    ValidatorsNotAscending,
    ValidatorsTooMany,
)
from light_clients.proofs.patricia import verify_account, verify_storage
from schemas.primitives import Bytes32
from schemas.suites import keccak256

MAXIMUM_BUNDLE_SIZE = 4 * 1024 * 1024
"""Bytes of a header with its proof; 256 storage proofs of eight full nodes take about 1.1 MB."""

_BUNDLE_ITEMS = 3


@dataclass(frozen=True, slots=True)
class SetProof:
    """What a prover brings for a set; every byte of it is untrusted.

    Attributes:
        account: Nodes from the state root to the contract's account.
        storage: Nodes from the storage root to the length of the list, then to each element.
    """

    account: tuple[bytes, ...]
    storage: tuple[tuple[bytes, ...], ...]


def length_slot(selection: ValidatorSelection) -> Bytes32:
    """The slot that holds the length of the list, 32 bytes."""
    return Bytes32(selection.slot.to_bytes(32, "big"))


def element_slots(selection: ValidatorSelection, length: int) -> list[Bytes32]:
    """The slots that hold the elements of the list, in order, 32 bytes each."""
    first = int.from_bytes(keccak256(length_slot(selection)), "big")
    return [Bytes32(((first + index) % 2**256).to_bytes(32, "big")) for index in range(length)]


def bundle(header: bytes, proof: SetProof) -> bytes:
    """Puts a header and the proof of its child's set together.

    Args:
        header: RLP of the header, with its seals.
        proof: The proof under that header's state root.

    Returns:
        RLP of [header, account proof, storage proofs].
    """
    return rlp.encode([header, list(proof.account), [list(nodes) for nodes in proof.storage]])


def unbundle(data: bytes) -> tuple[bytes, SetProof | None]:
    """Takes a header out of its bundle.

    Args:
        data: A bundle, or a header alone.

    Returns:
        The header, and the proof where there is one.

    Raises:
        HeaderTooLarge: It is larger than any bundle.
        RlpRefused: It is not canonical RLP.
        SetProofInvalid: The items of the bundle are not those of a bundle.
    """
    if len(data) <= MAXIMUM_HEADER_SIZE and not _is_bundle(rlp.decode(data)):
        return data, None
    if len(data) > MAXIMUM_BUNDLE_SIZE:
        raise HeaderTooLarge("The header with its proof is too large.", expected=MAXIMUM_BUNDLE_SIZE, found=len(data))
    match rlp.decode(data):
        case [bytes() as header, list() as account, list() as storage]:
            return header, SetProof(_nodes(account), tuple(_nodes(nodes) for nodes in storage))
        case _:
            raise SetProofInvalid("A header with a proof of its child's validators has three items; ask for it again.")


def _is_bundle(item: rlp.RlpItem) -> bool:
    return isinstance(item, list) and len(item) == _BUNDLE_ITEMS


def _nodes(items: rlp.RlpItem) -> tuple[bytes, ...]:
    nodes = tuple(item for item in items if isinstance(item, bytes)) if isinstance(items, list) else ()
    if len(nodes) != len(items):
        raise SetProofInvalid("A node of a proof is a string of bytes; ask for the proof again.")
    return nodes


def prove_validators(state_root: Bytes32, selection: ValidatorSelection, proof: SetProof | None) -> tuple[Address, ...]:
    """Proves the set that seals the next block; the list of checks is the module's.

    Args:
        state_root: Root of the parent of that block.
        selection: The contract and its layout.
        proof: What the prover brought.

    Returns:
        The set, ascending.

    Raises:
        SetProofMissing: There is no proof.
        ValidatorContractAbsent: There is no contract at the address.
        ValidatorContractReplaced: Its code is another one.
        ValidatorsTooMany: The list is longer than what a client keeps.
        SetProofInvalid: The list is empty, has other elements than the proof, or holds what is no address.
        ValidatorsNotAscending: An address stands twice.
        ProofRefused: A proof does not hold.
    """
    if proof is None:
        raise SetProofMissing(
            "The header came without the proof of its child's validators.", expected=selection.contract
        )
    # 1. The contract.
    account = verify_account(state_root, selection.contract, proof.account)
    if account is None:
        raise ValidatorContractAbsent("There is no contract that selects validators.", expected=selection.contract)
    if selection.code_hash and account.code_hash != selection.code_hash:
        raise ValidatorContractReplaced(
            "The contract runs other code.", expected=selection.code_hash, found=account.code_hash
        )
    # 2. The length.
    if not proof.storage:
        raise SetProofInvalid("The proof has no length of the list; ask for the whole proof.")
    length = int.from_bytes(
        verify_storage(account.storage_root, length_slot(selection), proof.storage[0]) or b"", "big"
    )
    if length > MAXIMUM_VALIDATORS:
        raise ValidatorsTooMany("The contract names too many.", expected=MAXIMUM_VALIDATORS, found=f"{length:#x}")
    if not length or length != len(proof.storage) - 1:
        raise SetProofInvalid(
            "The list has another length than the proof.", expected=length, found=len(proof.storage) - 1
        )
    # 3. The elements.
    slots = element_slots(selection, length)
    members = sorted(
        _address(verify_storage(account.storage_root, slot, nodes))
        for slot, nodes in zip(slots, proof.storage[1:], strict=True)
    )
    # 4. Nobody twice.
    if any(first == second for first, second in pairwise(members)):
        raise ValidatorsNotAscending("The contract names one validator twice.", found=b"".join(members))
    return tuple(members)


def _address(word: Sequence[int] | None) -> Address:
    data = bytes(word or bytes(32))
    if any(data[:12]):
        raise SetProofInvalid("A word of the list is no address; check the layout of the contract.", found=data)
    return Address(data[12:])
