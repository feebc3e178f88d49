"""`relayhub operator`: who verifies and signs."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from relay.cli.options import HomeOption, JsonOption
from relay.cli.output import emit, home_of

app = typer.Typer(help="Operators: add, run, list, strike.", no_args_is_help=True, rich_markup_mode=None)


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="The operator's name.")],
    signer: Annotated[str, typer.Option("--signer", help="Its signing key: the address or the public key, 0x….")],
    organisation: Annotated[
        str, typer.Option("--organisation", help="Who it belongs to; a quorum counts organisations.")
    ],
    sm2_key: Annotated[
        str, typer.Option("--sm2-key", help="Its SM2 public key, 0x…, for ledgers whose committees check SM2.")
    ] = "",
    key: Annotated[str, typer.Option("--key", help="An officer's key, to propose the next epoch on each ledger.")] = "",
    home: HomeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Register an operator; ledgers that are there get a new epoch of their committee (two officers)."""
    from relay.cli.session import session
    from relay.registry.chains import all_chains
    from relay.registry.committee_changes import renew_committees
    from relay.registry.operators import account_named, add_operator

    with session(home) as hub:
        officer = hub.keys.load(key) if key else None
        second = account_named(sm2_key) if sm2_key else b""
        add_operator(hub.store, name, account_named(signer), organisation, second)
        ledgers = [row.name for row in all_chains(hub.store) if row.state != "retired"]
        proposed = []
        if ledgers and (officer is not None or hub.config.development):
            proposed = [item.label for item in renew_committees(hub.config, hub.store, hub.keys, officer)]
            text = f"{name} is registered and signs from the next epoch of {', '.join(ledgers)}."
        elif ledgers:
            text = f"{name} is registered. Next, for each ledger: relayhub propose add-epoch --chain NAME --key OFFICER"
        else:
            text = f"{name} is registered."
    text += "".join(f"\nProposed {label}; next: relayhub approve {label} --key OTHER" for label in proposed)
    emit({"name": name, "signer": signer, "organisation": organisation, "proposals": proposed}, text, as_json=as_json)


@app.command("run")
def run(config: Annotated[str, typer.Option("--config", help="The operator's operator.toml.")]) -> None:
    """Run an operator in the foreground: verifies by itself, signs, posts to the hub."""
    from relay.operator.command import main

    code = main(["--config", config])
    if code:
        raise typer.Exit(code)


@app.command("list")
def show_all(home: HomeOption = "", as_json: JsonOption = False) -> None:
    """List operators with their last signature and silence."""
    from relay.views.status import hub_status
    from relay.views.status_text import render_operators

    data = hub_status(home_of(home))["operators"]
    emit(data, "" if as_json else render_operators(data, time.time()), as_json=as_json)


@app.command("strike")
def strike(
    name: Annotated[str, typer.Argument(help="The operator's name.")],
    key: Annotated[
        str, typer.Option("--key", help="The guardian's or an officer's key; not needed on a development hub.")
    ] = "",
    home: HomeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Strike an operator's signer out of every committee at once."""
    from relay.cli.session import session
    from relay.registry.committee_changes import strike_operator

    with session(home) as hub:
        done = strike_operator(hub.store, name, hub.narrowing_officer(key))
    emit(
        {"name": name, "struck_on": done}, f"{name} is struck on {', '.join(done) or 'no ledger yet'}.", as_json=as_json
    )
