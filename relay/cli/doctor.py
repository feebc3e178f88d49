"""`relayhub doctor`: look for what commonly goes wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from relay.cli.options import HomeOption, JsonOption
from relay.cli.output import emit, home_of

if TYPE_CHECKING:
    from relay.doctor import Finding


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(home: HomeOption = "", as_json: JsonOption = False) -> None:
    """Check packages, versions, configuration, keys, database, broker, endpoints, clocks and disk."""
    from relay.doctor import examine
    from relay.views.tables import table

    findings = examine(home_of(home))
    data = [
        {"check": item.check, "ok": item.ok, "warning": item.warning, "text": item.text, "next_step": item.next_step}
        for item in findings
    ]
    rows = [(_verdict(item), item.check, f"{item.text} {item.next_step}".strip()) for item in findings]
    emit(data, table(("", "CHECK", "FOUND"), rows), as_json=as_json)
    if not all(item.ok for item in findings):
        raise typer.Exit(2)


def _verdict(finding: Finding) -> str:
    return "NOT OK" if not finding.ok else "WARNING" if finding.warning else "ok"
