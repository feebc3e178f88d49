"""Small Merkle-Patricia tries built in one go: a root, and the path of a key.

Source: Ethereum Yellow Paper, appendix D. Keys are hashed here (the "secure" trie of accounts and storage), so that every
node has 32 bytes or more and stands by its hash: none is inlined in another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from light_clients import rlp
from schemas.suites import keccak256

EMPTY_ROOT = keccak256(b"\x80")


class Trie:
    """A trie over hashed keys.

    Attributes:
        root: hash of the root node, 32 bytes.
    """

    def __init__(self, content: Mapping[bytes, bytes]) -> None:
        """Build the trie of `content`: keys of any length to values that are not empty."""
        self._nodes: dict[bytes, bytes] = {}
        entries = sorted((_nibbles(keccak256(key)), value) for key, value in content.items())
        self.root = self._reference(self._node(entries, 0)) if entries else EMPTY_ROOT

    def path(self, key: bytes) -> tuple[bytes, ...]:
        """Return the nodes from the root towards a key, as far as they go: they show its value or its absence."""
        nibbles, found = _nibbles(keccak256(key)), []
        reference: rlp.RlpItem = self.root
        while isinstance(reference, bytes) and reference in self._nodes:
            found.append(self._nodes[reference])
            reference, nibbles = _step(rlp.decode_list(found[-1]), nibbles)
        return tuple(found)

    def _node(self, entries: Sequence[tuple[tuple[int, ...], bytes]], depth: int) -> list[rlp.RlpItem]:
        first = entries[0][0]
        if len(entries) == 1:
            return [_compact(first[depth:], leaf=True), entries[0][1]]
        shared = depth
        while first[shared] == entries[-1][0][shared]:  # sorted: what the ends share, all share
            shared += 1
        if shared > depth:
            return [_compact(first[depth:shared], leaf=False), self._reference(self._node(entries, shared))]
        branch: list[rlp.RlpItem] = []
        for nibble in range(16):
            inside = [entry for entry in entries if entry[0][depth] == nibble]
            branch.append(self._reference(self._node(inside, depth + 1)) if inside else b"")
        return [*branch, b""]

    def _reference(self, node: list[rlp.RlpItem]) -> bytes:
        encoded = rlp.encode(node)
        digest = keccak256(encoded)
        self._nodes[digest] = encoded
        return digest


def _step(node: list[rlp.RlpItem], nibbles: tuple[int, ...]) -> tuple[rlp.RlpItem, tuple[int, ...]]:
    """One node further; an empty string where the path ends."""
    if len(node) == 17:
        return node[nibbles[0]], nibbles[1:]
    compact = node[0]
    if not isinstance(compact, bytes) or compact[0] & 0x20:
        return b"", nibbles
    prefix = _nibbles(compact)[1 if compact[0] & 0x10 else 2 :]
    if nibbles[: len(prefix)] != prefix:
        return b"", nibbles
    return node[1], nibbles[len(prefix) :]


def _nibbles(data: bytes) -> tuple[int, ...]:
    return tuple(nibble for byte in data for nibble in (byte >> 4, byte & 15))


def _compact(nibbles: tuple[int, ...], *, leaf: bool) -> bytes:
    flag = 2 if leaf else 0
    whole = (flag + 1, *nibbles) if len(nibbles) % 2 else (flag, 0, *nibbles)
    return bytes(high << 4 | low for high, low in zip(whole[::2], whole[1::2], strict=True))
