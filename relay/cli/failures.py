"""Every failure of a command is one line on standard error and exit code 2; a bug's trace goes to a file, never to the terminal."""

from __future__ import annotations

import json
import sys
import tempfile
import traceback
from pathlib import Path

from relay.errors import HubError
from relay.home import Home

FAILED = 2
INTERRUPTED = 130


def report(error: BaseException, *, as_json: bool, home: str | None) -> int:
    """Print what went wrong and what to do next; return the exit code."""
    name, message, next_step = describe(error, home)
    if as_json:
        content = {"error": name, "message": message, "next_step": next_step}
        sys.stderr.write(json.dumps(content, ensure_ascii=False) + "\n")
    else:
        sys.stderr.write(f"{name}: {one_line(f'{message} {next_step}')}\n")
    return FAILED


def describe(error: BaseException, home: str | None) -> tuple[str, str, str]:
    """Name an error, say what is wrong, and what to do next."""
    if isinstance(error, HubError):
        return getattr(error, "name", type(error).__name__), error.message, error.next_step
    known = _known(error)
    if known is not None:
        return known
    where = write_trace(error, home)
    return (
        "Unexpected",
        f"{type(error).__name__}: {one_line(str(error))[:300]}.",
        f"The details are in {where}; please report them.",
    )


def write_trace(error: BaseException, home: str | None) -> Path:
    """Keep a bug's trace in the hub's run folder, or where temporary files go."""
    folder = Home.locate(home).run
    path = (folder if folder.is_dir() else Path(tempfile.gettempdir())) / "relayhub-errors.log"
    try:
        with path.open("a") as file:
            file.write("".join(traceback.format_exception(error)) + "\n")
    except OSError:
        return Path("(nowhere: the disk cannot be written)")
    return path


def one_line(text: str) -> str:
    """Join lines and drop control characters, so that an answer from elsewhere cannot play with the terminal."""
    joined = " ".join(text.split())
    return "".join(character if character.isprintable() else "?" for character in joined)


def _known(error: BaseException) -> tuple[str, str, str] | None:
    """Errors of other parts; what is not loaded cannot have raised anything, so nothing is imported for it."""
    module = sys.modules.get
    adapters, clients, schemas = (
        module("adapters.protocol"),
        module("light_clients.errors"),
        module("schemas.primitives"),
    )
    if adapters is not None and isinstance(error, adapters.AdapterError):
        return (
            type(error).__name__,
            sentence(error),
            "" if isinstance(error, adapters.Misconfigured) else "Try again, or see: relayhub doctor.",
        )
    if clients is not None and isinstance(error, clients.LightClientError):
        return getattr(error, "name", type(error).__name__), error.message, error.next_step
    if schemas is not None and isinstance(error, schemas.SchemaError):
        return "BadInput", sentence(error), ""
    database = module("sqlalchemy.exc")
    if database is not None and isinstance(error, database.DBAPIError):
        return "Database", f"The database refused: {one_line(str(error.orig))}.", "See: relayhub doctor."
    if isinstance(error, OSError) and error.errno is not None:
        subject = f" ({error.filename})" if error.filename else ""
        return "System", f"{error.strerror}{subject}.", "Check the disk and permissions: relayhub doctor."
    return None


def sentence(error: BaseException) -> str:
    """An error's text, ending as a sentence."""
    text = str(error).strip()
    return text if text.endswith((".", "!", "?")) else text + "."
