"""`relayhub evidence`: the organisations' own records, readable under their access rule, provable to everybody."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from relay.cli.options import HomeOption, JsonOption
from relay.cli.output import emit, note

if TYPE_CHECKING:
    from light_clients.proofs.notes import NoteKey
    from relay.cli.session import Session
    from relay.evidence.access_rules import Caller
    from relay.evidence.record_rows import Record
    from relay.evidence.records import Records

app = typer.Typer(
    help="Records of the organisations, in the evidence log.", no_args_is_help=True, rich_markup_mode=None
)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The record's id, or 8 digits and more of it.")]
AsOption = Annotated[str, typer.Option("--as", help="The organisation that asks (on a development hub).")]
RoleOption = Annotated[str, typer.Option("--role", help="What the asker is: auditor (on a development hub).")]


@app.command("put")
def put(
    file: Annotated[str, typer.Argument(metavar="[FILE]", help="What is kept; - reads standard input.")] = "",
    organisation: Annotated[str, typer.Option("--organisation", help="Whose record it is.")] = "",
    readers: Annotated[str, typer.Option("--readers", help="Who else reads: ORG,ORG, role:auditor or public.")] = "",
    name: Annotated[str, typer.Option("--name", help="A name for people [default: the file's].")] = "",
    folder: Annotated[str, typer.Option("--folder", help="Keep every file below a folder.")] = "",
    lines: Annotated[
        str, typer.Option("--lines", help='Keep a record a line of a file: {"name": …, "text": … or "base64": …}.')
    ] = "",
    home: HomeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Keep a record, or a batch; prints ids. The log gets a salted hash of each, nobody else anything."""
    from relay.cli.session import session
    from relay.errors import BadInput
    from relay.evidence.access_rules import AccessRule
    from relay.evidence.record_sources import from_file, from_folder, from_lines

    if len([source for source in (file, folder, lines) if source]) != 1:
        raise BadInput("One source of records is needed.", "Give one of FILE, --folder, --lines.")
    if name and not file:
        raise BadInput("A batch takes names from its files or lines.", "Leave --name out.")
    if not organisation:
        raise BadInput("A record has an owner.", "Give --organisation ORG.")
    rule = AccessRule.parse(organisation, readers)
    source = from_file(file, name) if file else from_folder(Path(folder)) if folder else from_lines(Path(lines))
    kept: list[dict[str, Any]] = []
    with session(home) as hub:
        for batch in _records(hub).put(source, rule):
            for record in batch:
                if as_json:
                    kept.append(_short(record))
                else:
                    emit(None, f"0x{record.commitment.hex()}  {record.name}".rstrip(), as_json=False)
    if as_json:
        emit(kept[0] if file else kept, "", as_json=True)


