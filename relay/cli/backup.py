"""`relayhub backup`, `restore` and `rebuild`: a hub's copy, a hub from a copy, and a hub whose database is gone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from relay.cli.options import HomeOption, JsonOption
from relay.cli.output import emit, home_of, note

if TYPE_CHECKING:
    from relay.backup.newer import Newer
    from relay.backup.rebuilding import Rebuilt

FileArgument = Annotated[str, typer.Argument(metavar="FILE", help="The backup, a tar file.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("backup")(backup)
    app.command("restore")(restore)
    app.command("rebuild")(rebuild)


def backup(
    file: FileArgument,
    with_keys: Annotated[bool, typer.Option("--with-keys", help="Private keys too; keep the file as a key.")] = False,
    home: HomeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Copy database, evidence, objects and configuration into one file; the hub goes on meanwhile."""
    from relay.backup.saving import save
    from relay.cli.session import session

    with session(home) as hub:
        saved = save(hub.home, hub.config, hub.store, Path(file).absolute(), with_keys=with_keys)
    keys = "with private keys" if saved.keys else "without private keys (--with-keys)"
    data = {"file": str(saved.path), "files": saved.files, "bytes": saved.size, "keys": saved.keys}
    text = f"{saved.path}: {saved.files} files, {saved.size} bytes, {keys}; mode 600."
    emit(data, f"{text}\nTry it: relayhub restore {file} --home NEW-FOLDER", as_json=as_json)


def restore(
    file: FileArgument,
    database: Annotated[
        str, typer.Option("--database", help="An empty database, instead of the one that the copied hub.toml names.")
    ] = "",
    evidence: Annotated[
        str, typer.Option("--evidence", help="The folder `evidence` that outlived the database, instead of the copy.")
    ] = "",
    home: HomeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Make a hub from a backup; says what the ledgers have since, which is read again."""
    from relay.backup.restoring import restore as make

    made = make(
        Path(file).absolute(),
        home_of(home),
        database=database,
        evidence=Path(evidence).absolute() if evidence else None,
    )
    data = {
        "home": str(made.home),
        "hub": made.manifest["hub"],
        "made_at": made.manifest["made_at"],
        "files": len(made.manifest["files"]),
        "keys": made.manifest["keys"],
        "evidence": made.evidence,
        "newer": [item.as_data() for item in made.newer],
        "silent": made.silent,
    }
    lines = [f"{made.home} is the hub {made.manifest['hub']} as it was copied; every hash is right."]
    if not made.manifest["keys"]:
        lines.append("No private keys are in the copy: put them into keys/ before the hub starts.")
    if made.evidence == "copy":
        lines.append(
            "The evidence log is the copy's: checkpoints that were published afterwards contradict what it grows to now. "
            "Where the newer folder is still there, restore with --evidence FOLDER."
        )
    lines += [*_newer(made.newer, made.silent), f"Next: relayhub up --home {made.home}"]
    emit(data, "\n".join(lines), as_json=as_json)


def rebuild(home: HomeOption = "", as_json: JsonOption = False) -> None:
    """Make the database anew from registry.toml, the evidence log and the ledgers, when it is gone."""
    from relay.backup.rebuilding import rebuild as make
    from relay.logs import logs_of_a_command

    place = home_of(home)
    with logs_of_a_command():
        made = make(place, place.load(), note)
    data: dict[str, Any] = {
        "home": str(place.folder),
        "chains": made.chains,
        "lanes": made.lanes,
        "operators": made.operators,
        "messages": made.messages,
        "outcomes": made.outcomes,
        "evidence": {
            "found": made.log.found,
            "leaves": made.log.leaves,
            "last_number": made.log.last,
            "incidents": made.log.incidents,
            "records": made.log.records,
        },
        "unread": made.unread,
        "not_made_anew": list(made.missing),
    }
    emit(data, "\n".join(_rebuilt(place.folder, made)), as_json=as_json)


def _rebuilt(folder: Path, made: Rebuilt) -> list[str]:
    lines = [
        f"Registered again: {made.chains} ledgers, {made.lanes} lanes, {made.operators} operators.",
        f"Read from the ledgers: {made.messages} messages, {made.outcomes} outcomes.",
    ]
    if made.log.found:
        lines.append(
            f"Read from the evidence folder: {made.log.leaves} leaves, {made.log.incidents} incidents, "
            f"{made.log.records} records; the log goes on behind its last leaf."
        )
    else:
        lines.append(
            "There is no evidence log: a new one begins, and contradicts checkpoints that were published of the old. "
            "Where its folder is still somewhere, put it to evidence/ and rebuild into an empty database."
        )
    lines += [f"Not read: {name}. {why}" for name, why in made.unread.items()]
    lines += ["Not made anew:", *(f"  {item}" for item in made.missing)]
    return [*lines, f"Next: relayhub up --home {folder}"]


def _newer(newer: list[Newer], silent: list[str]) -> list[str]:
    lines = [f"{item.name}: {item.what} {item.known} here, {item.there} on the ledger; read again." for item in newer]
    if silent:
        lines.append(f"Not asked, because they do not answer: {', '.join(silent)}.")
    if not newer and not silent:
        lines.append("The ledgers have nothing that is not here.")
    return lines
