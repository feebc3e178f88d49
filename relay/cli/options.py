"""Options that every command has, and how a command speaks: text for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

from relay.home import Home

HomeOption = Annotated[str, typer.Option("--home", help="The hub's folder [default: $RELAYHUB_HOME or .relayhub].")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]


def emit(data: Any, text: str, *, as_json: bool) -> None:
    """Print a command's result on standard output."""
    sys.stdout.write((json.dumps(data, ensure_ascii=False, default=_plain) if as_json else text).rstrip("\n") + "\n")
    sys.stdout.flush()


def note(text: str) -> None:
    """Print progress or a remark on standard error, so that standard output stays the result."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def home_of(path: str) -> Home:
    """The hub's home as a command's `--home` says."""
    return Home.locate(path or None)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return str(value)
