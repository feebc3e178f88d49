"""`relayhub doctor`: look for what commonly goes wrong."""

from __future__ import annotations

from typing import Any

import typer

from relay.cli.options import HomeOption, JsonOption
from relay.cli.output import emit, home_of


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(home: HomeOption = "", as_json: JsonOption = False) -> None:
    """Check packages, versions, configuration, keys, database, broker, endpoints, clocks and disk."""
    from relay.doctor import as_data, examine

    show([as_data(item) for item in examine(home_of(home))], as_json=as_json)


def show(data: list[dict[str, Any]], *, as_json: bool) -> None:
    """Print findings; exit code 2 where one is not well."""
    from relay.views.tables import table

    rows = [(_verdict(item), item["check"], f"{item['text']} {item['next_step']}".strip()) for item in data]
    emit(data, table(("", "CHECK", "FOUND"), rows), as_json=as_json)
    if not all(item["ok"] for item in data):
        raise typer.Exit(2)


def _verdict(finding: dict[str, Any]) -> str:
    return "NOT OK" if not finding["ok"] else "WARNING" if finding["warning"] else "ok"
