"""Log notes: what a ledger's gateway holds of the hub's evidence log, proved at an accepted block, for one receipt.

The ledger's node is asked for the proofs; what it says is judged as whoever verifies will judge it, by the hub's own anchors, before
it is given away.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, func, select

from adapters.protocol import AdapterError, Misconfigured
from light_clients.errors import LightClientError
from light_clients.families import client_named, note_judge_named, proves_state
from light_clients.pins import pin_of
from light_clients.proofs.gateway import GatewayPin
from light_clients.proofs.log_notes import NoteEvidence, ProvedNote, note_slots, noted
from light_clients.proofs.notes import Checkpoint, read_checkpoint, split_note
from relay.context import Context
from relay.errors import BadInput, NotNow
from relay.evidence.log import EvidenceLog
from relay.evidence.trust_anchors import anchors_of
from relay.evidence.validator_changes import changes_until
from relay.evidence.verify import Verdict, read_anchors, read_receipt, verify
from relay.evidence.verify_headers import Fails, state_root_of
from relay.evidence.verify_note import IN_SLOTS, PROVING
from relay.home import Home
from relay.steps.log_anchor import PURPOSE
from relay.store.reader import Reader
from relay.store.tables import transactions
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
        evidence, found = _proved(context, row)
    finally:
        context.close()
    if not found.size:
        raise NotNow(*_nothing_yet(row))
    with Reader(home.database_in(home.settings())) as reader:
        changes = changes_until(reader, home, bytes(row.chain_word), row.client_height)
    note = LogNote(
        format=LOG_NOTE_FORMAT,
        chain=ChainWord(row.chain_word),
        gateway=bytes(row.gateway),
        account=bytes(row.account),
        consensus=row.consensus,
        height=found.height,
        block_hash=found.block_hash,
        size=found.size,
        root=found.root,
        evidence=evidence,
        validators=changes,
        consistency=_consistency(home, row.name, found.size, receipt),
    )
    _judge(home, data, note)
    return note


def _proved(context: Context, row: Row[Any]) -> tuple[bytes, ProvedNote]:
    """The node's evidence, and what it proves to the hub's light client."""
    if row.consensus not in PROVING:
        raise BadInput(
            f"What the ledger {row.name} holds of the log cannot be proved offline: nothing is known of how its family "
            f"{row.consensus} would prove it.",
            f"Choose a ledger of one of these families: {', '.join(PROVING)}.",
        )
    try:
        return _in_slots(context, row) if row.consensus in IN_SLOTS else _by_family(context, row)
    except Misconfigured as error:
        raise BadInput(
            f"The ledger {row.name} gives no proof: {str(error).rstrip('.')}.", "Choose another ledger."
        ) from None
    except AdapterError as error:
        raise NotNow(
            f"The ledger {row.name} does not give the proof: {str(error).rstrip('.')}.",
            "Try again, or see: relayhub doctor.",
        ) from None
    except (Fails, LightClientError) as error:
        raise NotNow(
            f"What the ledger {row.name} gives does not hold: {error}",
            "Try again; if it stays, another endpoint may help: relayhub chain show.",
        ) from None


def _in_slots(context: Context, row: Row[Any]) -> tuple[bytes, ProvedNote]:
    """By two slots under the newest block that the light client accepted."""
    gateway, account, height = bytes(row.gateway), bytes(row.account), int(row.client_height)
    size, root = context.ledger(row).storage(gateway, note_slots(account), height)
    evidence = NoteEvidence(size.header, size.account_proof, size.storage_proof, root.storage_proof)
    block_hash = BlockHash(row.client_hash)
    state_root = state_root_of(row.consensus, evidence.header, height, block_hash)
    leaves, tree = noted(state_root, GatewayPin(gateway, Bytes32(row.gateway_code_hash)), account, evidence)
    return evidence.to_bytes(), ProvedNote(height, block_hash, leaves, tree)


def _by_family(context: Context, row: Row[Any]) -> tuple[bytes, ProvedNote]:
    """In the family's form: at the newest accepted block, or at the block of the newest note where no state is proved."""
    height = int(row.client_height) if proves_state(row.consensus) else _noted_at(context, row)
    evidence = context.ledger(row).log_note(bytes(row.gateway), bytes(row.account), height)
    pin = pin_of(row.consensus, bytes(row.gateway), Bytes32(row.gateway_code_hash), row.gateway_pin or {})
    state = client_named(row.consensus).state_from_bytes(row.client_state)
    return evidence, note_judge_named(row.consensus).read_note(state, evidence, pin, bytes(row.account))


def _noted_at(context: Context, row: Row[Any]) -> int:
    """Height of the block in which the hub's newest note stands, and which its light client accepted already."""
    with context.store.read() as connection:
        height = connection.execute(
            select(func.max(transactions.c.height)).where(
                transactions.c.chain == row.name, transactions.c.purpose == PURPOSE, transactions.c.state == "mined"
            )
        ).scalar()
    if not height or height > row.client_height:
        raise NotNow(*_nothing_yet(row))
    return int(height)


def _nothing_yet(row: Row[Any]) -> tuple[str, str]:
    return (
        f"Nothing of the log is noted on {row.name} at block {row.client_height} yet.",
        "Wait for the next note (anchor_interval_s in hub.toml; 0 means never).",
    )


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
