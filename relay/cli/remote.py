"""`relayhub --hub URL [--token-file FILE] COMMAND`: the same commands on a hub elsewhere, by its public interface.

The token is read from a file of mode 600 (`--token-file`, else $RELAYHUB_TOKEN_FILE), never from the command line, which other people of
a machine can see. `--json` prints what the command prints locally. Commands that are not here are in `relay.cli.remote_local`, with why.
"""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from relay.cli import remote_chains, remote_changes, remote_reads, remote_records
from relay.cli.options import JsonOption
from relay.cli.output import emit
from relay.cli.remote_hub import Channel, Destination, Key, Source, Where, columns, hub, show_list, where
from relay.cli.remote_local import LOCAL
from relay.errors import BadInput, NotFound, NotNow

app = typer.Typer(name="relayhub --hub URL", add_completion=False, rich_markup_mode=None, no_args_is_help=True)
chain, lane, operator, key, adapter, evidence = (typer.Typer(rich_markup_mode=None) for _ in range(6))
for _group, _name in (
    (chain, "chain"),
    (lane, "lane"),
    (operator, "operator"),
    (key, "key"),
    (adapter, "adapter"),
    (evidence, "evidence"),
):
    app.add_typer(_group, name=_name)
remote_chains.register(app, chain)
remote_changes.register(app, lane, operator)
remote_reads.register(app)
remote_records.register(evidence)


def wants(words: list[str]) -> bool:
    """Whether a command line begins with a hub elsewhere."""
    return bool(words) and (words[0] in ("--hub", "--token-file") or words[0].startswith(("--hub=", "--token-file=")))


def run(words: list[str]) -> int:
    """Run a command on a hub elsewhere; returns the exit code.

    Raises:
        BadInput: the hub, the token's file or the words cannot be used.
        NotNow: the command works on the hub's own machine only.
    """
    rest = list(words)
    given = {"--hub": "", "--token-file": os.environ.get("RELAYHUB_TOKEN_FILE", ""), "--authorities": ""}
    while rest and rest[0].partition("=")[0] in given:
        name, equals, value = rest.pop(0).partition("=")
        if not equals:
            if not rest:
                raise BadInput(f"{name} has no value.", "Give relayhub --hub URL [--token-file FILE] COMMAND.")
            value = rest.pop(0)
        given[name] = value
    if not given["--hub"].startswith(("http://", "https://")):
        raise BadInput(f"{given['--hub']!r} is no hub's URL.", "Give --hub https://host:port.")
    _check_supported(rest)
    where.set(Where(given["--hub"], read_token(given["--token-file"]), given["--authorities"]))
    code = app(args=rest, prog_name="relayhub --hub URL", standalone_mode=False)
    return code if isinstance(code, int) else 0


def read_token(file: str) -> str:
    """Read a token from a file of mode 600; empty where there is no file.

    Raises:
        NotFound: there is no such file.
        BadInput: others may read it, it cannot be read, or it holds no token.
    """
    if not file:
        return ""
    path = Path(file)
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise BadInput(f"The token file {path} may be read by others.", f"Run: chmod 600 {path}.")
        token = path.read_text().strip()
    except FileNotFoundError:
        raise NotFound(f"There is no token file {path}.", "Ask the hub's owner: relayhub token create.") from None
    except (OSError, UnicodeDecodeError):
        raise BadInput(f"The token file {path} cannot be read.", "Check its owner, mode and content.") from None
    if not token.isascii() or not token.isprintable() or " " in token or not token:
        raise BadInput(f"The token file {path} holds no token.", "It has one line: rht_…")
    return token


def _check_supported(words: list[str]) -> None:
    """Say why a command works on the hub's own machine only.

    Raises:
        NotNow: it does.
    """
    named = [word for word in words if not word.startswith("-")][:2]
    for command in (" ".join(named), named[0] if named else ""):
        if command in LOCAL:
            raise NotNow(f"`{command}` takes no --hub: {LOCAL[command]}.", "See: relayhub --hub URL --help.")


@app.command("status")
def status(as_json: JsonOption = False) -> None:
    """Show ledgers, lanes, what waits for whom, operators and processes."""
    from relay.views.status_text import render

    with hub() as client:
        data = client.get("/v1/status")
    emit(data, "" if as_json else render(data, time.time()), as_json=as_json)


