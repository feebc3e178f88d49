"""`relayhub chain`: register ledgers, show and retire them."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from relay.cli.options import HomeOption, JsonOption
from relay.cli.output import emit, home_of, note

app = typer.Typer(help="Ledgers: add, list, show, retire.", no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(help="The ledger's name here.")]


@app.command("add")
def add(
    name: Name,
    rpc: Annotated[list[str], typer.Option("--rpc", help="An endpoint's URL or IPC path; give several for failover.")],
    chain_id: Annotated[str, typer.Option("--chain-id", help="Refuse any ledger but this (1337 or eip155:1337).")] = "",
    adapter: Annotated[str, typer.Option("--adapter", help="Which adapter speaks to it.")] = "evm",
    consensus: Annotated[
        str, typer.Option("--consensus", help="auto, or the light client's name; development = none verifiable.")
    ] = "auto",
    client_options: Annotated[
        str, typer.Option("--client-options", help="A file with the light client's options, or the genesis file.")
    ] = "",
    pin: Annotated[str, typer.Option("--pin", help="The trusted block, HEIGHT:0xHASH; needed in production.")] = "",
    gateway: Annotated[str, typer.Option("--gateway", help="A gateway that is there already.")] = "",
    verifier: Annotated[str, typer.Option("--verifier", help="Its committee verifier.")] = "",
    officer: Annotated[
        list[str] | None, typer.Option("--officer", help="An officer of new contracts; give three.")
    ] = None,
    guardian: Annotated[str, typer.Option("--guardian", help="The guardian of new contracts.")] = "",
    option: Annotated[
        list[str] | None, typer.Option("--option", help="An option of the adapter, NAME=VALUE; see its README.")
    ] = None,
    key: Annotated[str, typer.Option("--key", help="The relayer's key [default: relayer-NAME, made if missing].")] = "",
    home: HomeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Register a ledger: ask the node what it is, trust a pinned header, deploy the gateway."""
    from relay.cli.session import session
    from relay.registry.chains import endpoints_of
    from relay.registry.operators import account_named
    from relay.registry.registration import ChainRequest, Registration, options_of

    with session(home) as hub:
        request = ChainRequest(
            name=name,
            endpoints=endpoints_of(rpc),
            adapter=adapter,
            chain_id=chain_id,
            consensus=consensus,
            client_options=client_options,
            pin=pin,
            gateway=account_named(gateway) if gateway else b"",
            verifier=account_named(verifier) if verifier else b"",
            key=key,
            officers=tuple(account_named(item) for item in officer or ()),
            guardian=account_named(guardian) if guardian else b"",
            options=options_of(option or ()),
        )
        row = Registration(hub.home, hub.config, hub.store, _quiet if as_json else note).add(request)
        data = {
            "name": row.name,
            "chain_id": row.chain_id,
            "consensus": row.consensus,
            "gateway": row.gateway,
            "verifier": row.verifier,
            "mailbox": row.mailbox,
            "account": row.account,
            "pinned_height": row.pinned_height,
            "pinned_hash": row.pinned_hash,
        }
    emit(data, f"{name} is registered. Next: relayhub lane open {name} OTHER --both", as_json=as_json)


@app.command("announce")
def announce(
    name: Name,
    file: Annotated[str, typer.Argument(help="Options of the light client, or the new genesis file.")],
    home: HomeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Take up changes of validators that the ledger's network announced for later blocks (transitions)."""
    from relay.cli.session import session
    from relay.clients import options_of_state
    from relay.registry.announcements import announce

    with session(home) as hub:
        row = announce(hub.home, hub.config, hub.store, name, file)
    data = {"name": name, "client": options_of_state(row.consensus, bytes(row.client_state))}
    emit(data, f"{name}: the light client knows the changes. Operators elsewhere change `client` too.", as_json=as_json)


@app.command("list")
def show_all(home: HomeOption = "", as_json: JsonOption = False) -> None:
    """List ledgers."""
    from relay.views.status import hub_status
    from relay.views.status_text import render_chains

    data = hub_status(home_of(home))["chains"]
    emit(data, "" if as_json else render_chains(data), as_json=as_json)


@app.command("show")
def show(name: Name, home: HomeOption = "", as_json: JsonOption = False) -> None:
    """Show everything about a ledger."""
    from relay.errors import NotFound
    from relay.views.status import hub_status
    from relay.views.status_text import render_chain

    data = hub_status(home_of(home))
    found: list[dict[str, Any]] = [chain for chain in data["chains"] if chain["name"] == name]
    if not found:
        known = ", ".join(chain["name"] for chain in data["chains"]) or "none yet"
        raise NotFound(
            f"There is no ledger named {name!r} (known: {known}).", "Add it: relayhub chain add NAME --rpc URL."
        )
    emit(found[0], "" if as_json else render_chain(found[0], time.time()), as_json=as_json)


@app.command("retire")
def retire(name: Name, home: HomeOption = "", as_json: JsonOption = False) -> None:
    """Stop following a ledger; refused until its lanes are closed and have settled what they sent, or are abandoned."""
    from relay.cli.session import session
    from relay.registry.chains import retire_chain

    with session(home) as hub:
        retire_chain(hub.home, hub.config, hub.store, name)
    emit({"name": name, "state": "retired"}, f"{name} is retired.", as_json=as_json)


def _quiet(_line: str) -> None:
    """Say nothing: the result is JSON."""
