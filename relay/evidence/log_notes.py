"""Log notes: what a ledger's gateway holds of the hub's evidence log, proved at an accepted block, for one receipt.

The ledger's node is asked for the proofs; what it says is judged as whoever verifies will judge it, by the hub's own anchors, before
it is given away.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from adapters.protocol import AdapterError
from light_clients.errors import LightClientError
from light_clients.proofs.gateway import GatewayPin
from light_clients.proofs.log_notes import NoteEvidence, note_slots, noted
from light_clients.proofs.notes import Checkpoint, read_checkpoint, split_note
from relay.context import Context
from relay.errors import BadInput, NotNow
from relay.evidence.log import EvidenceLog
from relay.evidence.trust_anchors import anchors_of
from relay.evidence.validator_changes import changes_until
from relay.evidence.verify import Verdict, read_anchors, read_receipt, verify
from relay.evidence.verify_headers import Fails, state_root_of
from relay.evidence.verify_note import PROVING
from relay.home import Home
from relay.store.reader import Reader
from schemas.log_note import LOG_NOTE_FORMAT, LogNote
from schemas.primitives import BlockHash, Bytes32, ChainWord
from schemas.receipt import Receipt


def make_log_note(home: Home, ledger: str, data: bytes) -> LogNote:
    """What a ledger holds of the hub's log, for a receipt.

    Args:
        home: the hub's folder.
        ledger: the ledger's name.
        data: the receipt's file.

    Raises:
        BadInput: the file is no receipt, the ledger proves no slots, or the log contradicts the ledger or the receipt.
        NotFound: there is no such ledger, or no evidence log.
        NotNow: nothing is noted there yet, or the node does not answer.
    """
    try:
        receipt = read_receipt(data)
    except Fails as failure:
        raise BadInput(f"The file is no receipt: {failure}", "Give one that `relayhub receipt` wrote.") from None
    context = Context(home)
    try:
        row = context.chain(ledger)
        evidence = _fetch(context, row)
    finally:
        context.close()
    size, root = _said(row, evidence)
    with Reader(home.database_in(home.settings())) as reader:
        changes = changes_until(reader, home, bytes(row.chain_word), row.client_height)
    note = LogNote(
        format=LOG_NOTE_FORMAT,
        chain=ChainWord(row.chain_word),
        gateway=bytes(row.gateway),
        account=bytes(row.account),
        consensus=row.consensus,
        height=row.client_height,
        block_hash=BlockHash(row.client_hash),
        size=size,
        root=root,
        evidence=evidence.to_bytes(),
        validators=changes,
        consistency=_consistency(home, row.name, size, receipt),
    )
    _judge(home, data, note)
    return note


def _fetch(context: Context, row: Row[Any]) -> NoteEvidence:
    if row.consensus not in PROVING:
        raise BadInput(
            f"What the ledger {row.name} holds of the log cannot be proved offline: its family {row.consensus} proves the heads "
            "of lanes, and no other state.",
            f"Choose a ledger of one of these families: {', '.join(PROVING)}.",
        )
    try:
        size, root = context.ledger(row).storage(
            bytes(row.gateway), note_slots(bytes(row.account)), int(row.client_height)
        )
    except AdapterError as error:
        raise NotNow(
            f"The ledger {row.name} does not give the proof: {error}.", "Try again, or see: relayhub doctor."
        ) from None
    return NoteEvidence(size.header, size.account_proof, size.storage_proof, root.storage_proof)


def _said(row: Row[Any], evidence: NoteEvidence) -> tuple[int, Bytes32]:
    """The note, proved under the block that the hub's light client accepted."""
    try:
        root = state_root_of(row.consensus, evidence.header, row.client_height, bytes(row.client_hash))
        pin = GatewayPin(bytes(row.gateway), Bytes32(row.gateway_code_hash))
        size, tree = noted(root, pin, bytes(row.account), evidence)
    except (Fails, LightClientError) as error:
        raise NotNow(
            f"What the ledger {row.name} gives does not hold at block {row.client_height}: {error}",
            "Try again; if it stays, another endpoint may help: relayhub chain show.",
        ) from None
    if not size:
        raise NotNow(
            f"Nothing of the log is noted on {row.name} at block {row.client_height} yet.",
            "Wait for the next note (anchor_interval_s in hub.toml; 0 means never).",
        )
    return size, tree


def _consistency(home: Home, name: str, size: int, receipt: Receipt) -> tuple[Bytes32, ...]:
    checkpoint: Checkpoint = read_checkpoint(split_note(receipt.checkpoint.encode())[0])
    log = EvidenceLog.open(home.evidence / "log", write=False)
    longest = max(size, checkpoint.size)
    if log.size < longest or not checkpoint.size:
        raise BadInput(
            f"The log has {log.size} leaves; the ledger {name} was told of {size}, and the receipt of {checkpoint.size}.",
            "Find out whether the log was put back to an earlier state: relayhub audit.",
        )
    return tuple(Bytes32(item) for item in log.consistency(min(size, checkpoint.size), longest))


def _judge(home: Home, data: bytes, note: LogNote) -> None:
    judged = verify(data, read_anchors(anchors_of(home).encode()), note.model_dump_json().encode())
    failed = [check for check in judged.checks if check.name.startswith("note.") and check.verdict is Verdict.FAILS]
    if failed:
        raise BadInput(
            f"What the ledger holds does not agree with the receipt, check {failed[0].name}: {failed[0].text}",
            "Find out which of the two is of this hub's log: relayhub audit, and relayhub verify of the receipt.",
        )
