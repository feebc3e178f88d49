"""`relayhub recover`: walk the officers from a frozen ledger to new lanes."""

from __future__ import annotations

from typing import Annotated

import typer

from relay.cli.options import HomeOption, JsonOption
from relay.cli.output import emit


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("recover")(recover)


def recover(
    name: Annotated[str, typer.Argument(metavar="CHAIN", help="The ledger that was frozen.")],
    pin: Annotated[
        str, typer.Option("--pin", help="A block of the history that stands, HEIGHT:0xHASH, to start from again.")
    ] = "",
    home: HomeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Show what was frozen and why, what to reconcile, and which step comes next; with --pin, start again."""
    from relay.cli.session import session
    from relay.registry.consensus import parse_pin
    from relay.registry.recovery import pin_anew, recovery_of
    from relay.views.recovery_text import render

    with session(home) as hub:
        wanted = parse_pin(pin)
        if wanted is not None:
            pin_anew(hub.home, hub.config, hub.store, name, wanted)
        recovery = recovery_of(hub.store, name)
    data = recovery.as_data()
    emit(data, "" if as_json else render(data), as_json=as_json)