@app.command("trace")
def trace(identifier: Annotated[str, typer.Argument(metavar="ID")], as_json: JsonOption = False) -> None:
    """Show each stage of a message with time, proof height, party and result."""
    from relay.views.trace import bounds
    from relay.views.trace_text import render

    bounds(identifier)
    with hub() as client:
        found = list(client.items(f"/v1/messages/{identifier.lower()}"))
    emit(found, "" if as_json else render(found, time.time()), as_json=as_json)


@app.command("send")
def send(
    source: Source,
    destination: Destination,
    to: Annotated[str, typer.Option("--to", help="The receiver: 0x…, or mailbox.")],
    text: Annotated[str | None, typer.Option("--text", help="A text in any script.")] = None,
    hexadecimal: Annotated[str | None, typer.Option("--hex", help="Bytes as hexadecimal digits.")] = None,
    file: Annotated[str | None, typer.Option("--file", help="A file of this machine whose bytes are sent.")] = None,
    call: Annotated[str | None, typer.Option("--call", help='A call: method(1, "two", true).')] = None,
    record: Annotated[
        str | None, typer.Option("--record", help="A record's id, 0x…: sent in place of its content.")
    ] = None,
    expires_in: Annotated[int, typer.Option("--expires-in", min=0, help="Seconds until it expires; 0 = never.")] = 0,
    gas_limit: Annotated[int, typer.Option("--gas-limit", min=1, help="Gas of the receiver's call.")] = 300_000,
    callback_gas: Annotated[int, typer.Option("--callback-gas", min=0, help="Gas of the sender's callback.")] = 0,
    channel: Channel = "default",
    key: Key = "",
    count: Annotated[int, typer.Option("--count", min=1, max=10_000, help="How many times to send it.")] = 1,
    wait: Annotated[bool, typer.Option("--wait", help="Follow it until it is settled.")] = False,
    patience: Annotated[int, typer.Option("--patience", min=1, help="Seconds that --wait waits at most.")] = 300,
    as_json: JsonOption = False,
) -> None:
    """Send a message from a key of the hub; prints its id."""
    if file is not None:
        hexadecimal = _hex_of(file, hexadecimal)
    options: dict[str, Any] = {
        "channel": channel,
        "expires_in_s": expires_in,
        "gas_limit": gas_limit,
        "callback_gas": callback_gas,
        "record": record,
    }
    with hub() as client:
        sent = client.send(
            source, destination, to=to, text=text, hex=hexadecimal, call=call, key=key, count=count, **options
        )
        ids = [item.message_id for item in sent]
        if not wait:
            text_out = "\n".join([*ids, f"Next: relayhub --hub URL trace {ids[-1][:14]}"])
            emit([item.model_dump() for item in sent], text_out, as_json=as_json)
            return
        client.follow(ids[-1], patience)
        followed = [next(client.items(f"/v1/messages/{identifier}")) for identifier in ids]
    lines = [f"{item['message_id']}: {(item['outcome'] or {}).get('status', '?')}, settled" for item in followed]
    emit(followed, "\n".join(lines), as_json=as_json)


def _hex_of(file: str, hexadecimal: str | None) -> str:
    if hexadecimal is not None:
        raise BadInput("A message has one payload.", "Give one of --text, --hex, --file, --call, --record.")
    try:
        return "0x" + Path(file).read_bytes().hex()
    except OSError as error:
        raise BadInput(f"The file {file} cannot be read: {error.strerror}.", "Check --file.") from None


@lane.command("list")
def list_lanes(as_json: JsonOption = False) -> None:
    """List lanes."""
    from relay.views.status_text import render_lanes

    show_list("/v1/lanes", render_lanes, as_json=as_json)


@operator.command("list")
def list_operators(as_json: JsonOption = False) -> None:
    """List operators with their last signature and silence."""
    from relay.views.status_text import render_operators

    show_list("/v1/operators", lambda data: render_operators(data, time.time()), as_json=as_json)


@key.command("list")
def list_keys(as_json: JsonOption = False) -> None:
    """List names and addresses of the hub's keys."""
    show_list("/v1/keys", lambda data: columns(data, ("name", "address")), as_json=as_json)


@adapter.command("list")
def list_adapters(as_json: JsonOption = False) -> None:
    """List adapters."""
    show_list("/v1/adapters", lambda data: columns(data, ("name", "package", "version", "why")), as_json=as_json)
