"""`relayhub --hub URL [--token-file FILE] COMMAND`: the same commands on a hub elsewhere, by its public interface.

The token is read from a file of mode 600 (`--token-file`, else $RELAYHUB_TOKEN_FILE), never from the command line, which other people of
a machine can see. `--json` prints what the command prints locally.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from relay.cli.options import JsonOption
from relay.cli.output import emit, note
from relay.errors import BadInput, NotFound, NotNow

if TYPE_CHECKING:
    from relay.client import HubClient

SUPPORTED = "status, trace, send, chain list|show|add|retire, lane list|open|close, pause, resume, operator list, key list, adapter list"


@dataclass(frozen=True, slots=True)
class Where:
    """The hub that is meant: its URL, the token, and a file of authorities to trust (empty = the usual ones)."""

    url: str
    token: str
    authorities: str


_where: ContextVar[Where] = ContextVar("hub")
app = typer.Typer(name="relayhub --hub URL", add_completion=False, rich_markup_mode=None, no_args_is_help=True)
chain = typer.Typer(rich_markup_mode=None)
lane = typer.Typer(rich_markup_mode=None)
operator, key, adapter = (typer.Typer(rich_markup_mode=None) for _ in range(3))
for _group, _name in ((chain, "chain"), (lane, "lane"), (operator, "operator"), (key, "key"), (adapter, "adapter")):
    app.add_typer(_group, name=_name)

Source = Annotated[str, typer.Argument(metavar="A", help="The ledger that sends.")]
Destination = Annotated[str, typer.Argument(metavar="B", help="The ledger that receives.")]
Channel = Annotated[str, typer.Option("--channel", help="The channel's name.")]
Key = Annotated[str, typer.Option("--key", help="The name of a key at the hub.")]
Name = Annotated[str, typer.Argument(help="The ledger's name there.")]


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
    _where.set(Where(given["--hub"], read_token(given["--token-file"]), given["--authorities"]))
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
    named = [word for word in words if not word.startswith("-")][:2]
    groups = {
        "chain": ("list", "show", "add", "retire"),
        "lane": ("list", "open", "close"),
        **dict.fromkeys(("operator", "key", "adapter"), ("list",)),
    }
    single = ("status", "trace", "send", "pause", "resume")
    if not named or named[0] in single or (named[0] in groups and (named[1:] or [""])[0] in groups[named[0]]):
        return
    if named[0] in groups and len(named) == 1:
        return
    command = " ".join(named if named[0] in groups else named[:1])
    raise NotNow(f"`{command}` works only on the hub's own machine.", f"Elsewhere there are: {SUPPORTED}.")


@contextmanager
def _hub() -> Iterator[HubClient]:
    from relay.client import HubClient

    where = _where.get()
    with HubClient(where.url, where.token, authorities=where.authorities) as client:
        yield client


@app.command("status")
def status(as_json: JsonOption = False) -> None:
    """Show ledgers, lanes, what waits for whom, operators and processes."""
    from relay.views.status_text import render

    with _hub() as hub:
        data = hub.get("/v1/status")
    emit(data, "" if as_json else render(data, time.time()), as_json=as_json)


@app.command("trace")
def trace(identifier: Annotated[str, typer.Argument(metavar="ID")], as_json: JsonOption = False) -> None:
    """Show each stage of a message with time, proof height, party and result."""
    from relay.views.trace import bounds
    from relay.views.trace_text import render

    bounds(identifier)
    with _hub() as hub:
        found = list(hub.items(f"/v1/messages/{identifier.lower()}"))
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
    }
    with _hub() as hub:
        sent = hub.send(
            source, destination, to=to, text=text, hex=hexadecimal, call=call, key=key, count=count, **options
        )
        ids = [item.message_id for item in sent]
        if not wait:
            text_out = "\n".join([*ids, f"Next: relayhub --hub URL trace {ids[-1][:14]}"])
            emit([item.model_dump() for item in sent], text_out, as_json=as_json)
            return
        hub.follow(ids[-1], patience)
        followed = [next(hub.items(f"/v1/messages/{identifier}")) for identifier in ids]
    lines = [f"{item['message_id']}: {(item['outcome'] or {}).get('status', '?')}, settled" for item in followed]
    emit(followed, "\n".join(lines), as_json=as_json)


def _hex_of(file: str, hexadecimal: str | None) -> str:
    if hexadecimal is not None:
        raise BadInput("A message has one payload.", "Give one of --text, --hex, --file, --call.")
    try:
        return "0x" + Path(file).read_bytes().hex()
    except OSError as error:
        raise BadInput(f"The file {file} cannot be read: {error.strerror}.", "Check --file.") from None


@chain.command("list")
def list_chains(as_json: JsonOption = False) -> None:
    """List ledgers."""
    from relay.views.status_text import render_chains

    _list("/v1/chains", render_chains, as_json=as_json)


@chain.command("show")
def show_chain(name: Name, as_json: JsonOption = False) -> None:
    """Show everything about a ledger."""
    from relay.client import path_part
    from relay.views.status_text import render_chain

    with _hub() as hub:
        data = hub.get(f"/v1/chains/{path_part(name)}")
    emit(data, "" if as_json else render_chain(data, time.time()), as_json=as_json)


@chain.command("add")
def add_chain(
    name: Name,
    rpc: Annotated[list[str], typer.Option("--rpc", help="An endpoint's URL, as the hub reaches it.")],
    chain_id: Annotated[str, typer.Option("--chain-id", help="Refuse any ledger but this.")] = "",
    adapter: Annotated[str, typer.Option("--adapter", help="Which adapter speaks to it.")] = "evm",
    consensus: Annotated[str, typer.Option("--consensus", help="auto, or the light client's name.")] = "auto",
    pin: Annotated[str, typer.Option("--pin", help="The trusted block, HEIGHT:0xHASH.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Register a ledger: the hub asks the node what it is, trusts a pinned header, deploys the gateway."""
    body = {"name": name, "endpoints": rpc, "chain_id": chain_id, "adapter": adapter}
    with _hub() as hub:
        data = hub.change("/v1/chains", {**body, "consensus": consensus, "pin": pin})
    emit(data, f"{name} is registered.", as_json=as_json)


