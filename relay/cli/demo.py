"""`relayhub demo`: three ledgers, messages both ways, faults and forgeries, in about a minute."""

from __future__ import annotations

from typing import Annotated

import typer

from relay.cli.options import HomeOption, JsonOption


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave the hub running and print what to try next.")] = False,
    ledgers: Annotated[
        str, typer.Option("--ledgers", help="all: one of every kind, a lane between every two; or names with commas.")
    ] = "",
    home: HomeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Show the hub at work on local ledgers; exits non-zero if anything it shows is not so."""
    from relay.demo import run

    code = run(home=home, keep=keep, as_json=as_json, ledgers=ledgers)
    if code:
        raise typer.Exit(code)
