"""A header as its validators signed it, and their seals beside it: what a light client on a ledger takes.

The real round stays, the list of seals is empty, a vote to drop has no content: the hash of these bytes is the digest of the
seals (Besu `BftBlockHashing`, GoQuorum `QBFTFilteredHeader`), so that a contract hashes what it was given.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from light_clients.qbft.codec import parse_header, with_extra
from light_clients.rlp import decode_list


@dataclass(frozen=True, slots=True)
class SignedHeader:
    """What `signed_form` gives.

    Attributes:
        header: RLP of the header with its round and without seals.
        seals: One of 65 bytes for each sealing validator.
    """

    header: bytes
    seals: tuple[bytes, ...]


def signed_form(header: bytes) -> SignedHeader:
    """Takes a sealed header apart.

    Args:
        header: RLP of the header, with its seals.

    Returns:
        The header as its validators signed it, and the seals.

    Raises:
        HeaderRefused: As for `light_clients.qbft.codec.parse_header`.
        RlpRefused: It is not canonical RLP.
    """
    parsed = parse_header(header)
    items = [item for item in decode_list(header) if isinstance(item, bytes)]
    return SignedHeader(with_extra(items, replace(parsed.extra, seals=())), parsed.extra.seals)