@chain.command("retire")
def retire_chain(name: Name, as_json: JsonOption = False) -> None:
    """Stop following a ledger."""
    from relay.client import path_part

    with _hub() as hub:
        data = hub.change(f"/v1/chains/{path_part(name)}/retire")
    emit(data, f"{name} is retired.", as_json=as_json)


@lane.command("list")
def list_lanes(as_json: JsonOption = False) -> None:
    """List lanes."""
    from relay.views.status_text import render_lanes

    _list("/v1/lanes", render_lanes, as_json=as_json)


@lane.command("open")
def open_lane(
    source: Source,
    destination: Destination,
    channel: Channel = "default",
    both: Annotated[bool, typer.Option("--both", help="Open the lane back as well.")] = False,
    trust: Annotated[str, typer.Option("--trust", help="committee, light-client or both.")] = "committee",
    key: Key = "",
    as_json: JsonOption = False,
) -> None:
    """Open a lane at both of its ends."""
    body = {"source": source, "destination": destination, "channel": channel, "both": both, "trust": trust, "key": key}
    with _hub() as hub:
        data = hub.change("/v1/lanes", body)
    lines = [f"{item['source']} → {item['destination']} {item['lane_id']}: {item['state']}" for item in data]
    emit(data, "\n".join(lines), as_json=as_json)


@lane.command("close")
def close_lane(
    source: Source, destination: Destination, channel: Channel = "default", key: Key = "", as_json: JsonOption = False
) -> None:
    """Close a lane at both ends (two officers)."""
    _act("close", (source, destination, channel), key, as_json=as_json)


@app.command("pause")
def pause(
    source: Source,
    destination: Annotated[str, typer.Argument(metavar="[B]")] = "",
    channel: Channel = "default",
    key: Key = "",
    as_json: JsonOption = False,
) -> None:
    """Pause a ledger's gateway, or a lane at both ends, at once."""
    _act("pause", (source, destination, channel), key, as_json=as_json)


@app.command("resume")
def resume(
    source: Source,
    destination: Annotated[str, typer.Argument(metavar="[B]")] = "",
    channel: Channel = "default",
    key: Key = "",
    as_json: JsonOption = False,
) -> None:
    """Let a paused gateway or lane work again (two officers)."""
    _act("resume", (source, destination, channel), key, as_json=as_json)


@operator.command("list")
def list_operators(as_json: JsonOption = False) -> None:
    """List operators with their last signature and silence."""
    from relay.views.status_text import render_operators

    _list("/v1/operators", lambda data: render_operators(data, time.time()), as_json=as_json)


@key.command("list")
def list_keys(as_json: JsonOption = False) -> None:
    """List names and addresses of the hub's keys."""
    _list("/v1/keys", lambda data: _table(data, ("name", "address")), as_json=as_json)


@adapter.command("list")
def list_adapters(as_json: JsonOption = False) -> None:
    """List adapters."""
    _list("/v1/adapters", lambda data: _table(data, ("name", "package", "version", "why")), as_json=as_json)


def _list(path: str, render: Any, *, as_json: bool) -> None:
    with _hub() as hub:
        data = list(hub.items(path))
    emit(data, "" if as_json else render(data), as_json=as_json)


def _table(data: list[dict[str, Any]], names: tuple[str, ...]) -> str:
    from relay.views.tables import table

    return table(names, [[item[name] for name in names] for item in data])


def _act(what: str, which: tuple[str, str, str], key: str, *, as_json: bool) -> None:
    """Close, pause or resume a lane, or a ledger's gateway where no second ledger is named."""
    from relay.client import path_part

    source, destination, channel = which
    with _hub() as hub:
        if destination:
            found = [item for item in hub.lanes(source=source, destination=destination) if item.channel == channel]
            if not found:
                raise NotFound(
                    f"There is no lane {source} → {destination} #{channel}.", "See: relayhub --hub URL lane list."
                )
            path = f"/v1/lanes/{found[0].lane_id}/{what}"
        else:
            path = f"/v1/chains/{path_part(source)}/{what}"
        data = hub.change(path, {"key": key})
    for label in data.get("proposals", ()):
        note(f"Proposed {label}; another officer approves it.")
    emit(data, f"{what} {source} {destination}".rstrip() + ": done.", as_json=as_json)
