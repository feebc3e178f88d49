"""The simple Merkle tree of Tendermint and CometBFT: RFC 6962, section 2.1, over SHA-256 (CometBFT specification, Merkle trees).

A leaf is hashed behind 0x00, an inner node behind 0x01, and a list is split at the largest power of two below its length; the
root of nothing is the hash of nothing. Paths through such a tree are judged by `light_clients.proofs.rfc6962`; this is the one
function that every header and every set of validators needs, and it is short because it is called often.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaves.

    Args:
        leaves: Any number of byte strings of any length.

    Returns:
        32 bytes.
    """
    level = [sha256(b"\x00" + leaf).digest() for leaf in leaves]
    if not level:
        return sha256(b"").digest()
    # Joining pairs from the left, and carrying an odd last one up, gives the same tree as splitting from the top.
    while len(level) > 1:
        joined = [sha256(b"\x01" + level[at] + level[at + 1]).digest() for at in range(0, len(level) - 1, 2)]
        level = [*joined, level[-1]] if len(level) % 2 else joined
    return level[0]
