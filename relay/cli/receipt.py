"""`relayhub receipt`, `anchors`, `log-note` and `verify`: prove afterwards what became of a message, to whoever has the trust anchors."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from relay.cli.failures import FAILED
from relay.cli.options import HomeOption, JsonOption
from relay.cli.output import emit, home_of, note

if TYPE_CHECKING:
    from relay.evidence.verify import Judged

RECORDED_WITHIN_S = 10.0
"""How long a receipt of a settled message is waited for: the recorder publishes each second."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("receipt")(receipt)
    app.command("anchors")(anchors)
    app.command("log-note")(log_note)
    app.command("verify")(verify)


def receipt(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="A message's id, or the hash of a transaction.")],
    partial: Annotated[
        bool, typer.Option("--partial", help="Give what there is of a message that is not settled.")
    ] = False,
    home: HomeOption = "",
    as_json: Annotated[bool, typer.Option("--json", help="The receipt is JSON in any case.")] = False,  # noqa: ARG001 - every command that prints has it
) -> None:
    """Print the receipt of a message: what was sent, what became of it, and why either may be believed."""
    from relay.cli.patience import patient
    from relay.evidence.receipts import NotInTheLog, make_receipt

    where = home_of(home)
    made = patient(lambda: make_receipt(where, identifier, partial=partial), RECORDED_WITHIN_S, NotInTheLog)
    if not made.complete:
        note("The receipt is not complete: it proves nothing yet.")
    sys.stdout.write(made.model_dump_json(indent=1) + "\n")


def anchors(home: HomeOption = "", as_json: JsonOption = False) -> None:
    """Print the trust anchors of this hub, by which receipts are verified."""
    from relay.evidence.trust_anchors import anchors_of

    text = anchors_of(home_of(home))
    emit({"anchors": text}, text, as_json=as_json)
    note("Give this file to verifiers by another way than the receipts; officers and operators confirm what it says.")


def log_note(
    ledger: Annotated[str, typer.Argument(metavar="LEDGER", help="The ledger's name.")],
    file: Annotated[Path, typer.Option("--receipt", help="A file that `relayhub receipt` wrote; - reads it.")],
    home: HomeOption = "",
    as_json: Annotated[bool, typer.Option("--json", help="The note is JSON in any case.")] = False,  # noqa: ARG001 - every command that prints has it
) -> None:
    """Print what a ledger holds of the evidence log, with its proof, to verify a receipt by it."""
    from relay.evidence.log_notes import make_log_note

    made = make_log_note(home_of(home), ledger, _content(file, "receipt"))
    sys.stdout.write(made.model_dump_json(indent=1) + "\n")


def verify(
    file: Annotated[Path, typer.Argument(metavar="RECEIPT", help="A file that `relayhub receipt` wrote; - reads it.")],
    trusted: Annotated[Path, typer.Option("--anchors", help="The trust anchors, a file of `relayhub anchors`.")],
    noted: Annotated[
        Path | None, typer.Option("--log-note", help="What a ledger holds of the log, a file of `relayhub log-note`.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Verify a receipt offline: no hub, no node, no database."""
    from relay.evidence.verify import read_anchors
    from relay.evidence.verify import verify as judge

    data = _content(file, "receipt")
    beside = None if noted is None else _read(noted, "log note")
    judged = judge(data, read_anchors(_read(trusted, "file of anchors")), beside)
    emit(_told(judged), _text(judged), as_json=as_json)
    if not judged.good:
        raise typer.Exit(FAILED)


def _content(path: Path, what: str) -> bytes:
    return sys.stdin.buffer.read() if str(path) == "-" else _read(path, what)


def _read(path: Path, what: str) -> bytes:
    from relay.errors import BadInput

    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"The {what} {path} cannot be read: {error.strerror}.", "Check its name.") from None


def _told(judged: Judged) -> dict[str, Any]:
    checks = [
        {"number": item.number, "name": item.name, "verdict": str(item.verdict), "text": item.text}
        for item in judged.checks
    ]
    told: dict[str, Any] = {"good": judged.good, "failed": list(judged.failed), "checks": checks}
    if judged.receipt is not None:
        told["message_id"] = judged.receipt.message_id
        told["outcome"] = judged.receipt.outcome.status.name.lower() if judged.receipt.outcome else None
    return told


def _text(judged: Judged) -> str:
    lines = [
        f"{item.number:>3}. {item.name:<16} {item.verdict}" + (f": {item.text}" if item.text else "")
        for item in judged.checks
    ]
    if judged.receipt is None or not judged.good:
        return "\n".join([*lines, f"The receipt is refused: {', '.join(judged.failed)}."])
    outcome = judged.receipt.outcome.status.name.lower() if judged.receipt.outcome else "?"
    message = judged.receipt.message_id.hex0x()
    return "\n".join([*lines, f"The receipt is good: message {message} was {outcome}, and its source knows."])
