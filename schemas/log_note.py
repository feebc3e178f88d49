"""A log note: what a ledger's gateway holds as the length and root of an evidence log, with the proof of it, for one receipt.

Version 1; JSON as in `schemas.receipt`. Source: docs/evidence.md, section Notes of the log on ledgers.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.primitives import Account, BlockHash, Bytes32, ChainWord, HexBytes, Uint64
from schemas.receipt import MOST_CHANGES

LOG_NOTE_FORMAT: Literal["relayhub/log-note/v1"] = "relayhub/log-note/v1"
MOST_CONSISTENCY = 128
"""Hashes of the longest consistency proof."""


class LogNote(BaseModel):
    """What `account` noted at `gateway`, as the block of `height` has it, and how the receipt's checkpoint agrees with it.

    Attributes:
        format: of the file.
        chain: chain word of the ledger.
        gateway: that keeps the note.
        account: that wrote it.
        consensus: the family of light clients.
        height: of the block under whose state root the note is proved.
        block_hash: of that block.
        size: leaves that are noted.
        root: of the tree of so many leaves.
        evidence: RLP of [header, account proof, proof of the size's slot, proof of the root's slot].
        validators: headers with which new sets of validators began, as in a receipt's ways.
        consistency: RFC 6962 proof between the note and the checkpoint of the receipt, whichever is the longer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["relayhub/log-note/v1"]
    chain: ChainWord
    gateway: Account
    account: Account
    consensus: str
    height: Uint64
    block_hash: BlockHash
    size: Uint64
    root: Bytes32
    evidence: HexBytes
    validators: Annotated[tuple[HexBytes, ...], Field(max_length=MOST_CHANGES)]
    consistency: Annotated[tuple[Bytes32, ...], Field(max_length=MOST_CONSISTENCY)]
