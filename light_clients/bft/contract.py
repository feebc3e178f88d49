"""Validators that a contract selects, and their proof (Besu `TransactionValidatorProvider`).

The set of block N is what `getValidators()` of the contract answers in the state of block N - 1, sorted; headers list nobody.
So the header of block N - 1 comes with a proof under its own state root (`bundle`), and the set of block N is known before it.

1. The contract is there, and runs the pinned code where one is pinned.
2. The length is 1 to 256, and there is one proof for each element, none more.
3. Each word is an address.
4. No address stands twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from light_clients.bft.bundle import SetProof, element_slots, length_slot
from light_clients.bft.types import MAXIMUM_VALIDATORS, Address, ValidatorSelection
from light_clients.errors import (
    SetProofInvalid,
    SetProofMissing,
    ValidatorContractAbsent,
    ValidatorContractReplaced,
    ValidatorsNotAscending,
    ValidatorsTooMany,
)
from light_clients.proofs.patricia import verify_account, verify_storage
from schemas.primitives import Bytes32


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
        verify_storage(account.storage_root, length_slot(selection.slot), proof.storage[0]) or b"", "big"
    )
    if length > MAXIMUM_VALIDATORS:
        raise ValidatorsTooMany("The contract names too many.", expected=MAXIMUM_VALIDATORS, found=f"{length:#x}")
    if not length or length != len(proof.storage) - 1:
        raise SetProofInvalid(
            "The list has another length than the proof.", expected=length, found=len(proof.storage) - 1
        )
    # 3. The elements.
    slots = element_slots(selection.slot, length)
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
