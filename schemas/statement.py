"""A statement: how an operator says that it stands with one ledger, signed with its key.

Source: the hub's protocol (docs/protocol.md, section Words and tags); docs/encodings.md, section Operators. The digest begins with a
tag of its own, so that a statement is never an attestation of a claim, and no attestation a statement.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pydantic import ConfigDict

from schemas.claim import Claim
from schemas.primitives import (
    Account,
    BlockHash,
    Bytes32,
    ChainWord,
    Digest,
    HexBytes,
    SchemaError,
    Uint64,
    account_bytes,
    uint64,
)
from schemas.suites import EVM, integer_word

CODE_MAX = 48
"""Characters of a code."""
TEXT_MAX = 200
"""Characters of a text."""
NOTHING = bytes(32)


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A claim that the operator refuses as false, beside what its own light client shows there.

    Attributes:
        claim: as the hub offered it.
        own_block_hash: the block that the operator accepted at the claim's height.
        own_nonce: entries that it knows at that block, at most the claim's.
        own_head: the head after so many entries; zero where it is no longer kept.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    claim: Claim
    own_block_hash: BlockHash
    own_nonce: Uint64
    own_head: Bytes32

    def differs(self) -> bool:
        """Whether the two sides say different things at all."""
        shorter = self.own_nonce < self.claim.nonce
        other_head = self.own_nonce == self.claim.nonce and bytes(self.own_head) not in (NOTHING, self.claim.head)
        return shorter or other_head or self.own_block_hash != self.claim.block_hash


@dataclass(frozen=True, slots=True)
class Statement:
    """What an operator says of itself and one ledger.

    Attributes:
        chain: chain word of the ledger.
        code: how it stands, one of a short list.
        text: one sentence, printable, at most 200 characters.
        height: the newest block that its own light client accepted; 0 where there is none.
        at: Unix milliseconds by the operator's clock; each later statement has a later one.
        signer: the operator's account.
        signature: 65 bytes over `statement_digest`.
        contradiction: the claim that it refuses, where it refuses one as false.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    chain: ChainWord
    code: str
    text: str
    height: Uint64
    at: Uint64
    signer: Account
    signature: HexBytes
    contradiction: Contradiction | None = None


def check_statement(statement: Statement) -> None:
    """Check lengths and characters: a text is shown to people, so nothing in it may steer a terminal or turn its direction.

    Raises:
        SchemaError: a field is out of its range.
    """
    account_bytes(statement.signer, "signer")
    uint64(statement.height, "height")
    uint64(statement.at, "at")
    if not 0 < len(statement.code) <= CODE_MAX or not statement.code.isascii() or not statement.code.isidentifier():
        raise SchemaError(f"code must be a word of at most {CODE_MAX} characters")
    if len(statement.text) > TEXT_MAX or not statement.text.isprintable():
        raise SchemaError(f"text must be printable, and of at most {TEXT_MAX} characters")
    if statement.contradiction is not None:
        statement.contradiction.claim.check()
        uint64(statement.contradiction.own_nonce, "own_nonce")


def statement_digest(statement: Statement) -> Digest:
    """H(TAG("operator-statement"), chain, H(signer), H(code), H(text), height, at, contradiction), all of Keccak-256.

    The contradiction is 32 zero bytes where there is none, else H(lane_id, direction, nonce, head, height, block_hash,
    own_block_hash, own_nonce, own_head). The signature itself is not part of it.

    Raises:
        SchemaError: a field is out of its range.
    """
    check_statement(statement)
    return Digest(
        EVM.hash(
            EVM.tag("operator-statement")
            + statement.chain
            + EVM.hash(statement.signer)
            + EVM.hash(statement.code.encode())
            + EVM.hash(statement.text.encode())
            + integer_word(statement.height)
            + integer_word(statement.at)
            + _hash_contradiction(statement.contradiction)
        )
    )


def _hash_contradiction(said: Contradiction | None) -> bytes:
    if said is None:
        return NOTHING
    claim = said.claim
    return EVM.hash(
        claim.lane_id
        + integer_word(claim.direction)
        + integer_word(claim.nonce)
        + claim.head
        + integer_word(claim.height)
        + claim.block_hash
        + said.own_block_hash
        + integer_word(said.own_nonce)
        + said.own_head
    )
