"""`relayhub doctor`: look for what commonly goes wrong."""

from __future__ import annotations

import typer

from relay.cli.options import HomeOption, JsonOption
from relay.cli.output import emit, home_of


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(home: HomeOption = "", as_json: JsonOption = False) -> None:
    """Check packages, versions, configuration, keys, database, broker, endpoints, clocks and disk."""
    from relay.doctor import examine
    from relay.views.tables import table

    findings = examine(home_of(home))
    data = [{"check": item.check, "ok": item.ok, "text": item.text, "next_step": item.next_step} for item in findings]
    rows = [("ok" if item.ok else "NOT OK", item.check, f"{item.text} {item.next_step}".strip()) for item in findings]
    emit(data, table(("", "CHECK", "FOUND"), rows), as_json=as_json)
    if not all(item.ok for item in findings):
        raise typer.Exit(2)
