"""Merkle-Patricia proofs of presence and absence (Ethereum yellow paper, appendix D; EIP-1186 for their form in JSON-RPC).

The rules, beyond following the path:
1. Every node on the path hashes to the reference in its parent; the first one to the root, however short it is.
2. A child below 32 bytes is inlined in its parent and has no proof element of its own; a longer one never is inlined.
3. Flags of a path are 0 to 3; a path of even length has a zero nibble of padding.
4. Absence is an empty slot of a branch, a leaf with another remainder, an extension that diverges, a key that ends at a
   branch without a value, or the empty trie.
5. No node is left over.
6. The storage root is the one of the *proven* account; an absent account has empty storage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from light_clients import rlp
from light_clients.errors import (
    ProofIncomplete,
    ProofNodeHashMismatch,
    ProofNodeInlining,
    ProofNodeInvalid,
    ProofNodesUnused,
    ProofPathInvalid,
    ProofValueInvalid,
    RlpRefused,
)
from schemas.primitives import Bytes32
from schemas.suites import keccak256

EMPTY_ROOT = Bytes32(keccak256(rlp.encode(b"")))
"""The root of a trie without entries: the hash of the empty string in RLP."""

_NODE_MINIMUM = 32
_BRANCH_ITEMS = 17

_FULL_BRANCH_SIZE = 532
_FULL_BRANCH_HEAD = b"\xf9\x02\x11"
_FULL_BRANCH_PREFIXES = b"\xa0" * 16 + b"\x80"
"""Of the items of a branch with sixteen hashes and no value."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account as the state trie holds it (yellow paper, section 4.1).

    Attributes:
        nonce: Transactions sent, or contracts created.
        balance: In the smallest unit of the ledger's coin.
        storage_root: Root of the account's storage trie.
        code_hash: Hash of the account's code.
    """

    nonce: int
    balance: int
    storage_root: Bytes32
    code_hash: Bytes32


def verify_proof(root: bytes, key: bytes, proof: Sequence[bytes]) -> bytes | None:
    """Follows a key from a trusted root.

    Args:
        root: The root, 32 bytes.
        key: The path, of any size; for the state and storage tries it is a hash.
        proof: The encoded nodes from the root down, without the inlined ones.

    Returns:
        The value, never empty, or ``None`` where the proof shows that there is none.

    Raises:
        ProofRefused: One of the module's rules is broken, by its name.
        RlpRefused: A node is not canonical RLP.
    """
    if root == EMPTY_ROOT and (not proof or list(proof) == [b"\x80"]):
        return None
    path = key.hex()
    position = used = 0
    reference: rlp.RlpItem = root
    while True:
        if isinstance(reference, bytes):
            encoded = _hashed_node(reference, proof, used)
            used += 1
            if _is_full_branch(encoded) and position < len(path):
                start = 4 + 33 * int(path[position], 16)
                position += 1
                reference = encoded[start : start + 32]
                continue
            node = _node_items(encoded)
        else:
            node = _inlined_node(reference)
        if len(node) == _BRANCH_ITEMS:
            at_end = position == len(path)
            child = node[16] if at_end else node[int(path[position], 16)]
            position += 1
            found = child == b"" or at_end
            value = child
        elif len(node) == 2:
            is_leaf, partial = _partial_path(node[0])
            child = node[1]
            on_path = path.startswith(partial, position)
            position += len(partial)
            found = is_leaf or not on_path
            value = child if is_leaf and on_path and position == len(path) else b""
            if child == b"":
                raise ProofNodeInvalid("A leaf or extension of the trie is empty; ask another endpoint for the proof.")
        else:
            raise ProofNodeInvalid("A node of the trie has neither 2 nor 17 items.", found=len(node))
        if found:
            return _ended(value, used, proof)
        if isinstance(child, bytes) and len(child) != 32:
            raise ProofNodeInvalid("A reference to a child is not 32 bytes.", expected=32, found=child)
        reference = child


def verify_account(state_root: bytes, address: bytes, proof: Sequence[bytes]) -> Account | None:
    """Proves an account, or its absence.

    Args:
        state_root: Root of the state trie, 32 bytes.
        address: 20 bytes.
        proof: ``accountProof`` of EIP-1186.

    Returns:
        The account, or ``None`` where the proof shows that there is none.

    Raises:
        ProofRefused: The proof does not hold.
        RlpRefused: A node or the account is not canonical RLP.
    """
    value = verify_proof(state_root, keccak256(address), proof)
    if value is None:
        return None
    fields = rlp.decode_list(value)
    if len(fields) != 4:
        raise ProofValueInvalid("An account has four fields.", expected=4, found=len(fields))
    nonce, balance, storage_root, code_hash = fields
    if not isinstance(storage_root, bytes) or not isinstance(code_hash, bytes):
        raise ProofValueInvalid("The roots of an account are strings, not lists.")
    if len(storage_root) != 32 or len(code_hash) != 32:
        raise ProofValueInvalid("The roots of an account have 32 bytes.", expected=32, found=value)
    return Account(rlp.decode_integer(nonce, 8), rlp.decode_integer(balance), Bytes32(storage_root), Bytes32(code_hash))


def verify_storage(storage_root: bytes, slot: bytes, proof: Sequence[bytes]) -> Bytes32 | None:
    """Proves a word of an account's storage, or that it is zero.

    Args:
        storage_root: Root of the account's *proven* storage trie, 32 bytes.
        slot: Number of the slot, 32 bytes.
        proof: ``storageProof[].proof`` of EIP-1186.

    Returns:
        The word, or ``None`` where the proof shows that the slot is zero.

    Raises:
        ProofRefused: The proof does not hold.
        RlpRefused: A node or the word is not canonical RLP.
    """
    value = verify_proof(storage_root, keccak256(slot), proof)
    if value is None:
        return None
    number = rlp.decode_integer(rlp.decode(value))
    if not number:
        raise ProofValueInvalid("A storage trie holds no zero.", found=value)
    return Bytes32(number.to_bytes(32, "big"))


def slot_from_hex(text: str) -> Bytes32:
    """Reads a storage key as nodes print it: with or without leading zeros.

    Args:
        text: Hexadecimal with ``0x``, such as ``0x0``.

    Returns:
        The number of the slot as 32 bytes.

    Raises:
        ProofValueInvalid: It is not a hexadecimal number of at most 32 bytes.
    """
    digits = text.removeprefix("0x")
    if not 0 < len(digits) <= 64 or any(digit not in "0123456789abcdefABCDEF" for digit in digits):
        raise ProofValueInvalid("A storage key is a hexadecimal number of at most 32 bytes.", found=text[:80])
    return Bytes32(int(digits, 16).to_bytes(32, "big"))


def _hashed_node(reference: bytes, proof: Sequence[bytes], used: int) -> bytes:
    if used >= len(proof):
        raise ProofIncomplete("A node of the proof is missing; ask for the whole proof.", expected=reference)
    encoded = proof[used]
    if keccak256(encoded) != reference:
        raise ProofNodeHashMismatch("A node does not have its hash.", expected=reference, found=keccak256(encoded))
    if used and len(encoded) < _NODE_MINIMUM:
        raise ProofNodeInlining("A node below 32 bytes stands by hash; it is inlined.", found=encoded)
    return encoded


def _is_full_branch(encoded: bytes) -> bool:
    """Whether a node is a branch with sixteen hashes and no value; it has one form, so it need not be decoded to be followed."""
    return (
        len(encoded) == _FULL_BRANCH_SIZE
        and encoded[3::33] == _FULL_BRANCH_PREFIXES
        and encoded.startswith(_FULL_BRANCH_HEAD)
    )


def _node_items(encoded: bytes) -> list[rlp.RlpItem]:
    try:
        return rlp.decode_list(encoded)
    except RlpRefused as error:
        raise ProofNodeInvalid("A node of the trie is not a canonical RLP list.", found=encoded) from error


def _inlined_node(reference: list[rlp.RlpItem]) -> list[rlp.RlpItem]:
    encoded = rlp.encode(reference)
    if len(encoded) >= _NODE_MINIMUM:
        raise ProofNodeInlining("A node of 32 bytes or more is inlined; it stands by hash.", found=encoded)
    return reference


def _partial_path(item: rlp.RlpItem) -> tuple[bool, str]:
    """Reads a hexadecimal-prefix path (yellow paper, appendix C): whether it ends in a leaf, and its nibbles."""
    if not isinstance(item, bytes) or not item:
        raise ProofPathInvalid("A path is a string of at least one byte.")
    digits = item.hex()
    flag = item[0] >> 4
    if flag > 3 or (not flag & 1 and digits[1] != "0"):
        raise ProofPathInvalid("The flag or the padding of a path is wrong.", found=item)
    partial = digits[1:] if flag & 1 else digits[2:]
    is_leaf = flag >= 2
    if not is_leaf and not partial:
        raise ProofPathInvalid("The path of an extension is empty.", found=item)
    return is_leaf, partial


def _ended(value: rlp.RlpItem, used: int, proof: Sequence[bytes]) -> bytes | None:
    if used != len(proof):
        raise ProofNodesUnused("Nodes are left over at the end of the path.", expected=used, found=len(proof))
    if not isinstance(value, bytes):
        raise ProofValueInvalid("A value of the trie is a list; it is a string.")
    return value or None
