"""`relayhub backup` and `restore`: a hub's copy, and a hub from a copy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from relay.cli.options import HomeOption, JsonOption
from relay.cli.output import emit, home_of

if TYPE_CHECKING:
    from relay.backup.newer import Newer

FileArgument = Annotated[str, typer.Argument(metavar="FILE", help="The backup, a tar file.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("backup")(backup)
    app.command("restore")(restore)


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


def _newer(newer: list[Newer], silent: list[str]) -> list[str]:
    lines = [f"{item.name}: {item.what} {item.known} here, {item.there} on the ledger; read again." for item in newer]
    if silent:
        lines.append(f"Not asked, because they do not answer: {', '.join(silent)}.")
    if not newer and not silent:
        lines.append("The ledgers have nothing that is not here.")
    return lines
