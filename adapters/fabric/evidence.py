"""A key as peers of several organisations attest it, with the block of the transaction that wrote it (docs/light-clients/fabric.md).

One and the same signed proposal goes to a peer of each organisation. A peer that is behind reads an older version of the key,
so it is asked again for a moment. A read shows the newest value alone; that of an earlier block can no longer be attested.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from adapters.fabric.blocks import VALID, PeerBlock
from adapters.fabric.identities import SigningIdentity
from adapters.fabric.peers import Endorsement, Nodes, largest_agreement
from adapters.fabric.proposals import NONCE_SIZE, propose
from adapters.fabric.stubs import relayhub_fabric_pb2 as messages
from adapters.protocol import AdapterError, BadAnswer, Misconfigured, Rejected, Unreachable
from light_clients.fabric.attestations import KeyRead, head_read
from light_clients.fabric.log_notes import note_read
from light_clients.fabric.types import AttestedRead, FabricEvidence, FabricNoteEvidence
from schemas.evidence import FamilyEvidence
from schemas.primitives import LaneId

TRIES, PAUSE_S = 8, 0.25
"""How often a read is asked for where peers are not at the same block, and the pause between."""

REMEMBERED = 256
Version = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Attested:
    """An attested read and the block and place of the transaction that wrote the key."""

    version: Version
    read: AttestedRead


class AttestedReader:
    """Fetches attested reads; keeps those that were asked for a moment too late."""

    def __init__(self, nodes: Nodes, organisations: Sequence[str], threshold: int) -> None:
        """Ask these organisations, of which so many must agree."""
        self._nodes = nodes
        self.organisations = tuple(organisations)
        self.threshold = threshold
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str, int], Attested] = {}

    def evidence(
        self, identity: SigningIdentity, chaincode: str, lane_id: LaneId, direction: int, height: int
    ) -> FamilyEvidence | None:
        """The evidence of a head that a transaction in the block at `height` was the last one to move; None where none was."""
        found = self._written(identity, chaincode, head_read(lane_id, direction), height)
        if found is None:
            return None
        block, head = found
        return FamilyEvidence(height, block, FabricEvidence(block, head.version[1], (), head.read).to_bytes())

    def note(self, identity: SigningIdentity, chaincode: str, account: bytes, height: int) -> bytes:
        """The evidence of a note that a transaction in the block at `height` was the last one to write.

        Raises:
            Rejected: none was; the newest note stands in another block, or there is none.
        """
        found = self._written(identity, chaincode, note_read(account), height)
        if found is None:
            raise Rejected(
                f"Block {height} has no note of account {account.hex()}, or a newer one has taken its place; ask for the newest.",
                endpoint=self._nodes.own.label,
            )
        block, note = found
        return FabricNoteEvidence(block, note.version[1], note.read).to_bytes()

    def _written(
        self, identity: SigningIdentity, chaincode: str, asked: KeyRead, height: int
    ) -> tuple[bytes, Attested] | None:
        """The block at `height` and the attested read of a key that it was the last one to write; None where it was not."""
        (block,) = self._nodes.blocks(identity, height, height)
        codes = _writers(block, chaincode, asked.key)
        if not codes:
            return None
        with self._lock:
            found = self._kept.get((chaincode, asked.key, height))
        if found is None:
            # what the own peer calls invalid is asked of the others once: its word alone does not hide a proof
            found = self._read(identity, chaincode, asked, height, TRIES if VALID in codes else 1)
            if found is None:
                return None
            with self._lock:
                self._kept[(chaincode, asked.key, found.version[0])] = found
                while len(self._kept) > REMEMBERED:
                    del self._kept[next(iter(self._kept))]
        return (block.raw, found) if found.version[0] == height else None

    def _read(
        self, identity: SigningIdentity, chaincode: str, asked: KeyRead, height: int, tries: int
    ) -> Attested | None:
        for attempt in range(tries):
            if attempt:
                time.sleep(PAUSE_S)
            nonce = secrets.token_bytes(NONCE_SIZE)
            proposal = propose(identity, self._nodes.channel, chaincode, asked.arguments, nonce, time.time_ns())
            answers = self._nodes.endorse_by(self.organisations, identity, proposal, self.threshold)
            given = [answer for answer in answers if isinstance(answer, Endorsement)]
            if len(given) < self.threshold:
                raise self._too_few(len(given), [answer for answer in answers if isinstance(answer, AdapterError)])
            agreeing = largest_agreement(given)
            version = read_version(agreeing[0].payload, chaincode, asked.key)
            if len(agreeing) >= self.threshold and version is not None and version[0] >= height:
                pairs = tuple((each.endorser, each.signature) for each in agreeing)
                words = (proposal.channel_header, proposal.signature_header, proposal.payload, agreeing[0].payload)
                return Attested(version, AttestedRead(*words, pairs))
        if tries == 1:
            return None
        raise Unreachable(
            f"Peers of fewer than {self.threshold} organisations read what block {height} wrote alike: one is behind or lies; it "
            "is asked again."
        )

    def _too_few(self, count: int, errors: list[AdapterError]) -> AdapterError:
        wrong = next((error for error in errors if isinstance(error, Misconfigured)), errors[0])
        kind = Misconfigured if isinstance(wrong, Misconfigured) else Unreachable
        return kind(
            f"Peers of {count} of {self.threshold} organisations attest the read; {wrong}", endpoint=wrong.endpoint
        )


def _writers(block: PeerBlock, chaincode: str, key: str) -> list[int]:
    """The verdicts on the transactions of a block that wrote a key."""
    return [
        entry.code
        for entry in block.entries
        if entry.chaincode == chaincode and writes_key(entry.results, chaincode, key)
    ]


def writes_key(results: bytes, namespace: str, key: str) -> bool:
    """Whether a `TxReadWriteSet` writes a key of a namespace; one that cannot be read writes nothing."""
    try:
        return any(
            write.key == key
            for space in messages.TxReadWriteSet.FromString(results).ns_rwset
            if space.namespace == namespace
            for write in messages.KVRWSet.FromString(space.rwset).writes
        )
    except DecodeError:
        return False


def read_version(payload: bytes, namespace: str, key: str) -> Version | None:
    """The version of a key in the reads of an answer; None where it is not read, or not there.

    Args:
        payload: `ProposalResponsePayload`.
        namespace: the chaincode's name.
        key: in it.

    Raises:
        BadAnswer: the answer cannot be read.
    """
    try:
        response = messages.ProposalResponsePayload.FromString(payload)
        results = messages.ChaincodeAction.FromString(response.extension).results
        spaces = messages.TxReadWriteSet.FromString(results).ns_rwset
        for space in spaces:
            if space.namespace == namespace:
                for read in messages.KVRWSet.FromString(space.rwset).reads:
                    if read.key == key and read.HasField("version"):
                        return read.version.block_num, read.version.tx_num
    except DecodeError as error:
        raise BadAnswer("a peer's reads cannot be read; leave it.") from error
    return None
