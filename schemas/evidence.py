"""Evidence that a ledger's state shows a lane's head: what an adapter fetches and a light client judges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pydantic import ConfigDict

from schemas.primitives import HexBytes, Uint64


@dataclass(frozen=True, slots=True)
class StateEvidence:
    """A header and the Merkle-Patricia paths from its state root to one storage slot (EIP-1186).

    Attributes:
        height: height of the header.
        header: the header as the ledger's validators sealed it (RLP).
        account_proof: trie nodes from the state root to the gateway's account, root first.
        storage_proof: trie nodes from the account's storage root to the slot, root first.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    height: Uint64
    header: HexBytes
    account_proof: tuple[HexBytes, ...]
    storage_proof: tuple[HexBytes, ...]


@dataclass(frozen=True, slots=True)
class FamilyEvidence:
    """Evidence of a lane's head on a ledger whose state is under no Merkle-Patricia root: in the form of its consensus family.

    Attributes:
        height: height of the header.
        header: the header, in the form that the family's light client takes.
        proof: what the family's evidence is as bytes.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    height: Uint64
    header: HexBytes
    proof: HexBytes


HeadEvidence = StateEvidence | FamilyEvidence
"""What shows a lane's head at a header."""
