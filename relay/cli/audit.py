"""`relayhub audit`: read an evidence log from outside and find what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from relay.cli.options import HomeOption, JsonOption
from relay.cli.output import emit, home_of

if TYPE_CHECKING:
    from light_clients.proofs.notes import NoteKey
    from relay.evidence.audit import Report
    from relay.evidence.cosignatures import CosignatureKey
    from relay.evidence.sources import Source

PlaceArgument = Annotated[str, typer.Argument(help="The log's folder or URL [default: this hub's own].")]
FromOption = Annotated[
    list[Path] | None, typer.Option("--from", help="A checkpoint that the log showed before; may be repeated.")
]
KeepOption = Annotated[
    Path | None, typer.Option("--keep", help="A file that keeps the newest good checkpoint from audit to audit.")
]
KeyOption = Annotated[
    list[str] | None, typer.Option("--key", help="A key of the log: NAME+ID+BASE64; may be repeated.")
]
WitnessOption = Annotated[
    list[str] | None, typer.Option("--witness", help="A witness that must have cosigned; may be repeated.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("audit")(audit_log)


def audit_log(
    place: PlaceArgument = "",
    earlier: FromOption = None,
    keep: KeepOption = None,
    key: KeyOption = None,
    witness: WitnessOption = None,
    home: HomeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Check every tile, record and checkpoint of an evidence log, and its history; exit code 2 where something is wrong."""
    from relay.evidence.checkpoints import parse_log_key, parse_witness_key
    from relay.evidence.sources import source_of

    keys = [parse_log_key(each) for each in key or ()]
    if not place:
        place, own = _own_log(home)
        keys = keys or own
    witnesses = [parse_witness_key(each) for each in witness or ()]
    examine(source_of(place), keys, earlier or [], keep, witnesses, as_json=as_json)


def examine(
    source: Source,
    keys: list[NoteKey],
    earlier: list[Path],
    keep: Path | None,
    witnesses: list[CosignatureKey],
    *,
    as_json: bool,
) -> None:
    """Audit a log, wherever it is read from, and print what was found; exit code 2 where something is wrong."""
    from relay.evidence.audit import audit

    files = [*earlier, *([keep] if keep and keep.exists() else [])]
    report = audit(source, keys, [_read(path) for path in files], witnesses)
    emit(report.data(), _text(report), as_json=as_json)
    if not report.ok:
        raise typer.Exit(2)
    if keep:
        _keep(keep, report.note)


def _own_log(home: str) -> tuple[str, list[NoteKey]]:
    """This hub's log and its keys."""
    from relay.evidence.checkpoints import log_keys
    from relay.evidence.log import EvidenceLog
    from relay.keys import KeyStore

    here = home_of(home)
    folder = here.evidence / "log"
    log = EvidenceLog.open(folder, write=False)
    return str(folder), log_keys(KeyStore(here.keys), log.origin)


def _read(path: Path) -> bytes:
    from relay.errors import BadInput

    try:
        with path.open("rb") as file:
            return file.read(1 << 20)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.", "Give a file with a checkpoint.") from None


def _keep(path: Path, note: bytes) -> None:
    import os

    from relay.evidence.disk import sync_folder, write_synced

    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    write_synced(fresh, note, 0o644)
    fresh.replace(path)
    sync_folder(path.parent)


def _text(report: Report) -> str:
    from relay.cli.failures import one_line

    lines = [f"{each.code}  {each.where}  {one_line(each.text)}" for each in report.findings]
    if not report.complete:
        lines.append(f"The audit ended here: {len(report.findings)} findings.")
    if report.checkpoint is not None:
        known = report.checkpoint
        lines.append(f"log         {one_line(known.origin)}")
        lines.append(f"size        {known.size}")
        lines.append(f"root        0x{known.root.hex()}")
        lines.append(f"signature   {_signature(report)}")
        lines.extend(f"key         {key}" for key in report.keys)
        lines.extend(f"cosigned    {each.name} at {each.time}" for each in report.cosignatures)
        lines.append(f"checked     {report.tiles} tiles, {report.records} records")
        lines.append(f"history     {len(report.compared)} earlier checkpoints are its beginning")
    lines.append("Everything holds." if report.ok else f"{len(report.findings)} things are wrong.")
    return "\n".join(lines)


def _signature(report: Report) -> str:
    if not report.signature_checked:
        return "not checked: give the log's key by --key"
    return (
        "holds" if not {each.code for each in report.findings} & {"wrong_key", "signature_invalid"} else "does NOT hold"
    )
