"""How a command speaks: results on standard output as text or JSON, remarks on standard error."""

from __future__ import annotations

import json
import sys
from typing import Any

from relay.home import Home


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


def show_status(home: str, *, as_json: bool) -> None:
    """Print the hub's state: the body of `relayhub status`."""
    import time

    from relay.views.status import hub_status
    from relay.views.status_text import render

    data = hub_status(home_of(home))
    emit(data, "" if as_json else render(data, time.time()), as_json=as_json)