@app.command("get")
def get(
    identifier: IdArgument,
    organisation: AsOption = "",
    role: RoleOption = "",
    out: Annotated[str, typer.Option("--out", help="Write the content to a file [default: standard output].")] = "",
    home: HomeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Read a record's content, if its rule lets the asker; that he asked becomes a leaf of the log."""
    import base64
    import sys

    from relay.cli.session import session
    from relay.evidence.record_sources import write_whole
    from relay.views.records import as_data

    with (
        session(home) as hub,
        _records(hub).open(identifier, _caller(hub, organisation, role)) as (record, stored),
    ):
        salt = "0x" + stored.salt.hex()
        if out:
            write_whole(Path(out), stored.chunks())
        elif not as_json:
            for chunk in stored.chunks():
                sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
        if as_json:
            content = {} if out else {"content": base64.b64encode(b"".join(stored.chunks())).decode()}
            emit(as_data(record) | {"salt": salt} | content, "", as_json=True)
        else:
            note(f"{record.size} bytes of {record.rule.owner}; salt {salt}" + (f"; written to {out}" if out else ""))


@app.command("prove")
def prove(
    identifier: IdArgument,
    organisation: AsOption = "",
    role: RoleOption = "",
    patience: Annotated[
        int, typer.Option("--patience", min=0, help="Seconds to wait for a checkpoint with the record.")
    ] = 10,
    home: HomeOption = "",
    as_json: Annotated[bool, typer.Option("--json", help="The proof is JSON in any case.")] = False,  # noqa: ARG001 - every command that prints has it
) -> None:
    """Print a proof that the record stands in the log, as JSON; with --as also the salt, for those who may read."""
    import json

    from relay.cli.patience import patient
    from relay.cli.session import session
    from relay.evidence.record_proofs import prove as make

    with session(home) as hub:
        records = _records(hub)
        commitment, salt = records.find(identifier).commitment, None
        if organisation or role:
            with records.open(commitment.hex(), _caller(hub, organisation, role), purpose="prove") as (_, stored):
                salt = stored.salt
        proof = patient(lambda: make(hub.store, _folder(hub), commitment, salt), patience)
    emit(None, json.dumps(proof.to_json(), indent=1), as_json=False)


@app.command("verify")
def verify(
    proof_file: Annotated[str, typer.Argument(metavar="PROOF", help="The file that `prove` printed.")],
    file: Annotated[str, typer.Option("--file", help="The content, to compare it too.")] = "",
    log_key: Annotated[
        list[str] | None, typer.Option("--log-key", help="The log's public key [default: this hub's].")
    ] = None,
    home: HomeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Verify a proof offline: no hub runs, nothing is asked of anybody."""
    from relay.evidence.record_proofs import LARGEST_FILE, Proof
    from relay.evidence.record_proofs import verify as check
    from relay.evidence.record_sources import content_of, read_small
    from relay.views.times import clock

    proof = Proof.from_json(read_small(Path(proof_file), LARGEST_FILE))
    shown = check(proof, _log_keys(home, log_key or []), content_of(Path(file)) if file else None)
    data = {
        "record": "0x" + shown.commitment.hex(),
        "at": shown.at / 1000,
        "leaf": shown.leaf,
        "origin": shown.origin,
        "size": shown.size,
        "signers": list(shown.signers),
        "content_checked": shown.content_checked,
    }
    content = "the file is its content" if shown.content_checked else "its content was not compared"
    emit(
        data,
        f"Proved: record 0x{shown.commitment.hex()[:12]} is leaf {shown.leaf} of {shown.size} in {shown.origin}, "
        f"taken {clock(shown.at / 1000)}; {content}.",
        as_json=as_json,
    )


@app.command("list")
def show(
    organisation: AsOption = "",
    role: RoleOption = "",
    owner: Annotated[str, typer.Option("--organisation", help="Only records of this organisation.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many.")] = 50,
    before: Annotated[int, typer.Option("--before", min=0, help="Only those with a smaller number.")] = 0,
    home: HomeOption = "",
    as_json: JsonOption = False,
) -> None:
    """List records that the asker may read, newest first."""
    from relay.cli.session import session
    from relay.views.records import as_data, record_rows

    with session(home) as hub:
        caller = _caller(hub, organisation, role)
        found = _records(hub).listed(caller, before=before, limit=limit, owner=owner)
    data = [as_data(item) for item in found]
    nobody = "" if organisation or role else " Say who asks: --as ORG."
    emit(data, record_rows(data) if found else f"No records.{nobody}", as_json=as_json)


@app.command("erase")
def erase(
    identifier: IdArgument, organisation: AsOption = "", home: HomeOption = "", as_json: JsonOption = False
) -> None:
    """Erase a record's content and salt for good, as its owner; its leaf and proofs of it stay."""
    from relay.cli.session import session
    from relay.views.records import as_data

    with session(home) as hub:
        record = _records(hub).erase(identifier, _caller(hub, organisation, ""))
    emit(as_data(record), f"Erased: 0x{record.commitment.hex()}. Its leaf and proofs of it stay.", as_json=as_json)


def _records(hub: Session) -> Records:
    from relay.evidence.records import Records

    return Records(hub.store, _folder(hub))


def _folder(hub: Session) -> Path:
    return hub.home.evidence


def _caller(hub: Session, organisation: str, role: str) -> Caller:
    """Who asks: on a development hub whoever the local owner says.

    Raises:
        BadInput: a name or a role cannot be used, or the hub is for production.
    """
    from relay.errors import BadInput
    from relay.evidence.access_rules import AUDITOR, Caller, organisation_name

    if (organisation or role) and not hub.config.development:
        raise BadInput(
            "On a production hub nobody acts for an organisation by a word.", "Ask over its interface, with a token."
        )
    if role not in ("", AUDITOR):
        raise BadInput(f"{role!r} is no role that rules know.", "Give --role auditor, or leave it out.")
    name = organisation_name(organisation) if organisation else ""
    return Caller(name, frozenset({role} if role else ()))


def _log_keys(home: str, texts: list[str]) -> list[NoteKey]:
    from relay.evidence.checkpoints import log_keys, origin_of, parse_log_key
    from relay.home import Home
    from relay.keys import KeyStore

    if texts:
        return [parse_log_key(text) for text in texts]
    place = Home.locate(home or None)
    return log_keys(KeyStore(place.keys), origin_of(place.load().name))


def _short(record: Record) -> dict[str, Any]:
    return {"id": "0x" + record.commitment.hex(), "name": record.name, "size": record.size}
