"""A witness's decision: it cosigns what continues the last checkpoint that it cosigned, and nothing else (C2SP tlog-witness).

Checks, in this order:
1. The note is a checkpoint of a log that this witness watches (`NotFound`).
2. A key of the log signed it (`NoteUnsigned`, `SignatureInvalid`).
3. It has not the size of the last one and another root: that is a fork (`Forked`), and both are kept as evidence.
4. The old size that was named is the size of the last one (`OldSizeWrong`), and the checkpoint is not older.
5. The consistency proof leads from the last root to this one (`ProofRefused`); the first checkpoint of a log is believed by its
   signature alone, and comes without a proof.

Then it is remembered, and only then signed. A checkpoint that was cosigned already gets the same signature again, to the byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import structlog

from light_clients.errors import ProofRefused
from light_clients.proofs.notes import Checkpoint, NoteKey, open_note, read_checkpoint, signature_line, split_note
from light_clients.proofs.rfc6962 import EMPTY_ROOT, TreeProofLengthInvalid, TreeRootMismatch, verify_consistency
from relay.crash import crash_point
from relay.errors import BadInput, HubError, NotFound, NotNow
from relay.evidence.cosignatures import CosignatureKey, ed25519_key
from relay.witness.memory import FORK, UNPROVEN, Memory, Seen

log = structlog.get_logger()


class OldSizeWrong(NotNow):
    """The proof does not begin at what was cosigned last.

    Attributes:
        size: leaves of what was cosigned last, 0 if nothing was.
    """

    def __init__(self, size: int, message: str, next_step: str) -> None:
        super().__init__(message, next_step)
        self.size = size


class Forked(HubError):
    """The log signed two histories.

    Attributes:
        size: leaves of the checkpoint of which there are two.
    """

    def __init__(self, size: int, message: str, next_step: str) -> None:
        super().__init__(message, next_step)
        self.size = size


class Witness:
    """A witness of any number of logs.

    Args:
        name: its own name in signature lines.
        private: its key, 32 bytes, used for nothing else.
        log: keys of the logs that it watches; a log's name is its keys'.
        state: the file in which it keeps what it cosigned last; made if there is none.
        forks: the folder for evidence of forks; beside that file unless it is given.
    """

    def __init__(
        self, name: str, private: bytes, log: Sequence[NoteKey], state: Path, forks: Path | None = None
    ) -> None:
        self._signing = ed25519_key(private)
        self.key = CosignatureKey.create(name, bytes(self._signing.verify_key))
        self._log = log
        self.memory = Memory(state, forks)

    @property
    def origins(self) -> list[str]:
        """The logs that it watches, sorted."""
        return sorted({key.name for key in self._log})

    def seen(self, origin: str) -> tuple[int, bytes] | None:
        """Size and root of what it cosigned last of a log; None before the first time.

        Raises:
            MemoryLost: its memory is gone or damaged.
        """
        seen = self.memory.read().get(origin)
        return None if seen is None else (seen.size, seen.root)

    def cosign(self, note: bytes, proof: Sequence[bytes], now: float, old: int | None = None) -> str:
        """Cosign a checkpoint if it continues the last one; the list of checks is the module's.

        Args:
            note: the log's signed checkpoint, untrusted.
            proof: consistency from the size that `seen` gives; empty for an equal size or the first time.
            now: Unix seconds.
            old: the size from which the proof leads, where the asker says one.

        Returns:
            The signature line, with its newline.

        Raises:
            NotFound: the log is none that this witness watches.
            NoteMalformed: the note is no checkpoint.
            NoteUnsigned: no key of the log signed it.
            SignatureInvalid: a signature by a key of the log is false.
            BadInput: the old size is above the checkpoint's.
            MemoryLost: its memory is gone or damaged.
            Forked: another checkpoint of the same size was cosigned.
            OldSizeWrong: the proof begins elsewhere, or the checkpoint is older than what was cosigned.
            ProofRefused: the proof does not hold.
            OSError: it cannot be remembered; nothing is signed.
        """
        # 1. and 2. The log.
        checkpoint = read_checkpoint(split_note(note)[0])
        keys = [key for key in self._log if key.name == checkpoint.origin]
        if not keys:
            raise NotFound(f"This witness does not watch {checkpoint.origin}.", "Give it the log's key first.")
        text = open_note(note, keys).text
        if old is not None and old > checkpoint.size:
            raise BadInput(
                f"The proof begins at {old} leaves, and the checkpoint has {checkpoint.size}.", "Give an older size."
            )
        with self.memory.held() as kept:
            last = kept.get(checkpoint.origin)
            time = max(int(now), last.time if last else 0)
            offered = Seen(checkpoint.size, checkpoint.root, time, _own_lines(note, keys))
            # 3. to 5. The history.
            self._check_history(checkpoint, last, offered, proof, old)
            if last is not None and last.text == text:
                return self.key.line(self._signing, text, last.time)
            crash_point("witness.before_keep")
            self.memory.keep(kept, checkpoint.origin, offered)
        crash_point("witness.after_keep")
        return self.key.line(self._signing, text, time)

    def _check_history(
        self, checkpoint: Checkpoint, last: Seen | None, offered: Seen, proof: Sequence[bytes], old: int | None
    ) -> None:
        if last is not None and checkpoint.size == last.size and checkpoint.root != last.root:
            self._accuse(FORK, checkpoint, last, offered, proof)
            raise Forked(
                last.size,
                f"{checkpoint.origin} signed two checkpoints of {last.size} leaves: root 0x{last.root.hex()} is cosigned, "
                f"0x{checkpoint.root.hex()} is refused.",
                f"Both are kept in {self.memory.forks}; show them to whoever relies on the log.",
            )
        size = last.size if last else 0
        if checkpoint.size < size or (old is not None and old != size):
            raise OldSizeWrong(
                size,
                f"The proof begins at {old} leaves and ends at {checkpoint.size}; one of {size} is cosigned."
                if old is not None
                else f"The checkpoint has {checkpoint.size} leaves; one of {size} is cosigned.",
                "Give a newer checkpoint, and a proof from that size.",
            )
        try:
            _check_continues(checkpoint, last, proof)
        except ProofRefused:
            if last is not None:
                self._accuse(UNPROVEN, checkpoint, last, offered, proof)
            raise

    def _accuse(self, kind: str, checkpoint: Checkpoint, last: Seen, offered: Seen, proof: Sequence[bytes]) -> None:
        """Keep both checkpoints; a full disk keeps nobody from the refusal."""
        try:
            self.memory.keep_evidence(kind, checkpoint.origin, last, offered, proof)
        except OSError as error:
            log.warning("witness_evidence_not_kept", error=str(error))


def _check_continues(checkpoint: Checkpoint, last: Seen | None, proof: Sequence[bytes]) -> None:
    if last is not None and last.size:
        verify_consistency(last.root, last.size, checkpoint.root, checkpoint.size, proof)
        return
    if proof:
        raise TreeProofLengthInvalid("Nothing was cosigned, so nothing can be proved.", expected=0, found=len(proof))
    if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
        raise TreeRootMismatch("The root of no leaves is the hash of nothing.", expected=EMPTY_ROOT)


def _own_lines(note: bytes, keys: Sequence[NoteKey]) -> str:
    """The note with the signature lines of these keys only: what strangers added is not kept."""
    text, lines = split_note(note)
    own = {(key.name, key.key_id) for key in keys}
    return f"{text}\n" + "".join(signature_line(*line) for line in lines if line[:2] in own)
