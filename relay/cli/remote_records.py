"""`relayhub --hub URL evidence`: records of the organisation that the token names, on a hub elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from relay.cli.options import JsonOption
from relay.cli.output import emit, note
from relay.cli.remote_hub import hub
from relay.errors import BadInput

if TYPE_CHECKING:
    from relay.client import HubClient
    from relay.evidence.records import NewRecord

LOOK_S = 0.2
BATCH_BYTES = 600_000
"""Bytes of a batch: as base64 and with names below what a body may have. A larger content goes by itself."""
BATCH_RECORDS = 500
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The record's id, or 8 digits and more of it.")]


def register(evidence: typer.Typer) -> None:
    """Add the commands."""
    for name, command in (("put", put), ("get", get), ("list", show), ("prove", prove), ("erase", erase)):
        evidence.command(name)(command)


def put(
    file: Annotated[str, typer.Argument(metavar="[FILE]", help="What is kept; - reads standard input.")] = "",
    organisation: Annotated[
        str, typer.Option("--organisation", help="Whose record it is [default: the token's organisation].")
    ] = "",
    readers: Annotated[str, typer.Option("--readers", help="Who else reads: ORG,ORG, role:auditor or public.")] = "",
    name: Annotated[str, typer.Option("--name", help="A name for people [default: the file's].")] = "",
    folder: Annotated[str, typer.Option("--folder", help="Keep every file below a folder.")] = "",
    lines: Annotated[str, typer.Option("--lines", help="Keep a record a line of a file.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Keep a record, or a batch; prints ids. The log gets a salted hash of each, nobody else anything."""
    from relay.evidence.record_sources import from_file, from_folder, from_lines

    if len([source for source in (file, folder, lines) if source]) != 1:
        raise BadInput("One source of records is needed.", "Give one of FILE, --folder, --lines.")
    if name and not file:
        raise BadInput("A batch takes names from its files or lines.", "Leave --name out.")
    source = from_file(file, name) if file else from_folder(Path(folder)) if folder else from_lines(Path(lines))
    kept: list[dict[str, Any]] = []
    with hub() as client:
        for identifier, title, size in _put_all(client, source, {"readers": readers, "organisation": organisation}):
            if as_json:
                kept.append({"id": identifier, "name": title, "size": size})
            else:
                emit(None, f"{identifier}  {title}".rstrip(), as_json=False)
    if as_json:
        emit(kept[0] if file else kept, "", as_json=True)


def get(
    identifier: IdArgument,
    out: Annotated[str, typer.Option("--out", help="Write the content to a file [default: standard output].")] = "",
    as_json: JsonOption = False,
) -> None:
    """Read a record's content, if its rule lets the token's organisation; that it asked becomes a leaf of the log."""
    import base64

    from relay.evidence.record_sources import write_whole

    with hub() as client:
        record = client.record(identifier)
        with client.content(record.id) as (raw, pieces):
            salt, found = "0x" + raw.hex(), {}
            if out:
                write_whole(Path(out), pieces)
            elif as_json:
                found = {"content": base64.b64encode(b"".join(pieces)).decode()}
            else:
                for piece in pieces:
                    sys.stdout.buffer.write(piece)
                sys.stdout.buffer.flush()
    if as_json:
        emit(record.model_dump() | {"salt": salt} | found, "", as_json=True)
    else:
        note(f"{record.size} bytes of {record.organisation}; salt {salt}" + (f"; written to {out}" if out else ""))


def show(
    owner: Annotated[str, typer.Option("--organisation", help="Only records of this organisation.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many.")] = 50,
    before: Annotated[int, typer.Option("--before", min=0, help="Only those with a smaller number.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """List records that the token's organisation may read, newest first."""
    from itertools import islice

    from relay.views.records import record_rows

    query: dict[str, str | float] = {"organisation": owner} if owner else {}
    with hub() as client:
        data = list(islice(client.items("/v1/records", query | ({"cursor": str(before)} if before else {})), limit))
    emit(data, record_rows(data) if data else "No records.", as_json=as_json)


def prove(
    identifier: IdArgument,
    salt: Annotated[bool, typer.Option("--salt", help="With the salt, for those who may read.")] = False,
    patience: Annotated[int, typer.Option("--patience", min=0, help="Seconds to wait for a checkpoint with it.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="The proof is JSON in any case.")] = False,  # noqa: ARG001 - every command that prints has it
) -> None:
    """Print a proof that the record stands in the log, as JSON."""
    import json

    from relay.client import HubRefused

    deadline = time.monotonic() + patience
    with hub() as client:
        while True:
            try:
                proof = client.prove_record(identifier, salt=salt)
                break
            except HubRefused as error:
                if error.name != "NotNow" or time.monotonic() >= deadline:
                    raise
            time.sleep(LOOK_S)
    emit(None, json.dumps(proof, indent=1), as_json=False)


def erase(identifier: IdArgument, as_json: JsonOption = False) -> None:
    """Erase a record's content and salt for good, as its owner; its leaf and proofs of it stay."""
    with hub() as client:
        whole = client.record(identifier).id
        client.erase_record(whole)
        record = client.record(whole)
    emit(record.model_dump(), f"Erased: {record.id}. Its leaf and proofs of it stay.", as_json=as_json)


def _put_all(client: HubClient, source: Iterable[NewRecord], rule: dict[str, str]) -> Iterator[tuple[str, str, int]]:
    """Put records in batches, large ones by themselves; yields id, name and size in their order as they are durable."""
    batch: list[tuple[str, bytes]] = []
    size = 0
    for item in source:
        content = item.content
        small = isinstance(content, bytes) and len(content) < BATCH_BYTES
        if batch and (not small or size + len(content) > BATCH_BYTES or len(batch) == BATCH_RECORDS):  # type: ignore[arg-type]
            yield from _put_batch(client, batch, rule)
            batch, size = [], 0
        if isinstance(content, bytes) and small:
            batch.append((item.name, content))
            size += len(content) + len(item.name.encode()) * 2
        else:
            yield from _put_large(client, item, rule)
    if batch:
        yield from _put_batch(client, batch, rule)


def _put_batch(
    client: HubClient, batch: list[tuple[str, bytes]], rule: dict[str, str]
) -> Iterator[tuple[str, str, int]]:
    for identifier, (name, content) in zip(client.put_records(batch, **rule), batch, strict=True):
        yield identifier, name, len(content)


def _put_large(client: HubClient, item: NewRecord, rule: dict[str, str]) -> Iterator[tuple[str, str, int]]:
    import tempfile

    if isinstance(item.content, bytes):
        yield client.put_content(item.content, name=item.name, **rule), item.name, len(item.content)
        return
    with tempfile.TemporaryFile() as file:  # a pipe cannot be rewound when the connection breaks
        while chunk := item.content.read(1 << 20):
            file.write(chunk)
        size = file.tell()
        file.seek(0)
        yield client.put_content(file, name=item.name, **rule), item.name, size
