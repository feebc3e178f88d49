"""`relayhub --hub URL chain` and `recover`: ledgers of a hub elsewhere."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from relay.cli.options import JsonOption
from relay.cli.output import emit
from relay.cli.remote_hub import Key, Name, chain_change, client_options_of, hub, show_list


def register(app: typer.Typer, chain: typer.Typer) -> None:
    """Add the commands."""
    app.command("recover")(recover)
    for name, command in (
        ("list", show_all),
        ("show", show),
        ("add", add_chain),
        ("retire", retire_chain),
        ("announce", announce),
    ):
        chain.command(name)(command)


def show_all(as_json: JsonOption = False) -> None:
    """List ledgers."""
    from relay.views.status_text import render_chains

    show_list("/v1/chains", render_chains, as_json=as_json)


def show(name: Name, as_json: JsonOption = False) -> None:
    """Show everything about a ledger."""
    from relay.client import path_part
    from relay.views.status_text import render_chain

    with hub() as client:
        data = client.get(f"/v1/chains/{path_part(name)}")
    emit(data, "" if as_json else render_chain(data, time.time()), as_json=as_json)


def add_chain(
    name: Name,
    rpc: Annotated[list[str], typer.Option("--rpc", help="An endpoint's URL, as the hub reaches it.")],
    chain_id: Annotated[str, typer.Option("--chain-id", help="Refuse any ledger but this.")] = "",
    adapter: Annotated[str, typer.Option("--adapter", help="Which adapter speaks to it.")] = "evm",
    consensus: Annotated[str, typer.Option("--consensus", help="auto, or the light client's name.")] = "auto",
    client_options: Annotated[
        str,
        typer.Option("--client-options", help="A file of this machine: the light client's options, or the genesis."),
    ] = "",
    pin: Annotated[str, typer.Option("--pin", help="The trusted block, HEIGHT:0xHASH.")] = "",
    gateway: Annotated[str, typer.Option("--gateway", help="A gateway that is there already.")] = "",
    verifier: Annotated[str, typer.Option("--verifier", help="Its committee verifier.")] = "",
    officer: Annotated[list[str] | None, typer.Option("--officer", help="An officer of new contracts.")] = None,
    guardian: Annotated[str, typer.Option("--guardian", help="The guardian of new contracts.")] = "",
    option: Annotated[list[str] | None, typer.Option("--option", help="An option of the adapter, NAME=VALUE.")] = None,
    key: Key = "",
    as_json: JsonOption = False,
) -> None:
    """Register a ledger: the hub asks the node what it is, trusts a pinned header, deploys the gateway."""
    from relay.registry.registration import options_of

    body = {
        "name": name,
        "endpoints": rpc,
        "chain_id": chain_id,
        "adapter": adapter,
        "consensus": consensus,
        "client_options": client_options_of(client_options),
        "pin": pin,
        "gateway": gateway,
        "verifier": verifier,
        "officers": officer or [],
        "guardian": guardian,
        "options": options_of(option or ()),
        "key": key,
    }
    with hub() as client:
        data = client.change("/v1/chains", body)
    emit(data, f"{name} is registered.", as_json=as_json)


def retire_chain(name: Name, as_json: JsonOption = False) -> None:
    """Stop following a ledger."""
    data = chain_change(name, "retire", None)
    emit(data, f"{name} is retired.", as_json=as_json)


def announce(
    name: Name,
    file: Annotated[str, typer.Argument(help="A file of this machine: the light client's options, or the genesis.")],
    as_json: JsonOption = False,
) -> None:
    """Take up changes of validators that the ledger's network announced for later blocks."""
    data = chain_change(name, "announce", {"client_options": client_options_of(file)})
    emit(data, f"{name}: the light client knows the changes.", as_json=as_json)


def recover(
    name: Annotated[str, typer.Argument(metavar="CHAIN", help="The ledger that was frozen.")],
    pin: Annotated[
        str, typer.Option("--pin", help="A block of the history that stands, HEIGHT:0xHASH, to start from again.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Show what was frozen and why, what to reconcile, and which step comes next; with --pin, start again."""
    from relay.client import path_part
    from relay.views.recovery_text import render

    if pin:
        data = chain_change(name, "recover", {"pin": pin})
    else:
        with hub() as client:
            data = client.get(f"/v1/chains/{path_part(name)}/recovery")
    emit(data, "" if as_json else render(data), as_json=as_json)
