"""What a prover brings for a note of an evidence log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from light_clients import rlp
from light_clients.errors import ClaimMalformed


@dataclass(frozen=True, slots=True)
class CometbftNoteEvidence:
    """What proves a note; every byte of it is untrusted.

    Attributes:
        bundle: Header, commit and validators (`codec`), and where these change the next ones, as trusted validators.
        code_proof: From the root of the store to the hash of the gateway's code (``ics23:iavl``).
        size_proof: From the root of the store to the slot of the size.
        root_proof: From the root of the store to the slot of the root.
        store_proof: From the app hash to the root of the store (``ics23:simple``).
    """

    bundle: bytes
    code_proof: bytes
    size_proof: bytes
    root_proof: bytes
    store_proof: bytes

    def to_bytes(self) -> bytes:
        """RLP of the five."""
        return rlp.encode([self.bundle, self.code_proof, self.size_proof, self.root_proof, self.store_proof])

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Reads what `to_bytes` wrote.

        Raises:
            ClaimMalformed: The items are others.
            RlpRefused: It is not canonical RLP.
        """
        match rlp.decode_list(data):
            case [bytes() as bundle, bytes() as code, bytes() as size, bytes() as root, bytes() as store]:
                return cls(bundle, code, size, root, store)
        raise ClaimMalformed("Evidence of a note is a bundle and four proofs; ask for it again.")
