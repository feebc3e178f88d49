"""`relayhub status` and `trace`: what stands where, and what waits for whom."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from relay.cli.options import HomeOption, JsonOption
from relay.cli.output import emit, home_of, show_status


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("status")(status)
    app.command("trace")(trace)


def status(home: HomeOption = "", as_json: JsonOption = False) -> None:
    """Show ledgers, lanes, what waits for whom, operators and processes."""
    show_status(home, as_json=as_json)


def trace(
    identifier: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="A message id, or a transaction of the source or of the delivery; a prefix will do."
        ),
    ],
    home: HomeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Show each stage of a message with time, proof height, party and result."""
    from relay.views.trace import trace as find
    from relay.views.trace_text import render

    found = find(home_of(home), identifier)
    emit(found, "" if as_json else render(found, time.time()), as_json=as_json)
