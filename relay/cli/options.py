"""Options that every command has."""

from __future__ import annotations

from typing import Annotated

import typer

HomeOption = Annotated[str, typer.Option("--home", help="The hub's folder [default: $RELAYHUB_HOME or .relayhub].")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
