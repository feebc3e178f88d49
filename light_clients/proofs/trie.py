"""The root of a Merkle-Patricia trie from all of its entries (Ethereum yellow paper, appendix D)."""

from __future__ import annotations

from collections.abc import Mapping

from light_clients import rlp
from light_clients.proofs.patricia import EMPTY_ROOT
from schemas.primitives import Bytes32
from schemas.suites import keccak256

_Entries = list[tuple[str, bytes]]


def trie_root(entries: Mapping[bytes, bytes]) -> Bytes32:
    """Builds the root.

    Args:
        entries: Values by key; keys as they stand in the trie, up to a few hundred bytes. An empty value is no entry.

    Returns:
        The root, 32 bytes.
    """
    paths = sorted((key.hex(), value) for key, value in entries.items() if value)
    if not paths:
        return EMPTY_ROOT
    return Bytes32(keccak256(rlp.encode(_node(paths, 0))))


def _node(entries: _Entries, position: int) -> list[rlp.RlpItem]:
    first, last = entries[0][0], entries[-1][0]
    if len(entries) == 1:
        return [_compact(first[position:], is_leaf=True), entries[0][1]]
    end = position
    while end < len(first) and first[end] == last[end]:
        end += 1
    if end > position:
        return [_compact(first[position:end], is_leaf=False), _reference(entries, end)]
    value = b""
    if len(first) == position:
        value, entries = entries[0][1], entries[1:]
    children: list[rlp.RlpItem] = []
    for digit in "0123456789abcdef":
        below = [entry for entry in entries if entry[0][position] == digit]
        children.append(_reference(below, position + 1) if below else b"")
    return [*children, value]


def _reference(entries: _Entries, position: int) -> rlp.RlpItem:
    """A node below 32 bytes stands in its parent; another one is named by its hash."""
    node = _node(entries, position)
    encoded = rlp.encode(node)
    return node if len(encoded) < 32 else keccak256(encoded)


def _compact(digits: str, *, is_leaf: bool) -> bytes:
    flag = 2 * is_leaf + len(digits) % 2
    return bytes.fromhex(f"{flag}{'' if len(digits) % 2 else '0'}{digits}")
