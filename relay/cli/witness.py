"""`relayhub witness`: an organisation's own witness of evidence logs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from relay.cli.options import JsonOption
from relay.cli.output import emit

if TYPE_CHECKING:
    from relay.witness.configuration import WitnessConfig

app = typer.Typer(
    help="A witness of evidence logs: init, run, cosign, show.", no_args_is_help=True, rich_markup_mode=None
)

ConfigOption = Annotated[Path, typer.Option("--config", help="The witness's witness.toml.")]


@app.command("init")
def init(
    name: Annotated[str, typer.Option("--name", help="Its name in signature lines, for ever: witness.example/w1.")],
    log: Annotated[list[str], typer.Option("--log", help="A log's public key, NAME+ID+BASE64; may be repeated.")],
    folder: Annotated[Path, typer.Option("--folder", help="Where its key and memory lie.")] = Path("witness"),
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="0 chooses a free one.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Make a witness: its key, an empty memory, witness.toml; prints what the hub's hub.toml has to say."""
    from adapters.loopback_ports import free_port
    from relay.witness.configuration import create, open_witness

    config = create(folder, name, log, port or free_port())
    key = open_witness(config).key.text
    lines = [
        f"Made {folder / 'witness.toml'}. Run it: relayhub witness run --config {folder / 'witness.toml'}",
        "The hub's owner writes into hub.toml, and starts the recorder anew:",
        "",
        f"[witnesses.{_quoted(name)}]",
        f"key = {_quoted(key)}",
        f"url = {_quoted(config.url)}",
    ]
    emit({"name": name, "key": key, "url": config.url, "folder": str(folder)}, "\n".join(lines), as_json=as_json)


@app.command("run")
def run(config: ConfigOption) -> None:
    """Run a witness in the foreground: it answers add-checkpoint."""
    import os

    from relay.logs import configure_logs
    from relay.processes import PRIVATE
    from relay.witness.configuration import load_config
    from relay.witness.server import serve

    configure_logs()
    os.umask(PRIVATE)
    serve(load_config(config))


@app.command("cosign")
def cosign(
    place: Annotated[str, typer.Argument(metavar="LOG", help="The log's folder or URL.")],
    config: ConfigOption,
    as_json: JsonOption = False,
) -> None:
    """Read a log from outside, check that it continues what was cosigned last, and print its checkpoint, cosigned."""
    import time

    from relay.evidence.checkpoints import peek_checkpoint
    from relay.witness.configuration import load_config, open_witness
    from relay.witness.reading import cosign_log

    witness = open_witness(load_config(config))
    note, line = cosign_log(witness, place, time.time())
    known = peek_checkpoint(note)
    whole = note.decode() + line
    data = {"origin": known.origin, "size": known.size, "root": "0x" + known.root.hex(), "line": line.rstrip("\n")}
    emit(data | {"checkpoint": whole}, whole, as_json=as_json)


@app.command("show")
def show(config: ConfigOption, as_json: JsonOption = False) -> None:
    """Show what the witness cosigned last of each log, and which forks it refused."""
    from relay.witness.configuration import load_config

    data = _shown(load_config(config))
    emit(data, _text(data), as_json=as_json)


def _shown(config: WitnessConfig) -> dict[str, Any]:
    from relay.witness.configuration import open_witness

    witness = open_witness(config)
    kept = witness.memory.read()
    logs = [
        {"origin": origin, "size": seen.size, "root": "0x" + seen.root.hex(), "cosigned_at": seen.time}
        if (seen := kept.get(origin))
        else {"origin": origin, "size": None, "root": None, "cosigned_at": None}
        for origin in witness.origins
    ]
    files = [str(path) for path in witness.memory.evidence()]
    return {"name": config.name, "key": witness.key.text, "url": config.url, "logs": logs, "evidence": files}


def _text(data: dict[str, Any]) -> str:
    from relay.views.times import clock

    lines = [f"witness     {data['name']}", f"key         {data['key']}", f"url         {data['url']}"]
    for item in data["logs"]:
        said = "nothing yet" if item["size"] is None else f"{item['size']} leaves, {clock(item['cosigned_at'])}"
        lines.append(f"cosigned    {item['origin']}: {said}")
    lines.extend(f"refused     {path}" for path in data["evidence"])
    return "\n".join(lines)


def _quoted(text: str) -> str:
    """A basic string of TOML; keys and URLs have nothing that JSON writes otherwise."""
    import json

    return json.dumps(text, ensure_ascii=False)
